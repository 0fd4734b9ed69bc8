"""The text of a query, put together from what the notebook's code spells out."""

from __future__ import annotations

import ast
from collections.abc import Callable

from mesh_notebook.export.words import words

__all__ = ["spelled"]

# Values of these types name no table, and may stand anywhere in a query.
_PLAIN = words(
    "builtins.int builtins.float builtins.bool decimal.Decimal datetime.date datetime.datetime "
    "datetime.timedelta"
)
_SAME = words("strip lstrip rstrip dedent cleandoc upper")
_DEEP = 6  # names for names that are followed


def spelled(
    given: ast.expr,
    value_of: Callable[[str], ast.expr | None],
    type_of: Callable[[str], str | None],
    deep: int = _DEEP,
) -> str | None:
    """Return a query's text with a 0 for each value that is put in; None where it is not told.

    Parameters
    ----------
    given : ast.expr
        What the call is given.
    value_of, type_of : callable
        Given a name: the expression that it stands for, and its recorded type.
    """

    def inner(part: ast.expr) -> str | None:
        return spelled(part, value_of, type_of, deep - 1) if deep else None

    match given:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            value = value_of(name)
            return inner(value) if value is not None else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [inner(left), inner(right)]
            return None if None in parts else "".join(map(str, parts))
        case ast.Call(func=ast.Attribute(value=ast.Constant() as text, attr=method), args=[]):
            return inner(text) if method in _SAME else None
        case ast.Call(func=ast.Attribute(attr=method), args=[text]) if method in _SAME:
            return inner(text)
        case ast.Call(func=ast.Name(id=function), args=[text]) if function in _SAME:
            return inner(text)
        case ast.Call(func=ast.Attribute(value=text, attr=method), args=[]) if method in _SAME:
            return inner(text)
        case ast.JoinedStr(values=parts):
            return _joined(parts, inner, type_of)
    return None


def _joined(
    parts: list[ast.expr],
    inner: Callable[[ast.expr], str | None],
    type_of: Callable[[str], str | None],
) -> str | None:
    text = ""
    for part in parts:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        value = part.value if isinstance(part, ast.FormattedValue) else part
        said = inner(value)
        if said is None and not _is_plain(value, type_of) and not _within_quotes(text):
            return None
        text += "0" if said is None else said
    return text


def _is_plain(value: ast.expr, type_of: Callable[[str], str | None]) -> bool:
    match value:
        case ast.Name(id=name):
            return type_of(name) in _PLAIN
        case ast.Constant(value=constant):
            return not isinstance(constant, str)
        case ast.UnaryOp(operand=inner):
            return _is_plain(inner, type_of)
        case ast.BinOp(left=left, right=right):
            return _is_plain(left, type_of) and _is_plain(right, type_of)
        case ast.Call(func=ast.Name(id=function)):
            return function in ("len", "int", "float", "round", "abs")
    return False


def _within_quotes(text: str) -> bool:
    """Return whether a text ends inside a literal: what is put in there is a value."""
    return text.count("'") % 2 == 1
