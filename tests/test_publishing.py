"""The commit: races, clocks, leftovers, and products with many publications."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from bundles import Clock, contract, deployed, opener, write_bundle

from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.errors import DeployRefused, StoreError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.model.address import Address
from mesh_notebook.model.time import Window

ADDRESS = "urn:dmesh:local:travel:counts"
PORTS = {
    port: contract({"n": "BIGINT"}, id=f"{ADDRESS}:{port}:1", event_time=None)
    for port in ("left", "right")
}
TRANSFORM = "def left(n):\n    return n\n\n\ndef right(n):\n    return n\n"


def bundle(folder: Path, version: str = "1.0.0", transform: str = TRANSFORM) -> Path:
    return write_bundle(
        folder, address=ADDRESS, version=version, ports=PORTS, inputs=("n",), transform=transform
    )


def numbers(n: int) -> pl.DataFrame:
    return pl.DataFrame({"n": [n] * 3}, schema={"n": pl.Int64})


def product(root: Path) -> PublishedProduct:
    return PublishedProduct.at(root, Address.parse(ADDRESS))


def read(root: Path, snapshot: int) -> set[int]:
    """Return the numbers that both ports hold in one snapshot."""
    published = product(root)
    moment = datetime.fromisoformat(published.receipt(snapshot).processing_time)
    frames = [
        read_port(published, port, Window(as_of=moment), "bo").frame.collect() for port in PORTS
    ]
    assert [frame.height for frame in frames] == [3, 3]
    return {n for frame in frames for n in frame["n"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mesh"


def test_processing_times_rise_even_when_the_clock_does_not(root, tmp_path):
    made = bundle(tmp_path / "b")
    late = datetime(2026, 6, 1, tzinfo=UTC)
    clocks = [lambda: late, lambda: late, lambda: late - timedelta(days=30)]
    for n, clock in enumerate(clocks):
        deployed(made, root, clock, n=numbers(n))
    times = [product(root).receipt(n).processing_time for n in (1, 2, 3)]
    assert times == [f"2026-06-01T00:00:00.00000{n}Z" for n in range(3)]


def race(root: Path, made: list[Path], frames: list[pl.DataFrame]) -> list[object]:
    """Deploy all at once, and return each deployment, or the error it met."""

    def one(job: tuple[Path, pl.DataFrame]) -> object:
        try:
            return deployed(job[0], root, lambda: datetime.now(UTC), n=job[1]).receipt.snapshot
        except DeployRefused as error:
            return error

    with ThreadPoolExecutor(len(made)) as pool:
        return list(pool.map(one, zip(made, frames, strict=True)))


def test_deployers_that_race_each_get_a_snapshot_of_their_own(root, tmp_path):
    made = bundle(tmp_path / "b")
    won = race(root, [made] * 5, [numbers(n) for n in range(5)])
    assert sorted(won) == [1, 2, 3, 4, 5]
    assert [read(root, won[n]) for n in range(5)] == [{n} for n in range(5)]
    times = [product(root).receipt(n).processing_time for n in range(1, 6)]
    assert times == sorted(set(times))


def test_deployers_that_race_with_the_same_data_publish_it_once(root, tmp_path):
    made = bundle(tmp_path / "b")
    assert race(root, [made] * 4, [numbers(7)] * 4) == [1, 1, 1, 1]
    assert product(root).snapshots() == [1]


def test_of_two_that_race_with_one_version_and_other_code_one_is_refused(root, tmp_path):
    made = [bundle(tmp_path / f"b{n}", transform=f"{TRANSFORM}\nx = {n}\n") for n in range(3)]
    outcomes = race(root, made, [numbers(n) for n in range(3)])
    refused = [o for o in outcomes if isinstance(o, DeployRefused)]
    assert len(refused) == 2
    assert all(error.differs == ["transform"] for error in refused)
    assert product(root).snapshots() == [1]


def test_a_version_is_still_refused_after_later_ones(root, tmp_path):
    for version in ("1.0.0", "1.1.0"):
        deployed(bundle(tmp_path / "b", version), root, Clock(), n=numbers(1))
    made = bundle(tmp_path / "b", "1.0.0", TRANSFORM + "\nx = 1\n")
    with pytest.raises(DeployRefused, match=r"1\.0\.0 .* \(snapshot 1\)"):
        deployed(made, root, Clock(), n=numbers(1))
    back = deployed(bundle(tmp_path / "b", "1.0.0"), root, Clock(), n=numbers(1))
    assert (back.receipt.snapshot, back.unchanged) == (3, False)


def test_versions_that_share_a_beginning_are_not_confused(root, tmp_path):
    for at, version in enumerate(("1.0.0", "1.0.0-rc1", "1.0.0-rc1-2"), start=1):
        made = bundle(tmp_path / "b", version, f"{TRANSFORM}\nx = {at}\n")
        assert deployed(made, root, Clock(), n=numbers(1)).receipt.snapshot == at


def test_where_links_are_refused_a_publication_is_still_exclusive(root, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    made = bundle(tmp_path / "b")
    won = race(root, [made] * 4, [numbers(n) for n in range(4)])
    assert sorted(won) == [1, 2, 3, 4]
    assert [read(root, won[n]) for n in range(4)] == [{n} for n in range(4)]


def test_a_disk_that_is_full_at_the_commit_publishes_nothing(root, tmp_path, monkeypatch):
    made = bundle(tmp_path / "b")
    deployed(made, root, Clock(), n=numbers(1))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="cannot be written"):
            deployed(made, root, Clock(), n=numbers(2))
    assert product(root).snapshots() == [1]
    assert deployed(made, root, Clock(), n=numbers(2)).receipt.snapshot == 2
    assert read(root, 2) == {2}


def test_a_product_whose_latest_publication_is_hurt_takes_no_other(root, tmp_path):
    made = bundle(tmp_path / "b")
    deployed(made, root, Clock(), n=numbers(1))
    (product(root).folder.path / "publications" / "000000000001.json").write_text("{")
    with pytest.raises(StoreError, match="snapshot 1 of counts is damaged"):
        deployed(made, root, Clock(), n=numbers(2))


def test_nothing_is_left_aside_after_a_deployment_or_a_refusal(root, tmp_path):
    made = bundle(tmp_path / "b")
    deployed(made, root, Clock(), n=numbers(1))
    with pytest.raises(DeployRefused):
        deployed(made, root, Clock(), n=pl.DataFrame({"n": ["x"]}))
    assert [path for path in (root / ".aside").iterdir() if path.is_dir()] == []


HOLDER = """
import pathlib, sys, time
from mesh_notebook.mesh.aside import aside
from mesh_notebook.model.address import Address
with aside(pathlib.Path(sys.argv[1]), Address.parse(sys.argv[2])) as work:
    (work / "half").write_text("written")
    print(work, flush=True)
    time.sleep(60)
