"""Whether an output's policy carries what it owes; and the line that has it carry what it lacks."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.inheritance.groups import without_large_groups
from mesh_notebook.mesh.inheritance.obligations import Obligation, Upstream, obligations
from mesh_notebook.mesh.inheritance.others import Others
from mesh_notebook.mesh.masking import refuse_unfit
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.lineage import PortLineage
from mesh_notebook.model.policy import Mask, PortPolicy

__all__ = ["Uncarried", "kept_by_roles", "told_of", "uncarried_in"]

_OPAQUE = ("redact", "null")
# What a run on what others see can tell.
_TRIED = ("mask", "chosen", "rows")
_ROWS = ("rows", "access", "private", "chosen")


@dataclass(frozen=True)
class Uncarried:
    """An obligation that a port does not meet.

    Attributes
    ----------
    line : str
        What carries the rule over, as it is typed; empty where no rule of the port can.
    declassify : str
        What shows it on purpose.
    """

    port: str
    obligation: Obligation
    line: str
    declassify: str

    @property
    def said(self) -> str:
        """Say what is owed: `top.uid is made of what is hidden: of users/users, uid is …`."""
        one = self.obligation
        what = f"{self.port}.{one.column}" if one.column else self.port
        how = {
            "mask": "is made of values that are hidden upstream",
            "subject": "is made of what can be erased upstream",
            "chosen": "has rows that are chosen by values that are hidden upstream",
            "purposes": "is made of what may be read for a purpose",
        }
        return f"{what} {how.get(one.kind, 'is made of rows that are hidden upstream')}: {one.rule}"

    @property
    def next_step(self) -> str:
        if not self.line:
            return f"{self.declassify}, or leave it out"
        return f"{self.line} carries it over; {self.declassify} shows it on purpose"


def told_of(left: Sequence[Uncarried]) -> tuple[str, str]:
    """Return what is not carried as the message of an error, and its next step."""
    first, *others = dict.fromkeys((one.said, one.next_step) for one in left)
    more = "".join(f"\n  {said} → {step}" for said, step in others)
    return f"{first[0]}.{more}", first[1]


def uncarried_in(
    ports: Mapping[str, PortLineage],
    policies: Mapping[str, PortPolicy],
    contracts: Mapping[str, Contract],
    inputs: Mapping[str, Upstream],
    parameters: Mapping[str, Iterable[str]],
    others: Others | None = None,
) -> tuple[Uncarried, ...]:
    """Return what the ports of a product owe to its inputs, and do not carry.

    Without `others`, it is not tried whether they could have made an output themselves.
    """
    found: list[Uncarried] = []
    for port, told in ports.items():
        owed = obligations(told, inputs, parameters[port])
        left = [one for one in owed if not _carries(policies[port], one)]
        if left and others is not None:
            takes = tuple(parameters[port])
            left = _without_made(left, policies[port], contracts[port], others)
            left = _without_groups(left, told, port, takes, others)
        found += (_named(port, policies[port], contracts[port], one, left) for one in left)
    return tuple(found)


def _named(
    port: str,
    policy: PortPolicy,
    contract: Contract,
    one: Obligation,
    left: Sequence[Obligation],
) -> Uncarried:
    line = _line(port, policy, contract, one, left)
    target = _target(port, one.column)
    return Uncarried(port, one, line, f'%mesh protect {target} --declassify --because "…"')


def _target(port: str, column: str) -> str:
    """Return a port, or a column of it, as a magic takes one."""
    name = f"{port}.{column}" if column else port
    return f'"{name}"' if any(map(str.isspace, name)) else name


def _without_groups(
    left: Sequence[Obligation],
    told: PortLineage,
    port: str,
    takes: Sequence[str],
    others: Others,
) -> list[Obligation]:
    if (smallest := others.smallest) is None:
        return list(left)
    return without_large_groups(left, told, lambda: smallest(port, takes, others.inputs))


def _without_made(
    left: Sequence[Obligation], policy: PortPolicy, contract: Contract, others: Others
) -> list[Obligation]:
    """Return what is owed less what is owed for nothing: what others could have made."""
    tried = {frozenset(one.roles) for one in left if one.kind in _TRIED}
    free = {roles for roles in tried if others.could_make(policy, contract, roles)}
    return [
        o
        for o in left
        if o.kind not in _TRIED or frozenset(o.roles) not in free or _shows_some(policy, o)
    ]


def _shows_some(policy: PortPolicy, one: Obligation) -> bool:
    """Whether a mask of the port's own shows something of a column: that was not compared."""
    mask = policy.mask(one.column)
    return one.kind == "mask" and mask is not None and mask.kind not in ("redact", "null")


def _carries(policy: PortPolicy, one: Obligation) -> bool:
    if _is_declassified(policy, one):
        return True
    access = policy.access
    match one.kind:
        case "mask":
            mask = policy.mask(one.column)
            return mask is not None and _within(mask.exempt, one.roles) and _as_strong(mask, one)
        case "subject":
            mask = policy.mask(one.column)
            kept = mask is None or mask.exempt  # else the values are not there to be erased
            return policy.subject == one.column or not kept
        case "purposes":
            return bool(access.purposes) and _within(access.purposes, one.purposes)
        case "private" if (own := policy.privacy) is not None:
            alike = bool(one.alike) and own.subject == one.alike
            noisy = alike and own.budget <= one.budget and _within(own.exempt, one.roles)
            return noisy or _keeps(policy, one)
    return _keeps(policy, one)


def _is_declassified(policy: PortPolicy, one: Obligation) -> bool:
    return any(d.column == one.column and one.of in d.of for d in policy.declassified)


def _keeps(policy: PortPolicy, one: Obligation) -> bool:
    """Whether none but who may see the upstream's rows may read the port at all."""
    access = policy.access
    # A stand-in is told how the values lie; where the upstream has one, it was told already.
    told = access.stand_in and not one.stand_in
    return bool(access.roles) and _within(access.roles, one.roles) and not told


def kept_by_roles(policy: PortPolicy, owed: Iterable[Obligation]) -> bool:
    """Whether a port holds rows that an input hides, and that its own roles alone keep."""
    hidden = [one for one in owed if one.kind in ("rows", "private", "chosen")]
    return any(_keeps(policy, one) and not _is_declassified(policy, one) for one in hidden)


def _within(some: Iterable[str], others: Collection[str]) -> bool:
    return set(some) <= set(others)


def _as_strong(mask: Mask, one: Obligation) -> bool:
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


# ---- the line that carries it ------------------------------------------------------------------


def _line(
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
        if all(_as_strong(mask, one) for one in owed):
            return _said(port, mask)
        if mask.keyed and mask != before and any(_as_strong(mask, one) for one in owed):
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
    words = [f"%mesh protect {_target(port, mask.column)} --with {mask.kind}"]
    words += [f"--to {mask.to}"] if mask.to else []
    words += [f"--keep {mask.keep}"] if mask.keep else []
    words += [f"--groups {groups}"] if groups else []
    words += [f"--except {','.join(mask.exempt)}"] if mask.exempt else []
    return " ".join(words)
