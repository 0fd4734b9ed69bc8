"""SQLite tables as lazy frames, read by Python's own driver: no extension to download."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import SourceError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["scan_table", "tables"]

_BATCH = 50_000


def tables(path: str) -> list[str]:
    """Return the names of the tables and views in a database, SQLite's own left out."""
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
    with closing(_open(path)) as con:
        names = [row[0] for row in _run(con, query, path)]
    return [name for name in names if not name.startswith("sqlite_")]


def scan_table(path: str, table: str) -> pl.LazyFrame:
    """Return a table as a lazy frame that reads only the columns that are asked for.

    Types follow the declared ones by SQLite's rules of affinity; BOOLEAN, DATE and TIMESTAMP
    are taken at their word. A value that is not of its column's type is an error.
    """
    from polars.io.plugins import register_io_source

    schema = _schema(path, table)

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = {name: schema[name] for name in columns or schema}
        for frame in _batches(path, table, wanted, rows, batch or _BATCH):
            yield frame if predicate is None else frame.filter(predicate)

    return register_io_source(read, schema=schema)


def _open(path: str) -> sqlite3.Connection:
    if not Path(path).is_file():  # sqlite would make an empty one
        raise SourceError(f"there is no file {path}.", next_step="check the path", path=path)
    # Polars may draw each batch from another thread, one after the other.
    return sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True, check_same_thread=False)


def _run(
    con: sqlite3.Connection, query: str, path: str, parameters: tuple[str, ...] = ()
) -> sqlite3.Cursor:
    try:
        return con.execute(query, parameters)
    except sqlite3.DatabaseError as error:
        raise SourceError(
            f"{path} cannot be read as SQLite: {error}.",
            next_step="is it a SQLite database, and whole?",
            path=path,
        ) from None


def _schema(path: str, table: str) -> dict[str, pl.DataType]:
    with closing(_open(path)) as con:
        found = _run(con, "SELECT name, type FROM pragma_table_info(?)", path, (table,)).fetchall()
    if not found:
        raise SourceError(f"{path} has no table '{table}'.", path=path, table=table)
    return {name: _dtype(declared) for name, declared in found}


def _dtype(declared: str) -> pl.DataType:
    # https://www.sqlite.org/datatype3.html#determination_of_column_affinity
    import polars as pl

    name = declared.upper()
    if name.startswith("BOOL"):
        return pl.Boolean()
    if name == "DATE":
        return pl.Date()
    if name.startswith(("DATETIME", "TIMESTAMP")):
        return pl.Datetime("us", "UTC" if name in _WITH_ZONE else None)
    if "INT" in name:
        return pl.Int64()
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return pl.String()
    if "BLOB" in name:
        return pl.Binary()
    if any(part in name for part in ("REAL", "FLOA", "DOUB", "DEC", "NUM")):
        return pl.Float64()
    return pl.String()


_WITH_ZONE = ("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")


def _batches(
    path: str, table: str, schema: dict[str, pl.DataType], rows: int | None, batch: int
) -> Iterator[pl.DataFrame]:
    with closing(_open(path)) as con:
        cursor = _run(con, _select(table, list(schema), rows), path)
        while chunk := cursor.fetchmany(batch):
            yield _frame(chunk, schema, f"{path}#{table}")


def _select(table: str, columns: list[str], rows: int | None) -> str:
    from sqlglot import exp

    query = exp.select(*(exp.column(name, quoted=True) for name in columns))
    query = query.from_(exp.Table(this=exp.to_identifier(table, quoted=True)))
    return (query if rows is None else query.limit(rows)).sql("sqlite")


def _frame(
    chunk: list[tuple[object, ...]], schema: dict[str, pl.DataType], where: str
) -> pl.DataFrame:
    import polars as pl
    from polars.exceptions import PolarsError

    raw = {name: _stored(dtype) for name, dtype in schema.items()}
    try:
        frame = pl.DataFrame(chunk, schema=raw, orient="row", strict=True)
        return frame.with_columns(_typed(name, dtype) for name, dtype in schema.items())
    except (PolarsError, TypeError, OverflowError):
        raise _bad_value(chunk, schema, where) from None


def _bad_value(
    chunk: list[tuple[object, ...]], schema: dict[str, pl.DataType], where: str
) -> SourceError:
    """Name the first value that is not of its column's type; SQLite lets any value in."""
    for at, (name, dtype) in enumerate(schema.items()):
        value = next((row[at] for row in chunk if not _fits(row[at], dtype)), None)
        if value is not None:
            return SourceError(
                f"{where}: column '{name}' is declared {dtype}, but holds {value!r}.",
                next_step="mend the value, or read a view that casts the column",
                column=name,
                value=value,
            )
    return SourceError(f"{where} holds values that are not of their column's type.")


def _fits(value: object, dtype: pl.DataType) -> bool:
    import polars as pl
    from polars.exceptions import PolarsError

    try:
        stored = pl.DataFrame({"value": pl.Series([value], dtype=_stored(dtype), strict=True)})
        stored.with_columns(_typed("value", dtype))
    except (PolarsError, TypeError, OverflowError):
        return False
    return True


def _stored(dtype: pl.DataType) -> pl.DataType:
    import polars as pl

    if isinstance(dtype, pl.Boolean):
        return pl.Int64()
    return pl.String() if dtype.is_temporal() else dtype


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    column = pl.col(name)
    if isinstance(dtype, pl.Date):
        return column.str.to_date()
    if isinstance(dtype, pl.Datetime):
        return column.str.to_datetime(time_unit="us", time_zone=dtype.time_zone)
    return column.cast(dtype)
