"""The methods of pandas: followed only where rows come from a frame that has no order of its own.

What pandas does with rows it does alike each time. So what it makes of a file is determined; what
it takes by place of a port's rows, or of a join's, is not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mesh_notebook.mesh.ordering.calls import Call, flat, order_of, words
from mesh_notebook.mesh.ordering.order import Doubt, Need, Order
from mesh_notebook.mesh.ordering.steps import Rule

__all__ = [
    "CHANGING",
    "GROUPED_TABLES",
    "INDEXERS",
    "TABLES",
    "TABLE_GROUPS",
    "TableGroups",
    "grouped_of",
    "indexed",
]

TABLE_GROUPS = "_mesh_table_groups"
_FIRST = words("first last cumsum cumprod cummax cummin cumcount shift diff ffill bfill pct_change")
_PLACES = (*_FIRST, *words("head tail rolling expanding ewm interpolate idxmax idxmin sample nth"))


@dataclass(frozen=True)
class TableGroups:
    """What pandas' `groupby` was given: its keys, and whether it sorts by them."""

    by: frozenset[str]
    sorts: bool


def _same(call: Call) -> Order:
    return call.order


def _unknown(call: Call) -> Order:
    """Rows may be others now, in an order that follows from the one before."""
    others = [
        order_of(one) for n, given in call.given.items() if n != "self" for one in flat(given)
    ]
    orders = [call.order, *others]
    doubt = next((one.doubt for one in orders if one.doubt), None)
    return Order(doubt, fault=next((one.fault for one in orders if one.fault), None))


def _named(call: Call, name: str) -> frozenset[str]:
    return frozenset(one for one in flat(call.given.get(name)) if isinstance(one, str))


def _assign(call: Call) -> Order:
    changed = call.given.get("kwargs", {})
    fault = next((order_of(one).fault for one in changed.values() if order_of(one).fault), None)
    order = call.order.of_columns(lambda name: name not in changed)
    return replace(order, fault=order.fault or fault)


def _renamed(call: Call) -> Order:
    names = call.given.get("columns")
    if names is None:
        return call.order
    if not isinstance(names, dict):
        return _unknown(call)
    return call.order.renamed(names)


def _by_place(call: Call) -> Order:
    partition = _partition(call)
    asked = call.asks(Need(f"`{call.name}()` depends on the order of the rows", partition))
    return asked if asked.fault is None else replace(asked, doubt=None)


def _partition(call: Call) -> frozenset[str]:
    groups = getattr(call.frame, "__dict__", {}).get(TABLE_GROUPS)
    return groups.by if isinstance(groups, TableGroups) else frozenset()


def _sort_values(call: Call) -> Order:
    by = _named(call, "by")
    if not by and call.order.by:
        return call.order
    return _sorted_by(call, by)


def _sort_index(call: Call) -> Order:
    names = list(getattr(call.frame.index, "names", ()))
    if call.given.get("axis") in (1, "columns"):
        return call.order
    if not all(isinstance(name, str) for name in names):
        return _unknown(call)
    return _sorted_by(call, frozenset(names))


def _sorted_by(call: Call, by: frozenset[str]) -> Order:
    order = replace(call.order, by=by)
    if by and order.determines((), lambda: call.columns):
        return replace(order, doubt=None)
    tied = ", ".join(sorted(by)) or "their values"
    fix = f"add columns to {call.name}() until no two rows tie, such as {order.a_key}"
    return replace(order, doubt=Doubt(f"rows may tie in {tied}", fix))


def _duplicates(call: Call) -> Order:
    subset = _named(call, "subset")
    if call.given.get("keep", "first") is False or not subset:
        return call.order
    need = Need(f"`{call.name}()` keeps one of several rows", subset)
    asked = call.asks(need)
    return replace(asked, keys=asked.keys | {subset})


def _largest(call: Call) -> Order:
    by = _named(call, "columns")
    fix = "sort by these columns and the rows' key first, then head()"
    return call.asks(Need(f"`{call.name}()` chooses among rows that tie", by=by, fix=fix))


def _rank(call: Call) -> Order:
    if call.given.get("method") == "first":
        return call.asks(Need("`rank(method='first')` numbers rows that tie", _partition(call)))
    return call.order


def _reset_index(call: Call) -> Order:
    index = call.frame.index  # the labels of `describe()` are no numbers of rows
    numbered = list(index.names) == [None] and getattr(index.dtype, "kind", "i") in "iu"
    if numbered and not call.flag("drop"):
        return _by_place(call)
    return call.order


