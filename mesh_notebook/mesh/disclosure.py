"""What the figures of a port may tell: no more than everybody sees of its rows.

A shape and a measurement are read by who may not read the rows. So they are taken over the rows
that no filter hides, with event times as coarse as their mask shows them, and of a masked column
they tell no value. Of a port with differential privacy, whose answers are noisy lest anybody be
told apart, exact figures of values are not taken at all.

How many rows there are is kept of all of them, since whoever publishes needs it. It is told to who
may read them all. To who may read some of them it is not; who may read none is told no shape
either. `told_receipts` decides it, for every verb.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MissingExtra, SpecError, StoreError
from mesh_notebook.mesh.access import decided
from mesh_notebook.mesh.inforce import in_force, newest
from mesh_notebook.mesh.lag import lag_of
from mesh_notebook.mesh.masking import keyless, plain
from mesh_notebook.mesh.predicates import predicate
from mesh_notebook.mesh.sealing import ROWS, Protection
from mesh_notebook.mesh.shape import Shape, shape_of
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import Asker, Mask, PortPolicy, Principal
from mesh_notebook.model.time import Window

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.mesh.reading import Reading
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.receipt import PortSnapshot, Receipt

__all__ = [
    "OF_EVENTS",
    "lag_told",
    "policy_now",
    "seen_by_all",
    "shape_to_tell",
    "told",
    "told_of",
    "told_read",
    "told_receipt",
    "told_receipts",
    "without_erased",
]

# What is measured of event times: from a lag or an age, anybody computes the event.
OF_EVENTS = ("newest_event", "freshness_s", "oldest_event_s", "lag_p50_s", "lag_p95_s")
# Masks under which it is still to be seen which rows have a value. A keyed mask shows it too, but
# its tokens are to be all that is known of the column.
_GAPS_SHOWN = ("truncate", "generalise")
# What is told of rows that were let pass though they had fallen, where no count is.
_FEWER = "fewer rows than were usual"


# ---- before rows are published ----------------------------------------------------------------


def seen_by_all(
    rows: pl.DataFrame, policy: PortPolicy, contract: Contract, product: str
) -> pl.DataFrame:
    """Return the rows that everybody sees, with event times as coarse as everybody sees them.

    Other masked columns hold what they held: it is for whoever measures to tell nothing of them.

    Parameters
    ----------
    rows : polars.DataFrame
        As they are, or as a table holds them.
    product : str
        The product's URN: subjects that were erased from it are seen by nobody.
    """
    import polars as pl

    if ROWS in rows.columns:  # as a table holds them: filters were evaluated before masks
        rows = rows.filter(~pl.col(ROWS).str.contains("0", literal=True))
    elif policy.rows:
        true = (predicate(rule.where, contract).fill_null(False) for rule in policy.rows)
        rows = rows.filter(pl.all_horizontal(true))
    if policy.subject and policy.masks:
        rows = without_erased(rows, policy.subject, product)
    for mask in _coarse(policy, contract):
        rows = rows.with_columns(keyless(rows[mask.column], mask))
    return rows


def without_erased(rows: pl.DataFrame, subject: str, product: str) -> pl.DataFrame:
    """Return the rows of who was not erased from a product."""
    from mesh_notebook.mesh.erasure import Subjects

    names = plain(rows[subject])
    erased = Subjects(product, subject).erased(names.drop_nulls().unique().to_list())
    return rows.filter(~names.is_in(erased).fill_null(False))


def _coarse(policy: PortPolicy, contract: Contract) -> tuple[Mask, ...]:
    """Return the mask of the event time, if it has one."""
    mask = policy.mask(contract.event_time) if contract.event_time else None
    return (mask,) if mask and not mask.keyed else ()


def shape_to_tell(seen: pl.DataFrame, policy: PortPolicy, contract: Contract) -> Shape:
    """Return the shape of what `seen_by_all` gave, less what the policy hides."""
    if policy.closed:
        return {}
    masks = [mask for mask in policy.masks if mask.column in seen.columns]
    found = shape_of(seen.drop(mask.column for mask in masks), contract)
    for mask in masks:
        found[mask.column] = {}
        if mask.kind in _GAPS_SHOWN and seen.height:
            missing = keyless(seen[mask.column], mask).null_count()
            found[mask.column] = {"nulls": round(missing / seen.height, 9)}
    return {c.name: found[c.name] for c in contract.columns if c.name in found}


def lag_told(
    news: pl.DataFrame, policy: PortPolicy, contract: Contract, product: str, now: datetime
) -> dict[str, float]:
    """Return the lag of what a log adds, as far as everybody sees it (see `mesh.lag`)."""
    if contract.event_time is None or policy.closed:
        return {}
    seen = seen_by_all(news, policy, contract, product)
    return lag_of(seen.lazy(), contract.event_time, now)


# ---- after --------------------------------------------------------------------------------------


def policy_now(
    published: PublishedProduct, receipt: Receipt, port: str, now: Receipt | None = None
) -> PortPolicy | None:
    """Return the policy of now, which holds for early snapshots too; None if it is no policy.

    `now` is the newest publication, where it is known already.
    """
    try:
        return in_force(published, receipt, now or newest(published, receipt), port)
    except SpecError:
        return None


def told_receipt(published: PublishedProduct, receipt: Receipt, asker: Asker | str) -> Receipt:
    """Return a receipt less the figures that the policies of now hide from who asks."""
    return told_receipts(published, [receipt], asker)[0]


def told_receipts(
    published: PublishedProduct, receipts: Sequence[Receipt], asker: Asker | str
) -> list[Receipt]:
    """Return receipts, oldest first, less the figures that the policies of now hide from who asks.

    A count that is hidden is None.
    """
    decisions: dict[str, Decision | None] = {}
    now = newest(published, receipts[-1]) if receipts else None
    for receipt in reversed(receipts):
        for port in receipt.ports.keys() - decisions.keys():
            decisions[port] = _decision(published, receipt, now or receipt, port, asker)
    return [_told(published, receipt, decisions) for receipt in receipts]


def _decision(
    published: PublishedProduct, receipt: Receipt, now: Receipt, port: str, asker: Asker | str
) -> Decision | None:
    """Return what who asks may see of a port now; None where its policy is none."""
    try:
        return decided(published, receipt, now, port, Window(), asker)
    except SpecError:
        return None
    except (StoreError, MissingExtra) as error:  # nobody knows who has which role: so it has none
        policy = policy_now(published, receipt, port, now)
        who = Principal(asker if isinstance(asker, str) else asker.name)
        return None if policy is None else Decision(policy, who, (error.message,))


def _told(
    published: PublishedProduct, receipt: Receipt, decisions: Mapping[str, Decision | None]
) -> Receipt:
    ports = {}
    for name, snapshot in receipt.ports.items():
        decision = decisions[name]
        masked = decision is not None and decision.policy.masks
        event_time = published.contract(receipt, name).event_time if masked else None
        ports[name] = told_of(snapshot, decision, event_time)
    allowed = {n: _FEWER if ports[n].rows is None else said for n, said in receipt.allowed.items()}
    return replace(receipt, ports=ports, allowed=allowed)


def told_read(reading: Reading) -> Receipt:
    """Return the receipt of what was read, as it may be told to who read it."""
    receipt, port = reading.receipt, reading.port
    snapshot = told_of(receipt.ports[port], reading.decision, reading.contract.event_time)
    return replace(receipt, ports={port: snapshot}, allowed={})


def told_of(
    snapshot: PortSnapshot, decision: Decision | None, event_time: str | None
) -> PortSnapshot:
    """Return what may be told of a snapshot to who a decision is of; None lets nobody in."""
    less = told(snapshot, decision.policy if decision else None, event_time)
    if decision and decision.counts:
        return less
    slos = {name: value for name, value in less.slos.items() if name != "rows"}
    shape = less.shape if decision and decision.allowed else {}
    return replace(less, rows=None, added=0, corrected=0, slos=slos, shape=shape)


def told(snapshot: PortSnapshot, policy: PortPolicy | None, event_time: str | None) -> PortSnapshot:
    """Return what may be told of a snapshot under a policy that came later, perhaps.

    Where rows are hidden since, its figures are of rows that not everybody sees any more, and
    nothing can be taken out of them: none is told.
    """
    stored = Protection.from_dict(snapshot.protection)
    if policy is None or policy.closed or _hidden_since(policy, stored):
        return replace(snapshot, shape={}, slos=_without_events(snapshot.slos))
    shape = {name: _less(column, policy.mask(name)) for name, column in snapshot.shape.items()}
    mask = policy.mask(event_time) if event_time else None
    coarser = mask is not None and _how(mask.as_dict()) != _how(stored.masks.get(mask.column, {}))
    slos = _without_events(snapshot.slos) if coarser else snapshot.slos
    return replace(snapshot, shape=shape, slos=slos)


def _hidden_since(policy: PortPolicy, stored: Protection) -> bool:
    return any(rule.where not in stored.rows for rule in policy.rows)


def _less(column: Mapping[str, Any], mask: Mask | None) -> dict[str, Any]:
    if mask is None:
        return dict(column)
    kept = ("nulls",) if mask.kind in _GAPS_SHOWN else ()
    return {name: column[name] for name in kept if name in column}


def _how(mask: Mapping[str, Any]) -> dict[str, Any]:
    # Who is exempt makes no difference to what the others see.
    return {name: value for name, value in mask.items() if name != "except"}


def _without_events(slos: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in slos.items() if name not in OF_EVENTS}
