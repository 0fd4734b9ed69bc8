"""Rows that come of SQL over frames, which DuckDB finds by their names in the code that runs it."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from mesh_notebook.mesh.ordering.calls import order_of, words
from mesh_notebook.mesh.ordering.order import Need, Order
from mesh_notebook.mesh.ordering.queries import order_of_query
from mesh_notebook.mesh.ordering.scattering import Turn
from mesh_notebook.mesh.ordering.wrapping import Watch, line_of_the_module, marked

__all__ = ["watch_relations"]

_RUNNING = words("sql query execute from_query")
_FRAMES = words("df to_df fetchdf fetch_df pl")
_VALUES = words("fetchall to_dicts arrow fetch_arrow_table to_arrow_table fetchnumpy iter_rows")
_PLACES = words("fetchone fetchmany")
_TAKING = words("limit head offset first last sample")
_KEEPING = words("filter set_alias alias rename select_types select_dtypes")
_SORTING = words("order sort")
_WHOLE = words("count sum avg mean min max median std var product bool_and bool_or aggregate")
_OTHER = words(
    "select project distinct unique join cross union union_by_name except_ intersect map pivot "
    "unpivot unnest with_columns query apply group_by value_counts row_number lag lead rank "
    "dense_rank first_value last_value nth_value n_tile cume_dist percent_rank"
)
# DuckDB looks for frames where it is called: here, among the names of who calls the wrapper.
_CALL = compile("_mesh_act(*_mesh_args, **_mesh_options)", "<mesh>", "eval")
_LOST = ("SQL gives rows in no order", "end the query in an ORDER BY its key")
_GIVEN = "query"
Given = dict[str, tuple[tuple[str, ...], Order]]


class _Known:
    """What is known of relations and connections, which carry no attributes of ours."""

    def __init__(self, seen: Watch) -> None:
        self.seen = seen
        self._orders: dict[int, tuple[object, Order]] = {}
        self._tables: dict[int, Given] = {}

    def order(self, made: object) -> Order:
        return self._orders[id(made)][1] if id(made) in self._orders else order_of(made)

    def keep(self, made: object, order: Order) -> None:
        self._orders[id(made)] = (made, order)  # held, so that no other has its id

    def tables(self, connection: object) -> Given:
        return self._tables.setdefault(id(connection), {})


def watch_relations(seen: Watch) -> None:
    """From now on, follow what SQL makes of the frames of the code that runs it."""
    import duckdb

    known, default = _Known(seen), duckdb.default_connection()
    owners: tuple[tuple[Any, object], ...] = ((duckdb, default), (duckdb.DuckDBPyConnection, None))
    for owner, connection in owners:
        for name in _RUNNING:
            if callable(act := getattr(owner, name, None)):
                setattr(owner, name, _running(known, act, connection))
        owner.register = _registering(known, owner.register, connection)
    kinds = (duckdb.DuckDBPyRelation, duckdb.DuckDBPyConnection)
    for kind in kinds:
        for name in (*_FRAMES, *_VALUES, *_PLACES):
            if callable(act := getattr(kind, name, None)):
                setattr(kind, name, _leaving(known, act, name))
    for name in (*_TAKING, *_KEEPING, *_SORTING, *_WHOLE, *_OTHER):
        if callable(act := getattr(kinds[0], name, None)):
            setattr(kinds[0], name, _going_on(known, act, name))


def _running(known: _Known, act: Callable[..., Any], connection: object) -> Callable[..., Any]:
    @functools.wraps(act)
    def run(*args: Any, **options: Any) -> Any:
        caller, line = sys._getframe(1), line_of_the_module()
        names = {"_mesh_act": act, "_mesh_args": args, "_mesh_options": options}
        made = eval(_CALL, caller.f_globals, {**caller.f_locals, **names})
        texts = args if connection is not None else args[1:]
        text = texts[0] if texts else options.get(_GIVEN)
        if not line or not isinstance(text, str):
            return made
        tables = known.tables(connection if connection is not None else args[0])
        given = _given(known, text, {**caller.f_globals, **caller.f_locals}) | tables
        _note(known, tables, text, given, line, made)
        return made

    return run


def _note(known: _Known, tables: Given, text: str, given: Given, line: int, made: object) -> None:
    """Keep what is known of the rows that a query gives, or of the table that it makes."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if tree is not None]
    except SqlglotError:
        trees = []
    for tree in trees:
        query = tree.expression if isinstance(tree, exp.Create) else None
        if isinstance(query, exp.Query) and tree.find(exp.Table) is not None:
            said, columns = query.sql("duckdb"), [str(one) for one in query.named_selects]
            stars = [c for n, _ in given.values() for c in n] if "*" in columns else []
            order = order_of_query(said, given, line, [*columns, *stars])
            shown = tuple(c for c in [*columns, *stars] if c != "*")
            tables[tree.find(exp.Table).name] = (shown, order.lost(*_LOST))  # type: ignore[union-attr]
            given |= tables
    if made is None or (trees and not isinstance(trees[-1], exp.Query)):
        return
    last = trees[-1].sql("duckdb") if len(trees) > 1 else text
    known.keep(made, order_of_query(last, given, line, _columns(made)))


