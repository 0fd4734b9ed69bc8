"""Which names may share one value, so that a change under one is a change under all."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Aliases"]


class Aliases:
    """A graph of names; two that are linked may hold the same object, or a part of it."""

    def __init__(self) -> None:
        self._linked: dict[str, set[str]] = {}

    def copy(self) -> Aliases:
        other = Aliases()
        other._linked = {name: set(linked) for name, linked in self._linked.items()}
        return other

    def of(self, name: str) -> set[str]:
        return set(self._linked.get(name, ()))

    def link(self, one: str, other: str) -> None:
        if one != other:
            self._linked.setdefault(one, set()).add(other)
            self._linked.setdefault(other, set()).add(one)

    def unlink(self, name: str) -> None:
        """Take a name out that is bound anew; what it linked stays linked."""
        others = self._linked.pop(name, set())
        for one in others:
            self._linked[one].discard(name)
            self._linked[one] |= others - {one}

    def reached(self, names: Iterable[str]) -> set[str]:
        """Return the names and all that may share a value with one of them."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(self._linked.get(name, ()))
        return found
