"""What each statement of a notebook needs, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mesh_notebook.export.statements import Statement

__all__ = ["Graph"]


@dataclass
class Graph:
    """What each statement needs.

    Attributes
    ----------
    needs : list of dict
        By statement: the names that it reads, and the statements that made their values.
    missing : list of dict
        By statement: names that no recorded statement bound, and whether they are read at once.
    builtins : list of set
        By statement: names that it finds among Python's own.
    unseeded : list of set
        By statement: the hidden random generators that it draws from, whose state nobody set.
    final : dict
        By name: the statements that made the value it has at the end.
    writes : list of set
        By statement: the names that it binds, and those whose values it may change.
    deferred : set of str
        Names whose values change whenever a lazy frame is collected.
    collected : list of set
        By statement: the names that it changes only where it collects a lazy frame.
    kinds : dict
        By statement and by how deep it was looked at: what `impure.sets` worked out of it.
    settings : list of frozenset
        By statement: the settings of the process that it may ask for.
    """

    statements: list[Statement] = field(default_factory=list)
    needs: list[dict[str, tuple[int, ...]]] = field(default_factory=list)
    missing: list[dict[str, bool]] = field(default_factory=list)
    builtins: list[set[str]] = field(default_factory=list)
    unseeded: list[set[str]] = field(default_factory=list)
    final: dict[str, tuple[int, ...]] = field(default_factory=dict)
    writes: list[frozenset[str]] = field(default_factory=list)
    deferred: set[str] = field(default_factory=set)
    collected: list[set[str]] = field(default_factory=list)
    kinds: dict[tuple[int, int], Any] = field(default_factory=dict, compare=False, repr=False)
    settings: list[frozenset[str]] = field(default_factory=list)

    def binder_of(self, name: str, index: int) -> Statement | None:
        """Return the statement that bound a name last before another, else first after it."""
        binds = [s for s in self.statements if name in s.effects.binds]
        before = [s for s in binds if s.index < index]
        return before[-1] if before else next(iter(binds), None)
