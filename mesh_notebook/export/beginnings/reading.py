"""A beginning read back from a module: what calls it, and what it says."""

from __future__ import annotations

import ast

__all__ = ["begins", "call_of", "said_in"]


def said_in(function: ast.FunctionDef) -> list[ast.stmt]:
    """Return a function's statements without its docstring."""
    told = ast.get_docstring(function, clean=False) is not None
    return function.body[1:] if told else function.body


def call_of(function: ast.FunctionDef) -> str:
    """Return how a port begins with a function: under the names that its values have in there."""
    last, args = function.body[-1], function.args
    given = [*(one.arg for one in args.args), *(f"{n.arg}={n.arg}" for n in args.kwonlyargs)]
    value = last.value if isinstance(last, ast.Return) else None
    return f"{ast.unparse(value) if value else '…'} = {function.name}({', '.join(given)})"


def begins(node: ast.stmt, function: ast.FunctionDef) -> bool:
    """Return whether a statement is such a call."""
    return isinstance(node, ast.Assign) and ast.unparse(node) == _plain(call_of(function))


def _plain(call: str) -> str:
    try:
        return ast.unparse(ast.parse(call))
    except SyntaxError:  # it gives no names
        return ""
