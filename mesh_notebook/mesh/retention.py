"""Letting go of old snapshots: an explicit act, refused while somebody still stands on one.

1. A *horizon* is created: from then on no reader sees an earlier snapshot, and an instant before
   the horizon is an error that says which snapshot is the first.
2. The receipts, releases and rows that nothing visible needs are taken away. Killed in between, the
   next retention finishes the work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mesh_notebook.errors import MeshError, NoSnapshot, StoreError, UsageError
from mesh_notebook.mesh.aside import aside, turn, versions_of
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.published import PublishedProduct, horizon_path, publication_path
from mesh_notebook.mesh.verified import forget_verified
from mesh_notebook.mesh.versions import clear_unpublished
from mesh_notebook.model.receipt import Receipt

__all__ = ["Retained", "retain"]

_SHOWN = 5


@dataclass(frozen=True)
class Retained:
    """What a retention took away, or would.

    Attributes
    ----------
    first : Receipt
        The earliest snapshot that is readable now.
    gone : tuple of int
        The snapshots that are not any more.
    kept : int
        How many are.
    files : int
        How many data files were removed.
    done : bool
        False where it was only asked what would happen.
    """

    product: str
    first: Receipt
    gone: tuple[int, ...]
    kept: int
    files: int
    done: bool


def retain(
    catalogue: Catalogue,
    published: PublishedProduct,
    *,
    keep: int | None,
    older_than: timedelta | None,
    now: datetime,
    dry_run: bool = False,
) -> Retained:
    """Let go of a product's snapshots, but for the last `keep`, or those that are younger.

    Parameters
    ----------
    catalogue : Catalogue
        Where consumers are looked for.
    keep : int, optional
        How many of the last snapshots stay; at least one.
    older_than : timedelta, optional
        Snapshots that were replaced longer ago than this go.

    Raises
    ------
    UsageError
        Nothing, or both, says what may go.
    StoreError
        A publication of another product was made of a snapshot that would go.
    """
    snapshots = published.snapshots()
    if not snapshots:
        raise NoSnapshot(f"nothing was published of {published.name} yet.")
    receipts = [published.receipt(n) for n in snapshots]
    going = _going(receipts, keep, older_than, now)
    gone = tuple(receipt.snapshot for receipt in receipts[:going])
    _refuse_in_use(catalogue, published, set(gone))
    first = receipts[going]
    files = 0
    if not dry_run:
        with aside(published.root, published.address) as work:
            if going:
                _create_horizon(published, first, work)
            with turn(published.root, published.address):
                files = _clear(published)
    return Retained(published.name, first, gone, len(receipts) - going, files, not dry_run)


def _going(
    receipts: list[Receipt], keep: int | None, older_than: timedelta | None, now: datetime
) -> int:
    """Return how many of the oldest snapshots may go; the last one never does."""
    if (keep is None) == (older_than is None):
        raise UsageError(
            "nothing says what may go." if keep is None else "two rules say what may go.",
            next_step="give --keep 30 (snapshots) or --older-than 90d",
        )
    if keep is not None:
        if keep < 1:
            raise UsageError(
                f"{keep} snapshots cannot be kept.",
                next_step="give --keep 1 or more; %mesh retire ends a product",
            )
        return max(len(receipts) - keep, 0)
    assert older_than is not None
    replaced = [datetime.fromisoformat(receipt.processing_time) for receipt in receipts[1:]]
    return sum(moment < now - older_than for moment in replaced)


def _refuse_in_use(catalogue: Catalogue, published: PublishedProduct, gone: set[int]) -> None:
    """Raise `StoreError` where a publication that stands was made of one that would go."""
    users = [
        (consumer.name, receipt.snapshot, pin.version)
        for consumer in catalogue.products()
        for receipt in _standing(consumer)
        if not (consumer.folder == published.folder and receipt.snapshot in gone)
        for pin in receipt.inputs
        if pin.snapshot in gone and _is_of(pin.where, published)
    ]
    if users:
        lines = [f"  {name}, snapshot {n}, made of snapshot {used}" for name, n, used in users]
        more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        listed = "\n".join(lines[:_SHOWN] + more)
        raise StoreError(
            f"snapshots of {published.name} that would go are still stood on:\n{listed}",
            next_step="retain these first, or keep more: --keep, --older-than",
            users=users,
        )


def _standing(consumer: PublishedProduct) -> Iterable[Receipt]:
    for snapshot in consumer.snapshots():
        try:
            yield consumer.receipt(snapshot)
        except MeshError:  # it is hurt, and stands on nothing that could be told
            continue


def _is_of(where: str, published: PublishedProduct) -> bool:
    return where.startswith(f"{published.address}:")


def _create_horizon(published: PublishedProduct, first: Receipt, work: Any) -> None:
    try:
        horizon_path(published.folder, first.snapshot).create(b"{}\n", work)
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(
            f"{published.folder} cannot be written: {error}",
            next_step="is it yours to write to? Nothing was taken away",
        ) from None


def _clear(published: PublishedProduct) -> int:
    """Take away what nothing visible needs, and return how many data files that were."""
    visible = [published.receipt(n) for n in published.snapshots()]
    pictured = {n for r in visible for port in r.ports.values() for n in port.intervals.values()}
    needed = {receipt.snapshot for receipt in visible} | pictured
    for snapshot in published.all_snapshots():
        if snapshot not in needed:
            publication_path(published.folder, snapshot).remove()
    forget_verified(published, needed)
    receipts = [published.receipt(n) for n in sorted(needed)]
    releases = published.folder / "releases"
    for release in set(releases.folders()) - {receipt.release for receipt in receipts}:
        (releases / release).remove()
    files = 0
    for port in (published.folder / "ports").folders():
        for table in (published.folder / "ports" / port).folders():
            place = published.folder / "ports" / port / table
            if versions := versions_of(receipts, port, table):
                files += len(clear_unpublished(place, versions, hours=0 if place.folder else 1))
            else:
                place.remove()
    return files
