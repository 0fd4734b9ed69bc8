"""Roots and files that fail: what is said, what is hurt, what still reads; nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import Clock, contract, published, write_bundle
from test_kinds import Port, ids, rows_of

from mesh_notebook.errors import (
    ContractError,
    DeployRefused,
    MeshError,
    StoreError,
    UnknownProduct,
    UsageError,
)
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.inputs import EventWindow
from mesh_notebook.model.time import Window, interval_around


@pytest.fixture(params=["snapshot", "log"])
def port(request, tmp_path: Path) -> Port:
    return Port(tmp_path, {"kind": request.param})


@pytest.fixture
def log(tmp_path: Path) -> Port:
    return Port(tmp_path, {"kind": "log"})


@contextmanager
def mounted(folder: Path, *how: str) -> Iterator[Path]:
    """Mount something in a folder for as long as it takes, where one may."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *how, folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount {how[-1]}: {done.stderr.strip() or 'not root'}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount to make a disk with")
@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_a_full_disk_is_said_and_what_was_published_stands(kind, tmp_path):
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=2m", "tmpfs") as disk:
        port = Port(tmp_path, {"kind": kind}, root=disk / "mesh")
        port.publish((1, 1, 1, 10), (2, 1, 2, 20))
        ballast = disk / "ballast"
        for free in (0, 4, 16, 40, 100):  # kilobytes: it fails at ever later steps
            fill(ballast, free)
            with pytest.raises(StoreError, match="cannot be written") as full:
                port.publish(*((n, 1, 1, n) for n in range(9_000)))
            assert "room on its disk" in full.value.next_step
            assert "\n" not in full.value.message
            assert ids(port.rows()) == [(1, 10), (2, 20)]
        ballast.unlink()
        port.publish((1, 1, 1, 11), (2, 1, 2, 20))
        assert ids(port.rows()) == [(1, 11), (2, 20)]
        found = Catalogue([port.root]).resolve("plays")[0]
        assert found.snapshots() == [1, 2]


def fill(ballast: Path, free: int) -> None:
    """Leave so many kilobytes on the disk."""
    ballast.unlink(missing_ok=True)
    disk = os.statvfs(ballast.parent)
    size = max(disk.f_bavail * disk.f_frsize - free * 1024, 0)
    ballast.write_bytes(b"\0" * size)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount to make a disk with")
def test_a_root_that_is_read_only_reads_and_says_that_it_cannot_be_written(port, tmp_path):
    port.publish((1, 1, 1, 10))
    shutil.rmtree(port.root / ".aside")
    with mounted(port.root, "--bind", "-o", "ro", str(port.root)):
        subprocess.run(["mount", "-o", "remount,ro,bind", port.root], check=True)
        assert ids(port.rows()) == [(1, 10)]
        with pytest.raises(StoreError, match="cannot be written: Read-only") as refused:
            port.publish((1, 1, 1, 11))
        assert "MESH_ROOTS" in refused.value.next_step
    assert ids(port.rows()) == [(1, 10)]


def test_a_root_that_is_a_file_can_neither_be_read_nor_published_to(tmp_path):
    (tmp_path / "mesh").write_text("I am a file")
    port = Port(tmp_path, {"kind": "log"})
    with pytest.raises(StoreError, match="is a file"):
        port.rows()
    with pytest.raises(StoreError, match="is a file"):
        port.publish((1, 1, 1, 1))
    assert (tmp_path / "mesh").read_text() == "I am a file"


def test_a_root_that_goes_in_the_middle_of_a_read_is_an_empty_mesh(port):
    port.publish((1, 1, 1, 10))
    found = Catalogue([port.root]).resolve("plays")[0]
    receipt = found.latest()
    shutil.rmtree(port.root)
    with pytest.raises(StoreError, match="snapshot 1 of plays is damaged"):
        found.version(receipt, "plays")
    with pytest.raises(MeshError, match="nothing was published"):
        found.latest()
    with pytest.raises(UnknownProduct, match="is empty"):
        port.rows()


