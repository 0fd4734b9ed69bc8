"""Work that is not yet true: a folder beside the products, which no reader looks into.

Whoever publishes holds a shared lock on the root while at work; the kernel lets go of it when
the process ends, however it ends. Whoever gets the lock alone therefore knows that the folders
found here were left by processes that were killed. Their work goes at once; what they may have
left in the product itself goes an hour later, in case the root is shared with machines whose
locks cannot be seen from here.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from mesh_notebook.errors import NoSnapshot, StoreError
from mesh_notebook.mesh.place import Place, place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.versions import clear_unpublished
from mesh_notebook.model.address import Address
from mesh_notebook.model.product import major_of
from mesh_notebook.model.receipt import Receipt

__all__ = ["aside", "turn"]

_FOLDER = ".aside"
_MESH = "mesh.journal"
_GRACE = 3_600  # seconds
# How long one waits, in seconds, for another machine that publishes the same product: it may be at
# work, or have been killed.
_PATIENCE = 20


@contextmanager
def aside(root: Place | Path, address: Address | None = None) -> Iterator[Path]:
    """Give a folder for the work on one product, or on the mesh itself; it goes afterwards.

    It is on the file system of the root, and for a root elsewhere one of the machine's own.

    Makes the root where there is none, and clears up after publishers that were killed.

    Raises
    ------
    StoreError
        The root is a file, or not ours to write to.
    """
    place = place_of(root)
    if (folder := place.folder) is None:
        with TemporaryDirectory(prefix="mesh-") as made:
            yield Path(made)
        return
    try:
        (folder / _FOLDER).mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _FOLDER / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _unwritable(folder, error) from None
    # '.' stands in no name, so the folder tells whose work it is.
    whose = f"{address.domain}.{address.product}" if address else _MESH
    work = folder / _FOLDER / f"{whose}.{uuid.uuid4().hex}"
    try:
        if _alone(lock):
            _clear_up(folder)
        _share(lock)
        work.mkdir()
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


@contextmanager
def turn(place: Place, address: Address) -> Iterator[None]:
    """Wait until nobody else publishes this product.

    Nothing depends on it but time: who publishes at once with another loses work, and no data.
    """
    name = f"{address.domain}.{address.product}.turn"
    if (root := place.folder) is None:
        with _lease(place / _FOLDER / name):
            yield
        return
    lock = os.open(root / _FOLDER / name, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def _lease(file: Place) -> Iterator[None]:
    """Hold a file that others wait for, on storage that has no locks."""
    mine = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex}".encode()
    before, since = b"", time.monotonic()
    while True:
        try:
            file.create(mine, Path())
            break
        except FileExistsError:
            pass
        if (theirs := _read(file)) != before:
            before, since = theirs, time.monotonic()
        if _is_gone(theirs) or time.monotonic() - since > _PATIENCE:
            file.remove()
        time.sleep(random.uniform(0.05, 0.25))
    try:
        yield
    finally:
        with suppress(StoreError):
            if _read(file) == mine:
                file.remove()


def _read(file: Place) -> bytes:
    try:
        return file.read()
    except FileNotFoundError:
        return b""


def _is_gone(holder: bytes) -> bool:
    """Whether the holder is a process of this machine that has ended."""
    host, _, rest = holder.decode("utf-8", "replace").partition(" ")
    number = rest.partition(" ")[0]
    # Elsewhere than on POSIX, asking after a process may end it.
    if host != socket.gethostname() or not number.isdecimal() or os.name != "posix":
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


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
            _tidy(PublishedProduct(place_of(root), domain, product), root / domain / product, left)
            _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _tidy(published: PublishedProduct, folder: Path, into: Path) -> None:
    """Take away the releases and data that no publication points to."""
    try:
        receipts = [published.receipt(n) for n in published.snapshots()]
    except (StoreError, NoSnapshot):
        return  # where a publication is hurt, nobody knows what it points to
    kept = {receipt.release for receipt in receipts}
    for release in _entries(folder / "releases"):
        if release.name not in kept:
            release.rename(into / release.name)
    named = {port for receipt in receipts for port in receipt.ports}
    for port in _entries(folder / "ports"):
        if port.name not in named:
            port.rename(into / f"port.{port.name}")
            continue
        for table in _entries(port):
            if versions := versions_of(receipts, port.name, table.name):
                clear_unpublished(table, versions)
            else:
                table.rename(into / f"{port.name}.{table.name}")


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def versions_of(receipts: list[Receipt], port: str, table: str) -> list[int]:
    """Return the versions of a port's table (`v1`) that publications name."""
    return [
        receipt.ports[port].delta_version
        for receipt in receipts
        if port in receipt.ports and f"v{major_of(receipt.version)}" == table
    ]
