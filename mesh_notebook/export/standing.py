"""What a value of the notebook holds, told so that two processes can compare it.

Lists are told without their order: what a group-by gives has none. Frames, iterators, caches and
whatever else is not plain are told by their type alone.
"""

from __future__ import annotations

import datetime as dt
import enum
import io
import json
import types
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any

__all__ = ["holds_state", "told", "told_of"]

_MOST = 20_000  # values in a value; a larger one is not told
_EXACT = (int, str, bytes, bool, type(None), complex, dt.date, dt.time, dt.timedelta)
_GROUPS = (list, tuple, set, frozenset)
_OWN_MODULES = ("__main__", "transform")
_DESCRIBING = (
    *(types.FunctionType, property, staticmethod, classmethod, cached_property),
    *(types.MemberDescriptorType, types.GetSetDescriptorType),
)


def holds_state(value: object) -> bool:
    """Return whether a value can change while its name stays."""
    if isinstance(value, (dict, list, set, bytearray, io.StringIO, io.BytesIO, partial)):
        return True
    return isinstance(value, tuple | types.FunctionType) or _is_own(value)


def _is_own(value: object) -> bool:
    kind = value if isinstance(value, type) else type(value)
    return kind.__module__ in _OWN_MODULES or kind is types.SimpleNamespace


def told(values: Mapping[str, object]) -> str:
    """Return by name what each value holds, as JSON."""
    return json.dumps({name: told_of(value) for name, value in values.items()})


def told_of(value: object) -> Any:
    """Return what a value holds as lists and texts; None where it holds too much to tell."""
    try:
        return _told(value, (), [_MOST])
    except OverflowError:
        return None


def _told(value: Any, above: tuple[int, ...], left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise OverflowError("too much to tell")
    if isinstance(value, float):
        return f"{value:.6g}"  # sums over threads differ in their last digits
    if isinstance(value, _EXACT):
        return repr(value)
    if id(value) in above:
        return ["a value around it"]
    above = (*above, id(value))
    kind = type(value).__name__
    parts = {name: _told(part, above, left) for name, part in _parts(value)}
    if isinstance(value, dict):
        pairs = ([_told(k, above, left), _told(v, above, left)] for k, v in value.items())
        return [kind, sorted(pairs, key=json.dumps), parts]
    if isinstance(value, _GROUPS):
        return [kind, sorted((_told(v, above, left) for v in value), key=json.dumps), parts]
    return [kind, parts]


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a value holds under names."""
    if isinstance(value, enum.EnumMeta | enum.Enum):
        return
    if isinstance(value, type):
        if _is_own(value):
            plain = ((n, v) for n, v in vars(value).items() if not isinstance(v, _DESCRIBING))
            yield from ((n, v) for n, v in plain if not n.startswith(("__", "_abc_")))
    elif isinstance(value, types.FunctionType):
        yield "attributes", {n: v for n, v in vars(value).items() if n != "__wrapped__"}
        yield "defaults", value.__defaults__
        yield "keyword defaults", value.__kwdefaults__
    elif isinstance(value, partial):
        yield from (("func", value.func), ("args", value.args), ("keywords", value.keywords))
    elif isinstance(value, io.StringIO | io.BytesIO):
        yield "text", "" if value.closed else value.getvalue()
    elif isinstance(value, bytearray):
        yield "bytes", bytes(value)
    elif _is_own(value):
        yield from getattr(value, "__dict__", {}).items()
