"""A sample is the same each time: by the key alone, whatever the order and the files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mesh_notebook.mesh.sampling import sample

ROWS = pl.DataFrame(
    {
        "id": range(2_000),
        "name": [f"n{i % 37}" for i in range(2_000)],
        "tags": [[i, i + 1] if i % 5 else None for i in range(2_000)],
        "score": [i / 7 if i % 11 else None for i in range(2_000)],
    }
)


def test_the_same_rows_come_back_in_any_order_and_from_any_files(tmp_path: Path) -> None:
    shuffled = ROWS.sample(fraction=1, shuffle=True, seed=3)
    for place in range(4):
        shuffled[place * 500 : (place + 1) * 500].write_parquet(tmp_path / f"{place}.parquet")
    whole = sample(ROWS.lazy(), ("id",), 100, 7)
    parts = sample(pl.scan_parquet(tmp_path / "*.parquet"), ("id",), 100, 7)
    assert_frame_equal(whole.frame, parts.frame)
    assert (whole.of, whole.method, whole.frame.height) == (2_000, "by hash of id", 100)


def test_the_same_rows_come_back_in_another_process(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "rows.parquet")
    code = (
        "import polars as pl; from mesh_notebook.mesh.sampling import sample\n"
        "rows = sample(pl.scan_parquet('rows.parquet'), ('name', 'id'), 9, -3).frame\n"
        "print(rows['id'].to_list())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    here = sample(ROWS.lazy(), ("name", "id"), 9, -3).frame["id"].to_list()
    assert there.stdout.strip() == str(here)


def test_another_seed_gives_other_rows() -> None:
    one, other = (sample(ROWS.lazy(), ("id",), 100, seed).frame["id"] for seed in (1, 2))
    assert len(set(one) & set(other)) < 30


def test_without_a_key_the_whole_row_counts() -> None:
    made = sample(ROWS.lazy(), (), 50, 0)
    again = sample(ROWS.reverse().lazy(), (), 50, 0)
    assert made.method == "by hash of the whole row"
    assert_frame_equal(made.frame, again.frame)


def test_a_larger_sample_holds_the_smaller_one() -> None:
    few, many = (sample(ROWS.lazy(), ("id",), rows, 0).frame for rows in (10, 200))
    assert_frame_equal(few, many.head(10))


def test_a_sample_larger_than_the_whole_is_the_whole() -> None:
    made = sample(ROWS.lazy(), ("id",), 5_000, 0)
    assert (made.frame.height, made.of) == (2_000, 2_000)
    assert_frame_equal(made.frame.sort("id"), ROWS)


def test_a_sample_of_nothing_is_nothing_of_the_same_columns() -> None:
    made = sample(ROWS.clear().lazy(), ("id",), 10, 0)
    assert (made.frame.schema, made.of) == (ROWS.schema, 0)


def test_categories_are_told_by_their_text() -> None:
    letters = ["b", "a", "c", "a", "d"]
    one = pl.DataFrame({"l": letters}, schema={"l": pl.Categorical}).lazy()
    other = pl.DataFrame({"l": letters[::-1]}, schema={"l": pl.Categorical}).lazy()
    first, second = (sample(f, (), 2, 0).frame["l"].to_list() for f in (one, other))
    assert first == second


def test_each_row_is_as_likely_as_any_other() -> None:
    picked = pl.concat([sample(ROWS.lazy(), ("id",), 200, seed).frame for seed in range(50)])
    assert picked["id"].mean() == pytest.approx(999.5, abs=25)  # standard error 5.8
    assert picked["id"].n_unique() > 1_950


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.text(max_size=2)), max_size=30),
    st.integers(1, 40),
    st.integers(),
    st.randoms(use_true_random=False),
)
def test_a_sample_depends_on_what_the_rows_are_and_on_nothing_else(rows, size, seed, luck) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row")
    luck.shuffle(rows)
    other = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row")
    made = sample(frame.lazy(), (), size, seed).frame
    assert made.height == min(size, frame.height)
    assert_frame_equal(made, sample(other.lazy(), (), size, seed).frame)
