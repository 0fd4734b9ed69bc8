"""Of what kind an expression of a query is, as far as its tables' columns and its own words say.

A kind is 'whole', 'decimal', 'float', 'text', 'bool', 'date', 'time' (with a date, with or without
a zone), 'list', or nothing where it cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

__all__ = ["Kinds"]

_TYPES = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128"), "whole"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINT", "UBIGINT", "UINT128"), "whole"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "float"),
    **dict.fromkeys(("VARCHAR", "TEXT", "CHAR"), "text"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ", "TIMESTAMPLTZ"), "time"),
    "DECIMAL": "decimal",
    "BOOLEAN": "bool",
    "DATE": "date",
    "LIST": "list",
    "ARRAY": "list",
}
_OF_ITS_ARGUMENT = (
    *(exp.Sum, exp.Min, exp.Max, exp.Paren, exp.Neg, exp.Abs, exp.Round, exp.Window, exp.Filter),
    *(exp.Alias, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.Nullif, exp.Distinct),
)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Mod)
_FIXED: dict[type[exp.Expr], str] = {
    exp.Count: "whole",
    exp.CountIf: "whole",
    exp.RowNumber: "whole",
    exp.Rank: "whole",
    exp.DenseRank: "whole",
    exp.Extract: "whole",
    exp.Year: "whole",
    exp.Month: "whole",
    exp.Day: "whole",
    exp.Quarter: "whole",
    exp.Length: "whole",
    exp.DateDiff: "whole",
    exp.Div: "float",
    exp.Avg: "float",
    exp.Stddev: "float",
    exp.Variance: "float",
    exp.Sqrt: "float",
    exp.Pow: "float",
    exp.TimestampTrunc: "time",
    exp.Lower: "text",
    exp.Upper: "text",
    exp.Substring: "text",
    exp.Concat: "text",
    exp.DPipe: "text",
}
_WIDEST = ("float", "decimal", "whole")


class Kinds:
    """What is known of a query's columns.

    Parameters
    ----------
    tree : sqlglot expression
        The query, as it was parsed.
    types : mapping
        By table and column, DuckDB's types; a column that two tables have otherwise is unknown.
    """

    def __init__(self, tree: exp.Expr, types: Mapping[str, Mapping[str, str]]) -> None:
        self._columns: dict[str, set[str]] = {}
        for table in types.values():
            for name, dtype in table.items():
                self._columns.setdefault(name.lower(), set()).add(_of_type(dtype))
        self._aliases: dict[str, list[exp.Expr]] = {}
        for alias in tree.find_all(exp.Alias):
            self._aliases.setdefault(alias.alias.lower(), []).append(alias.this)
        self._open: set[str] = set()

    def of(self, node: exp.Expr | None) -> str:
        """Return the kind of an expression."""
        if node is None:
            return ""
        if isinstance(node, exp.Column):
            return self._column(node.name.lower())
        if isinstance(node, exp.Literal):
            return _of_literal(node)
        if isinstance(node, exp.Cast):
            return _TYPES.get(node.to.this.value, "")
        if isinstance(node, exp.Interval):
            return "interval"
        if isinstance(node, _ARITHMETIC):
            return self._arithmetic(node)
        if isinstance(node, exp.Case):
            return self._agreed([i.args["true"] for i in node.args["ifs"]] + [node.args["default"]])
        if isinstance(node, exp.If):
            return self._agreed([node.args["true"], node.args.get("false")])
        if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
            return self._agreed([node.this, *node.expressions])
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select):
            return self.of(node.this.selects[0])
        if isinstance(node, _OF_ITS_ARGUMENT):
            return self.of(node.this or next(iter(node.expressions), None))
        return next((kind for one, kind in _FIXED.items() if isinstance(node, one)), "")

    def _column(self, name: str) -> str:
        found = set(self._columns.get(name, ()))
        if name not in self._open:
            self._open.add(name)
            found |= {self.of(made) for made in self._aliases.get(name, ())}
            self._open.discard(name)
        return found.pop() if len(found) == 1 else ""

    def _arithmetic(self, node: exp.Expr) -> str:
        one, other = self.of(node.this), self.of(node.expression)
        if one in ("date", "time"):
            return {"whole": one, "interval": "time", "date": "whole"}.get(other, "")
        return self._widest([one, other])

    def _agreed(self, nodes: list[exp.Expr | None]) -> str:
        kinds = [self.of(node) for node in nodes if node and not isinstance(node, exp.Null)]
        return kinds[0] if len(set(kinds)) == 1 else self._widest(kinds)

    def _widest(self, kinds: list[str]) -> str:
        if not kinds or not set(kinds) <= set(_WIDEST):
            return ""
        return next(kind for kind in _WIDEST if kind in kinds)


def _of_type(dtype: str) -> str:
    made = exp.DataType.build(dtype, dialect="duckdb")
    return _TYPES.get(made.this.value, "")


def _of_literal(node: exp.Literal) -> str:
    if node.is_string:
        return "text"
    text = node.name.lower()
    return "float" if "e" in text else "decimal" if "." in text else "whole"
