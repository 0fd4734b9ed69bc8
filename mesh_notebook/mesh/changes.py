"""How two versions of a product differ, as those see it who read them.

A change is *breaking* where what was read yesterday cannot be read today: a port or a column is
gone or is of another type, rows have another key, time or kind. It is *minor* where a port offers
more, promises otherwise, or shows otherwise to whom its policy concerns; a *patch* where the same
is made or said otherwise. A guarantee that is let go (a rule, a promise) is minor as long as nobody
relies on it, and breaking where a deployed consumer reads the column (see `deploy.planning`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from mesh_notebook.mesh.dtypes import column_dtype, physical_type
from mesh_notebook.mesh.verdicts import promise_name, verdicts
from mesh_notebook.model.contract import Column, Contract, Rule, Slo
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import Product

__all__ = ["LEVELS", "Change", "contract_changes", "guessed_renames", "product_changes"]

LEVELS = ("none", "patch", "minor", "breaking")
_ALIKE = 0.6  # from which share of equal letters on two names may mean the same
_STRUCTURE = frozenset({"type", "key", "required"})
_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength"})


@dataclass(frozen=True)
class Change:
    """One thing that differs.

    Attributes
    ----------
    kind : str
        `new`, `changed`, `removed` or `renamed`.
    subject : str
        `port`, `column`, `rule`, `promise`, `policy`, `input`, `transform` or `product`.
    level : str
        One of `LEVELS`.
    said : str
        What it is, in words.
    port, column : str
        What of the product it is about; empty where it is about more than one.
    loosens : bool
        Whether it lets go of what consumers could rely on.
    """

    kind: str
    subject: str
    level: str
    said: str
    port: str = ""
    column: str = ""
    loosens: bool = False


def product_changes(
    old: tuple[Product, Mapping[str, Contract]],
    new: tuple[Product, Mapping[str, Contract]],
    renamed: Mapping[tuple[str, str], str],
) -> Iterator[Change]:
    """Yield what differs between two specifications with the contracts of their output ports.

    Parameters
    ----------
    renamed : mapping
        By port and column of the old version: what the column is called now.
    """
    (then, before), (now, after) = old, new
    for port in before:
        if port not in after:
            yield Change("removed", "port", "breaking", "it is gone", port)
    for port, contract in after.items():
        if port not in before:
            yield Change("new", "port", "minor", f"{len(contract.columns)} columns", port)
            continue
        times = (then.output(port).temporality, now.output(port).temporality)
        names = {was: name for (of, was), name in renamed.items() if of == port}
        yield from contract_changes(before[port], contract, times, port, names)
        yield from _policies(PortPolicy.of(then, port), PortPolicy.of(now, port), port)
    yield from _inputs(then, now)
    for what in ("purpose", "owner", "status", "tags"):
        was, becomes = (_listed(getattr(one, what)) for one in (then, now))
        if was != becomes:
            said = f"its {what} was {was or 'none'} and becomes {becomes or 'none'}"
            yield Change("changed", "product", "patch", said)


def contract_changes(
    old: Contract,
    new: Contract,
    times: tuple[Mapping[str, Any], Mapping[str, Any]],
    port: str,
    renamed: Mapping[str, str] | None = None,
) -> Iterator[Change]:
    """Yield what differs between two contracts of a port; `times` are its temporalities."""
    then, now = times
    yield from _columns(old, new, port, renamed or {})
    for what, was, becomes in (
        ("its kind", then.get("kind", "snapshot"), now.get("kind", "snapshot")),
        ("its interval", then.get("interval"), now.get("interval")),
        ("its key", ", ".join(old.key), ", ".join(new.key)),
        ("its event time", old.event_time, new.event_time),
    ):
        if was != becomes:
            said = f"{what} was {was or 'none'} and becomes {becomes or 'none'}"
            yield Change("changed", "port", "breaking", said, port)
    yield from _rules(old, new, port)
    yield from _promises(old, new, port)


# ---- columns -----------------------------------------------------------------------------------


def _columns(
    old: Contract, new: Contract, port: str, renamed: Mapping[str, str]
) -> Iterator[Change]:
    before, after = _types(old), _types(new)
    for name in before:
        if name in renamed:
            said = f"the column '{name}' is called '{renamed[name]}'"
            yield Change("renamed", "column", "breaking", said, port, name)
        elif name not in after:
            yield Change("removed", "column", "breaking", _gone(name), port, name)
    for name, dtype in after.items():
        if name in before:
            yield from _column(old.column(name), new.column(name), port)
        elif name in renamed.values():
            continue
        elif new.column(name).required:
            said = f"the new column '{name}' is required, and earlier rows have none"
            yield Change("new", "column", "breaking", said, port, name)
        else:
            yield Change("new", "column", "minor", f"the column '{name}', {dtype}", port, name)


def _gone(name: str) -> str:
    return f"the column '{name}' is gone"


def _column(old: Column, new: Column, port: str) -> Iterator[Change]:
    was, becomes = (physical_type(column_dtype(one)) for one in (old, new))
    if was != becomes:
        said = f"the column '{new.name}' was {was} and becomes {becomes}"
        yield Change("changed", "column", "breaking", said, port, new.name)
    if old.required and not new.required:
        said = f"the column '{new.name}' may hold nulls"
        yield Change("changed", "column", "minor", said, port, new.name, loosens=True)
    elif new.required and not old.required:
        said = f"the column '{new.name}' holds no nulls any more"
        yield Change("changed", "column", "minor", said, port, new.name)
    for what, one, other in (
        ("meaning", old.meaning, new.meaning),
        ("link", old.link, new.link),
        ("classification", old.raw.get("classification"), new.raw.get("classification")),
    ):
        if one != other:
            said = f"the {what} of '{new.name}' was {one or 'none'} and becomes {other or 'none'}"
            yield Change("changed", "column", "patch", said, port, new.name)


def _types(contract: Contract) -> dict[str, str]:
    return {column.name: physical_type(column_dtype(column)) for column in contract.columns}


def guessed_renames(old: Contract, new: Contract) -> Iterator[tuple[str, str]]:
    """Yield columns that are gone, each with the new one that may be it.

    It is one of the same type, and has much the same name or means the same in so many words.
    """
    before, after = _types(old), _types(new)
    left = [name for name in after if name not in before]
    for name in (name for name in before if name not in after):
        scored = [(_likeness(old.column(name), new.column(other)), other) for other in left]
        likely = [(s, o) for s, o in scored if s >= _ALIKE and before[name] == after[o]]
        if likely:
            best = max(likely)[1]
            left.remove(best)
            yield name, best


def _likeness(old: Column, new: Column) -> float:
    if old.meaning and old.meaning == new.meaning:
        return 1.0
    short, long = sorted((old.name.casefold(), new.name.casefold()), key=len)
    # `delay` and `delay_minutes`: a name that was made plainer.
    return 1.0 if short in long.split("_") else SequenceMatcher(None, short, long).ratio()


# ---- rules, promises, policies, inputs ---------------------------------------------------------


def _rules(old: Contract, new: Contract, port: str) -> Iterator[Change]:
    before, after = _by_id(old), _by_id(new)
    columns, others = ({c.name for c in one.columns} for one in (old, new))
    for name, rule in before.items():
        if rule.column in columns - others:
            continue
        if name not in after:
            yield _rule("removed", f"{name} holds no more", port, rule, loosens=True)
        elif (becomes := after[name].value) != rule.value:
            said = f"{name} was {_value(rule)} and becomes {_value(after[name])}"
            yield _rule("changed", said, port, rule, not _tighter(rule.kind, rule.value, becomes))
    for name, rule in after.items():
        if name not in before and rule.column not in others - columns:
            yield _rule("new", f"{name} {_value(rule)}".strip(), port, rule, loosens=False)


def _rule(kind: str, said: str, port: str, rule: Rule, loosens: bool) -> Change:
    return Change(kind, "rule", "minor", said, port, rule.column or "", loosens)


def _by_id(contract: Contract) -> dict[str, Rule]:
    return {r.id: r for r in contract.rules if r.kind not in _STRUCTURE and not r.promised}


def _value(rule: Rule) -> str:
    if isinstance(rule.value, dict):
        told = rule.value.get("query") or rule.value.get("description") or ""
        return " ".join(str(told).split())[:60]
    return "" if rule.value is True else _listed(rule.value)


def _tighter(kind: str, was: Any, becomes: Any) -> bool:
    """Whether all that keeps the new limit kept the old one; False where that is not known."""
    try:
        if kind in _LOWER:
            return bool(becomes > was)
        if kind in _UPPER:
            return bool(becomes < was)
        return kind == "enum" and set(becomes) <= set(was)
    except TypeError:
        return False


def _promises(old: Contract, new: Contract, port: str) -> Iterator[Change]:
    before, after = _by_promise(old), _by_promise(new)
    for name, (slo, words, _) in before.items():
        if name not in after:
            said = f"{name}, {words}, is promised no more"
            yield Change("removed", "promise", "minor", said, port, loosens=True)
            continue
        then, now = before[name], after[name]
        if words != now[1]:
            said = f"{name} was {words} and becomes {now[1]}"
            loosens = then[2] is None or now[2] is None or now[2] > then[2]
            yield Change("changed", "promise", "minor", said, port, loosens=loosens)
        if slo.gate != now[0].gate:
            said = f"{name} is {'a gate' if now[0].gate else 'no gate any more'}"
            yield Change("changed", "promise", "patch", said, port)
    for name, (_, words, _) in after.items():
        if name not in before:
            yield Change("new", "promise", "minor", f"{name}, {words}", port)


def _by_promise(contract: Contract) -> dict[str, tuple[Slo, str, float | None]]:
    """Return by promise what it says, and a figure that is the smaller the more is promised."""
    found = {}
    for verdict in verdicts({}, contract):
        limit = verdict.limit
        strict = None if limit is None else limit if verdict.at_most else -limit
        found[promise_name(verdict.slo)] = (verdict.slo, verdict.promised, strict)
    return found


def _policies(old: PortPolicy, new: PortPolicy, port: str) -> Iterator[Change]:
    before, after = old.said(), new.said()
    for said in before:
        if said not in after:
            yield Change("removed", "policy", "minor", said, port)
    for said in after:
        if said not in before:
            yield Change("new", "policy", "minor", said, port)


def _inputs(old: Product, new: Product) -> Iterator[Change]:
    before, after = ({i.name: i for i in one.inputs} for one in (old, new))
    for name in before:
        if name not in after:
            yield Change("removed", "input", "patch", f"{name} is read no more")
    for name, one in after.items():
        if name not in before:
            yield Change("new", "input", "patch", f"{name} is read")
        elif one.recipe != before[name].recipe:
            keys = sorted({*one.recipe, *before[name].recipe})
            differ = [k for k in keys if one.recipe.get(k) != before[name].recipe.get(k)]
            yield Change(
                "changed", "input", "patch", f"{name} is read by another {_listed(differ)}"
            )


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
