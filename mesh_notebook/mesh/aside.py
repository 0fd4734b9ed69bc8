"""Work that is not yet true: a folder beside the products, which no reader looks into.

Whoever publishes holds a shared lock on the root while at work; the kernel lets go of it when
the process ends, however it ends. Whoever gets the lock alone therefore knows that the folders
found here were left by processes that were killed. Their work goes at once; what they may have
left in the product itself goes an hour later, in case the root is shared with machines whose
locks cannot be seen from here.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mesh_notebook.errors import NoSnapshot, StoreError
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.store import clear_unpublished
from mesh_notebook.model.address import Address
from mesh_notebook.model.receipt import Receipt

__all__ = ["aside", "create_whole", "flush_folder"]

_FOLDER = ".aside"
_GRACE = 3_600  # seconds


@contextmanager
def aside(root: Path, address: Address) -> Iterator[Path]:
    """Give a folder for the work on one product, on the same file system; it goes afterwards.

    Makes the root where there is none, and clears up after publishers that were killed.

    Raises
    ------
    StoreError
        The root is a file, or not ours to write to.
    """
    try:
        (root / _FOLDER).mkdir(parents=True, exist_ok=True)
        lock = os.open(root / _FOLDER / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _unwritable(root, error) from None
    # '.' stands in no name, so the folder tells whose work it is.
    work = root / _FOLDER / f"{address.domain}.{address.product}.{uuid.uuid4().hex}"
    try:
        if _alone(lock):
            _clear_up(root)
        _share(lock)
        work.mkdir()
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


def _unwritable(root: Path, error: OSError) -> StoreError:
    file = next((path for path in (root, *root.parents) if path.is_file()), None)
    why = f"{file} is a file" if file else error.strerror
    return StoreError(
        f"the root {root} cannot be written: {why}.",
        next_step="name a folder that is yours as the first root (MESH_ROOTS)",
        root=str(root),
    )


def _alone(lock: int) -> bool:
    """Whether nobody else is at work; False also where the file system cannot tell."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _share(lock: int) -> None:
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_SH)


def _clear_up(root: Path) -> None:
    for left in (path for path in (root / _FOLDER).iterdir() if path.is_dir()):
        for path in left.iterdir():
            _remove(path)
        if time.time() - left.stat().st_mtime > _GRACE:
            domain, product, _ = left.name.split(".")
            _tidy(PublishedProduct(root / domain / product), left)
            _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _tidy(published: PublishedProduct, into: Path) -> None:
    """Take away the releases and data that no publication points to."""
    try:
        receipts = [published.receipt(n) for n in published.snapshots()]
    except (StoreError, NoSnapshot):
        return  # where a publication is hurt, nobody knows what it points to
    kept = {receipt.release for receipt in receipts}
    for release in _entries(published.folder / "releases"):
        if release.name not in kept:
            release.rename(into / release.name)
    for table in _entries(published.folder / "ports"):
        if versions := _versions(receipts, table.name):
            clear_unpublished(table, versions)
        else:
            table.rename(into / f"port.{table.name}")


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _versions(receipts: list[Receipt], port: str) -> list[int]:
    return [receipt.ports[port].delta_version for receipt in receipts if port in receipt.ports]


def create_whole(path: Path, text: str, work: Path) -> None:
    """Make a file that was not there, whole: no reader ever sees less of it than all.

    Raises
    ------
    FileExistsError
        It is there; somebody else was first.
    """
    written = work / uuid.uuid4().hex
    with written.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(written, path)
    except FileExistsError:
        raise
    except OSError:
        _rename_if_absent(written, path, work.parent)
    flush_folder(path.parent)


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


def flush_folder(folder: Path) -> None:
    """Have a folder's entries on the disk itself."""
    with suppress(PermissionError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
