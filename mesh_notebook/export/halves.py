"""A statement that failed: what of it may have had an effect before it did.

`prices["net"] = prices["gros"] - 1` fails on its right side, and `rows.remove(9)` changes nothing
where there is no 9. Whatever cannot be told so is held to have changed what it may have changed.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

__all__ = ["had_effect"]

# Methods that either do all that they say or nothing, once their arguments are evaluated.
_WHOLE: dict[str, frozenset[str]] = {
    "builtins.list": frozenset({"append", "insert", "pop", "remove", "index", "count", "clear"}),
    "builtins.dict": frozenset({"get", "pop", "popitem", "setdefault", "clear"}),
    "builtins.set": frozenset({"add", "remove", "discard", "pop", "clear"}),
    "polars.dataframe.frame.DataFrame": frozenset(
        {"insert_column", "replace_column", "drop_in_place"}
    ),
}
_PANDAS = "pandas.core.frame.DataFrame"


def had_effect(node: ast.stmt, types: Mapping[str, str]) -> ast.stmt:
    """Return what of a failed statement may have had an effect.

    Parameters
    ----------
    types
        By name the type of its value, `module.Class`, as it is after the failure.
    """
    match node:
        case ast.Assign(targets=[target], value=value) if _stored_whole(target, types):
            return _only(node, value, *_inside(target))
        case ast.AugAssign(target=ast.Subscript() as target, value=value):
            if _stored_whole(target, types) and _is_plain(value):
                return _only(node, *_inside(target))
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))):
            call = node.value
            if method in _WHOLE.get(types.get(name, ""), ()) and isinstance(call, ast.Call):
                return _only(node, *call.args, *(k.value for k in call.keywords))
    return node


def _stored_whole(target: ast.expr, types: Mapping[str, str]) -> bool:
    """Return whether an assignment to a target that fails has not changed it."""
    if isinstance(target, ast.Name):
        return True
    if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
        return False
    kind = types.get(target.value.id, "")
    plain = not isinstance(target.slice, ast.Slice)  # `rows[1:] = …` goes through an iterator
    column = kind == _PANDAS and isinstance(target.slice, ast.Constant)
    return plain and (kind in _WHOLE or column)


def _inside(target: ast.expr) -> list[ast.expr]:
    """Return the expressions that are evaluated to find where to store."""
    return [target.slice] if isinstance(target, ast.Subscript) else []


def _is_plain(value: ast.expr) -> bool:
    """Return whether a value is made of constants alone: it lets nothing grow on its way."""
    parts = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)
    return all(isinstance(part, parts) for part in ast.walk(value))


def _only(node: ast.stmt, *parts: ast.expr) -> ast.stmt:
    return ast.copy_location(ast.Expr(ast.Tuple(list(parts), ast.Load())), node)
