"""What a value of the notebook holds, as lists, texts and numbers.

Groups are told without their order: what a group-by gives has none. Frames and arrays are told by
a digest; iterators that cannot be looked into, lazy frames and whatever else is not plain, by their
type alone.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Mapping
from typing import Any

from mesh_notebook.export.state.digests import digest_of, is_large, large
from mesh_notebook.export.state.parts import Cells, is_own, items_of, mapping_of, parts_of
from mesh_notebook.export.state.sameness import ORDER, rough
from mesh_notebook.export.state.widgets import widget_told

__all__ = ["told_of"]

_MOST = 20_000  # values in a value; a larger one is not told
_EXACT = (int, str, bytes, bool, type(None), complex, range, slice, re.Pattern)
_EXACT_TIMES = (dt.date, dt.time, dt.timedelta, dt.tzinfo)
_BY_REPR = (
    *("decimal.Decimal", "decimal.Context", "fractions.Fraction", "uuid.UUID"),
    *("operator.methodcaller", "operator.itemgetter", "operator.attrgetter"),
    *("itertools.count", "itertools.repeat", "polars.expr.expr.Expr"),
    *("pathlib.PosixPath", "pathlib.PurePosixPath", "pandas._libs.interval.Interval"),
    *("ipaddress.IPv4Address", "ipaddress.IPv4Network"),
)
_KEYS = {str, int, bool, type(None), bytes}  # of which a text of the notebook may speak
# Addresses, and what a decimal context has met with so far.
_VARYING = re.compile(r"0x[0-9a-fA-F]+|flags=\[[^]]*\]")


def told_of(value: object) -> Any:
    """Return what a value holds as lists, texts and numbers; None where it is too much to tell."""
    try:
        return _told(value, (), [_MOST])
    except OverflowError:
        return None


def _told(value: Any, above: tuple[int, ...], left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise OverflowError("too much to tell")
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if kind.startswith("numpy.") and hasattr(value, "item") and getattr(value, "shape", 0) == ():
        return _told(value.item(), above, left)
    if isinstance(value, float) and not is_own(value):
        return float(value)
    if isinstance(value, (*_EXACT, *_EXACT_TIMES, enum.Enum)) and not isinstance(value, enum.Flag):
        if isinstance(value, enum.Enum) and (more := _added(value)):
            return {"is": _exact(value), "parts": _named(more, (*above, id(value)), left)}
        return _exact(value)
    if kind in _BY_REPR or kind.startswith("pandas._libs.tslibs") or isinstance(value, enum.Flag):
        return _VARYING.sub("", repr(value))
    if id(value) in above:
        return "a value around it"
    return _compound(value, (*above, id(value)), left)


def _exact(value: Any) -> str:
    return f"{type(value).__name__}.{value.name}" if isinstance(value, enum.Enum) else repr(value)


def _added(member: enum.Enum) -> dict[str, Any]:
    """Return what was set on a member besides its value."""
    return (
        {n: v for n, v in vars(member).items() if not n.startswith("_")} if is_own(member) else {}
    )


def _compound(value: Any, above: tuple[int, ...], left: list[int]) -> Any:
    if isinstance(value, Cells):
        return {"cells": _named(value, above, left)}
    made: dict[str, Any] = {"is": type(value).__name__}
    if (digest := digest_of(value)) is not None:
        return {**made, "rows": digest}
    if (widget := widget_told(value)) is not None:
        return {**made, "parts": _named(widget, above, left)}
    pairs, items = mapping_of(value), items_of(value)
    held = pairs if pairs is not None else items
    if held is not None and is_large(held) and (digest := large(held)) is not None:
        made["rows"] = digest
    elif pairs is not None:
        made["items"] = _sorted(_pair(k, v, above, left) for k, v in pairs.items())
        if isinstance(value, dict) and len(pairs) > 1 and set(map(type, pairs)) <= _KEYS:
            made[ORDER] = list(map(_exact, pairs))
    elif items is not None:
        made["items"] = _sorted(_told(one, above, left) for one in items)
    if parts := parts_of(value):
        made["parts"] = _named(parts, above, left)
    return made


def _pair(key: Any, value: Any, above: tuple[int, ...], left: list[int]) -> dict[str, Any]:
    return {"key": _told(key, above, left), "value": _told(value, above, left)}


def _named(parts: Mapping[str, Any], above: tuple[int, ...], left: list[int]) -> dict[str, Any]:
    return {name: _told(part, above, left) for name, part in parts.items()}


def _sorted(told: Any) -> list[Any]:
    return sorted(told, key=rough)
