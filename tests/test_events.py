"""The event log: complete, in order, resumable, and one story with the port's other modes."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import write_bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ports import ADDRESS, PublishedPort, frame_of, typed_contract
from test_text import bits

from mesh_notebook.errors import NoSnapshot, StoreError, UsageError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin

COLUMNS = {"n": "BIGINT", "at": "TIMESTAMP_TZ", "text": "VARCHAR", "x": "DOUBLE", "l": "DOUBLE[]"}
KEYED = typed_contract(COLUMNS)
KEYLESS = typed_contract(COLUMNS, key=())
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows(made: Contract, *values: tuple[int, str | None]) -> pl.DataFrame:
    """Return rows of a number and a text each, one on each day of March 2026."""
    return frame_of(
        made,
        {
            "n": [n for n, _ in values],
            "at": [NOON + timedelta(days=n) for n, _ in values],
            "text": [text for _, text in values],
            "x": [float(n) for n, _ in values],
            "l": [[0.5] for _ in values],
        },
    )


@pytest.fixture
def keyed(tmp_path: Path) -> PublishedPort:
    """Three publications: two rows; one changed, one gone, one new; nothing but a new row."""
    return PublishedPort(tmp_path, KEYED).publish(
        rows(KEYED, (1, "a"), (2, "b")),
        rows(KEYED, (1, "A"), (3, "c")),
        rows(KEYED, (1, "A"), (3, "c"), (4, None)),
    )


def short(events: Any) -> list[tuple[int, str, Any]]:
    """Return events as snapshot, what happened, and to which row."""
    return [
        (e["snapshot"], e["type"].rpartition(".")[2], e.get("subject", e["data"]["n"]))
        for e in events
    ]


STORY = [
    (1, "upserted", "n=1"),
    (1, "upserted", "n=2"),
    (2, "removed", "n=2"),
    (2, "upserted", "n=1"),
    (2, "upserted", "n=3"),
    (3, "upserted", "n=4"),
]


def test_the_events_are_what_each_publication_changed_in_the_order_of_publications(keyed):
    assert short(keyed.port().events()) == STORY


def test_an_event_is_a_cloudevent_that_says_origin_snapshot_and_processing_time(keyed):
    event = list(keyed.port().events())[-1]
    receipt = keyed.receipt
    cursor = event.pop("cursor")
    assert event == {
        "specversion": "1.0",
        "id": f"{ADDRESS}:visits#n=4@3",
        "source": f"{ADDRESS}:visits",
        "type": "dmesh.row.upserted",
        "subject": "n=4",
        "time": "2026-03-05T12:00:00.000000Z",
        "datacontenttype": "application/json",
        "dataschema": f"{ADDRESS}:visits:1",
        "snapshot": 3,
        "origin": "live",
        "status": "active",
        "processingtime": receipt.processing_time,
        "data": {"n": 4, "at": "2026-03-05T12:00:00.000000Z", "text": None, "x": 4.0, "l": [0.5]},
    }
    assert isinstance(cursor, str)


def test_names_of_attributes_are_those_that_cloudevents_allows(keyed):
    for event in keyed.port().events():
        assert all(name.isascii() and name.isalnum() and name.islower() for name in event)
        assert all(isinstance(v, str | int) and v != "" for k, v in event.items() if k != "data")
        json.dumps(event, allow_nan=False)


def test_an_event_of_a_mock_says_so_and_that_it_is_a_draft(tmp_path):
    made = PublishedPort(tmp_path, KEYED)
    made.publish(rows(KEYED, (1, "a")), origin=Origin.MOCK, status="draft")
    (event,) = made.port().events()
    assert (event["origin"], event["status"]) == ("mock", "draft")


def test_ids_are_unique_and_the_same_at_every_asking(keyed):
    ids = [e["id"] for e in keyed.port().events()]
    assert len(set(ids)) == len(ids)
    assert ids == [e["id"] for e in keyed.port().events()]


def test_whoever_goes_on_from_any_cursor_gets_exactly_the_events_after_it(keyed):
    everything = list(keyed.port().events())
    for place, event in enumerate(everything, 1):
        assert list(keyed.port().events(since=event["cursor"])) == everything[place:]
        assert list(keyed.port().events(event["cursor"], limit=2)) == everything[place : place + 2]


def test_a_cursor_holds_when_more_was_published(keyed):
    *_, last = keyed.port().events()
    assert list(keyed.port().events(last["cursor"])) == []
    keyed.publish(rows(KEYED, (1, "A")))
    after = short(keyed.port().events(last["cursor"]))
    assert after == [(4, "removed", "n=3"), (4, "removed", "n=4")]


def test_a_read_as_of_then_has_the_events_until_then(keyed):
    moment = keyed.port().pictures.receipt(2).processing_time
    assert short(keyed.port(as_of=moment).events()) == STORY[:5]


def test_an_instant_means_all_publications_after_it(keyed):
    times = [keyed.port().pictures.receipt(n).processing_time for n in (1, 2, 3)]
    assert short(keyed.port().events("2020-01-01")) == STORY
    assert short(keyed.port().events(times[0])) == STORY[2:]
    just_before = datetime.fromisoformat(times[1]) - timedelta(microseconds=1)
    assert short(keyed.port().events(just_before)) == STORY[2:]
    assert short(keyed.port().events(times[2])) == []


def test_the_events_of_a_window_make_up_its_rows(keyed):
    window = {"start": "2026-03-03", "end": "2026-03-05"}
    assert short(keyed.port(**window).events()) == [
        (1, "upserted", "n=2"),
        (2, "removed", "n=2"),
        (2, "upserted", "n=3"),
    ]


def test_a_row_that_leaves_the_window_is_removed_from_it(tmp_path):
    late = rows(KEYED, (1, "a")).with_columns(pl.col("at").dt.offset_by("1y"))
    made = PublishedPort(tmp_path, KEYED).publish(rows(KEYED, (1, "a")), late)
    assert short(made.port(end="2027-01-01").events())[1:] == [(2, "removed", "n=1")]


def test_without_a_key_equal_rows_are_counted(tmp_path):
    made = PublishedPort(tmp_path, KEYLESS).publish(
        rows(KEYLESS, (1, "a"), (1, "a"), (2, "b")), rows(KEYLESS, (1, "a"), (2, "b"), (2, "b"))
    )
    found = list(made.port().events())
    assert short(found) == [
        *((1, "upserted", n) for n in (1, 1, 2)),
        (2, "removed", 1),
        (2, "upserted", 2),
    ]
    assert len({e["id"] for e in found}) == 5
    assert not any("subject" in e for e in found)


def test_only_the_files_that_differ_are_read(tmp_path, keyed):
    whole = keyed.port().reading
    assert whole.only([]).collect().height == 0
    assert whole.only(whole.scan.paths).collect().equals(whole.frame.collect())


# ---- what is wrong with a cursor --------------------------------------------------------------


@pytest.mark.parametrize("since", ["soon", "", "12345678.0-1.1", "12345678.3-1.1-2", "1.2.3"])
def test_what_is_neither_cursor_nor_time_is_told_at_once(keyed, since):
    with pytest.raises(UsageError, match="neither a cursor nor a time"):
        keyed.port().events(since)


def test_a_naive_time_is_refused_with_the_fix(keyed):
    with pytest.raises(UsageError, match="say UTC"):
        keyed.port().events(datetime(2026, 1, 1))


def test_a_cursor_of_another_window_is_foreign(keyed):
    event = next(keyed.port().events())
    with pytest.raises(UsageError, match="not one of visits/visits with this window"):
        keyed.port(start="2026-03-01").events(event["cursor"])


def test_a_cursor_of_the_future_is_told(keyed):
    *_, last = keyed.port().events()
    with pytest.raises(UsageError, match="this read ends with snapshot 2"):
        keyed.port(as_of=keyed.port().pictures.receipt(2).processing_time).events(last["cursor"])


def test_a_cursor_that_counts_other_events_is_told(keyed):
    cursor = next(keyed.port().events())["cursor"].replace("1-2", "1-9")
    with pytest.raises(UsageError, match="one of 9 events"):
        list(keyed.port().events(cursor))


def test_a_negative_limit_is_refused(keyed):
    with pytest.raises(UsageError):
        keyed.port().events(limit=-1)
    assert list(keyed.port().events(limit=0)) == []


# ---- retention, damage, evolution -------------------------------------------------------------


def test_after_retention_the_first_events_are_the_whole_first_picture_that_is_kept(keyed):
    keyed.forget(1)
    assert short(keyed.port().events()) == [
        (2, "upserted", "n=1"),
        (2, "upserted", "n=3"),
        STORY[5],
    ]


def test_a_cursor_older_than_what_is_kept_names_the_first(keyed):
    everything = list(keyed.port().events())
    keyed.forget(1)
    first = keyed.port().pictures.receipt(2)
    for event in everything[:4]:  # also in the midst of snapshot 2, whose base is gone
        with pytest.raises(NoSnapshot, match="kept is 2") as gone:
            keyed.port().events(event["cursor"])
        assert gone.value.first == 2
        assert "begin anew without a cursor" in gone.value.next_step
    assert list(keyed.port().events(everything[4]["cursor"])) == everything[5:]
    with pytest.raises(NoSnapshot):
        keyed.port().events("2020-01-01")
    assert short(keyed.port().events(first.processing_time)) == STORY[5:]


def test_a_cursor_of_the_whole_first_picture_goes_on_in_it(keyed):
    keyed.forget(1)
    everything = list(keyed.port().events())
    assert list(keyed.port().events(everything[0]["cursor"])) == everything[1:]


def test_a_damaged_publication_is_told_and_not_skipped(keyed):
    port = keyed.port()
    for file in port.pictures.reading(2).scan.paths:
        Path(file).unlink()
    found = port.events()
    assert short([next(found), next(found)]) == STORY[:2]
    with pytest.raises(StoreError, match="snapshot 2 of visits is damaged"):
        next(found)


def test_an_added_column_changes_no_row_that_lacks_it(keyed):
    wider = typed_contract({**COLUMNS, "note": "VARCHAR"})
    keyed.renew(wider, "1.1.0")
    before = rows(KEYED, (1, "A"), (3, "c"), (4, None))
    noted = before.with_columns(note=pl.Series([None, "!", None], dtype=pl.String))
    (event,) = list(keyed.publish(noted).port().events())[6:]
    assert (event["subject"], event["data"]["note"]) == ("n=3", "!")


def test_of_a_contract_that_cannot_be_compared_every_row_is_new(keyed):
    other = typed_contract({**COLUMNS, "text": "BIGINT"})
    keyed.renew(other, "2.0.0")
    frame = rows(KEYED, (1, "7"), (5, "8")).with_columns(pl.col("text").cast(pl.Int64))
    events = list(keyed.publish(frame).port().events())[6:]
    assert short(events) == [
        *((4, "removed", name) for name in ("n=3", "n=4")),
        *((4, "upserted", name) for name in ("n=1", "n=5")),
    ]
    assert events[0]["data"]["text"] == "c"


def test_a_version_without_the_port_has_no_events_of_it(keyed):
    written = write_bundle(
        keyed.folder / "other",
        address=ADDRESS,
        version="0.9.0",
        ports={"others": typed_contract(COLUMNS)},
        inputs=(),
    )
    standing, keyed.bundle = keyed.bundle, Bundle(written)
    from mesh_notebook.mesh.publishing import publish

    publish(
        keyed.root,
        keyed.bundle,
        {"others": rows(KEYED, (9, "z"))},
        status="active",
        origin=Origin.LIVE,
        inputs=(),
        slos={"others": {}},
        engine={},
        principal="ana",
        clock=keyed.clock,
    )
    keyed.bundle = standing
    *_, last = keyed.publish(rows(KEYED, (1, "A"), (4, None))).port().events()
    assert (last["snapshot"], last["type"], last["subject"]) == (5, "dmesh.row.removed", "n=3")
    assert list(keyed.port().events(last["cursor"])) == []


# ---- the law ----------------------------------------------------------------------------------

_FLOATS = st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf"), None])
_ROW = st.fixed_dictionaries(
    {
        "n": st.integers(0, 4),
        "at": st.sampled_from([NOON, NOON + timedelta(days=1), None]),
        "text": st.sampled_from(["", "a", 'é"\n', None]),
        "x": _FLOATS,
        "l": st.none() | st.lists(_FLOATS, max_size=2),
    }
)


def _columns(picture: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in picture] for name in COLUMNS}


@pytest.mark.parametrize("made", [KEYED, KEYLESS], ids=["keyed", "keyless"])
@given(data=st.data())
@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
def test_whoever_applies_the_events_from_any_place_has_the_rows_of_the_port(made, data):
    unique = (lambda row: row["n"]) if made.key else None
    pictures = data.draw(
        st.lists(st.lists(_ROW, max_size=5, unique_by=unique), min_size=1, max_size=4)
    )
    with tempfile.TemporaryDirectory() as folder:
        port = PublishedPort(Path(folder), made)
        port.publish(*(frame_of(made, _columns(picture)) for picture in pictures))
        window = data.draw(st.sampled_from([{}, {"end": NOON + timedelta(hours=1)}]))
        everything = list(port.port(**window).events())
        if everything:
            place = data.draw(st.integers(1, len(everything)))
            cursor = everything[place - 1]["cursor"]
            assert list(port.port(**window).events(cursor)) == everything[place:]
        expected = [json.loads(line) for line in _ndjson(port.port(**window))]
    assert _applied(everything, keyed=bool(made.key)) == Counter(_said(row) for row in expected)


def _ndjson(port: Any) -> list[str]:
    text = port.encoded("ndjson")
    return [line for line in text.split("\n") if line]


def _applied(events: list[dict[str, Any]], keyed: bool) -> Counter[str]:
    if keyed:
        table: dict[str, str] = {}
        for event in events:
            if event["type"].endswith("removed"):
                del table[event["subject"]]
            else:
                table[event["subject"]] = _said(event["data"])
        return Counter(table.values())
    rows: Counter[str] = Counter()
    for event in events:
        rows[_said(event["data"])] += 1 if event["type"].endswith("upserted") else -1
    assert min(rows.values(), default=0) >= 0
    return +rows


def _said(row: dict[str, Any]) -> str:
    return json.dumps(bits(row), sort_keys=True)
