"""Who may read a port, and through which policy: decided once, for every mode alike."""

from __future__ import annotations

from mesh_notebook.errors import AccessDenied, StoreError, Unreachable
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import PortPolicy, Principal
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window

__all__ = ["decide", "decision_of", "newest"]


def decide(
    published: PublishedProduct,
    receipt: Receipt,
    now: Receipt,
    port: str,
    window: Window,
    principal: Principal | str,
) -> Decision:
    """Return what the policy makes of a read, and keep a record of it.

    Parameters
    ----------
    receipt : Receipt
        The publication that is read.
    now : Receipt
        The newest one: its policy holds for all before it, too.

    Raises
    ------
    AccessDenied
        The rows may not be read.
    """
    decision = decision_of(published, receipt, now, port, window, principal)
    if not decision.allowed:
        raise _denied(decision, f"{published.name}/{port}")
    return decision


def decision_of(
    published: PublishedProduct,
    receipt: Receipt,
    now: Receipt,
    port: str,
    window: Window,
    principal: Principal | str,
) -> Decision:
    """Return what the policy of now makes of a read of any snapshot, early ones too."""
    # A port that is served no more keeps the policy that it had.
    governs = now if port in now.ports else receipt
    policy = PortPolicy.of(published.product(governs), port)
    asks = Principal(principal) if isinstance(principal, str) else principal
    return Decision(policy, asks)


def newest(published: PublishedProduct, receipt: Receipt) -> Receipt:
    """Return the last publication; where it is hurt, the newest after `receipt` that is whole."""
    for snapshot in reversed(published.snapshots()):
        if snapshot <= receipt.snapshot:
            break
        try:
            found = published.receipt(snapshot)
            published.product(found)
        except Unreachable:
            raise
        except StoreError:
            continue
        return found
    return receipt


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
