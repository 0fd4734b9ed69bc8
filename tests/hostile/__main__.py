"""Export hostile notebooks, and hold each module to the notebook's own code on other rows.

    python tests/hostile 300 [FIRST]      # `make hostile`: seeds FIRST, FIRST + 1, …

A refusal is right; an export is right if the module gives on other rows what the notebook's cells
give there, in two processes that differ in hash seed, threads, zone and folder. What fails on other
rows by itself is told, and counts as neither.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from mesh_notebook.export.comparing import difference
from notebooks import drawn

_HERE = Path(__file__).parent
_PATIENCE = 300  # seconds a stage


def stage(name: str, folder: Path, seed: int, *more: str, **environ: str) -> dict[str, Any]:
    """Run one stage in a process of its own, and return what it told."""
    surroundings = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(_HERE.parent), **environ}
    for kept in ("MESH_KEYS", "MESH_CACHE"):
        surroundings[kept] = str(folder / kept.lower())
    command = [sys.executable, str(_HERE / "stages.py"), name, str(folder), str(seed), *more]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        try:
            subprocess.run(
                command, env=surroundings, stdout=log, stderr=log, timeout=_PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return {"end": "failed", "said": "took too long"}
    told = folder / f"{name}.json"
    return json.loads(told.read_text()) if told.exists() else {"end": "failed", "said": "died"}


def judged(seed: int) -> tuple[int, str, str]:
    """Return the seed of a notebook, the verdict, and why."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        here, there, alone = (home / part for part in ("here", "there", "alone"))
        for folder in (here, there, alone):
            folder.mkdir()
        told = stage("export", here, seed)
        if told["end"] != "exported":
            return seed, told["end"], told["said"]
        text = (here / "bundle" / "transform.py").read_text()
        ran = stage("again", there, seed)
        bundle = str(here / "bundle")
        made = [
            stage("run", alone, seed, bundle, PYTHONHASHSEED="2", TZ="Asia/Tokyo"),
            stage("run", alone, seed, bundle, PYTHONHASHSEED="3", POLARS_MAX_THREADS="1"),
        ]
        if ran["end"] != "ran":
            return seed, "not comparable", ran["said"]
        if failed := [one for one in made if one["end"] != "ran"]:
            return seed, "wrong", f"the module fails: {failed[0]['said']}\n{text}"
        said = difference(*(pl.read_ipc(p) for p in sorted(alone.glob("made-*.arrow"))))
        said = said or difference(
            pl.read_ipc(there / "again.arrow"), pl.read_ipc(alone / "made-2.arrow")
        )
        return seed, "wrong" if said else "right", f"{said}\n{text}" if said else ""


def main(many: int, first: int = 0) -> int:
    """Try so many notebooks; return the exit code."""
    tally: Counter[str] = Counter()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for seed, verdict, why in pool.map(judged, range(first, first + many)):
            notebook = drawn(seed)
            tally[f"{notebook.kind.partition(':')[0]}: {verdict}"] += 1
            if verdict in ("wrong", "failed", "not comparable"):
                print(f"==== seed {seed}: {verdict}\n{notebook}\n---- {why}", flush=True)
            else:
                print(
                    f"seed {seed}: {verdict} ({notebook.kind}) {why.splitlines()[:1]}", flush=True
                )
    wrong = sum(count for kind, count in tally.items() if kind.endswith("wrong"))
    print(f"{many:,} notebooks: {wrong} wrong; {dict(sorted(tally.items()))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