def test_a_root_that_goes_between_the_read_and_the_rows_gives_no_rows_but_an_error(port):
    port.publish((1, 1, 1, 10))
    frame = port.read().frame
    shutil.rmtree(port.root)
    with pytest.raises((FileNotFoundError, pl.exceptions.PolarsError)):
        frame.collect()


def harmed(port: Port, receipt: Any, how: str) -> None:
    """Hurt what this publication brought: its entry in the log, or a file that it added."""
    table = port.root / "music" / "plays" / "ports" / "plays" / "v1"
    version = receipt.ports["plays"].delta_version
    entry = table / "_delta_log" / f"{version:020}.json"
    if how == "log cut short":
        entry.write_bytes(entry.read_bytes()[:-40])
        return
    added = [word.split('"')[0] for word in entry.read_text().split('"add":{"path":"')[1:]]
    file = table / added[0]
    if how == "file missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-9])


@pytest.mark.parametrize("how", ["log cut short", "file missing", "file cut short"])
def test_damage_to_a_log_names_what_is_hurt_and_what_still_reads(log, how):
    first = log.publish((1, 1, 1, 10))
    second = log.publish((2, 1, 2, 20))
    log.publish((3, 1, 3, 30))
    harmed(log, second, how)
    with pytest.raises(StoreError, match="snapshot 3 of plays is damaged") as hurt:
        log.rows()
    assert hurt.value.readable == [1]
    assert f"--as-of {first.processing_time}" in hurt.value.next_step
    assert ids(log.rows(None, None, first.processing_time)) == [(1, 10)]
    with pytest.raises(StoreError):
        log.publish((2, 1, 2, 21))
    assert Catalogue([log.root]).resolve("plays")[0].snapshots() == [1, 2, 3]
    assert ids(log.rows(None, None, first.processing_time)) == [(1, 10)]


@pytest.mark.parametrize("how", ["log cut short", "file missing", "file cut short"])
def test_damage_to_a_snapshot_hurts_that_one_alone(tmp_path, how):
    port = Port(tmp_path, {"kind": "snapshot"})
    receipts = [port.publish((n, 1, n, n)) for n in (1, 2, 3)]
    harmed(port, receipts[2], how)
    with pytest.raises(StoreError, match="snapshot 3 of plays is damaged") as hurt:
        port.rows()
    assert hurt.value.readable == [1, 2]
    for n, receipt in enumerate(receipts[:2], start=1):
        assert ids(port.rows(None, None, receipt.processing_time)) == [(n, n)]


