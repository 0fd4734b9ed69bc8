"""Row filters: a small SQL, held to an allow-list, that means the same in every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    from sqlglot import exp

    from mesh_notebook.model.contract import Contract

__all__ = ["columns_in", "predicate"]


def predicate(where: str, contract: Contract) -> pl.Expr:
    """Return a row filter as a Polars expression.

    Comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, arithmetic on columns and literals. It is
    evaluated once, as the rows are published, so what it means depends on no reader's engine. A
    value that cannot be cast is null, of which nothing is true: an error would tell the value.

    Raises
    ------
    UsageError
        It is no such predicate, or names a column that the contract does not have.
    """
    import polars as pl

    condition = _parsed(where, contract)
    empty = pl.DataFrame(schema=_dtypes(contract))
    try:
        expression = pl.sql_expr(condition.transform(_lenient).sql("duckdb"))
        found = empty.select(expression.alias("shown")).schema["shown"]
    except pl.exceptions.PolarsError as error:
        raise _no_filter(where, str(error).split("\n", 1)[0]) from None
    if found != pl.Boolean:
        raise _no_filter(where, f"it gives {found}, neither true nor false")
    return expression


def columns_in(where: str, contract: Contract) -> frozenset[str]:
    """Return the columns that a row filter looks at."""
    from sqlglot import exp

    return frozenset(column.name for column in _parsed(where, contract).find_all(exp.Column))


def _parsed(where: str, contract: Contract) -> exp.Expression:
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(f"SELECT 1 WHERE {where}", read="duckdb")
        condition: exp.Expression = tree.args["where"].this
    except (sqlglot.errors.SqlglotError, KeyError, AttributeError):
        raise _no_filter(where, "it cannot be parsed") from None
    if len(tree.args["expressions"]) != 1 or any(
        value for name, value in tree.args.items() if name not in ("expressions", "where", "kind")
    ):
        raise _no_filter(where, "it is more than a condition")
    known = {column.name for column in contract.columns}
    for node in condition.walk():
        if not isinstance(node, _allowed()):
            raise _no_filter(where, f"{node.key.upper()} is not understood")
        if isinstance(node, exp.Column) and (node.table or node.name not in known):
            raise _no_filter(where, f"there is no column '{node.sql()}'")
    return condition


def _lenient(node: exp.Expression) -> exp.Expression:
    from sqlglot import exp

    return exp.TryCast(**node.args) if type(node) is exp.Cast else node


def _allowed() -> tuple[type, ...]:
    from sqlglot import exp

    return (
        *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple),
        *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is),
        *(exp.In, exp.Between, exp.Like, exp.Add, exp.Sub, exp.Mul, exp.Neg),
        *(exp.Cast, exp.DataType, exp.DataTypeParam),
    )


def _dtypes(contract: Contract) -> dict[str, pl.DataType]:
    from mesh_notebook.mesh.dtypes import column_dtype

    return {column.name: column_dtype(column) for column in contract.columns}


def _no_filter(where: str, why: str) -> UsageError:
    return UsageError(
        f"'{where}' is no row filter: {why}.",
        next_step="a condition on columns, as in: country = 'DE' AND minutes > 0",
        where=where,
    )
