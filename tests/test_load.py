"""An exported product is opened as cells again; exported unchanged, they give the same module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Shell

ROWS = "day,origin,delay,share\n" + "".join(
    f"2026-01-{d:02},{o},{d * 3 + n},{d / 7}\n" for d in range(1, 11) for n, o in enumerate("EJ")
)


@pytest.fixture
def notebook(shell: Any, tmp_path: Path) -> Any:
    """A notebook beside which a source lies."""
    (tmp_path / "flights.csv").write_text(ROWS)
    return shell


def cells_of(path: Path) -> list[str]:
    """Return the code of each cell of a notebook."""
    raw = json.loads(path.read_text())
    return ["".join(cell["source"]) for cell in raw["cells"] if cell["cell_type"] == "code"]


def run_all(cells: list[str], but: tuple[str, ...] = ()) -> None:
    """Run cells in a fresh shell, one after another."""
    from IPython.core.interactiveshell import InteractiveShell

    before = InteractiveShell.instance()
    before.run_line_magic("unload_ext", "mesh_notebook")
    fresh = Shell()
    for cell in cells:
        fresh.run(cell)


def sealed(bundle: Path) -> dict[str, bytes]:
    """Return what a round trip must give again, byte for byte."""
    names = [bundle / "transform.py", bundle / "product.odps.yaml"]
    return {
        str(p.relative_to(bundle)): p.read_bytes() for p in [*names, *bundle.rglob("*.odcs.yaml")]
    }


def round_trip(notebook: Any, folder: Path) -> list[str]:
    """Load the bundle, run its cells in a fresh shell, and hold what they export to it."""
    before = sealed(folder / "bundle")
    loaded = notebook.run("%mesh load bundle")
    cells = cells_of(loaded.path)
    run_all(cells)
    assert sealed(folder / "bundle") == before
    return cells


def test_the_simplest_product(notebook: Any, tmp_path: Path) -> None:
    notebook.run("import polars as pl")
    notebook.run("%mesh product airport-delays --domain travel --owner ops")
    notebook.run("%mesh source flights flights.csv")
    notebook.run("out = flights.filter(pl.col('delay') > 9)")
    notebook.run("%mesh output daily out --key day,origin --event-time day")
    notebook.run("%mesh export bundle")
    cells = round_trip(notebook, tmp_path)
    assert cells == [
        "%load_ext mesh_notebook",
        "%mesh product airport-delays --domain travel --owner ops",
        "import polars as pl",
        "%mesh source flights flights.csv",
        'out = flights.filter(pl.col("delay") > 9)',
        "%mesh output daily out --key day,origin --event-time day",
        "%mesh check",
        "%mesh export bundle",
    ]
