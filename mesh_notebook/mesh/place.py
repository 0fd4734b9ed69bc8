"""Where a mesh lies: a folder of this machine, or storage that speaks S3; the same to its callers.

What publishing needs of a place is little: list names, read a file, and create a file whole and
exclusively. A folder does the last with a hard link, S3 with a conditional write; both are atomic,
and of two that race, both say who was first.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from mesh_notebook.errors import StoreError, Unreachable

__all__ = ["Folder", "Place", "flush", "flush_folder", "inside", "place_of"]

# What delta-rs reads as an escape although it is none, and what it makes no URL of.
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_ESCAPE_OR_MARK = re.compile(r"%[0-9A-Fa-f]{2}|[\[\]^|\\\x00-\x1f\x7f]")


def place_of(root: Place | Path | str) -> Place:
    """Return the place that a root names: `s3://bucket/prefix`, or a folder.

    Raises
    ------
    MissingExtra
        It is on S3, and the `s3` extra is not installed.
    UsageError
        The URL is of another kind.
    """
    if isinstance(root, Place):
        return root
    text = os.fspath(root)
    if "://" not in text:
        return Folder(Path(text).absolute())
    from mesh_notebook.mesh.s3 import Bucket

    return Bucket.of(text)


class Place(ABC):
    """A folder somewhere, or a file in it; nothing is read of it before it is asked for.

    Attributes
    ----------
    name : str
        The last part of its path.
    uri : str
        What Parquet readers take, as it is: an absolute path, or a URL of which nothing is escaped.
    options : dict
        What they need besides to reach it. It may hold secrets, and is never shown or written.
    """

    name: str
    uri: str
    options: dict[str, str]

    @abstractmethod
    def __truediv__(self, name: str) -> Place: ...

    @property
    def delta_uri(self) -> str:
        """What Delta takes: a path as it is, or a URL of which all that may be taken amiss is."""
        return self.uri

    @property
    def amiss(self) -> str:
        """The part of its path that Delta cannot take, however it is escaped; else nothing.

        delta-rs 1.6 makes one URL of a table. It decodes the path once where it writes, and twice
        where it reads the log: a name that holds an escape (`a%20b`) is written to as it is, and
        looked for as `a b`. What is escaped twice or three times moves both, and they never meet.
        Of a bracket in a folder it makes a URL that is none, and panics. Tried as well: a `file://`
        URL, a path relative to the working folder, a link, `/proc/self/fd` and `/proc/self/cwd`,
        all of which it follows before it looks. It takes no file system of ours. What is left is
        to write a table elsewhere and move its files, which gives up the atomic commit of its log.
        """
        return _part_with(_ESCAPE, self.uri)

    @property
    def folder(self) -> Path | None:
        """The place as a path of this machine's file system, or None."""
        return None

    def unreachable(self, error: Exception) -> Unreachable | None:
        """Return what to raise where a Delta reader's or writer's error means that nobody answered.

        None means that it says something of the table itself.
        """
        return None

    @abstractmethod
    def entries(self) -> list[str]:
        """Return the names of what lies in it, sorted; none where it is not there."""

    @abstractmethod
    def folders(self) -> list[str]:
        """Return the names of the folders in it that lie inside the mesh."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a file of this name."""

    @abstractmethod
    def read(self) -> bytes:
        """Return a file's content; raises `FileNotFoundError`, or `StoreError`."""

    @abstractmethod
    def create(self, content: bytes, work: Path) -> None:
        """Make a file that was not there, whole: no reader ever sees less of it than all.

        Raises
        ------
        FileExistsError
            It is there; somebody else was first.
        """

    @abstractmethod
    def keep(self, copy: Path) -> None:
        """Move a folder of this machine here; where one is kept already, that one is as good."""

    @abstractmethod
    def local(self) -> Path:
        """Return a folder that never changes as this machine can read it."""

    @abstractmethod
    def remove(self) -> None:
        """Take away a file, or a folder and all in it; nothing happens where there is none."""


class Folder(Place):
    """A place on this machine; `root` is the mesh root, out of which nothing is read."""

    def __init__(self, path: Path, root: Path | None = None) -> None:
        self.path = path
        self.root = root or path
        self.name = path.name
        self.uri = str(path)
        self.options = {}

    def __truediv__(self, name: str) -> Folder:
        return Folder(self.path / name, self.root)

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"Folder({str(self.path)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Folder) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def amiss(self) -> str:
        # Delta follows links before it looks.
        return _part_with(_ESCAPE_OR_MARK, os.path.realpath(self.path))

    @property
    def folder(self) -> Path:
        return self.path

    def entries(self) -> list[str]:
        try:
            return sorted(entry.name for entry in self.path.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(
                f"{self} cannot be read: {error.strerror}.",
                next_step="name another root, or ask for the right to read this one",
                root=str(self.root),
            ) from None

    def folders(self) -> list[str]:
        if self.path.is_file():
            raise StoreError(
                f"the root {self} is a file.", next_step="name a folder as the root", root=str(self)
            )
        return [
            name
            for name in self.entries()
            if not name.startswith(".") and (self.path / name).is_dir() and self._holds(name)
        ]

    def _holds(self, name: str) -> bool:
        try:
            inside(self.path / name, self.root)
        except StoreError:
            return False
        return True

    def exists(self) -> bool:
        return self.path.exists()

    def read(self) -> bytes:
        try:
            return inside(self.path, self.root).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"{self.name} cannot be read: {error.strerror}.") from None

    def create(self, content: bytes, work: Path) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        written = work / uuid.uuid4().hex
        with written.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(written, self.path)
        except FileExistsError:
            raise
        except OSError:
            _rename_if_absent(written, self.path, work.parent)
        flush_folder(self.path.parent)

    def keep(self, copy: Path) -> None:
        if self.path.is_dir():
            return
        flush(copy)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            copy.rename(self.path)
        except OSError:
            # Somebody else keeps the same folder at this moment: theirs is as good.
            if not self.path.is_dir():
                raise
        flush_folder(self.path.parent)

    def local(self) -> Path:
        return self.path

    def remove(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.unlink(missing_ok=True)


def _part_with(sign: re.Pattern[str], path: str) -> str:
    return next((part for part in path.split("/") if sign.search(part)), "")


def inside(path: Path, root: Path) -> Path:
    """Return `path` if it lies under `root` with all links followed, else raise `StoreError`."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise StoreError(
            f"{path} leads out of the mesh at {root}.",
            next_step="replace the link by what it should stand for, inside the root",
            path=str(path),
        )
    return path


def _rename_if_absent(written: Path, path: Path, folder: Path) -> None:
    """Do as a link does, on a file system that has none: one at a time, under a lock."""
    lock = os.open(folder / "publishing", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with suppress(ImportError):  # Windows refuses to rename over a file of itself
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            raise FileExistsError(path)
        written.rename(path)
    finally:
        os.close(lock)


def flush(folder: Path) -> None:
    """Have all that is in a folder on the disk itself."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            flush_folder(path)


def flush_folder(folder: Path) -> None:
    """Have a folder's entries on the disk itself."""
    with suppress(PermissionError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
