"""Which steps answer differently from run to run at a million rows, and which do not.

    python tests/bench/row_order.py [RUNS]

Each step of `tests/order_steps.py` over a source runs on Parquet; those that are let be may never
vary. A step that is refused need not vary here: what an engine does not promise it may change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

sys.path.insert(0, str(Path(__file__).parents[1]))
from order_steps import ALLOWED, POLARS

ROWS = 1_000_000
GROUPS = 50_000


def written(folder: Path) -> dict[str, Any]:
    """Write the inputs and return how a step names them."""
    draw = np.random.default_rng(5)
    rows = pl.DataFrame(
        {
            "id": draw.permutation(ROWS),
            "k": draw.integers(0, GROUPS, ROWS),
            "d": draw.integers(0, 1_000, ROWS),
            "x": draw.integers(0, 100, ROWS),
        }
    )
    rows.write_parquet(folder / "src.parquet", row_group_size=50_000)
    dim = pl.DataFrame({"k": np.arange(GROUPS), "n": draw.integers(0, 9, GROUPS)})
    dim.write_parquet(folder / "dim.parquet")
    return {name: pl.scan_parquet(folder / f"{name}.parquet") for name in ("src", "dim")} | {
        "pl": pl
    }


def answers(step: str, names: dict[str, Any], runs: int) -> int:
    """Return how many different sets of rows a step gives."""
    found = set()
    for _ in range(runs):
        frame = eval(step, dict(names)).lazy().with_columns(cs.float().round(9)).collect()
        hashes = frame.select(pl.struct(pl.all()).hash(seed=1).alias("row"))["row"].sort()
        found.add(hash(hashes.to_numpy().tobytes()))
    return len(found)


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    varied: dict[str, list[str]] = {"refused": [], "allowed": []}
    tried = dict.fromkeys(varied, 0)
    allowed = dict.fromkeys([*POLARS.values(), *ALLOWED])
    with tempfile.TemporaryDirectory() as base:
        names = written(Path(base))
        for verdict, steps in (("refused", POLARS), ("allowed", allowed)):
            for step in (one for one in steps if "port" not in one):
                many = answers(step, names, runs)
                tried[verdict] += 1
                varied[verdict] += [step] * (many > 1)
                print(f"{verdict}  {many} of {runs}  {step}", flush=True)
    for verdict, steps in varied.items():
        print(f"{verdict}: {len(steps)} of {tried[verdict]} vary over {runs} runs of {ROWS:,} rows")
    return 1 if varied["allowed"] else 0


if __name__ == "__main__":
    sys.exit(main())
