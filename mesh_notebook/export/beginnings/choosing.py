"""Which beginnings are written once: those that a reader is better served by a name for.

A call, a head and a `return` are read, too. So one line of code stays where it is, however often:
it is seen at a glance. Of more, three lines at least must not have to be said again. No more than
three values are handed over, and each beyond the first has to be worth two lines: a reader keeps
count of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from mesh_notebook.export.beginnings.handing import Beginning, beginning_of
from mesh_notebook.export.beginnings.ports import Port

__all__ = ["chosen"]

_LEAST = 2  # lines of code
_SPARED = 3  # lines of code that are not said again
_MOST = 3  # values that are handed over
_HANDED = 2  # lines that each further value has to be worth


def chosen(ports: Sequence[Port], top: Mapping[str, str]) -> list[Beginning]:
    """Return what is written once; a beginning stands behind the one that it begins with.

    Parameters
    ----------
    top : mapping
        What stands at the top of the module, by name; of an import, the full name.
    """
    return [one for group in _alike(ports, 0) for one in _grown(group, 0, None, top)]


def _alike(ports: Iterable[Port], at: int) -> Iterator[list[Port]]:
    """Yield those that say the same in one place, where there are several."""
    there = [port for port in ports if len(port.parts) > at]
    said = {port.parts[at].said: None for port in there}
    for text in said:
        same = [port for port in there if port.parts[at].said == text]
        if len(same) > 1:
            yield same


def _grown(
    ports: Sequence[Port], start: int, outer: Beginning | None, top: Mapping[str, str]
) -> Iterator[Beginning]:
    """Yield what all of these share, and then what some of them share besides."""
    end = _parting(ports)
    made = _best(ports, start, end, outer, top)
    if made is not None:
        yield made
        start, outer = made.end, made
    for group in _alike(ports, end):
        yield from _grown(group, start, outer, top)


def _parting(ports: Sequence[Port]) -> int:
    """Return how many statements all have in common."""
    columns = zip(*([part.said for part in port.parts] for port in ports), strict=False)
    same = (len(set(said)) == 1 for said in columns)
    whole, run = next(groupby(same), (False, iter(())))
    return len(list(run)) if whole else 0


def _best(
    ports: Sequence[Port],
    start: int,
    end: int,
    outer: Beginning | None,
    top: Mapping[str, str],
) -> Beginning | None:
    parts = ports[0].parts
    weights = {at: sum(part.weight for part in parts[start:at]) for at in range(start + 1, end + 1)}
    spared = {at: lines * (len(ports) - 1) for at, lines in weights.items() if lines >= _LEAST}
    long = (at for at, lines in spared.items() if lines >= _SPARED)
    tried = (beginning_of(ports, start, at, outer, top) for at in long)
    fit = [one for one in tried if one is not None and len(one.gives) <= _MOST]
    worth = {one.end: spared[one.end] - _HANDED * (len(one.gives) - 1) for one in fit}
    good = [one for one in fit if worth[one.end] >= _SPARED]
    return max(good, key=lambda one: (worth[one.end], one.end), default=None)
