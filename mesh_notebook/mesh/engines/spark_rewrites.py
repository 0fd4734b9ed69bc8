"""What both engines can say, but in other words: DuckDB's tree, rewritten to mean it in Spark."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from mesh_notebook.mesh.engines.described import zoned
from mesh_notebook.mesh.engines.kinds import Kinds

__all__ = ["rewritten"]

_WHOLE = ("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128", "UTINYINT", "USMALLINT", "UINT")
# Spark has no unsigned numbers, and none of 128 bits.
_OTHERS = {
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INT",
    "UINT": "BIGINT",
    "UBIGINT": "DECIMAL(20, 0)",
    "INT128": "DECIMAL(38, 0)",
}
# A letter that no text has: to Spark, a pattern of LIKE has always one that escapes.
_NO_ESCAPE = "\x01"


def rewritten(tree: exp.Expr, kinds: Kinds) -> exp.Expr:
    """Return the tree in which each expression means in Spark what it meant in DuckDB."""
    from sqlglot.transforms import eliminate_distinct_on

    def one(node: exp.Expr) -> exp.Expr:
        rule = _RULES.get(type(node))
        return rule(node, kinds) if rule else node

    made = _from_below(tree.copy(), one)
    for select in list(made.find_all(exp.Select)):
        if select.args.get("qualify"):
            made = _put(made, select, _without_qualify(select))
        elif (select.args.get("distinct") or exp.Distinct()).args.get("on"):
            made = _put(made, select, eliminate_distinct_on(select))
    return made


def _from_below(node: exp.Expr, rule: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Apply a rule to every node, the innermost first, so that none sees what it made itself."""
    nodes = list(node.dfs())
    for inner in reversed(nodes):
        made = rule(inner)
        if made is inner:
            continue
        if inner is node:
            return made
        inner.replace(made)
    return node


def _put(tree: exp.Expr, old: exp.Expr, new: exp.Expr) -> exp.Expr:
    if old is tree:
        return new
    if new is not old:
        old.replace(new)
    return tree


def _without_qualify(select: exp.Select) -> exp.Expr:
    """Filter around the query; its helper columns are no part of `*`."""
    from sqlglot.transforms import eliminate_qualify

    star = select.is_star
    had = {e.alias_or_name for e in select.expressions}
    outer = eliminate_qualify(select)
    assert isinstance(outer, exp.Select)
    inner = outer.args["from_"].this.this
    helpers = [e.alias for e in inner.expressions if e.alias and e.alias not in had]
    if star and helpers:
        outer.set("expressions", [exp.Star(except_=[exp.to_identifier(h) for h in helpers])])
    return outer


# ---- numbers -------------------------------------------------------------------------------------


def _double(node: exp.Expr) -> exp.Expr:
    return exp.cast(node.copy(), "DOUBLE")


def _grouped(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node)


