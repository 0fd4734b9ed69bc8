"""Promises over time: what was promised, and what each publication measured, from receipts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mesh_notebook.errors import NotFound, SpecError, StoreError, UsageError
from mesh_notebook.mesh.disclosure import told_receipts
from mesh_notebook.mesh.verdicts import SloVerdict, verdicts
from mesh_notebook.mesh.verified import verified_at
from mesh_notebook.model.product import major_of
from mesh_notebook.model.time import iso
from mesh_notebook.workspace.discovery.describing import aged
from mesh_notebook.workspace.discovery.majors import majors_beside
from mesh_notebook.workspace.discovery.neighbours import consumers_of

if TYPE_CHECKING:
    from mesh_notebook.mesh.catalogue import Catalogue
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.policy import Asker
    from mesh_notebook.model.product import Product
    from mesh_notebook.model.receipt import PortSnapshot, Receipt

__all__ = [
    *("MeshStandings", "Point", "PortStanding", "Standings", "Track"),
    *("measured_of", "mesh_standings", "readable", "standings"),
]


@dataclass(frozen=True)
class Point:
    """What one publication measured of a promise, held to what was promised then."""

    snapshot: int
    time: str
    verdict: SloVerdict | None  # None: it was not promised then

    @property
    def value(self) -> float | None:
        return self.verdict.value if self.verdict else None

    @property
    def kept(self) -> bool | None:
        return self.verdict.kept if self.verdict else None


@dataclass(frozen=True)
class Track:
    """One promise: as it stands now, at each publication (oldest first), and broken since when.

    `since` is an instant as receipts write it; empty where the promise is not broken now.
    """

    now: SloVerdict
    points: tuple[Point, ...]
    since: str


@dataclass(frozen=True)
class PortStanding:
    """One output port: its promises over time."""

    port: str
    tracks: tuple[Track, ...]

    @property
    def broken(self) -> tuple[Track, ...]:
        return tuple(track for track in self.tracks if track.now.kept is False)


@dataclass(frozen=True)
class Standings:
    """What a product promises and what it keeps.

    Attributes
    ----------
    receipts : tuple of Receipt
        The publications that were looked at, oldest first.
    hurt : tuple of int
        Those whose receipt or release cannot be read.
    damaged : tuple of (port, why)
        The ports whose last rows cannot be served: their table is gone, or a file of it.
    majors : tuple of str
        What other major versions are served beside this one, and who reads them.
    verified : datetime, optional
        When the last publication was found to be unchanged, last.
    check : bool
        Whether it is asked for by a program, which must hear of broken promises.
    """

    product: Product
    receipts: tuple[Receipt, ...]
    ports: tuple[PortStanding, ...]
    hurt: tuple[int, ...] = ()
    majors: tuple[str, ...] = ()
    verified: datetime | None = None
    check: bool = False
    damaged: tuple[tuple[str, str], ...] = ()

    @property
    def broken(self) -> tuple[tuple[PortStanding, Track], ...]:
        """The promises that are broken now; a product that is retired promises nothing."""
        if self.product.status == "retired":
            return ()
        return tuple((port, track) for port in self.ports for track in port.broken)

    @property
    def failed(self) -> bool:
        """Whether a check ends with exit code 1."""
        return self.check and bool(self.broken or self.damaged)

    @property
    def behind(self) -> tuple[Receipt, ...]:
        """The publications whose publisher's clock was behind that of the one before."""
        return tuple(receipt for receipt in self.receipts if receipt.clock_behind_s > 0)


@dataclass(frozen=True)
class MeshStandings:
    """What every product of a mesh promises and keeps.

    Attributes
    ----------
    products : tuple of Standings
        By address; those with broken promises first.
    unread : tuple of (address, reason)
        The products that cannot be read.
    roots : tuple of str
    """

    products: tuple[Standings, ...]
    unread: tuple[tuple[str, str], ...]
    roots: tuple[str, ...]
    check: bool = False

    @property
    def failed(self) -> bool:
        """Whether a check ends with exit code 1: also where there is nothing to check."""
        broken = any(one.broken or one.damaged for one in self.products)
        return self.check and (broken or bool(self.unread) or not self.products)


def mesh_standings(
    catalogue: Catalogue, last: int, now: datetime, asker: Asker | str, check: bool = False
) -> MeshStandings:
    """Hold the last publications of every product of a mesh to its promises."""
    _refuse_none(last)
    found, unread = [], []
    for published in catalogue.products():
        try:
            found.append(_standings(catalogue, published, None, last, now, asker, check))
        except (StoreError, SpecError, NotFound) as error:
            unread.append((str(published.address), error.message))
    found.sort(key=lambda one: (not one.broken, str(one.product.address)))
    roots = tuple(map(str, catalogue.roots))
    return MeshStandings(tuple(found), tuple(unread), roots, check)


