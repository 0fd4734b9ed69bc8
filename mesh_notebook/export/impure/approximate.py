"""Texts that name an approximation of DuckDB's: `relation.aggregate("approx_quantile(…)")`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.impure.queries import approximation_named
from mesh_notebook.export.statements import Statement

__all__ = ["approximations"]


def approximations(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield what the texts of a statement approximate, where the notebook has DuckDB at hand."""
    if not any("duckdb" in one.text for one in graph.statements):
        return
    for node in ast.walk(statement.node or ast.Pass()):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and (found := approximation_named(text)):
            yield found
