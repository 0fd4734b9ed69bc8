"""Which side of a bundle changed since its export, statement by statement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mesh_notebook.errors import SpecError

ROWS = "day,origin,delay\n" + "".join(
    f"2026-01-{d:02},{o},{d * 3 + n}\n" for d in range(1, 11) for n, o in enumerate("EJ")
)
CELLS = [
    "%load_ext mesh_notebook",
    "import polars as pl\n\n%mesh product airport-delays --domain travel --owner ops",
    "%mesh source flights flights.csv",
    "late = flights.filter(pl.col('delay') > 9)\nout = late.sort('day', 'origin')",
    "%%mesh sql busy\nSELECT origin, count(*) AS n FROM late GROUP BY ALL",
    "%mesh output daily out --key day,origin\n%mesh output busy busy --key origin",
    "%mesh export bundle",
    "out.collect().head()",
]


@pytest.fixture
def notebook(shell: Any, tmp_path: Path) -> Path:
    """A notebook that was run and exported into `bundle`."""
    (tmp_path / "flights.csv").write_text(ROWS)
    for cell in CELLS[1:7]:
        shell.run(cell)
    return write(tmp_path / "delays.ipynb", CELLS)


def write(path: Path, cells: list[str]) -> Path:
    made = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4}))
    return path


def edit(notebook: Path, old: str, new: str) -> None:
    """Edit the notebook."""
    raw = json.loads(notebook.read_text())
    cells = ["".join(cell["source"]) for cell in raw["cells"]]
    assert any(old in cell for cell in cells)
    write(notebook, [cell.replace(old, new) for cell in cells])


def edit_module(old: str, new: str) -> None:
    path = Path("bundle/transform.py")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def told(shell: Any) -> list[tuple[str, str, str, str]]:
    found = shell.run("%mesh diff bundle delays.ipynb")
    return [
        (c.side, c.how, c.old.text if c.old else "", c.new.text if c.new else "")
        for c in found.changes
    ]


def test_what_was_exported_is_the_same(shell: Any, notebook: Path) -> None:
    found = shell.run("%mesh diff bundle delays.ipynb")
    assert (found.verdict, found.changes, found.next_step) == ("the same", (), "")
    assert set(found.verdicts.values()) == {"as exported"}


def test_layout_and_comments_are_no_change_of_meaning(shell: Any, notebook: Path) -> None:
    edit(
        notebook,
        "out = late.sort('day', 'origin')",
        'out = late.sort(\n    "day", "origin"\n) # so',
    )
    edit(notebook, "--domain travel", "--domain 'travel'")
    edit_module("return out", "# what is served\n    return out")
    found = shell.run("%mesh diff bundle delays.ipynb")
    assert found.verdict == "the same"
    assert set(found.verdicts.values()) == {"layout or comments alone, so no change of meaning"}


def test_prose_and_the_layout_of_sql_are_no_change_of_meaning(shell: Any, notebook: Path) -> None:
    edit(notebook, "SELECT origin, count(*) AS n", "-- so\nselect origin,\n  COUNT(*) AS n")
    edit(notebook, "import polars as pl", '"""What this is about."""\nimport polars as pl')
    edit_module('"""One row for each origin."""', '"""Each origin once."""')
    edit_module("count(*) AS n", "count( * )  AS n")
    found = shell.run("%mesh diff bundle delays.ipynb")
    assert (found.verdict, found.changes) == ("the same", ())
    assert set(found.verdicts.values()) == {"layout or comments alone, so no change of meaning"}


FAILING = [
    "1 / 0",
    "some = 1\n1 / 0\nother = 2",
    "def f(:\n  x",
    "broken = late.select('no such').collect()",
    "%mesh source flights nosuch.csv",
    "%mesh output daily nosuch",
    "%%mesh sql bad\nSELECT nosuch FROM late",
]


@pytest.mark.parametrize("saved", [None, CELLS], ids=["of no known file", "not saved"])
def test_cells_that_failed_or_ran_twice_are_no_change(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: list[str] | None
) -> None:
    (tmp_path / "flights.csv").write_text(ROWS)
    if saved:
        monkeypatch.setenv("JPY_SESSION_NAME", str(write(tmp_path / "delays.ipynb", saved)))
    last = CELLS[5:7] if saved else ["\n".join(CELLS[5:7])]  # what is kept was saved, or nothing
    cells = [*CELLS[:5], *FAILING, *last, CELLS[7]]
    monkeypatch.setattr(shell.ip, "showtraceback", lambda *args, **kwargs: None)
    monkeypatch.setattr(shell.ip, "showsyntaxerror", lambda *args, **kwargs: None)
    for cell in cells[1:]:
        done = shell.ip.run_cell(cell, store_history=True)
        assert done.success == (cell not in FAILING)
        if cell == CELLS[3]:
            shell.run(cell)
    notebook = write(tmp_path / "delays.ipynb", cells)
    found = shell.run("%mesh diff bundle delays.ipynb")
    assert (found.verdict, found.changes) == ("the same", ())
    edit(notebook, "> 9", "> 12")
    assert [how for _, how, _, _ in told(shell)] == ["changed"]


def test_a_changed_statement_of_the_notebook(shell: Any, notebook: Path) -> None:
    edit(notebook, "> 9", "> 12")
    found = shell.run("%mesh diff bundle delays.ipynb")
    (change,) = found.changes
    assert (change.side, change.how, change.where) == ("notebook", "changed", "cell 4")
    assert "> 9" in change.old.text
    assert "> 12" in change.new.text
    assert found.next_step == "run the notebook, then %mesh export bundle"


def test_a_changed_query_and_a_changed_declaration(shell: Any, notebook: Path) -> None:
    edit(notebook, "count(*) AS n", "count(*) AS many")
    edit(notebook, "busy busy --key origin", "busy busy")
    assert [(side, how) for side, how, _, _ in told(shell)] == [("notebook", "changed")] * 2


def test_a_changed_statement_of_the_module(shell: Any, notebook: Path) -> None:
    edit_module('out = late.sort("day", "origin")', 'out = late.sort("day")')
    found = shell.run("%mesh diff bundle delays.ipynb")
    (change,) = found.changes
    assert (change.side, change.where) == ("module", "daily, line 21")
    assert found.next_step.startswith("%mesh load bundle")


def test_a_statement_added_and_one_removed(shell: Any, notebook: Path) -> None:
    edit(notebook, "out = late", "extra = late.limit(3)\nout = late")
    edit_module('    out = late.sort("day", "origin")\n', "")
    assert told(shell) == [
        ("notebook", "added", "", "extra = late.limit(3)"),
        ("module", "removed", 'out = late.sort("day", "origin")', ""),
    ]


def test_both_sides_of_one_statement_are_a_conflict(shell: Any, notebook: Path) -> None:
    edit(notebook, "out = late.sort('day', 'origin')", "out = late.sort('day')")
    edit_module('out = late.sort("day", "origin")', 'out = late.sort("origin")')
    found = shell.run("%mesh diff bundle delays.ipynb")
    assert [change.conflict for change in found.changes] == [True, True]
    assert found.verdict == "both sides changed the same statement"
    assert "cell 4 and daily, line 21" in found.next_step


def test_a_query_that_both_sides_changed_is_a_conflict(shell: Any, notebook: Path) -> None:
    edit(notebook, "count(*) AS n", "count(*) AS many")
    edit_module("count(*) AS n", "count(*) AS number")
    assert all(c.conflict for c in shell.run("%mesh diff bundle delays.ipynb").changes)


def test_both_sides_in_the_same_way_are_one_change(shell: Any, notebook: Path) -> None:
    edit(notebook, "out = late.sort('day', 'origin')", "out = late.sort('day')")
    edit_module('out = late.sort("day", "origin")', 'out = late.sort("day")')
    assert [side for side, *_ in told(shell)] == ["both"]


def test_cells_that_no_port_is_made_of_may_go(shell: Any, notebook: Path) -> None:
    edit(notebook, "%mesh export bundle", "")
    edit(notebook, "out.collect().head()", "print(out)")
    assert told(shell) == []


def test_the_command_ends_in_1_where_they_differ_and_in_2_where_it_cannot_tell(
    notebook: Path,
) -> None:
    command = [sys.executable, "-c", "from mesh_notebook.surfaces.cli import main; main()"]
    command += ["diff", "bundle", "delays.ipynb"]
    same = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert (same.returncode, "the same" in same.stdout) == (0, True)
    edit(notebook, "> 9", "> 12")
    other = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert other.returncode == 1
    assert "the notebook changed" in other.stdout
    assert "mesh export bundle" in other.stdout
    notebook.unlink()
    none = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert (none.returncode, none.stdout) == (2, "")
    assert none.stderr.count("\n") < 6


def test_it_is_shown_in_words_and_as_a_panel(shell: Any, notebook: Path) -> None:
    edit(notebook, "> 9", "> 12")
    shown = shell.shown(shell.run("%mesh diff bundle delays.ipynb"))
    assert "statements that changed" in shown["text/plain"]
    assert "cell 4" in shown["text/html"]


def test_an_edited_copy_in_the_bundle_says_nothing_any_more(shell: Any, notebook: Path) -> None:
    path = Path("bundle/notebook.ipynb")
    path.write_text(path.read_text().replace("> 9", "> 12"))
    with pytest.raises(SpecError, match=r"notebook.ipynb was changed in the bundle"):
        shell.run("%mesh diff bundle delays.ipynb")


def test_a_statement_that_moved_is_one_change(shell: Any, notebook: Path) -> None:
    edit(
        notebook,
        "%mesh source flights flights.csv",
        "one = 1\ntwo = 2\n%mesh source flights flights.csv",
    )
    shell.run("one = 1\ntwo = 2")
    found = [how for _, how, _, _ in told(shell)]
    assert found == ["added", "added"]
    cells = json.loads(notebook.read_text())["cells"]
    codes = ["".join(cell["source"]) for cell in cells]
    codes[1], codes[2] = codes[2], codes[1]
    write(notebook, codes)
    assert "moved" in [how for _, how, _, _ in told(shell)]
