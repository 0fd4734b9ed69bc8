"""SQL with lines too long for a reader, laid out: the same words, other white space.

No tree is written out anew, which might say something else: the query keeps each of its words,
and the result is held to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mesh_notebook.export.words import words

__all__ = ["laid_out"]

_CLAUSES = words("SELECT FROM WHERE HAVING QUALIFY WINDOW LIMIT OFFSET UNION INTERSECT WITH VALUES")
_CLAUSES |= {"GROUP BY", "ORDER BY"}  # a word each, for the tokenizer
_BEFORE_JOIN = words("LEFT RIGHT FULL INNER OUTER CROSS ASOF NATURAL SEMI ANTI POSITIONAL LATERAL")
_CONDITIONS = words("WHERE HAVING QUALIFY JOIN ON")
_INDENT = "    "


@dataclass(frozen=True)
class _Word:
    """A word of the query, or what stands in parentheses; with the space before it."""

    text: str
    spaced: bool = False
    inner: tuple[_Word, ...] | None = None

    @property
    def key(self) -> str:
        return " ".join(self.text.upper().split()) if self.inner is None else "("

    @property
    def queries(self) -> bool:
        """Whether it is a query in parentheses, or holds one."""
        inner = self.inner or ()
        return bool(inner) and (inner[0].key in ("SELECT", "WITH") or any(w.queries for w in inner))

    def __str__(self) -> str:
        return self.text if self.inner is None else f"({_inline(self.inner)})"


def laid_out(query: str, width: int) -> str:
    """Return a query with a line for each clause, where one of its lines is too long.

    Parameters
    ----------
    width : int
        How many characters a line may have. A query with a comment behind its first word, or with
        a text that spans lines, stays as it is.
    """
    lines = query.split("\n")
    if all(len(line) <= width for line in lines):
        return query
    said = [line for line in lines if line.lstrip().startswith("--")]
    if lines[: len(said)] != said:
        return query
    rest = "\n".join(lines[len(said) :])
    tokens = _tokens(rest)
    if not tokens or any(token.comments or "\n" in _raw(rest, token) for token in tokens):
        return query
    made = "\n".join(_block(_words(rest, tokens), width))
    same = [_raw(made, t) for t in _tokens(made)] == [_raw(rest, t) for t in tokens]
    return "\n".join([*said, made]) if same else query


def _tokens(query: str) -> list[Any]:
    from sqlglot import Dialect
    from sqlglot.errors import SqlglotError

    try:
        found: Any = Dialect.get_or_raise("duckdb").tokenize(query)
    except SqlglotError:
        return []
    return list(found)


def _raw(query: str, token: Any) -> str:
    return query[token.start : token.end + 1]


def _words(query: str, tokens: Sequence[Any]) -> tuple[_Word, ...]:
    """Return the words of a query, each pair of parentheses as one."""
    ends = [-1, *(token.end for token in tokens)]
    stack: list[list[_Word]] = [[]]
    spaces = []
    for token, end in zip(tokens, ends, strict=False):
        text, spaced = _raw(query, token), token.start > end + 1
        if text == "(":
            stack.append([])
            spaces.append(spaced)
        elif text == ")" and len(stack) > 1:
            inner = tuple(stack.pop())
            stack[-1].append(_Word("(", spaces.pop(), inner))
        else:
            stack[-1].append(_Word(text, spaced))
    return tuple(word for level in stack for word in level)


def _inline(run: Sequence[_Word]) -> str:
    return "".join(f"{' ' * (word.spaced and i > 0)}{word}" for i, word in enumerate(run))


# ---- lines ---------------------------------------------------------------------------------------


def _block(run: Sequence[_Word], width: int) -> Iterator[str]:
    """Yield the lines of a query, a clause on each, or on several."""
    starts = [i for i in range(len(run)) if i == 0 or _begins(run, i)]
    for start, end in pairwise([*starts, len(run)]):
        yield from _clause(run[start:end], width)


def _begins(run: Sequence[_Word], at: int) -> bool:
    key, before = run[at].key, run[at - 1].key
    after = run[at + 1].key if at + 1 < len(run) else ""
    if key == "FROM":
        return before != "DISTINCT" or run[at - 2].key not in ("IS", "NOT")
    if key == "EXCEPT":
        return after in ("SELECT", "ALL")
    joins = [word.key for word in run[at:] if word.key not in _BEFORE_JOIN][:1] == ["JOIN"]
    if key == "JOIN" or (key in _BEFORE_JOIN and joins):
        return before not in _BEFORE_JOIN
    return key in _CLAUSES and before != "AS"


def _clause(run: Sequence[_Word], width: int) -> Iterator[str]:
    inline = _inline(run)
    if len(inline) <= width and not any(word.queries for word in run):
        yield inline
        return
    first, items = _items(run)
    if len(items) > 1:
        yield _inline(first)
        for item in items:
            yield from _indented(_nested(item, width - len(_INDENT)))
    else:
        yield from _nested(run, width)


def _items(run: Sequence[_Word]) -> tuple[Sequence[_Word], list[Sequence[_Word]]]:
    """Return how a clause begins, and what it lists: expressions, or conditions."""
    keys = [word.key for word in run]
    head = 1 + ("DISTINCT" in keys[1:2])
    if keys[0] in _CONDITIONS or "JOIN" in keys:
        head = keys.index("ON") if "ON" in keys else head
        between = False
        cuts = []
        for i in range(head, len(run)):
            if keys[i] == "AND" and not between:
                cuts.append(i)
            between = keys[i] == "BETWEEN" or (between and keys[i] != "AND")
        if "OR" in keys[head:]:
            cuts = []
    else:
        cuts = [i + 1 for i in range(head, len(run)) if keys[i] == ","]
    edges = [head, *cuts, len(run)]
    return run[:head], [run[a:b] for a, b in pairwise(edges) if run[a:b]]


def _nested(run: Sequence[_Word], width: int) -> Iterator[str]:
    """Yield the lines of an expression; a query inside it has lines of its own."""
    line = ""
    for i, word in enumerate(run):
        gap = " " if word.spaced and i > 0 else ""
        if not word.queries or word.inner is None:
            line += f"{gap}{word}"
            continue
        yield f"{line}{gap}("
        inner = word.inner
        own = inner[0].key in ("SELECT", "WITH")
        parts = _block(inner, width - len(_INDENT)) if own else _nested(inner, width - len(_INDENT))
        yield from _indented(parts)
        line = ")"
    yield line


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"{_INDENT}{line}" for line in lines)
