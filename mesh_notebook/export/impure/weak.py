"""Weak references: what they mean is gone once the function of a port has ended."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.references import references
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["weak_references"]

_WEAK = words(
    "weakref.ref weakref.proxy weakref.WeakMethod weakref.WeakSet weakref.WeakValueDictionary "
    "weakref.WeakKeyDictionary weakref.ReferenceType"
)
_WHAT = "keeps nothing alive, and a lazy frame is collected when the names of its function are gone"
_FIX = "keep the value itself in place of a reference to it"


def weak_references(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield the weak references that a statement makes."""
    for one in references(statement, graph):
        if one.name in _WEAK:
            yield Impurity(one.said, _WHAT, _FIX)