"""


def at_work(root: Path) -> tuple[subprocess.Popen, Path]:
    """Start a process that is at work on the product; return it, and where it works."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, root, ADDRESS], stdout=subprocess.PIPE, text=True
    )
    return process, Path(process.stdout.readline().strip())


def test_a_living_publishers_work_is_let_be_and_a_dead_ones_is_cleared(root, tmp_path):
    made = bundle(tmp_path / "b")
    process, work = at_work(root)
    deployed(made, root, Clock(), n=numbers(1))
    assert (work / "half").exists()
    process.kill()
    process.wait()
    deployed(made, root, Clock(), n=numbers(2))
    assert not (work / "half").exists()


def test_what_a_dead_publisher_left_in_the_product_goes_an_hour_later(root, tmp_path):
    made = bundle(tmp_path / "b")
    for n in (1, 2):
        deployed(made, root, Clock(), n=numbers(n))
    process, work = at_work(root)
    process.kill()
    process.wait()
    folder = product(root).folder.path
    (folder / "releases" / "9.9.9-000000000000").mkdir()
    orphan = folder / "ports" / "left" / "v1" / "part-00000-orphan.parquet"
    orphan.write_text("half")
    shutil.copytree(folder / "ports" / "left", folder / "ports" / "gone")
    for path in folder.rglob("*.parquet"):
        os.utime(path, (0, 0))
    deployed(made, root, Clock(), n=numbers(3))
    assert orphan.exists()
    an_hour_ago = time.time() - 3_700
    os.utime(work, (an_hour_ago, an_hour_ago))
    deployed(made, root, Clock(), n=numbers(4))
    assert not orphan.exists()
    assert sorted(p.name for p in (folder / "ports").iterdir()) == ["left", "right"]
    assert [p.name for p in (folder / "releases").iterdir()] == [product(root).latest().release]
    assert not work.exists()
    assert [read(root, n) for n in (1, 2, 3, 4)] == [{1}, {2}, {3}, {4}]


