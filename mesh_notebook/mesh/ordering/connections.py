"""Queries that a transform gives to DuckDB itself: rows without an ORDER BY come in another order.

DuckDB keeps the order of the rows that it only picks from. What groups, joins or compares them
promises none.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from mesh_notebook.mesh.ordering.scattering import Turn
from mesh_notebook.mesh.ordering.wrapping import Watch, line_of_the_module

__all__ = ["watch_connections"]

_METHODS = ("execute", "sql", "query")


def watch_connections(seen: Watch) -> None:
    """From now on, turn what connections answer to queries that leave the order open."""
    import duckdb

    for name in _METHODS:
        kind = duckdb.DuckDBPyConnection
        setattr(kind, name, _turning(getattr(kind, name), seen))


def _turning(act: Callable[..., Any], seen: Watch) -> Callable[..., Any]:
    @functools.wraps(act)
    def turning(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        # What the module's own function for SQL makes is turned where it is followed.
        own = line_of_the_module() and sys._getframe(1).f_code.co_name != seen.queries
        if not own or not isinstance(query, str) or not _leaves_order(query):
            return act(self, query, *args, **kwargs)
        return act(self, _turned(query, seen.turn), *args, **kwargs)

    return turning


def _leaves_order(query: str) -> bool:
    """Return whether a query is one that gives several rows in no order that DuckDB promises."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(query, dialect="duckdb")
    except SqlglotError:
        return False
    if not isinstance(tree, exp.Query) or tree.args.get("order") is not None:
        return False
    joined = tree.find(exp.Join) is not None
    if joined and tree.find(exp.Star) is not None:
        return False  # its columns may have one name, and would be given others
    return joined or tree.find(exp.Distinct, exp.Group, exp.SetOperation) is not None


def _turned(query: str, turn: Turn) -> str:
    turn.asked += 1
    if turn.seed is None:
        return query
    place = "row_number() OVER ()"
    by = f"{place} DESC" if turn.seed % 2 == 0 else f"hash({place} + {turn.seed})"
    return f"SELECT * FROM (\n{query.strip().rstrip(';')}\n) ORDER BY {by}"
