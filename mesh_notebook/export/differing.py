"""Two sides of a bundle, its notebook and its module, each held to what was exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from mesh_notebook.export.said import Said

__all__ = ["Change", "changes_of", "joined", "of_no_port"]


@dataclass(frozen=True)
class Change:
    """One statement that is not as it was exported.

    Attributes
    ----------
    side : str
        `notebook`, `module`; or `both`, where both sides changed it in the same way.
    old, new : Said or None
        None: it was not there; or is not there any more.
    conflict : bool
        Whether the other side changed the same statement, otherwise.
    """

    side: str
    old: Said | None
    new: Said | None
    conflict: bool = False

    @property
    def how(self) -> str:
        """What happened to it: `added`, `removed`, `moved` or `changed`."""
        if self.old is None or self.new is None:
            return "added" if self.old is None else "removed"
        return "moved" if self.old.key == self.new.key else "changed"

    @property
    def where(self) -> str:
        """Where it stands, or stood: `cell 4`, `daily, line 12`."""
        said = self.new or self.old
        assert said is not None  # it is of something
        if self.side == "notebook":
            return f"cell {said.place}"
        scope = said.scope or "the module"
        return f"{scope}, line {said.place}" if self.new and said.place else scope


def changes_of(side: str, old: Sequence[Said], new: Sequence[Said]) -> list[Change]:
    """Return what changed on one side, in the order of its statements.

    A docstring changes nothing.
    """
    old, new = ([said for said in told if said.key] for told in (old, new))
    scopes = dict.fromkeys(said.scope for said in (*new, *old))
    found: list[Change] = []
    for scope in scopes:
        before = [said for said in old if said.scope == scope]
        after = [said for said in new if said.scope == scope]
        found += _moved(list(_changes(side, before, after)))
    return found


def _changes(side: str, old: Sequence[Said], new: Sequence[Said]) -> Iterator[Change]:
    matcher = SequenceMatcher(None, [s.key for s in old], [s.key for s in new], autojunk=False)
    for how, a, b, c, d in matcher.get_opcodes():
        if how != "equal":
            yield from (Change(side, one, other) for one, other in _paired(old[a:b], new[c:d]))


def _paired(old: Sequence[Said], new: Sequence[Said]) -> list[tuple[Said | None, Said | None]]:
    """Pair the versions of one statement; what has no other version was added, or removed."""
    left = list(old)
    pairs: list[tuple[Said | None, Said | None]] = []
    for after in new:
        before = next((one for one in left if one.about == after.about), None)
        if before:
            left.remove(before)
        pairs.append((before, after))
    return [*pairs, *((one, None) for one in left)]


def _moved(changes: list[Change]) -> list[Change]:
    """Join what was taken away in one place and is the same in another."""
    gone = {c.old.key: c for c in changes if c.old and c.new is None}
    made = []
    for change in changes:
        same = gone.pop(change.new.key, None) if change.new and change.old is None else None
        made.append(replace(change, old=same.old) if same else change)
    moved = {id(c.old) for c in made if c.how == "moved"}
    return [c for c in made if not (c.new is None and id(c.old) in moved)]


def of_no_port(change: Change, sealed: Sequence[Said]) -> bool:
    """Return whether a notebook lost only what no port was made of."""
    if change.new is not None or change.old is None or change.old.about.startswith("mesh "):
        return False
    return change.old.means not in {said.means for said in sealed}


def joined(notebook: Sequence[Change], module: Sequence[Change]) -> list[Change]:
    """Return the changes of both sides, those of the same statement as conflicts, or as one."""
    made: list[Change] = []
    told: set[int] = set()
    against: set[int] = set()
    for change in notebook:
        others = {i for i, other in enumerate(module) if _of_same(change, other)}
        if others and all(_after(module[i]) == _after(change) for i in others):
            told |= others
            made.append(replace(change, side="both"))
        else:
            against |= others
            made.append(replace(change, conflict=bool(others)))
    rest = [(i, change) for i, change in enumerate(module) if i not in told]
    return [*made, *(replace(change, conflict=i in against) for i, change in rest)]


def _of_same(one: Change, other: Change) -> bool:
    """Return whether two changes are of one statement; or add the same."""
    if one.old and other.old:
        return one.old.means == other.old.means
    return one.old is other.old and _after(one) == _after(other)


def _after(change: Change) -> str:
    return change.new.means if change.new else ""
