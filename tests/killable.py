"""Deploys or publishes on request, each time in a process of its own that may be killed.

Reads jobs (JSON, one a line) and answers with lines: `pid N`, `step TEXT` as the deployment or
publication goes on, and `ended STATUS`. Everything is
imported beforehand, so that a deployment's time is its own; nothing that starts threads is used
before the fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import deltalake  # noqa: F401
import duckdb  # noqa: F401
import jsonschema_rs  # noqa: F401
import polars
import pyarrow  # noqa: F401
import sqlglot  # noqa: F401
from bundles import opener, published

import mesh_notebook.mesh.checks
import mesh_notebook.mesh.rules
import mesh_notebook.mesh.slos  # noqa: F401
from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.scan import Scan


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def publish(job: dict) -> None:
    """Publish alone, without the transform before it, to be killed nowhere else."""
    frame = polars.read_parquet(job["batch"])
    bundle = Bundle(Path(job["bundle"]))
    say("step publish")
    published(
        bundle,
        job["root"],
        lambda: datetime.now(UTC),
        progress=lambda step: say("step", step),
        left=frame,
        right=frame,
    )


def run(job: dict) -> None:
    told = 0

    def progress(step: str) -> None:
        nonlocal told
        say("step", step)
        told += 1
        if told == job.get("die_at"):
            os.kill(os.getpid(), signal.SIGKILL)

    inputs = opener({"batch": Scan("parquet", (job["batch"],))})
    deploy(
        Path(job["bundle"]),
        Path(job["root"]),
        inputs,
        principal="ana",
        clock=lambda: datetime.now(UTC),
        progress=progress,
    )


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            say("pid", os.getpid())
            job = json.loads(line)
            (publish if job["act"] == "publish" else run)(job)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        say("ended", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
