"""What a policy costs beside the same rows without one: reading, as ratios, and publishing.

    python tests/bench/policy_costs.py

One port of 10 million rows is published three times: bare, with keyed pseudonyms, and with a row
filter and a redaction. The same query runs on each by turns, in SQL on the port and on its lazy
frame, as somebody who is exempt from nothing. The row filter hides no row, so that all three do the
same work.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import polars as pl
from bundles import contract, write_bundle
from port_costs import COLUMNS, MILLION, Mesh, by_turns, folders, report, rows

import mesh_notebook
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.keys import made_key
from mesh_notebook.model.policy import Mask, PortPolicy, RowFilter

ADDRESS = "urn:dmesh:local:bench:rows"
TYPES = {**COLUMNS, "name": "VARCHAR"}
MANY = 10 * MILLION
OFFICER = ("privacy-officer",)
BARE = "no policy"
PSEUDONYM = "a keyed pseudonym that is selected"
FILTERED = "a row filter and a redaction"
POLICIES = {
    BARE: PortPolicy("rows"),
    PSEUDONYM: PortPolicy("rows", masks=(Mask("place", "tokenise", OFFICER),)),
    FILTERED: PortPolicy(
        "rows",
        masks=(Mask("name", "redact", OFFICER),),
        rows=(RowFilter("n >= 0", OFFICER),),
    ),
}
BARS = {PSEUDONYM: 2.0, FILTERED: 1.2}

SQL = """
SELECT place, count(*) AS many, sum(n) AS n, avg(share) AS share, max(name) AS name
FROM rows WHERE n >= 500 AND day >= DATE '2026-01-03' GROUP BY place
"""


def grouped(frame: pl.LazyFrame) -> pl.LazyFrame:
    wanted = frame.filter(pl.col("n") >= 500, pl.col("day") >= pl.date(2026, 1, 3))
    return wanted.group_by("place").agg(
        many=pl.len(), n=pl.col("n").sum(), share=pl.col("share").mean(), name=pl.col("name").max()
    )


class Protected(Mesh):
    """A mesh in a folder, to whose one product rows are published under a policy."""

    def __init__(self, folder: Path, policy: PortPolicy) -> None:
        told = write_bundle(
            folder / "bundle",
            address=ADDRESS,
            ports={
                "rows": contract(TYPES, id=f"{ADDRESS}:rows:1", event_time="day", key=("id",)),
            },
            inputs=(),
            policies=[policy] if policy else [],
        )
        self.folder, self.root, self.bundle = folder, folder / "mesh", Bundle(told)


def named(many: int) -> pl.DataFrame:
    """Return rows of a year, each with a text of its own or nearly so."""
    frame = rows(many, 365)
    name = pl.concat_str(pl.lit("user-"), pl.col("id") % (many // 2))
    return frame.with_columns(name=name)


def queries() -> bool:
    met = []
    with folders() as folder:
        os.environ["MESH_KEYS"] = str(folder())
        made_key(ADDRESS)
        frame, took = named(MANY), {}
        sql: dict[str, Callable[[], object]] = {}
        lazy: dict[str, Callable[[], object]] = {}
        for name, policy in POLICIES.items():
            mesh, began = Protected(folder(), policy), perf_counter()
            mesh.publish(frame)
            took[f"publish under {name}"] = perf_counter() - began
            workspace = mesh_notebook.open(mesh.root, principal="bo")
            port = workspace.connect("rows")
            sql[f"SQL under {name}"] = lambda w=workspace: w.sql("answer", SQL)
            lazy[f"lazy frame under {name}"] = lambda f=port: grouped(f).collect()
        del frame
        for how, contestants in (("SQL", sql), ("lazy frame", lazy)):
            times = by_turns(contestants, rounds=11)
            for name, bar in BARS.items():
                met.append(report(times, f"{how} under {name}", f"{how} under {BARE}", bar))
        for name in BARS:
            report(took, f"publish under {name}", f"publish under {BARE}")
    return all(met)


def main() -> int:
    print(f"{'':64}{'ours':>12}{'theirs':>13}{'ratio':>7}")
    return 0 if queries() else 1


if __name__ == "__main__":
    sys.exit(main())
