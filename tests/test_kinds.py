"""The two kinds of port: pictures, whole or of an interval each, and logs that are corrected."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import Clock, contract, published, write_bundle
from deltalake import DeltaTable

from mesh_notebook.errors import ContractError, DeployRefused, StoreError, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.place import Folder
from mesh_notebook.mesh.reading import Reading, read_port
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.time import Window

ADDRESS = "urn:dmesh:local:music:plays"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
COLUMNS = {"id": "BIGINT", "day": "DATE", "n": "BIGINT"}


class Port:
    """A product of one port, `plays`, that is published to by frame."""

    def __init__(self, folder: Path, temporality: dict[str, Any], root: Any = None) -> None:
        self.folder, self.temporality = folder, temporality
        self.root = root or folder / "mesh"
        self.clock = Clock(datetime(2026, 6, 1, tzinfo=UTC), timedelta(hours=1))
        self.bundle()

    def bundle(
        self,
        version: str = "1.0.0",
        columns: dict[str, str] | None = None,
        key: tuple[str, ...] = ("id",),
        event_time: str | None = "day",
        status: str = "active",
        **properties: Any,
    ) -> None:
        made = contract(
            columns or COLUMNS,
            id=f"{ADDRESS}:plays:{version.split('.')[0]}",
            event_time=event_time,
            key=key,
            **properties,
        )
        self.made = write_bundle(
            self.folder / "bundle",
            address=ADDRESS,
            version=version,
            ports={"plays": made},
            inputs=(),
            status=status,
            temporality=self.temporality,
        )

    def publish(self, *rows: tuple[Any, ...], **more: Any) -> Any:
        frame = rows_of(rows)
        return published(self.made, self.root, self.clock, plays=frame, **more)

    def read(self, start=None, end=None, as_of=None) -> Reading:
        found = Catalogue([self.root]).resolve("plays")[0]
        return read_port(found, None, Window.of(start, end, as_of, NOW), "bo")

    def rows(self, *window: Any) -> list[tuple[Any, ...]]:
        return sorted(self.read(*window).frame.collect().rows())


def rows_of(rows: tuple[tuple[Any, ...], ...]) -> pl.DataFrame:
    named = {"id": pl.Int64, "day": pl.Date, "n": pl.Int64}
    return pl.DataFrame(
        [(id, date(2026, month, day), n) for id, month, day, n in rows], schema=named, orient="row"
    )


@pytest.fixture
def log(tmp_path: Path) -> Port:
    return Port(tmp_path, {"kind": "log", "eventTime": "day"})


@pytest.fixture
def monthly(tmp_path: Path) -> Port:
    return Port(tmp_path, {"kind": "snapshot", "interval": "P1M"})


def ids(rows: list[tuple[Any, ...]]) -> list[tuple[int, int]]:
    return [(id, n) for id, _, n in rows]


def test_a_log_adds_up_and_a_later_row_of_the_same_key_corrects_the_earlier(log):
    first = log.publish((1, 1, 1, 10), (2, 1, 2, 20))
    second = log.publish((2, 1, 2, 25), (3, 1, 3, 30))
    assert ids(log.rows()) == [(1, 10), (2, 25), (3, 30)]
    assert ids(log.rows(None, None, first.processing_time)) == [(1, 10), (2, 20)]
    told = second.ports["plays"]
    assert (told.kind, told.rows, told.added, told.corrected) == ("log", 3, 2, 1)


def test_a_late_event_is_known_only_from_its_publication_on(log):
    first = log.publish((1, 3, 1, 1))
    log.publish((2, 1, 15, 2))
    assert ids(log.rows("2026-01", "2026-02")) == [(2, 2)]
    assert ids(log.rows("2026-01", "2026-02", first.processing_time)) == []


def test_what_a_log_has_already_is_not_added_again(log):
    log.publish((1, 1, 1, 10), (2, 1, 2, 20))
    again = log.publish((1, 1, 1, 10), (2, 1, 2, 20), (3, 1, 3, 30))
    assert (again.ports["plays"].added, again.ports["plays"].corrected) == (1, 0)
    assert log.publish((1, 1, 1, 10)).ports["plays"].added == 0
    assert ids(log.rows()) == [(1, 10), (2, 20), (3, 30)]


def test_the_small_files_of_many_publications_are_gathered_and_earlier_ones_stand(log, monkeypatch):
    monkeypatch.setattr("mesh_notebook.mesh.log._SCATTERED", 8)
    times = [log.publish((n, 1, 1, n)).processing_time for n in range(20)]
    assert len(log.read().scan.paths) <= 8
    for n, moment in enumerate(times, start=1):
        assert ids(log.rows(None, None, moment)) == [(m, m) for m in range(n)]


def test_a_value_that_becomes_null_is_a_correction(log, tmp_path):
    log.publish((1, 1, 1, 10))
    frame = rows_of(((1, 1, 1, 10),)).with_columns(n=pl.lit(None, pl.Int64))
    told = published(log.made, log.root, log.clock, plays=frame).ports["plays"]
    assert (told.added, told.corrected) == (1, 1)
    assert ids(log.rows()) == [(1, None)]


def test_what_a_killed_writer_appended_to_a_log_is_in_no_snapshot(log):
    log.publish((1, 1, 1, 10))
    table = log.root / "music" / "plays" / "ports" / "plays" / "v1"
    DeltaTable(table).restore(0)  # somebody wrote, and never published
    log.publish((2, 1, 2, 20))
    assert ids(log.rows()) == [(1, 10), (2, 20)]


def test_a_log_without_a_key_is_refused(log):
    log.bundle(key=())
    with pytest.raises(ContractError, match="a log without a key"):
        log.publish((1, 1, 1, 10))


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path):
    port = Port(tmp_path, {"kind": "stream"})
    with pytest.raises(DeployRefused, match="'stream'") as refused:
        port.publish((1, 1, 1, 1))
    assert "snapshot, log" in refused.value.next_step


def test_a_log_that_began_with_mock_rows_begins_anew_with_live_ones(log):
    log.bundle(status="draft")
    mocked = log.publish((1, 1, 1, 10), origin=Origin.MOCK)
    log.bundle("1.1.0", status="active", n={"description": "How many."})
    live = log.publish((2, 1, 2, 20))
    assert (live.origin, live.ports["plays"].left_behind) == (Origin.LIVE, mocked.snapshot)
    assert (live.ports["plays"].rows, live.ports["plays"].added) == (1, 1)
    assert ids(log.rows()) == [(2, 20)]
    assert ids(log.rows(None, None, mocked.processing_time)) == [(1, 10)]
    more = log.publish((3, 1, 3, 30))
    assert (more.origin, more.ports["plays"].left_behind) == (Origin.LIVE, 0)
    assert ids(log.rows()) == [(2, 20), (3, 30)]


def test_a_log_goes_on_from_the_last_live_rows_after_a_draft_of_others(log):
    log.publish((1, 1, 1, 10), (2, 1, 2, 20))
    log.bundle("1.1.0", status="draft")
    assert log.publish((3, 1, 3, 30), origin=Origin.MOCK).origin is Origin.MOCK
    log.bundle("1.1.1")
    live = log.publish((2, 1, 2, 25))
    assert (live.origin, live.ports["plays"].left_behind) == (Origin.LIVE, 2)
    assert (live.ports["plays"].added, live.ports["plays"].corrected) == (1, 1)
    assert ids(log.rows()) == [(1, 10), (2, 25)]


def test_mock_pictures_of_months_do_not_stay_beside_live_ones(monthly):
    monthly.bundle(status="draft")
    monthly.publish((1, 8, 1, 1), origin=Origin.MOCK)
    monthly.bundle("1.0.1")
    monthly.publish((1, 9, 1, 2))
    live = monthly.read("2026-08", "2026-10")
    assert live.origin is Origin.LIVE
    assert ids(sorted(live.frame.collect().rows())) == [(1, 2)]


def test_a_dump_of_a_month_is_read_by_its_month(monthly):
    first = monthly.publish((1, 9, 1, 1), (2, 9, 30, 2))
    monthly.publish((1, 10, 1, 3))
    assert ids(monthly.rows()) == [(1, 3)]
    assert ids(monthly.rows("2026-09", "2026-10")) == [(1, 1), (2, 2)]
    assert ids(monthly.rows("2026-09", "2026-11")) == [(1, 1), (1, 3), (2, 2)]
    assert monthly.rows("2026-03", "2026-04") == []
    assert ids(monthly.rows("2026-10", "2026-11", first.processing_time)) == []
    assert monthly.read().intervals == ("2026-10-01T00:00:00Z/2026-11-01T00:00:00Z",)


def test_a_month_published_again_is_corrected_and_stays_in_its_place(monthly):
    monthly.publish((1, 9, 1, 1))
    second = monthly.publish((1, 10, 1, 2))
    monthly.publish((1, 9, 1, 9))
    assert ids(monthly.rows()) == [(1, 2)]
    assert ids(monthly.rows("2026-09", "2026-10")) == [(1, 9)]
    assert ids(monthly.rows("2026-09", "2026-10", second.processing_time)) == [(1, 1)]


def test_a_dump_of_two_months_at_once_is_refused(monthly):
    with pytest.raises(DeployRefused, match="in more than one"):
        monthly.publish((1, 9, 1, 1), (2, 10, 1, 2))
    with pytest.raises(DeployRefused, match="not only in"):
        monthly.publish((1, 9, 1, 1), interval=datetime(2026, 10, 5, tzinfo=UTC))


def test_a_dump_without_event_times_says_its_month_itself(monthly):
    monthly.bundle(event_time=None)
    with pytest.raises(DeployRefused, match="nothing in its rows says") as refused:
        monthly.publish((1, 9, 1, 1))
    assert "--interval 2026-10" in refused.value.next_step
    monthly.publish((1, 9, 1, 1), interval=datetime(2026, 9, 5, tzinfo=UTC))
    monthly.publish((1, 9, 1, 1), interval=datetime(2026, 10, 5, tzinfo=UTC))
    assert len(monthly.rows("2026-09", "2026-11")) == 2
    assert len(monthly.rows("2026-10-20")) == 1


def test_a_picture_that_an_interval_may_not_have_is_refused(tmp_path):
    port = Port(tmp_path, {"kind": "snapshot", "interval": "P3D"})
    with pytest.raises(UsageError, match="no interval of the calendar"):
        port.publish((1, 9, 1, 1))


@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_an_added_column_is_null_in_what_was_published_before(tmp_path, kind):
    port = Port(tmp_path, {"kind": kind})
    first = port.publish((1, 1, 1, 10))
    port.bundle("1.1.0", {**COLUMNS, "place": "VARCHAR"})
    wider = rows_of(((2, 1, 2, 20),)).with_columns(place=pl.lit("Rome"))
    published(port.made, port.root, port.clock, plays=wider)
    old = port.read(None, None, first.processing_time).frame.collect()
    assert old.rows() == [(1, date(2026, 1, 1), 10, None)]
    assert old.schema["place"] == pl.String
    before = [(1, date(2026, 1, 1), 10, None)] if kind == "log" else []
    assert port.rows() == [*before, (2, date(2026, 1, 2), 20, "Rome")]


@pytest.mark.parametrize(
    ("columns", "more", "says"),
    [
        ({"id": "BIGINT", "day": "DATE"}, {}, "the column 'n' is gone"),
        ({**COLUMNS, "n": "DOUBLE"}, {}, "'n' was BIGINT and becomes DOUBLE"),
        ({**COLUMNS, "m": "BIGINT"}, {"m": {"required": True}}, "'m' is required"),
        (COLUMNS, {"key": ("id", "day")}, "its key was id and becomes id, day"),
        (COLUMNS, {"event_time": None}, "its event time was day and becomes none"),
    ],
)
def test_what_would_break_consumers_is_a_new_major_version(tmp_path, columns, more, says):
    port = Port(tmp_path, {"kind": "snapshot"})
    first = port.publish((1, 1, 1, 10))
    port.bundle("1.1.0", columns, **more)
    frame = rows_of(((1, 1, 1, 11),)).with_columns(m=pl.lit(1, pl.Int64)).select(*columns)
    with pytest.raises(DeployRefused, match=says) as refused:
        published(port.made, port.root, port.clock, plays=frame)
    assert "--version 2.0.0" in refused.value.next_step
    assert ids(port.rows()) == [(1, 10)]
    port.bundle("2.0.0", COLUMNS)
    port.publish((1, 1, 1, 12))
    assert ids(port.rows()) == [(1, 12)]
    assert ids(port.rows(None, None, first.processing_time)) == [(1, 10)]


def test_a_kind_cannot_change_under_one_major_version(log):
    log.publish((1, 1, 1, 10))
    log.temporality = {"kind": "snapshot"}
    log.bundle("1.1.0")
    with pytest.raises(DeployRefused, match="its kind was log and becomes snapshot"):
        log.publish((1, 1, 1, 11))


def test_a_clock_that_went_back_keeps_the_order_and_is_told(log):
    log.publish((1, 1, 1, 10))
    log.clock = Clock(datetime(2026, 5, 1, tzinfo=UTC), timedelta(0))
    late = log.publish((2, 1, 1, 20))
    assert late.processing_time == "2026-06-01T02:00:00.000001Z"
    assert late.clock_behind_s == timedelta(days=31, hours=2).total_seconds()


def test_log_files_that_were_touched_change_no_read(log):
    import os

    times = [log.publish((n, 1, n, n)).processing_time for n in (1, 2, 3)]
    before = [log.rows(None, None, moment) for moment in times]
    for n, path in enumerate(sorted(Path(log.root).rglob("_delta_log/*.json"))):
        os.utime(path, (1e9 - n * 1e6, 1e9 - n * 1e6))
    assert [log.rows(None, None, moment) for moment in times] == before


def test_a_wide_port_is_laid_out_by_day_and_a_window_opens_its_days_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("mesh_notebook.mesh.store._WIDE", 4)
    monkeypatch.setattr("mesh_notebook.mesh.store._A_DAY", 2)
    port = Port(tmp_path, {"kind": "log"})
    port.publish(*((n, 1, 1 + n % 3, n) for n in range(9)))
    read = port.read("2026-01-02", "2026-01-03")
    assert ids(read.frame.collect().rows()) == [(1, 1), (4, 4), (7, 7)]
    assert len(read.scan.paths) == 1
    assert len(port.read().scan.paths) == 3
    port.publish((4, 1, 3, 40), (100, 1, 5, 1))
    assert ids(port.rows("2026-01-02", "2026-01-03")) == [(1, 1), (7, 7)]
    assert ids(port.rows("2026-01-03")) == [(2, 2), (4, 40), (5, 5), (8, 8), (100, 1)]
    assert len(port.rows()) == 10


def test_a_table_that_plain_files_do_not_tell_is_read_by_delta(tmp_path):
    port = Port(tmp_path, {"kind": "snapshot"})
    port.publish((1, 1, 1, 10))
    found = Catalogue([port.root]).resolve("plays")[0]
    table = found.table("plays", "1").folder
    frame = rows_of(((1, 1, 1, 10), (2, 1, 2, 20)))
    frame.write_delta(
        table,
        mode="overwrite",
        delta_write_options={"partition_by": ["day"], "schema_mode": "overwrite"},
    )
    path = found.folder.path / "publications" / "000000000001.json"
    version = DeltaTable(table).version()
    path.write_text(path.read_text().replace('"delta_version": 1', f'"delta_version": {version}'))
    read = port.read()
    assert read.scan.format == "delta"
    assert read.frame.collect_schema().names() == list(COLUMNS)
    assert ids(port.rows()) == [(1, 10), (2, 20)]


def test_a_root_that_is_gone_in_the_middle_is_said(log):
    import shutil

    log.publish((1, 1, 1, 10))
    found = Catalogue([log.root]).resolve("plays")[0]
    shutil.rmtree(log.root / "music" / "plays" / "ports")
    with pytest.raises(StoreError, match="snapshot 1 of plays is damaged"):
        read_port(found, None, Window(), "bo")
    assert Folder(log.root).folders() == ["music"]


def told(port: Port) -> list[tuple[str, int, int, int]]:
    """Return what the port's events say: of which snapshot, which row, and what it holds."""
    import mesh_notebook

    events = mesh_notebook.open(port.root).port("plays").events()
    kind = {"dmesh.row.upserted": "+", "dmesh.row.removed": "-"}
    return [(kind[e["type"]], e["snapshot"], e["data"]["id"], e["data"]["n"]) for e in events]


def test_the_events_of_a_log_are_what_each_publication_added_and_corrected(log):
    log.publish((1, 1, 1, 10), (2, 1, 2, 20))
    log.publish((1, 1, 1, 10), (2, 1, 2, 25), (3, 1, 3, 30))
    assert sorted(told(log)) == [("+", 1, 1, 10), ("+", 1, 2, 20), ("+", 2, 2, 25), ("+", 2, 3, 30)]


def test_the_events_of_a_dump_compare_a_month_with_the_same_month_before(monthly):
    monthly.publish((1, 9, 1, 1), (2, 9, 2, 2))
    monthly.publish((1, 10, 1, 3))
    monthly.publish((1, 9, 1, 1), (3, 9, 2, 9))
    assert sorted(told(monthly)) == [
        ("+", 1, 1, 1),
        ("+", 1, 2, 2),
        ("+", 2, 1, 3),
        ("+", 3, 3, 9),
        ("-", 3, 2, 2),
    ]
