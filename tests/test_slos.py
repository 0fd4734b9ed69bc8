"""Promises measured on a frame."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

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


def test_an_empty_frame_has_no_freshness_and_lacks_nothing() -> None:
    empty = pl.LazyFrame(schema={"at": pl.Date, "a": pl.String})
    measured = measure(empty, contract(), NOW)
    assert measured == {"rows": 0, "completeness": 1.0, "snapshot_age_s": 0.0}


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
        ({"property": "latency", "value": 4, "unit": "h"}, None),
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
