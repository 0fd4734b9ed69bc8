"""Killed at any moment of a publication, a port shows the old picture whole, or the new one whole.

`make kills` kills two hundred in a folder and two hundred on S3, and prints what became of them.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from test_kill import KILLED, Deployer

pytestmark = pytest.mark.faults

# The step at which a killed publication is let run on for a moment: its begin, and its commit.
BEGIN, COMMIT = "step publish", "step publish snapshot"


class Publisher(Deployer):
    """Publishes ever new batches, whose rows all correct those of the batch before."""

    act = "publish"

    def attempt(self, step: str, after: float) -> tuple[bool, bool]:
        """Kill a publication so many seconds after a step; return whether it was hit alive, and
        whether a reader sees it now. That reader sees all of it, or all of the one before.
        """
        before = len(self.product.snapshots())
        pid = self.start()
        self.until(step)
        time.sleep(after)
        # A process that came to its end unharmed counts for nothing.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        killed = self.ended() == KILLED
        self.found()
        return killed, len(self.product.snapshots()) > before

    def lasts(self, step: str) -> float:
        """Return how long a publication goes on after a step, in seconds: the median of three."""
        times = []
        for _ in range(3):
            self.start()
            self.until(step)
            began = time.monotonic()
            assert self.ended() == 0
            times.append(time.monotonic() - began)
            self.found()
        return median(times)


def publisher(folder: Path, root: Any, kind: str) -> Iterator[Publisher]:
    made = Publisher(folder, root, {"kind": kind})
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture(params=["snapshot", "log"])
def local(request, tmp_path: Path) -> Iterator[Publisher]:
    yield from publisher(tmp_path, None, request.param)


@pytest.fixture(params=["snapshot", "log"])
def on_s3(request, tmp_path: Path, s3: Any) -> Iterator[Publisher]:
    yield from publisher(tmp_path, f"{s3.url}/mesh", request.param)


def kill_many(publisher: Publisher, wanted: int) -> str:
    """Kill as many publications at random moments; return what became of them.

    `found`, after each, and the last look over all snapshots raise where one is torn, lost, or
    shows in one port and not in the other.
    """
    publisher.deploy()
    # The commit is a moment in a long time of writing: every second kill falls about it.
    lasts = {step: publisher.lasts(step) for step in (BEGIN, COMMIT)}
    moments, killed, stood = random.Random(17), 0, 0
    for attempt in range(20 * wanted):
        step = (BEGIN, COMMIT)[attempt % 2]
        hit, seen = publisher.attempt(step, moments.uniform(0, lasts[step]))
        killed, stood = killed + hit, stood + (hit and seen)
        if attempt % 10 == 9:
            publisher.deploy()
        if killed == wanted:
            break
    publisher.deploy()
    assert killed == wanted
    everything = [publisher.batch_of(n) for n in publisher.product.snapshots()]
    assert everything == publisher.published[1:]
    return (
        f"{killed} killed while they published: {stood} stand whole, {killed - stood} left no "
        f"trace; of {len(everything)} snapshots 0 torn, 0 lost, 0 half visible"
    )


def test_publications_killed_in_a_folder_are_whole_or_not_there(local, request):
    said = kill_many(local, request.config.getoption("kills"))
    print(f"\n{request.node.callspec.id}, folder: {said}")


def test_publications_killed_on_s3_are_whole_or_not_there(on_s3, request):
    said = kill_many(on_s3, request.config.getoption("kills"))
    print(f"\n{request.node.callspec.id}, S3: {said}")
