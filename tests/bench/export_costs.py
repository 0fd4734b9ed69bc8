"""What recording costs a cell, and what an export costs besides its proof.

    python tests/bench/export_costs.py [NAME ...]      NAME is a bar below; else all of them

Recording is measured in a real IPython shell with two hundred names, some of them large frames:
the same cells, by turns, with the extension loaded and without it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest import mock

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from mesh_notebook.export import exporting

CELLS = 300
A_CELL = 0.001  # seconds that recording one may take
TWICE = 1.8  # times what one proof takes, that both may take
ROWS = 1_000_000  # of the input of these proofs
WITHOUT_PROOF = 2.0  # seconds that the export of 200 cells may take besides its proof
CROWDED = """
import numpy as np, pandas as pd, polars as pl
for number in range(20):
    globals()[f"large_{number}"] = pl.DataFrame({"x": np.arange(500_000)})
    globals()[f"wide_{number}"] = pd.DataFrame(np.zeros((1000, 100)))
    globals()[f"lazy_{number}"] = globals()[f"large_{number}"].lazy().filter(pl.col("x") > 3)
for number in range(140):
    globals()[f"name_{number}"] = [list(range(number)), {"k": number}, number, "text"][number % 4]
"""


def shell_of(*cells: str) -> InteractiveShell:
    """Return a shell in which cells have run."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    with redirect_stdout(StringIO()):  # the figures are what is to be read
        for cell in cells:
            shell.run_cell(cell, store_history=True).raise_error()
    return shell


def cell_times(shell: InteractiveShell) -> float:
    """Return the median seconds that a cell takes which does next to nothing."""
    took = []
    for number in range(CELLS):
        began = perf_counter()
        shell.run_cell(f"count = {number}", store_history=True)
        took.append(perf_counter() - began)
    return median(took)


def record() -> bool:
    """A cell of a crowded notebook, with the extension and without."""
    bare: list[float] = []
    loaded: list[float] = []
    for _ in range(5):
        bare.append(cell_times(shell_of(CROWDED)))
        shell = shell_of(CROWDED, "%load_ext mesh_notebook")
        loaded.append(cell_times(shell))
        shell.run_line_magic("unload_ext", "mesh_notebook")
    cost = median(loaded) - median(bare)
    return said("recording a cell", cost, A_CELL, f"{len(shell.user_ns)} names")


def two_hundred() -> list[str]:
    """Return the cells of a notebook that explores much and declares one port."""
    cells = ["import polars as pl\nimport numpy as np", "%mesh source flights flights.csv"]
    cells += ["limits = {'low': 3}\nseen = []\ndef shifted(v, by=2):\n    return v + by"]
    for number in range(49):
        before = "flights" if number < 2 else f"step_{number - 2}"
        cells += [
            f"# Step {number}\nstep_{number} = {before}.with_columns(\n"
            f"    c{number}=pl.col('n') + shifted({number}) + limits['low']\n)",
            f"limits['k{number}'] = {number}\nseen.append({number})\nprint(limits)",
            f"class Look{number}:\n    def rows(self, frame):\n        return frame.head({number})",
            f"for v in range(3):\n    seen.append(shifted(v))\nstep_{number}.collect().height",
        ]
    cells += ["total = step_48.select('day', 'n', 'c48')", "%mesh output daily total --key day"]
    return cells


def export() -> bool:
    """Export a notebook of two hundred cells: all of it but the proof."""
    proofs: list[float] = []
    wholes: list[float] = []
    prove = exporting.prove

    def timed(*args: Any) -> Any:
        began = perf_counter()
        proof = prove(*args)
        proofs.append(perf_counter() - began)
        return proof

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        lines = "\n".join(f"{day},{day % 7}" for day in range(1000))
        Path("flights.csv").write_text(f"day,n\n{lines}\n")
        cells = two_hundred()
        shell = shell_of("%load_ext mesh_notebook", *cells)
        with mock.patch.object(exporting, "prove", timed), redirect_stdout(StringIO()):
            for number in range(4):
                began = perf_counter()
                shell.run_cell(f"%mesh export made-{number}", store_history=True).raise_error()
                wholes.append(perf_counter() - began)
        shell.run_line_magic("unload_ext", "mesh_notebook")
        os.chdir("/")
    took = [whole - proof for whole, proof in zip(wholes, proofs, strict=True)]
    note = f"{len(cells)} cells; the first {took[0]:.2f} s, its proof {median(proofs):.2f} s"
    return said("slicing and writing", max(took), WITHOUT_PROOF, note)


HEAVY = """\
import polars as pl


def daily(plays: pl.LazyFrame) -> pl.LazyFrame:
    shows = plays.group_by("show", maintain_order=True).agg(pl.col("minutes").sum().alias("all"))
    joined = plays.join(shows, on="show", how="left", maintain_order="left")
    ranked = joined.sort("show", "id").with_columns(
        so_far=pl.col("minutes").cum_sum().over("show"),
        place=pl.col("id").rank("dense").over("day"),
    )
    return ranked.filter(pl.col("so_far") > pl.col("all") / 2)
"""
LIGHT = "def daily(plays):\n    return plays.filter(plays.collect()['minutes'] > 50)\n"


def twice() -> bool:
    """Both proofs beside one, of a module that computes much and of one that computes little."""
    import numpy as np
    import polars as pl

    draw = np.random.default_rng(3)
    frame = pl.DataFrame(
        {
            "id": np.arange(ROWS),
            "show": draw.integers(0, 5_000, ROWS),
            "day": draw.integers(0, 365, ROWS),
            "minutes": draw.integers(0, 120, ROWS),
        }
    )
    met = [_both("a module that computes", HEAVY, frame)]
    return all([*met, _both("a light module", LIGHT, frame.head(1_000))])


def _both(what: str, text: str, frame: Any) -> bool:
    from mesh_notebook.mesh.inputs import ReplayInput
    from mesh_notebook.mesh.replay import replay, replay_twice
    from mesh_notebook.mesh.scan import Scan

    took: dict[str, list[float]] = {"one": [], "both": []}
    with tempfile.TemporaryDirectory() as base:
        Path(base, "transform.py").write_text(text)
        frame.write_parquet(Path(base, "plays.parquet"))
        scan = Scan("parquet", (str(Path(base, "plays.parquet")),))
        given = {"plays": ReplayInput(scan, ordered=False, key=("id",))}
        for number in range(5):
            for name, act in (("one", replay), ("both", replay_twice)):
                folder = Path(base, f"{name}-{number}")
                folder.mkdir()
                began = perf_counter()
                act(Path(base, "transform.py"), ["daily"], given, folder)
                took[name].append(perf_counter() - began)
    one, both = median(took["one"]), median(took["both"])
    met = both <= TWICE * one
    print(
        f"{'both proofs':24}{both / one:10.2f} times one proof ({one:.2f} s)  at most {TWICE}: "
        f"{'met' if met else 'NOT MET'}  ({what}, {frame.height:,} rows)",
        flush=True,
    )
    return met


def said(what: str, seconds: float, bar: float, note: str) -> bool:
    """Print a time against its bar; return whether it is met."""
    met = seconds <= bar
    verdict = f"at most {bar * 1000:,.0f} ms: {'met' if met else 'NOT MET'}"
    print(f"{what:24}{seconds * 1000:10.2f} ms  {verdict}  ({note})", flush=True)
    return met


BARS: dict[str, Callable[[], bool]] = {act.__name__: act for act in (record, export, twice)}


def main() -> int:
    met = [BARS[name]() for name in sys.argv[1:] or BARS]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
