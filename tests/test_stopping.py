"""Ctrl-C: one line, the exit code of a shell, and nothing half done."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundles import write_bundle

import mesh_notebook
from mesh_notebook.errors import Stopped

pytestmark = pytest.mark.attacks

FLIGHTS = "day,delay,agent\n2013-01-01,5,ann\n2013-01-02,40,ben\n"
SLOW = "import time\n\n\ndef daily():\n    time.sleep(600)\n"
CHILDREN = Path("/proc/self/task")


def interrupting(step: str) -> Callable[[str], None]:
    """Return a progress that sends this process a SIGINT as a step begins."""

    def progress(said: str) -> None:
        if said == step:
            signal.raise_signal(signal.SIGINT)

    return progress


@pytest.fixture
def notebook(shell: Any, tmp_path: Path) -> Any:
    (tmp_path / "flights.csv").write_text(FLIGHTS)
    shell.run("import polars as pl")
    shell.run("%mesh product airport-delays --domain travel")
    shell.run("%mesh source flights flights.csv")
    shell.run("out = flights.with_columns(late=pl.col('delay') > 30)")
    shell.run("%mesh output daily out --key day")
    return shell


@pytest.mark.parametrize("step", ["write the module", "prove it in a clean process"])
def test_an_export_that_is_stopped_says_so_in_a_line_and_writes_nothing(notebook, tmp_path, step):
    notebook.mesh.progress = interrupting(step)
    with pytest.raises(Stopped) as stopped:
        notebook.run("%mesh export made")
    assert stopped.value._render_traceback_() == ["stopped; nothing was written."]
    assert not (tmp_path / "made").exists()
    assert {p.name for p in tmp_path.iterdir()} <= {"flights.csv", ".mesh", "keys"}
    notebook.mesh.progress = str
    notebook.run("%mesh export made")
    assert (tmp_path / "made" / "receipt.json").exists()


@pytest.mark.skipif(not CHILDREN.exists(), reason="it looks in /proc for the clean process")
def test_a_command_that_is_stopped_ends_as_a_shell_has_it_and_publishes_nothing(tmp_path):
    made, root = write_bundle(tmp_path / "made", inputs=(), transform=SLOW), tmp_path / "mesh"
    words = [sys.executable, "-m", "mesh_notebook", "--root", str(root), "deploy", str(made)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        while run.poll() is None and not children.read_text():
            time.sleep(0.1)
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=120)
    assert (run.returncode, out, err) == (130, "", "stopped; nothing was published.\n")
    assert not list(root.glob("*/*/publications/*"))
    assert mesh_notebook.open(root).search().found == ()
