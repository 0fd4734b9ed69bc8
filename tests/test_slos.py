"""Promises measured on a frame."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_notebook.mesh.earlier import Earlier, settled
from mesh_notebook.mesh.lag import lag_of
from mesh_notebook.mesh.shape import shape_of
from mesh_notebook.mesh.slos import measure, verdicts
from mesh_notebook.model.contract import Contract

NOW = datetime(2013, 1, 3, tzinfo=UTC)


def contract(*slos: dict[str, Any], event_time: str | None = "at") -> Contract:
    columns = [{"name": n, "logicalType": "string"} for n in ("at", "a")]
    table: dict[str, Any] = {"name": "t", "properties": columns}
    if event_time:
        table["customProperties"] = [{"property": "eventTime", "value": event_time}]
    return Contract(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "urn:test",
            "version": "1.0.0",
            "status": "draft",
            "schema": [table],
            "slaProperties": list(slos),
        }
    ).checked()


def frame(*at: Any, a: list[Any] | None = None) -> pl.LazyFrame:
    return pl.LazyFrame({"at": list(at), "a": a or ["x"] * len(at)})


@pytest.mark.parametrize(
    ("at", "age"),
    [
        ([datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, 23, tzinfo=UTC)], 3600),
        ([date(2013, 1, 1), date(2013, 1, 2), None], 86_400),
        ([datetime(2013, 1, 2, tzinfo=UTC), datetime(2013, 2, 1, tzinfo=UTC)], 86_400),
        ([date(2013, 1, 2), date(2014, 1, 1)], 86_400),
    ],
    ids=["instants", "days", "an instant to come", "a day to come"],
)
def test_freshness_is_the_age_of_the_newest_event_that_has_happened(
    at: list[Any], age: float
) -> None:
    assert measure(frame(*at), contract(), NOW)["freshness_s"] == age


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    there = pl.Series("at", [datetime(2013, 1, 2, tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo")
    measured = measure(pl.LazyFrame({"at": there, "a": ["x"]}), contract(), NOW)
    assert measured["freshness_s"] == 86_400


def test_completeness_is_the_share_of_cells_that_hold_a_value() -> None:
    measured = measure(frame(date(2013, 1, 1), None, a=["x", None]), contract(), NOW)
    assert measured["completeness"] == 0.5
    assert measured["rows"] == 2


def test_of_an_empty_frame_neither_freshness_nor_completeness_is_known() -> None:
    empty = pl.LazyFrame(schema={"at": pl.Date, "a": pl.String})
    measured = measure(empty, contract(), NOW)
    assert measured == {"rows": 0, "snapshot_age_s": 0.0}


def test_without_an_event_time_freshness_is_not_measured() -> None:
    slo = {"property": "freshness", "value": 1, "unit": "d", "element": "t.at"}
    promised = contract(slo, event_time=None)
    measured = measure(frame(date(2013, 1, 1)), promised, NOW)
    (verdict,) = verdicts(measured, promised)
    assert "freshness_s" not in measured
    assert (verdict.kept, verdict.measured) == (None, "")


@pytest.mark.parametrize(
    ("slo", "kept"),
    [
        ({"property": "freshness", "value": 1, "unit": "d", "element": "t.at"}, True),
        ({"property": "freshness", "value": "24", "unit": "h", "element": "t.at"}, True),
        ({"property": "freshness", "value": "PT23H", "element": "t.at"}, False),
        ({"property": "freshness", "value": "soon"}, None),
        ({"property": "completeness", "value": 0.75}, True),
        ({"property": "completeness", "value": 75, "unit": "percent"}, True),
        ({"property": "completeness", "value": "80 %"}, False),
        ({"property": "completeness", "value": 0.5, "element": "t.a"}, True),
        ({"property": "completeness", "value": 0.6, "element": "t.a"}, False),
        ({"property": "completeness", "value": 1, "element": "t.at"}, True),
        ({"property": "completeness", "value": "most"}, None),
        ({"property": "frequency", "value": 1, "unit": "d"}, None),
        ({"property": "retention", "value": 3, "unit": "y"}, None),
        ({"property": "latency", "value": 4, "unit": "h"}, False),
    ],
)
def test_each_promise_is_kept_broken_or_not_measured(
    slo: dict[str, Any], kept: bool | None
) -> None:
    promised = contract(slo)
    rows = frame(date(2013, 1, 1), date(2013, 1, 2), a=["x", None])
    (verdict,) = verdicts(measure(rows, promised, NOW), promised)
    assert verdict.kept is kept
    assert verdict.promised
    assert bool(verdict.measured) is (kept is not None)


@pytest.mark.parametrize(("age", "kept"), [(0.0, True), (86_400.0, True), (86_401.0, False)])
def test_freshness_without_an_element_is_the_age_of_the_snapshot(age: float, kept: bool) -> None:
    promised = contract({"property": "freshness", "value": 1, "unit": "d"})
    (verdict,) = verdicts({"snapshot_age_s": age, "freshness_s": 1e9}, promised)
    assert verdict.kept is kept
    assert verdict.measured.startswith("published")


def test_a_share_just_below_its_promise_does_not_read_as_kept() -> None:
    promised = contract({"property": "completeness", "value": 1})
    (verdict,) = verdicts({"completeness": 0.999999}, promised)
    assert verdict.kept is False
    assert verdict.measured != "100 %"


INSTANTS = st.datetimes(datetime(2012, 1, 1), datetime(2014, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC)
)


@settings(deadline=None)
@given(st.lists(st.none() | INSTANTS, max_size=40), st.none() | INSTANTS)
def test_lag_is_what_a_naive_computation_over_the_new_rows_gives(
    at: list[datetime | None], after: datetime | None
) -> None:
    rows = pl.LazyFrame({"at": pl.Series(at, dtype=pl.Datetime("us", "UTC"))})
    lag = lag_of(rows, "at", NOW, after.timestamp() if after else None)
    new = [a for a in at if a and a <= NOW and (after is None or a > after)]
    if not new:
        assert lag == {}
        return
    lags = [(NOW - a).total_seconds() for a in new]
    expected = {f"lag_p{p}_s": np.percentile(lags, p) for p in (50, 95)}
    assert lag == pytest.approx(expected)


@settings(deadline=None)
@given(st.lists(st.none() | st.dates(date(2012, 1, 1), date(2014, 1, 1)), max_size=40))
def test_the_lag_of_a_day_begins_where_the_day_ends(days: list[date | None]) -> None:
    rows = pl.LazyFrame({"at": pl.Series(days, dtype=pl.Date)})
    noon = NOW + timedelta(hours=12)
    midnights = [datetime(d.year, d.month, d.day, tzinfo=UTC) for d in days if d]
    ends = [m + timedelta(days=1) for m in midnights if m <= noon]
    lags = [max((noon - end).total_seconds(), 0) for end in ends]
    expected = {f"lag_p{p}_s": np.percentile(lags, p) for p in (50, 95)} if lags else {}
    assert lag_of(rows, "at", noon) == pytest.approx(expected)


def test_only_rows_that_were_not_known_before_have_a_lag() -> None:
    rows = frame(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, 23, tzinfo=UTC))
    known = measure(rows.head(1), contract(), NOW)
    again = measure(rows, contract(), NOW, Earlier(newest_event=known["newest_event"]))
    assert (again["lag_p50_s"], again["lag_p95_s"]) == (3600, 3600)
    unchanged = measure(rows, contract(), NOW, Earlier(newest_event=again["newest_event"]))
    assert "lag_p50_s" not in unchanged


def test_drift_is_measured_where_there_was_a_shape_before() -> None:
    at = [datetime(2013, 1, 1, tzinfo=UTC)] * 4
    before, now = frame(*at, a=list("xxxx")), frame(*at, a=list("xxyy"))
    shapes = [shape_of(f, contract()) for f in (before, now)]
    measured = measure(now, contract(), NOW, Earlier((shapes[0],)), shapes[1])
    assert (measured["drift"], measured["drift.a"], measured["drift.at"]) == (0.5, 0.5, 0)
    assert "drift" not in measure(now, contract(), NOW, Earlier(), shapes[1])


def test_what_was_measured_is_told_as_of_the_publications_own_time() -> None:
    measured = {"rows": 2.0, "freshness_s": 60.0, "lag_p95_s": 30.0, "lag_p50_s": 0.0}
    told = settled(measured, NOW, NOW + timedelta(seconds=5), None, None)
    assert told == {
        "rows": 2.0,
        "freshness_s": 65.0,
        "lag_p95_s": 35.0,
        "lag_p50_s": 0.0,
        "retention_s": 0.0,
        "oldest_snapshot": 1.0,
    }


@pytest.mark.parametrize(
    ("measured", "kept", "says"),
    [
        ({"interval_s": 80_000.0, "snapshot_age_s": 0.0}, True, "after 22.2 h"),
        ({"interval_s": 90_000.0, "snapshot_age_s": 0.0}, False, "after 25 h"),
        ({"interval_s": 80_000.0, "snapshot_age_s": 90_000.0}, False, "nothing for 25 h"),
        ({"snapshot_age_s": 90_000.0}, False, "nothing for 25 h"),
        ({"snapshot_age_s": 80_000.0}, None, ""),
    ],
    ids=["in time", "late", "overdue", "overdue after the first", "not due yet"],
)
def test_an_interval_is_broken_by_what_came_late_and_by_what_does_not_come(
    measured: dict[str, float], kept: bool | None, says: str
) -> None:
    (verdict,) = verdicts(measured, contract({"property": "frequency", "value": 1, "unit": "d"}))
    assert (verdict.kept, verdict.measured) == (kept, says)


@pytest.mark.parametrize(
    ("measured", "kept"),
    [
        ({"retention_s": 10.0, "oldest_snapshot": 1.0}, True),
        ({"retention_s": 10.0, "oldest_snapshot": 4.0}, False),
        ({"retention_s": 1e9, "oldest_snapshot": 4.0}, True),
        ({"retention_s": 10.0, "oldest_snapshot": 4.0, "oldest_event_s": 1e9}, True),
    ],
    ids=["young and whole", "cut short", "old enough", "old events"],
)
def test_retention_is_broken_only_by_what_was_taken_away(
    measured: dict[str, float], kept: bool
) -> None:
    (verdict,) = verdicts(measured, contract({"property": "retention", "value": 2, "unit": "y"}))
    assert verdict.kept is kept


def test_a_drift_just_over_its_promise_does_not_read_as_kept() -> None:
    promised = contract({"property": "drift", "value": 0.2})
    (verdict,) = verdicts({"drift": 0.200001, "drift.a": 0.200001}, promised)
    assert verdict.kept is False
    assert verdict.measured == "20.0001 % in a"


def test_each_promise_has_the_name_by_which_it_is_promised() -> None:
    slos = [
        {"property": "latency", "value": 2, "unit": "h"},
        {"property": "frequency", "value": 1, "unit": "d"},
        {"property": "completeness", "value": 1, "element": "t.a"},
    ]
    names = [verdict.name for verdict in verdicts({}, contract(*slos))]
    assert names == ["lag_p95", "interval", "completeness.a"]
