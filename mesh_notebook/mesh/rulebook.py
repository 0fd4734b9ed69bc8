"""Where the rules of a mesh stand: in its root, and in a cache of every product's own folder.

An entry sets a rule or removes it, and the last of a name holds. It is created in the root, which
is when the rule begins to hold, and copied to each product under the same number. A product thus
needs nothing but its own folder to know what it was told; where its cache is behind, the root says
the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh_notebook.errors import StoreError, UsageError, near
from mesh_notebook.mesh.aside import aside
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.journal import Journal
from mesh_notebook.mesh.place import Place
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.rego import refuse_bad_rule
from mesh_notebook.model.address import checked_name
from mesh_notebook.model.time import iso

__all__ = [
    "Cached",
    "RuleEntry",
    "StandingRules",
    "cache_rules",
    "caches",
    "entries_of_root",
    "push_rule",
    "remove_rule",
    "rules_of_root",
    "standing_rules",
]

_FOLDER = "rules"
_ACTIONS = ("set", "remove")


@dataclass(frozen=True)
class RuleEntry:
    """What was once said of a rule.

    Attributes
    ----------
    number : int
        Its place in the order of all entries of the mesh.
    action : str
        `set` or `remove`.
    at : str
        When, as receipts write instants.
    """

    number: int
    action: str
    name: str
    text: str
    by: str
    at: str

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> RuleEntry:
        """Return an entry as it is kept; raises `StoreError` where it is none."""
        try:
            entry = cls(**raw)
        except TypeError:
            entry = None
        if entry is None or entry.action not in _ACTIONS or type(entry.number) is not int:
            raise StoreError(
                "an entry of the mesh's rules is damaged.",
                next_step="restore it from a backup: without it nobody knows what is forbidden",
            )
        return entry

    def content(self) -> bytes:
        return json.dumps(vars(self), ensure_ascii=False, indent=2).encode() + b"\n"


@dataclass(frozen=True)
class StandingRules:
    """The rules that a read or a publication is held to.

    Attributes
    ----------
    texts : frozenset of (str, str)
        Name and module. A name may stand twice, where a product knows it otherwise than its mesh.
    unknown : str
        Why it is not known what the rules are, though there are some; else empty.
    """

    texts: frozenset[tuple[str, str]] = frozenset()
    unknown: str = ""

    def __bool__(self) -> bool:
        return bool(self.texts or self.unknown)


@dataclass(frozen=True)
class Cached:
    """How many of the mesh's entries a product has; `problem` where it cannot be told."""

    product: str
    entries: int
    problem: str = ""


def standing_rules(published: PublishedProduct) -> StandingRules:
    """Return what a product is held to: its cache and its root together.

    Where one of them cannot be read, the other says it alone, unless it knows of no rule: what
    cannot be read is there, and would be a rule.
    """
    root, why = _read(published.root)
    cache, why_not = _read(published.folder)
    if root is None and not cache:
        return StandingRules(unknown=why)
    if cache is None and not root:
        return StandingRules(unknown=why_not)
    # The root by itself, too: who may write to a product alone cannot take a rule away.
    together = _standing([*(root or ()), *(cache or ())])
    return StandingRules(frozenset([*_standing(root or ()), *together]))


def rules_of_root(root: Place) -> tuple[RuleEntry, ...]:
    """Return the rules that hold in a mesh, by name; raises `StoreError`."""
    last = {entry.name: entry for entry in _entries(root)}
    return tuple(last[name] for name in sorted(last) if last[name].action == "set")


def entries_of_root(root: Place) -> int:
    """Return how often a rule was set or removed in a mesh; raises `StoreError`."""
    return len(_entries(root))


def push_rule(root: Place, name: str, text: str, by: str, now: datetime) -> tuple[Cached, ...]:
    """Have a rule hold in a mesh from now on, and return which products have it in their cache.

    Raises
    ------
    SpecError
        The text is no rule; then nothing is written.
    UsageError
        The name cannot be one.
    StoreError
        The root cannot be written.
    """
    checked_name(name, "rule")
    refuse_bad_rule(name, text)
    _append(root, lambda _: ("set", name, text), by, now)
    return cache_in_all(root)


