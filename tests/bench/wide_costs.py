"""What a wide frame costs each verb: a column more must cost what the column before it did.

    python tests/bench/wide_costs.py [COLUMNS ...]      200 and 2,000 without

Frames of a thousand rows, of whole numbers, decimals, texts, days, instants and yes or no by turns,
go the whole path: `profile`, `output`, `check`, `export`, `deploy`. Each is measured in seconds of
CPU, here and in the processes that it starts, so that what else the machine does says little.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np
import polars as pl
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

ROWS = 1_000
NARROW, WIDE = 200, 2_000
TIMES = 10.0  # what the wide frame may cost, in costs of the narrow one
SUMMARIZE = 2.0  # what a profile may cost, in costs of DuckDB's SUMMARIZE
CELLS = (
    "%load_ext mesh_notebook\nimport polars as pl",
    "%mesh product wide --domain bench --owner us --purpose 'to be wide' --status active",
    "%mesh source given wide.parquet",
    "wide = given.with_columns(c1=pl.col('c1') * 2)",
)
STEPS = {
    "profile": "mesh.profile('wide')",
    "output": "%mesh output wide wide --key c0 --event-time c4",
    "check": "%mesh check",
    "export": "%mesh export made",
    "deploy": "%mesh deploy made",
}


def frame_of(columns: int) -> pl.DataFrame:
    """Return a frame of the same six kinds of columns by turns; the first is a key."""
    draw = np.random.default_rng(5)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    kinds: list[Callable[[], Any]] = [
        lambda: draw.integers(0, 10_000, ROWS),
        lambda: draw.normal(100, 15, ROWS).round(3),
        lambda: draw.choice(["north", "south", "east", "west"], ROWS),
        lambda: [f"note {n:x}" for n in draw.integers(0, 1 << 40, ROWS)],
        lambda: [began + timedelta(minutes=int(n)) for n in draw.integers(0, 50_000, ROWS)],
        lambda: draw.integers(0, 2, ROWS).astype(bool),
    ]
    made = {f"c{at}": kinds[at % len(kinds)]() for at in range(columns)}
    return pl.DataFrame(made | {"c0": np.arange(ROWS)})


def cpu() -> float:
    """Return the seconds of CPU that this process and its children have had."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def costs(columns: int) -> dict[str, float]:
    """Take a frame along the path; return what each step cost."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        frame_of(columns).write_parquet(Path("wide.parquet"))
        with redirect_stdout(StringIO()):  # the figures are what is to be read
            for cell in CELLS:
                shell.run_cell(cell, store_history=True).raise_error()
            for step, cell in STEPS.items():
                before = cpu()
                shell.run_cell(cell, store_history=True).raise_error()
                spent[step] = cpu() - before
        shell.run_line_magic("unload_ext", "mesh_notebook")
        os.chdir("/")
    return spent


def grows(narrow: int, wide: int) -> bool:
    """Hold each step's growth to that of the columns."""
    few, many = costs(narrow), costs(wide)
    bar = TIMES * (wide / narrow) / (WIDE / NARROW)
    met = True
    for step, low, high in [
        *((step, few[step], many[step]) for step in STEPS),
        ("all", sum(few.values()), sum(many.values())),
    ]:
        holds = high <= bar * low
        met = met and holds
        print(
            f"{step:10}{low:9.2f} s{high:9.2f} s {high / low:7.1f} times  at most {bar:.0f}: "
            f"{'met' if holds else 'NOT MET'}  ({narrow:,} and {wide:,} columns)",
            flush=True,
        )
    return met


def summarizes(columns: int) -> bool:
    """Hold the profile of a frame to DuckDB's own, of the same rows, by turns."""
    from mesh_notebook.explore.profile import profile

    wide = frame_of(columns)
    connection = duckdb.connect()
    connection.register("wide", wide.to_arrow())
    took: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(3):
        for name, act in (
            ("ours", lambda: profile(wide.lazy())),
            ("theirs", lambda: connection.sql("SUMMARIZE wide").fetchall()),
        ):
            before = cpu()
            act()
            took[name].append(cpu() - before)
    ours, theirs = median(took["ours"]), median(took["theirs"])
    holds = ours <= SUMMARIZE * theirs
    print(
        f"{'profile':10}{ours:9.2f} s, SUMMARIZE {theirs:.2f} s {ours / theirs:7.2f} times  "
        f"at most {SUMMARIZE:.0f}: {'met' if holds else 'NOT MET'}  ({columns:,} columns)",
        flush=True,
    )
    return holds


def main() -> int:
    given = [int(word) for word in sys.argv[1:]] or [NARROW, WIDE]
    met = [summarizes(columns) for columns in given]
    met += [grows(given[0], columns) for columns in given[1:]]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