def _division(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    """Divide as floats; by zero as IEEE 754 does, where Spark gives an error."""
    over, under = _double(node.this), node.expression
    divided = exp.Div(this=over, expression=_double(under), typed=True)
    if isinstance(under, exp.Literal) and float(under.name) != 0:
        return _grouped(divided)
    infinite = exp.Mul(this=over.copy(), expression=_double(exp.Literal.string("Infinity")))
    is_zero = exp.EQ(this=_double(under), expression=exp.Literal.number(0))
    return exp.If(this=is_zero, true=infinite, false=divided)


def _whole_division(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    both = {kinds.of(node.this), kinds.of(node.expression)}
    # Of other numbers than whole ones, DuckDB's `//` is a plain division.
    return _division(node, kinds) if both & {"float", "decimal"} else node


def _average(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    """Take the mean of floats: of decimals, Spark would give a decimal, and round it."""
    if isinstance(node.this, exp.Distinct):
        inner = [_double(one) for one in node.this.expressions]
        return exp.Avg(this=exp.Distinct(expressions=inner))
    return exp.Avg(this=_double(node.this))


def _quantile(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    return exp.Anonymous(this="PERCENTILE", expressions=[node.this, node.expression])


def _down_or_up(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    """Keep a float a float: Spark's is a whole number, in which some floats have no place."""
    if kinds.of(node.this) != "float":
        return node
    value = node.this
    most = exp.GTE(this=exp.Abs(this=value.copy()), expression=exp.Literal.number("9E15"))
    odd = exp.Or(this=exp.IsNan(this=value.copy()), expression=most)
    return exp.If(this=odd, true=value.copy(), false=_double(node))


def _cast(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    to = node.args["to"]
    name = to.this.value
    if name in (*_WHOLE, "UBIGINT"):
        _round_first(node, kinds)
    if name in _OTHERS:
        node.set("to", exp.DataType.build(_OTHERS[name]))
    else:
        node.set("to", zoned(to))
    return node


def _round_first(node: exp.Expr, kinds: Kinds) -> None:
    """Round before a cast to whole numbers, as DuckDB does; Spark cuts the rest off."""
    kind = kinds.of(node.this)
    if kind == "float":
        node.set("this", exp.Anonymous(this="RINT", expressions=[node.this]))
    elif kind == "decimal":
        node.set("this", exp.Round(this=node.this))


# ---- text ----------------------------------------------------------------------------------------


def _like(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    if isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string(_NO_ESCAPE))


def _matches(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    return exp.RegexpLike(this=node.this, expression=_java(node.expression))


def _extracted(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    group = node.args.get("group") or exp.Literal.number(0)
    parts = [node.this, _java(node.expression), group]
    return exp.Anonymous(this="REGEXP_EXTRACT", expressions=parts)


def _replaced(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    parts = [node.this, _java(node.expression), node.args["replacement"]]
    return exp.Anonymous(this="REGEXP_REPLACE", expressions=parts)


def _java(pattern: exp.Expr) -> exp.Expr:
    """Return a pattern whose `.` and `$` know no line end but a line feed, and that at no end."""
    text = pattern.name
    if text.endswith("$") and not text.endswith("\\$"):
        text = text[:-1] + r"\z"
    return exp.Literal.string(f"(?d){text}")


# ---- dates ---------------------------------------------------------------------------------------


def _part(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    name, value = node.name.upper(), node.expression
    if name == "ISODOW":
        day = exp.Anonymous(this="WEEKDAY", expressions=[value])  # from Monday as 0
        return _grouped(exp.Add(this=day, expression=exp.Literal.number(1)))
    return _day_of_week(value) if name == "DOW" else node


def _date_part(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    if node.name.lower() != "date_part":
        return node
    part, value = node.expressions
    return _part(exp.Extract(this=exp.var(part.name.upper()), expression=value), kinds)


def _weekday(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    return _day_of_week(node.this)


def _day_of_week(value: exp.Expr) -> exp.Expr:
    """Count from Sunday as 0; Spark counts it as 1."""
    day = exp.Anonymous(this="DAYOFWEEK", expressions=[value.copy()])
    return _grouped(exp.Sub(this=day, expression=exp.Literal.number(1)))


def _subtraction(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    if (kinds.of(node.this), kinds.of(node.expression)) != ("date", "date"):
        return node
    return exp.Anonymous(this="DATEDIFF", expressions=[node.this, node.expression])


def _difference(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    """Count the limits of the unit that lie between two times."""
    end, start, unit = node.this, node.expression, node.args["unit"].name.upper()
    if unit == "DAY":
        days = [exp.cast(one.copy(), "DATE") for one in (end, start)]
        return exp.Anonymous(this="DATEDIFF", expressions=days)
    years = exp.Sub(this=exp.Year(this=end.copy()), expression=exp.Year(this=start.copy()))
    if unit == "YEAR":
        return _grouped(years)
    one, many = (exp.Month, 12) if unit == "MONTH" else (exp.Quarter, 4)
    further = exp.Sub(this=one(this=end.copy()), expression=one(this=start.copy()))
    whole = exp.Mul(this=_grouped(years), expression=exp.Literal.number(many))
    return _grouped(exp.Add(this=whole, expression=_grouped(further)))


# ---- lists ---------------------------------------------------------------------------------------


def _element(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    """Take an element, or null where there is none; sqlglot counts from 0 already."""
    return exp.Anonymous(this="GET", expressions=[node.this, node.expressions[0]])


def _holds(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    """Answer no, and not null, of a list that holds nulls and not the value."""
    held = exp.Coalesce(this=node.copy(), expressions=[exp.false()])
    return exp.If(
        this=exp.Is(this=node.this.copy(), expression=exp.null()), true=exp.null(), false=held
    )


def _length(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    return exp.ArraySize(this=node.this) if kinds.of(node.this) == "list" else node


_RULES: dict[type[exp.Expr], Callable[[exp.Expr, Kinds], exp.Expr]] = {
    exp.Div: _division,
    exp.IntDiv: _whole_division,
    exp.Avg: _average,
    exp.PercentileCont: _quantile,
    exp.Floor: _down_or_up,
    exp.Ceil: _down_or_up,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Like: _like,
    exp.ILike: _like,
    exp.RegexpLike: _matches,
    exp.RegexpExtract: _extracted,
    exp.RegexpReplace: _replaced,
    exp.Extract: _part,
    exp.Anonymous: _date_part,
    exp.DayOfWeek: _weekday,
    exp.Sub: _subtraction,
    exp.DateDiff: _difference,
    exp.Length: _length,
    exp.Bracket: _element,
    exp.ArrayContains: _holds,
}
