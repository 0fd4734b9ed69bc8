"""What ran is recorded by execution, in a real IPython shell, and costs next to nothing."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from notebook import Notebook

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.record import Event, Record, calling_line
from mesh_notebook.export.statements import executed


def kinds(notebook: Notebook) -> list[tuple[str, tuple[str, ...]]]:
    return [(s.kind, s.names) for s in executed(notebook.record)]


def test_cells_are_kept_in_the_order_in_which_they_ran() -> None:
    notebook = Notebook().run("b = 2", "a = 1", "b = 2")
    assert [cell.source for cell in notebook.record.cells] == ["b = 2", "a = 1", "b = 2"]
    assert [cell.label for cell in notebook.record.cells] == ["In[1]", "In[2]", "In[3]"]


def test_types_and_identities_are_those_after_the_cell() -> None:
    notebook = Notebook().run("import polars as pl\nrows = [1]\nagain = rows", "rows = 'x'")
    first, second = notebook.record.cells
    assert first.types["pl"] == "builtins.module"
    assert first.types["rows"] == "builtins.list"
    assert first.ids["rows"] == first.ids["again"]
    assert second.types["rows"] == "builtins.str"


def test_the_shells_own_names_are_no_names_of_the_user() -> None:
    notebook = Notebook().run("x = 1\nx", "_private = 2")
    names = set(notebook.record.cells[-1].types)
    assert names == {"x", "_private"}


def test_only_the_statements_before_the_failing_one_ran() -> None:
    notebook = Notebook().fail("a = 1\nb = a / 0\nc = 3")
    assert kinds(notebook) == [("code", ("a",)), ("code", ())]
    assert [s.half for s in executed(notebook.record)] == [False, True]


def test_a_cell_that_is_no_python_ran_nothing() -> None:
    assert kinds(Notebook().fail("a = 1\nb = = 2")) == []


def test_a_verb_is_matched_to_its_line_however_it_is_written() -> None:
    notebook = Notebook().run(
        "import math\n%mesh source flights\nw = %mesh source weather",
        "again = mesh.source('flights')",
        "%%mesh sql late\nSELECT * FROM flights WHERE delay > 10",
        "%mesh output daily late",
    )
    assert kinds(notebook) == [
        ("import", ("math",)),
        ("input", ("flights",)),
        ("input", ("w", "weather")),
        ("input", ("again", "flights")),
        ("sql", ("late",)),
        ("output", ()),
    ]


def test_two_verbs_on_one_line_keep_their_own_events() -> None:
    notebook = Notebook().run("a = mesh.source('flights'); b = mesh.source('weather')")
    events = [s.event.payload["input"] for s in executed(notebook.record) if s.event]
    assert events == ["flights", "weather"]


def test_timed_code_runs_as_if_it_stood_in_the_cell() -> None:
    notebook = Notebook().run(
        "%%time\nx = 1\nf = mesh.source('flights')", "y = 0\n%time w = mesh.source('weather')"
    )
    assert kinds(notebook) == [
        ("code", ("x",)),
        ("input", ("f", "flights")),
        ("code", ("y",)),
        ("input", ("w", "weather")),
    ]


def test_captured_code_is_recorded_under_the_number_that_the_notebook_shows() -> None:
    notebook = Notebook().run("a = 0", "%%capture\nx = 1\nf = mesh.source('flights')")
    inner = [s for s in executed(notebook.record) if s.kind in ("code", "input")][1:]
    assert [(s.kind, s.names, s.cell.label) for s in inner] == [
        ("code", ("x",), "In[2]"),
        ("input", ("f", "flights"), "In[2]"),
    ]


def test_a_name_that_no_statement_binds_is_noticed() -> None:
    notebook = Notebook().run("x = 1", "exec('x = 2')")
    assert kinds(notebook)[-1] == ("opaque", ("x",))


def test_what_ran_before_the_record_began_is_taken_from_the_history() -> None:
    notebook = Notebook().run("x = 1", "y = x")
    record = Record()
    record.preload([*notebook.names["In"], "running now"])
    assert [(s.names, s.cell.label) for s in executed(record)] == [
        (("x",), "In[1]"),
        (("y",), "In[2]"),
    ]


def test_the_running_cell_is_recorded_up_to_the_call() -> None:
    notebook = Notebook()
    notebook.names["now"] = lambda: notebook.record.until_now(notebook.names)
    notebook.run("a = 1", "f = mesh.source('flights')\nseen = now()\nb = 2")
    seen = executed(notebook.names["seen"])
    assert [s.names for s in seen if not s.half] == [("a",), ("f", "flights")]


def test_the_calling_line_is_that_of_the_notebook_however_deep_the_call() -> None:
    names: dict[str, object] = {"calling_line": calling_line}
    names["names"] = names
    exec("def deep():\n  return calling_line(names)\n\nlines = deep()", names)
    assert names["lines"] == (4,)
    assert calling_line({}) == ()


def test_the_cells_and_events_of_a_record_count_up() -> None:
    record = Record()
    for count in range(3):
        record.note(Event("sql", (1,), ("x",), {}))
        record.close_cell(
            count=count, cell_id=None, source="", code="", error_line=None, namespace={}
        )
    assert all(a.index < b.index for a, b in pairwise(record.cells))


@pytest.mark.parametrize("name", ["part.py", "part.ipy", "part.ipynb"])
def test_what_a_run_file_made_is_refused_with_the_way_out(shell, tmp_path, name):
    (tmp_path / "flights.csv").write_text("day,n\n1,2\n")
    (tmp_path / "part.py").write_text("k = 5")
    (tmp_path / "part.ipy").write_text("k = 5\n%mesh source flights flights.csv\n")
    cell = {"cell_type": "code", "execution_count": 1, "id": "a", "metadata": {}, "outputs": []}
    saved = {"cells": [{**cell, "source": ["k = 5"]}], "metadata": {}}
    (tmp_path / "part.ipynb").write_text(json.dumps({**saved, "nbformat": 4, "nbformat_minor": 5}))
    shell.run("import polars as pl\n%mesh source flights flights.csv")
    shell.run(f"%run {name}")
    shell.run("daily = flights.with_columns(k=pl.lit(k))\n%mesh output daily daily")
    with pytest.raises(ExportRefused, match=r"In\[3\] made `\w+` by %run") as refused:
        shell.run("%mesh export made")
    assert "into a cell" in str(refused.value)
