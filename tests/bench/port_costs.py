"""What a port costs beside the bare files: opening, connecting, querying and publishing, as ratios.

    python tests/bench/port_costs.py [NAME ...]      NAME is one of the bars below; all without one

Each bar's contestants run in this process by turns, so that a busy moment of the machine hits all,
and what is compared are medians. Publishing starts on an empty folder each time.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from math import inf
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import duckdb
import numpy as np
import polars as pl
from bundles import contract, write_bundle

import mesh_notebook
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.publishing import publish
from mesh_notebook.model.origin import Origin

COLUMNS = {"id": "BIGINT", "day": "DATE", "place": "VARCHAR", "n": "BIGINT", "share": "DOUBLE"}
NARROW = {"row": "INTEGER", "day": "DATE", "n": "SMALLINT"}
START = date(2026, 1, 1)
MILLION = 1_000_000
ROUNDS = 7

Contestants = dict[str, Callable[[], Any]]


class Mesh:
    """A mesh in a folder, to whose one product frames are published."""

    def __init__(self, folder: Path, columns: dict[str, str] = COLUMNS, kind: str = "snapshot"):
        address = "urn:dmesh:local:bench:rows"
        port = contract(
            columns,
            id=f"{address}:rows:1",
            event_time="day",
            key=(next(iter(columns)),),
            **{
                name: {"logicalType": "integer"}
                for name, physical in columns.items()
                if physical in ("INTEGER", "SMALLINT")
            },
        )
        told = write_bundle(
            folder / "bundle",
            address=address,
            ports={"rows": port},
            inputs=(),
            temporality={"kind": kind},
        )
        self.folder, self.root, self.bundle = folder, folder / "mesh", Bundle(told)

    def publish(self, frame: pl.DataFrame) -> None:
        publish(
            self.root,
            self.bundle,
            {"rows": frame},
            status="active",
            origin=Origin.LIVE,
            inputs=(),
            slos={"rows": {}},
            engine={},
            principal="ana",
            clock=lambda: datetime.now(UTC),
        )

    def connect(self) -> pl.LazyFrame:
        """Open the mesh and connect to the port, as a notebook does."""
        frame: pl.LazyFrame = mesh_notebook.open(self.root).connect("rows")
        frame.collect_schema()
        return frame

    @property
    def table(self) -> str:
        return Catalogue([self.root]).resolve("rows")[0].table("rows", "1").uri

    @property
    def files(self) -> list[str]:
        product = Catalogue([self.root]).resolve("rows")[0]
        return product.files(product.latest(), "rows")


def rows(many: int, days: int) -> pl.DataFrame:
    """Return rows of so many days, by day."""
    dice = np.random.default_rng(1)
    day = pl.Series(np.sort(dice.integers(0, days, many)))
    return pl.DataFrame(
        {
            "id": np.arange(many),
            "day": pl.select(pl.lit(START) + pl.duration(days=day)).to_series(),
            "place": pl.Series(dice.integers(0, 500, many)).cast(pl.String),
            "n": dice.integers(0, 1000, many),
            "share": dice.random(many),
        }
    )


def narrow(many: int) -> pl.DataFrame:
    """Return rows of three small columns, of which many find room."""
    number = pl.int_range(many, dtype=pl.Int32, eager=True)
    return pl.DataFrame(
        {
            "row": number,
            "day": pl.select(pl.lit(START) + pl.duration(days=number % 60)).to_series(),
            "n": (number % 1000).cast(pl.Int16),
        }
    )


def by_turns(
    contestants: Contestants, rounds: int = ROUNDS, after: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Return the median seconds of each; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds + 1):
        for name, act in contestants.items():
            began = perf_counter()
            act()
            times[name].append(perf_counter() - began)
            after()
    return {name: median(runs[1:]) for name, runs in times.items()}


def report(times: dict[str, float], ours: str, theirs: str, bar: float = inf) -> bool:
    """Print one ratio against its bar, if there is one; return whether it is met."""
    ratio = times[ours] / times[theirs]
    met = ratio < bar
    seconds = f"{times[ours] * 1000:9.1f} ms {times[theirs] * 1000:9.1f} ms"
    verdict = f"under {bar}: {'met' if met else 'NOT MET'}" if bar < inf else "for comparison"
    print(f"{ours + ' / ' + theirs:64}{seconds}{ratio:7.2f}  {verdict}", flush=True)
    return met


@contextmanager
def folders() -> Iterator[Callable[[], Path]]:
    """Give folders of which nothing is left."""
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        yield lambda: Path(tempfile.mkdtemp(dir=made))


def snapshots() -> bool:
    """Opening and connecting with a thousand snapshots, against one."""
    met = []
    with folders() as folder:
        for kind in ("snapshot", "log"):
            one, many = Mesh(folder(), kind=kind), Mesh(folder(), kind=kind)
            frame = rows(1000, 30)
            one.publish(frame.head(1))
            for n in range(1000):
                many.publish(frame[n : n + 1])
            names = f"{kind}: 1,000 snapshots", "1 snapshot"
            times = by_turns({names[0]: many.connect, names[1]: one.connect}, rounds=15)
            met.append(report(times, *names, bar=3))
    return all(met)


def size() -> bool:
    """Connecting to a hundred million rows, against a thousand."""
    with folders() as folder:
        small, large = Mesh(folder(), NARROW), Mesh(folder(), NARROW)
        small.publish(narrow(1000))
        large.publish(narrow(100 * MILLION))
        names = "connect to 100 million rows", "to 1,000"
        times = by_turns({names[0]: large.connect, names[1]: small.connect}, rounds=15)
        return report(times, *names, bar=1.5)


SQL = """
SELECT place, count(*) AS many, sum(n) AS n, avg(share) AS share
FROM {} WHERE n >= 500 AND day >= DATE '2026-01-03' GROUP BY place
"""


def query() -> bool:
    """Filter and group 10 million rows through the port, against the best on the bare files."""
    met = []
    with folders() as folder:
        for days, layout in ((365, "plain"), (8, "by day")):
            mesh = Mesh(folder())
            mesh.publish(rows(10 * MILLION, days))
            workspace = mesh_notebook.open(mesh.root)
            lazy, files, table = workspace.connect("rows"), mesh.files, mesh.table
            bare = duckdb.connect()
            bare.read_parquet(files, hive_partitioning=False).create_view("bare")
            sql, ported = f"SQL on the port, {layout}", f"lazy frame of the port, {layout}"
            times = by_turns(
                {
                    sql: lambda w=workspace: w.sql("answer", SQL.format("rows")),
                    ported: lambda f=lazy: grouped(f).collect(),
                    "DuckDB": lambda c=bare: c.sql(SQL.format("bare")).pl(),
                    "Polars": lambda t=table: grouped(pl.scan_delta(t)).collect(),
                },
                rounds=21,
            )
            best = min("DuckDB", "Polars", key=times.__getitem__)
            met.append(report(times, sql, best, bar=1.15))
            # A lazy frame runs in Polars, which may be slower than DuckDB at this query.
            met.append(report(times, ported, "Polars", bar=1.15))
            report(times, ported, best)
    return all(met)


def grouped(frame: pl.LazyFrame) -> pl.LazyFrame:
    wanted = frame.filter(pl.col("n") >= 500, pl.col("day") >= START + timedelta(days=2))
    return wanted.group_by("place").agg(
        many=pl.len(), n=pl.col("n").sum(), share=pl.col("share").mean()
    )


def publishing() -> bool:
    """Publish 10 million rows, against what Polars writes to a bare Delta table."""
    met = []
    with folders() as folder:
        work = folder()
        for days, layout in ((365, "plain"), (8, "by day")):
            frame = rows(10 * MILLION, days)
            alike = {"partition_by": ["_event_date"]} if layout == "by day" else {}
            laid = frame.with_columns(_event_date="day") if alike else frame
            mesh = Mesh(folder())

            def clear(mesh: Mesh = mesh) -> None:
                shutil.rmtree(work)
                work.mkdir()
                shutil.rmtree(mesh.root, ignore_errors=True)

            ours, theirs = f"publish, laid out {layout}", f"write_delta, {layout}"

            def write(frame: pl.DataFrame = laid, options: dict[str, Any] = alike) -> None:
                frame.write_delta(work / "t", delta_write_options=options)

            # Two by turns and no third: one of another layout leaves memory behind that only the
            # contestant after it pays for.
            pair = {ours: lambda m=mesh, f=frame: m.publish(f), theirs: write}
            times = by_turns(pair, rounds=11, after=clear)
            met.append(report(times, ours, theirs, bar=1.3))
    return all(met)


BARS = {act.__name__: act for act in (snapshots, size, query, publishing)}


def main() -> int:
    chosen = sys.argv[1:] or list(BARS)
    print(f"{'':64}{'ours':>12}{'theirs':>13}{'ratio':>7}")
    met = [BARS[name]() for name in chosen]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
