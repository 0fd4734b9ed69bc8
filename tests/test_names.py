"""Which names a verb may bind: not those that mean something else in the notebook."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from conftest import Shell

from mesh_notebook import open as open_mesh
from mesh_notebook.errors import UsageError
from mesh_notebook.workspace import Workspace

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: urn:dmesh:local:music:songs:songs:1
version: 1.0.0
status: active
schema: [{name: songs, properties: [{name: song, logicalType: integer, physicalType: BIGINT}]}]
"""


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with names of its own, beside a table and a contract."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("k,v\n1,2\n")
    (tmp_path / "songs.odcs.yaml").write_text(CONTRACT)
    return open_mesh(tmp_path)


def run(mesh: Workspace, code: str) -> None:
    exec(code, mesh.namespace)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "defined",
    [
        "import polars as x",
        "from json import loads as x",
        "def x(): ...",
        "class x: ...",
        "x = lambda: 1",
        "x = 50",
        "x = {'a': 1}",
        "x = None",
        "x = 'sales.csv'",
    ],
)
def test_no_verb_takes_over_a_name_that_the_notebook_gave_to_something_else(
    mesh: Workspace, defined: str
) -> None:
    run(mesh, defined)
    meant = mesh.namespace["x"]
    for verb in (
        lambda: mesh.source("x", "a.csv"),
        lambda: mesh.source("x", "not-there.csv"),
        lambda: mesh.connect("nothing", name="x"),
        lambda: mesh.mock("songs.odcs.yaml", rows=2, name="x"),
        lambda: mesh.sql("x", "SELECT 1 AS one"),
    ):
        with pytest.raises(UsageError, match="'x' cannot be a Python name here") as raised:
            verb()
        assert raised.value.next_step == "for example: x_"
        assert mesh.namespace["x"] is meant
    mesh.source("x_", "a.csv")


def test_a_magic_does_not_take_over_an_imported_module(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k,v\n1,2\n")
    shell.run("import polars as pl")
    with pytest.raises(UsageError, match="'pl' cannot be a Python name here: it is a module"):
        shell.run("%mesh source pl a.csv")
    shell.run("pl.col('k')")


def test_the_name_that_is_suggested_is_free(mesh: Workspace) -> None:
    run(mesh, "import json as x, re as x_")
    with pytest.raises(UsageError) as raised:
        mesh.source("x", "a.csv")
    assert raised.value.next_step == "for example: x__"


@pytest.mark.parametrize(
    "between",
    [
        "pass",
        "x = x.lazy().head(1)",
        "x = getattr(x, 'collect', lambda: x)().to_pandas()",
        "x = 50",
        "del x",
    ],
)
def test_a_verb_that_runs_again_binds_its_name_again(mesh: Workspace, between: str) -> None:
    mesh.source("x", "a.csv")
    run(mesh, between)
    mesh.sql("x", "SELECT 1 AS one")
    run(mesh, between)
    mesh.source("x", "a.csv")
    assert isinstance(mesh.namespace["x"], pl.LazyFrame)


def test_an_input_takes_the_place_of_the_frame_that_was_read_without_the_mesh(
    mesh: Workspace,
) -> None:
    run(mesh, "import pandas as pd; x = pd.read_csv('a.csv')")
    mesh.source("x", "a.csv")
    assert isinstance(mesh.namespace["x"], pl.LazyFrame)


def test_an_import_over_the_name_of_an_input_is_kept(mesh: Workspace) -> None:
    mesh.source("x", "a.csv")
    run(mesh, "import json as x")
    with pytest.raises(UsageError, match="it is a module"):
        mesh.source("x", "a.csv")


@pytest.mark.parametrize(("name", "free"), [("é", "e"), ("größe", "groe"), ("数", "orders")])
def test_an_input_of_a_name_beyond_ascii_is_refused_where_it_is_named(
    mesh: Workspace, tmp_path: Path, name: str, free: str
) -> None:
    (tmp_path / "beyond.csv").write_text("id\n1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be the name of an input") as raised:
        mesh.source(name, tmp_path / "beyond.csv")
    assert raised.value.next_step == f"for example: {free}"