def _given(known: _Known, text: str, names: Mapping[str, Any]) -> Given:
    """Return the frames that a query may name, with what is known of their rows."""
    found: Given = {}
    for name in set(re.findall(r"\w+", text)) & names.keys():
        value = names[name]
        kind = type(value)
        if kind.__name__ in ("DataFrame", "LazyFrame", "Series", "DuckDBPyRelation", "Table"):
            found[name] = (tuple(_columns(value)), known.order(value))
    return found


def _columns(value: Any) -> list[str]:
    if hasattr(value, "collect_schema"):
        return list(value.collect_schema())
    if hasattr(value, "column_names"):
        return list(value.column_names)
    if hasattr(value, "columns"):
        return list(map(str, value.columns))
    return [str(one[0]) for one in getattr(value, "description", None) or ()]


def _registering(known: _Known, act: Callable[..., Any], connection: object) -> Callable[..., Any]:
    @functools.wraps(act)
    def register(*args: Any, **options: Any) -> Any:
        made = act(*args, **options)
        own = connection if connection is not None else args[0]
        rest = args if connection is not None else args[1:]
        if len(rest) > 1 and isinstance(rest[0], str):
            known.tables(own)[rest[0]] = (tuple(_columns(rest[1])), known.order(rest[1]))
        return made

    return register


def _leaving(known: _Known, act: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Wrap what hands out rows: as a frame, which is followed on, or as values."""

    @functools.wraps(act)
    def left(self: Any, *args: Any, **options: Any) -> Any:
        line = line_of_the_module()
        made = act(self, *args, **options)
        order = known.order(self)
        if not line or order == Order():
            return made
        if name in _FRAMES:
            return marked(_turned(made, order, known.seen.turn), order)
        if name in _PLACES and order.doubt is not None:
            order = order.faulty(Need(f"`{name}()` takes rows by their place"), line)
        known.seen.left(order)
        return _turned(made, order, known.seen.turn)

    return left


def _turned(made: Any, order: Order, turn: Turn) -> Any:
    """Return rows that lie in no order in another one."""
    if order.doubt is None:
        return made
    if type(made).__module__.startswith("polars.") and hasattr(made, "height"):
        return turn.scattered(made, order.by)
    if order.by:
        return made
    if isinstance(made, list):
        return [made[place] for place in turn.places(len(made))]
    if isinstance(made, dict):
        rows = len(next(iter(made.values()), ()))
        return {name: values[turn.places(rows)] for name, values in made.items()}
    if type(made).__name__ == "Table" and hasattr(made, "take"):
        return made.take(turn.places(made.num_rows))
    if type(made).__name__ == "DataFrame":  # of pandas
        return made.iloc[turn.places(len(made))].reset_index(drop=True)
    return made


def _going_on(known: _Known, act: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Wrap what makes a relation of a relation."""

    @functools.wraps(act)
    def going_on(self: Any, *args: Any, **options: Any) -> Any:
        line = line_of_the_module()
        made = act(self, *args, **options)
        if line and type(made).__name__ == "DuckDBPyRelation":
            known.keep(made, _after(known.order(self), name, args, _columns(self), line))
        return made

    return going_on


def _after(order: Order, name: str, args: tuple[Any, ...], columns: list[str], line: int) -> Order:
    if name in _KEEPING:
        return order
    if name in _TAKING:
        taken = order.doubt is None
        need = Need(f"`{name}()` takes rows by their place")
        return order if taken else order.faulty(need, line)
    if name in _SORTING and all(isinstance(one, str) for one in args):
        by = ", ".join(args)
        given = {"rows_of_it": (tuple(columns), order)}
        return order_of_query(f"SELECT * FROM rows_of_it ORDER BY {by}", given, line, columns)
    if name in _WHOLE and len(args) < 2:
        return Order(fault=order.fault)
    return order.without_keys().lost(*_LOST)
