"""Snapshots as versions of a Delta table: written whole, opened by number, never by time."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, StoreError
from mesh_notebook.mesh.bundle import inside
from mesh_notebook.mesh.dtypes import column_dtype, physical_type

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["clear_unpublished", "conformed", "content_of", "files_of", "write_snapshot"]

# Every snapshot stays readable: neither Delta's own clean-up of old log entries nor anybody's
# VACUUM with the table's defaults may take a version that was published.
_FOR_EVER = "interval 36500 days"
_CONFIGURATION = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": _FOR_EVER,
    "delta.deletedFileRetentionDuration": _FOR_EVER,
}
_ATTEMPTS = 50
_HOUR_OLD = 1


def conformed(frame: pl.LazyFrame | pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return the frame with the contract's columns, in its order and of its types.

    Raises
    ------
    ContractError
        A column is missing or not in the contract, holds a value that its type cannot, or is
        a time without a zone.
    """
    import polars as pl

    lazy = frame.lazy()
    found = lazy.collect_schema()
    wanted = {column.name: column_dtype(column) for column in contract.columns}
    for names, what in (
        ([name for name in wanted if name not in found], "lacks"),
        (
            [name for name in found if name not in wanted],
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
    try:
        return lazy.select(pl.col(n).cast(t) for n, t in wanted.items()).collect()
    except (pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError) as error:
        raise ContractError(
            f"{contract.name} does not fit the types of its contract: {error}",
            next_step="cast the column in the transform, or mend its physicalType",
        ) from None


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

    The count, the sum and the exclusive or of a 64-bit MD5 of each row, as DuckDB writes a row
    as text, hashed by SHA-256 together with the columns' names and types. Equal rows give equal
    hashes on every machine; rows that differ give equal ones only by accident.
    """
    from mesh_notebook.mesh.scan import connect_duckdb

    # Plain names: DuckDB takes "Day" and "day" for one column.
    plain = frame.rename({name: f"c{n}" for n, name in enumerate(frame.columns)})
    with connect_duckdb() as con:
        con.register("snapshot", plain)
        summed = con.execute(
            "SELECT count(*), sum(hash::HUGEINT), bit_xor(hash) FROM "
            "(SELECT md5_number_lower(snapshot::VARCHAR) AS hash FROM snapshot)"
        ).fetchall()
    types = [(name, physical_type(dtype)) for name, dtype in frame.schema.items()]
    return hashlib.sha256(repr((types, summed)).encode()).hexdigest()


def write_snapshot(
    table: Path,
    frame: pl.LazyFrame | pl.DataFrame,
    contract: Contract,
    metadata: dict[str, str],
) -> int:
    """Write the frame as the table's next version, whole or not at all.

    Nobody sees the version until a publication names it. Writers may race: each gets a version
    that holds its own rows and no other's.

    Parameters
    ----------
    metadata : dict
        Kept in the commit: who published, when, as which snapshot.

    Returns
    -------
    int
        The Delta version.
    """
    from deltalake.exceptions import CommitFailedError, DeltaError

    rows = conformed(frame, contract)
    try:
        for _ in range(_ATTEMPTS):
            try:
                return _committed(table, rows, metadata)
            except CommitFailedError as error:
                conflict = error
    except (DeltaError, OSError) as error:
        raise StoreError(
            f"{table} cannot be written: {_first_line(error)}",
            next_step="is the folder writable, with room on its disk?",
            table=str(table),
        ) from None
    raise StoreError(
        f"{table} is written by others all the time: {_first_line(conflict)}",
        next_step="deploy again",
        table=str(table),
    )


def _committed(table: Path, rows: pl.DataFrame, metadata: dict[str, str]) -> int:
    from deltalake import CommitProperties, DeltaTable, Schema, write_deltalake

    schema = Schema.from_arrow(rows.to_arrow().schema)
    DeltaTable.create(table, schema, mode="ignore", configuration=_CONFIGURATION)
    delta = DeltaTable(table)
    # No retries inside Delta: where the table was empty it would take two racing overwrites for
    # two appends, and one version would hold the rows of both. A lost race starts over, outside.
    commit = CommitProperties(custom_metadata=metadata, max_commit_retries=0)
    write_deltalake(
        delta, rows, mode="overwrite", schema_mode="overwrite", commit_properties=commit
    )
    version = delta.version()
    _flush(table / "_delta_log" / f"{version:020}.json", *map(Path, delta.file_uris()))
    return version


def _flush(*paths: Path) -> None:
    """Have the files on the disk itself before anything points to them."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def files_of(table: Path, version: int) -> list[str]:
    """Return the Parquet files, absolute, that hold one version; none at all for no rows.

    Raises
    ------
    StoreError
        The table's log or one of the files is damaged, or leads out of the table's folder.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    home = Path(os.path.realpath(table))
    inside(table / "_delta_log", table)
    try:
        added: Any = DeltaTable(home, version=version).get_add_actions(flatten=True)
    except (DeltaError, OSError) as error:
        raise StoreError(
            f"the log of {table} is damaged: {_first_line(error)}", table=str(table)
        ) from None
    names, sizes = added.column("path").to_pylist(), added.column("size_bytes").to_pylist()
    return [_whole(home, *file) for file in zip(names, sizes, strict=True)]


def _whole(home: Path, name: str, size: int) -> str:
    from urllib.parse import unquote

    import polars as pl

    path = inside(home / unquote(name), home)
    try:
        if (found := path.stat().st_size) != size:
            raise StoreError(f"the file {path.name} has {found} bytes, not {size}.", path=str(path))
        pl.read_parquet_schema(path)
    except OSError as error:
        raise StoreError(
            f"the file {path.name} cannot be read: {error.strerror}.", path=str(path)
        ) from None
    except pl.exceptions.PolarsError as error:
        raise StoreError(
            f"the file {path.name} is not as it was written: {_first_line(error)}", path=str(path)
        ) from None
    return str(path)


def clear_unpublished(table: Path, published: list[int]) -> None:
    """Remove the files, an hour old or more, that no published version needs."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        DeltaTable(table).vacuum(
            retention_hours=_HOUR_OLD,
            dry_run=False,
            enforce_retention_duration=False,
            full=True,
            keep_versions=published,
        )
    except DeltaError:
        # Rubbish is harmless. A damaged table is reported by whoever reads or writes it.
        return


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
