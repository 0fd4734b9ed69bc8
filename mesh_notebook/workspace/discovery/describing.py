"""Describing a product: read from its publications, its specifications and its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from mesh_notebook.errors import NotFound, StoreError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.disclosure import policy_now, told_receipt
from mesh_notebook.mesh.earlier import AGEING
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.seen import news_told
from mesh_notebook.mesh.slos import verdicts
from mesh_notebook.mesh.verified import verified_at
from mesh_notebook.model.address import Address
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.policy import Asker
from mesh_notebook.model.receipt import PortSnapshot, Receipt
from mesh_notebook.workspace.discovery.described import (
    Consumer,
    Described,
    PortCard,
    Promise,
    Release,
)
from mesh_notebook.workspace.discovery.majors import majors_beside
from mesh_notebook.workspace.discovery.neighbours import consumers_of, short_name, upstream_of
from mesh_notebook.workspace.discovery.people import people_of

__all__ = ["LOOK_BACK", "aged", "describe"]

# To how many snapshots a description looks back: each is a file to read, far away perhaps.
LOOK_BACK = 100


def describe(
    catalogue: Catalogue,
    text: str,
    now: datetime,
    asker: Asker | str,
    as_of: datetime | None = None,
) -> Described:
    """Describe a product, or one port of it, as it was known at `as_of`; None means now.

    It is told to somebody: of a port that they may not read in full, less.

    Raises
    ------
    UnknownProduct, UnknownPort, AmbiguousProduct, NoSnapshot
        There is no such product or port, or there was no snapshot by then.
    StoreError
        The snapshot is damaged.
    """
    published, named = catalogue.resolve(text)
    receipt = told_receipt(published, published.as_of(as_of), asker)
    product = published.product(receipt)
    wanted = [product.output(named).name] if named else [port.name for port in product.outputs]
    moment = as_of or now
    others = [p for p in catalogue.products() if p.address != product.address]
    consumers, unread = consumers_of(product.address, others, as_of)
    numbers = [n for n in published.snapshots() if n <= receipt.snapshot]
    told = numbers[-LOOK_BACK:]
    receipts = _readable(published, told)
    cards = [_port_card(published, receipt, receipts, name, moment) for name in wanted]
    return Described(
        product=product,
        receipt=receipt,
        ports=tuple(_with_consumers(card, consumers) for card in cards),
        people=people_of(product, {card.name: card.contract for card in cards}),
        upstream=tuple(upstream_of(pin, catalogue, as_of) for pin in receipt.inputs),
        releases=tuple(releases_of(receipts)),
        short=short_name(product.address, [p.address for p in others]),
        root=str(published.root),
        moment=moment,
        snapshots=len(numbers),
        told=len(told),
        damaged=len(told) - len(receipts),
        first=next((r.processing_time for r in _readable(published, numbers[:1])), ""),
        unread=unread,
        majors=majors_beside(published, receipt, consumers),
    )


def aged(
    slos: dict[str, float], receipt: Receipt, now: datetime, verified: datetime | None = None
) -> dict[str, float]:
    """Return what was measured at publication as it stands now: what ages has aged since.

    Parameters
    ----------
    verified : datetime, optional
        When the publication was last found unchanged: `verified_age_s` says how long ago.
    """
    published = datetime.fromisoformat(receipt.processing_time)
    since = max((now - published).total_seconds(), 0.0)
    told = {k: v + since if k in AGEING else v for k, v in slos.items()}
    if verified:
        told["verified_age_s"] = max((now - verified).total_seconds(), 0.0)
    return told


def _port_card(
    published: PublishedProduct,
    receipt: Receipt,
    told: Sequence[Receipt],
    name: str,
    moment: datetime,
) -> PortCard:
    product = published.product(receipt)
    contract, snapshot = published.contract(receipt, name), receipt.ports[name]
    verified = verified_at(published, receipt, moment)
    now = verdicts(aged(snapshot.slos, receipt, moment, verified), contract)
    then = verdicts(snapshot.slos, contract)
    promises = tuple(Promise(*pair) for pair in zip(now, then, strict=True))
    address: Address = product.address.with_port(name)
    policy = policy_now(published, receipt, name)
    shown = {n: one for n, one in snapshot.shape.items() if n not in _personal(contract)}
    news = news_told(shown, list(_before(receipt, told, name)), contract, policy)
    return PortCard(address, product.output(name), contract, snapshot, promises, (), policy, news)


def _personal(contract: Contract) -> set[str]:
    return {column.name for column in contract.columns if column.personal}


def _before(receipt: Receipt, told: Sequence[Receipt], port: str) -> Iterator[PortSnapshot]:
    """Yield what the publications before one say of a port, newest first."""
    for one in reversed(told):
        earlier = one.snapshot < receipt.snapshot and one.origin is receipt.origin
        if earlier and port in one.ports:
            yield one.ports[port]


def _with_consumers(card: PortCard, consumers: Sequence[Consumer]) -> PortCard:
    return replace(card, consumers=tuple(c for c in consumers if c.port == card.name))


def _readable(published: PublishedProduct, numbers: Sequence[int]) -> list[Receipt]:
    receipts = []
    for number in numbers:
        try:
            receipts.append(published.receipt(number))
        except (StoreError, NotFound):  # hurt, or retired while we looked: it is counted
            continue
    return receipts


def releases_of(receipts: Sequence[Receipt]) -> list[Release]:
    """Return the releases behind some receipts (oldest first), that of the last one first."""
    by_release: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_release.setdefault(receipt.release, []).append(receipt)
    releases = [
        Release(
            version=of[-1].version,
            name=name,
            count=len(of),
            first=of[0].snapshot,
            last=of[-1].snapshot,
            since=of[0].processing_time,
            until=of[-1].processing_time,
        )
        for name, of in by_release.items()
    ]
    return sorted(releases, key=lambda release: release.last, reverse=True)
