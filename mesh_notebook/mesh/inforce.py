"""The policy in force for a port: the last that it was published with, for all that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mesh_notebook.errors import StoreError, Unreachable
from mesh_notebook.mesh.predicates import columns_in
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import Product, major_of, rank_of
from mesh_notebook.model.receipt import Receipt

__all__ = ["in_force", "newest"]


def newest(published: PublishedProduct, receipt: Receipt) -> Receipt:
    """Return the last publication of the newest major version: what holds now.

    Where it is hurt, the newest after `receipt` that is whole. A later publication of an older
    major version is served beside it, and loosens nothing of it.
    """
    best = next(_binding(published, receipt), receipt)
    if published.majors()[:1] in ([], [major_of(best.version)]):
        return best
    try:
        current = published.as_of(None)
        published.product(current)
    except Unreachable:
        raise
    except StoreError:
        return best
    return max(best, current, key=_standing)


def _standing(receipt: Receipt) -> tuple[tuple[int, str], int]:
    return rank_of(major_of(receipt.version)), receipt.snapshot


def in_force(published: PublishedProduct, receipt: Receipt, now: Receipt, port: str) -> PortPolicy:
    """Return the policy that holds for a port as it was published in `receipt`.

    What the newest publication cannot speak of stays under the last policy that could: a port that
    is served no more, or a column that is gone in a later version.
    """
    policy: PortPolicy | None = None
    orphans = {column.name for column in published.contract(receipt, port).columns}
    for product, contract in _since(published, receipt, now, port):
        found = PortPolicy.of(product, port)
        if policy is None:
            policy = found
        else:
            rows = [r for r in found.rows if not orphans.isdisjoint(columns_in(r.where, contract))]
            masks = [mask for mask in found.masks if mask.column in orphans]
            policy = replace(policy, masks=(*policy.masks, *masks), rows=(*policy.rows, *rows))
        orphans -= {column.name for column in contract.columns}
        if not orphans:
            break
    assert policy is not None  # the receipt's own product has the port
    return policy


def _since(
    published: PublishedProduct, receipt: Receipt, now: Receipt, port: str
) -> Iterator[tuple[Product, Contract]]:
    """Yield what a port was in the publications after one, newest first, and in that one last."""
    if now.snapshot != receipt.snapshot:
        if port in now.ports:
            yield published.product(now), published.contract(now, port)
        for later in _binding(published, receipt):
            if port in later.ports and later.snapshot != now.snapshot:
                yield published.product(later), published.contract(later, port)
    yield published.product(receipt), published.contract(receipt, port)


def _binding(published: PublishedProduct, receipt: Receipt) -> Iterator[Receipt]:
    """Yield the later publications that say what holds for one, the first of them most.

    Where there are several major versions these are of its own and of newer ones, newest first.
    """
    after = _after(published, receipt.snapshot)
    if len(published.majors()) < 2:
        yield from after
        return
    own = _standing(receipt)
    yield from sorted((one for one in after if _standing(one) > own), key=_standing, reverse=True)


def _after(published: PublishedProduct, snapshot: int) -> Iterator[Receipt]:
    """Yield later publications, newest first; what is hurt tells nothing, and is passed over."""
    for number in reversed(published.snapshots()):
        if number <= snapshot:
            return
        try:
            found = published.receipt(number)
            published.product(found)
        except Unreachable:
            raise
        except StoreError:
            continue
        yield found
