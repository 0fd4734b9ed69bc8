"""Files of one kind as a scan: what they hold is settled and proved readable."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh_notebook.errors import SourceError, UsageError, near
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.kinds import kind_of, known, one_kind

__all__ = ["scan_of", "stamp_of"]

_SQLITE_MAGIC = b"SQLite format 3\0"
_WITH_PARTS = ("sqlite", "excel")


def scan_of(files: Sequence[Path], part: str | None, asked: Asked, world: World) -> Scan:
    """Return the scan of files on this machine, proved readable.

    Parameters
    ----------
    files : sequence of Path
        What was found, in the order in which it is read.
    part : str, optional
        The table of a database, or the sheet of a workbook.

    Raises
    ------
    SourceError
        A file is unreadable, of an unknown kind, or empty; or they are of mixed kinds or shapes.
    """
    kind = asked.format or _one_kind(files, asked.uri)
    if part is not None and kind not in _WITH_PARTS:
        raise SourceError(
            f"'{asked.uri}' names a part, but {files[0].name} is {kind}, which has none.",
            next_step=f"leave out '#{part}'",
            uri=asked.uri,
        )
    if kind != "csv" and asked.of_text:
        raise UsageError(
            f"{', '.join(asked.of_text)} is of a CSV, and {files[0].name} is {kind}.",
            next_step="leave it out; or say that it is one: --format csv",
        )
    for path in files:
        _not_empty(path, kind)
    if kind == "excel":
        from mesh_notebook.mesh.sources.excel import captured

        scan = captured(_only(files, "workbooks", "sheet"), part, asked, world)
    else:
        scan = _scan(kind, list(files), part, asked, world)
    _prove(scan, asked.uri)
    return scan


def stamp_of(paths: Sequence[str]) -> str:
    """Return what tells whether files were written to: a hash of their sizes and times."""
    told = hashlib.sha256()
    for path in (q for p in paths for q in (p, f"{p}-wal")):
        try:
            stat = Path(path).stat()
        except OSError:
            continue
        if not stat.st_size:  # a log of SQLite that reading alone has made
            continue
        told.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return told.hexdigest()


def _one_kind(files: Sequence[Path], uri: str) -> str:
    for path in files:
        if kind_of(path.name) is None and not _is_sqlite(path):
            _refuse_duckdb(path, "TABLE")
            raise SourceError(
                f"'{path.name}' is of no known kind.",
                next_step=f"{known()}; or say it with --format (of a text: csv)",
                uri=uri,
                path=str(path),
            )
    return one_kind([kind_of(p.name) or "sqlite" for p in files], uri, files[0].name)


def _only(files: Sequence[Path], what: str, part: str) -> Path:
    if len(files) > 1:
        raise SourceError(
            f"{len(files)} {what} are not one source.",
            next_step=f"give one: {files[0].name}#{part}",
        )
    return files[0]


def _is_sqlite(path: Path) -> bool:
    return _start(path).startswith(_SQLITE_MAGIC)


def _refuse_duckdb(path: Path, table: str) -> None:
    """Refuse a database of DuckDB, which only its own version reads, with the way around."""
    from sqlglot import exp

    if _start(path)[8:12] != b"DUCK":
        return
    query = exp.select("*").from_(exp.to_table(table, dialect="duckdb")).sql("duckdb")
    file = f"{table.rpartition('.')[2]}.parquet"
    opened = f"duckdb.connect({str(path)!r}, read_only=True)"
    raise SourceError(
        f"{path.name} is a database of DuckDB, which is no source: one process has it at a time.",
        next_step=f"write the table to a file: {opened}.sql({query!r}).write_parquet({file!r}); "
        f"and then %mesh source NAME {file}",
        path=str(path),
    )


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_MAGIC))
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}.",
            next_step="check who may read it",
            path=str(path),
        ) from None


def _not_empty(path: Path, kind: str) -> None:
    if not _start(path):
        names = "; a CSV without rows still has its line of column names" if kind == "csv" else ""
        raise SourceError(
            f"{path} is empty.",
            next_step=f"write it anew{names}",
            path=str(path),
        )


def _scan(kind: str, files: list[Path], table: str | None, asked: Asked, world: World) -> Scan:
    paths = tuple(map(str, files))
    if kind == "csv":
        from mesh_notebook.mesh.sources.texts import scan_texts

        return scan_texts(files, asked, world)
    if kind == "sqlite":
        return Scan(kind, paths, _table(files, table))
    if kind == "json" and all(_is_lines(path) for path in files):
        return Scan("ndjson", paths)
    return Scan(kind, paths, by_name=asked.by_name)


def _is_lines(path: Path) -> bool:
    """Whether a `.json` file holds an object a line, as many programs write it."""
    import json

    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first, second = file.readline(), file.readline()
    try:
        return isinstance(json.loads(first), dict) and bool(second.strip())
    except ValueError:
        return False


def _table(files: list[Path], table: str | None) -> str:
    from mesh_notebook.mesh.sqlite import tables

    path = _only(files, "databases", "table")
    if not _is_sqlite(path):
        _refuse_duckdb(path, table or "TABLE")
        raise SourceError(
            f"{path} is not a SQLite database.",
            next_step="check the file; its first bytes say what it is",
            path=str(path),
        )
    known = tables(str(path))
    if table is None and len(known) == 1:
        return known[0]
    if table in known:
        return str(table)
    raise _no_table(path.name, table, known)


def _no_table(name: str, table: str | None, known: list[str]) -> SourceError:
    close = near(table or "", known) if table else []
    has = f"it has {', '.join(known)}" if known else "it has no tables at all"
    return SourceError(
        f"{name} has no table '{table}'." if table else f"which table of {name}?",
        next_step=f"did you mean {name}#{close[0]}? {has}"
        if close
        else f"write {name}#table; {has}",
        table=table,
        near=close,
    )


def _prove(scan: Scan, uri: str) -> None:
    """Read the schema and the first rows, so that what fails fails now."""
    from polars.exceptions import PolarsError

    try:
        _same_schema(scan)
        frame = scan.lazy().head(5).collect()
    except (PolarsError, OSError) as error:
        said = str(error).strip().splitlines()[0].rstrip(".")
        raise SourceError(
            f"'{uri}' cannot be read as {scan.format}: {said}.",
            next_step="is the file whole? write it anew, or leave it out",
            uri=uri,
        ) from error
    if not frame.width:
        raise SourceError(
            f"'{uri}' names no column, so it is no table.",
            next_step="write it with at least one row, so that it says what its columns are",
            uri=uri,
        )


def _same_schema(scan: Scan) -> None:
    import polars as pl

    readers: dict[str, Any] = {"parquet": pl.read_parquet_schema, "ipc": pl.read_ipc_schema}
    if scan.format not in readers:
        return
    # Opened here, since Polars takes the path of a schema for a glob.
    schemas = []
    for path in scan.paths:
        with open(path, "rb") as file:
            schemas.append(dict(readers[scan.format](file)))
    expected = schemas[0]
    for path, schema in zip(scan.paths[1:], schemas[1:], strict=True):
        if scan.by_name:  # each column is held to the first file that has it
            expected = {**schema, **expected}
            schema = {**expected, **schema}
        if schema != expected:
            raise _differs(scan.paths[0], path, expected, schema)


def _differs(
    first: str, path: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> SourceError:
    names = [n for n in {**expected, **found} if expected.get(n) != found.get(n)]
    name = names[0] if names else ""
    said = f"'{name}' is {found.get(name, 'missing')} there, {expected.get(name, 'missing')} here"
    return SourceError(
        f"{Path(path).name} has other columns than {Path(first).name}: {said}.",
        next_step="give files of one shape, or open them as two sources; --by-name joins files of "
        "which some lack a column",
        path=path,
        column=name,
    )
