"""What the expressions of Polars ask of the order of the rows: read from the expression itself."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mesh_notebook.mesh.ordering.order import Need

__all__ = ["is_one_value", "needs_of", "positions_of", "side_by_side"]

# Functions that look at the rows beside a row, or at the place where it lies.
_BESIDE = {
    **{"Shift": "shift", "Diff": "diff", "PctChange": "pct_change", "CumSum": "cum_sum"},
    **{"CumCount": "cum_count", "CumMax": "cum_max", "CumMin": "cum_min", "CumProd": "cum_prod"},
    **{"RollingExpr": "rolling", "Interpolate": "interpolate", "GatherEvery": "gather_every"},
    **{"Random": "sample", "RLE": "rle", "RLEID": "rle_id", "PeakMax": "peak_max"},
    **{"PeakMin": "peak_min", "EwmMean": "ewm_mean", "EwmSum": "ewm_sum", "EwmStd": "ewm_std"},
    **{"EwmVar": "ewm_var", "ArgMax": "arg_max", "ArgMin": "arg_min", "ArgSort": "arg_sort"},
    **{"ArgUnique": "arg_unique", "ArgWhere": "arg_true", "IndexOf": "index_of"},
    **{"Reverse": "reverse", "Append": "append", "Reshape": "reshape"},
}
_DISTINCT = {"IsFirstDistinct": "is_first_distinct", "IsLastDistinct": "is_last_distinct"}
_SAID = frozenset({*_BESIDE.values(), *_DISTINCT.values(), "first", "last", "slice", "get"})
_ENDS = {"First": "first", "Last": "last"}
_BY_VALUE = "sort it by what decides: sort_by(…, maintain_order=True) with a column without ties"
_ANYHOW = "sort its values first (.sort()), or give it maintain_order=True"
_NONE = frozenset[str]()


@dataclass(frozen=True)
class _Lies:
    """How the values of an expression lie: as the rows do, sorted by columns, or anyhow."""

    kind: str = "rows"  # 'rows', 'one', 'sorted', 'by' or 'anyhow'
    by: frozenset[str] = _NONE
    stable: bool = True
    why: str = ""


_ROWS, _ONE, _SORTED = _Lies(), _Lies("one"), _Lies("sorted")
_RANKED = ("one", "sorted", "rows", "by", "anyhow")


@dataclass(frozen=True)
class _Window:
    """Where an expression stands: its partition, and the order that `over` gives it."""

    partition: frozenset[str] = _NONE
    lies: _Lies = _ROWS


def needs_of(expression: Any, partition: frozenset[str] = _NONE) -> list[Need]:
    """Return what an expression asks of the rows' order; `partition` holds a group-by's keys."""
    if _calls_python(expression):
        return _needs_of_text(str(expression), partition)
    needs: list[Need] = []
    _walk(_tree(expression), _Window(partition), needs)
    return needs


def positions_of(expression: Any, partition: frozenset[str] = _NONE) -> Need | None:
    """Return what it asks that the values of an expression stand in rows, or in a list."""
    said = "a list holds values in the order of the rows"
    if _calls_python(expression):
        return Need(said, partition)
    lies = _walk(_tree(expression), _Window(partition), [])
    return None if lies.kind in ("one", "sorted") else _need(said, lies, partition)


def side_by_side(expressions: Iterable[Any], *, beside_rows: bool) -> Need | None:
    """Return what it asks that the values of several expressions stand in the same rows.

    Parameters
    ----------
    beside_rows : bool
        Whether the frame's own columns stay beside them.
    """
    given = [one for one in expressions if not _calls_python(one)]
    found = {_walk(_tree(one), _Window(), []) for one in given}
    found = {one for one in found if one.kind != "one"} | ({_ROWS} if beside_rows else set())
    said = "columns that are sorted by themselves stand beside others"
    if len(found) > 1:
        return Need(said)
    only = next(iter(found), _ROWS)
    return None if only.kind in ("rows", "sorted") else _need(said, only, _NONE)


def is_one_value(expression: Any) -> bool:
    """Return whether an expression is one value, however many rows there are."""
    if not hasattr(expression, "meta") or _calls_python(expression):
        return False
    return _walk(_tree(expression), _Window(), []).kind == "one"


def _calls_python(expression: Any) -> bool:
    """Return whether a function of Python's is a part of it, which cannot always be written out."""
    return "python_udf" in str(expression)


