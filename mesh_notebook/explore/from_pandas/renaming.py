"""What to type so that columns have names that can be stored: each written out, or a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["listed", "renamed_by"]

_LONG = 500  # letters of a line that nobody types, or reads to its end
_LISTED = 10  # labels, of which more are counted


def _spaces(name: str) -> str:
    return name.replace(" ", "_")


def _signs(name: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in name).split())


# As it is typed, and what it does; the first that gives each column a name of its own is told.
_RULES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ('lambda name: name.replace(" ", "_")', _spaces),
    (
        'lambda name: "_".join("".join(c if c.isalnum() else " " for c in name).split())',
        _signs,
    ),
)


def renamed_by(
    labels: list[Any], bad: Mapping[Any, str], unfit: Callable[[list[Any]], Mapping[Any, str]]
) -> str:
    """Return what `rename` is given: a mapping, or where that were a long line, a function."""
    mapping = repr(dict(bad))
    if len(mapping) <= _LONG or not all(isinstance(label, str) for label in labels):
        return mapping
    rules = (text for text, rule in _RULES if not unfit([rule(label) for label in labels]))
    return next(rules, mapping)


def listed(bad: Mapping[Any, str]) -> str:
    """Return labels in words: some of them, and how many more there are."""
    named = [repr(str(one)) if isinstance(one, str) else repr(one) for one in bad]
    left = len(named) - _LISTED
    return ", ".join(named if left <= 0 else [*named[:_LISTED], f"and {left:,} more"])
