"""Drift: how far a shape has moved from those before."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from contracts import column, contract_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.drift import distance, drift, moving
from mesh_notebook.mesh.reference import reference_rules
from mesh_notebook.mesh.shape import shape_of
from mesh_notebook.model.contract import Contract

CONTRACT = contract_of(column("n", "DOUBLE"), column("w"), column("k", "BIGINT"))
NUMBER = st.none() | st.integers(-20, 20).map(float) | st.floats(-1e6, 1e6)
ROWS = st.lists(
    st.tuples(NUMBER, st.none() | st.sampled_from("abcdefghijklm"), st.integers(0, 12)),
    max_size=50,
)


def shaped(rows: list) -> dict:
    schema = {"n": pl.Float64, "w": pl.String, "k": pl.Int64}
    return shape_of(pl.DataFrame(rows, schema=schema, orient="row"), CONTRACT)


@settings(deadline=None)
@given(ROWS)
def test_a_shape_has_not_drifted_from_itself(rows: list) -> None:
    shape = shaped(rows)
    assert drift(shape, [shape, shape]) == {"drift": 0, "drift.n": 0, "drift.w": 0, "drift.k": 0}


@settings(deadline=None)
@given(ROWS, ROWS)
def test_drift_is_a_share_and_the_same_both_ways(one: list, other: list) -> None:
    mine, theirs = shaped(one), shaped(other)
    there, back = drift(mine, [theirs]), drift(theirs, [mine])
    assert there == pytest.approx(back)
    assert all(0 <= value <= 1 for value in there.values())
    assert there["drift"] == max(v for k, v in there.items() if k != "drift")


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1), st.lists(st.sampled_from("abcd"), min_size=1))
def test_of_few_values_it_is_the_total_variation_distance(one: list, other: list) -> None:
    shapes = [shaped([(None, w, 0) for w in words])["w"] for words in (one, other)]
    shares = [{w: words.count(w) / len(words) for w in "abcd"} for words in (one, other)]
    naive = sum(abs(shares[0][w] - shares[1][w]) for w in "abcd") / 2
    assert distance(*shapes) == pytest.approx(naive, abs=1e-5)


@pytest.mark.parametrize(("moved", "low", "high"), [(0, 0, 0.03), (0.5, 0.14, 0.25), (5, 0.9, 1)])
def test_of_numbers_it_is_near_the_kolmogorov_smirnov_distance(
    moved: float, low: float, high: float
) -> None:
    rng = np.random.default_rng(3)
    shapes = [
        shaped([(float(v), None, 0) for v in rng.normal(at, 1, 5_000)])["n"] for at in (0, moved)
    ]
    assert low <= distance(*shapes) <= high


def test_ties_raise_no_false_alarm() -> None:
    # 74 and 76 zeros in a hundred: the upper quartile jumps from 1 to 0, and little has changed.
    one, other = ([(0.0, None, 0)] * n + [(1.0, None, 0)] * (100 - n) for n in (74, 76))
    assert distance(shaped(one)["n"], shaped(other)["n"]) == 0


def test_values_that_all_changed_have_drifted_all_the_way() -> None:
    before, after = ([(None, word, 0)] * 9 for word in "ab")
    assert drift(shaped(after), [shaped(before)])["drift.w"] == 1


def test_one_odd_snapshot_neither_raises_nor_hides_an_alarm() -> None:
    usual, odd = shaped([(1.0, "a", 0)] * 9), shaped([(1.0, "b", 0)] * 9)
    assert drift(usual, [odd, usual, usual])["drift"] == 0
    assert drift(odd, [odd, usual, usual, usual])["drift"] == 1


def test_there_is_no_drift_where_nothing_was_before() -> None:
    shape = shaped([(1.0, "a", 0)])
    assert drift(shape, []) == {}
    assert drift(shape, [{"other": {"nulls": 0.0, "distinct": 0}}]) == {}


def test_times_and_identities_move_by_nature_and_only_their_nulls_count() -> None:
    contract = contract_of(
        column("id", "BIGINT", primaryKey=True, primaryKeyPosition=1),
        column("day", "DATE"),
        column("code", unique=True),
        column("n", "DOUBLE"),
        customProperties=[{"property": "eventTime", "value": "day"}],
    )
    assert moving(contract) == {"id", "day", "code"}
    one = {"id": {"nulls": 0.0, "distinct": 9, "min": 1, "max": 9, "quantiles": [1, 3, 5, 7, 9]}}
    other = {"id": {**one["id"], "min": 11, "max": 19, "quantiles": [11, 13, 15, 17, 19]}}
    assert drift(one, [other], {"id"})["drift"] == 0
    assert drift(one, [other])["drift"] == 1


def test_the_rules_for_other_checkers_measure_no_drift_of_their_own_reference() -> None:
    rng = np.random.default_rng(5)
    rows = [(float(v), "ab'c"[i % 4], i % 7) for i, v in enumerate(rng.normal(size=400))]
    frame = pl.DataFrame(
        rows, schema={"n": pl.Float64, "w": pl.String, "k": pl.Int64}, orient="row"
    )
    rules = reference_rules(frame.lazy(), CONTRACT, 0.1)
    assert [rule["id"] for rule in rules] == [f"promise_drift_{c}" for c in "nwk"]
    raw = CONTRACT.edited()
    raw["schema"][0]["quality"] = rules
    held = Contract(raw).checked()
    assert check(frame.lazy(), held).passed
    # The order of the rows is of no account: the rules are part of a contract that must not change.
    assert reference_rules(frame.reverse().lazy(), CONTRACT, 0.1) == rules
    moved = frame.with_columns(pl.col("n") + 1, w=pl.lit("a"))
    failed = {r.rule.id for r in check(moved.lazy(), held).failures}
    assert failed == {"promise_drift_n", "promise_drift_w"}
    assert not [r for r in check(frame.clear().lazy(), held).results if not r.decided]
