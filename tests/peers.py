"""Ports of every kind, and what each of their snapshots is to a reader that knows nothing of us.

    python tests/peers.py PYTHON      PYTHON is one that has PySpark

`make peers` runs this: Spark reads the files of each snapshot, and must see the rows that the port
serves. Without Java it says so and skips; where MESH_REQUIRE names java, that is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
from bundles import Clock, contract, published, write_bundle
from polars.testing import assert_frame_equal

from mesh_notebook.mesh import store
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.model.address import Address
from mesh_notebook.model.product import major_of
from mesh_notebook.model.time import Window, interval_of

COLUMNS = {
    **{"id": "BIGINT", "at": "TIMESTAMP_TZ", "day": "DATE", "share": "DOUBLE", "place": "VARCHAR"},
    **{"paid": "DECIMAL(10,2)", "on": "BOOLEAN", "tags": "VARCHAR[]", "small": "INTEGER"},
}
ADDED = {"more": "VARCHAR"}
KINDS: dict[str, dict[str, Any]] = {
    "snapshot": {"kind": "snapshot"},
    "log": {"kind": "log"},
    "monthly": {"kind": "snapshot", "interval": "P1M"},
    "wide": {"kind": "log"},
}
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """One snapshot: what the port serves of it, and where a peer finds it.

    Attributes
    ----------
    rows : polars.DataFrame
        As the port serves them, by key.
    table : str
        The folder of the Delta table.
    files : list of str
        Those of the version, as the port tells them.
    """

    name: str
    rows: pl.DataFrame
    table: str
    version: int
    files: list[str]

    def differs(self, theirs: pl.DataFrame) -> str:
        """Return how the rows of a peer differ, or nothing.

        A wide port has the day of the event besides, by which it is laid out; and a column that
        was added to the port later is null here, and not yet in the table.
        """
        theirs = theirs.drop(store.PARTITION, strict=False)
        missing = set(self.rows.columns) - set(theirs.columns)
        dtypes = self.rows.schema
        try:
            assert missing <= set(ADDED)
            theirs = theirs.with_columns(pl.lit(None, dtypes[name]).alias(name) for name in missing)
            assert_frame_equal(theirs.select(self.rows.columns).cast(dtypes).sort("id"), self.rows)
        except AssertionError as error:
            return str(error)
        return ""


def rows(ids: range, month: int, step: int = 1) -> pl.DataFrame:
    """Return rows of a month, with values at the ends of their types, and nulls."""
    instants = [START.replace(month=month) + timedelta(days=n % 28, microseconds=n) for n in ids]
    values = {
        "id": list(ids),
        "at": instants,
        "day": [None if n % 5 == 0 else instants[n - ids.start].date() for n in ids],
        "share": [(None, 0.1 * step, -0.0, float("inf"), 1e-300)[n % 5] for n in ids],
        "place": [("São Paulo", "", None, "a\nb", "'\"\\")[n % 5] for n in ids],
        "paid": [None if n % 3 == 0 else Decimal(f"{n * step}.25") for n in ids],
        "on": [(True, False, None)[n % 3] for n in ids],
        "tags": [([], ["x", None], None, ["ü"])[n % 4] for n in ids],
        "small": [(None, -(2**31), 2**31 - 1)[n % 3] for n in ids],
    }
    exact = {"paid": pl.Decimal(10, 2), "tags": pl.List(pl.String), "small": pl.Int32}
    return pl.DataFrame(values, schema_overrides=exact)


def told(kind: str) -> Iterator[tuple[bool, pl.DataFrame]]:
    """Give what is published to a port of a kind, and whether the added column is in it."""
    month = 2 if kind == "monthly" else 1
    for wider, frame in (
        (False, rows(range(0, 40), 1)),
        (False, rows(range(30, 60), month, step=2)),  # corrections, and rows that are new
        (False, rows(range(0, 0), 1)) if kind == "snapshot" else (False, rows(range(7, 9), 1, 3)),
        (True, rows(range(50, 70), month, step=4)),
        (True, rows(range(0, 5), 1, step=5)),
    ):
        added = pl.Series("more", [f"new {n}" for n in frame["id"]], dtype=pl.String)
        yield wider, frame.with_columns(added) if wider else frame


def snapshots(kind: str, folder: Path, root: Any = None) -> list[Seen]:
    """Publish to a port of a kind, and return each of its snapshots once all are there."""
    root, clock = root or folder / "mesh", Clock(START)
    address = f"urn:dmesh:local:peers:{kind}"
    least = 10 if kind == "wide" else 10**9
    for wider, frame in told(kind):
        made = contract(
            COLUMNS | (ADDED if wider else {}),
            id=f"{address}:rows:1",
            event_time="at",
            key=("id",),
            paid={"logicalType": "number"},
            on={"logicalType": "boolean"},
            small={"logicalType": "integer"},
            tags={"logicalType": "array", "items": {"logicalType": "string", "name": "tag"}},
        )
        bundle = write_bundle(
            folder / "bundle",
            address=address,
            version=f"1.{int(wider)}.0",
            ports={"rows": made},
            inputs=(),
            temporality=KINDS[kind],
        )
        with mock.patch.multiple(store, _WIDE=least, _A_DAY=1):
            published(bundle, root, clock, rows=frame)
    product = PublishedProduct.at(root, Address.parse(address))
    return [seen(product, snapshot) for snapshot in product.snapshots()]


def seen(product: PublishedProduct, snapshot: int) -> Seen:
    receipt = product.receipt(snapshot)
    told = receipt.ports["rows"]
    span = interval_of(told.interval) if told.interval else (None, None)
    window = Window(*span, datetime.fromisoformat(receipt.processing_time))
    return Seen(
        f"{product.name} {snapshot}",
        read_port(product, "rows", window, "bo").frame.collect().sort("id"),
        product.table("rows", major_of(receipt.version)).uri,
        told.delta_version,
        product.files(receipt, "rows"),
    )


SPARK = """
import json, sys
from pyspark.sql import SparkSession
settings = {
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.mergeSchema": "true",
}
builder = SparkSession.builder.master("local[2]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
for job in json.load(open(sys.argv[1])):
    spark.read.parquet(*job["files"]).coalesce(1).write.parquet(job["into"])
"""


def spark(python: Path, found: list[Seen], work: Path) -> dict[str, str]:
    """Have Spark read the files of snapshots; return how what it sees differs, by name."""
    jobs = [
        {"files": one.files, "into": str(work / one.name.replace(" ", "-"))}
        for one in found
        if one.files  # Spark makes no table of no files
    ]
    (work / "jobs.json").write_text(json.dumps(jobs))
    environment = {**os.environ, "PYSPARK_PYTHON": str(python)}
    command = [python, "-c", SPARK, work / "jobs.json"]
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
    return {
        one.name: one.differs(pl.read_parquet(work / one.name.replace(" ", "-") / "*.parquet"))
        if one.files
        else ("" if one.rows.is_empty() else "no files, and yet rows")
        for one in found
    }


def main(python: Path) -> int:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        print("skipped: Spark needs Java, and there is none (default-jre-headless on Debian)")
        return 1 if "java" in os.environ.get("MESH_REQUIRE", "") else 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        found = [one for kind in KINDS for one in snapshots(kind, work / kind)]
        outcomes = spark(python, found, work)
    for name, problem in outcomes.items():
        print(f"{'✗' if problem else '✓'} Spark reads snapshot {name} {problem}".rstrip())
    failed = sum(map(bool, outcomes.values()))
    print(f"\n{len(outcomes) - failed} of {len(outcomes)} snapshots are the same to Spark")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).absolute()))
