"""A command that was killed at any moment has done nothing or something whole, and can go again.

`make kills` kills 200 of `mesh run`, and 20 backfills, and prints what became of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import COMMANDS, kill_many


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_killed_command_leaves_nothing_torn_and_goes_through_when_run_again(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wanted = request.config.getoption("commands")
    print(f"\nmesh {name}: {kill_many(tmp_path, COMMANDS[name], wanted)}")
