"""What every test may use: a real IPython shell, an empty mesh, a small product to read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from postgres import postgres, postgres_port, stoppable_postgres  # noqa: F401  fixtures for any test
from s3 import s3, s3_endpoint  # noqa: F401
from sparks import java, on_spark  # noqa: F401
from webserver import web  # noqa: F401

# `make laws` tries the laws on this many sequences; the other runs on Hypothesis' own hundred.
settings.register_profile("laws", max_examples=1_050)
# `make programs` tries the export on this many random notebooks in each of two processes.
settings.register_profile("programs", max_examples=1_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mesh", "how long to try what chance decides")
    group.addoption("--kills", type=int, default=5, help="publications to kill, of each sort")
    group.addoption("--commands", type=int, default=2, help="commands to kill, of each sort")
    group.addoption("--races", type=int, default=3, help="publications of each racing process")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Java, so that `make engines` runs it and `make test` need not."""
    for item in items:
        if "java" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)


class Shell:
    """A real IPython shell with the extension loaded, driven cell by cell."""

    def __init__(self) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        InteractiveShell.clear_instance()
        self.ip = InteractiveShell.instance()
        self.ip.history_manager.enabled = False
        self.run("%load_ext mesh_notebook")

    @property
    def names(self) -> dict[str, Any]:
        return self.ip.user_ns

    @property
    def mesh(self) -> Any:
        return self.names["mesh"]

    def run(self, cell: str) -> Any:
        """Run a cell as a notebook would; return its value, raise what it raised."""
        result = self.ip.run_cell(cell, store_history=True)
        result.raise_error()
        return result.result

    def by_hand(self, code: str) -> None:
        """Do what a reader of the notebook does beside its cells: move a widget, say."""
        self.ip.run_cell(code, store_history=False, silent=True).raise_error()

    def shown(self, value: Any) -> dict[str, str]:
        """Return the MIME bundle in which a notebook would show a value."""
        bundle, _ = self.ip.display_formatter.format(value)
        return bundle


@pytest.fixture(autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of keys of the test's own, away from the user's; nothing is granted or asked for."""
    folder = tmp_path_factory.mktemp("keys")
    monkeypatch.setenv("MESH_KEYS", str(folder))
    for name in ("MESH_KEY", "MESH_ROLES", "MESH_PURPOSE"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(autouse=True)
def captures(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of captures of the test's own, away from the user's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MESH_CACHE", str(folder))
    return folder


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A notebook beside which nothing lies, with its mesh in `.mesh`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MESH_ROOTS", raising=False)
    shell = Shell()
    yield shell
    shell.ip.run_line_magic("unload_ext", "mesh_notebook")
    shell.ip.clear_instance()


ROWS = "day,origin,delay\n2026-01-01,EWR,1\n2026-01-01,JFK,5\n2026-01-02,EWR,7\n"


@pytest.fixture
def notebook(shell: Shell, tmp_path: Path) -> Shell:
    """A notebook that has named its product and declared three rows of flights as a source."""
    (tmp_path / "flights.csv").write_text(ROWS)
    shell.run("import polars as pl")
    shell.run("%mesh product airport-delays --domain travel")
    shell.run("%mesh source flights flights.csv")
    return shell


@pytest.fixture
def published(shell: Shell, tmp_path: Path) -> Path:
    """A mesh root that holds one product, exported and deployed from a notebook."""
    rows = [
        "day,origin,flights",
        *(f"2013-01-0{d},{o},{d}" for d in (1, 2) for o in ("EWR", "JFK")),
    ]
    (tmp_path / "flights.csv").write_text("\n".join(rows) + "\n")
    shell.run("import polars as pl")
    shell.run("%mesh source raw flights.csv")
    shell.run("delays = raw.with_columns(pl.col('day').cast(pl.String).str.to_date())")
    shell.run("%mesh product airport-delays --domain analytics --owner punctuality")
    shell.run("%mesh output daily delays --key origin,day --event-time day")
    shell.run("%mesh export bundle")
    shell.run("%mesh deploy bundle")
    return tmp_path / ".mesh"


@pytest.fixture(scope="session")
def delays_as_published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mesh of `describing`, published once; copy it."""
    from describing import publish_delays

    folder = tmp_path_factory.mktemp("delays")
    publish_delays(folder)
    return folder / "mesh"


@pytest.fixture
def delays(delays_as_published: Path, tmp_path: Path) -> Any:
    """A workspace over a product that says all it can, published three times, and its reader."""
    from describing import opened

    return opened(shutil.copytree(delays_as_published, tmp_path / "mesh"))


@pytest.fixture
def private_root(tmp_path: Path) -> Path:
    """A mesh with one private port, `podcasts/listeners`."""
    from private_port import POLICY, listeners, put_private

    put_private(tmp_path / "mesh", listeners(), POLICY)
    return tmp_path / "mesh"
