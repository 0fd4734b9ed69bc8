"""What a name's value was made of, at any moment: the record, followed while it grows.

A slice reads the whole record anew. Whoever asks after every cell cannot wait for that, so a
trace goes on from where it was: what it costs is what ran since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_notebook.export.flow import Graph, Pass
from mesh_notebook.export.record import ExecutedCell, Record
from mesh_notebook.export.slicing import made_of
from mesh_notebook.export.statements import Statement, executed, rewrites_history, statements_in

__all__ = ["Trace"]


class Trace:
    """The flow of values through one record."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._pass = Pass()
        self._followed = 0
        self._before: ExecutedCell | None = None  # the last cell that the record saw run

    def inputs_of(self, name: str, namespace: Mapping[str, Any]) -> list[Statement]:
        """Return the statements that bound the inputs of what a name means now.

        Raises
        ------
        ExportRefused
            The record cannot tell.
        """
        record, graph = self._now(namespace)
        return [s for s in made_of(record, graph, name) if s.kind == "input"]

    def _now(self, namespace: Mapping[str, Any]) -> tuple[Record, Graph]:
        self._catch_up()
        record = self._record.until_now(namespace)
        running = record.cells[self._followed :]
        if not running:
            return record, self._pass.graph
        if any(map(rewrites_history, running)):
            return record, Pass().follow(executed(record))
        ahead = self._pass.copy()
        for cell in running:
            ahead.follow(statements_in(cell, self._before))
        return record, ahead.graph

    def _catch_up(self) -> None:
        cells = self._record.cells
        if any(map(rewrites_history, cells[self._followed :])):
            self._pass = Pass()
            self._pass.follow(executed(self._record))
            self._before = next((c for c in reversed(cells) if c.observed), None)
            self._followed = len(cells)
        while self._followed < len(cells):
            cell = cells[self._followed]
            self._pass.follow(statements_in(cell, self._before))
            self._before = cell if cell.observed else self._before
            self._followed += 1
