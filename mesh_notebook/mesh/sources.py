"""Operational sources: what a person points at, opened and found readable, or refused."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh_notebook.errors import SourceError, near
from mesh_notebook.mesh.scan import Scan

__all__ = ["KINDS", "open_source"]

KINDS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".csv.zip": "csv",
    ".tsv.zip": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".arrow": "ipc",
    ".feather": "ipc",
    ".ipc": "ipc",
}
_SQLITE_MAGIC = b"SQLite format 3\0"


def open_source(uri: str, base: Path, null_value: str | None = None) -> Scan:
    """Open an operational source, and prove that it can be read.

    Parameters
    ----------
    uri : str
        A file, a glob, a folder, or `app.db#table` for a table of a SQLite database.
    base : Path
        What a relative `uri` is relative to.
    null_value : str, optional
        What a CSV writes where it has no value (`NA`), beside nothing at all.

    Raises
    ------
    SourceError
        It is missing, unreadable, of an unknown kind, of mixed kinds or shapes, or empty.
    """
    files, table = _found(uri, base)
    kind = _one_kind(files, uri)
    if table is not None and kind != "sqlite":
        raise SourceError(
            f"'{uri}' names a table, but {files[0].name} is {kind}, which has none.",
            next_step=f"leave out '#{table}'",
            uri=uri,
        )
    scan = _scan(kind, files, table, (null_value,) if null_value else ())
    _prove(scan, uri)
    return scan


def _found(uri: str, base: Path) -> tuple[list[Path], str | None]:
    try:
        return _files(uri, base)
    except OSError as error:  # a folder that this user may not look into, a name too long
        raise SourceError(
            f"'{uri}' cannot be looked at: {error.strerror}.",
            next_step="check the path, and who may read it",
            uri=uri,
        ) from None


def _files(uri: str, base: Path) -> tuple[list[Path], str | None]:
    """Return the files that `uri` means, and the table after `#`; a name on disk goes first."""
    _no_url(uri)
    whole = Path(base, Path(uri.removeprefix("file://")).expanduser()).absolute()
    if whole.exists():
        return _listed(whole, uri), None
    path, mark, table = str(whole).rpartition("#")
    if mark and Path(path).exists():
        return _listed(Path(path), uri), table
    if glob.has_magic(uri):
        return _globbed(str(whole), uri), None
    raise _missing(Path(path if mark else whole), uri)


def _no_url(uri: str) -> None:
    scheme, mark, _ = uri.partition("://")
    if mark and scheme != "file":
        raise SourceError(
            f"'{uri}' is a {scheme} URL; sources are files, folders and SQLite databases.",
            next_step="download it, and give the file",
            uri=uri,
        )
    if not uri.strip():
        raise SourceError("no source was named.", next_step="give a file, a glob or a folder")


def _missing(path: Path, uri: str) -> SourceError:
    folder = path.parent
    beside = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    close = near(path.name, beside)
    if close:
        step = f"did you mean {', '.join(close)}?"
    elif folder.is_dir():
        step = f"{folder} holds {', '.join(sorted(beside)[:5]) or 'nothing'}"
    else:
        step = f"there is no folder {folder} either; relative paths start at the notebook"
    return SourceError(
        f"'{uri}' is not there.", next_step=step, uri=uri, path=str(path), near=close
    )


def _listed(path: Path, uri: str) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SourceError(
            f"'{uri}' is neither a file nor a folder.",
            next_step="write what it gives to a file, and give that",
            uri=uri,
            path=str(path),
        )
    found = sorted(p for p in path.iterdir() if p.is_file() and _kind(p) and _visible(p))
    if not found:
        raise _nothing_in(path, uri)
    return found


def _visible(path: Path) -> bool:
    return not path.name.startswith((".", "_"))


def _nothing_in(path: Path, uri: str) -> SourceError:
    if (path / "_delta_log").is_dir():
        said, step = "is a Delta table", "connect to the product that it belongs to"
    elif deep := next((p for p in path.rglob("*") if p.is_file() and _kind(p)), None):
        said = "holds files only in folders of its own"
        step = f"give a glob: {uri.rstrip('/')}/**/*{''.join(deep.suffixes)}"
    else:
        said, step = "holds no file of a known kind", _known()
    return SourceError(f"the folder '{uri}' {said}.", next_step=step, uri=uri)


def _known() -> str:
    return f"known kinds: {', '.join(KINDS)}"


def _globbed(pattern: str, uri: str) -> list[Path]:
    found = [Path(p) for p in sorted(glob.glob(pattern, recursive=True)) if os.path.isfile(p)]
    if not found:
        raise SourceError(
            f"no file matches '{uri}'.",
            next_step=f"looked in {Path(pattern).parent}; ** goes into folders",
            uri=uri,
        )
    return found


def _kind(path: Path) -> str | None:
    name = path.name.lower()
    return next((KINDS[suffix] for suffix in KINDS if name.endswith(suffix)), None)


def _one_kind(files: Sequence[Path], uri: str) -> str:
    for path in files:
        if _kind(path) is None and not _is_sqlite(path):
            raise SourceError(
                f"'{path.name}' is of no known kind.", next_step=_known(), uri=uri, path=str(path)
            )
    counts = Counter(_kind(path) or "sqlite" for path in files)
    if len(counts) > 1:
        said = " and ".join(f"{n} {kind}" for kind, n in counts.most_common())
        raise SourceError(
            f"'{uri}' mixes kinds: {said} files.",
            next_step=f"give a glob of one kind, for example *{files[0].suffix}",
            uri=uri,
            counts=dict(counts),
        )
    return next(iter(counts))


def _is_sqlite(path: Path) -> bool:
    return _start(path).startswith(_SQLITE_MAGIC)


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


def _scan(kind: str, files: list[Path], table: str | None, null_values: tuple[str, ...]) -> Scan:
    for path in files:
        _not_empty(path, kind)
    paths = tuple(map(str, files))
    if kind == "csv":
        from mesh_notebook.mesh.settling import settle

        separator, schema = settle(paths, null_values)
        return Scan(kind, paths, None, null_values, schema, separator)
    if kind == "sqlite":
        return Scan(kind, paths, _table(files, table))
    if kind == "json" and all(_is_lines(path) for path in files):
        return Scan("ndjson", paths)
    return Scan(kind, paths)


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

    path = files[0]
    if len(files) > 1:
        raise SourceError(
            f"{len(files)} databases are not one source.", next_step=f"give one: {path.name}#table"
        )
    if not _is_sqlite(path):
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

    readers = {"parquet": pl.read_parquet_schema, "ipc": pl.read_ipc_schema}
    if scan.format not in readers:
        return
    schemas = [dict(readers[scan.format](path)) for path in scan.paths]
    for path, schema in zip(scan.paths[1:], schemas[1:], strict=True):
        if schema != schemas[0]:
            raise _differs(scan.paths[0], path, schemas[0], schema)


def _differs(
    first: str, path: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> SourceError:
    names = [n for n in {**expected, **found} if expected.get(n) != found.get(n)]
    name = names[0] if names else ""
    said = f"'{name}' is {found.get(name, 'missing')} there, {expected.get(name, 'missing')} here"
    return SourceError(
        f"{Path(path).name} has other columns than {Path(first).name}: {said}.",
        next_step="give files of one shape, or open them as two sources",
        path=path,
        column=name,
    )
