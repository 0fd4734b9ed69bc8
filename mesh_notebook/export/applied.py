"""Functions that are handed to others to be called: `map(add, frames)` may change the frames."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.words import words

__all__ = ["applied"]

_FIRST = words("map filter reduce starmap takewhile dropwhile filterfalse")
_KEYED = words("sorted min max groupby nlargest nsmallest merge")


def applied(call: ast.Call) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    """Yield each function that a call hands on, and what it will be called with, or its parts."""
    name = str(dotted(call.func) or getattr(call.func, "attr", "")).rpartition(".")[2]
    if name == "pipe" and call.args and isinstance(call.func, ast.Attribute):
        yield _itself(call.args[0]), [call.func.value]
    elif name in _FIRST and len(call.args) > 1:
        yield _itself(call.args[0]), call.args[1:]
    elif name in _KEYED:
        keys = [k.value for k in call.keywords if k.arg == "key"]
        keys += call.args[1:2] if name == "groupby" else []
        yield from ((_itself(key), call.args) for key in keys)


def _itself(function: ast.expr) -> ast.expr:
    """Return the function that `partial` is given."""
    match function:
        case ast.Call(func=func, args=[inner, *_]) if str(dotted(func)).endswith("partial"):
            return _itself(inner)
    return function
