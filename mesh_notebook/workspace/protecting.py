"""`%mesh protect` and `why`: a port's policy as it is set, and explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import UsageError, near
from mesh_notebook.mesh.sealing import Protection
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.policy import MASKS, Access, Mask, PortPolicy, Privacy, RowFilter

if TYPE_CHECKING:
    from mesh_notebook.model.decision import Decision
    from mesh_notebook.model.policy import Asker
    from mesh_notebook.model.receipt import Receipt
    from mesh_notebook.workspace.drafts import PortDraft
    from mesh_notebook.workspace.session import Session

__all__ = [
    *("NewKey", "Protected", "Rule", "Why", "new_key", "protect", "refuse_unfit", "why", "words"),
]


@dataclass(frozen=True)
class Rule:
    """What one `protect` says; what is not given is not touched."""

    mask: str = ""
    exempt: tuple[str, ...] = ()
    to: str = ""
    keep: int = 0
    groups: tuple[str, ...] = ()
    key: str = ""
    where: str = ""
    roles: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    stand_in: bool = False
    erasable: str = ""
    private: str = ""
    budget: float = 0.0
    rows_each: int = 1
    bounds: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    aggregates: int = 0
    declassify: bool = False
    because: str = ""
    erasers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Protected:
    """A port's policy as it now is, in words; it holds from the next deployment on."""

    port: str
    policy: PortPolicy


@dataclass(frozen=True)
class Why:
    """What a port's policy makes of who asks, and why; `own`: of whose session it is.

    `mock` says what made-up rows are made from, which anybody may have: the port's `shape`, if its
    policy has a stand-in, else its published `contract` alone.
    """

    product: str
    port: str
    decision: Decision
    receipt: Receipt
    own: bool = True
    mock: str = "contract"


@dataclass(frozen=True)
class NewKey:
    """A key that products share, which was just made, and where it lies with its register."""

    name: str
    path: Path
    register: Path


def new_key(action: str, name: str) -> NewKey:
    """Make a key that products share; one of that name is never overwritten."""
    from mesh_notebook.mesh.pseudonyms import new_shared_key

    if action != "new":
        raise UsageError(f"'{action}' is nothing to do with a key.", next_step="%mesh key new NAME")
    path = new_shared_key(name)
    return NewKey(name, path, path.with_suffix(".subjects"))


def protect(session: Session, target: str, rule: Rule, remove: bool) -> Protected:
    """Set, or take away, a rule of the port or of its column that `target` names."""
    port, _, column = target.partition(".")
    draft = session.draft.port(port)
    contract = draft.contract(session.draft, "draft")
    if column:
        contract.column(column)
    policy = draft.policy or PortPolicy(port)
    if remove:
        policy = _without(policy, column)
    elif rule.declassify or rule.because:
        policy = _declassified(session, draft, policy, column, rule)
    elif rule != Rule():
        policy = _with_mask(policy, column, rule) if column else _with_rules(policy, rule)
        policy = _with_subject(policy, rule)
    refuse_unfit(policy, contract)
    if policy != (draft.policy or PortPolicy(port)):
        session.redraft(replace(draft, policy=policy))
    return Protected(port, policy)


def _without(policy: PortPolicy, column: str) -> PortPolicy:
    if not column:
        return PortPolicy(policy.port)
    return replace(
        policy,
        masks=tuple(m for m in policy.masks if m.column != column),
        declassified=tuple(d for d in policy.declassified if d.column != column),
    )


def _declassified(
    session: Session, draft: PortDraft, policy: PortPolicy, column: str, rule: Rule
) -> PortPolicy:
    from mesh_notebook.workspace.inheriting import declassified

    if rule != Rule(declassify=True, because=rule.because):
        raise UsageError(
            "to declassify is a rule of its own, and takes a reason alone.",
            next_step=f'%mesh protect {draft.port}.COLUMN --declassify --because "…"',
        )
    return declassified(session, draft, policy, column, rule.because)


def _with_mask(policy: PortPolicy, column: str, rule: Rule) -> PortPolicy:
    if rule.mask not in MASKS:
        close = near(rule.mask, MASKS)
        raise UsageError(
            f"'{rule.mask}' is no mask."
            if rule.mask
            else f"it is not said how {column} is masked.",
            next_step=(f"did you mean {close[0]}? " if close else "")
            + f"--with {', '.join(MASKS)}; rules of the whole port name no column",
            near=close,
        )
    groups = {name: tuple(places) for name, places in map(_pair, rule.groups)}
    told = (rule.mask, rule.exempt, rule.to, rule.keep, groups, rule.key, rule.aggregates)
    mask = Mask(column, *told)
    others = [other for other in policy.masks if other.column != column]
    return replace(policy, masks=(*others, mask))


