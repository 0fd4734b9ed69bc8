"""Who may read a port, and through which policy: decided once, for every mode alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mesh_notebook.errors import AccessDenied, StoreError
from mesh_notebook.mesh.predicates import columns_in
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import PortPolicy, Principal
from mesh_notebook.model.product import Product
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window

__all__ = ["decide", "decision_of"]


def decide(
    published: PublishedProduct,
    receipt: Receipt,
    port: str,
    window: Window,
    principal: Principal | str,
) -> Decision:
    """Return what the policy makes of a read, and keep a record of it.

    Raises
    ------
    AccessDenied
        The rows may not be read.
    """
    decision = decision_of(published, receipt, port, window, principal)
    if not decision.allowed:
        raise _denied(decision, f"{published.name}/{port}")
    return decision


def decision_of(
    published: PublishedProduct,
    receipt: Receipt,
    port: str,
    window: Window,
    principal: Principal | str,
) -> Decision:
    """Return what the policy of now makes of a read of any snapshot, early ones too."""
    policy = _policy(published, receipt, port)
    asks = Principal(principal) if isinstance(principal, str) else principal
    return Decision(policy, asks)


def _policy(published: PublishedProduct, receipt: Receipt, port: str) -> PortPolicy:
    """Return the policy that a port was published with last.

    What it cannot speak of stays under the last policy that could: a port that is served no more,
    or a column that is gone in a later version.
    """
    policy: PortPolicy | None = None
    orphans = {column.name for column in published.contract(receipt, port).columns}
    for product, contract in _since(published, receipt, port):
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
    published: PublishedProduct, receipt: Receipt, port: str
) -> Iterator[tuple[Product, Contract]]:
    """Yield what a port was in the publications after one, newest first, and in that one last.

    What is hurt tells nothing, and is passed over.
    """
    for snapshot in reversed(published.snapshots()):
        if snapshot <= receipt.snapshot:
            break
        try:
            later = published.receipt(snapshot)
            if port in later.ports:
                yield published.product(later), published.contract(later, port)
        except StoreError:
            continue
    yield published.product(receipt), published.contract(receipt, port)


def _denied(decision: Decision, port: str) -> AccessDenied:
    product = port.partition("/")[0]
    if decision.asks_instead:
        step = f"%mesh ask {port} count --by …; %mesh describe {product} says by what"
    elif decision.policy.access.stand_in:
        step = f"its stand-in, made-up rows of the same shape: %mesh connect {port} --mode mock"
    else:
        step = f"%mesh describe {product} says how to get access, and %mesh why {port} the rest"
    return AccessDenied(
        f"{decision.principal.name} may not read {port}: {'; '.join(decision.refusals)}.",
        next_step=step,
        reasons=decision.refusals,
        stand_in=decision.policy.access.stand_in,
    )
