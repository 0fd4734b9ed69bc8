"""What a transform asks of the order of rows, followed while it runs.

Each frame that the module's own code makes carries what is known of its order. A step that takes
rows by their place, where the rows determine none, leaves a fault on what it makes; the fault
counts where the frame becomes an output, or leaves Polars for plain values. So all code is judged
alike, whatever it is written with, and as Polars itself understands its arguments.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any

from mesh_notebook.mesh.ordering.calls import Call, flat, order_of
from mesh_notebook.mesh.ordering.frames import FRAMES
from mesh_notebook.mesh.ordering.groups import GROUPED, GROUPING, GROUPS, Groups
from mesh_notebook.mesh.ordering.leaving import LEAVING, SERIES
from mesh_notebook.mesh.ordering.order import Doubt, Need, Order
from mesh_notebook.mesh.ordering.queries import order_of_query
from mesh_notebook.mesh.ordering.relations import watch_relations
from mesh_notebook.mesh.ordering.steps import Rule
from mesh_notebook.mesh.ordering.tables import (
    CHANGING,
    GROUPED_TABLES,
    INDEXERS,
    TABLE_GROUPS,
    TABLES,
    grouped_of,
    indexed,
)
from mesh_notebook.mesh.ordering.witness import Witness
from mesh_notebook.mesh.ordering.wrapping import (
    Watch,
    is_frame,
    line_of_the_module,
    marked,
    wrap,
    wrap_leaving,
    wrap_watched,
)

__all__ = ["Watch", "port", "source", "watch", "watch_queries"]


def port(frame: Any, name: str, key: frozenset[str]) -> Any:
    """Return an input whose rows have no order of theirs, marked so."""
    doubt = Doubt(
        f"the rows of the port `{name}` come in no order of theirs",
        f"sort them just before by what identifies a row{_named(key)}",
    )
    return marked(frame, Order(doubt, keys=frozenset({key} if key else ())))


def _named(key: frozenset[str]) -> str:
    return f": .sort({', '.join(map(repr, sorted(key)))})" if key else ""


def source(frame: Any, keys: Iterable[Iterable[str]] = ()) -> Any:
    """Return an input whose rows lie as its file has them.

    Parameters
    ----------
    keys
        What was said to be a key of the ports that are made of it.
    """
    return marked(frame, Order(witness=Witness.of(frame, keys)))


def watch(text: str = "") -> Watch:
    """From now on, and for good, follow the frames that the transform's own code makes.

    Parameters
    ----------
    text : str
        The module's, which says what else it is written with.
    """
    import polars as pl
    from polars.dataframe import group_by as eager
    from polars.lazyframe.group_by import LazyGroupBy

    seen = Watch()
    watched = wrap_watched(seen)
    for kind in (pl.LazyFrame, pl.DataFrame):
        wrap(kind, FRAMES, watched)
        wrap(kind, GROUPING, _grouping)
        wrap(kind, LEAVING, wrap_leaving(seen))
    for groups in (LazyGroupBy, eager.GroupBy, eager.DynamicGroupBy, eager.RollingGroupBy):
        wrap(groups, GROUPED, watched)
    wrap(eager.GroupBy, {"__iter__": seen}, _iterating)
    wrap(pl.Series, SERIES, watched)
    _wrap_functions()
    if "pandas" in text:
        _watch_tables(seen)
    if "duckdb" in text:
        watch_relations(seen)
    return seen


def _grouping(act: Callable[..., Any], rule: Callable[[Call], Groups]) -> Callable[..., Any]:
    @functools.wraps(act)
    def grouped(*args: Any, **kwargs: Any) -> Any:
        line = line_of_the_module()
        made = act(*args, **kwargs)
        if line and (call := Call.of(act, line, *args, **kwargs)) is not None:
            setattr(made, GROUPS, rule(call))
        return made

    return grouped


def _iterating(act: Callable[..., Any], seen: Watch) -> Callable[..., Any]:
    """Wrap the loop over groups: they come in another order, if they are promised in none."""

    @functools.wraps(act)
    def iterated(self: Any) -> Any:
        known = self.__dict__.get(GROUPS)
        if not isinstance(known, Groups):
            return act(self)
        parts = [(name, marked(part, known.order)) for name, part in act(self)]
        if not known.kept:
            seen.turn.shuffle(parts)
        return iter(parts)

    return iterated


def _wrap_functions() -> None:
    """Wrap `pl.concat` and `pl.collect_all`, which are no methods."""
    import polars as pl

    concat, collect_all = pl.concat, pl.collect_all

    @functools.wraps(concat)
    def concatenated(items: Any, *args: Any, **kwargs: Any) -> Any:
        line = line_of_the_module()
        frames = list(items) if line else items
        made = concat(frames, *args, **kwargs)
        if not line:
            return made
        orders = [order_of(one) for one in flat(frames)]
        doubt = next((one.doubt for one in orders if one.doubt), None)
        order = Order(doubt, fault=next((one.fault for one in orders if one.fault), None))
        if doubt and str(kwargs.get("how", "")).startswith("horizontal"):
            need = Need("`concat(how='horizontal')` sets rows side by side as they lie")
            order = order.faulty(need, line)
        return marked(made, order)

    @functools.wraps(collect_all)
    def collected(lazy_frames: Any, *args: Any, **kwargs: Any) -> Any:
        frames = list(lazy_frames)
        made = collect_all(frames, *args, **kwargs)
        return [marked(one, order_of(frame)) for one, frame in zip(made, frames, strict=True)]

    pl.concat, pl.collect_all = concatenated, collected
    pl.sql = _finding_tables(pl.sql)


def watch_queries(module: Any, name: str, seen: Watch) -> None:
    """Follow what the module's function for SQL steps makes."""
    seen.queries = name
    setattr(module, name, _querying(getattr(module, name), seen))


