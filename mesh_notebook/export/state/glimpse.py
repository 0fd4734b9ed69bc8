"""A short look at what can change while its name stays: enough to see that nothing changed it.

It is taken whenever a cell begins or ends, so it costs microseconds: of small things all that is
plain, of others their size or identity.
"""

from __future__ import annotations

import contextvars
import datetime as dt
import io
import types
from collections.abc import Iterable, Iterator, Sized
from typing import Any

from mesh_notebook.export.state.parts import is_own, items_of, mapping_of
from mesh_notebook.export.state.widgets import is_widget

__all__ = ["glimpse", "is_scalar"]

_MOST = 100  # values within a value
_SHORT = 1_000  # characters, or bits
_BYTES = 4_096
_SCALARS = frozenset(
    (bool, float, complex, type(None), dt.date, dt.datetime, dt.timedelta, int, str, bytes)
)
_NEVER = _SCALARS | {types.ModuleType, type, types.BuiltinFunctionType}
_FLAT = frozenset((list, tuple))
_USUAL = _FLAT | {dict, set}
_MOVABLE = ("value", "index", "selected_index", "children")
_LOOKED_INTO = (
    *("builtins", "collections", "array", "queue", "weakref", "functools", "ipywidgets"),
    *("_io", "_contextvars", "_thread", "argparse", "ctypes", "mmap"),
)
_BUFFERS = ("ctypes", "mmap", "__main__")  # an array of ctypes is of a class made on the spot


def is_scalar(value: object) -> bool:
    """Return whether a value never changes, and is short enough to be kept."""
    kind = type(value)
    if kind is int:
        return value.bit_length() <= _SHORT  # type: ignore[attr-defined, no-any-return]
    if kind is str or kind is bytes:
        return len(value) <= _SHORT  # type: ignore[arg-type]
    return kind in _SCALARS


def glimpse(value: object) -> Any:
    """Return something equal as long as a value is as it was; None of what cannot change so."""
    kind = type(value)
    if kind in _NEVER:
        return None
    if kind in _USUAL:
        return _glimpse(value, [_MOST], ())
    if kind is types.FunctionType:
        return _glimpse(value, [_MOST], ()) if _holds_more(value) else None  # type: ignore[arg-type]
    if kind.__module__.partition(".")[0] in _LOOKED_INTO or is_own(value):
        return _glimpse(value, [_MOST], ())
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray" and value.nbytes <= _BYTES:  # type: ignore[attr-defined]
        return value.tobytes() if value.dtype.kind in "biuf" else None  # type: ignore[attr-defined]
    return None


def _glimpse(value: Any, left: list[int], above: tuple[int, ...]) -> Any:
    left[0] -= 1
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind in _FLAT and len(value) <= left[0] and (kinds := set(map(type, value))) <= _SCALARS:
        return (id(value), *value, *kinds)  # the usual case; and yes is not one
    if (held := _bytes_of(value, kind)) is not None:
        return (id(value), held)
    if left[0] < 0 or id(value) in above:
        return id(value)
    measured = kind in _USUAL or (isinstance(value, Sized) and not is_own(value))
    if measured and len(value) > left[0]:
        return (id(value), len(value))
    above = (*above, id(value))
    pairs = value if kind is dict else mapping_of(value)
    if pairs is not None:
        return (id(value), _row(pairs.keys(), left, above), _row(pairs.values(), left, above))
    items = items_of(value)
    if items is not None:
        return (id(value), _row(items, left, above))
    return (id(value), tuple((n, _glimpse(v, left, above)) for n, v in _named(value)))


def _bytes_of(value: Any, kind: type) -> Any:
    """Return what a buffer, or a file in memory, holds; of a large one its size."""
    if kind is bytearray or kind is memoryview or kind.__module__ in _BUFFERS:
        try:
            held = memoryview(value)
        except (TypeError, ValueError):  # closed, released, or no buffer
            return None
        return held.tobytes() if held.nbytes <= _BYTES else held.nbytes
    if kind is io.StringIO or kind is io.BytesIO:
        return None if value.closed else (value.tell(), value.getvalue()[:_BYTES])
    if kind is contextvars.ContextVar:
        return id(value.get(None))
    return None


def _holds_more(function: types.FunctionType) -> bool:
    """Return whether a function holds something that can change."""
    defaults = set(map(type, function.__defaults__ or ()))
    return bool(function.__closure__ or function.__dict__ or defaults - _SCALARS)


def _row(held: Iterable[Any], left: list[int], above: tuple[int, ...]) -> tuple[Any, ...]:
    kinds = set(map(type, held))
    if kinds <= _SCALARS:
        return (*held, *kinds)
    return tuple(_glimpse(one, left, above) for one in held)


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    if is_widget(value):
        yield from ((name, getattr(value, name)) for name in _MOVABLE if hasattr(value, name))
    elif hasattr(type(value), "cache_info"):  # a cache itself cannot be looked into
        yield "calls", repr(value.cache_info())  # the tuple is another one each time
    elif isinstance(value, types.FunctionType):
        yield from vars(value).items()
        yield "defaults", value.__defaults__
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=False)
        yield from ((name, cell.cell_contents) for name, cell in cells if _is_bound(cell))
    elif is_own(value) and not isinstance(value, type):
        yield from getattr(value, "__dict__", {}).items()


def _is_bound(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True
