"""What a Polars plan needs: each input is a source, and the optimiser says what it must give.

Once a plan is optimised, its source gives the named columns and no others, so that nothing else
can have a say in the result, whatever the code in between does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Needs", "Sources", "kinds_in", "needed", "rows_chosen", "rows_needed", "unoptimised"]

Needs = frozenset[tuple[str, str]]
_ROW = "_mesh_notebook_row"


@dataclass
class Sources:
    """The traced sources of one run: inputs, and the results of queries over them.

    Attributes
    ----------
    executed : bool
        Whether rows were asked of a source, so that a value may have reached the code.
    chosen : frozenset
        What chose the rows of the sides of joins that were left out.
    """

    known: dict[Any, Mapping[str, Needs]] = field(default_factory=dict)
    executed: bool = False
    chosen: Needs = frozenset()

    def add(self, schema: pl.Schema, needs: Mapping[str, Needs]) -> pl.LazyFrame:
        """Return an empty frame; `needs` says what each column of it stands for."""
        import polars as pl
        from polars.io.plugins import register_io_source

        def rows(
            with_columns: list[str] | None,
            predicate: pl.Expr | None,
            n_rows: int | None,
            batch_size: int | None,
        ) -> Iterator[pl.DataFrame]:
            self.executed = True
            frame = pl.DataFrame(schema=schema)
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if with_columns is None else frame.select(with_columns)

        self.known[rows] = needs
        return register_io_source(rows, schema=schema)

    def behind(self, scan: Any) -> Mapping[str, Needs]:
        """Return what a scan's columns stand for."""
        cells = (cell.cell_contents for cell in scan.__closure__ or ())
        return next(
            self.known[c] for c in cells if getattr(c, "__hash__", None) and c in self.known
        )


def needed(frame: pl.LazyFrame, sources: Sources) -> Needs:
    """Return the input columns that can have a say in a frame."""
    plan = frame._ldf.visit()
    found: set[tuple[str, str]] = set()
    waiting, seen = [plan.get_node()], set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        plan.set_node(node)
        if inputs := plan.get_inputs():
            waiting.extend(inputs)
            continue
        leaf = plan.view_current_node()
        if type(leaf).__name__ == "PythonScan":
            scan, columns = leaf.options[:2]
            needs = sources.behind(scan)
            for column in needs if columns is None else columns:
                found |= needs[column]
    return frozenset(found)


def rows_needed(frame: pl.LazyFrame, sources: Sources) -> Needs:
    """Return the input columns that decide how many rows there are.

    A plan cannot read no column at all, and so may name one that only stands for the rows. Each
    plan that tells the number of rows is sound by itself, so what they share is.
    """
    import polars as pl

    names = frame.collect_schema().names()
    index = frame.with_row_index(_ROW).select(_ROW)
    plans = (frame.select(pl.col(name)) for name in names)
    return _shared(chain([frame.select(pl.len()), index], plans), sources)


def rows_chosen(frame: pl.LazyFrame, sources: Sources) -> Needs:
    """Return what every column of a frame needs, as its rows are chosen by it.

    Of a single column that says nothing, unless the plan leaves rows out.
    """
    import polars as pl

    names = frame.collect_schema().names()
    if len(names) < 2 and not any(m in frame.explain(optimizations=unoptimised()) for m in _LEAVES):
        return frozenset()
    return _shared((frame.select(pl.col(name)) for name in names), sources)


def _shared(plans: Iterable[pl.LazyFrame], sources: Sources) -> Needs:
    """Return what every plan needs; once that is nothing, no further plan is looked at."""
    shared: Needs | None = None
    for plan in plans:
        found = needed(plan, sources)
        shared = found if shared is None else shared & found
        if not shared:
            break
    return shared or frozenset()


_LEAVES = ("FILTER", "SELECTION", "SORT", "SLICE", "JOIN", "UNIQUE", "TOP")
_KINDS = (
    *(("JOIN", "JOIN"), ("AGGREGATE", "GROUP_BY"), ("FILTER", "FILTER"), ("SELECTION", "FILTER")),
    ("SORT", "SORT"),
)


def kinds_in(frame: pl.LazyFrame) -> set[str]:
    """Return what a plan does that decides on rows, in OpenLineage's words."""
    text = frame.explain(optimizations=unoptimised())
    return {word for mark, word in _KINDS if mark in text}


def unoptimised() -> Any:
    """Return the settings under which a plan is as the code says it."""
    import polars as pl

    return pl.QueryOptFlags.none()
