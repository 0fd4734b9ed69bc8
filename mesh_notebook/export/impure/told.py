"""Values that are only told: they go nowhere but into `print`, a log, or the text of an error."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from mesh_notebook.export.scopes import FUNCTIONS, arguments, declared, dotted
from mesh_notebook.export.words import words

__all__ = ["is_local", "only_told"]

_LOGGING = words("debug info warning error critical log exception")
_KEEPING = (ast.BinOp, ast.UnaryOp, ast.JoinedStr, ast.FormattedValue, ast.keyword)

Parents = Mapping[ast.AST, ast.AST]


def only_told(node: ast.AST, parents: Parents, seen: frozenset[str] = frozenset()) -> bool:
    """Return whether a value goes nowhere but into `print` or a log."""
    parent = parents.get(node)
    while isinstance(parent, _KEEPING) or (isinstance(parent, ast.Call) and _says(parent.func)):
        node, parent = parent, parents.get(parent)
    if isinstance(parent, ast.Call) and _tells(parent.func):
        return isinstance(parents.get(parent), ast.Expr)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) if name not in seen:
            around = _function_around(parent, parents)
            if around is None or name in declared(around):
                return False
            loads = [n for n in ast.walk(around) if isinstance(n, ast.Name) and n.id == name]
            loads = [n for n in loads if isinstance(n.ctx, ast.Load)]
            return all(only_told(n, parents, seen | {name}) for n in loads)
    return False


def is_local(name: str, node: ast.AST, parents: Parents) -> bool:
    """Return whether a name is one of a function's, or a comprehension's, around a node."""
    around = parents.get(node)
    while around is not None:
        if isinstance(around, FUNCTIONS) and name in _own_names(around):
            return True
        if any(name in _stored(g.target) for g in getattr(around, "generators", ())):
            return True
        around = parents.get(around)
    return False


def _own_names(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    own = {argument.arg for argument in arguments(function)}
    return own if isinstance(function, ast.Lambda) else own | (_stored(function))


def _stored(node: ast.AST) -> set[str]:
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {part.id for part in names if isinstance(part.ctx, ast.Store)}


def _says(func: ast.AST) -> bool:
    return dotted(func) in ("round", "str", "float", "int", "format", "abs", "repr")


def _tells(func: ast.AST) -> bool:
    return dotted(func) == "print" or (isinstance(func, ast.Attribute) and func.attr in _LOGGING)


def _function_around(node: ast.AST, parents: Parents) -> ast.AST | None:
    found = parents.get(node)
    while found is not None and not isinstance(found, FUNCTIONS):
        found = parents.get(found)
    return found
