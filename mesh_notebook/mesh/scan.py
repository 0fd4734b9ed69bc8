"""Where rows lie and how to read them: the same rows in this process and in a clean one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.dtypes import column_dtype, physical_type, polars_dtype

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from mesh_notebook.mesh.veil import Veil
    from mesh_notebook.model.contract import Contract

__all__ = [
    "FORMATS",
    "Scan",
    "attach",
    "columns_of",
    "connect_duckdb",
    "read_alike",
    "scan_of",
    "without_bar",
]

FORMATS = ("parquet", "csv", "ndjson", "json", "sqlite", "ipc", "delta")
# Types that DuckDB's and Polars' Parquet readers see alike; of any other (a time of day, a
# category, nanoseconds, all nulls) the view takes Polars' word.
_ALIKE = {
    *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
    *("Float32", "Float64", "Decimal", "String", "Binary", "Date"),
}


@dataclass(frozen=True)
class Scan:
    """Where rows lie and how to read them.

    Attributes
    ----------
    format : str
        One of `FORMATS`.
    paths : tuple of str
        Absolute files or URLs, in the order in which they are read; of `delta` the one folder of
        the table. None at all is an empty table, whose columns `schema` must name.
    table : str, optional
        The table, SQLite only.
    null_values : tuple of str
        What a CSV writes where it has no value, beside nothing at all.
    schema : tuple of (column, DuckDB type)
        Types that were settled when the source was opened; empty where the files say them. Of
        Parquet: a file that lacks one of the columns has nulls there.
    version : int, optional
        The version, Delta only.
    separator : str
        What stands between the fields of a CSV.
    state : str
        Of what was captured from elsewhere: what the source itself called its state (an ETag, a
        version, a position in a log).
    stamp : str
        Of a user's own files: their sizes and times when they were opened, hashed.
    veil : Veil, optional
        Of a port under a policy: what is seen of its files.
    folders : tuple of (column, DuckDB type)
        Columns that stand in the names of folders (`day=2026-10-01`), not in the files.
    in_folder : tuple of tuple of str
        By path: the values of these columns.
    guessed : str
        What nobody said, and was read off the files.
    by_name : bool
        Of Parquet and Arrow: a column that a file lacks is null there.
    """

    format: str
    paths: tuple[str, ...]
    table: str | None = None
    null_values: tuple[str, ...] = ()
    schema: tuple[tuple[str, str], ...] = ()
    separator: str = ","
    version: int | None = None
    state: str = ""
    stamp: str = ""
    veil: Veil | None = None
    folders: tuple[tuple[str, str], ...] = ()
    in_folder: tuple[tuple[str | None, ...], ...] = ()
    guessed: str = ""
    by_name: bool = False

    def guessing(self, *said: str) -> Scan:
        """Return the scan with more that was guessed."""
        return replace(self, guessed="; ".join(one for one in (self.guessed, *said) if one))

    def lazy(self) -> pl.LazyFrame:
        """Return the rows as a lazy frame; nothing but schemas is read yet (JSON: everything)."""
        if self.format not in FORMATS:
            raise SourceError(
                f"'{self.format}' is not a known format.",
                next_step=f"known: {', '.join(FORMATS)}",
                format=self.format,
            )
        if self.folders or (self.by_name and len(self.paths) > 1):
            from mesh_notebook.mesh.folders import scan_folders

            return scan_folders(self)
        frame = _READERS[self.format](self) if self.paths else self._empty()
        return self.veil.over(frame) if self.veil else frame

    def _empty(self) -> pl.LazyFrame:
        import polars as pl

        return pl.LazyFrame(schema=self.dtypes())

    def dtypes(self) -> dict[str, pl.DataType]:
        """Return the settled types of `schema` as Polars names them."""
        return {name: polars_dtype(physical) for name, physical in self.schema}

    def as_dict(self) -> dict[str, Any]:
        """Return the scan as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Scan:
        """Read back what `as_dict` gave, also after a trip through JSON."""
        known = {f.name: raw[f.name] for f in fields(cls) if f.name in raw}
        for name in ("schema", "folders", "in_folder"):
            known[name] = tuple(map(tuple, raw.get(name, ())))
        for name in ("paths", "null_values"):
            known[name] = tuple(raw.get(name, ()))
        if veil := raw.get("veil"):
            from mesh_notebook.mesh.veil import Veil

            known["veil"] = Veil.from_dict(veil)
        return cls(**known)

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of the content of all files, in order.

        Each file's digest goes in, so that where one file ends and the next begins counts too.
        Of a SQLite database its write-ahead log counts, where there is one.
        """
        import hashlib

        whole = hashlib.sha256()
        for path in self.paths:
            whole.update(_file_digest(path))
        if self.format == "sqlite":
            whole.update(_wal_digest(self.paths[0]))
        if self.folders:
            whole.update(repr((self.folders, self.in_folder)).encode())
        return whole.hexdigest()


def _file_digest(path: str) -> bytes:
    import hashlib

    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}.",
            next_step="was it moved or removed since it was opened? open the source again",
            path=path,
        ) from None


def _wal_digest(path: str) -> bytes:
    from pathlib import Path

    log = Path(f"{path}-wal")
    return _file_digest(str(log)) if log.exists() and log.stat().st_size else b""


def _scan_parquet(scan: Scan) -> pl.LazyFrame:
    import polars as pl

    columns: dict[str, Any] = {}
    if scan.schema:
        more = {"missing_columns": "insert", "extra_columns": "ignore"}
        columns = {"schema": scan.dtypes(), **more}
    return pl.scan_parquet(
        list(scan.paths),
        hive_partitioning=False,
        glob=False,
        storage_options=_on_s3(scan.paths[0]),
        **columns,
    )


def _on_s3(path: str) -> dict[str, Any] | None:
    if not path.startswith("s3://"):
        return None
    from mesh_notebook.mesh.s3 import polars_options

    return polars_options()


def _scan_delta(scan: Scan) -> pl.LazyFrame:
    """Read what plain files do not say by Delta's own rules; the columns that are named, if any."""
    import polars as pl

    options = None
    if scan.paths[0].startswith("s3://"):
        from mesh_notebook.mesh.s3 import storage_options

        options = storage_options()
    frame = pl.scan_delta(scan.paths[0], version=scan.version, storage_options=options)
    return (
        frame.select(pl.col(n).cast(t) for n, t in scan.dtypes().items()) if scan.schema else frame
    )


