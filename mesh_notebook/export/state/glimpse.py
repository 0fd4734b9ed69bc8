"""A short look at what can change while its name stays: enough to see that nothing changed it.

It is taken whenever a cell begins or ends, so it costs microseconds: of small things all that is
plain, of others their size or identity.
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any

from mesh_notebook.export.state.parts import is_own, items_of, mapping_of
from mesh_notebook.export.state.widgets import is_widget

__all__ = ["glimpse", "is_scalar"]

_MOST = 200  # values within a value
_SHORT = 1_000  # characters, or bits
_BYTES = 4_096
_SCALARS = (bool, float, complex, type(None), dt.date, dt.datetime, dt.timedelta)
_MOVABLE = ("value", "index", "selected_index", "children")
_LOOKED_INTO = ("builtins", "collections", "array", "queue", "weakref", "functools", "ipywidgets")


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
    looked = kind.__module__.partition(".")[0] in _LOOKED_INTO or is_own(value)
    if looked and kind not in _SCALARS and kind not in (int, str, bytes):
        return _glimpse(value, [_MOST], ())
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray" and value.nbytes <= _BYTES:  # type: ignore[attr-defined]
        return value.tobytes() if value.dtype.kind in "biuf" else None  # type: ignore[attr-defined]
    return None


def _glimpse(value: Any, left: list[int], above: tuple[int, ...]) -> Any:
    left[0] -= 1
    if is_scalar(value):
        return (type(value), repr(value) if isinstance(value, float) else value)
    if left[0] < 0 or id(value) in above:
        return id(value)
    if isinstance(value, Sized) and not is_own(value) and len(value) > left[0]:
        return (id(value), len(value))
    above = (*above, id(value))
    pairs = mapping_of(value)
    items = None if pairs is not None else items_of(value)
    if pairs is None and items is None:
        named = tuple((n, _glimpse(v, left, above)) for n, v in _named(value))
        return (id(value), named)
    return (id(value), *_within(pairs, items, left, above))


def _within(
    pairs: Mapping[Any, Any] | None,
    items: Iterable[Any] | None,
    left: list[int],
    above: tuple[int, ...],
) -> Iterator[Any]:
    held = list(pairs.items()) if pairs is not None else list(items or ())
    yield len(held)
    if len(held) > left[0]:
        return
    for one in held:
        if pairs is None:
            yield _glimpse(one, left, above)
        else:
            yield (_glimpse(one[0], left, above), _glimpse(one[1], left, above))


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    if is_widget(value):
        yield from ((name, getattr(value, name)) for name in _MOVABLE if hasattr(value, name))
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
