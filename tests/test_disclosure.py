"""What is told of a port to those who may not read it: nothing that they would not see of it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from listeners import ADDRESS, mask, policy
from measured import GERMANS, ROWS, STAND_IN, Published, contract_of, shape, shown, slos

from mesh_notebook.mesh.disclosure import told
from mesh_notebook.mesh.erasure import Subjects
from mesh_notebook.mesh.shape import shape_of
from mesh_notebook.model.policy import Access, Privacy

FORMATS = ("text", "html", "markdown", "json", "jsonld")


@pytest.fixture
def listeners(tmp_path: Path) -> Published:
    return Published(tmp_path)


# ---- a shape that gives nothing away -------------------------------------------------------------


def test_of_a_masked_column_the_shape_tells_no_value(listeners):
    masks = (mask("email", "tokenise"), mask("age", "generalise", to="10"))
    receipt = listeners.publish(policy=policy(*masks, mask("country", "redact")))
    assert shape(receipt)["email"] == shape(receipt)["country"] == {}
    assert shape(receipt)["age"] == {"nulls": 0.0}
    assert shape(receipt)["minutes"] == shape_of(ROWS, contract_of(listeners))["minutes"]
    everything = listeners.receipts() + listeners.said()
    for value in ("SECRET", "7000", "7,000"):
        assert value not in everything
    assert '"FR"' not in everything


def test_hidden_rows_leave_no_trace_in_the_figures(listeners):
    hidden = ROWS.with_columns(
        minutes=pl.when(pl.col("country") == "DE").then("minutes").otherwise(987_654.5),
        day=pl.when(pl.col("country") == "DE").then("day").otherwise(date(2019, 9, 9)),
    )
    receipt = listeners.publish(hidden, policy(rows=(GERMANS,)))
    assert shape(receipt)["country"]["top"] == [["DE", 1.0]]
    assert slos(receipt)["rows"] == 1_000
    everything = listeners.receipts() + listeners.said()
    for value in ("987654.5", "987,65", "2019-09-09", '"FR"', '"IT"'):
        assert value not in everything
    assert slos(receipt)["oldest_event_s"] < 200 * 86_400


def test_event_times_are_measured_as_coarse_as_they_are_shown(listeners):
    receipt = listeners.publish(policy=policy(mask("day", "generalise", to="month")))
    assert shape(receipt)["day"] == {"nulls": 0.0}
    newest = datetime.fromtimestamp(slos(receipt)["newest_event"], UTC)
    assert newest == datetime(2026, 3, 1, tzinfo=UTC)
    moment = datetime.fromisoformat(receipt.processing_time)
    lag = timedelta(seconds=slos(receipt)["lag_p50_s"])
    assert (moment - timedelta(days=1) - lag).date() in {date(2026, m, 1) for m in (1, 2, 3)}
    assert "2026-03-31" not in listeners.receipts() + listeners.said()


def test_the_lag_of_a_log_is_of_what_everybody_sees(tmp_path):
    log_port = Published(tmp_path, kind="log")
    coarse = policy(mask("day", "generalise", to="year"), rows=(GERMANS,))
    first = log_port.publish(ROWS.head(500), coarse)
    second = log_port.publish(ROWS)
    assert second.ports["listeners"].added == 500
    for receipt in (first, second):
        moment = datetime.fromisoformat(receipt.processing_time)
        lag = timedelta(seconds=slos(receipt)["lag_p50_s"])
        assert abs(moment - timedelta(days=1) - lag - datetime(2026, 1, 1, tzinfo=UTC)) < timedelta(
            seconds=1
        )


def test_a_port_that_answers_noisy_aggregates_tells_no_shape_and_no_event(listeners):
    receipt = listeners.publish(policy=policy(privacy=Privacy("user", 1.0)))
    assert shape(receipt) == {}
    assert not {"newest_event", "freshness_s", "lag_p50_s", "drift"} & slos(receipt).keys()
    assert "completeness" in slos(receipt)
    assert "2026-03-31" not in listeners.receipts() + listeners.said()


def test_who_was_erased_is_in_no_figure(listeners):
    tokens = policy(mask("user", "tokenise"), subject="user")
    rows = ROWS.with_columns(
        minutes=pl.when(pl.col("user") == "u5").then(987_654.5).otherwise("minutes")
    )
    assert shape(listeners.publish(rows, tokens))["minutes"]["max"] == 987_654.5
    Subjects(ADDRESS, "user").erase("u5")
    after = listeners.publish(rows.with_columns(age=pl.col("age") + 1))
    assert shape(after)["minutes"]["max"] < 1_000


def test_what_is_masked_since_is_not_told_of_earlier_snapshots_either(listeners):
    first = listeners.publish()
    assert "7000059" in listeners.said()
    listeners.publish(policy=policy(mask("age", "null"), mask("day", "generalise", to="year")))
    then = listeners.mesh.describe("listeners", "json", as_of=first.processing_time)
    told = {c["name"]: c["shape"] for c in then["ports"][0]["columns"]}
    assert (told["age"], told["day"]) == (None, {"nulls": 0.0})
    assert told["minutes"]["distinct"] == 97
    assert "newest_event" not in then["snapshot"]["ports"]["listeners"]["slos"]
    assert "7000059" not in json.dumps(then) + listeners.said()
    points = listeners.mesh.status("listeners").ports[0].tracks[0].points
    assert [point.value is None for point in points] == [True, False]


def test_where_rows_are_hidden_since_nothing_is_told_of_how_they_lay(listeners):
    first = listeners.publish()
    listeners.publish(policy=policy(rows=(GERMANS,)))
    then = listeners.mesh.describe("listeners", "json", as_of=first.processing_time)
    assert {c["shape"] for c in then["ports"][0]["columns"]} == {None}
    assert '"FR"' not in json.dumps(then)


def test_drift_is_measured_of_what_is_told(listeners):
    listeners.publish()
    listeners.publish(ROWS.head(900), policy(mask("age", "null")))
    again = listeners.publish(ROWS.head(800))
    assert "drift.minutes" in slos(again)
    assert "drift.age" not in slos(again)


# ---- policies in words ---------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_says_what_the_policy_does_and_what_there_is_instead(listeners, format):
    held = policy(
        mask("email", "redact"),
        mask("age", "generalise", to="10"),
        access=Access(("analyst",), ("research",), stand_in=True),
        rows=(GERMANS,),
    )
    listeners.publish(policy=held)
    said = listeners.mesh.describe("listeners", format)
    text = " ".join((said if isinstance(said, str) else json.dumps(said)).split())
    text = text.replace("&#x27;", "'").replace("<!-- -->", "")
    for rule in held.said():
        assert rule in text
    assert "listeners has a synthetic stand-in, which anybody may have" in text
    assert format == "jsonld" or "%mesh connect listeners --mode mock" in text


def test_the_card_says_of_a_masked_column_that_nothing_is_told(listeners):
    listeners.publish(policy=policy(mask("email", "redact")))
    columns = listeners.mesh.describe("listeners", "json")["ports"][0]["columns"]
    assert {c["name"]: (c["mask"], c["shape"]) for c in columns}["email"] == ("redact", None)
    assert "not told" in shown(listeners.mesh.describe("listeners"))


@pytest.mark.parametrize("masks", [(), (mask("email", "redact"),)])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"access": STAND_IN},
        {"access": Access(purposes=("research", "care"))},
        {"privacy": Privacy("user", 1.0)},
        {"privacy": Privacy("user", 1.0, exempt=("auditor",)), "rows": (GERMANS,)},
    ],
)
def test_every_policy_is_said_in_odrl_that_conforms(listeners, masks, more):
    from test_describe_jsonld import findings, parsed

    listeners.publish(policy=policy(*masks, **more))
    document = listeners.mesh.describe("listeners", "jsonld")
    said = findings(parsed(json.dumps(document)))
    assert said.count("Constraint Violation in") == 1  # these bundles name no owner
    assert "dataProductOwner" in said
    (held,) = (n for n in document["@graph"] if n.get("@type") == "odrl:Set")
    nobody = "privacy" in more and not more["privacy"].exempt
    assert ("odrl:permission" in held) is not nobody
    assert len(held.get("odrl:prohibition", [])) == len(masks) + nobody


def test_of_a_port_whose_policy_is_not_understood_nothing_is_told(listeners):
    listeners.publish(policy=policy(mask("email", "redact")))
    snapshot = told(listeners.product.latest().ports["listeners"], None, "day")
    assert snapshot.shape == {}
    assert "newest_event" not in snapshot.slos