def _scan_ipc(scan: Scan) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_ipc(list(scan.paths), hive_partitioning=False, glob=False)


def _scan_csv(scan: Scan) -> pl.LazyFrame:
    from mesh_notebook.mesh.delimited import scan_delimited

    return scan_delimited(scan.paths, scan.dtypes() or None, scan.null_values, scan.separator)


def _scan_ndjson(scan: Scan) -> pl.LazyFrame:
    from glob import escape

    import polars as pl

    # A key that a file does not have is a null; each file is read whole to know its types.
    frames = [pl.scan_ndjson(escape(path), infer_schema_length=None) for path in scan.paths]
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")


def _scan_json(scan: Scan) -> pl.LazyFrame:
    import polars as pl

    frames = [pl.read_json(path, infer_schema_length=None).lazy() for path in scan.paths]
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")


def _scan_sqlite(scan: Scan) -> pl.LazyFrame:
    from mesh_notebook.mesh.sqlite import scan_table

    return scan_table(scan.paths[0], scan.table or "")


_READERS: dict[str, Callable[[Scan], pl.LazyFrame]] = {
    "parquet": _scan_parquet,
    "csv": _scan_csv,
    "ndjson": _scan_ndjson,
    "json": _scan_json,
    "sqlite": _scan_sqlite,
    "ipc": _scan_ipc,
    "delta": _scan_delta,
}


