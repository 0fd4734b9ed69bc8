"""Whether an output's policy carries what it owes; and what is said where it does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mesh_notebook.mesh.inheritance.advising import as_strong, line_for, target_of
from mesh_notebook.mesh.inheritance.groups import without_large_groups
from mesh_notebook.mesh.inheritance.obligations import Obligation, Upstream, obligations
from mesh_notebook.mesh.inheritance.others import Others
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.lineage import PortLineage
from mesh_notebook.model.policy import PortPolicy

__all__ = ["Uncarried", "kept_by_roles", "said_once", "told_of", "uncarried_in"]

# What a run on what others see can tell.
_TRIED = ("mask", "chosen", "named", "rows")
_HOW = {
    "mask": "made of values that are hidden upstream",
    "subject": "made of what can be erased upstream",
    "chosen": "made of rows that are chosen by values that are hidden upstream",
    "named": "made of columns that are named by values that are hidden upstream",
    "purposes": "made of what may be read for a purpose",
}
_SOME = 5  # how many columns, and how many lines, a message names


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
    def target(self) -> str:
        """The port, or the column of it, that owes it."""
        column = self.obligation.column
        return f"{self.port}.{column}" if column else self.port

    @property
    def how(self) -> str:
        """How the target comes by what is hidden: `made of values that are hidden upstream`."""
        return _HOW.get(self.obligation.kind, "made of rows that are hidden upstream")

    @property
    def next_step(self) -> str:
        if self.obligation.kind == "named":
            return (
                "keep such values in rows, since everybody reads the names of columns; "
                f"{self.declassify} shows them on purpose"
            )
        if not self.line:
            return f"{self.declassify}, or leave it out"
        return f"{self.line} carries it over; {self.declassify} shows it on purpose"


def said_once(left: Sequence[Uncarried]) -> list[tuple[str, str]]:
    """Say what is not carried, and what to do: each column, each rule and each line once.

    Columns that owe the same are told together: `top.uid, top.tag are made of values that are
    hidden upstream: of users/users, uid is …`.
    """
    rules: dict[tuple[str, str], dict[str, None]] = {}
    for one in left:
        rules.setdefault((one.target, one.how), {})[one.obligation.rule] = None
    alike: dict[tuple[str, tuple[str, ...]], dict[str, dict[str, None]]] = {}
    for one in left:
        owes = alike.setdefault((one.how, tuple(rules[one.target, one.how])), {})
        owes.setdefault(one.target, {})[one.next_step] = None
    return [
        (
            _together(list(owes), how, said),
            _steps([step for steps in owes.values() for step in steps]),
        )
        for (how, said), owes in alike.items()
    ]


def _together(targets: Sequence[str], how: str, rules: Sequence[str]) -> str:
    some = ", ".join(targets[:_SOME])
    more = f" and {len(targets) - _SOME} more" if len(targets) > _SOME else ""
    are = "are" if len(targets) > 1 else "is"
    return f"{some}{more} {are} {how}: {'; '.join(rules)}"


def _steps(steps: Sequence[str]) -> str:
    some = list(dict.fromkeys(steps))
    more = ["and so on, column by column"] if len(some) > _SOME else []
    return "; ".join([*some[:_SOME], *more])


def told_of(left: Sequence[Uncarried]) -> tuple[str, str]:
    """Return what is not carried as the message of an error, and its next step."""
    (first, step), *others = said_once(left)
    more = "".join(f"\n  {said} → {do}" for said, do in others)
    return f"{first}.{more}", step


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
        if others is not None:
            takes = tuple(parameters[port])
            left = _with_names(left, told, policies[port], others)
            left = _without_made(left, policies[port], contracts[port], others)
            left = _without_groups(left, told, port, takes, others)
            left = _without_named(left, told, policies[port], others)
        found += (_named(port, policies[port], contracts[port], one, left) for one in left)
    return tuple(found)


def _named(
    port: str,
    policy: PortPolicy,
    contract: Contract,
    one: Obligation,
    left: Sequence[Obligation],
) -> Uncarried:
    line = line_for(port, policy, contract, one, left)
    target = target_of(port, one.column)
    return Uncarried(port, one, line, f'%mesh protect {target} --declassify --because "…"')


def _with_names(
    left: Sequence[Obligation], told: PortLineage, policy: PortPolicy, others: Others
) -> list[Obligation]:
    named = others.named(policy.port, told.fields)
    return [*(one for one in named if not _is_declassified(policy, one)), *left]


def _without_named(
    left: Sequence[Obligation], told: PortLineage, policy: PortPolicy, others: Others
) -> list[Obligation]:
    """Return what is owed less what would tell the name of a column that is a hidden value."""
    if not any(one.kind == "named" for one in left):
        return list(left)
    named = others.named(policy.port, told.fields)
    untold = {column for one, columns in named.items() if one in left for column in columns}
    return [one for one in left if one.column not in untold]


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
    if not left:
        return []
    tried = {_trial(one) for one in left if one.kind in _TRIED}
    free = {
        (roles, in_order)
        for roles, in_order in tried
        if others.could_make(policy, contract, roles, in_order=in_order)
    }
    return [
        o for o in left if o.kind not in _TRIED or _trial(o) not in free or _shows_some(policy, o)
    ]


def _trial(one: Obligation) -> tuple[frozenset[str], bool]:
    """Return for whom it is tried, and whether the order of rows tells anything: of a sort only."""
    return frozenset(one.roles), not one.matched


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
            return mask is not None and _within(mask.exempt, one.roles) and as_strong(mask, one)
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
    hidden = [o for o in owed if o.kind in ("rows", "private", "chosen") and not o.matched]
    return any(_keeps(policy, one) and not _is_declassified(policy, one) for one in hidden)


def _within(some: Iterable[str], others: Collection[str]) -> bool:
    return set(some) <= set(others)
