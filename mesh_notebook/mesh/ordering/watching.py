"""What a transform asks of the order of rows, followed while it runs.

Each frame that the module's own code makes carries what is known of its order. A step that takes
rows by their place, where the rows determine none, leaves a fault on what it makes; the fault
counts where the frame becomes an output, or leaves Polars for plain values. So all code is judged
alike, whatever it is written with, and as Polars itself understands its arguments.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mesh_notebook.mesh.ordering.calls import ORDER, Call, flat, order_of
from mesh_notebook.mesh.ordering.frames import FRAMES, Rule
from mesh_notebook.mesh.ordering.groups import GROUPED, GROUPING, GROUPS, Groups
from mesh_notebook.mesh.ordering.leaving import LEAVING, SERIES
from mesh_notebook.mesh.ordering.order import Doubt, Fault, Keys, Order
from mesh_notebook.mesh.ordering.scattering import scattered

__all__ = ["Watch", "watch"]

_MODULE = "transform"


@dataclass
class Watch:
    """What was seen: the faults of frames whose values the code itself went on with."""

    faults: list[Fault] = field(default_factory=list)

    def fault_of(self, made: object) -> Fault | None:
        """Return why the rows of an output are not determined, if they are not."""
        return next(iter(self.faults), None) or order_of(made).fault

    def queries_of(self, module: Any, name: str) -> None:
        """Follow what the module's function for SQL steps makes."""
        setattr(module, name, _querying(self, getattr(module, name)))

    def left(self, order: Order) -> None:
        """Note that values leave a frame."""
        if order.fault is not None:
            self.faults.append(order.fault)


def port(frame: Any, name: str, key: frozenset[str]) -> Any:
    """Return an input whose rows have no order of theirs, marked so."""
    doubt = Doubt(
        f"the rows of the port `{name}` come in no order of theirs",
        f"sort them just before by what identifies a row{_named(key)}",
    )
    return _marked(frame, Order(doubt, keys=frozenset({key} if key else ())))


def _named(key: frozenset[str]) -> str:
    return f": .sort({', '.join(map(repr, sorted(key)))})" if key else ""


def keyed(frame: Any, key: frozenset[str]) -> Any:
    """Return an input whose rows lie as its file has them."""
    return _marked(frame, Order(keys=frozenset({key} if key else ())))


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
    for kind in (pl.LazyFrame, pl.DataFrame):
        _wrap(kind, FRAMES, functools.partial(_watched, seen))
        _wrap(kind, GROUPING, _grouping)
        _wrap(kind, LEAVING, functools.partial(_leaving, seen))
    for groups in (LazyGroupBy, eager.GroupBy, eager.DynamicGroupBy, eager.RollingGroupBy):
        _wrap(groups, GROUPED, functools.partial(_watched, seen))
    _wrap(pl.Series, SERIES, functools.partial(_watched, seen))
    _wrap_functions(seen)
    return seen


def _wrap(kind: type, rules: Mapping[str, Any], wrapper: Callable[..., Any]) -> None:
    for name, rule in rules.items():
        if callable(act := vars(kind).get(name)):
            setattr(kind, name, wrapper(act, rule))


def _by_the_module(depth: int = 2) -> int:
    """Return the line of the transform that calls; 0 where a library does."""
    frame = sys._getframe(depth)
    return frame.f_lineno if frame.f_globals.get("__name__") == _MODULE else 0


def _watched(seen: Watch, act: Callable[..., Any], rule: Rule) -> Callable[..., Any]:
    @functools.wraps(act)
    def watched(*args: Any, **kwargs: Any) -> Any:
        line = _by_the_module()
        call = Call.of(act, line, *args, **kwargs) if line else None
        if call is None or _unknown_groups(call):
            return act(*args, **kwargs)
        made = act(*args, **kwargs)
        return _seen(seen, call, rule(call), made)

    return watched


def _unknown_groups(call: Call) -> bool:
    return call.frame.__class__.__name__.endswith("GroupBy") and not hasattr(call.frame, GROUPS)


