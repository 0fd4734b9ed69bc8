"""Sheets of workbooks: one by name, typed by all of its cells, or a clear word why not."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from mesh_notebook.errors import MissingExtra, SourceError
from mesh_notebook.mesh.sources import Asked, open_source


def workbook(folder: Path, name: str = "book.xlsx", **sheets: list[list[Any]]) -> Path:
    """Write a workbook; `=…` is a formula with a value after `|`, or never computed without."""
    book = xlsxwriter.Workbook(str(folder / name))
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    times = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, str) and value.startswith("="):
                    formula, _, result = value.partition("|")
                    number = float(result) if result.replace(".", "").isdecimal() else result
                    sheet.write_formula(at, column, formula, None, number)
                elif isinstance(value, datetime):
                    sheet.write_datetime(at, column, value, times)
                elif isinstance(value, date):
                    sheet.write_datetime(at, column, datetime(*value.timetuple()[:3]), days)
                else:
                    sheet.write(at, column, value)
    book.close()
    return folder / name


def refused(folder: Path, uri: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(uri, folder)
    return caught.value


def test_cells_have_the_types_of_what_they_hold(tmp_path: Path) -> None:
    header = ["n", "x", "name", "ok", "day", "at", "mixed", "sum", "none"]
    day, at = date(2026, 1, 31), datetime(2026, 1, 31, 6, 30)
    rows = [
        [1, 1.5, "Ann", True, day, at, 7, "=A2*2|2", None],
        [2, 2, "007", False, day, at, "word", "=A3*2|4", None],
    ]
    workbook(tmp_path, plays=[header, *rows])
    frame = open_source("book.xlsx", tmp_path).lazy().collect()
    assert dict(frame.schema) == {
        "n": pl.Int64,
        "x": pl.Float64,
        "name": pl.String,
        "ok": pl.Boolean,
        "day": pl.Date,
        "at": pl.Datetime("us"),
        "mixed": pl.String,
        "sum": pl.Int64,
        "none": pl.String,
    }
    assert frame.row(0) == (1, 1.5, "Ann", True, day, at, "7", 2, None)
    assert frame.row(1) == (2, 2.0, "007", False, day, at, "word", 4, None)


def test_types_are_settled_on_all_rows_not_on_the_first(tmp_path: Path) -> None:
    workbook(tmp_path, plays=[["n"], *([[1]] * 1_500), ["late"]])
    assert open_source("book.xlsx", tmp_path).lazy().collect().schema == {"n": pl.String}


def test_one_sheet_needs_no_name_and_several_are_listed(tmp_path: Path) -> None:
    workbook(tmp_path, plays=[["a"], [1]], users=[["b"], [2]])
    assert open_source("book.xlsx#users", tmp_path).lazy().collect().rows() == [(2,)]
    assert "plays, users" in refused(tmp_path, "book.xlsx").next_step
    error = refused(tmp_path, "book.xlsx#user")
    assert "did you mean book.xlsx#users" in error.next_step


def test_an_empty_sheet_and_one_of_a_header_alone(tmp_path: Path) -> None:
    workbook(tmp_path, nothing=[], header=[["a", "b"]])
    assert "is empty" in refused(tmp_path, "book.xlsx#nothing").message
    frame = open_source("book.xlsx#header", tmp_path).lazy().collect()
    assert (frame.shape, frame.columns) == ((0, 2), ["a", "b"])


def test_a_first_line_that_does_not_name_every_column_is_no_header(tmp_path: Path) -> None:
    workbook(
        tmp_path,
        title=[["Report of 2026"], [], ["a", "b"], [1, 2]],
        merged=[["name", None, "c"], ["Ann", "Lee", 3]],
        spare=[["a", None, "c"], [1, None, 3]],
        twice=[["a", "a"], [1, 2]],
    )
    for sheet in ("title", "merged"):
        error = refused(tmp_path, f"book.xlsx#{sheet}")
        assert "column B holds values" in error.message
        assert "unmerge" in error.next_step
    assert open_source("book.xlsx#spare", tmp_path).lazy().collect().columns == ["a", "c"]
    assert "'a' 2 times" in refused(tmp_path, "book.xlsx#twice").message


def test_a_merged_header_cell_is_told(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "m.xlsx"))
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 1, "name")
    sheet.write_row(1, 0, ["Ann", "Lee"])
    book.close()
    assert "column B" in refused(tmp_path, "m.xlsx").message


def test_a_formula_that_was_never_computed_is_named_by_its_cell(tmp_path: Path) -> None:
    import zipfile

    path = workbook(tmp_path, plays=[["a", "b"], [1, "=A2*2|2"]])
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b"<v>2.0</v>", b"")
    with zipfile.ZipFile(path, "w") as changed:
        for name, content in parts.items():
            changed.writestr(name, sheet if name.endswith("sheet1.xml") else content)
    error = refused(tmp_path, "book.xlsx")
    assert "formula in B2 was never computed" in error.message
    assert "save it" in error.next_step


def test_cells_that_hold_an_error_hold_no_value(tmp_path: Path) -> None:
    workbook(tmp_path, plays=[["a"], ["=1/0|#DIV/0!"], [2]])
    assert open_source("book.xlsx", tmp_path).lazy().collect()["a"].to_list() == [None, 2]


def test_a_text_for_no_value_leaves_numbers_numbers(tmp_path: Path) -> None:
    workbook(tmp_path, plays=[["a"], ["NA"], [2.5]])
    frame = open_source(Asked("book.xlsx", "NA"), tmp_path).lazy().collect()
    assert frame["a"].to_list() == [None, 2.5]


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_text("a,b\n")
    assert "cannot be read as a workbook" in refused(tmp_path, "x.xlsx").message
    workbook(tmp_path, "1.xlsx", a=[["a"], [1]])
    workbook(tmp_path, "2.xlsx", a=[["a"], [1]])
    assert "2 workbooks are not one source" in refused(tmp_path, "[12].xlsx").message


def test_the_same_rows_are_the_same_capture_and_others_are_not(tmp_path: Path) -> None:
    workbook(tmp_path, plays=[["a"], [1]])
    first = open_source("book.xlsx", tmp_path)
    workbook(tmp_path, plays=[["a"], [1]], more=[["b"], [2]])
    second = open_source("book.xlsx#plays", tmp_path)
    assert first.fingerprint() == second.fingerprint()
    assert first.state != second.state
    workbook(tmp_path, plays=[["a"], [2]])
    assert open_source("book.xlsx", tmp_path).fingerprint() != first.fingerprint()
    assert first.lazy().collect().item() == 1


def test_without_its_part_the_command_that_installs_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook(tmp_path, plays=[["a"], [1]])
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mesh-notebook\[excel\]'"):
        open_source("book.xlsx", tmp_path)