def _needs_of_text(text: str, partition: frozenset[str]) -> list[Need]:
    """Return what an expression asks, by the names of its functions alone."""
    called = re.findall(r"\.(\w+)\(", re.sub(r'"[^"]*"', "", text))
    found = [name for name in called if name in _SAID or name.startswith(("cum_", "rolling_"))]
    return [Need(f"`{name}` depends on the order of the rows", partition) for name in found]


def _tree(expression: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the text is read at once, by the Polars that wrote it
        return json.loads(expression.meta.serialize(format="json"))


def _walk(node: Any, window: _Window, needs: list[Need]) -> _Lies:
    """Add what a node asks to `needs`; return how its values lie."""
    if not isinstance(node, dict) or len(node) != 1:
        return _ONE if node in ("Len", None) else window.lies
    ((kind, inner),) = node.items()
    known = _NODES.get(kind)
    if known is not None:
        return known(inner, window, needs)
    return _worst([_walk(part, window, needs) for part in _parts(inner)])


def _parts(inner: Any) -> Iterator[Any]:
    """Yield the expressions in a node, whatever its fields are called."""
    values = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
    for value in values:
        if isinstance(value, dict) and len(value) == 1 and next(iter(value))[:1].isupper():
            yield value
        elif isinstance(value, list):
            yield from _parts(value)


def _worst(lies: list[_Lies]) -> _Lies:
    return max(lies, key=lambda one: _RANKED.index(one.kind), default=_ONE)


def _need(what: str, lies: _Lies, partition: frozenset[str], fix: str = "") -> Need:
    if lies.kind == "anyhow":
        return Need(f"{what} after {lies.why}", partition, _NONE, stable=False, fix=_ANYHOW)
    by = lies.by if lies.kind == "by" else None
    return Need(what, partition, by, lies.stable, fix)


def _asks(what: str, lies: _Lies, window: _Window, needs: list[Need]) -> None:
    if lies.kind not in ("one", "sorted"):
        needs.append(_need(f"`{what}` depends on the order of the rows", lies, window.partition))


# ---- the kinds of nodes ----------------------------------------------------------------------


def _column(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    return window.lies


def _literal(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    return _ONE


def _agg(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    ((kind, given),) = inner.items()
    if kind == "Implode":
        lies = _walk(given["input"], window, needs)
        if given.get("maintain_order", True):
            _asks("implode", lies, window, needs)
        return _ONE
    parts = [given] if kind in _ENDS else [given, *_parts(given)]
    lies = _worst([_walk(part, window, needs) for part in parts])
    if kind in _ENDS:
        _asks(_ENDS[kind], lies, window, needs)
    return _ONE


def _slice(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    lies = _walk(inner["input"], window, needs)
    _asks("head, tail or slice", lies, window, needs)
    return lies


def _gather(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    values = _walk(inner["expr"], window, needs)
    place = inner["idx"].get("Function") if isinstance(inner["idx"], dict) else None
    kind = _kind(place["function"]) if place else ""
    if place and kind in ("ArgMax", "ArgMin") and values.kind == "rows":
        by = _names(place["input"][:1])
        what = f"`get({_BESIDE[kind]}())` takes the value of one row"
        needs.append(Need(what, window.partition, by))
    else:
        _walk(inner["idx"], window, needs)
        _asks("get or gather", values, window, needs)
    return _ONE if inner.get("returns_scalar") else values


def _sort(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    _walk(inner["expr"], window, needs)
    return _SORTED


def _sort_by(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    for part in (inner["expr"], *inner["by"]):
        _walk(part, window, needs)
    return _Lies("by", _names(inner["by"]), bool(inner["sort_options"]["maintain_order"]))


def _over(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    partition = window.partition | _names(inner["partition_by"])
    order = inner.get("order_by")
    lies = _Lies("by", _names(order[:1])) if order else _ROWS
    _walk(inner["function"], _Window(partition, lies), needs)
    return window.lies


def _rolling(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    lies = _Lies("by", _names([inner["index_column"]]))
    _walk(inner["function"], _Window(window.partition, lies), needs)
    return window.lies


def _eval(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    lies = _walk(inner["expr"], window, needs)
    if isinstance(inner["variant"], dict):  # cumulative; the others look into one value
        _asks("cumulative_eval", lies, window, needs)
    return lies


def _filter(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    _walk(inner["by"], window, needs)
    return _walk(inner["input"], window, needs)


def _function(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    given = [_walk(part, window, needs) for part in inner["input"]]
    lies = _worst(given)
    kind, how = _kind(inner["function"]), inner["function"]
    if kind in _BESIDE:
        _asks(_BESIDE[kind], lies, window, needs)
    elif kind == "Boolean" and _kind(how[kind]) in _DISTINCT:
        _asks(_DISTINCT[_kind(how[kind])], lies, window, needs)
    elif kind == "FillNullWithStrategy" and _kind(how[kind]) in ("Forward", "Backward"):
        _asks("filling nulls from the rows beside", lies, window, needs)
    elif kind == "StringExpr" and _kind(how[kind]) == "ConcatVertical":
        _asks("str.join", lies, window, needs)
        return _ONE
    elif kind == "Range":
        return _range(inner, window, needs)
    elif kind in _CHOOSING:
        return _CHOOSING[kind](inner, lies, window, needs)
    return lies


def _range(inner: Any, window: _Window, needs: list[Need]) -> _Lies:
    if _kind(inner["function"]["Range"]) == "IntRange" and "Len" in inner["input"]:
        _asks("numbering the rows", window.lies, window, needs)
    return window.lies if "IntRanges" in inner["function"]["Range"] else _ROWS


def _rank(inner: Any, lies: _Lies, window: _Window, needs: list[Need]) -> _Lies:
    if inner["function"]["Rank"]["options"]["method"] == "Ordinal":
        by = _names(inner["input"][:1])
        needs.append(Need("`rank('ordinal')` numbers rows that tie", window.partition, by))
    return lies


def _best(inner: Any, lies: _Lies, window: _Window, needs: list[Need]) -> _Lies:
    kind = _kind(inner["function"])
    said = {"TopKBy": "top_k_by or bottom_k_by", "MaxBy": "max_by", "MinBy": "min_by"}[kind]
    by = _names(inner["input"][2 if kind == "TopKBy" else 1 :])
    what = f"`{said}` chooses among rows"
    needs.append(Need(what, window.partition, by, stable=False, fix=_BY_VALUE))
    return _Lies("by", by, stable=False) if kind == "TopKBy" else _ONE


def _anyhow(inner: Any, lies: _Lies, window: _Window, needs: list[Need]) -> _Lies:
    kind = _kind(inner["function"])
    how = inner["function"][kind] if isinstance(inner["function"], dict) else None
    kept = how if isinstance(how, bool) else isinstance(how, dict) and how.get("maintain_order")
    said = {"Unique": "unique", "Mode": "mode", "ValueCounts": "value_counts"}[kind]
    return lies if kept else _Lies("anyhow", why=f"`{said}()`, which gives its values in any order")


_CHOOSING = {
    **{"Rank": _rank, "TopKBy": _best, "MaxBy": _best, "MinBy": _best},
    **{"Unique": _anyhow, "Mode": _anyhow, "ValueCounts": _anyhow},
}
_NODES = {
    **{"Column": _column, "Selector": _column, "Literal": _literal, "Agg": _agg, "Slice": _slice},
    **{"Gather": _gather, "Sort": _sort, "SortBy": _sort_by, "Over": _over, "Rolling": _rolling},
    **{"Eval": _eval, "Filter": _filter, "Function": _function},
}


def _kind(function: Any) -> str:
    return function if isinstance(function, str) else next(iter(function), "")


def _names(nodes: Any) -> frozenset[str]:
    """Return the columns that are named as they are; of computed ones nothing is known."""
    found: set[str] = set()
    for node in nodes:
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("Column"), str):
            found.add(node["Column"])
        elif "Alias" in node:
            found |= _names(node["Alias"][:1])
        elif "Function" in node and _kind(node["Function"]["function"]) == "RowEncode":
            found |= _names(node["Function"]["input"])
    return frozenset(found)
