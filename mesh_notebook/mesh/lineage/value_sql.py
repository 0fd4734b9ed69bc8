"""A query without what only chooses its rows; what is not known here stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["only_values_of"]


def only_values_of(query: str) -> str:
    """Return a query of the same columns that no condition, key or order has a say in.

    Where that cannot be told, it is the query itself: its conditions then count as values.
    """
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(query, dialect="duckdb")
    except sqlglot.ParseError:
        return query
    if tree is None or any(isinstance(node, (exp.Pivot, exp.Lateral)) for node in tree.walk()):
        return query
    for select in list(tree.find_all(exp.Select)):
        _cleared(select)
    return tree.sql("duckdb")


def _cleared(select: exp.Select) -> None:
    for part in ("where", "having", "qualify", "order", "limit", "offset"):
        select.set(part, None)
    for join in select.args.get("joins") or ():
        _unconditional(join)
    _ungrouped(select)


def _unconditional(join: exp.Join) -> None:
    """Have a join pair every row with every other; one by `USING` keeps the left side's key."""
    from sqlglot import exp

    if str(join.method).upper() in ("NATURAL", "ASOF", "POSITIONAL"):
        return
    if str(join.kind).upper() in ("SEMI", "ANTI") or str(join.side).upper() in ("RIGHT", "FULL"):
        return
    if join.args.get("on") is not None:
        join.set("on", exp.true())
    elif keys := join.args.get("using"):
        table = join.this
        name = table.alias_or_name
        if not isinstance(table, exp.Table) or not name:
            return
        bare = table.copy()
        bare.set("alias", None)
        star = exp.Star(**{"except_": [exp.to_identifier(k.name, quoted=True) for k in keys]})
        join.set(
            "this", exp.select(star).from_(bare).subquery(exp.to_identifier(name, quoted=True))
        )
        join.set("using", None)
        join.set("on", exp.true())


def _ungrouped(select: exp.Select) -> None:
    """Have a query of groups make one of all rows, in which a key is a value like any other."""
    from sqlglot import exp

    group = select.args.get("group")
    if group is None or any(group.args.get(k) for k in ("grouping_sets", "cube", "rollup")):
        return
    made = []
    for one in select.expressions:
        inner = one.this if isinstance(one, exp.Alias) else one
        if isinstance(inner, exp.Star) or not one.alias_or_name:
            return
        if not inner.find(exp.AggFunc):
            inner = exp.AnyValue(this=inner.copy())
        made.append(exp.alias_(inner.copy(), one.alias_or_name, quoted=True))
    select.set("expressions", made)
    select.set("group", None)
