"""What steps cost that a user waits for every day: a check, a mock, an origin, a decision.

python tests/bench/everyday_costs.py [NAME ...]      NAME is a bar below; else all of them
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import polars as pl
from bundles import contract, put
from contracts import column, contract_of
from export_costs import said, shell_of

from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.decisions import Decision, log
from mesh_notebook.mesh.place import Folder
from mesh_notebook.mock.from_contract import mock

MILLION = 1_000_000
ADDRESS = "urn:dmesh:local:travel:delays:daily:1"
DELAYS = pl.DataFrame({"airport": ["JFK"], "day": [date(2026, 1, 1)], "delay": [10.0]})
KINDS = ["VARCHAR", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP_TZ", "BOOLEAN", "DECIMAL(9,2)"]


def checking() -> bool:
    """Twenty rules over a million rows."""
    frame = pl.select(k=pl.int_range(MILLION), **{f"c{i}": pl.int_range(MILLION) for i in range(9)})
    limits = {"minimum": 0, "maximum": MILLION - 2}
    bounded = [
        column(f"c{i}", "BIGINT", required=True, logicalTypeOptions=limits) for i in range(9)
    ]
    ruled = contract_of(column("k", "BIGINT", primaryKey=True), *bounded)
    return said(
        "checking", _median(lambda: check(frame.lazy(), ruled)), 2, "20 rules, 1,000,000 rows"
    )


def mocking() -> bool:
    """A million rows of ten columns."""
    drawn = contract_of(
        column("id", primaryKey=True, required=True),
        column("email", unique=True, required=True, logicalTypeOptions={"format": "email"}),
        column("city"),
        *(column(f"c{i}", kind) for i, kind in enumerate(KINDS)),
    )
    return said("mocking", _median(lambda: mock(drawn, MILLION, 1), 3), 20, "1,000,000 rows")


def origin() -> bool:
    """Whether a frame descends from mock rows, asked at the end of a notebook of 200 cells."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        put(Path(folder, ".mesh"), DELAYS, contract(id=ADDRESS))
        cells = ["import polars as pl", "%mesh connect delays --as flights --mode mock --rows 10"]
        shell = shell_of("%load_ext mesh_notebook", *cells, "f0 = flights")
        mesh = shell.user_ns["mesh"]
        for n in range(200):
            cell = f"f{n + 1} = f{n}.with_columns(c=pl.lit({n}))"
            shell.run_cell(cell, store_history=True).raise_error()
            mesh.origin(f"f{n + 1}")  # as the notebook asks while it grows
        shell.run_cell("last = f200.head(1)", store_history=True).raise_error()
        assert mesh.origin("last") == "mock"
        took = _median(lambda: mesh.origin("last"))
        shell.run_line_magic("unload_ext", "mesh_notebook")
        os.chdir("/")
    return said("telling an origin", took, 0.1, "200 cells")


def deciding() -> bool:
    """A decision about an access that is written down."""
    told: dict[str, Any] = {
        "principal": "ana",
        "roles": ("analyst",),
        "purpose": "research",
        "at": "2026-01-01T12:00:00.000000Z",
        "product": "urn:dmesh:local:travel:delays",
        "port": "daily",
        "window": {"from": "2026-01-01T00:00:00.000000Z"},
        "snapshot": 1,
        "version": "1.0.0",
        "mode": "sql",
        "decision": "allow",
        "rules": ("only rows where airport = 'JFK'",),
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Folder(Path(folder))
        put(root, DELAYS, contract(id=ADDRESS))
        product, _ = Catalogue([root]).resolve("delays")
        decision = Decision(**told)
        took = _median(lambda: log(product, decision), 50)
    return said("writing a decision", took, 0.05, "a folder")


def _median(act: Callable[[], object], times: int = 5) -> float:
    took = []
    for _ in range(times):
        began = perf_counter()
        act()
        took.append(perf_counter() - began)
    return median(took)


BARS: dict[str, Callable[[], bool]] = {
    act.__name__: act for act in (checking, mocking, origin, deciding)
}


def main() -> int:
    met = [BARS[name]() for name in sys.argv[1:] or BARS]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
