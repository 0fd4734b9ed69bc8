"""Rows that lie in no order of theirs, put in another one: an answer that Polars may give as well.

On few rows the engines answer alike each time; on a million they do not. So one of the two proofs
shows on few rows what the other would show on many.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LARGE", "another_order", "duckdb_otherwise", "scattered"]

LARGE = 500_000  # rows from which on the engines themselves answer otherwise each time
_SEED = 7
_FEW = 50  # rows up to which they are turned round: shuffled, the first may stay the first
_PLACE, _RUN = "place of this row\0", "run of this row\0"


def scattered(frame: pl.DataFrame, by: Collection[str] = ()) -> pl.DataFrame:
    """Return the rows in another order; rows that are sorted by columns change places with ties."""
    import polars as pl

    if not 1 < frame.height <= LARGE or not frame.width:
        return frame
    if not by:
        return _mixed(frame)
    if not set(by) <= set(frame.columns):
        return frame
    run = pl.struct(sorted(by)).rle_id().alias(_RUN)
    places = _mixed(frame.select(run).with_row_index(_PLACE))
    return frame[places.sort(_RUN, maintain_order=True)[_PLACE]]


def _mixed(frame: pl.DataFrame) -> pl.DataFrame:
    if frame.height <= _FEW:
        return frame.reverse()
    return frame.sample(fraction=1, shuffle=True, seed=_SEED)


def another_order(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return a port's rows in another order, at a cost that does not grow with many rows."""
    import polars as pl

    rows = frame.select(pl.len()).collect().item()
    if rows <= LARGE:  # shuffled: turned round, they would be turned back when they are collected
        return frame.collect().sample(fraction=1, shuffle=True, seed=_SEED).lazy()
    return pl.concat([frame.slice(rows // 2), frame.slice(0, rows // 2)])


def duckdb_otherwise(threads: int, *, ordered: bool) -> None:
    """From now on, have each connection run on other threads, and keep no order unasked."""
    import functools

    import duckdb

    connect = duckdb.connect

    def set_up(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        if threads:
            connection.execute("SET threads = $1", [threads]).fetchall()
        if not ordered:
            connection.execute("SET preserve_insertion_order = false").fetchall()
        return connection

    @functools.wraps(connect)
    def otherwise(*args: object, **kwargs: object) -> duckdb.DuckDBPyConnection:
        return set_up(connect(*args, **kwargs))  # type: ignore[arg-type]

    set_up(duckdb.default_connection())
    duckdb.connect = otherwise
