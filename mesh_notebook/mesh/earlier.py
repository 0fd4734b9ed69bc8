"""What the publications before say of a port, from their receipts alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mesh_notebook.errors import StoreError
from mesh_notebook.mesh.drift import EARLIER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.mesh.shape import Shape
    from mesh_notebook.model.origin import Origin
    from mesh_notebook.model.receipt import PortSnapshot, Receipt

__all__ = ["AGEING", "Earlier", "earlier", "oldest_of", "settled", "snapshots_before"]

# What grows by a second each second, until the next publication.
AGEING = ("freshness_s", "snapshot_age_s", "retention_s", "oldest_event_s")
# What a publication's own time moves, if it comes later than the measurement.
_OF_ITS_TIME = ("freshness_s", "oldest_event_s", "lag_p50_s", "lag_p95_s")


@dataclass(frozen=True)
class Earlier:
    """What is compared with: shapes, newest first, and the newest event known (s since 1970)."""

    shapes: tuple[Shape, ...] = ()
    newest_event: float | None = None

    def without_events(self) -> Earlier:
        """Return the same for a frame all of whose rows are new."""
        return Earlier(self.shapes)


def oldest_of(published: PublishedProduct) -> Receipt | None:
    """Return the first publication that can still be read."""
    for snapshot in published.snapshots():
        try:
            return published.receipt(snapshot)
        except StoreError:
            continue
    return None


def earlier(published: PublishedProduct, port: str, origin: Origin) -> Earlier:
    """Return what the last publications of one origin say of a port.

    Data that was made up says nothing of how real data lies, nor the other way round. A receipt
    that cannot be read is passed over: whoever reads that snapshot is told.
    """
    found = snapshots_before(published, port, origin)
    shapes = tuple(snapshot.shape for snapshot in found if snapshot.shape)
    newest = (snapshot.slos.get("newest_event") for snapshot in found)
    return Earlier(shapes[:EARLIER], next((n for n in newest if n is not None), None))


def snapshots_before(published: PublishedProduct, port: str, origin: Origin) -> list[PortSnapshot]:
    """Return what the last publications of one origin say of a port, newest first."""
    return [r.ports[port] for r in _readable(published) if r.origin is origin and port in r.ports]


def _readable(published: PublishedProduct) -> Iterator[Receipt]:
    """Yield the newest receipts, a few more than are needed."""
    for snapshot in reversed(published.snapshots()[-4 * EARLIER :]):
        try:
            yield published.receipt(snapshot)
        except StoreError:
            continue


def settled(
    slos: dict[str, float],
    measured: datetime | None,
    moment: datetime,
    latest: Receipt | None,
    oldest: Receipt | None,
    verified: datetime | None = None,
) -> dict[str, float]:
    """Return what was measured as it stands at the publication's own processing time.

    Parameters
    ----------
    measured : datetime or None
        When it was measured, a little earlier; None leaves ages as they are.
    moment : datetime
        The processing time.
    latest, oldest : Receipt or None
        The publication before, and the first that can still be read; None for a first one.
    verified : datetime, optional
        When the publication before was last found unchanged.

    Returns
    -------
    dict
        With `interval_s`, seconds since the publication before was made or found unchanged (none
        for a first one);
        `retention_s`, the age of the oldest snapshot that can still be read, and its number as
        `oldest_snapshot`.
    """
    since = (moment - measured).total_seconds() if measured else 0.0
    told = {k: v + since if k in _OF_ITS_TIME and v else v for k, v in slos.items()}
    if latest:
        told["interval_s"] = (
            (moment - verified).total_seconds() if verified else _age(latest, moment)
        )
    told["retention_s"] = _age(oldest, moment) if oldest else 0.0
    told["oldest_snapshot"] = float(oldest.snapshot if oldest else 1)
    return told


def _age(receipt: Receipt, moment: datetime) -> float:
    return (moment - datetime.fromisoformat(receipt.processing_time)).total_seconds()
