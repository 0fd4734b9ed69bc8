"""`status --check` looks whether the rows of the last publication are still there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MESH = Path(sys.executable).parent / "mesh"


@pytest.mark.parametrize("lost", ["ports", "_delta_log", "*.parquet"])
def test_a_port_whose_table_is_gone_or_damaged_fails_the_check(
    published: Path, shell: Any, lost: str
) -> None:
    checks = ("%mesh status --check", "%mesh status airport-delays --check")
    assert not any(shell.run(check).failed for check in checks)
    for path in list(published.rglob(lost)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for found in map(shell.run, checks):
        text = shell.shown(found)["text/plain"]
        assert found.failed
        assert "daily cannot be served" in text
        assert "nothing broken" not in text


def test_the_exit_code_of_a_damaged_port_is_1(published: Path) -> None:
    shutil.rmtree(next(published.rglob("ports")))
    done = subprocess.run(
        [MESH, "--root", published, "status", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "daily cannot be served" in done.stdout
