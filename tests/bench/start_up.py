"""How long a user waits for `%load_ext mesh_notebook`, held against `import sql` of JupySQL.

    python tests/bench/start_up.py PYTHON      PYTHON is one that has JupySQL

Both are measured alike: in fresh processes, by turns, in an IPython shell that has started, with
the byte-code already on disk. JupySQL is only imported, not loaded: the bar leans its way.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

BAR = 0.1
RUNS = 7

OURS = "shell.run_line_magic('load_ext', 'mesh_notebook')"
THEIRS = "import sql"

PROBE = """
from time import perf_counter
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
began = perf_counter()
{act}
print(perf_counter() - began)
"""


def seconds(python: Path, act: str, folder: Path) -> float:
    """Return how long an act takes in a process of its own, which may write only to a folder."""
    # Where the environment forbids byte-code, ours alone would be compiled anew each time: pip
    # compiled theirs. So both keep it in the folder.
    world = {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    done = subprocess.run(
        [python, "-c", PROBE.format(act=act)],
        cwd=folder,
        env=os.environ | world,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def by_turns(contenders: dict[str, Path]) -> dict[str, list[float]]:
    """Return the times of each act. By turns, so that a busy moment of the machine hits all."""
    times: dict[str, list[float]] = {act: [] for act in contenders}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(1 + RUNS):
            for act, python in contenders.items():
                times[act].append(seconds(python, act, Path(folder)))
    return {act: runs[1:] for act, runs in times.items()}  # the first wrote the byte-code


def report(ours: list[float], theirs: list[float]) -> bool:
    """Print the table; return whether the bar is met."""
    ratio = median(ours) / median(theirs)
    met = ratio < BAR
    print(f"{f'{RUNS} fresh processes each':30}{'median':>10}{'fastest':>10}{'slowest':>10}")
    for name, runs in (("%load_ext mesh_notebook", ours), ("import sql (JupySQL)", theirs)):
        print(f"{name:30}" + "".join(f"{f(runs) * 1000:7.1f} ms" for f in (median, min, max)))
    print(f"{'ratio':30}{ratio:10.3f}   must be under {BAR}: {'met' if met else 'NOT MET'}")
    return met


def main() -> int:
    # Not resolved: the interpreter of an environment is a link, and its name says which.
    jupysql = Path(sys.argv[1]).absolute()
    times = by_turns({OURS: Path(sys.executable), THEIRS: jupysql})
    return 0 if report(times[OURS], times[THEIRS]) else 1


if __name__ == "__main__":
    sys.exit(main())
