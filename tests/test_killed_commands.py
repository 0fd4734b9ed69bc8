"""A command that was killed at any moment has done nothing or something whole, and can go again.

`make kills` kills 200 each of `mesh plan`, `run` and `deploy`, and 20 backfills, and prints what
became of them.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from commands import COMMANDS, Killer, kill_many

import mesh_notebook

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_killed_command_leaves_nothing_torn_and_goes_through_when_run_again(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wanted = request.config.getoption("commands")
    print(f"\nmesh {name}: {kill_many(tmp_path, COMMANDS[name], wanted)}")


def test_a_killed_plan_leaves_no_trace_and_its_plan_can_still_be_done(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    killer = Killer(tmp_path, replace(COMMANDS["deploy"], words=("plan", "bundle")))
    killer.next_batch()
    before, lasts, moments = everything_in(tmp_path), killer.lasting(), random.Random(5)
    wanted, killed = request.config.getoption("commands"), 0
    for _ in range(4 * wanted):
        killed += killer.kill("", moments.random() * lasts)
        assert everything_in(tmp_path) == before
        if killed == wanted:
            break
    assert killed == wanted
    mesh = mesh_notebook.open(tmp_path / "mesh")
    plan = mesh.plan(tmp_path / "bundle")
    assert mesh.deploy(tmp_path / "bundle", plan=plan.id).receipt.snapshot == 1
    print(f"\nmesh plan: {killed} killed, nothing written by any, and the plan was done")


def everything_in(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}
