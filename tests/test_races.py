"""Eight processes that publish to one port at once: all is kept, in one order for all.

`make races` has each of them publish fifty times, and prints what was kept.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from test_kinds import Port

from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.model.time import Window

pytestmark = pytest.mark.faults

PROCESSES = 8
ON_S3 = 3  # by turns in the usual tests: without a lock, those who lose a race begin again
SHARED = 0  # the key of the row that every publication of a log corrects

PUBLISHER = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
import polars as pl
tests, made, root, who, each = sys.argv[1:]
sys.path.insert(0, tests)
from bundles import published
from mesh_notebook.mesh.bundle import Bundle
bundle = Bundle(Path(made))
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(each)):
    own = int(who) * 1000 + n + 1
    frame = pl.DataFrame({"id": [own, 0], "day": [date(2026, 1, 1)] * 2, "n": [own, own]})
    published(bundle, root, lambda: datetime.now(UTC), plays=frame)
"""


def race(port: Port, processes: int, each: int) -> float:
    """Have processes publish at once; return how long it took, in seconds."""
    tests = str(Path(__file__).parent)
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                PUBLISHER,
                tests,
                port.made,
                str(port.root),
                str(who),
                str(each),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for who in range(processes)
    ]
    for process in started:
        process.stdout.readline()
    began = time.monotonic()
    for process in started:
        process.stdin.write(b"go\n")
        process.stdin.close()
    product = PublishedProduct(Catalogue([port.root]).roots[0], "music", "plays")
    while any(process.poll() is None for process in started):
        look(port, product)
    assert [process.returncode for process in started] == [0] * processes
    return time.monotonic() - began


def look(port: Port, product: PublishedProduct) -> None:
    """Read while others publish, and find a picture whole."""
    if snapshots := product.snapshots():
        picture_of(port, product, snapshots[-1])


def picture_of(port: Port, product: PublishedProduct, snapshot: int) -> dict[int, int]:
    moment = datetime.fromisoformat(product.receipt(snapshot).processing_time)
    frame = read_port(product, None, Window(as_of=moment), "bo").frame.collect()
    picture = dict(frame.select("id", "n").rows())
    assert len(picture) == frame.height
    rows = snapshot + 1 if port.temporality["kind"] == "log" else 2
    assert len(picture) == rows
    assert picture[SHARED] in picture
    return picture


def order_of(port: Port, processes: int, each: int) -> list[int]:
    """Return which publication each snapshot is, having found all of them, once, in one order."""
    product = Catalogue([port.root]).resolve("plays")[0]
    snapshots = product.snapshots()
    assert snapshots == list(range(1, processes * each + 1))
    times = [product.receipt(n).processing_time for n in snapshots]
    assert times == sorted(set(times))
    pictures = [picture_of(port, product, n) for n in snapshots]
    order = [picture[SHARED] for picture in pictures]
    assert sorted(order) == [who * 1000 + n + 1 for who in range(processes) for n in range(each)]
    for who in range(processes):
        own = [one for one in order if one // 1000 == who]
        assert own == sorted(own)
    if port.temporality["kind"] == "log":
        for n, picture in enumerate(pictures, start=1):
            assert set(picture) == {SHARED, *order[:n]}
    return order


@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_eight_processes_that_publish_at_once_to_a_folder_lose_nothing(kind, tmp_path, request):
    port, each = Port(tmp_path, {"kind": kind}), request.config.getoption("races")
    seconds = race(port, PROCESSES, each)
    kept = len(order_of(port, PROCESSES, each))
    print(f"\n{kind}, folder: {kept} of {PROCESSES * each} kept, in one order; {seconds:.0f} s")


@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_processes_that_publish_at_once_to_s3_lose_nothing(kind, s3: Any, tmp_path, request):
    each = request.config.getoption("races")
    processes = PROCESSES if each > 10 else ON_S3
    port = Port(tmp_path, {"kind": kind}, root=f"{s3.url}/mesh")
    seconds = race(port, processes, each)
    kept = len(order_of(port, processes, each))
    print(f"\n{kind}, S3: {kept} of {processes * each} kept, in one order; {seconds:.0f} s")
