"""The methods of Polars' frames: what each asks of the order of the rows, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mesh_notebook.mesh.ordering.calls import Call, flat, words
from mesh_notebook.mesh.ordering.expressions import is_one_value, side_by_side
from mesh_notebook.mesh.ordering.joins import JOINS
from mesh_notebook.mesh.ordering.order import NO_KEYS, Doubt, Need, Order
from mesh_notebook.mesh.ordering.steps import Rule, asked, expressions_of

__all__ = ["FRAMES"]


def _named(call: Call) -> Iterator[tuple[str, Any]]:
    """Yield by the column that it makes each thing given to a `select` or `with_columns`."""
    for name, given in call.given.items():
        if name in ("exprs", "self"):
            continue
        pairs = given.items() if name == "named_exprs" else [(name, given)]
        yield from ((str(key), value) for key, value in pairs)
    for one in flat(call.given.get("exprs")):
        if isinstance(one, str):
            yield one, one
        elif hasattr(one, "meta"):
            for column in call.frame.lazy().select(one).collect_schema():
                yield column, one
        elif hasattr(one, "name"):
            yield one.name, one


def _passes(column: str, given: Any) -> bool:
    """Return whether a column stays what it was."""
    if hasattr(given, "meta"):
        if not given.meta.is_column_selection(allow_aliasing=False):
            return False
        # `with_columns(day=pl.col("hour"))` is a column too, and not that one.
        return bool(given.meta.has_multiple_outputs()) or given.meta.output_name() == column
    return isinstance(given, str) and given == column


# ---- rows stay where they are ------------------------------------------------------------------


def _keeps(call: Call) -> Order:
    return asked(call)


def _beside_each_other(call: Call, order: Order, *, beside_rows: bool) -> Order:
    given = list(expressions_of(call))
    if not beside_rows and len(given) == 1 and not any(map(_is_text, _positional(call))):
        return order
    beside_rows = beside_rows or any(map(_is_text, _positional(call)))
    need = side_by_side(given, beside_rows=beside_rows)
    return order if need is None else _settled(call.asks(need, order))


def _positional(call: Call) -> Iterator[Any]:
    return flat(call.given.get("exprs"))


def _is_text(given: Any) -> bool:
    return isinstance(given, str)


def _select(call: Call) -> Order:
    order = _beside_each_other(call, asked(call), beside_rows=False)
    if order == Order():
        return order
    named = list(_named(call))
    if named and all(is_one_value(given) for _, given in named):
        return Order(fault=order.fault)
    kept = {column for column, given in named if _passes(column, given)}
    if len(kept) == len(named):
        order = order.taking(kept)
    return order.of_columns(kept.__contains__)


def _with_columns(call: Call) -> Order:
    order = _beside_each_other(call, asked(call), beside_rows=True)
    if not order.keys and not order.by and not order.witness:
        return order
    changed = {column for column, given in _named(call) if not _passes(column, given)}
    return order.of_columns(lambda name: name not in changed)


def _cast(call: Call) -> Order:
    """Values that differed may be equal now."""
    given = call.given.get("dtypes")
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        return call.order.of_columns(lambda name: False)
    return call.order.of_columns(lambda name: name not in given)


def _drop(call: Call) -> Order:
    gone = call.columns_of("columns")
    return call.order.of_columns(lambda name: name not in gone)


def _rename(call: Call) -> Order:
    names = call.given.get("mapping")
    if not isinstance(names, dict):
        return replace(call.order.without_keys(), by=frozenset())
    return call.order.renamed(names)


def _repeats(call: Call) -> Order:
    """Rows become several, in place."""
    return asked(call).without_keys()


def _unpivoted(call: Call) -> Order:
    """One row for each row before and each column that became a value."""
    order, index = call.order, call.columns_of("index")
    if not index or not order.identifies(index, tuple):
        return order.without_keys()
    name = str(call.given.get("variable_name") or "variable")
    return replace(order.without_keys(), keys=frozenset({index | {name}}), by=frozenset())


def _one_row(call: Call) -> Order:
    return Order(fault=call.order.fault)


# ---- the order is looked at --------------------------------------------------------------------


def _takes_rows(call: Call) -> Order:
    if call.given.get("n") == 0 or call.given.get("length") == 0:
        return call.order
    return _settled(call.asks(Need(f"`{call.name}()` takes rows by their place")))


def _settled(order: Order) -> Order:
    """Return the order of which enough was said: one fault is told, and not those behind it."""
    return order if order.fault is None else replace(order, doubt=None)


def _beside(call: Call) -> Order:
    return _settled(
        call.asks(Need(f"`{call.name}()` depends on the order of the rows"), asked(call))
    )


def _fill_null(call: Call) -> Order:
    if call.given.get("strategy") in ("forward", "backward"):
        return _beside(call)
    return asked(call)


def _row_index(call: Call) -> Order:
    order = _settled(call.asks(Need("`with_row_index()` numbers the rows as they lie")))
    name = call.given.get("name", "index")
    return replace(order, keys=order.keys | {frozenset({name})}, by=order.by or frozenset({name}))


def _sample(call: Call) -> Order:
    return _settled(call.asks(Need("`sample()` chooses rows by their place")))


# ---- rows are put in order, or lose it ---------------------------------------------------------


def _sort(call: Call) -> Order:
    order = asked(call)
    by = call.columns_of("by", "more_by")
    if order.fault is not None and not by.issubset(order.fault.sure):
        order = order.sure_of(())  # where their rows come then depends on what is not sure
    if call.flag("maintain_order"):
        if order.doubt is None:
            return replace(order, by=by)
        by |= order.by
    sorted_ = replace(order, by=by, doubt=Doubt("", ""))
    if by and sorted_.determines((), lambda: call.columns):
        return replace(order, by=by, doubt=None)
    return replace(order, by=by, doubt=_ties(call, by, order))


def _ties(call: Call, by: frozenset[str], order: Order) -> Doubt:
    tied = f"rows may tie in {', '.join(sorted(by)) or 'what they are sorted by'}"
    fix = f"add columns to the sort until no two rows tie, such as {order.a_key}"
    if order.doubt is None:
        fix += f", or write {call.name}(…, maintain_order=True)"
    return Doubt(tied, fix)


def _top_k(call: Call) -> Order:
    by, order = call.columns_of("by"), asked(call)
    named = ", ".join(sorted(by)) or "what it is by"
    fix = f"add columns to its `by` until no two rows tie in {named}, such as the rows' key"
    if order.doubt is None:  # the rows lie in an order of theirs, which a sort can keep
        fix = "write sort(…, maintain_order=True).head(…) in its place; or " + fix
    need = Need(f"`{call.name}()` chooses among rows", by=by, stable=False, fix=fix)
    order = _settled(call.asks(need, order))
    return order.lost(f"`{call.name}()` gives its rows in any order", "sort them just before")


def _unique(call: Call) -> Order:
    order, keep = asked(call), call.given.get("keep", "any")
    every = call.given.get("subset") is None
    subset = call.columns_of("subset") if not every else frozenset(call.columns)
    kept = call.flag("maintain_order")
    if keep != "none" and not every:
        fix = f"order them first: .sort(…), then unique(…, keep={'first'!r}, maintain_order=True)"
        what = f"`unique(keep={keep!r})` keeps one of several rows"
        if keep == "any" and not kept:
            need = Need(what, by=subset, stable=False, fix=_any_fix(order))
        else:
            need = Need(what, subset, fix="" if order.doubt else fix)
        order = _settled(call.asks(need, order)).sure_of(_plain(call, subset))
    order = replace(order, keys=order.keys | {subset} if subset else order.keys)
    if kept:
        return order
    return order.lost("`unique()` keeps no order of rows", "write unique(…, maintain_order=True)")


def _plain(call: Call, subset: frozenset[str]) -> frozenset[str]:
    """Return the columns of which each value is kept once, if only they are then taken.

    Where an earlier step left something to chance, it is none of them; nor where rows were to keep
    an order that they did not have; nor is a float, of which equal ones may differ (0 and -0).
    """
    if call.order.fault is not None or call.flag("maintain_order"):
        return frozenset()
    schema = call.frame.collect_schema()
    return frozenset(name for name in subset if name in schema and not schema[name].is_float())


def _any_fix(order: Order) -> str:
    fix = "say which: unique(…, keep='first', maintain_order=True)"
    return fix if order.doubt is None else f"{fix}, after this: {order.doubt.fix}"


def _pivot(call: Call) -> Order:
    order = call.order
    index, on = call.columns_of("index"), call.columns_of("on")
    how = call.given.get("aggregate_function")
    if how in ("first", "last"):
        need = Need(f"`pivot(aggregate_function={how!r})` keeps one of several", index | on)
        order = call.asks(need, order)
    named = call.given.get("on_columns") is not None or call.flag("sort_columns")
    if not named:
        fix = "write pivot(…, sort_columns=True), or name its columns: on_columns=[…]"
        order = call.asks(Need("`pivot()` makes columns in the order of the rows", fix=fix), order)
    keys = frozenset({index}) if index else NO_KEYS
    return replace(_settled(order).without_keys(), keys=keys, by=frozenset())


def _transposed(call: Call) -> Order:
    return _settled(call.asks(Need(f"`{call.name}()` makes columns of rows as they lie")))


_SAME = words(
    "lazy collect collect_async clone cache rechunk filter remove drop_nulls drop_nans "
    "fill_nan set_sorted shrink_to_fit inspect match_to_schema unnest insert_column "
    "replace_column reverse map_columns"
)
_PLACES = words("head limit tail slice first last gather gather_every")
_SUMS = words("sum mean median min max std var quantile null_count count product describe corr")

FRAMES: dict[str, Rule] = {
    **JOINS,
    **dict.fromkeys(_SAME, _keeps),
    **dict.fromkeys(_PLACES, _takes_rows),
    **dict.fromkeys(_SUMS, _one_row),
    **dict.fromkeys(("select", "select_seq"), _select),
    **dict.fromkeys(("with_columns", "with_columns_seq"), _with_columns),
    **dict.fromkeys(("explode", "upsample"), _repeats),
    **dict.fromkeys(("shift", "interpolate"), _beside),
    **dict.fromkeys(("top_k", "bottom_k"), _top_k),
    **dict.fromkeys(("transpose", "unstack", "to_dummies"), _transposed),
    "cast": _cast,
    "drop": _drop,
    "rename": _rename,
    "fill_null": _fill_null,
    "with_row_index": _row_index,
    "sample": _sample,
    "sort": _sort,
    "unique": _unique,
    "pivot": _pivot,
    "unpivot": _unpivoted,
}
