"""Values that hold the names of the notebook, under which somebody may write them."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Mapping
from typing import Any

from mesh_notebook.export.state.parts import is_own

__all__ = ["holds_names"]

_MOST = 100  # values within a value
_FLAT = frozenset((int, float, bool, str, bytes, type(None), type))


def holds_names(value: object, namespace: Mapping[str, Any]) -> bool:
    """Return whether a value is a namespace, or its module, or holds it one step within."""
    if value is namespace:
        return True
    if type(value) in _FLAT:
        return False
    return id(namespace) in map(id, _within(value))  # of every name, after every cell


def _within(value: Any) -> Iterable[Any]:
    kind = type(value)
    if kind is list or kind is tuple:
        return value if len(value) <= _MOST else ()
    if kind is dict:
        return value.values() if len(value) <= _MOST else ()
    if kind is types.ModuleType:
        return (vars(value),)
    if kind is types.FunctionType:
        named = (value.__kwdefaults__ or {}).values()
        return (*(value.__defaults__ or ()), *named, *_cells(value))
    if kind is functools.partial:
        return (*value.args, *value.keywords.values())
    if kind is types.BuiltinMethodType:
        return (value.__self__,)
    return list(getattr(value, "__dict__", {}).values()) if is_own(value) else ()


def _cells(function: types.FunctionType) -> list[Any]:
    cells = function.__closure__ or ()
    return [held for cell in cells for held in _held(cell)]


def _held(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # not bound yet
        return ()
