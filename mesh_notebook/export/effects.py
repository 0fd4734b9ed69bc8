"""What a statement does to names: reads, binds, changes; and the code that it defines for later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from mesh_notebook.export.draws.asks import Ask
from mesh_notebook.export.flows import Flow
from mesh_notebook.export.touches import Touch

__all__ = ["Body", "Effects", "once", "resolved"]


@dataclass(frozen=True)
class Body:
    """Code that runs when it is called: its free names are read at that moment.

    Attributes
    ----------
    reads : frozenset of str
        Free names, those of the functions inside it included.
    values : frozenset of str
        Those of them that are used other than by calling them.
    binds : frozenset of str
        Names that it declares `global` and binds.
    touches : tuple of Touch
        Uses of free names and of its own parameters.
    makes_code : bool
        It holds functions of its own, so what it returns may run later still.
    defaults : frozenset of str
        Parameters whose default may change from call to call.
    inner_touches : tuple of Touch
        Uses of its own local names by the functions inside it: what a closure keeps.
    returns : frozenset of str
        Free names whose values it, or a function inside it, may return.
    keeps : frozenset of (str, str)
        Parameters that it puts a value into, and those whose value it may be.
    asks : tuple of Ask
        The functions that it, or a function inside it, calls or names.
    implicit : bool
        It is a part of a class that runs though nobody calls it by its name: an operator, a
        property, the way in and out of `with`.
    """

    name: str
    params: tuple[str, ...]
    reads: frozenset[str]
    values: frozenset[str]
    binds: frozenset[str]
    touches: tuple[Touch, ...]
    makes_code: bool
    defaults: frozenset[str] = frozenset()
    inner_touches: tuple[Touch, ...] = ()
    returns: frozenset[str] = frozenset()
    keeps: frozenset[tuple[str, str]] = frozenset()
    asks: tuple[Ask, ...] = ()
    implicit: bool = False


@dataclass
class Effects:
    """What one statement does when it is executed.

    Attributes
    ----------
    reads : set of str
        Names whose value before the statement it may need.
    values : set of str
        Those of them that are used other than by calling them.
    binds : dict
        By name: whether it is bound for certain once the statement has run.
    deletes : set of str
    touches, flows
        How values are handled and shared (see `touches`).
    bodies : list of Body
        The code that it defines.
    runs_bodies : bool
        Whether that code may already run in this statement.
    asks : tuple of Ask
        The functions that it calls or names, outside that code.
    """

    reads: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    binds: dict[str, bool] = field(default_factory=dict)
    deletes: set[str] = field(default_factory=set)
    touches: list[Touch] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    runs_bodies: bool = True
    asks: tuple[Ask, ...] = ()


def resolved(touches: Sequence[Touch], flows: Sequence[Flow], local: set[str]) -> list[Touch]:
    """Trace uses of local names back to the outer names that they may stand for.

    Where a local name stands for what a call gave, the use is of what that call returns, too.
    """
    origins = _origins(flows, local)
    found = []
    for touch in touches:
        if touch.name not in local:
            found.append(touch)
        for source in sorted(origins.get(touch.name, ()), key=repr):
            found.append(replace(touch, name=source.name, via=source))
            if source.how == "call":
                found.append(replace(touch, name=source.name, returned=True))
    return once(found)


def once(touches: Iterable[Touch]) -> list[Touch]:
    """Return touches without repetition."""
    return list(dict.fromkeys(touches))


def _origins(flows: Sequence[Flow], local: set[str]) -> dict[str, set[Touch]]:
    """Return by local name the uses of outer names whose value it may stand for."""
    origins: dict[str, set[Touch]] = {}
    changed = True
    while changed:
        changed = False
        for flow in flows:
            if flow.target not in local:
                continue
            known = origins.setdefault(flow.target, set())
            source = flow.source
            new = {source}
            if source.name in local:
                new = {_through(one, source) for one in origins.get(source.name, set())}
            changed |= not new <= known
            known |= new
    return origins


def _through(first: Touch, then: Touch) -> Touch:
    """Return the use of an outer name that two uses, one of what the other gave, come to."""
    return replace(then, name=first.name) if first.how == "held" else first