def _value_counts(call: Call) -> Order:
    if call.order.doubt is None:
        return call.order
    doubt = Doubt("equal counts lie anyhow", "sort by the count and the value: no two tie then")
    return replace(call.order.without_keys(), doubt=doubt, by=frozenset())


def _picked(call: Call) -> Order:
    """Take columns, or rows by a condition or a slice."""
    key = call.given.get("key")
    if isinstance(key, slice) and key != slice(None):
        return _by_place(call)
    if isinstance(key, str) or (isinstance(key, list) and all(isinstance(k, str) for k in key)):
        return call.order
    return call.order if hasattr(key, "dtype") else _unknown(call)


def _set(call: Call) -> Order:
    changed = {one for one in flat(call.given.get("key")) if isinstance(one, str)}
    order = call.order.of_columns(lambda name: name not in changed)
    return replace(order, fault=order.fault or order_of(call.given.get("value")).fault)


def indexed(name: str, order: Order, key: Any, line: int) -> Order:
    """Return the order of what `iloc`, `loc`, `iat` or `at` takes of a table."""
    rows = key[0] if isinstance(key, tuple) and key else key
    places = name in ("iloc", "iat") and rows != slice(None)
    labels = isinstance(rows, int) and not isinstance(rows, bool)
    if (not places and not labels) or order.doubt is None:
        return order
    need = Need(f"`{name}` takes rows by their place")
    return order if order.meets(need, tuple) else order.faulty(need, line)


# ---- groups ------------------------------------------------------------------------------------


def grouped_of(call: Call) -> TableGroups:
    """Return what `groupby` was given."""
    return TableGroups(_named(call, "by"), bool(call.given.get("sort", True)))


def _summed(call: Call) -> Order:
    groups = getattr(call.frame, TABLE_GROUPS, None)
    order = _asked_by_name(call)
    if not isinstance(groups, TableGroups):
        return order
    doubt = None if groups.sorts and groups.by else order.doubt
    return Order(doubt, keys=frozenset({groups.by} if groups.by else ()), fault=order.fault)


def _asked_by_name(call: Call) -> Order:
    """Return the order after what `agg("first")`, or `agg(x=("x", "first"))`, asks."""
    order = call.order
    for given in (value for name, value in call.given.items() if name != "self"):
        for one in flat(given):
            if one is list or (isinstance(one, str) and one in _PLACES):
                said = one if isinstance(one, str) else "list"
                what = f"`{call.name}({said})` depends on the order of the rows"
                order = call.asks(Need(what, _partition(call)), order)
    return order


_KEEPING = words(
    "copy astype dropna fillna query filter round clip replace where mask isin isna notna "
    "set_index to_frame abs convert_dtypes infer_objects drop reindex_like eq ne gt lt ge le"
)
_LOSING = words(
    "merge join map apply transform add sub mul div pow explode melt stack unstack pivot "
    "pivot_table reindex to_dict to_numpy tolist to_list iterrows itertuples items unique "
    "groupby_ sum mean median min max std var count nunique mode quantile describe "
    "agg aggregate combine_first update pop squeeze to_records any all factorize"
)
_EXTREMES = words("idxmax idxmin argmax argmin")  # of rows that tie, the first
_MATHS = words(
    "__add__ __sub__ __mul__ __truediv__ __floordiv__ __mod__ __pow__ __radd__ __rsub__ __rmul__ "
    "__eq__ __ne__ __gt__ __lt__ __ge__ __le__ __and__ __or__ __invert__ __neg__"
)
TABLES: dict[str, Rule] = {
    **dict.fromkeys(_KEEPING, _same),
    **dict.fromkeys((*_LOSING, *_MATHS), _unknown),
    **dict.fromkeys((*_PLACES, *_EXTREMES), _by_place),
    **dict.fromkeys(("drop_duplicates", "duplicated"), _duplicates),
    **dict.fromkeys(("nlargest", "nsmallest"), _largest),
    "assign": _assign,
    "rename": _renamed,
    "sort_values": _sort_values,
    "sort_index": _sort_index,
    "reset_index": _reset_index,
    "rank": _rank,
    "value_counts": _value_counts,
    "__getitem__": _picked,
}
CHANGING: dict[str, Rule] = {"__setitem__": _set}
_SUMS = words(
    "sum mean median min max std var count size nunique quantile agg aggregate apply prod"
)
GROUPED_TABLES: dict[str, Rule] = {
    **dict.fromkeys((*_PLACES, *_EXTREMES), _by_place),
    **dict.fromkeys(_SUMS, _summed),
    "transform": _asked_by_name,
    "apply": _unknown,
    "rank": _rank,
}
INDEXERS = ("iloc", "loc", "iat", "at")
