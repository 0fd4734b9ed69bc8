"""The line after which a port carries what it owes, as it is typed; and when a mask is enough."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.inheritance.obligations import Obligation
from mesh_notebook.mesh.masking import refuse_unfit
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.policy import Mask, PortPolicy

__all__ = ["as_strong", "line_for", "target_of"]

_OPAQUE = ("redact", "null")
# What is owed by the port as a whole, and kept by its own roles.
_ROWS = ("rows", "access", "private", "chosen")


def target_of(port: str, column: str) -> str:
    """Return a port, or a column of it, as a magic takes one."""
    name = f"{port}.{column}" if column else port
    return f'"{name}"' if any(map(str.isspace, name)) else name


def as_strong(mask: Mask, one: Obligation) -> bool:
    """Whether a mask shows no more than the upstream's: of a value that is made of it, too."""
    assert one.mask is not None
    if mask.kind in _OPAQUE:
        return True
    if one.mask.kind in _OPAQUE:
        return False
    if mask.keyed:
        return True
    alike = replace(one.mask, column=mask.column, exempt=mask.exempt, aggregates=mask.aggregates)
    if one.mask.kind == "truncate":
        alike = replace(alike, keep=min(mask.keep, alike.keep))
    return one.same and mask == alike


def line_for(
    port: str,
    policy: PortPolicy,
    contract: Contract,
    one: Obligation,
    left: Sequence[Obligation],
) -> str:
    """Return the line after which the port carries an obligation, and loses no rule that it has."""
    if one.kind == "mask":
        owed = [o for o in left if (o.kind, o.column) == ("mask", one.column)]
        return _mask_line(port, policy, contract, owed)
    if one.kind == "subject":
        return _subject_line(port, policy, contract, one, left)
    if line := _filter_line(port, policy, one, left):
        return line
    roles = _common([policy.access.roles, *(o.roles for o in left if o.kind in _ROWS)])
    purposes = _common([policy.access.purposes, *(o.purposes for o in left)])
    if roles is None or purposes is None:
        return ""  # nobody has what every input asks for
    words = [f"--roles {','.join(roles)}"] if roles else []
    words += [f"--purposes {','.join(purposes)}"] if purposes else []
    told = policy.access.stand_in and all(o.stand_in for o in left if o.kind in _ROWS)
    return " ".join([f"%mesh protect {port}", *words, *(["--stand-in"] if told else [])])


def _subject_line(
    port: str,
    policy: PortPolicy,
    contract: Contract,
    one: Obligation,
    left: Sequence[Obligation],
) -> str:
    """Return what lets a column be erased, or, where another is, what keeps none of its values."""
    mask = policy.mask(one.column)
    subject = policy.subject or next(o.column for o in left if o.kind == "subject")
    if subject == one.column and (mask is None or mask.keyed):
        return f"%mesh protect {port} --erasable {one.column}"
    none = [Mask(one.column, kind) for kind in _OPAQUE]
    return next((_said(port, mask) for mask in none if _fits(mask, contract)), "")


def _filter_line(port: str, policy: PortPolicy, one: Obligation, left: Sequence[Obligation]) -> str:
    """Return the filter that shows others the rows of the input's; empty where the port has it.

    Of filters that say the same, a port has one: its exempt roles are those that all let through.
    """
    if one.kind != "rows" or not one.alike:
        return ""
    has = next((rule for rule in policy.rows if rule.where == one.alike), None)
    every = [set(o.roles) for o in left if (o.kind, o.alike) == ("rows", one.alike)]
    exempt = set.intersection(*every, *([set(has.exempt)] if has else []))
    if has and set(has.exempt) == exempt:
        return ""
    where = shlex.quote(one.alike) if '"' in one.alike else f'"{one.alike}"'
    words = [f"%mesh protect {port} --rows {where}"]
    return " ".join([*words, *([f"--except {','.join(sorted(exempt))}"] if exempt else [])])


def _common(lists: Iterable[Sequence[str]]) -> tuple[str, ...] | None:
    """Return the names that all lists hold, of those that hold any; None where there is none."""
    given = [names for names in lists if names]
    if not given:
        return ()
    common = set(given[0]).intersection(*given[1:])
    return tuple(name for name in given[0] if name in common) or None


def _mask_line(
    port: str, policy: PortPolicy, contract: Contract, owed: Sequence[Obligation]
) -> str:
    column = owed[0].column
    before = policy.mask(column)
    every = [set(o.roles) for o in owed] + ([set(before.exempt)] if before else [])
    exempt, weaker = tuple(sorted(set.intersection(*every))), ""
    for mask in _candidates(column, exempt, owed):
        if not _fits(mask, contract):
            continue
        if all(as_strong(mask, one) for one in owed):
            return _said(port, mask)
        if mask.keyed and mask != before and any(as_strong(mask, one) for one in owed):
            # Of code that looks at values more may be owed than is true: it is tried again.
            weaker = weaker or _said(port, mask)
    return weaker


def _fits(mask: Mask, contract: Contract) -> bool:
    try:
        refuse_unfit(mask, contract)
    except UsageError:
        return False
    return True


def _candidates(column: str, exempt: tuple[str, ...], owed: Sequence[Obligation]) -> Iterable[Mask]:
    for one in owed:
        assert one.mask is not None
        yield replace(one.mask, column=column, exempt=exempt, key="", aggregates=0)
    yield from (Mask(column, kind, exempt) for kind in ("tokenise", "redact", "null"))


def _said(port: str, mask: Mask) -> str:
    groups = ",".join(f"{region}={'|'.join(places)}" for region, places in mask.groups.items())
    words = [f"%mesh protect {target_of(port, mask.column)} --with {mask.kind}"]
    words += [f"--to {mask.to}"] if mask.to else []
    words += [f"--keep {mask.keep}"] if mask.keep else []
    words += [f"--groups {groups}"] if groups else []
    words += [f"--except {','.join(mask.exempt)}"] if mask.exempt else []
    return " ".join(words)
