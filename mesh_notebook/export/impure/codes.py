"""Codes of categories: Polars numbers texts as a process meets them, and another one otherwise."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.impure.told import only_told
from mesh_notebook.export.references import parents_in
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["codes_of_categories"]

_PHYSICAL = words("to_physical physical")
_CATEGORIES = ("Categorical", "category", "Categories", "StringCache", "enable_string_cache")
_WHAT = "numbers texts in the order in which a process meets them, which is another one in each"
_FIX = (
    "name the categories, whose numbers are their places: .cast(pl.Enum([…])), or number them by "
    "their order: .rank('dense')"
)


def codes_of_categories(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield what takes the codes of texts, in a statement that may have categories to take."""
    tree = statement.node or ast.Pass()
    parents = parents_in(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _PHYSICAL:
            if not _are_named(node) and _may_be(node, graph) and not only_told(node, parents):
                yield Impurity(ast.unparse(node), _WHAT, _FIX)
        elif isinstance(node, ast.Constant) and node.value in _PHYSICAL and _may_be(node, graph):
            yield Impurity(ast.unparse(node), _WHAT, _FIX)  # `getattr(column, "to_physical")()`


def _are_named(node: ast.Attribute) -> bool:
    """Return whether the chain itself names the categories: `.cast(pl.Enum(days))`."""
    last = next((n for n in ast.walk(node.value) if _casts(n)), None)
    return last is not None and "Enum" in ast.unparse(last.args[0])  # type: ignore[attr-defined]


def _casts(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "cast" and bool(node.args)
    )


def _may_be(node: ast.AST, graph: Graph) -> bool:
    """Return whether anything makes categories whose numbers nobody gave.

    An input's own are found by the proof: there, one process has met its texts the other way round.
    """
    cat = isinstance(node, ast.Attribute) and getattr(node.value, "attr", "") == "cat"
    enums = any("Enum" in s.text for s in graph.statements)
    said = any(name in s.text for s in graph.statements for name in _CATEGORIES)
    return said or (cat and not enums)
