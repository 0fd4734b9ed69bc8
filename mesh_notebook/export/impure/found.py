"""All that makes one statement answer otherwise from run to run, each with the way to mend it."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.approximate import approximations
from mesh_notebook.export.impure.chance import chance_in, draws
from mesh_notebook.export.impure.clocks import clock_reads, reads_clock
from mesh_notebook.export.impure.codes import codes_of_categories
from mesh_notebook.export.impure.computed import computed_names
from mesh_notebook.export.impure.identity import identities
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.impure.machine import told_by_the_machine
from mesh_notebook.export.impure.sets import orders_of_sets
from mesh_notebook.export.impure.weak import weak_references
from mesh_notebook.export.impure.zones import zones_of_the_machine
from mesh_notebook.export.references import references
from mesh_notebook.export.statements import Statement

__all__ = ["Impurity", "impurities", "unsteady_in"]


def impurities(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield what keeps a statement from being repeated: chance, clock, machine, memory, sets."""
    yield from draws(statement, graph)
    yield from clock_reads(statement, graph)
    yield from zones_of_the_machine(statement, graph)
    yield from told_by_the_machine(statement, graph)
    yield from identities(statement, graph)
    yield from codes_of_categories(statement, graph)
    yield from computed_names(statement, graph)
    yield from orders_of_sets(statement, graph)
    yield from weak_references(statement, graph)
    yield from approximations(statement, graph)


def unsteady_in(statement: Statement, graph: Graph) -> list[str]:
    """Return the calls of a statement that may answer differently each time, as written.

    The clock, chance, and what keeps any one row of several.
    """
    called = [one for one in references(statement, graph) if one.call]
    unsteady = [
        one.said
        for one in called
        if reads_clock(one, statement, graph) or one.name.endswith((".unique", ".first"))
    ]
    return unsteady + chance_in(statement, graph)