def test_a_first_deployment_that_died_leaves_nothing_for_ever(root, tmp_path):
    process, work = at_work(root)
    process.kill()
    process.wait()
    folder = product(root).folder.path
    (folder / "releases" / "1.0.0-000000000000").mkdir(parents=True)
    (folder / "ports" / "left").mkdir(parents=True)
    os.utime(work, (0, 0))
    (work / "half").unlink()
    os.utime(work, (0, 0))
    made = write_bundle(
        tmp_path / "other", ports=None, inputs=("n",), transform="def daily(n):\n    return n\n"
    )
    frame = pl.DataFrame({"airport": ["JFK"], "day": [datetime(2026, 1, 1).date()], "delay": [1.0]})
    deployed(made, root, Clock(), n=frame)
    assert not list((folder / "releases").iterdir())
    assert not list((folder / "ports").iterdir())
    assert [str(p.address) for p in Catalogue([root]).products()] == [
        "urn:dmesh:local:travel:airport-delays"
    ]


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """A product with a thousand publications: one was deployed, the others are its likes."""
    folder = tmp_path_factory.mktemp("many")
    root = folder / "mesh"
    first = deployed(bundle(folder / "b"), root, Clock(), n=numbers(1)).receipt.as_dict()
    start = datetime.fromisoformat(first["processing_time"])
    for n in range(2, 1001):
        moment = start + timedelta(hours=n)
        path = product(root).folder.path / "publications" / f"{n:012}.json"
        path.write_text(
            json.dumps(
                {**first, "snapshot": n, "processing_time": f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"}
            )
        )
    return root


def opened(root: Path, monkeypatch: pytest.MonkeyPatch, as_of: str | None = None) -> int:
    """Return how many publications are read to open a product and one snapshot of it."""
    paths: list[str] = []
    read_bytes = Path.read_bytes

    def counted(path: Path) -> bytes:
        paths.append(path.name)
        return read_bytes(path)

    window = Window(as_of=datetime.fromisoformat(as_of) if as_of else None)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", counted)
        read_port(product(root), "left", window, "bo")
    return len([name for name in paths if name.endswith(".json")])


def test_the_latest_of_a_thousand_publications_is_found_by_reading_one(many, monkeypatch):
    assert opened(many, monkeypatch) == 1


def test_one_of_a_thousand_publications_is_found_by_bisecting(many, monkeypatch):
    moment = product(many).receipt(321).processing_time
    assert opened(many, monkeypatch, moment) <= 12
    assert product(many).as_of(datetime.fromisoformat(moment)).snapshot == 321


def test_a_thousand_publications_take_another_as_one_does(many, tmp_path):
    deploy(
        bundle(tmp_path / "b"),
        many,
        opener({"n": numbers(2)}),
        principal="ana",
        clock=lambda: datetime(2030, 1, 1, tzinfo=UTC),
    )
    assert product(many).latest().snapshot == 1001
    assert read(many, 1001) == {2}
