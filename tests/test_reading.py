"""Reading a port: which snapshot, which rows, and what is not read."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from bundles import START, Clock, contract, deployed, write_bundle

from mesh_notebook.errors import (
    NoSnapshot,
    StoreError,
    UnknownPort,
    UsageError,
)
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import Reading, read_port
from mesh_notebook.model.time import Window

ADDRESS = "urn:dmesh:local:travel:visits"
SAME = "def visits(seen):\n    return seen\n"
DAYS = pl.DataFrame({"n": range(5), "at": [date(2026, 3, n) for n in range(1, 6)]})
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANTS = pl.DataFrame(
    {"n": range(5), "at": [NOON + timedelta(days=n) for n in range(5)]},
    schema={"n": pl.Int64, "at": pl.Datetime("us", "UTC")},
)


class Product:
    """A product of one port, `visits`, with a snapshot for each frame published."""

    def __init__(self, folder: Path, physical: str, event_time: str | None = "at") -> None:
        made = contract(
            {"n": "BIGINT", "at": physical}, id=f"{ADDRESS}:visits:1", event_time=event_time
        )
        self.root, self.clock = folder / "mesh", Clock(step=timedelta(hours=1))
        self.bundle = write_bundle(
            folder / "bundle",
            address=ADDRESS,
            ports={"visits": made},
            inputs=("seen",),
            transform=SAME,
        )

    def publish(self, *frames: pl.DataFrame) -> Product:
        for frame in frames:
            self.receipt = deployed(self.bundle, self.root, self.clock, seen=frame).receipt
        return self

    @property
    def published(self) -> PublishedProduct:
        return Catalogue([self.root]).resolve("visits")[0]

    def read(self, start=None, end=None, as_of=None) -> Reading:
        return read_port(self.published, None, Window.of(start, end, as_of, START), "bo")

    def numbers(self, *window) -> list[int]:
        return self.read(*window).frame.collect()["n"].to_list()


@pytest.fixture
def days(tmp_path: Path) -> Product:
    return Product(tmp_path, "DATE").publish(DAYS)


@pytest.fixture
def instants(tmp_path: Path) -> Product:
    return Product(tmp_path, "TIMESTAMP_TZ").publish(INSTANTS)


@pytest.mark.parametrize(
    ("start", "end", "numbers"),
    [
        (None, None, [0, 1, 2, 3, 4]),
        ("2026-03-02", None, [1, 2, 3, 4]),
        (None, "2026-03-02", [0]),
        ("2026-03-02", "2026-03-04", [1, 2]),
        ("2026-03-02T00:00:01Z", "2026-03-04T00:00:01Z", [2, 3]),
        ("2026-03-02T01:00:00+02:00", None, [1, 2, 3, 4]),
        ("2026-03", "2026-04", [0, 1, 2, 3, 4]),
        ("2027-01-01", None, []),
    ],
)
def test_a_window_over_dates_is_half_open_and_a_date_is_its_midnight(days, start, end, numbers):
    assert days.numbers(start, end) == numbers


@pytest.mark.parametrize(
    ("start", "end", "numbers"),
    [
        ("2026-03-02T12:00:00Z", None, [1, 2, 3, 4]),
        ("2026-03-02T12:00:00.000001Z", None, [2, 3, 4]),
        (None, "2026-03-02T12:00:00Z", [0]),
        ("2026-03-02", "2026-03-04", [1, 2]),
        ("2026-03-02T14:00:00+02:00", "2026-03-03T12:00:00Z", [1]),
    ],
)
def test_a_window_over_instants_is_half_open(instants, start, end, numbers):
    assert instants.numbers(start, end) == numbers


def test_rows_without_an_event_time_are_in_no_window(tmp_path):
    unsure = pl.concat([DAYS, pl.DataFrame({"n": [9], "at": [None]}, schema=DAYS.schema)])
    product = Product(tmp_path, "DATE").publish(unsure)
    assert 9 in product.numbers()
    assert 9 not in product.numbers("2020-01-01")
    assert 9 not in product.numbers(None, "2030-01-01")


def test_as_of_gives_what_was_known_then(days):
    days.publish(DAYS.head(1), DAYS.head(2))
    times = [days.published.receipt(n).processing_time for n in (1, 2, 3)]
    assert times == sorted(set(times))
    assert [days.numbers(None, None, time) for time in times] == [[0, 1, 2, 3, 4], [0], [0, 1]]
    just_before = datetime.fromisoformat(times[1]) - timedelta(microseconds=1)
    assert len(days.numbers(None, None, just_before)) == 5
    assert days.numbers("2026-03-02", None, times[2]) == [1]
    assert days.numbers(None, None, "2100-01-01") == [0, 1]
    assert days.numbers() == [0, 1]


def test_before_the_first_snapshot_there_is_an_error_that_names_it(days):
    with pytest.raises(NoSnapshot, match="no snapshot yet") as early:
        days.read(None, None, "2025-12-31")
    assert early.value.first == days.receipt.processing_time
    assert days.receipt.processing_time in early.value.next_step


def test_a_port_without_an_event_time_cannot_be_cut_by_one(tmp_path):
    product = Product(tmp_path, "DATE", event_time=None).publish(DAYS)
    with pytest.raises(UsageError, match="has no event time"):
        product.read("2026-03-02")
    assert product.numbers(None, None, "2100-01-01") == [0, 1, 2, 3, 4]


def test_a_reading_says_what_was_read_and_how_to_read_it_again(days):
    reading = days.read("2026-03-02")
    assert (reading.port, reading.principal.name) == ("visits", "bo")
    assert reading.receipt == days.receipt
    assert reading.contract.id == f"{ADDRESS}:visits:1"
    assert str(reading.product.address) == ADDRESS
    again = reading.window_filter.cut(reading.scan.lazy())
    assert again.collect().equals(reading.frame.collect())
    assert days.read().window_filter is None


def test_a_reading_keeps_to_its_snapshot_while_others_are_published(days):
    frame = days.read().frame
    days.publish(DAYS.head(1))
    assert frame.collect().height == 5


def test_a_port_that_is_not_there_is_named_with_those_that_are(days):
    with pytest.raises(UnknownPort, match="no output port 'visit'") as unknown:
        read_port(days.published, "visit", Window(), "bo")
    assert unknown.value.near == ["visits"]


def data_files(product: Product, snapshot: int) -> list[Path]:
    published = product.published
    return [Path(f) for f in published.files(published.receipt(snapshot), "visits")]


def hurt_publication(product: Product) -> None:
    (product.published.folder.path / "publications" / "000000000002.json").write_text("{")


def swap_publication(product: Product) -> None:
    folder = product.published.folder.path / "publications"
    shutil.copy(folder / "000000000001.json", folder / "000000000002.json")


def empty_publication(product: Product) -> None:
    (product.published.folder.path / "publications" / "000000000002.json").write_bytes(b"")


def lose_data(product: Product) -> None:
    data_files(product, 2)[0].unlink()


def cut_data(product: Product) -> None:
    (file,) = data_files(product, 2)
    file.write_bytes(file.read_bytes()[:20])


@pytest.mark.parametrize(
    "harm", [hurt_publication, swap_publication, empty_publication, lose_data, cut_data]
)
def test_damage_names_the_hurt_snapshot_and_those_that_still_read(days, harm):
    days.publish(DAYS.head(1))
    first = days.published.receipt(1).processing_time
    harm(days)
    with pytest.raises(StoreError, match="snapshot 2 of visits is damaged") as damaged:
        days.read()
    assert (damaged.value.snapshot, damaged.value.readable) == (2, [1])
    assert f"--as-of {first}" in damaged.value.next_step
    assert len(days.numbers(None, None, first)) == 5


def test_a_hurt_publication_is_in_nobodys_way_at_times_that_are_certain(days):
    days.publish(DAYS.head(1), DAYS.head(2), DAYS.head(3))
    times = [days.published.receipt(n).processing_time for n in (1, 2, 3, 4)]
    hurt_publication(days)
    assert [len(days.numbers(None, None, times[n])) for n in (0, 2, 3)] == [5, 2, 3]
    assert len(days.numbers()) == 3
    between = datetime.fromisoformat(times[0]) + timedelta(seconds=1)
    for unsure in (between, times[1]):
        with pytest.raises(StoreError, match="snapshot 2 of visits is damaged"):
            days.read(None, None, unsure)
    with pytest.raises(NoSnapshot):
        days.read(None, None, "2025-01-01")


@pytest.mark.parametrize("name", ["product.odps.yaml", "contracts/visits.odcs.yaml"])
@pytest.mark.parametrize("how", ["gone", "edited", "garbled"])
def test_a_release_that_is_not_as_it_was_published_is_damage(days, name, how):
    release = days.published.folder.path / "releases" / days.receipt.release
    path = release / name
    if how == "gone":
        path.unlink()
    elif how == "edited":
        path.write_text(path.read_text().replace("local", "other"))
    else:
        path.write_bytes(b"\xff[")
    with pytest.raises(StoreError, match="snapshot 1 of visits is damaged") as damaged:
        days.read()
    assert damaged.value.readable == []


def test_a_release_that_is_gone_hurts_its_own_snapshots_alone(days):
    changed = contract(
        {"n": "BIGINT", "at": "DATE"},
        id=f"{ADDRESS}:visits:1",
        event_time="at",
        n={"description": "How many."},
    )
    write_bundle(
        days.bundle,
        address=ADDRESS,
        version="1.1.0",
        ports={"visits": changed},
        inputs=("seen",),
        transform=SAME,
    )
    days.publish(DAYS.head(2))
    shutil.rmtree(days.published.folder.path / "releases" / days.receipt.release)
    with pytest.raises(StoreError) as damaged:
        days.read()
    assert damaged.value.readable == [1]


@pytest.mark.parametrize("part", ["publications/000000000001.json", "releases", "ports/visits/v1"])
def test_a_link_out_of_the_root_is_not_followed(days, tmp_path, part):
    path = days.published.folder.path / part
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match="leads out"):
        days.read()


def test_a_receipt_cannot_name_a_release_elsewhere(days):
    path = days.published.folder.path / "publications" / "000000000001.json"
    path.write_text(path.read_text().replace(days.receipt.release, "../../../x"))
    with pytest.raises(StoreError, match="is no release"):
        days.read()


def test_a_mesh_that_was_moved_reads_the_same(days, tmp_path):
    shutil.move(days.root, tmp_path / "moved")
    days.root = tmp_path / "moved"
    assert len(days.numbers()) == 5


def test_a_root_behind_a_link_is_a_root(days, tmp_path):
    (tmp_path / "link").symlink_to(days.root)
    days.root = tmp_path / "link"
    assert len(days.numbers()) == 5