def scan_of(
    files: Sequence[str], contract: Contract, named: bool, veil: Veil | None = None
) -> Scan:
    """Return the scan of a port's Parquet files.

    Parameters
    ----------
    named : bool
        Whether the contract must say the columns and their types: where there is no file to say
        them, or where some files lack columns that were added later.
    veil : Veil, optional
        What is seen of them.
    """
    columns: tuple[tuple[str, str], ...] = ()
    if named or not files or (veil and not veil.is_plain):
        columns = veil.stored if veil else columns_of(contract)
    return Scan("parquet", tuple(files), schema=columns, veil=veil)


def columns_of(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Return a contract's columns with their physical types, in its order."""
    return tuple((c.name, physical_type(column_dtype(c))) for c in contract.columns)


def connect_duckdb(*, files: bool = True) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB of its own, in memory: UTC, and blind to the caller's Python variables.

    Both settings are global to it, so that every cursor has them. Nothing is downloaded. Without
    `files`, it reads none, and no other one can be attached: said here, since in a guarded process
    DuckDB refuses to be told later.
    """
    import duckdb

    con = duckdb.connect(
        config={
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            **({} if files else {"enable_external_access": "false"}),
        }
    )
    # Not in the config: the time zones come with an extension that is loaded first.
    con.execute("SET GLOBAL TimeZone = 'UTC'").fetchall()
    return without_bar(con)


def without_bar(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a connection that draws no bar; each cursor of it has to be told anew.

    Our own progress is a line that goes away; the engine's is a widget that a notebook keeps.
    """
    con.execute("SET enable_progress_bar = false").fetchall()
    return con


def attach(
    con: duckdb.DuckDBPyConnection, name: str, scan: Scan | pl.LazyFrame, frame: pl.LazyFrame
) -> None:
    """Make `name` a view of `frame`, which is `scan.lazy()`, whole or cut to a window.

    Where the rows lie in memory, `scan` is a frame too, and is not looked at.

    DuckDB reads Parquet files itself where the frame is the whole scan and both engines see
    its types alike; else it reads the lazy frame, columns and filters pushed down. The view is
    seen by every cursor of `con`, and replaces an earlier one of the same name.
    """
    if isinstance(scan, Scan) and read_alike(scan, frame):
        relation = con.read_parquet(list(scan.paths), hive_partitioning=False)
        if scan.veil:
            relation = relation.project(_quoted(scan.veil.names))
    else:
        relation = con.from_arrow(frame)
    relation.create_view(name, replace=True)


def read_alike(scan: Scan, frame: pl.LazyFrame) -> bool:
    """Return whether other engines see in the files what `frame` holds: the whole scan, alike."""
    return _reads_itself(scan) and _is_whole(scan, frame) and _alike(frame)


def _quoted(names: Sequence[str]) -> str:
    from sqlglot import exp

    return ", ".join(exp.to_identifier(name, quoted=True).sql("duckdb") for name in names)


def _reads_itself(scan: Scan) -> bool:
    from glob import has_magic

    # DuckDB would take a file named like a glob for one, and reaches no URL without an extension
    # that may not be there. Where the contract names the columns, some files may lack some.
    plain = scan.format == "parquet" and bool(scan.paths) and not scan.schema
    plain = plain and not (scan.folders or scan.by_name)
    plain = plain and (scan.veil is None or scan.veil.is_plain)
    return plain and not any(has_magic(path) or "://" in path for path in scan.paths)


def _is_whole(scan: Scan, frame: pl.LazyFrame) -> bool:
    return frame.explain(optimized=False) == scan.lazy().explain(optimized=False)


def _alike(frame: pl.LazyFrame) -> bool:
    return all(_reads_alike(dtype) for dtype in frame.collect_schema().dtypes())


def _reads_alike(dtype: Any) -> bool:
    import polars as pl

    if isinstance(dtype, pl.List):
        return _reads_alike(dtype.inner)
    if isinstance(dtype, pl.Struct):
        return all(_reads_alike(field.dtype) for field in dtype.fields)
    if isinstance(dtype, pl.Datetime):
        return dtype.time_unit == "us"
    return type(dtype).__name__ in _ALIKE
