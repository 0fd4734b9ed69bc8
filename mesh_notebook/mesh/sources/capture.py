"""What was read of another machine, kept: one file a content, and never half of one.

A server, a bucket or a database does not stand still, and a clean process has no network. So
what is read of one is written to a file that its SHA-256 names; the notebook, the proof and a
deployment read that file. The folder is a cache: it may be removed, and sources are read anew.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.s3 import cache_folder

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Captures", "Noted", "write_rows"]

_PART = ".part-"
_STALE_S = 86_400  # what a process that was killed left aside is removed after a day
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Noted:
    """What was read of a place: the file, the tag by which to ask for anything newer, the state."""

    file: Path
    tag: str
    state: str


@dataclass(frozen=True)
class Captures:
    """The folder of what was read, for this user alone."""

    folder: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Captures:
        """Return the captures in `MESH_CACHE`, else in the user's own folder for caches."""
        return cls(cache_folder(environ) / "sources")

    @contextlib.contextmanager
    def aside(self) -> Iterator[Path]:
        """Give a new empty file, which is gone afterwards unless `keep` took it.

        Raises
        ------
        SourceError
            The folder cannot be written, or its disk is full.
        """
        part = self._part()
        try:
            yield part
        except OSError as error:
            if error.errno in _NO_ROOM or "No space left" in str(error):
                raise self._refused(error) from None
            raise
        finally:
            part.unlink(missing_ok=True)

    def keep(self, part: Path, suffix: str) -> Path:
        """Give a file that was written aside the name of its content, in one step."""
        with part.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()
        kept = self.folder / f"{name}{suffix}"
        os.replace(part, kept)
        return kept

    def noted(self, place: str) -> Noted | None:
        """Return what was read of a place the last time, if that file is still whole."""
        try:
            told = json.loads(self._note(place).read_text("utf-8"))
            kept = self.folder / Path(told["file"]).name
            if told["tag"] and _is_whole(kept):
                return Noted(kept, str(told["tag"]), str(told["state"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no note, or half of one: then it is read anew
        return None

    def note(self, place: str, kept: Path, tag: str, state: str) -> None:
        """Note what was read of a place, and what the place called its state."""
        with self.aside() as part:
            told = {"file": kept.name, "tag": tag, "state": state}
            part.write_text(json.dumps(told), "utf-8")
            os.replace(part, self._note(place))

    def _note(self, place: str) -> Path:
        # Hashed: an address tells what one works on, and may be longer than a file's name.
        return self.folder / f"{hashlib.sha256(place.encode()).hexdigest()}.note"

    def _part(self) -> Path:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.folder.stat().st_mode & 0o077:
                self.folder.chmod(0o700)
            self._sweep()
            handle, name = tempfile.mkstemp(prefix=_PART, dir=self.folder)
        except OSError as error:
            raise self._refused(error) from None
        os.close(handle)
        return Path(name)

    def _sweep(self) -> None:
        for left in self.folder.glob(f"{_PART}*"):
            with contextlib.suppress(OSError):  # another process may have removed it
                if time.time() - left.stat().st_mtime > _STALE_S:
                    left.unlink()

    def _refused(self, error: OSError) -> SourceError:
        return SourceError(
            f"what is read cannot be kept in {self.folder}: {error.strerror or error}.",
            next_step="make room there, or name another folder in MESH_CACHE",
            folder=str(self.folder),
        )


def _is_whole(kept: Path) -> bool:
    with kept.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == kept.name.partition(".")[0]


def write_rows(part: Path, schema: pa.Schema, batches: Iterable[pa.Table | pa.RecordBatch]) -> int:
    """Write rows to a Parquet file as they come, and return how many they were.

    Equal rows in equal batches give equal bytes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = 0
    with part.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
            writer.write_table(table)
            rows += table.num_rows
    return rows
