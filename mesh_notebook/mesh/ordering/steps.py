"""One step of a frame: the rule that it follows, and what its expressions ask of the order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mesh_notebook.mesh.ordering.calls import Call, flat
from mesh_notebook.mesh.ordering.expressions import needs_of
from mesh_notebook.mesh.ordering.order import Order

__all__ = ["Rule", "asked", "expressions_of"]

Rule = Callable[[Call], Order]


def asked(call: Call, partition: frozenset[str] = frozenset()) -> Order:
    """Return the order after what the expressions of a call ask of it."""
    order = call.order
    for one in expressions_of(call):
        for need in needs_of(one, partition):
            order = call.asks(need, order)
    return order


def expressions_of(call: Call) -> Iterator[Any]:
    for name, given in call.given.items():
        if name != "self":
            yield from (one for one in flat(given) if hasattr(one, "meta"))
