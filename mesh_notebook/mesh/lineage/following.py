"""One function of a transform, run on empty traced inputs: what each of its columns needs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.lineage.frames import (
    Needs,
    Sources,
    kinds_in,
    needed,
    rows_chosen,
    rows_needed,
)
from mesh_notebook.mesh.lineage.grouping import Groups, recorded
from mesh_notebook.mesh.lineage.queries import traced_query, with_values
from mesh_notebook.mesh.lineage.straight import asks_for_types, goes_one_way, sql_helper
from mesh_notebook.mesh.lineage.values import LeftOut, left_out
from mesh_notebook.model.lineage import DIRECT

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Untraceable", "follow"]

Told = dict[str, Any]


class Untraceable(Exception):
    """A value may have reached the code, so that this run says nothing of others."""


def follow(
    module: ModuleType, tree: ast.Module, name: str, schemas: Mapping[str, pl.Schema]
) -> Told:
    """Return for each column its input fields, and those that decide on the rows.

    Two ways are tried. In the first, `collect` leaves a frame lazy: code that never looks at a
    value runs through, and the plan says all. In the second it collects: what was collected first
    is known exactly, and of all that is read afterwards every column counts.
    """
    import inspect

    parameters = inspect.signature(getattr(module, name)).parameters.values()
    wanted = [one.name for one in parameters if one.name in schemas or one.default is one.empty]
    given = {parameter: schemas[parameter] for parameter in wanted}
    if not asks_for_types(tree):
        try:
            return _Run(module, tree, name, given).lazily()
        # The user's own code: it may raise whatever it likes, and then tells us nothing.
        except Exception:  # noqa: BLE001
            pass
    if not goes_one_way(tree):
        raise Untraceable(f"{name} looks at values and then decides")
    return _Run(module, tree, name, given).eagerly()


@dataclass
class _Run:
    module: ModuleType
    tree: ast.Module
    name: str
    schemas: Mapping[str, pl.Schema]
    sources: Sources = field(default_factory=Sources)
    collected: Needs = frozenset()
    collects: int = 0
    # What is left out of the code as it is followed (see `lineage.values`).
    aside: LeftOut = LeftOut.NOTHING

    def lazily(self) -> Told:
        told = self._told(self._lazy(), lambda needs: needs, self._again(LeftOut.CHOICE).made_of())
        values = {c: {one[:2] for one in f if one[2] == DIRECT} for c, f in told["fields"].items()}
        compared = self._again(LeftOut.MATCHING).compared(values)
        if compared is not None:
            chosen = {one[:2] for f in (*told["fields"].values(), told["dataset"]) for one in f}
            told["matched"] = sorted(chosen - compared)
        return told | self._again(LeftOut.NOTHING).groups()

    def groups(self) -> dict[str, Any]:
        """Return whether the function only adds up groups of an input's rows; nothing if not."""
        groups = Groups()
        try:
            with recorded(groups):
                found = groups.of(self._lazy(), self.sources)
        # The user's own code, under another `group_by`.
        except Exception:  # noqa: BLE001
            return {}
        return {"grouped": found} if found else {}

    def _again(self, aside: LeftOut) -> _Run:
        return _Run(self.module, self.tree, self.name, self.schemas, aside=aside)

    def made_of(self) -> dict[str, Needs]:
        """Return by column what its values are made of; nothing of what cannot be told so."""
        import polars as pl

        try:
            frame = self._lazy()
            names = frame.collect_schema().names()
            return {c: needed(frame.select(pl.col(c)), self.sources) for c in names}
        # The user's own code, run otherwise than it was written: it may raise whatever it likes.
        except Exception:  # noqa: BLE001
            return {}

    def compared(self, values: Mapping[str, set[tuple[str, str]]]) -> set[tuple[str, str]] | None:
        """Return what chooses rows by more than that values are equal; None: it is not known."""
        found = self.made_of()
        if found.keys() != values.keys():
            return None
        chosen = {one for column, needs in found.items() for one in needs - values[column]}
        return chosen | self.sources.chosen | rows_chosen(self._lazy(), self.sources)

    def _lazy(self) -> pl.LazyFrame:
        import polars as pl

        result = self._result(lambda frame, *_, **__: frame, self._query)
        if self.sources.executed or not isinstance(result, pl.LazyFrame):
            raise Untraceable("a value was asked for")
        return result

    def _query(self, text: str, tables: Mapping[str, Any], sources: Sources) -> Any:
        return traced_query(text, tables, sources, self.aside)

    def eagerly(self) -> Told:
        import polars as pl

        collect = pl.LazyFrame.collect

        def noted(frame: pl.LazyFrame, *arguments: Any, **options: Any) -> Any:
            self._note(needed(frame, self.sources))
            self.sources.executed = False
            made = collect(frame, *arguments, **options)
            self.sources.executed = False
            return made

        def query(text: str, tables: Mapping[str, Any], sources: Sources) -> Any:
            return noted(traced_query(text, tables, sources))

        result = self._result(noted, query)
        if self.sources.executed:
            raise Untraceable("rows were read by another way than collect")
        frame = result.lazy()
        whole = self._whole if self.collects else lambda needs: needs
        return self._told(frame, lambda needs: whole(needs) | self.collected)

    def _note(self, needs: Needs) -> None:
        if needs:
            self.collected |= self._whole(needs) if self.collects else needs
            self.collects += 1

    def _whole(self, needs: Needs) -> Needs:
        """Return every column of the inputs that are read: a value may have chosen them."""
        names = {name for name, _ in needs}
        return frozenset((name, column) for name in names for column in self.schemas[name])

    def _result(self, collect: Callable[..., Any], query: Callable[..., Any]) -> Any:
        inputs = {name: self._input(name, schema) for name, schema in self.schemas.items()}
        with _patched(collect), left_out(self.aside, self.sources), self._queries(query):
            return getattr(self.module, self.name)(**inputs)

    def _input(self, name: str, schema: pl.Schema) -> pl.LazyFrame:
        return self.sources.add(schema, {c: frozenset({(name, c)}) for c in schema})

    @contextmanager
    def _queries(self, query: Callable[..., Any]) -> Iterator[None]:
        """Have the module's own function for SQL trace its query instead."""
        helper = sql_helper(self.tree)
        own = getattr(self.module, helper, None)

        def traced(text: str, values: Mapping[str, Any] | None = None, /, **tables: Any) -> Any:
            text = with_values(text, values) if values else text
            return query(text, {n: _polars(t).lazy() for n, t in tables.items()}, self.sources)

        if own is not None:
            setattr(self.module, helper, traced)
        try:
            yield
        finally:
            if own is not None:
                setattr(self.module, helper, own)

    def _told(
        self,
        frame: pl.LazyFrame,
        over: Callable[[Needs], Needs],
        values: Mapping[str, Needs] | None = None,
    ) -> Told:
        """Return what is told of a frame; `values`: what its columns are made of, if known."""
        import polars as pl

        columns = frame.collect_schema().names()
        rows = over(rows_needed(frame, self.sources))
        fields = {}
        for column in columns:
            plan = frame.select(pl.col(column))
            needs = over(needed(plan, self.sources))
            direct = needs & values[column] if values and column in values else needs
            how = self._how(plan)
            told = [(*one, "DIRECT", how) for one in direct]
            told += [(*one, "INDIRECT", "") for one in needs - direct - rows]
            fields[column] = sorted(told)
        kinds = kinds_in(frame)
        only = kinds.pop() if len(kinds) == 1 and not self._queried else ""
        return {"fields": fields, "dataset": sorted((*one, "INDIRECT", only) for one in rows)}

    @property
    def _queried(self) -> bool:
        return len(self.sources.known) > len(self.schemas) or bool(self.collects)

    def _how(self, plan: pl.LazyFrame) -> str:
        """Return the subtype of a column's plan, where its plan alone tells it."""
        if self._queried:
            return ""
        text = plan.explain()
        if "AGGREGATE" in text:
            return "AGGREGATION"
        plain = not any(mark in text for mark in ("WITH_COLUMNS", "SELECT [", "UNION", "HSTACK"))
        return "IDENTITY" if plain else "TRANSFORMATION"


def _polars(table: Any) -> Any:
    import polars as pl

    if not isinstance(table, pl.LazyFrame | pl.DataFrame):
        raise Untraceable("a query reads what is no Polars frame")
    return table


@contextmanager
def _patched(collect: Callable[..., Any]) -> Iterator[None]:
    """Have frames collect as told, and hand a function over whole batches with all columns."""
    import polars as pl

    kept = {name: getattr(pl.LazyFrame, name) for name in ("collect", "map_batches")}

    def map_batches(frame: pl.LazyFrame, function: Any, **options: Any) -> pl.LazyFrame:
        closed = {"projection_pushdown": False, "predicate_pushdown": False}
        made: pl.LazyFrame = kept["map_batches"](frame, function, **(options | closed))
        return made

    def none_at_all(*_: Any, **__: Any) -> Any:
        raise Untraceable("several frames are collected at once")

    collect_all = pl.collect_all
    try:
        pl.LazyFrame.collect = collect  # type: ignore[method-assign]
        pl.LazyFrame.map_batches = map_batches  # type: ignore[assignment]
        pl.collect_all = none_at_all
        yield
    finally:
        for name, method in kept.items():
            setattr(pl.LazyFrame, name, method)
        pl.collect_all = collect_all
