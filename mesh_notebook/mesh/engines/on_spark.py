"""Spark: data frames over the same files, and Narwhals over the data frames.

Results come back by Arrow. The JVM that the driver runs in ends with the process that started it:
it reads that process' pipe, and the pipe closes however the process went.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from mesh_notebook.mesh.scan import Scan

__all__ = ["LOCAL", "OnSpark", "refuse_without_spark", "session"]

LOCAL = "local[*]"
# Spark takes a path for a pattern, and unescapes some: others are read by Polars.
_PLAIN_PATH = re.compile(r"/[\w./=+@ -]*")
_LOOPBACK = re.compile(r"local(\[.*\])?|spark://(127\.0\.0\.1|localhost)(:\d+)?(,.*)?")
_SETTINGS = {
    "spark.app.name": "mesh-notebook",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
    "spark.executor.extraJavaOptions": "-Duser.timezone=UTC",
    "spark.sql.session.timeZone": "UTC",
    # What cannot be computed is an error, as it is to DuckDB, and never a null or a wrapped number.
    "spark.sql.ansi.enabled": "true",
    # A product of decimals keeps its scale, as DuckDB's does, or is an error.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.catalogImplementation": "in-memory",
}


def refuse_without_spark() -> None:
    """Raise where there is no PySpark, or no Java to run it."""
    import os
    import shutil
    from importlib.util import find_spec

    if find_spec("pyspark") is None:
        raise MissingExtra("spark", "the engine spark")
    if not shutil.which("java") and "JAVA_HOME" not in os.environ:
        raise UsageError(
            "Spark needs Java, and there is none here.",
            next_step="install a Java 17 or newer (default-jre-headless on Debian), or say where "
            "it is with JAVA_HOME",
        )


def session(master: str, workdir: Path) -> SparkSession:
    """Start a Spark session, quiet and in UTC; what it writes goes into `workdir`."""
    import os

    from pyspark.sql import SparkSession

    settings = {
        **_SETTINGS,
        "spark.local.dir": str(workdir / "spark"),
        "spark.sql.warehouse.dir": str(workdir / "warehouse"),
    }
    if _LOOPBACK.fullmatch(master):
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


class OnSpark:
    """A session of its own, on this machine or on a cluster."""

    def __init__(self, master: str, workdir: Path) -> None:
        self.spark = session(master, workdir)

    def opened(self, name: str, scan: Scan, frame: pl.LazyFrame) -> nw.LazyFrame[Any]:
        import narwhals as nw

        from mesh_notebook.mesh.scan import read_alike

        if read_alike(scan, frame) and all(map(_PLAIN_PATH.fullmatch, scan.paths)):
            # Without it, folders named `day=2026-01-01` would be columns.
            reader = self.spark.read.option("recursiveFileLookup", "true")
            native = reader.parquet(*scan.paths).select(*frame.collect_schema().names())
        else:
            native = self.spark.createDataFrame(_arrow_of(frame))
        return nw.from_native(native)

    def sealed(self) -> None:
        """Nothing to do: SQL that names files is refused by its translation."""

    def given(self) -> dict[str, Any]:
        return {"sql": self._sql}

    def gathered(self, frame: Any) -> pl.DataFrame:
        import narwhals as nw
        import polars as pl

        if not isinstance(frame, nw.LazyFrame):
            raise UsageError(f"it returned {type(frame).__name__}, not a lazy frame of Narwhals")
        rows = pl.from_arrow(frame.to_native().toArrow())
        assert isinstance(rows, pl.DataFrame)
        return rows

    def ended(self) -> None:
        self.spark.stop()

    def _sql(self, query: str, /, **tables: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Return a query's rows, with the names and the types that DuckDB would give its columns.

        Spark resolves the tables at once, so that a name may mean another frame afterwards.
        """
        import narwhals as nw

        from mesh_notebook.mesh.engines.described import columns_by_duckdb
        from mesh_notebook.mesh.engines.dialects import spark_sql

        natives = {name: frame.to_native() for name, frame in tables.items()}
        schemas = {name: _schema_of(native) for name, native in natives.items()}
        columns = columns_by_duckdb(query, schemas)
        for name, native in natives.items():
            native.createOrReplaceTempView(_quoted(name))
        try:
            made = self.spark.sql(spark_sql(query, schemas))
        finally:
            for name in natives:
                self.spark.catalog.dropTempView(name)
        return nw.from_native(_as_told(made, columns))


def _quoted(name: str) -> str:
    from sqlglot import exp

    return exp.to_identifier(name, quoted=True).sql("spark")


def _as_told(made: DataFrame, columns: list[tuple[str, str]]) -> DataFrame:
    """Give the columns DuckDB's names, types and order.

    They stand in the same order already, but where USING joins: then their names say which is
    which.
    """
    from pyspark.sql import functions as F

    found = [name.lower() for name in made.columns]
    wanted = [name.lower() for name, _ in columns]
    by_name = len(set(found)) == len(found) and set(found) == set(wanted)
    places = [found.index(name) for name in wanted] if by_name else range(len(wanted))
    renamed = made.toDF(*(f"_{n}" for n in range(len(found))))
    return renamed.select(
        *(
            F.col(f"_{n}").cast(dtype).alias(name) if dtype else F.col(f"_{n}").alias(name)
            for n, (name, dtype) in zip(places, columns, strict=True)
        )
    )


def _schema_of(native: DataFrame) -> pa.Schema:
    from pyspark.sql.pandas.types import to_arrow_schema

    return to_arrow_schema(native.schema, timezone="UTC")


def _arrow_of(frame: pl.LazyFrame) -> pa.Table:
    """Return a frame's rows in types that Spark has, none of which loses a value."""
    import polars as pl
    import polars.selectors as cs

    wider = {pl.UInt8: pl.Int16, pl.UInt16: pl.Int32, pl.UInt32: pl.Int64}
    plain = frame.with_columns(
        cs.by_dtype(pl.Categorical, pl.Enum).cast(pl.String),
        cs.by_dtype(pl.UInt64).cast(pl.Decimal(20, 0)),
        *(cs.by_dtype(narrow).cast(wide) for narrow, wide in wider.items()),
        cs.datetime(["ns", "ms"]).dt.cast_time_unit("us"),
    )
    return plain.collect().to_arrow(compat_level=pl.CompatLevel.oldest())
