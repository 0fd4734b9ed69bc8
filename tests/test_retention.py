"""Retention: what goes, what stays for whom, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_kinds import Port, ids

from mesh_notebook.errors import NoSnapshot, StoreError, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.retention import Retained, retain

NOW = datetime(2026, 6, 10, tzinfo=UTC)


def kept(port: Port, keep: int | None = None, **more: Any) -> Retained:
    catalogue = Catalogue([port.root])
    published = catalogue.resolve("plays")[0]
    given = {"older_than": None, "now": NOW, **more}
    return retain(catalogue, published, keep=keep, **given)


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest) -> str | None:
    return f"{request.getfixturevalue('s3').url}/mesh" if request.param == "s3" else None


@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_old_snapshots_go_and_the_others_read_as_before(tmp_path, place, kind):
    port = Port(tmp_path, {"kind": kind}, root=place)
    times = [port.publish((n, 1, n, n), (9, 1, 9, n)).processing_time for n in range(1, 6)]
    before = [port.rows(None, None, moment) for moment in times]
    done = kept(port, 2)
    assert (done.gone, done.first.snapshot, done.kept) == ((1, 2, 3), 4, 2)
    assert [port.rows(None, None, moment) for moment in times[3:]] == before[3:]
    for moment in times[:3]:
        with pytest.raises(NoSnapshot) as early:
            port.rows(None, None, moment)
        assert "the first that retention kept is 4" in early.value.next_step
    port.publish((7, 1, 7, 7))
    assert port.rows(None, None, times[4]) == before[4]


def test_what_only_old_snapshots_held_is_gone_from_the_disk(tmp_path):
    port = Port(tmp_path, {"kind": "snapshot"})
    for n in range(1, 6):
        port.publish((n, 1, n, n))
    files = lambda: len(list(Path(port.root).rglob("*.parquet")))  # noqa: E731
    assert files() == 5
    assert kept(port, 2).files == 3
    assert files() == 2


def test_a_rehearsal_takes_nothing_away(tmp_path):
    port = Port(tmp_path, {"kind": "snapshot"})
    first = port.publish((1, 1, 1, 1))
    port.publish((2, 1, 1, 1))
    told = kept(port, 1, dry_run=True)
    assert (told.gone, told.done) == ((1,), False)
    assert ids(port.rows(None, None, first.processing_time)) == [(1, 1)]


def test_age_counts_from_when_a_snapshot_was_replaced(tmp_path):
    port = Port(tmp_path, {"kind": "snapshot"})
    port.clock.step = timedelta(days=1)  # read twice a publication: 3, 5, 7, 9 and 11 June
    for n in range(1, 6):
        port.publish((n, 1, n, n))
    assert kept(port, older_than=timedelta(days=4)).gone == (1,)
    assert kept(port, older_than=timedelta(days=1)).gone == (2,)
    assert kept(port, older_than=timedelta(0)).gone == (3,)
    assert kept(port, older_than=timedelta(0)).gone == ()


def test_the_picture_of_an_interval_stays_as_long_as_it_is_the_last_of_it(tmp_path):
    port = Port(tmp_path, {"kind": "snapshot", "interval": "P1M"})
    port.publish((1, 1, 1, 1))
    port.publish((1, 2, 1, 2))
    port.publish((1, 2, 1, 3))
    last = port.publish((1, 3, 1, 4))
    kept(port, 1)
    assert ids(port.rows("2026-01")) == [(1, 1), (1, 3), (1, 4)]
    assert ids(port.rows("2026-01", None, last.processing_time)) == [(1, 1), (1, 3), (1, 4)]
    names = sorted(p.name for p in (port.root / "music/plays/publications").glob("0*.json"))
    assert [int(name[:12]) for name in names] == [1, 3, 4]


def test_nothing_goes_that_a_consumer_was_made_of(shell, tmp_path, monkeypatch):
    port = Port(tmp_path / "upstream", {"kind": "snapshot"}, root=tmp_path / "mesh")
    port.publish((1, 1, 1, 1))
    monkeypatch.setenv("MESH_ROOTS", str(port.root))
    shell.run("%reload_ext mesh_notebook")
    for line in (
        "%mesh connect plays",
        "out = plays.select('id')",
        "%mesh product twice --domain music",
        "%mesh output ids out --key id",
        "%mesh export twice",
        "%mesh deploy twice",
    ):
        shell.run(line)
    port.publish((2, 1, 1, 1))
    with pytest.raises(StoreError, match=r"twice, snapshot 1, made of snapshot 1") as refused:
        shell.run("%mesh retain plays --keep 1")
    assert "retain these first" in refused.value.next_step
    assert len(Catalogue([port.root]).resolve("plays")[0].snapshots()) == 2
    shell.run("%mesh deploy twice")
    shell.run("%mesh retain twice --keep 1")
    assert shell.run("%mesh retain plays --keep 1").gone == (1,)


@pytest.mark.parametrize(
    ("keep", "older", "says"),
    [
        (None, None, "nothing says what may go"),
        (1, timedelta(1), "two rules"),
        (0, None, "0 snapshots cannot be kept"),
    ],
)
def test_a_retention_that_says_nothing_is_refused(tmp_path, keep, older, says):
    port = Port(tmp_path, {"kind": "snapshot"})
    port.publish((1, 1, 1, 1))
    with pytest.raises(UsageError, match=says):
        kept(port, keep, older_than=older)


def test_a_retention_that_was_killed_is_finished_by_the_next(tmp_path, monkeypatch):
    port = Port(tmp_path, {"kind": "snapshot"})
    times = [port.publish((n, 1, n, n)).processing_time for n in range(1, 5)]

    def killed(_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("mesh_notebook.mesh.retention._clear", killed)
        with pytest.raises(KeyboardInterrupt):
            kept(port, 2)
    with pytest.raises(NoSnapshot):
        port.rows(None, None, times[0])
    assert ids(port.rows(None, None, times[2])) == [(3, 3)]
    assert kept(port, 2).files == 2
    assert ids(port.rows()) == [(4, 4)]