def _with_rules(policy: PortPolicy, rule: Rule) -> PortPolicy:
    if rule.mask:
        raise UsageError(
            f"'{rule.mask}' masks a column, and none is named.",
            next_step=f"%mesh protect {policy.port}.COLUMN --with {rule.mask}",
        )
    if rule.where:
        others = [other for other in policy.rows if other.where != rule.where]
        policy = replace(policy, rows=(*others, RowFilter(rule.where, rule.exempt)))
    if rule.roles or rule.purposes or rule.stand_in:
        policy = replace(policy, access=Access(rule.roles, rule.purposes, rule.stand_in))
    if rule.private:
        policy = replace(policy, privacy=_privacy(rule))
    if rule.aggregates:
        policy = replace(policy, aggregates=rule.aggregates)
    return policy


def _with_subject(policy: PortPolicy, rule: Rule) -> PortPolicy:
    subject, erasers = rule.erasable or policy.subject, rule.erasers or policy.erasers
    if erasers and not subject:
        raise UsageError(
            f"nobody can be erased from {policy.port}, so it needs no role.",
            next_step=f"%mesh protect {policy.port} --erasable COLUMN --erasers {erasers[0]}",
        )
    return replace(policy, subject=subject, erasers=erasers)


def _privacy(rule: Rule) -> Privacy:
    if not 0 < rule.budget < float("inf"):
        raise UsageError(
            "a port of noisy aggregates has a budget.",
            next_step="--budget 10: the epsilon that each principal may spend",
        )
    bounds = {}
    for word in rule.bounds:
        column, _, ends = word.partition("=")
        low, dots, high = ends.partition("..")
        try:
            bounds[column] = (float(low), float(high))
        except ValueError:
            dots = ""
        if not dots or bounds[column][0] >= bounds[column][1]:
            raise UsageError(f"'{word}' is no bound.", next_step="--bounds minutes=0..1440")
    values = {name: tuple(values) for name, values in map(_pair, rule.values)}
    return Privacy(rule.private, rule.budget, rule.rows_each, bounds, values, rule.exempt)


def _pair(word: str) -> tuple[str, list[str]]:
    name, equals, values = word.partition("=")
    if not (name and equals and values):
        raise UsageError(f"'{word}' is no list of values.", next_step="write NAME=ONE|TWO|THREE")
    return name, values.split("|")


def refuse_unfit(policy: PortPolicy, contract: Contract) -> None:
    """Raise `UsageError` where a policy does not fit the contract that it protects."""
    Protection.of(policy, contract)
    names = {column.name for column in contract.columns}
    private = policy.privacy
    named = [policy.subject] if policy.subject else []
    named += [one.column for one in policy.declassified if one.column]
    named += [private.subject, *private.bounds, *private.keys] if private else []
    if unknown := [name for name in named if name not in names]:
        close = near(unknown[0], names)
        raise UsageError(
            f"'{contract.name}' has no column '{unknown[0]}'.",
            next_step=f"did you mean {close[0]}?" if close else f"it has: {', '.join(names)}",
            near=close,
        )
    if policy.subject and not ((mask := policy.mask(policy.subject)) and mask.keyed):
        raise UsageError(
            f"to erase a {policy.subject}, it must not stand in the rows itself.",
            next_step=f"%mesh protect {policy.port}.{policy.subject} --with tokenise, and then "
            f"%mesh protect {policy.port} --erasable {policy.subject}",
        )
    others = [m.column for m in policy.masks if m.key and m.column != policy.subject]
    if policy.subject and others:
        raise UsageError(
            f"{others[0]} has a key that others share. To erase a {policy.subject} does not tell "
            f"which {others[0]} is to be forgotten with it.",
            next_step=f"%mesh protect {policy.port}.{others[0]} again, without --key; the "
            f"{policy.subject} itself may have one",
        )


def why(session: Session, product: str, port: str | None, asker: Asker) -> Why:
    """Say what the policy of a port makes of who asks now, for themselves or for another."""
    from mesh_notebook.mesh.access import asked
    from mesh_notebook.mesh.disclosure import told_receipt
    from mesh_notebook.model.time import Window
    from mesh_notebook.workspace.standins import shape_of_stand_in

    published, named = session.catalogue.resolve(product)
    found = asked(published, port or named, Window(), asker)
    own = asker.name == session.principal
    receipt = told_receipt(published, found.receipt, asker)
    shape = shape_of_stand_in(published, found.receipt, found.port)
    mock = "shape" if shape else "contract"
    return Why(published.name, found.port, found.decision, receipt, own, mock)


def words(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return a list as it comes from a magic, or from Python."""
    return (given,) if isinstance(given, str) else tuple(given)
