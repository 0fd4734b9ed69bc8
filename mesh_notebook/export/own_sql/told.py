"""What the text of a query tells: its tables, its files, and whether it only reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from mesh_notebook.export.words import words

__all__ = ["Told", "told_of"]

_FILE = re.compile(r"[./\\*]|://")
_READS_FILES = re.compile(
    r"\b(read_\w+|parquet_scan|sniff_csv|glob|iceberg_scan|delta_scan)\s*\(", re.IGNORECASE
)
_NAMED = re.compile(r"\b(?:from|join|into|update|table|pivot|summarize|describe)\s+\"?([^\W\d]\w*)")
_COUNTING = words("nextval setval setseed")
_READING = words(
    "Select Union Except Intersect Subquery Values Table Pivot Summarize Describe Show Copy From"
)
_BEGINNING = re.compile(
    r"\s*\(*\s*(select|from|with|summarize|describe|pivot|unpivot|show|values|explain)\b"
)


@dataclass(frozen=True)
class Told:
    """What a query tells.

    Attributes
    ----------
    text : str
    tables : frozenset of str
        The names that it reads rows of, those of its own WITH left out.
    files : tuple of str
        What it reads, or calls to read, that is no table.
    only_reads : bool
        It leaves the connection as it was.
    later : bool
        It makes a view or a macro: what its names mean is asked each time that this is read.
    kept : bool
        It makes a table that must not be there yet.
    """

    text: str
    tables: frozenset[str]
    files: tuple[str, ...] = ()
    only_reads: bool = True
    later: bool = False
    kept: bool = False


@cache
def told_of(text: str) -> Told:
    """Return what the text of one or more statements tells."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if tree is not None]
    except SqlglotError:
        return _by_words(text)
    if any(isinstance(tree, exp.Command) for tree in trees):
        return _by_words(text)
    named = {name for tree in trees for name in _tables(tree)}
    calls = [found[0].rstrip("( ") for found in _READS_FILES.finditer(text)]
    return Told(
        text,
        frozenset(name for name in named if not _FILE.search(name)),
        tuple(sorted(name for name in named if _FILE.search(name))) + tuple(calls),
        all(map(_only_reads, trees)),
        any(_makes(tree, "VIEW", "MACRO", "FUNCTION") for tree in trees),
        any(_makes(tree, "TABLE") and not tree.args.get("replace") for tree in trees),
    )


def _tables(tree: Any) -> Iterator[str]:
    from sqlglot import exp

    for table in tree.find_all(exp.Table):
        if table.name and not _is_of_with(table):
            yield table.name


def _is_of_with(table: Any) -> bool:
    """Return whether a table is one of the query's own WITH; inside its definition it is not."""
    from sqlglot import exp

    above, names = table.parent, set[str]()
    within = set[int]()
    while above is not None:
        if isinstance(above, exp.CTE):
            within.add(id(above))
        names |= {one.alias.lower() for one in getattr(above, "ctes", ()) if id(one) not in within}
        above = above.parent
    return table.name.lower() in names and not table.args.get("db")


def _only_reads(tree: Any) -> bool:
    from sqlglot import exp

    counts = any(one.name.lower() in _COUNTING for one in tree.find_all(exp.Anonymous))
    return type(tree).__name__ in _READING and not counts


def _makes(tree: Any, *kinds: str) -> bool:
    from sqlglot import exp

    return isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() in kinds


def _by_words(text: str) -> Told:
    """Return what is told by a text that only DuckDB itself understands."""
    low = text.lower()
    calls = [found[0].rstrip("( ") for found in _READS_FILES.finditer(text)]
    return Told(
        text,
        frozenset(name for name in _NAMED.findall(_keywords_lowered(text))),
        tuple(calls),
        bool(_BEGINNING.match(low)),
        bool(re.match(r"\s*create\b.*\b(view|macro|function)\b", low, re.DOTALL)),
    )


def _keywords_lowered(text: str) -> str:
    return re.sub(
        r"\b(FROM|JOIN|INTO|UPDATE|TABLE|PIVOT|SUMMARIZE|DESCRIBE)\b",
        lambda found: found[0].lower(),
        text,
        flags=re.IGNORECASE,
    )
