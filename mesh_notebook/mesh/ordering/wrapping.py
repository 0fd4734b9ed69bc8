"""How methods of a library are wrapped, so that what the module's own calls make is marked."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mesh_notebook.mesh.ordering.calls import ORDER, Call, flat, order_of
from mesh_notebook.mesh.ordering.groups import GROUPS
from mesh_notebook.mesh.ordering.order import KEEPING, Fault, Order
from mesh_notebook.mesh.ordering.scattering import Turn
from mesh_notebook.mesh.ordering.steps import Rule

__all__ = [
    "Watch",
    "is_frame",
    "line_of_the_module",
    "marked",
    "wrap",
    "wrap_leaving",
    "wrap_watched",
]

_MODULE = "transform"
Wrapper = Callable[[Callable[..., Any], Any], Callable[..., Any]]


@dataclass
class Watch:
    """What was seen: the faults of frames whose values the code itself went on with.

    Attributes
    ----------
    turn : Turn
        How rows that lie in no order of theirs are left.
    queries : str
        The module's function that runs SQL over frames; empty where it has none.
    """

    faults: list[Fault] = field(default_factory=list)
    turn: Turn = field(default_factory=Turn)
    queries: str = ""

    def fault_of(self, made: object) -> Fault | None:
        """Return why the rows of an output are not determined, if they are not."""
        return next(iter(self.faults), None) or order_of(made).fault

    def left(self, order: Order) -> None:
        """Note that values leave a frame."""
        if order.fault is not None:
            self.faults.append(order.fault)


def wrap(kind: Any, rules: Mapping[str, Any], wrapper: Wrapper) -> None:
    """Wrap the methods of a class that rules are given for, inherited ones too."""
    for name, rule in rules.items():
        if callable(act := getattr(kind, name, None)):
            made = wrapper(act, rule)
            with contextlib.suppress(TypeError, ValueError):  # some of C tell none
                # pandas looks there whether a method knows `axis`, and not at what is wrapped.
                vars(made)["__signature__"] = inspect.signature(act)
            setattr(kind, name, made)


def line_of_the_module(depth: int = 2) -> int:
    """Return the line of the transform that calls; 0 where a library does."""
    frame = sys._getframe(depth)
    return frame.f_lineno if frame.f_globals.get("__name__") == _MODULE else 0


def marked(made: Any, order: Order, sure: bool = False) -> Any:
    """Return what was made, carrying what is known of its order.

    `sure` says that a fault's columns of which there is no doubt are still those.
    """
    if not sure:
        order = order.sure_of(())
    if order != Order() or order_of(made) != order:
        object.__setattr__(made, ORDER, order)
    return made


def wrap_watched(seen: Watch) -> Wrapper:
    """Return the wrapper of what makes frames of frames."""

    def wrapper(act: Callable[..., Any], rule: Rule) -> Callable[..., Any]:
        @functools.wraps(act)
        def watched(*args: Any, **kwargs: Any) -> Any:
            line = line_of_the_module()
            call = Call.of(act, line, *args, **kwargs) if line else None
            if call is None or _unknown_groups(call):
                return act(*args, **kwargs)
            made = act(*args, **kwargs)
            return _seen(seen, call, rule(call), made)

        return watched

    return wrapper


def _unknown_groups(call: Call) -> bool:
    polars = type(call.frame).__module__.startswith("polars")
    return (
        polars and type(call.frame).__name__.endswith("GroupBy") and not hasattr(call.frame, GROUPS)
    )


def _seen(seen: Watch, call: Call, order: Order, made: Any) -> Any:
    """Mark what a step made; a value that is no frame has left the library."""
    if not is_frame(made):
        seen.left(order)
        return made
    news = order.doubt is not None and (order.doubt != call.order.doubt or call.name == "collect")
    if news and _is_rows(made):
        made = seen.turn.scattered(made, order.by)
    return marked(made, order, sure=call.name in KEEPING)


def is_frame(made: object) -> bool:
    """Return whether a value holds rows that can be followed further."""
    kind = type(made)
    known = ("LazyFrame", "DataFrame", "Series")
    groups = kind.__module__.startswith("pandas") and kind.__name__.endswith("GroupBy")
    return (kind.__module__.startswith(("polars.", "pandas.")) and kind.__name__ in known) or groups


def _is_rows(made: object) -> bool:
    return type(made).__module__.startswith("polars.") and type(made).__name__ == "DataFrame"


def wrap_leaving(seen: Watch) -> Wrapper:
    """Return the wrapper of what hands out rows, as values or to another library."""

    def wrapper(act: Callable[..., Any], rule: Rule) -> Callable[..., Any]:
        @functools.wraps(act)
        def leaving(*args: Any, **kwargs: Any) -> Any:
            line = line_of_the_module()
            made = act(*args, **kwargs)
            if not line or (call := Call.of(act, line, *args, **kwargs)) is None:
                return made
            order = rule(call)
            seen.left(order)
            order = replace(order, fault=None)
            for part in made.values() if isinstance(made, dict) else flat(made):
                if is_frame(part):
                    marked(part, order)
            return made

        return leaving

    return wrapper
