"""A declared file that vanished or changed between cells is said so, with the next step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh_notebook.errors import MeshError, SourceError

VERBS = {
    "export": "%mesh export made",
    "output": "%mesh output more joined --key id",
    "sql": "%%mesh sql more\nSELECT * FROM other",
    "check": "%mesh check joined",
    "profile": "%mesh profile other",
}
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (Path.unlink, "the input 'other' cannot be read any more"),
    "column": (lambda p: p.write_text("id,day\n1,2026-01-01\n"), "`v` is gone"),
    "type": (
        lambda p: p.write_text("id,day,v\n1,2026-01-01,oops\n"),
        "`v` was Int64 and is String",
    ),
}


@pytest.fixture
def notebook(shell: Any, tmp_path: Path) -> Any:
    for name in ("a", "b"):
        (tmp_path / f"{name} 1.csv").write_text("id,day,v\n1,2026-01-01,3\n2,2026-01-02,4\n")
    shell.run("import polars as pl")
    shell.run("%mesh source first 'a 1.csv'")
    shell.run("%mesh source other 'b 1.csv'")
    shell.run("joined = first.join(other, on='id').select('id', 'day', w=pl.col('v_right'))")
    shell.run("%mesh output joined joined --key id")
    return shell


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_between_cells_is_named_with_the_line_that_declares_it(
    notebook: Any, tmp_path: Path, change: str
) -> None:
    alter, said = CHANGES[change]
    alter(tmp_path / "b 1.csv")
    for cell in VERBS.values():
        with pytest.raises(SourceError) as caught:
            notebook.run(cell)
        assert said in str(caught.value)
        assert '%mesh source other "b 1.csv"' in caught.value.next_step


def test_what_fails_for_another_reason_is_said_as_it_is(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "b 1.csv").write_text("id,day,v\n1,2026-01-01,3\n")  # other rows, the same columns
    notebook.run(
        "wrong = first.select(pl.col('day').cast(pl.Int8) // 0, pl.lit('x').cast(pl.Int8))"
    )
    with pytest.raises(MeshError, match="'wrong' cannot be computed"):
        notebook.run("%mesh output wrong wrong")
