"""What a path, a glob or a folder means on this machine."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from mesh_notebook.errors import SourceError, near
from mesh_notebook.mesh.sources.kinds import kind_of, known

__all__ = ["folders_of", "found"]


def found(uri: str, base: Path) -> tuple[list[Path], str | None]:
    """Return the files that `uri` means, in order, and what stands after `#`.

    Raises
    ------
    SourceError
        Nothing is there, or it may not be looked at.
    """
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
    if not uri.strip():
        raise SourceError("no source was named.", next_step="give a file, a glob or a folder")
    whole = _path_of(uri, base)
    if whole.exists():
        return _listed(whole, uri), None
    path, mark, table = str(whole).rpartition("#")
    if mark and Path(path).exists():
        return _listed(Path(path), uri), table
    there, rest = _cut(whole)
    if glob.has_magic(rest):
        return _globbed(there, rest, uri), None
    raise _missing(Path(path if mark else whole), uri)


def folders_of(files: Sequence[Path], uri: str, base: Path) -> list[tuple[str, ...]]:
    """Return by file the folders between what `uri` names as it stands, and the file."""
    whole = _path_of(uri, base)
    there = whole if whole.is_dir() else whole.parent if whole.exists() else _cut(whole)[0]
    return [
        path.parent.relative_to(there).parts if path.is_relative_to(there) else () for path in files
    ]


def _path_of(uri: str, base: Path) -> Path:
    """Return the path that was written; of a `file://` URL, as it is if that is there."""
    written = uri.removeprefix("file://")
    whole = Path(base, Path(written).expanduser()).absolute()
    if written != uri and not whole.exists() and (meant := Path(unquote(written))).exists():
        return meant.absolute()
    return whole


def _cut(path: Path) -> tuple[Path, str]:
    """Return the part of a path that is there, and the rest: a folder `br[0]` is no glob."""
    there = Path(path.anchor)
    for at, part in enumerate(path.parts[1:], 1):
        if not (there / part).exists():
            return there, os.path.join(*path.parts[at:])
        there /= part
    return there, ""


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
    found = _in_folder(path) or [f for hive in _hive_folders(path) for f in _listed(hive, uri)]
    if not found:
        raise _nothing_in(path, uri)
    return found


def _in_folder(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_file() and kind_of(p.name) and _visible(p))


def _hive_folders(path: Path) -> list[Path]:
    """Return the folders that hold a value of a column each: `day=2026-10-01`.

    Which files of a Delta table count, its log says, and not its folders.
    """
    if (path / "_delta_log").is_dir():
        return []
    return sorted(p for p in path.iterdir() if p.is_dir() and "=" in p.name and _visible(p))


def _visible(path: Path) -> bool:
    return not path.name.startswith((".", "_"))


def _nothing_in(path: Path, uri: str) -> SourceError:
    if (path / "_delta_log").is_dir():
        said, step = "is a Delta table", "connect to the product that it belongs to"
    elif deep := next((p for p in path.rglob("*") if p.is_file() and kind_of(p.name)), None):
        said = "holds files only in folders of its own"
        step = f"give a glob: {uri.rstrip('/')}/**/*{''.join(deep.suffixes)}"
    else:
        said, step = "holds no file of a known kind", known()
    return SourceError(f"the folder '{uri}' {said}.", next_step=step, uri=uri)


def _globbed(there: Path, rest: str, uri: str) -> list[Path]:
    pattern = os.path.join(glob.escape(str(there)), rest)
    found = [Path(p) for p in sorted(glob.glob(pattern, recursive=True)) if os.path.isfile(p)]
    if not found:
        raise SourceError(
            f"no file matches '{uri}'.",
            next_step=f"looked in {(there / rest).parent}; ** goes into folders",
            uri=uri,
        )
    return found
