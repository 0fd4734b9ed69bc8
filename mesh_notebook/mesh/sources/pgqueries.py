"""Queries to PostgreSQL: one SELECT, and the instants between which it reads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from mesh_notebook.errors import UnknownName, UsageError, near

if TYPE_CHECKING:
    from sqlglot import exp

    from mesh_notebook.mesh.sources.asked import Asked

__all__ = ["limited", "within"]

_OPEN = {"from": "-infinity", "to": "infinity"}
_OURS = "mesh_"  # before a name that is a word of SQL, too


def limited(asked: Asked) -> exp.Expr:
    """Return a query as a table, with its `:from` and `:to` filled in.

    Raises
    ------
    UsageError
        It is no single query, or has other parameters.
    """
    import sqlglot
    from sqlglot import exp

    try:
        (tree,) = sqlglot.parse(_named(asked.query or ""), dialect="postgres")
    except sqlglot.errors.SqlglotError as error:
        raise _no_query(str(error).splitlines()[0].rstrip(".")) from None
    except ValueError:
        raise _no_query("it is more than one statement") from None
    if not isinstance(tree, exp.Query):
        raise _no_query("it is no SELECT")
    limits = {"from": asked.start, "to": asked.end}
    for node in list(tree.find_all(exp.Placeholder)):
        name = node.name.removeprefix(_OURS).lower()
        if name not in limits:
            raise UsageError(
                f"the query has a parameter :{name}, which nothing gives.",
                next_step="its parameters are :from and :to, of --from and --to",
                name=name,
            )
        node.replace(_instant(limits[name] or _OPEN[name]))
    return tree.subquery("q")


def _named(query: str) -> str:
    """Return a query with other names for `:from` and `:to`, as its words and texts stay."""
    import sqlglot

    tokens = sqlglot.tokenize(query, dialect="postgres")
    marks = [
        two.start
        for one, two in pairwise(tokens)
        if one.text == ":" and two.start == one.end + 1 and two.text.lower() in _OPEN
    ]
    for at in reversed(marks):
        query = f"{query[:at]}{_OURS}{query[at:]}"
    return query


def within(asked: Asked, columns: Sequence[str]) -> list[exp.Expr]:
    """Return the conditions that cut a source to its window; raises `UnknownName`."""
    from sqlglot import exp

    name = str(asked.event_time)
    if name not in columns:
        close = near(name, columns)
        raise UnknownName(
            f"the source has no column '{name}' to be cut by.",
            next_step=f"did you mean {close[0]}?" if close else f"it has {', '.join(columns)}",
            name=name,
            near=close,
        )
    column = exp.column(name, quoted=True)
    found: list[exp.Expr] = []
    if asked.start:
        found.append(exp.GTE(this=column.copy(), expression=_instant(asked.start)))
    if asked.end:
        found.append(exp.LT(this=column.copy(), expression=_instant(asked.end)))
    return found


def _instant(moment: str) -> exp.Expr:
    from sqlglot import exp

    kind = exp.DataType.build("timestamptz", dialect="postgres")
    return exp.cast(exp.Literal.string(moment), kind)


def _no_query(reason: str) -> UsageError:
    return UsageError(
        f"that is no query that can be read: {reason}.",
        next_step="write one SELECT, without ';'",
    )