def standings(
    catalogue: Catalogue,
    text: str,
    last: int,
    now: datetime,
    asker: Asker | str,
    check: bool = False,
) -> Standings:
    """Hold the last publications of a product, or of one port, to its promises.

    Receipts and contracts are read, and of the data whether it is there.
    """
    _refuse_none(last)
    return _standings(catalogue, *catalogue.resolve(text), last, now, asker, check)


def _refuse_none(last: int) -> None:
    if last < 1:
        raise UsageError(f"{last} publications cannot be shown.", next_step="give --last 1 or more")


def _standings(
    catalogue: Catalogue,
    published: PublishedProduct,
    port: str | None,
    last: int,
    now: datetime,
    asker: Asker | str,
    check: bool,
) -> Standings:
    latest = published.as_of(None)
    product, major = published.product(latest), major_of(latest.version)
    receipts = [r for r in readable(published, last, asker) if major_of(r.version) == major]
    receipts = receipts or told_receipts(published, [latest], asker)
    asked = published.snapshots()[-last:]
    whole = {r.snapshot for r in _readable(published, asked)}
    hurt = tuple(n for n in asked if n not in whole)
    names = [product.output(port).name] if port else [p.name for p in product.outputs]
    verified = verified_at(published, receipts[-1], now)
    ports = tuple(_standing(published, name, receipts, now, verified) for name in names)
    majors: tuple[str, ...] = ()
    if len(published.majors()) > 1:
        others = [p for p in catalogue.products() if p.address != product.address]
        consumers, _ = consumers_of(product.address, others, None)
        majors = majors_beside(published, latest, consumers)
    damaged = tuple(_damaged(published, receipts[-1], names)) if check or port else ()
    return Standings(product, tuple(receipts), ports, hurt, majors, verified, check, damaged)


def _damaged(
    published: PublishedProduct, latest: Receipt, ports: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the ports whose rows of the last publication are not all there, with the reason."""
    for port in ports:
        try:
            if port in latest.ports:
                published.version(latest, port)
        except StoreError as error:
            yield port, error.message


def readable(published: PublishedProduct, last: int, asker: Asker | str) -> list[Receipt]:
    """Return the last publications that can be read, oldest first, as who asks may be told now."""
    found = list(_readable(published, published.snapshots()[-last:]))
    return told_receipts(published, found, asker)


def _readable(published: PublishedProduct, snapshots: Sequence[int]) -> Iterator[Receipt]:
    for snapshot in snapshots:
        try:
            receipt = published.receipt(snapshot)
            published.product(receipt)
        except (StoreError, SpecError):
            continue
        yield receipt


def measured_of(snapshot: PortSnapshot) -> dict[str, float]:
    """Return what a receipt tells of a port, the completeness of each column included."""
    columns = snapshot.shape.items()
    shares = {f"completeness.{n}": 1 - c["nulls"] for n, c in columns if "nulls" in c}
    return {**shares, **snapshot.slos}


def _standing(
    published: PublishedProduct,
    port: str,
    receipts: Sequence[Receipt],
    now: datetime,
    verified: datetime | None,
) -> PortStanding:
    latest = receipts[-1]
    contract = published.contract(latest, port)
    measured = aged(measured_of(latest.ports[port]), latest, now, verified)
    present = verdicts(measured, contract)
    runs = [(r, _run(published, r, port)) for r in receipts if port in r.ports]
    tracks = []
    for verdict in present:
        points = tuple(
            Point(r.snapshot, r.processing_time, run.get(verdict.name)) for r, run in runs
        )
        tracks.append(Track(verdict, points, _since(verdict, points, verified)))
    return PortStanding(port, tuple(tracks))


def _run(published: PublishedProduct, receipt: Receipt, port: str) -> dict[str, SloVerdict]:
    contract: Contract = published.contract(receipt, port)
    return {v.name: v for v in verdicts(measured_of(receipt.ports[port]), contract)}


def _since(now: SloVerdict, points: Sequence[Point], verified: datetime | None) -> str:
    """Return since when a promise is broken: a publication, or the moment at which it aged."""
    if now.kept is not False or not points:
        return ""
    broken = ""
    for point in reversed(points):
        if point.kept is not False:
            break
        broken = point.time
    if broken:
        return broken
    last = points[-1]
    fresh = last.value if last.value is not None and now.slo.property == "freshness" else 0.0
    left = timedelta(seconds=max((now.limit or 0.0) - fresh, 0.0))
    published = datetime.fromisoformat(last.time)
    # What its events are is no fresher for being looked at again.
    seen = published if now.slo.element else max(published, verified or published)
    return iso(seen + left)
