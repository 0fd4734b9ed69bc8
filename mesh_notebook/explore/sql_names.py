"""Two columns of one name in a result: the SQL that tells them apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    from sqlglot import exp

__all__ = ["apart"]


def apart(tree: exp.Expr | None, twice: Sequence[str], cursor: duckdb.DuckDBPyConnection) -> str:
    """Return what to write for a query whose result has columns of one name.

    Parameters
    ----------
    tree : sqlglot expression, optional
        The query; none where it could not be parsed.
    twice : sequence of str
        The names that several columns have.
    """
    from sqlglot import exp

    select = tree if isinstance(tree, exp.Select) else None
    named = _named(select, twice[0]) if select else None
    if named is not None:
        new = exp.to_identifier(f"{twice[0]}_2", quoted=not twice[0].isidentifier())
        return f"give one another name: {exp.alias_(named.copy(), new).sql('duckdb')}"
    if select is None or not any(one.is_star for one in select.expressions):
        # `count_star()` is what DuckDB calls an expression: a name is made of its words.
        plain = "_".join([*re.findall(r"\w+", twice[0]), "2"])
        new = exp.to_identifier(plain, quoted=not plain.isidentifier())
        return f"give one another name: … AS {new.sql('duckdb')}"
    stars = _stars(select, twice, cursor) or f"a.*, {_star('b', twice)}"
    return f"leave it out of one table: SELECT {stars} FROM …"


def _named(select: exp.Select, name: str) -> exp.Expr | None:
    """Return the last expression that a query writes out under a name, without its alias."""
    found = [one for one in select.expressions if one.alias_or_name.lower() == name.lower()]
    return found[-1].unalias() if found else None


def _stars(select: exp.Select, twice: Sequence[str], cursor: duckdb.DuckDBPyConnection) -> str:
    """Return a star for each table of a query, each without what those before it gave."""
    import duckdb
    from sqlglot import exp

    first = select.args.get("from_") or select.args.get("from")
    tables: list[Any] = [first.this] if first else []
    tables += [join.this for join in select.args.get("joins") or ()]
    left, stars = {name.lower() for name in twice}, []
    seen: set[str] = set()
    for table in tables:
        try:
            columns = cursor.sql(exp.select("*").from_(table.copy()).sql("duckdb")).columns
        except duckdb.Error:  # a name that the query itself defines
            return ""
        out = [name for name in columns if name.lower() in seen & left]
        seen |= {name.lower() for name in columns}
        stars.append(_star(table.alias_or_name, out))
    return ", ".join(stars)


def _star(table: str, out: Sequence[str]) -> str:
    from sqlglot import exp

    star = exp.Star(except_=[exp.to_identifier(name) for name in out] or None)
    return exp.Column(this=star, table=exp.to_identifier(table)).sql("duckdb")
