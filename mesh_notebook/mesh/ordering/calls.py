"""One call of a method of Polars: what it was given, by name, and which columns that means."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from mesh_notebook.mesh.ordering.order import Need, Order

__all__ = ["ORDER", "Call", "flat", "order_of", "words"]

ORDER = "_mesh_order"  # the attribute under which a frame carries what is known of its rows


def order_of(value: object) -> Order:
    """Return what is known of a frame's order; what nothing is known of is let be."""
    found = getattr(value, "__dict__", {}).get(ORDER)
    return found if isinstance(found, Order) else Order()


@dataclass(frozen=True)
class Call:
    """A call of `frame.name(…)`.

    Attributes
    ----------
    frame
        The receiver: a frame, a series, or the groups of one.
    order : Order
        What is known of its rows.
    line : int
        Where the module says it.
    """

    name: str
    frame: Any
    order: Order
    given: Mapping[str, Any]
    line: int

    @classmethod
    def of(cls, act: Callable[..., Any], line: int, *args: Any, **kwargs: Any) -> Call | None:
        """Return the call; None where its arguments are wrong, so that it fails by itself."""
        try:
            bound = _signature(act).bind(*args, **kwargs)
        except (TypeError, ValueError):  # wrong arguments; or a method that tells no signature
            return None
        frame, *_ = args
        more = {k: v for one in bound.kwargs.items() for k, v in [one] if k not in bound.arguments}
        return cls(act.__name__, frame, order_of(frame), {**bound.arguments, **more}, line)

    def flag(self, name: str) -> bool:
        return bool(self.given.get(name, False))

    @cached_property
    def columns(self) -> Collection[str]:
        """The columns of the frame."""
        frame = self.frame
        if hasattr(frame, "collect_schema"):
            return list(frame.collect_schema())
        return list(map(str, getattr(frame, "columns", ())))

    def columns_of(self, *names: str) -> frozenset[str]:
        """Return the columns that arguments name; computed ones are left out."""
        return frozenset(n for name in names for n in self._named(self.given.get(name)))

    def _named(self, given: Any) -> Iterator[str]:
        for one in flat(given):
            if isinstance(one, str):
                yield one
            elif hasattr(one, "meta") and one.meta.is_column():
                yield one.meta.output_name()
            elif hasattr(one, "meta") and one.meta.is_column_selection(allow_aliasing=False):
                yield from self.frame.lazy().select(one).collect_schema()

    def asks(self, need: Need, order: Order | None = None) -> Order:
        """Return the order, with a fault if the rows do not determine what a step asks."""
        order = self.order if order is None else order
        if order.meets(need, lambda: self.columns):
            return order
        return order.faulty(need, self.line)


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def flat(given: Any) -> Iterator[Any]:
    """Yield what was given alone, in lists, or as the values of a mapping."""
    if given is None:
        return
    if isinstance(given, Mapping):
        given = given.values()
    elif isinstance(given, str) or not hasattr(given, "__iter__"):
        yield given
        return
    elif not isinstance(given, list | tuple | set | frozenset) and not _is_view(given):
        yield given  # a series, or an iterator that is the method's own to use up
        return
    for one in given:
        yield from flat(one)


def _is_view(given: object) -> bool:
    return type(given).__name__ in ("dict_values", "dict_keys")


@cache
def _signature(act: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(act)
