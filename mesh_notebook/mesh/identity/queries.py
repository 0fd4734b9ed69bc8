"""What a query means: its words without comments, and keywords in any case.

Words and tree must be equal. The words tell what a tree forgets (the escapes of a text), and the
tree tells which words are names, whose case shows in the columns of a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from mesh_notebook.mesh.identity.trees import Leaf, flat

__all__ = ["written_alike"]

_WORD = re.compile(r"[^\W\d]\w*(\s+[^\W\d]\w*)*")
# Beside one of these an operator reads otherwise where no space parts it from the next.
_GREEDY = frozenset("~!@#%^&|`?")


@lru_cache(maxsize=256)
def written_alike(query: str) -> str:
    """Return a text that is equal for queries which differ in comments, layout and keywords' case.

    A query that is not understood is returned as it is.
    """
    from sqlglot import Dialect, exp
    from sqlglot.errors import SqlglotError

    dialect = Dialect.get_or_raise("duckdb")
    try:
        tokens: Sequence[Any] = dialect.tokenize(query)
        trees = dialect.parser().parse(list(tokens), query)
    except (SqlglotError, RecursionError):
        return query
    known = [tree for tree in trees if tree is not None]
    if not known or any(tree.find(exp.Command) for tree in known):
        return query
    told = [*_words(query, tokens), *(text for tree in known for text in flat(tree, _parts))]
    return "\0".join(told)


def _words(query: str, tokens: Sequence[Any]) -> Iterator[str]:
    kept = [token for token in tokens if token.start <= _last(query, tokens)]
    for before, token in pairwise([None, *kept]):
        if before is not None:
            yield _between(query, before, token)
        yield _word(query[token.start : token.end + 1])


def _last(query: str, tokens: Sequence[Any]) -> int:
    """Return where the last word begins that is no semicolon."""
    return max((t.start for t in tokens if query[t.start : t.end + 1] != ";"), default=-1)


def _word(raw: str) -> str:
    """Return a word; but for texts and quoted names, its case is told by the tree."""
    return " ".join(raw.upper().split()) if _WORD.fullmatch(raw) else raw


def _between(query: str, before: Any, token: Any) -> str:
    """Return what the space between two words says, which is nothing but in two cases."""
    one, other = (query[each.start : each.end + 1] for each in (before, token))
    space = query[before.end + 1 : token.start]
    if one.endswith("'") and other.startswith("'"):
        return "line" if "\n" in space else "text"  # on two lines, two texts are one
    return "" if space or _GREEDY.isdisjoint(one + other) else "joined"


def _parts(node: Any) -> tuple[str, Iterable[Any]] | Leaf:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous) and isinstance(node.this, str):
        return "Anonymous", [Leaf(node.this.lower()), list(node.expressions)]
    if isinstance(node, exp.Expression):
        return type(node).__name__, _arguments(node)
    return Leaf(f"{type(node).__name__}:{str(node)!a}")


def _arguments(node: Any) -> Iterator[Any]:
    for name, value in sorted(node.args.items()):
        if value not in (None, False, []):
            yield Leaf(f"{name}=")
            yield value
