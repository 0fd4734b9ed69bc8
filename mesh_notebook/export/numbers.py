"""What is plainly a number, as far as the text and the recorded types tell."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.scopes import FUNCTIONS, arguments, dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["is_number"]

_TYPES = words("builtins.int builtins.float builtins.bool builtins.complex")
_MAKING = words("int float bool len round ord abs sum range")
_PARTS = words("year month day hour minute second microsecond height width size ndim")


def is_number(
    value: ast.AST, parents: Mapping[ast.AST, ast.AST], statement: Statement, graph: Graph
) -> bool:
    """Return whether a value is plainly a number, or numbers side by side."""

    def plain(part: ast.AST) -> bool:
        return is_number(part, parents, statement, graph)

    match value:
        case ast.Constant(value=number):
            return isinstance(number, int | float | complex)
        case ast.UnaryOp(operand=inner) | ast.Starred(value=inner):
            return plain(inner)
        case ast.BinOp(left=left, right=right, op=op) if not isinstance(op, ast.Mod):
            return plain(left) and plain(right)
        case ast.IfExp(body=yes, orelse=no):
            return plain(yes) and plain(no)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(map(plain, parts))
        case ast.Call(func=func):
            return dotted(func) in _MAKING
        case ast.Attribute(attr=attr):
            return attr in _PARTS
        case ast.Name(id=name):
            return _is_numeric(name, value, parents, statement, graph)
    return False


def _is_numeric(
    name: str,
    node: ast.AST,
    parents: Mapping[ast.AST, ast.AST],
    statement: Statement,
    graph: Graph,
) -> bool:
    around = parents.get(node)
    while around is not None:
        for argument in arguments(around) if isinstance(around, FUNCTIONS) else ():
            if argument.arg == name:
                return dotted(argument.annotation or ast.Pass()) in ("int", "float", "bool")
        for loop in getattr(around, "generators", ()):
            if isinstance(loop.target, ast.Name) and loop.target.id == name:
                return is_number(loop.iter, parents, statement, graph)
        around = parents.get(around)
    binder = graph.binder_of(name, statement.index)
    return binder is not None and binder.cell.types.get(name) in _TYPES
