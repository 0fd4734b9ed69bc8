"""Where an argument's bytes lie: in memory, in a temporary file of the run, or anywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.references import full_name
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement

__all__ = ["in_memory", "of_the_run"]

_DEEP = 6  # names for names that are followed
_BUFFERS = ("_io.BytesIO", "_io.StringIO", "builtins.bytes", "builtins.bytearray")
_MADE = ("io.BytesIO", "io.StringIO")
_TEMPORARY = tuple(
    f"tempfile.{name}"
    for name in (
        *("TemporaryDirectory", "NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile"),
        *("mkdtemp", "mkstemp"),
    )
)


def in_memory(given: ast.expr, statement: Statement, graph: Graph) -> bool:
    """Return whether a reader is given bytes, a buffer, or a database that no file holds."""
    match given:
        case ast.Constant(value=value):
            text = value if isinstance(value, str) else ""
            return isinstance(value, bytes) or text.startswith((":memory:", "file::memory:"))
        case ast.Call(func=function, args=arguments):
            last = str(dotted(function) or getattr(function, "attr", "")).rpartition(".")[2]
            if last == "connect":  # the call itself is looked at, as any other
                return any(in_memory(one, statement, graph) for one in arguments[:1])
            return last in ("StringIO", "BytesIO", "encode")
        case ast.Name(id=name):
            return any(
                binder.cell.types.get(name) in _BUFFERS or in_memory(value, binder, graph)
                for binder, value in _values(name, statement, graph)
                if not isinstance(value, ast.Name)
            )
    return False


def of_the_run(given: ast.expr, statement: Statement, graph: Graph, deep: int = _DEEP) -> bool:
    """Return whether a path is made of a temporary file or folder that the run itself makes.

    What is read there was written before; that nothing else is, the clean process sees.
    """
    for part in ast.walk(given):
        path = dotted(part.func) if isinstance(part, ast.Call) else None
        if path and full_name(path, statement, graph).startswith(_TEMPORARY):
            return True
    names = {part.id for part in ast.walk(given) if isinstance(part, ast.Name)}
    return deep > 0 and any(
        of_the_run(value, binder, graph, deep - 1)
        for name in names
        for binder, value in _values(name, statement, graph)
    )


def _values(name: str, statement: Statement, graph: Graph) -> Iterator[tuple[Statement, ast.expr]]:
    """Yield what a name is given: in the statement itself, else where it was bound before."""
    found = [(statement, value) for value in _given(name, statement.node)]
    binder = graph.binder_of(name, statement.index)
    if not found and binder is not None and binder is not statement:
        found = [(binder, value) for value in _given(name, binder.node)]
    yield from found


def _given(name: str, tree: ast.AST | None) -> Iterator[ast.expr]:
    for node in ast.walk(tree or ast.Pass()):
        match node:
            case ast.Assign(targets=targets, value=value):
                if any(_binds(target, name) for target in targets):
                    yield value
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                if _binds(target, name):
                    yield value
            case ast.NamedExpr(target=ast.Name(id=bound), value=value) if bound == name:
                yield value


def _binds(target: ast.expr, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(target))