def _querying(act: Callable[..., Any], seen: Watch) -> Callable[..., Any]:
    """Wrap the module's function that runs SQL over frames."""

    @functools.wraps(act)
    def queried(query: str, *values: Any, **tables: Any) -> Any:
        line = line_of_the_module()
        given = {name: (_columns_of(frame), order_of(frame)) for name, frame in tables.items()}
        made = act(query, *values, **tables)
        order = order_of_query(query, given, line, made.columns)
        return marked(seen.turn.scattered(made) if order.doubt else made, order)

    return queried


def _finding_tables(act: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the SQL of Polars, which finds its tables among the names of who calls it."""

    @functools.wraps(act)
    def queried(query: str, *args: Any, **kwargs: Any) -> Any:
        line, caller = line_of_the_module(), sys._getframe(1)
        made = act(query, *args, **kwargs)
        if not line:
            return made
        names = {**caller.f_globals, **caller.f_locals}
        tables = {n: one for n, one in names.items() if n in query and _is_table(one)}
        given = {name: (_columns_of(one), order_of(one)) for name, one in tables.items()}
        order = order_of_query(query, given, line, list(_columns_of(made)))
        return marked(made, order)

    return queried


def _is_table(value: object) -> bool:
    return is_frame(value) and type(value).__name__ in ("LazyFrame", "DataFrame")


def _columns_of(frame: Any) -> tuple[str, ...]:
    if hasattr(frame, "collect_schema"):
        return tuple(frame.collect_schema())
    return tuple(map(str, frame.columns))


# ---- pandas --------------------------------------------------------------------------------------


def _watch_tables(seen: Watch) -> None:
    """Follow pandas too: what it makes of rows that have no order of theirs."""
    import pandas as pd
    import polars as pl
    from pandas.core.groupby import DataFrameGroupBy, SeriesGroupBy

    watched = wrap_watched(seen)
    pd.DataFrame.query = _looking_further_up(pd.DataFrame.query)
    for kind in (pd.DataFrame, pd.Series):
        wrap(kind, TABLES, watched)
        wrap(kind, CHANGING, _changing)
        wrap(kind, {"groupby": grouped_of}, _grouping_tables)
        for name in INDEXERS:
            _wrap_indexer(seen, type(getattr(kind(), name)), name)
    for groups in (DataFrameGroupBy, SeriesGroupBy):
        wrap(groups, GROUPED_TABLES, watched)
        wrap(groups, {"__getitem__": None, "__getattr__": None}, _part_of_groups)
    wrap(pd.DataFrame, {"__getattr__": None}, _part)
    pl.from_pandas = _handed_over(pl.from_pandas)
    for frame in (pl.DataFrame, pl.LazyFrame):
        wrap(frame, {"__init__": None}, _made_of)


def _looking_further_up(act: Callable[..., Any]) -> Callable[..., Any]:
    """Have `query("delay > @limit")` find the names of who calls it, past this and its wrapper."""

    @functools.wraps(act)
    def queried(*args: Any, **kwargs: Any) -> Any:
        return act(*args, **{**kwargs, "level": kwargs.get("level", 0) + 2})

    return queried


def _changing(act: Callable[..., Any], rule: Rule) -> Callable[..., Any]:
    """Wrap what changes a table in place."""

    @functools.wraps(act)
    def changing(*args: Any, **kwargs: Any) -> Any:
        line = line_of_the_module()
        made = act(*args, **kwargs)
        if line and (call := Call.of(act, line, *args, **kwargs)) is not None:
            marked(args[0], rule(call))
        return made

    return changing


def _grouping_tables(act: Callable[..., Any], rule: Callable[[Call], Any]) -> Callable[..., Any]:
    @functools.wraps(act)
    def grouped(*args: Any, **kwargs: Any) -> Any:
        line = line_of_the_module()
        made = act(*args, **kwargs)
        if line and (call := Call.of(act, line, *args, **kwargs)) is not None:
            object.__setattr__(made, TABLE_GROUPS, rule(call))
            marked(made, call.order)
        return made

    return grouped


def _part_of_groups(act: Callable[..., Any], rule: None) -> Callable[..., Any]:
    """Wrap what takes columns of groups: groups again."""

    @functools.wraps(act)
    def part(self: Any, key: Any) -> Any:
        made = act(self, key)
        known = self.__dict__.get(TABLE_GROUPS)
        if known is not None and hasattr(made, "__dict__") and not callable(made):
            object.__setattr__(made, TABLE_GROUPS, known)
            marked(made, order_of(self))
        return made

    return part


def _part(act: Callable[..., Any], rule: None) -> Callable[..., Any]:
    """Wrap what takes a column of a table by its name."""

    @functools.wraps(act)
    def part(self: Any, name: str) -> Any:
        made = act(self, name)
        if line_of_the_module() and type(made).__name__ == "Series":
            marked(made, order_of(self))
        return made

    return part


def _wrap_indexer(seen: Watch, kind: Any, name: str) -> None:
    act = kind.__getitem__

    @functools.wraps(act)
    def picked(self: Any, key: Any) -> Any:
        line = line_of_the_module()
        made = act(self, key)
        order = indexed(name, order_of(self.obj), key, line) if line else Order()
        if not is_frame(made):
            seen.left(order)
            return made
        return marked(made, order) if order != Order() else made

    kind.__getitem__ = picked


def _handed_over(act: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(act)
    def handed(data: Any, *args: Any, **kwargs: Any) -> Any:
        made = act(data, *args, **kwargs)
        order = order_of(data)
        return marked(made, order) if order != Order() else made

    return handed


def _made_of(act: Callable[..., Any], rule: None) -> Callable[..., Any]:
    """Wrap what makes a Polars frame of a table of pandas."""

    @functools.wraps(act)
    def made_of(self: Any, data: Any = None, *args: Any, **kwargs: Any) -> None:
        act(self, data, *args, **kwargs)
        if (order := order_of(data)) != Order():
            marked(self, order)

    return made_of
