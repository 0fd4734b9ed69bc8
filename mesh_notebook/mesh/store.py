"""Snapshots as versions of a Delta table: written whole, opened by number, never by time.

A version that no publication names does not exist for a reader. Such versions are left by writers
that were killed or lost a race, and the next writer starts from the published one, not from them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mesh_notebook.errors import ContractError, StoreError
from mesh_notebook.mesh.dtypes import column_dtype, physical_type
from mesh_notebook.mesh.place import Place, place_of
from mesh_notebook.mesh.sealing import ROWS, is_own
from mesh_notebook.mesh.stored import as_stored, refuse_changed, refuse_lost

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable

    from mesh_notebook.model.contract import Contract

__all__ = ["PARTITION", "conformed", "content_of", "opened", "write_snapshot"]

# The day of the event, by which a wide port is laid out; in the table, and not in the port.
PARTITION = "_event_date"
# Wide: so many rows that a reader of some days should not open the files of all the others, and
# enough of them a day that a day's file is of the size that Delta aims at. Smaller ones would be
# many, which every reader pays for, and take twice as long to write.
_WIDE, _A_DAY = 1_000_000, 1_000_000
# Every snapshot stays readable: neither Delta's own clean-up of old log entries nor anybody's
# VACUUM with the table's defaults may take a version that was published.
_FOR_EVER = "interval 36500 days"
_CONFIGURATION = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": _FOR_EVER,
    "delta.deletedFileRetentionDuration": _FOR_EVER,
}
# Of how many columns the log keeps the least and the greatest value, file by file; 32 is usual.
_EXTREMES, _OF_SOME, _OF_NONE = "delta.dataSkippingNumIndexedCols", "32", "0"
_ATTEMPTS = 50
# For how long a write is begun again that storage broke off, seconds.
_PATIENCE = 15


def conformed(
    frame: pl.LazyFrame | pl.DataFrame, contract: Contract, beside: Sequence[str] = ()
) -> pl.DataFrame:
    """Return the frame with the contract's columns, in its order and of its types.

    Parameters
    ----------
    beside : sequence of str
        What a policy has the store keep beside them (see `mesh.sealing`); it comes after.

    Raises
    ------
    ContractError
        A column is missing or not in the contract, holds a value that its type cannot or that
        would be another one in it, or is a time without a zone.
    """
    import polars as pl

    lazy = frame.lazy()
    found = lazy.collect_schema()
    wanted = {column.name: column_dtype(column) for column in contract.columns}
    for names, what in (
        ([name for name in wanted if name not in found], "lacks"),
        (
            [name for name in found if name not in wanted and name not in beside],
            "has a column that is not in the contract:",
        ),
    ):
        if names:
            raise ContractError(
                f"{contract.name} {what} {', '.join(names)}.",
                next_step="the frame and the contract must name the same columns",
                columns=names,
            )
    _refuse_naive(wanted, contract)
    there = [*wanted.items(), *((name, found[name]) for name in beside)]
    if isinstance(frame, pl.DataFrame) and list(found.items()) == there:
        return frame
    refuse_lost(lazy.select(*wanted), contract.name)
    stored = as_stored(lazy.select(*wanted, *beside))
    other = [n for n, dtype in stored.collect_schema().items() if wanted.get(n, dtype) != dtype]
    try:
        rows = stored.collect()
        cast = rows.with_columns(pl.col(name).cast(wanted[name]) for name in other)
    except (pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError) as error:
        raise ContractError(
            f"{contract.name} does not fit the types of its contract: {error}",
            next_step="cast the column in the transform, or mend its physicalType",
        ) from None
    refuse_changed(rows.select(other), cast, contract.name)
    return cast


def _refuse_naive(wanted: dict[str, pl.DataType], contract: Contract) -> None:
    import polars as pl

    for name, dtype in wanted.items():
        if isinstance(dtype, pl.Datetime) and not dtype.time_zone:
            raise ContractError(
                f"{contract.name}.{name} is a time without a zone, which no snapshot can hold.",
                next_step=f'pl.col("{name}").dt.replace_time_zone("UTC"), and '
                "physicalType: TIMESTAMP_TZ",
                column=name,
            )


def content_of(frame: pl.DataFrame) -> str:
    """Return a hash (hex) of the rows as a multiset: their order does not matter.

    The count, the sum and the exclusive or of Polars' 64-bit hash of each row, hashed by SHA-256
    together with the columns' names and types. Equal rows give equal hashes with one version of
    Polars, which is part of what is hashed: rows that another version hashed are not known to be
    equal. Rows that differ give equal ones only by accident.
    """
    import hashlib

    import polars as pl

    types = [(name, physical_type(dtype)) for name, dtype in frame.schema.items()]
    summed: tuple[object, ...] = ()
    if frame.width:
        hashed = frame.lazy().select(pl.struct(pl.all()).hash(1).alias("hash"))
        both = (pl.col("hash").sum().alias("sum"), pl.col("hash").bitwise_xor().alias("xor"))
        # Streamed: so it lets other threads of Python go on, and holds no hash of a row for long.
        summed = hashed.select(pl.len(), *both).collect(engine="streaming").row(0)
    return hashlib.sha256(repr((pl.__version__, types, summed)).encode()).hexdigest()


def write_snapshot(
    table: Place | Path,
    frame: pl.LazyFrame | pl.DataFrame,
    contract: Contract,
    metadata: dict[str, str],
    hidden: bool = False,
) -> int:
    """Write the frame as the table's next version, whole or not at all.

    Nobody sees the version until a publication names it. Writers may race: each gets a version
    that holds its own rows and no other's.

    Parameters
    ----------
    metadata : dict
        Kept in the commit: who published, when, as which snapshot.
    hidden : bool
        Whether there are rows that not everybody may see: then the log tells no value of any.

    Returns
    -------
    int
        The Delta version.
    """
    from deltalake import write_deltalake

    named = {column.name for column in contract.columns}
    beside = [n for n in frame.lazy().collect_schema() if is_own(n) and n not in named]
    rows = conformed(frame, contract, beside)
    place = place_of(table)

    def overwrite() -> int:
        delta = created(place, rows, contract)
        keep_extremes(delta, not hidden)
        write_deltalake(
            delta,
            laid_out(rows, delta, contract),
            mode="overwrite",
            schema_mode="overwrite",
            partition_by=_folders(rows, PARTITION in delta.metadata().partition_columns),
            commit_properties=commit_of(metadata),
        )
        return delta.version()

    return committed(place, overwrite)


def created(table: Place, rows: pl.DataFrame, contract: Contract) -> DeltaTable:
    """Return the table, made where there is none: laid out by day where the rows are wide."""
    from deltalake import DeltaTable, Schema

    wide = _is_wide(rows, contract)
    shaped = _with_day(rows.clear(), contract) if wide else rows.clear()
    DeltaTable.create(
        table.delta_uri,
        Schema.from_arrow(shaped.to_arrow().schema),
        mode="ignore",
        partition_by=_folders(rows, wide) or None,
        configuration=_CONFIGURATION,
        storage_options=table.options or None,
    )
    return DeltaTable(table.delta_uri, storage_options=table.options or None)


def keep_extremes(delta: DeltaTable, keep: bool) -> None:
    """Have the log of a table keep, or not, the extremes of what is written to it from now on."""
    wanted = _OF_SOME if keep else _OF_NONE
    if delta.metadata().configuration.get(_EXTREMES, _OF_SOME) != wanted:
        delta.alter.set_table_properties({_EXTREMES: wanted}, commit_properties=commit_of({}))


def _folders(rows: pl.DataFrame, by_day: bool) -> list[str]:
    """Return the columns of which each value has files of its own."""
    return [*([ROWS] if ROWS in rows.columns else []), *([PARTITION] if by_day else [])]


def laid_out(rows: pl.DataFrame, delta: DeltaTable, contract: Contract) -> pl.DataFrame:
    """Return rows as the table has them: with the day of the event, where it is laid out by it."""
    by_day = PARTITION in delta.metadata().partition_columns
    return _with_day(rows, contract) if by_day else rows


def _with_day(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    import polars as pl

    column = pl.col(contract.event_time) if contract.event_time else pl.lit(None)
    return rows.with_columns(column.cast(pl.Date).alias(PARTITION))


def _is_wide(rows: pl.DataFrame, contract: Contract) -> bool:
    most = rows.height // _A_DAY  # days, for each to have enough
    if contract.event_time is None or rows.height < _WIDE or most < 2:
        return False
    import polars as pl

    # Where a few rows are of too many days already, the others need not be looked at.
    times = rows[contract.event_time]
    few = times.gather_every(max(rows.height // 10_000, 1))
    if few.cast(pl.Date).n_unique() > most:
        return False
    ends = pl.Series([times.min(), times.max()], dtype=times.dtype).cast(pl.Date)
    span = (ends[1] - ends[0]).days + 1 if ends.null_count() == 0 else 1
    # Of a few days on end there are no more than these; else they have to be counted.
    return span > 1 and (span <= most or times.cast(pl.Date).n_unique() <= most)


def commit_of(metadata: dict[str, str]) -> Any:
    """Return a commit that no retry inside Delta saves.

    Where the table was empty Delta would take two racing overwrites for two appends, and one
    version would hold the rows of both. A lost race starts over, outside.
    """
    from deltalake import CommitProperties

    return CommitProperties(custom_metadata=metadata, max_commit_retries=0)


def committed(table: Place, write: Callable[[], int]) -> int:
    """Return the version that `write` makes; tried again while others win the race for it."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    began = time.monotonic()
    try:
        for _ in range(_ATTEMPTS):
            try:
                version = write()
            except CommitFailedError as error:
                conflict: Exception = error
            except (DeltaError, OSError) as error:
                # A commit whose answer was lost may have been made. It is no harm: nobody names it.
                if table.unreachable(error) is None or time.monotonic() - began > _PATIENCE:
                    raise
                conflict = error
            else:
                _flush(table, version)
                return version
    except (DeltaError, OSError) as error:
        raise table.unreachable(error) or StoreError(
            f"{table} cannot be written: {first_line(error)}",
            next_step="is it writable, with room on its disk? What was published stands",
            table=str(table),
        ) from None
    raise StoreError(
        f"{table} is written by others all the time: {first_line(conflict)}",
        next_step="deploy again",
        table=str(table),
    )


def _flush(table: Place, version: int) -> None:
    """Have the files on the disk itself before anything points to them."""
    if table.folder is None:
        return
    log = table.folder / "_delta_log" / f"{version:020}.json"
    # Of the log, since a URI of Delta's does not say what of it is escaped.
    added: Any = opened(table, version).get_add_actions(flatten=True)
    files = [table.folder / unquote(path) for path in added.column("path").to_pylist()]
    for path in (log, *files):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def opened(table: Place, version: int | None = None) -> DeltaTable:
    """Return the Delta table at one of its versions.

    Raises
    ------
    StoreError
        Its log is damaged.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        return DeltaTable(table.delta_uri, version=version, storage_options=table.options or None)
    except (DeltaError, OSError) as error:
        raise table.unreachable(error) or StoreError(
            f"the log of {table} is damaged: {first_line(error)}", table=str(table)
        ) from None


def first_line(error: Exception) -> str:
    """Return what an error says first, without what it says of its own insides."""
    return str(error).split("\n", 1)[0]
