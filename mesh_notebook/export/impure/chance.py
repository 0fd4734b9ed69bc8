"""Draws at random that nobody can draw again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.flow import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.known import is_seed, random_source
from mesh_notebook.export.references import references
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["chance_in", "draws"]

_IMPORTS = (ast.Import, ast.ImportFrom)
_GENERATORS = words(
    "numpy.random.default_rng numpy.random.RandomState numpy.random.SeedSequence "
    "numpy.random.PCG64 numpy.random.MT19937 random.Random"
)
_WHAT = "draws at random without a seed"
_SEED = "give it a seed, in a cell of its own that runs before"
_INSIDE = "import it at the top of a cell, and seed it in a cell of its own that runs before"


def draws(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield the draws of a statement whose generator nobody set."""
    if graph.unseeded[statement.index]:
        drawn = [*chance_in(statement, graph), "a random call"]
        yield Impurity(drawn[0], _WHAT, _SEED)
    for hidden in _drawn_inside(statement, graph):
        yield Impurity(hidden, _WHAT, _INSIDE)
    for one in references(statement, graph):
        called = one.call if one.name in _GENERATORS or is_seed(one.name) else None
        if called is not None and _unseeded(called):
            yield Impurity(one.said, _WHAT, _SEED)


def _unseeded(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) and value.value is None for value in given)


def _drawn_inside(statement: Statement, graph: Graph) -> list[str]:
    """Return the random calls of modules that a function imports for itself: nobody seeds them."""
    inside = [n for n in ast.walk(statement.node or ast.Pass()) if isinstance(n, _IMPORTS)]
    own = {(a.asname or a.name).partition(".")[0] for n in inside for a in n.names}
    return [
        one.said
        for one in references(statement, graph)
        if one.said.partition(".")[0] in own and random_source(one.name, False, "")
    ]


def chance_in(statement: Statement, graph: Graph) -> list[str]:
    """Return the calls of a statement that may draw at random, as written."""
    roots, methods = ("random.", "numpy.random.", "secrets.", "uuid."), (".sample", ".shuffle")
    named = [(one.said, one.name) for one in references(statement, graph) if one.call]
    return [said for said, n in named if n.startswith(roots) or n.endswith(methods)]