def _seen(seen: Watch, call: Call, order: Order, made: Any) -> Any:
    """Mark what a step made; a value that is no frame has left Polars."""
    import polars as pl

    if not isinstance(made, pl.LazyFrame | pl.DataFrame | pl.Series):
        seen.left(order)
        return made
    news = order.doubt is not None and (order.doubt != call.order.doubt or call.name == "collect")
    if news and isinstance(made, pl.DataFrame):
        made = scattered(made, order.by)
    return _marked(made, order)


def _marked(made: Any, order: Order) -> Any:
    if order != Order():
        setattr(made, ORDER, order)
    return made


def _grouping(act: Callable[..., Any], rule: Callable[[Call], Groups]) -> Callable[..., Any]:
    @functools.wraps(act)
    def grouped(*args: Any, **kwargs: Any) -> Any:
        line = _by_the_module()
        made = act(*args, **kwargs)
        if line and (call := Call.of(act, line, *args, **kwargs)) is not None:
            setattr(made, GROUPS, rule(call))
        return made

    return grouped


def _leaving(seen: Watch, act: Callable[..., Any], rule: Rule) -> Callable[..., Any]:
    """Wrap what hands out the rows of a frame, as values or to another library."""

    @functools.wraps(act)
    def leaving(*args: Any, **kwargs: Any) -> Any:
        line = _by_the_module()
        made = act(*args, **kwargs)
        if not line or (call := Call.of(act, line, *args, **kwargs)) is None:
            return made
        order = rule(call)
        seen.left(order)
        return _marked(made, replace(order, fault=None)) if hasattr(made, "__dict__") else made

    return leaving


def _wrap_functions(seen: Watch) -> None:
    """Wrap `pl.concat` and `pl.collect_all`, which are no methods."""
    import polars as pl

    concat, collect_all = pl.concat, pl.collect_all

    @functools.wraps(concat)
    def concatenated(items: Any, *args: Any, **kwargs: Any) -> Any:
        line = _by_the_module()
        frames = list(items) if line else items
        made = concat(frames, *args, **kwargs)
        if not line:
            return made
        orders = [order_of(one) for one in flat(frames)]
        doubt = next((one.doubt for one in orders if one.doubt), None)
        fault = next((one.fault for one in orders if one.fault), None)
        return _marked(made, Order(doubt, fault=fault))

    @functools.wraps(collect_all)
    def collected(lazy_frames: Any, *args: Any, **kwargs: Any) -> Any:
        frames = list(lazy_frames)
        made = collect_all(frames, *args, **kwargs)
        return [_marked(one, order_of(frame)) for one, frame in zip(made, frames, strict=True)]

    pl.concat, pl.collect_all = concatenated, collected


def _querying(seen: Watch, act: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the module's function that runs SQL over frames."""
    from mesh_notebook.mesh.ordering.queries import Table, asked_of

    @functools.wraps(act)
    def queried(query: str, /, **tables: Any) -> Any:
        line = _by_the_module()
        orders = {name: order_of(frame) for name, frame in tables.items()}
        known = {n: Table(_columns_of(frame), orders[n].keys) for n, frame in tables.items()}
        asked = asked_of(query, known)
        fault = next((one.fault for one in orders.values() if one.fault), None)
        if fault is None and asked.faults:
            fault = Fault(line, *asked.faults[0])
        made = act(query, **tables)
        order = Order(keys=_spelled(asked.made.keys, made.columns), fault=fault)
        if not asked.ordered:
            order = order.lost("SQL gives rows in no order", "end the query in an ORDER BY its key")
            made = scattered(made)
        return _marked(made, order)

    return queried


def _columns_of(frame: Any) -> tuple[str, ...]:
    if hasattr(frame, "collect_schema"):
        return tuple(frame.collect_schema())
    return tuple(map(str, frame.columns))


def _spelled(keys: Keys, columns: list[str]) -> Keys:
    """Return keys in the letters that the columns have."""
    names = {name.lower(): name for name in columns}
    return frozenset(frozenset(names[n] for n in key) for key in keys if key <= set(names))
