"""Files of a port: written whole or not at all, as a stream, so that the rows need not fit."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mesh_notebook.errors import StoreError, UsageError, near
from mesh_notebook.mesh.modes.streaming import to_its_end
from mesh_notebook.mesh.modes.text import sink_csv, sink_ndjson

if TYPE_CHECKING:
    from mesh_notebook.mesh.reading import Reading

__all__ = ["ENDINGS", "FORMATS", "encode", "format_of", "told", "whole", "write"]

Target = Path | IO[bytes]

ENDINGS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".arrow": "arrow",
    ".jsonld": "graph",
}
_SYNONYMS = {"json": "ndjson"}
# The disk is full or over quota, the file too large, the file system read-only.
_NO_ROOM = re.compile(r"os error (?:27|28|30|122)\b")


def _sink_parquet(reading: Reading, target: Target) -> None:
    reading.frame.sink_parquet(target, metadata=told(reading))


def _sink_arrow(reading: Reading, target: Target) -> None:
    from polars import CompatLevel

    reading.frame.sink_ipc(target, compat_level=CompatLevel.oldest())


FORMATS: dict[str, Callable[[Reading, Target], None]] = {
    "parquet": _sink_parquet,
    "csv": lambda reading, target: sink_csv(reading.frame, target),
    "ndjson": lambda reading, target: sink_ndjson(reading.frame, target),
    "arrow": _sink_arrow,
}


def told(reading: Reading) -> dict[str, str]:
    """Return what a file or stream should say of where it is from, where its format lets it."""
    receipt = reading.receipt
    return {
        "mesh.port": str(reading.product.address.with_port(reading.port)),
        "mesh.snapshot": str(receipt.snapshot),
        "mesh.processingTime": receipt.processing_time,
        "mesh.origin": reading.origin.value,
        "mesh.status": receipt.status,
        "mesh.contract": reading.contract.id,
    }


def format_of(format: str | None, path: Path | None, known: tuple[str, ...]) -> str:
    """Return the format that was asked for, or that the ending of a file's name says.

    Raises
    ------
    UsageError
        It is none of those known, or nothing says one.
    """
    listed = ", ".join(known)
    if format is None and path is not None:
        if found := ENDINGS.get(path.suffix.lower()):
            return found
        raise UsageError(
            f"{path.name} does not say which format to write.",
            next_step=f"add --format, one of {listed}",
            known=known,
        )
    asked = _SYNONYMS.get(format or "", format or "")
    if asked in known:
        return asked
    close = near(asked, known)
    meant = f"did you mean {close[0]}? known: {listed}" if close else f"one of {listed}"
    raise UsageError(f"'{format}' is not a format.", next_step=meant, known=known, near=close)


def write(reading: Reading, path: Path, format: str) -> None:
    """Write a reading to a file, in place of one that was there; whole, or nothing changes.

    Raises
    ------
    StoreError
        The file cannot be written, or the port cannot be read to its end.
    """
    with whole(path) as aside:
        _sunk(reading, aside, format)


def encode(reading: Reading, format: str) -> str | bytes:
    """Return a reading as text (CSV, NDJSON) or bytes (Parquet, Arrow)."""
    import io

    buffer = io.BytesIO()
    _sunk(reading, buffer, format)
    content = buffer.getvalue()
    return content.decode() if format in ("csv", "ndjson") else content


def _sunk(reading: Reading, target: Target, format: str) -> None:
    from polars.exceptions import PolarsError

    with to_its_end(reading):
        try:
            FORMATS[format](reading, target)
        except (OSError, PolarsError) as error:
            # Both ends of the stream fail alike; only the text tells which of them it was.
            if not _NO_ROOM.search(said := str(error).splitlines()[0]):
                raise
        else:
            return
    raise OSError(said)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a file beside `path` to write to; it takes that name when all is written.

    Those of writers that were killed go with the next.

    Raises
    ------
    StoreError
        Neither can be written; then what was at `path` is as it was.
    """
    aside, lock = path, -1
    try:
        if not path.name or path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        _clear_up(path)
        aside, lock = _claimed(path)  # tells at once, before anything is computed
        yield aside
        os.replace(aside, path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}.",
            next_step="name a file in a folder that exists and that you may write to",
            path=str(path),
        ) from None
    finally:
        if lock >= 0:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            os.close(lock)


def _claimed(path: Path) -> tuple[Path, int]:
    """Make a file aside; the kernel lets go of its lock when this process ends, however it ends."""
    while True:
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        lock = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        # Whoever cleared up between the two calls took it for left behind.
        if _locked(lock) is not False and aside.exists():
            return aside, lock
        os.close(lock)


def _clear_up(path: Path) -> None:
    """Remove what writers of this file left who were killed."""
    left = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}")
    with contextlib.suppress(OSError):  # a folder that may only be written to
        for found in [one for one in path.parent.iterdir() if left.fullmatch(one.name)]:
            lock = os.open(found, os.O_RDWR)
            try:
                if _locked(lock):
                    found.unlink()
            finally:
                os.close(lock)


def _locked(file: int) -> bool | None:
    """Lock a file for this process alone; False if another has it, None if nothing can tell."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True
