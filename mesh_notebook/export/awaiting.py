"""`await` at the top of a cell, as a plain function can say it: `asyncio.run`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.scopes import FUNCTIONS
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.text import replaced, segment

__all__ = ["waits", "waits_for_others", "without_await"]

_WAITING = (ast.Await, ast.AsyncFor, ast.AsyncWith)


def waits_for_others(statement: Statement, graph: Graph) -> bool:
    """Return whether a statement waits for anything but a coroutine of the notebook's own.

    What such a coroutine reaches for is looked at where it is written, as any function's is.
    """
    found = [n for n in _at_top(statement.node or ast.Pass()) if isinstance(n, _WAITING)]
    runner = graph.binder_of("asyncio", statement.index)
    taken = runner is not None and runner.origin != "asyncio"  # the name of what is to run them
    return any(taken or not _calls_own(node, statement, graph) for node in found)


def waits(statements: Iterable[Statement]) -> bool:
    """Return whether a statement waits, and so is written otherwise in a module."""
    trees = [s.node for s in statements if s.node is not None]
    return any(isinstance(node, ast.Await) for tree in trees for node in _at_top(tree))


def without_await(text: str) -> str:
    """Return a statement's text in which each coroutine that it waits for is run."""
    while waits := [n for n in _at_top(ast.parse(text)) if isinstance(n, ast.Await)]:
        inner = waits[-1]
        text = replaced(text, [(inner, f"asyncio.run({segment(text, inner.value)})")])
    return text


def _at_top(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs where the statement does: no bodies of functions."""
    yield tree
    if not isinstance(tree, FUNCTIONS):
        for child in ast.iter_child_nodes(tree):
            yield from _at_top(child)


def _calls_own(node: ast.AST, statement: Statement, graph: Graph) -> bool:
    match node:
        case ast.Await(value=ast.Call(func=ast.Name(id=name))):
            binder = graph.binder_of(name, statement.index)
            return binder is not None and isinstance(binder.node, ast.AsyncFunctionDef)
    return False
