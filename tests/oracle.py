"""What a notebook's cells make when they are executed once more, by nothing of ours.

Neither the record's identities nor the slice nor the proof is asked: the cells' own Python is
executed in a fresh namespace, in the order in which they ran, on inputs that may be others.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import polars as pl

__all__ = ["Outcome", "Told", "executed_again", "told"]

Told = tuple[tuple[tuple[str, str], ...], frozenset[tuple[str, int]]]


@dataclass
class Outcome:
    """What came of executing cells: the frame of the port, and where each cell failed."""

    failed: list[tuple[str, int] | None] = field(default_factory=list)
    frame: Any = None


class _Mesh:
    """The verbs, as plain as can be: magics call it, and so do methods."""

    def __init__(self, names: dict[str, Any], inputs: Mapping[str, pl.LazyFrame]) -> None:
        self.names, self.inputs, self.declared = names, inputs, None

    def source(self, name: str) -> pl.LazyFrame:
        self.names[name] = self.inputs[name].lazy()
        return self.names[name]

    def run_line_magic(self, magic: str, line: str) -> Any:
        if magic == "time":
            return exec(line, self.names)
        verb, *words = line.split()
        if verb == "output":
            self.declared = self.names[words[1]]
            return None
        return self.source(words[0])

    def run_cell_magic(self, magic: str, line: str, cell: str) -> Any:
        name = line.split()[1]
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for table, value in self.names.items():
                if isinstance(value, pl.DataFrame | pl.LazyFrame):
                    connection.register(table, value.lazy().collect().to_arrow())
            self.names[name] = connection.sql(cell).pl()
        return self.names[name]


def executed_again(codes: Sequence[str], inputs: Mapping[str, pl.LazyFrame]) -> Outcome:
    """Execute cells, given as Python; a cell that fails ends at that line, as in a notebook."""
    names: dict[str, Any] = {"__name__": "__main__"}
    mesh = names["mesh"] = _Mesh(names, inputs)
    names["get_ipython"] = lambda: mesh
    outcome = Outcome()
    random.seed(len(codes))  # whoever draws without a seed draws something else than before
    np.random.seed(len(codes))
    for code in codes:
        outcome.failed.append(_failure(code, names))
    outcome.frame = mesh.declared
    return outcome


def _failure(code: str, names: dict[str, Any]) -> tuple[str, int] | None:
    try:
        exec(compile(code, "cell", "exec"), names)
    except Exception as error:  # noqa: BLE001  whatever a cell raises is its outcome
        trace, line = error.__traceback__, 0
        while trace is not None:
            line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == "cell" else line
            trace = trace.tb_next
        return type(error).__name__, line
    return None


def told(frame: Any) -> Told | None:
    """Return a frame's columns, in order, and its rows as a multiset; None where it fails."""
    try:
        made = frame.lazy().collect()
    except Exception:  # noqa: BLE001  a lazy frame may hold any of the program's errors
        return None
    rows = Counter(repr([_rounded(v) for v in row]) for row in made.rows())
    return tuple((n, str(t)) for n, t in made.schema.items()), frozenset(rows.items())


def _rounded(value: Any) -> Any:
    return f"{value:.9g}" if isinstance(value, float) else value
