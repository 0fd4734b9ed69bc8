"""Whether every event time of an input comes through a transform, told from its text alone.

Nothing is run. Only steps that are known to keep each value of a column count; of anything else it
is not known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["keeps_times"]

# Steps of a frame that leave out no row, and what stands in their arguments.
_FRAME = frozenset({"lazy", "collect", "select", "with_columns", "sort", "rename", "drop", "agg"})
_GROUPS = frozenset({"group_by"})
_VALUES = frozenset(
    {
        *("col", "lit", "len", "alias", "cast", "sum", "mean", "median", "min", "max", "count"),
        *("n_unique", "std", "var", "round", "abs", "fill_null", "is_null", "is_not_null"),
        *("date", "truncate", "year", "month", "day", "to_date", "to_datetime", "total_seconds"),
    }
)


def keeps_times(module: str, function: str, column: str) -> bool:
    """Return whether a function surely keeps each value of a column of its input.

    Parameters
    ----------
    module : str
        The transform's text.
    column : str
        A column that the output has of the input as it is, or groups by.
    """
    tree = ast.parse(module)
    found = next(
        (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function), None
    )
    if found is None or any(isinstance(n, _BRANCHES) for n in ast.walk(found)):
        return False
    return all(_keeps(call, column) for call in _calls(found))


_BRANCHES = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Lambda, ast.IfExp, ast.Subscript)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))


def _keeps(call: ast.Call, column: str) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False  # a function of the module's own, or a query
    name = call.func.attr
    if name in _GROUPS:
        return column in set(_named(call))
    return name in _FRAME or name in _VALUES


def _named(call: ast.Call) -> Iterator[str]:
    """Yield the columns that a grouping names: as texts, or as `pl.col` of them alone."""
    for one in call.args:
        for part in one.elts if isinstance(one, ast.List | ast.Tuple) else [one]:
            if isinstance(part, ast.Call) and ast.unparse(part.func) == "pl.col" and part.args:
                part = part.args[0]
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
