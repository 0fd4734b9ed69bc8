"""What a name's value was made of, at any moment: the record, followed while it grows.

A slice reads the whole record anew. Whoever asks after every cell cannot wait for that, so a
trace goes on from where it was: what it costs is what ran since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.flow import Pass
from mesh_notebook.export.record import ExecutedCell, Record
from mesh_notebook.export.refusals import may_rebind_any
from mesh_notebook.export.slicing import refuse_unaccounted
from mesh_notebook.export.statements import Statement, executed, rewrites_history, statements_in

__all__ = ["Trace"]

# The indices of the statements that bound the inputs of a value; None where nobody knows.
Sources = frozenset[int] | None


class Trace:
    """The flow of values through one record."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._known = _Known()
        self._followed = 0

    def inputs_of(self, name: str, namespace: Mapping[str, Any]) -> list[Statement] | None:
        """Return the statements that bound the inputs of what a name means now.

        Returns
        -------
        None where the record cannot tell.
        """
        return self._now(namespace).inputs_of(name)

    def _now(self, namespace: Mapping[str, Any]) -> _Known:
        self._catch_up()
        record = self._record.until_now(namespace)
        running = record.cells[self._followed :]
        if any(map(rewrites_history, running)):
            return _Known.of(record)
        ahead = self._known.copy() if running else self._known
        for cell in running:
            ahead.follow(record, cell)
        return ahead

    def _catch_up(self) -> None:
        new = self._record.cells[self._followed :]
        if any(map(rewrites_history, new)):
            self._known = _Known.of(self._record)
        else:
            for cell in new:
                self._known.follow(self._record, cell)
        self._followed += len(new)


class _Known:
    """What is known after some cells."""

    def __init__(self) -> None:
        self._pass = Pass()
        self._sources: list[Sources] = []
        self._before: ExecutedCell | None = None  # the last cell that the record saw run
        self._blind = False  # whether code ran that may change names which it does not show

    @classmethod
    def of(cls, record: Record) -> _Known:
        known = cls()
        known._add(record, executed(record))
        known._before = next((c for c in reversed(record.cells) if c.observed), None)
        return known

    def copy(self) -> _Known:
        other = _Known()
        other._pass, other._sources = self._pass.copy(), list(self._sources)
        other._before, other._blind = self._before, self._blind
        return other

    def follow(self, record: Record, cell: ExecutedCell) -> None:
        self._add(record, statements_in(cell, self._before))
        self._before = cell if cell.observed else self._before

    def inputs_of(self, name: str) -> list[Statement] | None:
        graph = self._pass.graph
        if name not in graph.final or self._blind:
            return None
        sources = self._together(graph.final[name])
        return None if sources is None else [graph.statements[i] for i in sorted(sources)]

    def _add(self, record: Record, statements: Sequence[Statement]) -> None:
        self._pass.follow(statements)
        for statement in statements:
            self._sources.append(self._sources_of(record, statement))
            self._blind |= may_rebind_any(statement, self._pass.graph)
            if statement.kind == "opaque" and statement.node is not None:
                self._doubt_the_cell(statement)

    def _doubt_the_cell(self, magic: Statement) -> None:
        """Another magic may bind anew what its cell bound before: only ends of cells are seen."""
        for earlier in reversed(self._pass.graph.statements[: magic.index]):
            if earlier.cell.index != magic.cell.index:
                return
            self._sources[earlier.index] = None

    def _sources_of(self, record: Record, statement: Statement) -> Sources:
        graph = self._pass.graph
        try:
            refuse_unaccounted(record, statement, graph)
        except ExportRefused:
            return None
        if statement.kind == "input":
            return frozenset({statement.index})
        needs = graph.needs[statement.index].values()
        return self._together([writer for writers in needs for writer in writers])

    def _together(self, writers: Sequence[int]) -> Sources:
        """Return the sources of what several statements made; one unknown makes all unknown."""
        found: set[int] = set()
        for writer in writers:
            sources = self._sources[writer]
            if sources is None:
                return None
            found |= sources
        return frozenset(found)
