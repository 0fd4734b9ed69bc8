"""Columns that folders hold: `day=2026-10-01/part.parquet`, as Hive and Spark lay files out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import unquote

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.scan import Scan

__all__ = ["with_folders"]

_NONE = "__HIVE_DEFAULT_PARTITION__"


def with_folders(scan: Scan, folders: Sequence[Sequence[str]], uri: str) -> Scan:
    """Return a scan with a column for each `name=value` of the folders that its files lie in.

    Whole numbers and ISO dates are such; anything else is text. A file that holds the column
    itself keeps its own.

    Parameters
    ----------
    folders : sequence
        By file: the folders between what was asked for and the file.

    Raises
    ------
    SourceError
        Some files lie in a folder for a column, and others do not.
    """
    said = [_pairs(parts) for parts in folders]
    if len(said) != len(scan.paths) or not any(said):
        return scan
    names = [*said[0]] or [*next(pairs for pairs in said if pairs)]
    for path, pairs in zip(scan.paths, said, strict=True):
        if set(pairs) != set(names):
            raise _uneven(uri, path, names, pairs)
    own = {name.lower() for name in scan.lazy().collect_schema()}
    added = [name for name in names if name.lower() not in own]
    if not added:
        return scan
    columns = tuple((name, _type([pairs[name] for pairs in said])) for name in added)
    values = tuple(tuple(pairs[name] for name in added) for pairs in said)
    told = ", ".join(f"{name} ({kind.lower()})" for name, kind in columns)
    return replace(scan, folders=columns, in_folder=values).guessing(f"of the folders: {told}")


def _pairs(parts: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for part in parts:
        name, mark, value = part.partition("=")
        if mark and name:
            found[unquote(name)] = None if value == _NONE else unquote(value)
    return found


def _type(values: Sequence[str | None]) -> str:
    given = {value for value in values if value is not None}
    for kind, reads in (("BIGINT", _is_whole), ("DATE", _is_day)):
        if given and all(map(reads, given)):
            return kind
    return "VARCHAR"


def _is_whole(value: str) -> bool:
    return value.isascii() and value.removeprefix("-").isdigit() and len(value) < 19


def _is_day(value: str) -> bool:
    try:
        return len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _uneven(
    uri: str, path: str, names: Sequence[str], pairs: Mapping[str, str | None]
) -> SourceError:
    name = next(name for name in [*names, *pairs] if (name in names) != (name in pairs))
    return SourceError(
        f"'{uri}': some files lie in a folder {name}=…, and {path} does not, or the other way "
        "about.",
        next_step=f"give a glob of one layout, for example …/{name}=*/*",
        uri=uri,
        path=path,
        column=name,
    )
