"""A tree written out as a flat sequence of texts, equal for equal trees alone.

Written by hand and not by `ast.dump` or `repr`, which stop at deep trees and change from one
version of Python or of sqlglot to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Leaf", "flat"]


@dataclass(frozen=True)
class Leaf:
    """A text that stands for itself."""

    text: str


def flat(root: Any, parts: Callable[[Any], tuple[str, Iterable[Any]] | Leaf]) -> Iterator[str]:
    """Yield a tree's texts.

    Parameters
    ----------
    parts : callable
        Returns a node's label and its children, or the leaf that it is. A list is a node of its
        own, and needs no answer.
    """
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Leaf):
            yield one.text
            continue
        found = ("[", one) if isinstance(one, list) else parts(one)
        if isinstance(found, Leaf):
            yield found.text
            continue
        label, children = found
        yield f"({label}"
        waiting += [Leaf(")"), *reversed(list(children))]
