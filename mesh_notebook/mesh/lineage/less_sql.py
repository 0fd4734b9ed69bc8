"""A query without what only chooses its rows; what is not known here stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.mesh.lineage.values import LeftOut

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["without"]

_CONDITIONS = ("where", "having", "qualify", "order", "limit", "offset")
_KEY = "_mesh_notebook_key_"


def without(query: str, aside: LeftOut) -> str:
    """Return a query of the same columns in which what is left out has no say.

    Where that cannot be told, it is the query itself: its conditions then count as values. Of two
    columns that a join holds equal, each is given as either.
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
        if aside is LeftOut.CHOICE:
            for part in _CONDITIONS:
                select.set(part, None)
        _unmatched(select)
        _ungrouped(select)
    return tree.sql("duckdb")


def _unmatched(select: exp.Select) -> None:
    """Have joins by equality pair every row with every other."""
    from sqlglot import exp

    alike: list[tuple[exp.Expression, exp.Expression]] = []
    stars = [one for one in select.expressions if one.is_star]
    if any(not isinstance(one, exp.Star) or any(one.args.values()) for one in stars):
        return  # which columns it gives, and of which side, is not told here
    for join in select.args.get("joins") or ():
        side, kind = str(join.side).upper(), str(join.kind).upper()
        if join.method or side in ("RIGHT", "FULL") or kind in ("SEMI", "ANTI"):
            continue
        if keys := join.args.get("using"):
            alike += _renamed(join, [key.name for key in keys])
        elif not stars and (pairs := _equalities(join.args.get("on"))):
            alike += pairs
            join.set("on", exp.true())
    _either(select, alike)


def _equalities(on: exp.Expression | None) -> list[tuple[exp.Expression, exp.Expression]]:
    """Return the pairs of columns that a condition holds equal; none if it says more than that."""
    from sqlglot import exp

    pairs = []
    for one in on.flatten() if isinstance(on, exp.And) else [on]:
        one = one.unnest() if one is not None else None
        sides = (one.this, one.expression) if isinstance(one, exp.EQ) else ()
        if not sides or not all(isinstance(side, exp.Column) for side in sides):
            return []
        pairs.append(sides)
    return pairs


def _renamed(join: exp.Join, keys: list[str]) -> list[tuple[exp.Expression, exp.Expression]]:
    """Have the right side of a join by `USING` give its keys under names of their own."""
    from sqlglot import exp

    table = join.this
    if not isinstance(table, exp.Table) or not table.alias_or_name:
        return []
    name, bare = table.alias_or_name, table.copy()
    bare.set("alias", None)
    renames = [exp.alias_(exp.column(k, quoted=True), _KEY + k, quoted=True) for k in keys]
    star = exp.Star(except_=[exp.to_identifier(k, quoted=True) for k in keys])
    given = exp.select(star, *renames).from_(bare)
    join.set("this", given.subquery(exp.to_identifier(name, quoted=True)))
    join.set("using", None)
    join.set("on", exp.true())
    return [(exp.column(k), exp.column(_KEY + k, table=name, quoted=True)) for k in keys]


def _either(select: exp.Select, alike: list[tuple[exp.Expression, exp.Expression]]) -> None:
    """Have each column that is held equal to another be given as either of the two."""
    from sqlglot import exp

    others: dict[str, list[exp.Expression]] = {}
    for one, other in alike:
        for this, that in ((one, other), (other, one)):
            others.setdefault(_spelled(this), []).append(that)
    made = []
    for given in select.expressions:
        name = given.alias_or_name
        if isinstance(given, exp.Star):
            made.append(_all_either(alike))
            continue
        told = given.transform(lambda node: _coalesced(node, others)) if others else given
        if isinstance(given, exp.Column) and name and told is not given:
            told = exp.alias_(told, name, quoted=True)
        made.append(told)
    select.set("expressions", made)


def _all_either(alike: list[tuple[exp.Expression, exp.Expression]]) -> exp.Star:
    """Return all columns, the keys of joins by `USING` as either of the two."""
    from sqlglot import exp

    if not alike:
        return exp.Star()
    replaced = [
        exp.alias_(exp.Coalesce(this=one.copy(), expressions=[other.copy()]), one.name, quoted=True)
        for one, other in alike
    ]
    left_out = [exp.to_identifier(other.name, quoted=True) for _, other in alike]
    return exp.Star(except_=left_out, replace=replaced)


def _coalesced(node: exp.Expression, others: dict[str, list[exp.Expression]]) -> exp.Expression:
    from sqlglot import exp

    if not isinstance(node, exp.Column) or _spelled(node) not in others:
        return node
    found = [one.copy() for one in others[_spelled(node)]]
    return exp.Coalesce(this=node.copy(), expressions=found)


def _spelled(column: exp.Expression) -> str:
    return ".".join(part.name.lower() for part in getattr(column, "parts", ()))


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
