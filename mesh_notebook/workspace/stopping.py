"""Ctrl-C while something is written or published: said in one line, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import MeshError, Stopped

if TYPE_CHECKING:
    from mesh_notebook.workspace.session import Session

__all__ = ["stopping_deployment", "stopping_export"]


@contextmanager
def stopping_export(folder: Path) -> Iterator[None]:
    """Say of an export that is stopped whether its bundle was written: whole, or not at all."""
    before = _receipt(folder)
    try:
        yield
    except KeyboardInterrupt:
        same = _receipt(folder) == before
        raise Stopped("nothing was written" if same else "the bundle had been written") from None


@contextmanager
def stopping_deployment(session: Session, bundle: Path) -> Iterator[None]:
    """Say of a deployment that is stopped what it had published, if anything."""
    before = _snapshots(session, bundle)
    try:
        yield
    except KeyboardInterrupt:
        news = [number for number in _snapshots(session, bundle) if number not in before]
        numbers = ", ".join(map(str, news))
        said = f"snapshot {numbers} had been published" if news else "nothing was published"
        raise Stopped(said) from None


def _receipt(folder: Path) -> bytes | None:
    try:
        return (folder / "receipt.json").read_bytes()
    except OSError:
        return None


def _snapshots(session: Session, bundle: Path) -> list[int]:
    from mesh_notebook.mesh.bundle import Bundle
    from mesh_notebook.mesh.place import place_of
    from mesh_notebook.mesh.published import PublishedProduct

    try:
        address = Bundle(bundle).product.address
        return list(PublishedProduct.at(place_of(session.roots[0]), address).snapshots())
    except (MeshError, OSError):
        return []  # it will say so itself
