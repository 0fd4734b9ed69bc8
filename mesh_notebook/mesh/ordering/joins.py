"""The methods of Polars that make one frame of two, or of a query."""

from __future__ import annotations

from dataclasses import replace

from mesh_notebook.mesh.ordering.calls import Call, flat, order_of, words
from mesh_notebook.mesh.ordering.order import NO_KEYS, Need, Order
from mesh_notebook.mesh.ordering.queries import order_of_query
from mesh_notebook.mesh.ordering.steps import Rule, asked

__all__ = ["JOINS"]


def _join(call: Call) -> Order:
    other = order_of(call.given["other"])
    order = replace(call.order, fault=call.order.fault or other.fault)
    how = call.given.get("how", "inner")
    left, right = _joined_on(call)
    alone = how in ("semi", "anti") or other.identifies(right, tuple)
    keys = order.keys if alone else _joined_keys(call, how, left, right, other)
    if how not in ("left", "inner", "semi", "anti"):
        keys, alone = NO_KEYS, False
    if not alone:
        order = order.without_keys()
    kept = call.given.get("maintain_order") or "none"
    fix = f"write join(…, maintain_order={'left' if how != 'right' else 'right'!r})"
    lost = replace(order, keys=keys).lost("`join()` keeps no order of rows", fix)
    if kept == "none":
        return lost
    one, rest = (order, other) if kept.startswith("left") else (other, order)
    if one.doubt is None and (rest.doubt is None or alone):
        return replace(lost, doubt=None)
    return replace(lost, doubt=one.doubt or rest.doubt)


def _joined_on(call: Call) -> tuple[frozenset[str], frozenset[str]]:
    if call.given.get("on") is not None:
        both = call.columns_of("on")
        return both, both
    return call.columns_of("left_on"), call.columns_of("right_on")


def _joined_keys(
    call: Call, how: str, left: frozenset[str], right: frozenset[str], other: Order
) -> frozenset[frozenset[str]]:
    """Return the keys of what a join makes: a row of each side is found by its own key."""
    ours, theirs = call.order.keys, other.keys
    kept: set[frozenset[str]] = set()
    if how == "inner" and call.order.identifies(left, tuple):
        # Their columns have their own names only where ours have none of these.
        kept |= {key for key in theirs if not (key - right) & set(call.columns) and left == right}
    if how in ("left", "inner"):
        pairs = ((one, two) for one in ours for two in theirs if left == right)
        kept |= {one | two for one, two in pairs if not (two - right) & set(call.columns)}
    return frozenset(kept)


def _join_asof(call: Call) -> Order:
    other = order_of(call.given["other"])
    order = asked(call)
    fault = order.fault or other.fault
    by = call.columns_of("by", "by_right", "on", "right_on")
    need = Need("`join_asof()` takes the last of several rows that match", by)
    named = replace(other, fault=None)
    if not named.meets(need, tuple):
        fault = fault or named.faulty(need, call.line).fault
    return replace(order, fault=fault)


def _stacked(call: Call) -> Order:
    """Rows of one frame, then those of another."""
    others = [order_of(one) for one in flat(call.given.get("other", call.given.get("items")))]
    orders = [call.order, *others]
    doubt = next((one.doubt for one in orders if one.doubt), None)
    fault = next((one.fault for one in orders if one.fault), None)
    return Order(doubt=doubt, fault=fault)


def _queried(call: Call) -> Order:
    """`frame.sql(…)`: a query over the frame alone."""
    columns = tuple(call.columns)
    given = {str(call.given.get("table_name", "self")): (columns, call.order)}
    made = call.frame.lazy().clear() if hasattr(call.frame, "collect_schema") else call.frame
    names = made.sql(call.given["query"], table_name=next(iter(given))).lazy().collect_schema()
    return order_of_query(str(call.given["query"]), given, call.line, list(names))


def _unordered(call: Call) -> Order:
    order = Order(fault=call.order.fault or order_of(call.given.get("other")).fault)
    return order.lost(f"`{call.name}()` keeps no order of rows", "sort its rows by their key")


JOINS: dict[str, Rule] = {
    **dict.fromkeys(words("vstack extend hstack update merge_sorted"), _stacked),
    "join": _join,
    "join_asof": _join_asof,
    "join_where": _unordered,
    "sql": _queried,
}
