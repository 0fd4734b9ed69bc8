"""A frame summarised: all of its rows, whatever its types."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from mesh_notebook.explore.profile import profile


def test_numbers_are_summarised_over_all_rows() -> None:
    values = [*range(1, 101), None]
    column = profile(pl.LazyFrame({"n": values})).column("n")
    assert (column.nulls, column.distinct, column.least, column.most) == (1, 100, 1, 100)
    assert column.mean == 50.5
    assert column.std == pytest.approx(29.011, abs=1e-3)
    assert column.quantiles == (25.75, 50.5, 75.25)
    assert sum(column.histogram) == 100
    assert max(column.histogram) - min(column.histogram) <= 1


def test_a_last_row_counts_as_much_as_the_first() -> None:
    frame = pl.LazyFrame({"n": [0] * 200_000 + [1_000_000]})
    column = profile(frame).column("n")
    assert column.most == 1_000_000
    assert column.histogram[0] == 200_000
    assert column.histogram[-1] == 1


def test_texts_show_their_commonest_values_ties_in_order() -> None:
    frame = pl.LazyFrame({"s": ["b", "a", "c", "c", None, "b"], "flag": [True, False, True] * 2})
    summary = profile(frame)
    assert summary.column("s").top == (("b", 2), ("c", 2), ("a", 1))
    assert summary.column("s").distinct == 3
    assert summary.column("flag").top == ((True, 4), (False, 2))


def test_dates_have_a_range_and_a_histogram() -> None:
    days = pl.date_range(date(2013, 1, 1), date(2013, 1, 24), eager=True)
    column = profile(pl.LazyFrame({"day": days})).column("day")
    assert (column.least, column.most) == (date(2013, 1, 1), date(2013, 1, 24))
    assert column.histogram == (2,) * 12


def test_one_value_alone_has_one_bin() -> None:
    assert profile(pl.LazyFrame({"n": [7, 7, 7]})).column("n").histogram[0] == 3


def test_odd_columns_are_summarised_as_far_as_they_go() -> None:
    frame = pl.LazyFrame(
        {
            "float": [float("nan"), float("inf"), 1.0, None],
            "rows": ["x", "y", None, "x"],
            "count": [1, 2, 3, 4],
            "list": [[1], None, [2], []],
            "null": [None] * 4,
            "struct": [{"a": 1}] * 4,
        }
    )
    summary = profile(frame)
    assert summary.rows == 4
    assert summary.column("float").mean == 1.0
    assert summary.column("rows").top == (("x", 2), ("y", 1))
    assert [summary.column(n).nulls for n in ("list", "null", "struct")] == [1, 4, 0]
    assert summary.column("list").distinct is None


def test_the_card_of_a_profile_names_types_and_times_as_people_read_them(shell) -> None:
    shell.run("import polars as pl; from datetime import UTC, datetime")
    shell.run(
        "f = pl.DataFrame({'at': [datetime(2026, 1, 2, 3, 4, tzinfo=UTC)] * 2, 'id': ['a', 'b']})"
    )
    card = shell.shown(shell.run("%mesh profile f"))["text/plain"]
    assert "Datetime, UTC" in card
    assert "2026-01-02 03:04:00 " in card
    assert "a 1" not in card  # no value is common where each comes once


def test_an_empty_frame_has_a_profile_of_nothing() -> None:
    summary = profile(pl.LazyFrame(schema={"a": pl.Int64, "s": pl.String, "d": pl.Date}))
    assert summary.rows == 0
    assert [c.histogram for c in summary.columns] == [(), (), ()]
    assert summary.column("a").mean is None
