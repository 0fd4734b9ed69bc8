"""Equal means: columns and dtypes in order, rows as a multiset, floats within noise."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from mesh_notebook.export.comparing import difference

FRAME = pl.DataFrame(
    {
        "id": [1, 2, 3, 3],
        "name": ["a", None, "c", "c"],
        "share": [0.1, float("nan"), None, 1e9],
        "at": [datetime(2026, 1, 1, tzinfo=UTC)] * 4,
        "parts": [[1, 2], [], None, [3]],
        "pair": [{"x": 1}, {"x": None}, {"x": 3}, {"x": 3}],
    }
)


def test_order_does_not_matter() -> None:
    assert difference(FRAME, FRAME.reverse()) is None


def test_noise_in_floats_does_not_matter() -> None:
    noisy = FRAME.with_columns(pl.col("share") * (1 + 1e-12))
    assert difference(FRAME, noisy.reverse()) is None


def test_a_sum_that_should_be_nothing_may_be_next_to_nothing() -> None:
    ours, theirs = pl.DataFrame({"x": [5.0, 0.0]}), pl.DataFrame({"x": [5.0, 1e-17]})
    assert difference(ours, theirs) is None


def test_noise_across_a_rounding_edge_does_not_tear_rows_apart() -> None:
    ours = pl.DataFrame({"x": [0.1234565, 0.1234565], "y": [1.0, 2.0]})
    theirs = pl.DataFrame(
        {"x": [0.1234565 * (1 - 4e-16), 0.1234565 * (1 + 4e-16)], "y": [2.0, 1.0]}
    )
    assert difference(ours, theirs) is None


def test_more_than_noise_matters() -> None:
    assert difference(FRAME, FRAME.with_columns(pl.col("share") * (1 + 1e-7))) is not None


def test_single_precision_has_its_own_noise() -> None:
    ours = pl.DataFrame({"x": pl.Series([1.0, 2.0], dtype=pl.Float32)})
    assert difference(ours, ours.with_columns(pl.col("x") * 1.0000002)) is None
    assert difference(ours, ours.with_columns(pl.col("x") * 1.0001)) is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.select(reversed(f.columns)), "the columns"),
        (lambda f: f.with_columns(pl.col("id").cast(pl.Int32)), "column 'id' is Int64 in the"),
        (lambda f: f.head(3), "4 rows, the clean process 3"),
        (lambda f: pl.concat([f.head(1), f.head(3)]), "only in the clean process: id=1"),
        (lambda f: f.with_columns(pl.lit([9]).alias("parts")), "parts=[1, 2]"),
        (lambda f: f.with_columns(pl.col("name").fill_null("")), "name=None"),
        (lambda f: f.with_columns(pl.col("share").fill_nan(None)), "share=nan"),
    ],
)
def test_what_differs_is_said(change, said: str) -> None:
    assert said in str(difference(FRAME, change(FRAME)))


def test_with_a_key_the_differing_cells_are_said() -> None:
    ours = pl.DataFrame({"day": [1, 2, 3], "n": [10, 20, 30]})
    theirs = ours.with_columns(pl.when(pl.col("day") == 2).then(21).otherwise("n").alias("n"))
    assert "day=2: n is 20 in the notebook, 21 in the clean process" in str(
        difference(ours, theirs, ["day"])
    )


def test_long_lists_of_differences_are_cut_and_counted() -> None:
    ours, theirs = pl.DataFrame({"x": range(100)}), pl.DataFrame({"x": range(100, 200)})
    assert "97 more only in the notebook" in str(difference(ours, theirs))


def test_frames_without_rows_or_columns_are_equal() -> None:
    assert difference(FRAME.clear(), FRAME.clear()) is None
    assert difference(pl.DataFrame(), pl.DataFrame()) is None
    assert difference(FRAME.clear(), FRAME) is not None


def test_a_million_rows_are_compared_in_seconds() -> None:
    frame = pl.DataFrame({"x": range(1_000_000)}).with_columns(y=pl.col("x") / 7)
    noisy = frame.with_columns(pl.col("y") * (1 + 1e-13)).reverse()
    assert difference(frame, noisy) is None


@pytest.mark.parametrize("largest", [1e9, 1e12, 1e15])
def test_a_large_value_elsewhere_hides_no_difference(largest: float) -> None:
    ours, theirs = pl.DataFrame({"x": [largest, 0.5]}), pl.DataFrame({"x": [largest, 0.0]})
    assert difference(ours, theirs) is not None


def test_columns_may_have_any_name() -> None:
    names = ("__count__", "__row__", "x__other__", "x")
    frame = pl.DataFrame({name: [1.0, 2.0] for name in names})
    assert difference(frame, frame.reverse()) is None
    assert difference(frame, frame.with_columns(x=pl.col("x") + 1)) is not None
