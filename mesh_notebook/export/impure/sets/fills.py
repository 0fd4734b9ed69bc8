"""Lists and dictionaries that are filled while somebody goes through a set."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.words import words

__all__ = ["filled_in"]

_APPENDING = words("append extend insert appendleft extendleft")


def filled_in(scope: ast.AST, name: str, kind: Callable[[ast.AST], str]) -> list[str]:
    """Return the kinds that a name's value takes on where loops of a scope fill it."""
    found = []
    for node in ast.walk(scope):
        if isinstance(node, ast.For) and kind(node.iter) in ("set", "dict", "list"):
            inside = (part for statement in node.body for part in ast.walk(statement))
            found += [made for part in inside for made in _filled_by(part, name)]
        elif _is_extended(node, name, kind):
            found.append("list")
        elif _is_given_sets(node, name, kind):
            found.append("sets")
    return found


def _filled_by(node: ast.AST, name: str) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if dotted(value) == name:
            if method in _APPENDING:
                yield "list"
            elif method == "setdefault":
                yield "dict"
        case ast.Subscript(value=value, ctx=ast.Store()) if dotted(value) == name:
            yield "dict"
        case ast.AugAssign(target=ast.Name(id=target), value=ast.List()) if target == name:
            yield "list"


def _is_extended(node: ast.AST, name: str, kind: Callable[[ast.AST], str]) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="extend"), args=[more]):
            return dotted(value) == name and kind(more) in ("set", "dict", "list")
    return False


def _is_given_sets(node: ast.AST, name: str, kind: Callable[[ast.AST], str]) -> bool:
    """Return whether a dictionary comes to hold sets: `groups.setdefault(key, set())`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="setdefault"), args=[_, made]):
            return dotted(value) == name and kind(made) == "set"
        case ast.Assign(targets=[ast.Subscript(value=value)], value=made):
            return dotted(value) == name and kind(made) == "set"
    return False
