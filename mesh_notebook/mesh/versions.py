"""The files of one version of a port's table: which they are, and whether they are whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mesh_notebook.errors import StoreError
from mesh_notebook.mesh.place import Place, inside, place_of
from mesh_notebook.mesh.sealing import ROWS
from mesh_notebook.mesh.store import PARTITION, first_line, opened

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from mesh_notebook.mesh.inputs import EventWindow

__all__ = ["Version", "clear_unpublished", "files_of", "read_version"]

_HOUR_OLD = 1
_MAGIC = b"PAR1"
# Delta keeps the extremes of a time in milliseconds, cut off and not rounded.
_KEPT_TO = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Version:
    """One version of a table.

    Attributes
    ----------
    files : list of str
        Its Parquet files, absolute paths or URLs; none at all for no rows.
    plain : bool
        Whether the files are the rows. Where rows are marked as deleted beside the files, columns
        are named otherwise in them, or stand in the names of folders, a Delta reader must tell. No
        writer of ours does so; another one may have.
    """

    files: list[str]
    plain: bool


def files_of(table: Place | Path, version: int) -> list[str]:
    """Return the files of a version (see `read_version`)."""
    return read_version(table, version).files


def read_version(
    table: Place | Path,
    version: int,
    window: EventWindow | None = None,
    shown: Sequence[int] = (),
) -> Version:
    """Return what one version is made of.

    Parameters
    ----------
    window : EventWindow, optional
        Leave out the files of which the log says that no row lies in the window.
    shown : sequence of int
        Row filters, by their place in the protection of the version: the files in which not all of
        them are true are left out.

    Raises
    ------
    StoreError
        The table's log or one of the files is damaged, or leads out of the table's folder.
    """
    place = place_of(table)
    if (folder := place.folder) is not None:
        inside(folder / "_delta_log", folder)
    delta = opened(place, version)
    actions = [a for a in _actions(delta, place) if _are_true(a, shown)]
    kept = [a for a in actions if window is None or _may_hold(a, window)]
    if folder is None:
        files = [f"{place.uri}/{unquote(action['path'])}" for action in kept]
    else:
        home = Path(os.path.realpath(folder))
        files = [_whole(home, action["path"], action["size_bytes"]) for action in kept]
    return Version(files, _is_plain(delta))


def _actions(delta: DeltaTable, table: Place) -> list[dict[str, Any]]:
    from deltalake.exceptions import DeltaError

    try:
        added: Any = delta.get_add_actions(flatten=True)
    except (DeltaError, OSError) as error:
        raise table.unreachable(error) or StoreError(
            f"the log of {table} is damaged: {first_line(error)}", table=str(table)
        ) from None
    names = added.schema.names
    columns = [added.column(name).to_pylist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_plain(delta: DeltaTable) -> bool:
    metadata = delta.metadata()
    by_folder = set(metadata.partition_columns) - {PARTITION, ROWS}
    mapped = metadata.configuration.get("delta.columnMapping.mode", "none") != "none"
    features = set(delta.protocol().reader_features or ())
    return not (by_folder or mapped or "deletionVectors" in features)


def _are_true(action: dict[str, Any], filters: Sequence[int]) -> bool:
    """Whether all of some row filters are true of a file's rows; what does not say so is not."""
    digits = str(action.get(f"partition.{ROWS}") or "")
    return all(digits[place : place + 1] == "1" for place in filters)


def _may_hold(action: dict[str, Any], window: EventWindow) -> bool:
    """Whether a file may hold rows of a window, by the extremes that the log keeps of it."""
    least, most = (action.get(f"{of}.{window.column}") for of in ("min", "max"))
    if least is None or most is None:
        return True
    return window.overlaps(least, most, _KEPT_TO)


def _whole(home: Path, name: str, size: int) -> str:
    name = unquote(name)
    path = os.path.join(home, name)
    try:
        if not _goes_straight(home, name):
            inside(Path(path), home)
        found, ending = _end_of(path)
    except OSError as error:
        raise StoreError(
            f"the file {os.path.basename(path)} cannot be read: {error.strerror}.", path=path
        ) from None
    if found != size:
        raise StoreError(
            f"the file {os.path.basename(path)} has {found} bytes, not {size}.", path=path
        )
    if ending != _MAGIC:
        raise StoreError(f"the file {os.path.basename(path)} is not as it was written.", path=path)
    return path


def _end_of(path: str) -> tuple[int, bytes]:
    """Return a file's size and its last bytes."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.lseek(file, 0, os.SEEK_END)
        os.lseek(file, max(size - len(_MAGIC), 0), os.SEEK_SET)
        return size, os.read(file, len(_MAGIC))
    finally:
        os.close(file)


def _goes_straight(home: Path, name: str) -> bool:
    """Whether a name leads down from `home`, which is no link itself, over no link at all.

    Ten times as fast as to follow all links from the file system's root, as hundreds of files want.
    """
    parts, at = name.split("/"), str(home)
    if os.sep != "/" or not {"", ".", ".."}.isdisjoint(parts):
        return False
    for part in parts:
        at = f"{at}/{part}"
        if stat.S_ISLNK(os.lstat(at).st_mode):
            return False
    return True


def clear_unpublished(
    table: Place | Path, published: Iterable[int], hours: int = _HOUR_OLD
) -> list[str]:
    """Remove the files, so old or older, that no published version needs; return them."""
    from deltalake.exceptions import DeltaError

    try:
        return opened(place_of(table)).vacuum(
            retention_hours=hours,
            dry_run=False,
            enforce_retention_duration=False,
            full=True,
            keep_versions=list(published),
        )
    except (DeltaError, StoreError):
        # Rubbish is harmless. A damaged table is reported by whoever reads or writes it.
        return []
