"""The groups of a frame: what is taken of each, and in which order they come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mesh_notebook.mesh.ordering.calls import Call, flat
from mesh_notebook.mesh.ordering.expressions import needs_of, positions_of
from mesh_notebook.mesh.ordering.order import Need, Order
from mesh_notebook.mesh.ordering.steps import Rule, asked

__all__ = ["GROUPED", "GROUPING", "GROUPS", "Groups"]

GROUPS = "_mesh_groups"  # the attribute under which groups carry what they are groups of


@dataclass(frozen=True)
class Groups:
    """What `group_by` was given.

    Attributes
    ----------
    frame
        The frame whose rows are grouped.
    by : frozenset of str
        Its columns that are keys of the groups.
    names : frozenset of str
        The columns that name a group in what is made.
    kept : bool
        Whether the groups come in the order of their first rows.
    arguments : tuple
        What `group_by` was given by place and by name, to group other rows alike.
    """

    frame: Any
    order: Order
    by: frozenset[str]
    names: frozenset[str]
    kept: bool
    arguments: tuple[Any, ...] = ()


def _group_by(call: Call) -> Groups:
    by = call.columns_of("by")
    named = call.given.get("named_by") or {}
    parts = [call.frame.lazy().select(one).collect_schema() for one in flat(call.given.get("by"))]
    names = frozenset([*named, *(name for part in parts for name in part)])
    arguments = (*flat(call.given.get("by")), *(one.alias(n) for n, one in _aliased(named)))
    return Groups(
        call.frame, asked(call), by, names, call.flag("maintain_order"), arguments=arguments
    )


def _aliased(named: dict[str, Any]) -> list[tuple[str, Any]]:
    import polars as pl

    return [(n, pl.col(one) if isinstance(one, str) else one) for n, one in named.items()]


def _windows(call: Call) -> Groups:
    """Group by windows of time: rows of equal time lie anyhow, but in one window."""
    by = call.columns_of("group_by", "index_column")
    return Groups(call.frame, asked(call), by, by, kept=True)


def _agg(call: Call) -> Order:
    groups: Groups = getattr(call.frame, GROUPS)
    order, known = groups.order, call_on(call, groups)
    for one in (e for n, g in call.given.items() if n != "self" for e in flat(g)):
        needs = needs_of(one, groups.by) if hasattr(one, "meta") else []
        if gathered := _gathered(groups, one):
            needs.append(gathered)
        for need in needs:
            order = known.asks(need, order)
    return _made(groups, order)


def call_on(call: Call, groups: Groups) -> Call:
    """Return the call as one on the frame that is grouped."""
    return replace(call, frame=groups.frame, order=groups.order)


def _gathered(groups: Groups, one: Any) -> Need | None:
    """Return what an aggregation asks that gathers the rows of a group in a list, if it does."""
    import polars as pl

    expression = pl.col(one) if isinstance(one, str) else one
    if not hasattr(expression, "meta") or not (need := positions_of(expression, groups.by)):
        return None
    if groups.order.meets(need, tuple) or not groups.arguments:
        return None
    empty = groups.frame.lazy().clear() if hasattr(groups.frame, "clear") else groups.frame
    lazily = empty.lazy()
    alone = lazily.select(expression).collect_schema()
    grouped = lazily.group_by(*groups.arguments).agg(expression).collect_schema()
    return need if any(grouped[n] == pl.List(dtype) for n, dtype in alone.items()) else None


def _made(groups: Groups, order: Order) -> Order:
    keys = frozenset({groups.names} if groups.names else ())
    order = replace(order.without_keys(), by=frozenset(), keys=keys)
    if order.fault is not None:
        return replace(order, doubt=None)
    if groups.kept:
        return order
    return order.lost("`group_by()` keeps no order", "write group_by(…, maintain_order=True)")


def _of_group(call: Call) -> Order:
    """`first`, `last`, `head` and `tail` of each group, or all its values in lists."""
    groups: Groups = getattr(call.frame, GROUPS)
    need = Need(f"`group_by().{call.name}()` takes rows of a group by their place", groups.by)
    order = call_on(call, groups).asks(need, groups.order)
    made = _made(groups, order)
    return made.without_keys() if call.name in ("head", "tail") else made


def _sums(call: Call) -> Order:
    groups: Groups = getattr(call.frame, GROUPS)
    return _made(groups, groups.order)


def _mapped(call: Call) -> Order:
    groups: Groups = getattr(call.frame, GROUPS)
    return _made(groups, groups.order).without_keys()


GROUPING = {"group_by": _group_by, "group_by_dynamic": _windows, "rolling": _windows}
_PLACES = ("first", "last", "head", "tail", "all")
_SUMS = ("len", "sum", "mean", "median", "min", "max", "n_unique", "quantile", "count")
GROUPED: dict[str, Rule] = {
    "agg": _agg,
    "map_groups": _mapped,
    **dict.fromkeys(_PLACES, _of_group),
    **dict.fromkeys(_SUMS, _sums),
}
