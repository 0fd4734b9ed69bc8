"""What of DuckDB's SQL Spark would not take, or take to mean something else.

Whatever is not known to mean the same is refused: the lists here name what does, as it stands or
as `spark_rewrites` writes it. `tests/test_dialects.py` runs each on both engines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sqlglot import exp

from mesh_notebook.mesh.engines.kinds import Kinds

__all__ = ["FORMAT", "WHOLE_PARTS", "refusals"]

# Of what a query is built.
_STRUCTURE = (
    *(exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered),
    *(exp.Limit, exp.Offset, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier),
    *(exp.Star, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple, exp.Subquery, exp.CTE),
    *(exp.With, exp.Union, exp.Intersect, exp.Except, exp.Distinct, exp.Exists, exp.Qualify),
    *(exp.DataType, exp.DataTypeParam, exp.Var, exp.Window, exp.WindowSpec, exp.Filter, exp.Values),
    *(exp.Case, exp.If, exp.Interval, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Escape),
    *(exp.TableColumn,),
)
_OPERATORS = (
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In),
    *(exp.Between, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul, exp.Div),
    *(exp.IntDiv, exp.Mod, exp.Neg, exp.DPipe, exp.Like, exp.ILike, exp.RegexpLike, exp.Cast),
    *(exp.TryCast, exp.Bracket, exp.Dot),
)
_FUNCTIONS = (
    *(exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Stddev, exp.StddevSamp),
    *(exp.StddevPop, exp.Variance, exp.VariancePop, exp.Median, exp.PercentileCont),
    *(exp.LogicalOr, exp.LogicalAnd, exp.GroupConcat, exp.RowNumber, exp.Rank, exp.DenseRank),
    *(exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue),
    *(exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs, exp.Round, exp.Floor, exp.Ceil),
    *(exp.Sign, exp.Sqrt, exp.Exp, exp.Pow, exp.Concat, exp.Substring, exp.Left, exp.Right),
    *(exp.Length, exp.StrPosition, exp.SplitPart, exp.Replace, exp.Trim, exp.Lower, exp.Upper),
    *(exp.Pad, exp.Contains, exp.StartsWith, exp.EndsWith, exp.RegexpExtract, exp.RegexpReplace),
    *(exp.Extract, exp.Year, exp.Month, exp.Day, exp.Quarter, exp.DayOfWeek, exp.DayOfYear),
    *(exp.Hour, exp.Minute, exp.TimestampTrunc, exp.DateTrunc, exp.DateDiff, exp.TimeToStr),
    *(exp.LastDay, exp.DateFromParts, exp.ArrayContains, exp.ArraySize, exp.Grouping),
)
_SAME = (*_STRUCTURE, *_OPERATORS, *_FUNCTIONS)
_ANY_ORDER = "which value it gives depends on the order of the rows, of which Spark promises none"
_WHY: dict[type[exp.Expr], str] = {
    exp.Mode: "of values that are equally frequent, each engine takes another",
    exp.First: _ANY_ORDER,
    exp.Last: _ANY_ORDER,
    exp.AnyValue: _ANY_ORDER,
    exp.IgnoreNulls: "which nulls are passed over differs",
    exp.ArrayAgg: _ANY_ORDER,
    exp.ArgMax: "of rows that are equally far up, each engine takes another",
    exp.ArgMin: "of rows that are equally far down, each engine takes another",
    exp.TableSample: "each engine takes another sample",
    exp.Rand: "each run gives other numbers",
    exp.CurrentDate: "each run gives another day",
    exp.CurrentTimestamp: "each run gives another time",
    exp.Pivot: "its columns are known only when it runs",
    exp.AtTimeZone: "whether the time has a zone decides what it means",
    exp.Ln: "of zero and of less, DuckDB gives a number and Spark a null",
    exp.Log: "of zero and of less, DuckDB gives a number and Spark a null",
}
_UNKNOWN = "nothing says that it means the same in Spark"
_CASTS = (
    *("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128", "UTINYINT", "USMALLINT", "UINT", "UBIGINT"),
    *("FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "TEXT", "BOOLEAN", "DATE"),
    *("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ"),
)
WHOLE_PARTS = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOW", "ISODOW", "DOY", "HOUR", "MINUTE")
_TRUNCATIONS = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
_STEPS = ("YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
_DIFFERENCES = ("YEAR", "QUARTER", "MONTH", "DAY")
# Parts of a date that are written the same wherever they stand; letters would be a pattern's own.
FORMAT = re.compile(r"(?:%[YmdHMS]|[-/:., _])*")
# What a regular expression means the same of in RE2 and in Java.
_PATTERN = re.compile(
    r"\^?(?:[\w @#%&=:;,<>!~'\"/-]|\\[dswDSW.\\+*?()\[\]{}|^$/-]|\[\^?[\w .,;:@#%/+*-]+\]"
    r"|[.()|+*?]|\{\d+(?:,\d*)?\})*\$?"
)

# Flags and look-around; a repeat that Java does not take back.
_ODD = re.compile(r"\(\?|[*+?}]\+")


def refusals(tree: exp.Expr, kinds: Kinds) -> list[tuple[str, str]]:
    """Return each expression that is not known to mean the same, as it stands, and why."""
    found = {(_said(node), why): None for node in tree.walk() for why in _why_not(node, kinds)}
    return list(found)


def _said(node: exp.Expr) -> str:
    return node.sql("duckdb")


def _why_not(node: exp.Expr, kinds: Kinds) -> Iterator[str]:
    if isinstance(node, exp.Anonymous):
        if node.name.lower() != "date_part":
            yield f"Spark has no {node.name} that is known to mean the same"
    elif type(node) in _CHECKS:
        if why := _CHECKS[type(node)](node, kinds):
            yield why
    elif type(node) not in _SAME:
        yield _WHY.get(type(node), _UNKNOWN)


# ---- what means the same of some arguments alone -------------------------------------------------


def _unit(node: exp.Expr) -> str:
    unit = node.args.get("unit")
    return str(unit.name).upper() if unit is not None else ""


def _word(node: exp.Expr, name: str) -> str:
    return str(node.args.get(name) or "").upper()


def _select(node: exp.Expr, kinds: Kinds) -> str:
    if node.args.get("limit") and not node.args.get("order"):
        return "without ORDER BY, each engine takes other rows"
    on = node.args.get("distinct") and node.args["distinct"].args.get("on")
    if on and not node.args.get("order"):
        return "without ORDER BY, each engine takes other rows"
    if node.args.get("sample") or node.args.get("laterals") or node.args.get("connect"):
        return _UNKNOWN
    return ""


def _limit(node: exp.Expr, kinds: Kinds) -> str:
    return "" if isinstance(node.expression, exp.Literal) else "Spark wants a number"


def _table(node: exp.Expr, kinds: Kinds) -> str:
    if not isinstance(node.this, exp.Identifier) or node.args.get("db"):
        return "Spark has no such table"
    if node.args.get("pivots"):
        return _WHY[exp.Pivot]
    if re.search(r"[./\\]", node.name):
        return "a file is no input"
    return ""


def _join(node: exp.Expr, kinds: Kinds) -> str:
    odd = {_word(node, "method"), _word(node, "kind")} & {"ASOF", "POSITIONAL", "LATERAL"}
    if odd:
        return f"Spark has no {odd.pop()} JOIN"
    if (node.args.get("using") or _word(node, "method") == "NATURAL") and _stacked_star(node):
        return "Spark gives the columns of * in another order"
    return ""


def _stacked_star(node: exp.Expr) -> bool:
    select = node.find_ancestor(exp.Select)
    return bool(select and select.is_star and select.find_ancestor(exp.SetOperation))


def _with(node: exp.Expr, kinds: Kinds) -> str:
    return "Spark bounds how deep it goes" if node.args.get("recursive") else ""


def _star(node: exp.Expr, kinds: Kinds) -> str:
    odd = node.args.get("replace") or node.args.get("rename")
    return "Spark has no REPLACE or RENAME of *" if odd else ""


def _cast(node: exp.Expr, kinds: Kinds) -> str:
    to, kind = node.args["to"].this.value, kinds.of(node.this)
    if to not in _CASTS:
        return "Spark has no such type, or casts to it otherwise"
    if to in ("VARCHAR", "TEXT") and kind in ("float", "time", "list"):
        return "each engine writes such values otherwise as text"
    return ""


def _interval(node: exp.Expr, kinds: Kinds) -> str:
    if not isinstance(node.parent, exp.Add | exp.Sub | exp.WindowSpec):
        return "an interval can be added to a time, or taken from it; nothing else is the same"
    if not isinstance(node.this, exp.Literal) or not re.fullmatch(r"-?\d+", node.this.name):
        return "Spark wants a whole number and one unit"
    return "" if _unit(node).rstrip("S") in _STEPS else "Spark has no such unit"


def _part(node: exp.Expr, kinds: Kinds) -> str:
    return "" if node.name.upper() in WHOLE_PARTS else "Spark counts such a part otherwise"


def _truncation(node: exp.Expr, kinds: Kinds) -> str:
    return "" if _unit(node) in _TRUNCATIONS else "Spark has no such unit"


def _difference(node: exp.Expr, kinds: Kinds) -> str:
    if _unit(node) in _DIFFERENCES:
        return ""
    return "DuckDB counts the limits between two times, and Spark the whole units"


def _format(node: exp.Expr, kinds: Kinds) -> str:
    form = node.args.get("format")
    if isinstance(form, exp.Literal) and FORMAT.fullmatch(_duckdb_format(node)):
        return ""
    return "only %Y %m %d %H %M %S are written the same by both"


def _duckdb_format(node: exp.Expr) -> str:
    return str(node.args["format"].name)


def _position(name: str, least: int) -> Callable[[exp.Expr, Kinds], str]:
    def check(node: exp.Expr, kinds: Kinds) -> str:
        for one in name.split():
            value = node.args.get(one)
            if value is None:
                continue
            plain = isinstance(value, exp.Literal) and value.name.isdigit()
            if not plain or int(value.name) < least:
                return f"both count alike from {least} on, in a number that is written down"
        return ""

    return check


def _substring(node: exp.Expr, kinds: Kinds) -> str:
    return _position("start", 1)(node, kinds) or _position("length", 0)(node, kinds)


def _pattern(node: exp.Expr, kinds: Kinds) -> str:
    pattern = node.expression
    plain = isinstance(pattern, exp.Literal) and not _ODD.search(pattern.name)
    if not plain or not _PATTERN.fullmatch(pattern.name):
        return "only plain regular expressions mean the same: letters, classes, groups, repeats"
    if isinstance(node, exp.RegexpLike):
        return "flags mean other things" if node.args.get("flag") else ""
    if isinstance(node, exp.RegexpReplace):
        if not node.args.get("modifiers") or node.args["modifiers"].name != "g":
            return "without 'g', DuckDB replaces the first match and Spark every one"
        if set(node.args["replacement"].name) & set("\\$"):
            return "groups are written otherwise in a replacement"
    return ""


def _count(node: exp.Expr, kinds: Kinds) -> str:
    inner = node.this
    many = isinstance(inner, exp.Distinct) and len(inner.expressions) > 1
    return "of several columns, Spark counts no row that has a null" if many else ""


def _joined(node: exp.Expr, kinds: Kinds) -> str:
    return "" if isinstance(node.this, exp.Order) else _ANY_ORDER


def _window(node: exp.Expr, kinds: Kinds) -> str:
    ranked = isinstance(node.this, exp.RowNumber | exp.Ntile | exp.Lag | exp.Lead)
    if ranked and not node.args.get("order") and not node.args.get("alias"):
        return _ANY_ORDER
    return ""


def _window_spec(node: exp.Expr, kinds: Kinds) -> str:
    if node.args.get("exclude") or str(node.args.get("kind")).upper() == "GROUPS":
        return "Spark has no such frame"
    return ""


def _bracket(node: exp.Expr, kinds: Kinds) -> str:
    one = node.expressions
    plain = len(one) == 1 and isinstance(one[0], exp.Literal) and one[0].name.isdigit()
    return "" if plain else "Spark has an element by a number that is written down, from the front"


def _contains(node: exp.Expr, kinds: Kinds) -> str:
    return "" if isinstance(node.expression, exp.Literal) else "of null they give other answers"


def _quantile(node: exp.Expr, kinds: Kinds) -> str:
    return "" if isinstance(node.expression, exp.Literal) else "Spark wants one number"


def _subtraction(node: exp.Expr, kinds: Kinds) -> str:
    both = kinds.of(node.this), kinds.of(node.expression)
    if "time" in both and set(both) <= {"time", "date"}:
        return "the difference of two times is an interval, which no frame holds alike"
    return ""


def _concat(node: exp.Expr, kinds: Kinds) -> str:
    parts = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    if any(kinds.of(part) in ("float", "time") for part in parts):
        return "each engine writes such values otherwise as text"
    return ""


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr, Kinds], str]] = {
    exp.Select: _select,
    exp.Limit: _limit,
    exp.Offset: _limit,
    exp.Table: _table,
    exp.Join: _join,
    exp.With: _with,
    exp.Star: _star,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Interval: _interval,
    exp.Extract: _part,
    exp.TimestampTrunc: _truncation,
    exp.DateTrunc: _truncation,
    exp.DateDiff: _difference,
    exp.TimeToStr: _format,
    exp.Substring: _substring,
    exp.Left: _position("expression", 0),
    exp.Right: _position("expression", 0),
    exp.SplitPart: _position("part_index", 1),
    exp.RegexpLike: _pattern,
    exp.RegexpExtract: _pattern,
    exp.RegexpReplace: _pattern,
    exp.Count: _count,
    exp.GroupConcat: _joined,
    exp.Window: _window,
    exp.WindowSpec: _window_spec,
    exp.Bracket: _bracket,
    exp.ArrayContains: _contains,
    exp.PercentileCont: _quantile,
    exp.Sub: _subtraction,
    exp.Concat: _concat,
    exp.DPipe: _concat,
}