def remove_rule(root: Place, name: str, by: str, now: datetime) -> tuple[Cached, ...]:
    """Have a rule hold no longer; raises `UsageError` where there is none of that name."""

    def removed(entries: list[RuleEntry]) -> tuple[str, str, str]:
        held = {one for one, _ in _standing(entries)}
        if name not in held:
            close = near(name, held)
            known = f"the rules are: {', '.join(sorted(held)) or 'none'}"
            raise UsageError(
                f"there is no rule '{name}'.",
                next_step=f"did you mean {close[0]}?" if close else known,
                near=close,
            )
        return "remove", name, ""

    _append(root, removed, by, now)
    return cache_in_all(root)


def cache_rules(published: PublishedProduct) -> None:
    """Copy to a product's folder what its mesh says of rules and the product does not know yet.

    Nothing is written where there are no rules. Raises `StoreError` where it cannot be written.
    """
    entries = _entries(published.root)
    known = set((published.folder / _FOLDER).entries()) if entries else set()
    missing = [entry for entry in entries if _file(entry) not in known]
    if not missing:
        return
    with aside(published.root, published.address) as work:
        for entry in missing:
            try:
                (published.folder / _FOLDER / _file(entry)).create(entry.content(), work)
            except FileExistsError:  # somebody else caches it at this moment
                continue
            except OSError as error:
                raise StoreError(
                    f"{published.folder} cannot be written: {error.strerror or error}.",
                    next_step="its reads ask the root for the rules until somebody pushes one who "
                    "may write there",
                ) from None


def cache_in_all(root: Place) -> tuple[Cached, ...]:
    """Copy the rules to every product of a mesh, and return which have them."""
    for published in Catalogue([root]).products():
        try:
            cache_rules(published)
        except StoreError:
            continue  # told by `caches`: the rule holds there too, by the root
    return caches(root)


def caches(root: Place) -> tuple[Cached, ...]:
    """Return how many of the mesh's entries each of its products has in its cache."""
    known = set(_entries(root))
    return tuple(_cached(published, known) for published in Catalogue([root]).products())


def _cached(published: PublishedProduct, known: set[RuleEntry]) -> Cached:
    entries, why = _read(published.folder)
    return Cached(published.name, len(known.intersection(entries or ())), why)


def _standing(entries: Iterable[RuleEntry]) -> list[tuple[str, str]]:
    """Return names and texts of the rules that no later entry removed or replaced."""
    last: dict[str, int] = {}
    told = set(entries)
    for entry in told:
        last[entry.name] = max(last.get(entry.name, 0), entry.number)
    # Of one number there are two only where a root was begun anew: then both hold.
    held = [e for e in told if e.number == last[e.name] and e.action == "set"]
    return sorted({(entry.name, entry.text) for entry in held})


def _read(folder: Place) -> tuple[list[RuleEntry] | None, str]:
    """Return the entries under a folder, or None and why they cannot be read."""
    try:
        return _entries(folder), ""
    except StoreError as error:
        return None, error.message


def _entries(folder: Place) -> list[RuleEntry]:
    return [RuleEntry.of(raw) for raw in Journal(folder, _FOLDER).entries()]


def _append(
    root: Place,
    make: Callable[[list[RuleEntry]], tuple[str, str, str]],
    by: str,
    now: datetime,
) -> None:
    def entry(raws: list[dict[str, Any]]) -> dict[str, Any]:
        known = [RuleEntry.of(raw) for raw in raws]
        number = known[-1].number + 1 if known else 1
        return vars(RuleEntry(number, *make(known), by, iso(now)))

    Journal(root, _FOLDER).append(entry)


def _file(entry: RuleEntry) -> str:
    return f"{entry.number:012}.json"
