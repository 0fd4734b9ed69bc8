"""Killed at any moment, a deployment leaves the old product whole, or the new one whole."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import contract, write_bundle

from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.model.time import Window

pytestmark = pytest.mark.faults

KILLS = 50
ROWS = 500
KILLED = -signal.SIGKILL
ADDRESS = "urn:dmesh:local:travel:batches"
TRANSFORM = """
def left(batch):
    return batch


def right(batch):
    return batch.sort("row", descending=True)
"""


class Deployer:
    """The other side of `killable.py`: starts deployments of ever new batches, and kills them."""

    act = "deploy"

    def __init__(
        self, folder: Path, root: Any = None, temporality: dict[str, Any] | None = None
    ) -> None:
        self.into(root or folder / "mesh")
        columns = {"row": "BIGINT", "batch": "BIGINT"}
        ports = {
            port: contract(columns, id=f"{ADDRESS}:{port}:1", event_time=None, key=("row",))
            for port in ("left", "right")
        }
        self.bundle = write_bundle(
            folder / "bundle",
            address=ADDRESS,
            ports=ports,
            inputs=("batch",),
            transform=TRANSFORM,
            temporality=temporality,
        )
        self.batch = 0
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "killable.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "stderr").open("w"),
            text=True,
        )

    def into(self, root: Any) -> None:
        """Deploy to this root from now on."""
        self.root, self.published = root, [0]
        self.product = PublishedProduct(place_of(root), "travel", "batches")

    def start(self, die_at: int | None = None) -> int:
        """Start to deploy the next batch; return the number of the process."""
        self.batch += 1
        path = self.folder / "batch.parquet"
        rows = pl.DataFrame({"row": range(ROWS)}, schema={"row": pl.Int64})
        rows.with_columns(batch=pl.lit(self.batch, pl.Int64)).write_parquet(path)
        job = {"bundle": self.bundle, "root": self.root, "batch": path, "die_at": die_at}
        job["act"] = self.act
        self.process.stdin.write(json.dumps(job, default=str) + "\n")
        self.process.stdin.flush()
        return int(self.until("pid")[0][4:])

    def until(self, word: str) -> list[str]:
        """Read lines up to one that begins with a word; return it first, then those before."""
        lines: list[str] = []
        for line in self.process.stdout:
            lines.insert(0, line.rstrip("\n"))
            if line.startswith(word):
                return lines
        raise AssertionError(f"the deployer is gone: {(self.folder / 'stderr').read_text()}")

    def ended(self) -> int:
        return int(self.until("ended")[0][6:])

    def deploy(self) -> list[str]:
        """Deploy the next batch to the end; return the steps, in order."""
        self.start()
        ended, *before = self.until("ended")
        assert ended == "ended 0", (self.folder / "stderr").read_text()
        assert self.found() == self.batch
        return [line[5:] for line in reversed(before) if line.startswith("step")]

    def found(self) -> int:
        """Return the batch that a reader sees now: the one before, or the latest, whole.

        Nothing that was ever published is lost, and nothing comes twice.
        """
        if len(self.product.snapshots()) >= len(self.published):
            self.published.append(self.batch)
        assert self.product.snapshots() == list(range(1, len(self.published)))
        if len(self.published) == 1:
            return 0
        seen = self.batch_of(len(self.published) - 1)
        assert seen == self.published[-1]
        return seen

    def batch_of(self, snapshot: int) -> int:
        """Return the batch of a snapshot, having found it whole and the same in both ports."""
        receipt = self.product.receipt(snapshot)
        window = Window(as_of=datetime.fromisoformat(receipt.processing_time))
        batches = set()
        for port in ("left", "right"):
            frame = read_port(self.product, port, window, "bo").frame.collect()
            assert sorted(frame["row"].to_list()) == list(range(ROWS))
            assert receipt.ports[port].rows == ROWS
            batches |= set(frame["batch"].unique())
        assert len(batches) == 1
        return batches.pop()


@pytest.fixture
def deployer(tmp_path: Path) -> Iterator[Deployer]:
    deployer = Deployer(tmp_path)
    yield deployer
    deployer.process.kill()
    deployer.process.wait()


def test_fifty_kills_at_random_moments_leave_whole_snapshots_only(deployer):
    deployer.deploy()
    began = time.monotonic()
    deployer.start()
    assert deployer.ended() == 0
    lasts = time.monotonic() - began
    assert deployer.found() == deployer.batch
    moments = random.Random(11)
    killed = 0
    for attempt in range(4 * KILLS):
        pid = deployer.start()
        time.sleep(moments.uniform(0, lasts))
        # A process that came to its end unharmed counts for nothing.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        killed += deployer.ended() == KILLED
        deployer.found()
        if attempt % 10 == 9 or killed == KILLS:
            deployer.deploy()
        if killed == KILLS:
            break
    assert killed == KILLS
    everything = [deployer.batch_of(n) for n in deployer.product.snapshots()]
    assert everything == deployer.published[1:]
    left_behind = [p for p in (deployer.root / ".aside").iterdir() if p.is_dir()]
    assert not [path for left in left_behind for path in left.iterdir()]


def test_a_kill_at_each_step_changes_nothing_until_the_last_and_is_then_made_good(deployer):
    deployer.deploy()
    steps = deployer.deploy()
    assert len(steps) == 8
    for at, step in enumerate(steps, start=1):
        before = deployer.found()
        deployer.start(die_at=at)
        assert deployer.ended() == KILLED
        done = step.endswith("is published")
        assert deployer.found() == (deployer.batch if done else before)
        deployer.deploy()


def test_a_first_deployment_killed_at_each_step_leaves_no_product_until_the_last(deployer):
    steps = 9  # one more than later: the bundle is kept as a release
    for at in range(1, steps + 1):
        deployer.into(deployer.folder / str(at))
        deployer.start(die_at=at)
        ended, *lines = deployer.until("ended")
        assert ended == f"ended {KILLED}"
        assert lines[0].endswith("is published") is (at == steps)
        assert deployer.found() == (deployer.batch if at == steps else 0)
        assert bool(Catalogue([deployer.root]).products()) is (at == steps)
        deployer.deploy()
