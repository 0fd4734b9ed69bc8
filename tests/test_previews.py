"""Values of many megabytes stay in their tables: what a notebook shows of them is short."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from conftest import Shell

from mesh_notebook.errors import ContractError, SqlError
from mesh_notebook.surfaces.panel import Panel, Table, as_html, as_text

LONG = 300_000
MOST = 20_000  # characters


@pytest.fixture
def notebook(shell: Shell, tmp_path: Path) -> Shell:
    """A notebook with an input of two rows, of one long value of each kind."""
    rows = pl.DataFrame(
        {
            "key": [1, 2],
            "text": ["q" * LONG] * 2,
            "binary": [b"\0" * LONG] * 2,
            "list": [list(range(LONG // 10))] * 2,
        }
    )
    rows.with_columns(struct=pl.struct("text")).write_parquet(tmp_path / "rows.parquet")
    shell.run("%mesh source raw rows.parquet")
    shell.run("%%mesh sql long\nSELECT * FROM raw")
    return shell


def test_what_is_shown_of_long_values_is_short(notebook: Shell) -> None:
    notebook.run("%mesh product long --domain d --owner me --purpose x")
    for cell in (
        "%mesh output rows long --key key",
        "%mesh profile long",
        "%mesh check",
        "%mesh export bundle",
        "%mesh run bundle",
        "%mesh deploy bundle",
        "%mesh read long",
        "%mesh describe long",
        "%mesh connect long --as again",
    ):
        shown = notebook.shown(notebook.run(cell))
        assert all(len(text) < MOST for text in shown.values()), cell


def test_what_an_error_quotes_of_long_values_is_short(notebook: Shell) -> None:
    with pytest.raises(ContractError, match="is no key") as raised:
        notebook.run("%mesh output rows long --key text")
    assert len(str(raised.value)) < MOST
    with pytest.raises(SqlError) as engine:
        notebook.run("%%mesh sql numbers\nSELECT text::INTEGER FROM long")
    assert len(str(engine.value)) < MOST


def test_a_panel_is_cut_wherever_a_long_text_stands() -> None:
    long = "x" * LONG
    table = Table(("a",), [(long,)])
    panel = Panel(long, (), long, [("fact", long)], (table,), notes=[long], next_step=long)
    assert max(len(as_text(panel)), len(as_html(panel))) < MOST
