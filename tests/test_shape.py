"""The statistical shape of a frame: exact where it is small, estimated where it is large."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from contracts import column, contract_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_notebook.mesh.shape import LEVELS, SAMPLE, shape_of

FLOATS = st.lists(st.none() | st.floats(), max_size=60)
WORDS = st.lists(st.none() | st.sampled_from(["a", "b", "c", "longer"]), max_size=60)


def shape(values: pl.Series, physical: str = "VARCHAR", **more: object) -> dict:
    contract = contract_of(column("x", physical, **more))
    return shape_of(values.rename("x").to_frame(), contract)["x"]


@settings(deadline=None)
@given(FLOATS)
def test_figures_of_numbers_are_those_of_the_finite_values(values: list) -> None:
    told = shape(pl.Series(values, dtype=pl.Float64), "DOUBLE")
    held = [v for v in values if v is not None]
    finite = sorted(v for v in held if math.isfinite(v))
    assert told["nulls"] == pytest.approx((len(values) - len(held)) / max(len(values), 1))
    if finite:
        assert (told["min"], told["max"]) == (finite[0], finite[-1])
        ranks = [round(level * (len(finite) - 1)) for level in LEVELS]
        assert told["quantiles"] == [finite[rank] for rank in ranks]
    else:
        assert "quantiles" not in told
    json.dumps(told)


@settings(deadline=None)
@given(WORDS)
def test_top_values_and_their_shares_are_counted(values: list) -> None:
    told = shape(pl.Series(values, dtype=pl.String))
    held = [v for v in values if v is not None]
    assert told["distinct"] == len(set(held))
    counted = {v: round(held.count(v) / len(held), 6) for v in set(held)}
    assert dict(map(tuple, told.get("top", []))) == counted


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-50, 50), min_size=1, max_size=60), st.integers(2, 4))
def test_a_frame_repeated_has_the_same_shape(values: list, times: int) -> None:
    once = pl.Series(values, dtype=pl.Int64)
    many = pl.concat([once] * times)
    one, more = shape(once, "BIGINT"), shape(many, "BIGINT")
    for same in ("nulls", "distinct", "min", "max", "top"):
        assert one.get(same) == more.get(same)
    if "mean" in one:
        assert one["mean"] == pytest.approx(more["mean"])


def test_each_kind_of_column_tells_what_its_kind_can() -> None:
    frame = pl.DataFrame(
        {
            "day": [date(2026, 1, 1), None, date(2026, 1, 3)],
            "at": pl.Series([datetime(2026, 1, 1, tzinfo=UTC)] * 3),
            "price": pl.Series(["1.50", "2.50", None]).cast(pl.Decimal(9, 2)),
            "late": [True, True, False],
            "stars": [5, 5, 1],
            "tags": [["a"], ["a"], None],
            "name": ["ada", "bo", "cy"],
            "other": [1, 2, 3],
        }
    )
    contract = contract_of(
        column("day", "DATE"),
        column("at", "TIMESTAMP_TZ"),
        column("price", "DECIMAL(9,2)"),
        column("late", "BOOLEAN"),
        column("stars", "BIGINT"),
        column("tags", "VARCHAR[]"),
        column("name", classification="personal"),
        column("missing"),
    )
    told = shape_of(frame, contract)
    assert set(told) == {"day", "at", "price", "late", "stars", "tags", "name"}
    assert (told["day"]["min"], told["day"]["max"]) == ("2026-01-01", "2026-01-03")
    assert told["at"]["quantiles"] == ["2026-01-01T00:00:00.000000Z"] * 5
    assert (told["price"]["mean"], told["price"]["max"]) == (2.0, 2.5)
    assert told["late"]["top"] == [[True, 0.666667], [False, 0.333333]]
    assert told["stars"]["top"] == [[5, 0.666667], [1, 0.333333]]
    assert told["tags"] == {"nulls": pytest.approx(1 / 3), "distinct": 1}
    assert told["name"] == {"nulls": 0.0, "distinct": 3}
    assert json.loads(json.dumps(told)) == told
    assert Decimal(str(told["price"]["min"])) == Decimal("1.5")


def test_values_that_come_once_are_not_listed_where_there_are_many() -> None:
    told = shape(pl.Series([f"note {n}" for n in range(50)] + ["same"] * 2))
    assert told["top"] == [["same", round(2 / 52, 6)]]


def test_no_rows_have_no_shape_but_their_columns() -> None:
    assert shape(pl.Series([], dtype=pl.Float64), "DOUBLE") == {"nulls": 0.0, "distinct": 0}


@pytest.fixture(scope="module")
def large() -> pl.DataFrame:
    count, rng = 10 * SAMPLE, np.random.default_rng(7)
    return pl.DataFrame(
        {
            "id": np.arange(count),
            "pair": np.arange(count) // 2,  # each value twice, side by side
            "hour": np.arange(count) % 24,  # a rhythm that a fixed stride would fall into
            "normal": rng.normal(size=count),
            "user": rng.integers(0, 30_000, count),
        }
    )


def test_what_is_estimated_of_many_rows_is_near_the_truth(large: pl.DataFrame) -> None:
    kinds = dict.fromkeys(large.columns, "BIGINT") | {"normal": "DOUBLE"}
    told = shape_of(large, contract_of(*(column(n, kind) for n, kind in kinds.items())))
    for name in large.columns:
        # HyperLogLog errs by about 1 %; 3 % was the most in 200 trials.
        assert told[name]["distinct"] == pytest.approx(large[name].n_unique(), rel=0.04)
        for level, value in zip(LEVELS, told[name]["quantiles"], strict=True):
            below, upto = (large[name] < value).mean(), (large[name] <= value).mean()
            assert below - 0.01 <= level <= upto + 0.01
    assert told["hour"]["distinct"] == 24
    assert told["normal"]["mean"] == pytest.approx(large["normal"].mean())


def test_the_same_rows_in_the_same_order_have_the_same_shape(large: pl.DataFrame) -> None:
    contract = contract_of(column("normal", "DOUBLE"), column("user", "BIGINT"))
    assert shape_of(large, contract) == shape_of(large.lazy(), contract)


@pytest.mark.parametrize("start", [0, 10_000_019, 190_000_361])
def test_the_count_of_many_values_is_as_near_for_consecutive_numbers(start: int) -> None:
    pairs = pl.Series(np.arange(start, start + 4 * SAMPLE) // 2)
    assert shape(pairs, "BIGINT")["distinct"] == pytest.approx(pairs.n_unique(), rel=0.04)
    gaps = pl.concat([pairs, pl.Series([None] * SAMPLE, dtype=pl.Int64)])
    assert shape(gaps, "BIGINT")["distinct"] == pytest.approx(pairs.n_unique(), rel=0.04)
