"""Who may read a port, and through which policy: decided once, for every mode alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from mesh_notebook.errors import AccessDenied
from mesh_notebook.mesh import decisions
from mesh_notebook.mesh.grants import principal_of
from mesh_notebook.mesh.inforce import in_force, newest
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.rego import facts_of, forbidden
from mesh_notebook.mesh.rulebook import standing_rules
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import Asker, Principal
from mesh_notebook.model.product import Product
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window, iso

__all__ = ["Asked", "asked", "decided", "enforce", "note"]


@dataclass(frozen=True)
class Asked:
    """One port, asked for by somebody: what would be read, and what is decided of it.

    Attributes
    ----------
    receipt, product
        The publication that would be read.
    now : Receipt
        The newest one: its policy holds for all before it, too.
    port : str
    window : Window
        What was asked.
    """

    published: PublishedProduct
    receipt: Receipt
    product: Product
    now: Receipt
    port: str
    window: Window
    decision: Decision


def asked(
    published: PublishedProduct,
    port: str | None,
    window: Window,
    asker: Principal | Asker | str,
    major: str | None = None,
) -> Asked:
    """Return what is decided of a read, for whoever reads and whoever asks why.

    Parameters
    ----------
    port, window, asker, major
        As `reading.read_port` takes them.

    Raises
    ------
    UnknownPort, NoSnapshot
        There is no such port, or was no snapshot by then.
    StoreError
        Nobody can tell who may read.
    """
    receipt = published.as_of(window.as_of, major)
    product = published.product(receipt)
    name = product.output(port).name
    now = receipt if window.as_of is None and major is None else newest(published, receipt)
    decision = decided(published, receipt, now, name, window, asker)
    return Asked(published, receipt, product, now, name, window, decision)


def enforce(found: Asked) -> None:
    """Keep a record of what was decided, and raise where the rows may not be read.

    Raises
    ------
    AccessDenied
        The rows may not be read.
    StoreError
        What was decided cannot be kept.
    """
    decision = found.decision
    note(found.published, found.receipt, decision, found.window, decision.refusals)
    if not decision.allowed:
        raise _denied(decision, f"{found.published.name}/{found.port}")


def decided(
    published: PublishedProduct,
    receipt: Receipt,
    now: Receipt,
    port: str,
    window: Window,
    asker: Principal | Asker | str,
) -> Decision:
    """Return what the policy of now makes of a read of any snapshot, early ones too.

    Parameters
    ----------
    now : Receipt
        The newest publication.
    """
    policy, rules = in_force(published, receipt, now, port), standing_rules(published)
    if not policy and not rules:  # nothing depends on who asks
        name = asker if isinstance(asker, str) else asker.name
        return Decision(policy, Principal(name))
    asks = principal_of(published.root, asker)
    governs = now if port in now.ports else receipt
    facts = facts_of(
        asks,
        published.product(governs),
        published.contract(governs, port),
        port=port,
        action="read",
        origin=receipt.origin,
        now=datetime.now(UTC),
        window=window,
    )
    return Decision(policy, asks, forbidden(rules, facts))


def note(
    published: PublishedProduct,
    receipt: Receipt,
    decision: Decision,
    window: Window,
    refusals: tuple[str, ...],
    mode: str = "read",
) -> None:
    """Keep a decision in the product's log; of a port that has no policy nothing is decided."""
    if not decision.policy and not decision.forbidden:
        return
    said = decision.said()[1:]
    if not refusals:  # a private port is asked because it shows no rows
        said = tuple(line for line in said if not line.startswith("refused"))
    limits = {"from": window.start, "to": window.end, "as_of": window.as_of}
    asks = decision.principal
    decisions.log(
        published,
        decisions.Decision(
            principal=asks.name,
            roles=tuple(sorted(asks.roles)),
            purpose=asks.purpose,
            at=iso(datetime.now(UTC)),
            product=receipt.product,
            port=decision.policy.port,
            window={name: iso(limit) for name, limit in limits.items() if limit},
            snapshot=0 if refusals else receipt.snapshot,
            version=receipt.version,
            mode=mode,
            decision=decisions.DENY if refusals else decisions.ALLOW,
            rules=refusals or said,
        ),
    )


def _denied(decision: Decision, port: str) -> AccessDenied:
    product = port.partition("/")[0]
    if decision.asks_instead:
        step = f"%mesh ask {port} count --by …; %mesh describe {product} says by what"
    elif decision.policy.access.stand_in:
        step = f"its stand-in, made-up rows of the same shape: %mesh connect {port} --mode mock"
    elif decision.lacks_purpose:
        said = " or ".join(decision.policy.access.purposes)
        step = f"say what you read it for, if it is {said}: --purpose, or %env MESH_PURPOSE=…"
    else:
        step = f"%mesh describe {product} says how to get access, and %mesh why {port} the rest"
        if decision.lacks_role:
            step += (
                f". Who may grant it says %mesh grant {decision.principal.name} "
                f"{decision.policy.access.roles[0]}; --principal asks as who has it"
            )
        step += ". Rows made of its contract alone: --mode mock"
    return AccessDenied(
        f"{decision.principal.name} may not read {port}: {'; '.join(decision.refusals)}.",
        next_step=step,
        reasons=decision.refusals,
        stand_in=decision.policy.access.stand_in,
    )
