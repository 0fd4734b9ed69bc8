"""Whether every event time of an input comes through a transform, told from its text alone.

Nothing is run. Only steps that are known to keep each value of a column count; of anything else it
is not known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

from mesh_notebook.mesh.identity import inlined

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["keeps_times", "queried_as_it_is"]

# Steps of a frame that leave out no row, and what stands in their arguments.
_FRAME = frozenset({"lazy", "collect", "sort", "drop"})
_GROUPS = frozenset({"group_by"})
_MAKES = frozenset({"select", "with_columns", "agg", "rename"})
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
    if _query_keeps(module, function, column):
        return True
    tree = inlined(ast.parse(module))
    found = next(
        (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function), None
    )
    if found is None or any(isinstance(n, _BRANCHES) for n in ast.walk(found)):
        return False
    return all(_keeps(call, column) for call in _calls(found))


def queried_as_it_is(module: str, function: str, column: str) -> bool:
    """Return whether a function is one query that selects a column of its input as it is."""
    query = _only_query(module, function)
    return query is not None and any(_is_plain(one, column) for one in query.selects)


def _only_query(module: str, function: str) -> exp.Select | None:
    """Return the one SELECT that a function returns, over one table; None if it does more."""
    import sqlglot
    from sqlglot import exp

    call = _only_call(module, function)
    text = call.args[0].value if call and isinstance(call.args[0], ast.Constant) else None
    if not isinstance(text, str):
        return None
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        return None
    one = isinstance(tree, exp.Select) and len(list(tree.find_all(exp.Select, exp.Table))) == 2
    return tree if one and isinstance(tree, exp.Select) else None


def _only_call(module: str, function: str) -> ast.Call | None:
    """Return the query that a function makes its frame by: `x = _sql(…)`, `return x.lazy()`."""
    found = [n for n in inlined(ast.parse(module)).body if _is_function(n, function)]
    body = [n for n in found[0].body if not _is_docstring(n)] if len(found) == 1 else []
    match body:
        case [
            ast.Assign(targets=[ast.Name(id=made)], value=ast.Call(func=ast.Name()) as call),
            ast.Return(value=ast.Call(func=ast.Attribute(ast.Name(id=given), "lazy"))),
        ] if made == given and call.args:
            return call
        case [ast.Return(value=ast.Call(func=ast.Name()) as call)] if call.args:
            return call
    return None


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_function(node: ast.stmt, name: str) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name == name


def _is_plain(selected: exp.Expr, column: str) -> bool:
    from sqlglot import exp

    value = selected.this if isinstance(selected, exp.Alias) else selected
    return isinstance(value, exp.Column) and value.name.casefold() == column.casefold()


def _query_keeps(module: str, function: str, column: str) -> bool:
    from sqlglot import exp

    query = _only_query(module, function)
    if query is None or not queried_as_it_is(module, function, column):
        return False
    if any(query.args.get(part) for part in ("where", "having", "qualify", "limit", "offset")):
        return False
    groups = query.args.get("group")
    if groups is None:
        return not any(one.find(exp.AggFunc) for one in query.selects)
    by = groups.expressions
    numbered = bool(by) and all(isinstance(one, exp.Literal) for one in by)
    return numbered or bool(groups.args.get("all")) or any(_is_plain(n, column) for n in by)


_BRANCHES = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Lambda, ast.IfExp, ast.Subscript)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))


def _keeps(call: ast.Call, column: str) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False  # a function of the module's own, or a query
    name = call.func.attr
    if name in _GROUPS:
        return column in set(_named(call))
    if name in _MAKES:
        return _leaves_alone(call, column)
    return name in _FRAME or name in _VALUES


def _leaves_alone(call: ast.Call, column: str) -> bool:
    """Whether a step that makes columns names one only to take it as it is."""
    made = [n for one in call.args for n in (one.elts if isinstance(one, ast.List) else [one])]
    others = [*(one for one in made if _name_of(one) != column), *call.keywords]
    said = (n for one in others for n in ast.walk(one))
    names = {n.value for n in said if isinstance(n, ast.Constant)}
    return column not in names and column not in {one.arg for one in call.keywords}


def _named(call: ast.Call) -> Iterator[str]:
    """Yield the columns that a grouping names: as texts, or as `pl.col` of them alone."""
    for one in call.args:
        for part in one.elts if isinstance(one, ast.List | ast.Tuple) else [one]:
            if name := _name_of(part):
                yield name


def _name_of(node: ast.expr) -> str:
    """Return the column that an argument is, as it is: `"at"`, or `pl.col("at")`; else nothing."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pl.col" and node.args:
        node = node.args[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