def test_a_log_whose_file_is_rotten_inside_takes_no_correction(log):
    log.publish(*((n, 1, 1, n) for n in range(2_000)))
    (file,) = (log.root / "music" / "plays" / "ports" / "plays" / "v1").glob("*.parquet")
    content = bytearray(file.read_bytes())
    content[8 : len(content) // 2] = bytes(len(content) // 2 - 8)
    file.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be read"):
        log.publish((1, 1, 1, 11))
    assert Catalogue([log.root]).resolve("plays")[0].snapshots() == [1]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (((1, 1, 1, 10), (1, 1, 1, 11)), "1 rows of the log 'plays' repeat the value of its key"),
        (((None, 1, 1, 10), (2, 1, 1, 1)), "1 rows of the log 'plays' have no value in its key"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_rows_of_a_log_that_could_each_be_the_last_are_refused(log, rows, says, before):
    if before:
        log.publish((1, 1, 1, 1))
    with pytest.raises(ContractError, match=says) as refused:
        log.publish(*rows)
    assert "the last row of each key" in refused.value.next_step
    log.publish((1, 1, 1, 1), (2, 1, 1, 2))
    assert ids(log.rows()) == [(1, 1), (2, 2)]


NEVER = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize("length", ["PT1H", "P1D", "P1W", "P1M", "P1Y"])
def test_an_interval_without_an_end_is_refused_in_words(length):
    with pytest.raises(UsageError, match="ends after the year 9999"):
        interval_around(NEVER, length)


def test_a_picture_of_the_end_of_time_is_refused(tmp_path):
    port = Port(tmp_path, {"kind": "snapshot", "interval": "P1M"})
    frame = rows_of(((1, 1, 1, 1),)).with_columns(day=pl.lit(NEVER.date()))
    with pytest.raises(UsageError, match="ends after the year 9999") as refused:
        published(port.made, port.root, port.clock, plays=frame)
    assert "Make it null" in refused.value.next_step


def far(port: Port, event_type: str) -> None:
    """Publish rows of the far future and past, and of no time, beside usual ones."""
    port.bundle(columns={"id": "BIGINT", "day": event_type, "n": "BIGINT"})
    dtype = pl.Date if event_type == "DATE" else pl.Datetime("us", "UTC")
    moments = [NEVER, datetime(2026, 1, 2, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), None]
    frame = pl.DataFrame(
        {"id": [1, 2, 3, 4], "day": pl.Series(moments).cast(dtype), "n": [1, 2, 3, 4]}
    )
    published(port.made, port.root, port.clock, plays=frame)


@pytest.mark.parametrize("event_type", ["DATE", "TIMESTAMP_TZ"])
@pytest.mark.parametrize("wide", [True, False])
def test_event_times_at_the_ends_of_time_or_none_are_kept_and_found(
    port, event_type, wide, monkeypatch
):
    if wide:
        monkeypatch.setattr("mesh_notebook.mesh.store._WIDE", 1)
        monkeypatch.setattr("mesh_notebook.mesh.store._A_DAY", 1)
    far(port, event_type)
    found = {
        (None, None): [1, 2, 3, 4],
        ("2026-01", "2026-02"): [2],
        ("2026-01", None): [1, 2],
        ("9999-12-31", None): [1],
        (None, "0001-01-02"): [3],
        (None, "9999-12-31"): [2, 3],
    }
    for window, wanted in found.items():
        assert [row[0] for row in port.rows(*window)] == wanted, window


def test_files_at_the_ends_of_time_are_looked_into():
    window = EventWindow("at", NEVER, None)
    assert window.overlaps(NEVER, NEVER, timedelta(milliseconds=1))
    first = datetime(1, 1, 1, tzinfo=UTC)
    assert not window.overlaps(first, first, timedelta(milliseconds=1))


def test_a_window_that_ends_before_it_starts_is_refused(port):
    port.publish((1, 1, 1, 1))
    with pytest.raises(UsageError, match=r"ends .* before or when it starts"):
        port.rows("2026-02", "2026-01")
    with pytest.raises(UsageError, match="before or when"):
        Window(NEVER, NEVER)


def test_a_clock_that_went_back_is_shown_in_the_history(shell, port, monkeypatch):
    monkeypatch.setenv("MESH_ROOTS", str(port.root))
    shell.run("%reload_ext mesh_notebook")
    port.publish((1, 1, 1, 10))
    assert "behind" not in shell.shown(shell.run("%mesh history plays"))["text/plain"]
    port.clock = Clock(datetime(2026, 5, 1, tzinfo=UTC), timedelta(0))
    port.publish((1, 1, 1, 11))
    shown = shell.shown(shell.run("%mesh history plays"))["text/plain"]
    assert "31.1 days behind" in shown
    assert "The order is that of publication" in shown


def test_two_products_of_one_name_in_one_folder_are_refused(port):
    port.publish((1, 1, 1, 10))
    address = "urn:dmesh:elsewhere:music:plays"
    made = contract({"n": "BIGINT"}, id=f"{address}:plays:1", event_time=None, key=("n",))
    other = write_bundle(port.folder / "other", address=address, ports={"plays": made}, inputs=())
    with pytest.raises(DeployRefused, match="is the home of urn:dmesh:local:music:plays"):
        published(other, port.root, port.clock, plays=pl.DataFrame({"n": [1]}))
    assert ids(port.rows()) == [(1, 10)]


def test_of_one_address_in_two_roots_the_first_is_read_and_the_second_stands(port, tmp_path):
    port.publish((1, 1, 1, 10))
    (tmp_path / "second").mkdir()
    second = Port(tmp_path / "second", port.temporality)
    second.publish((2, 1, 1, 20))
    found = Catalogue([port.root, second.root]).resolve("plays")[0]
    assert found.root == Catalogue([port.root]).roots[0]
    assert ids(second.rows()) == [(2, 20)]
