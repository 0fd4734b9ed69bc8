"""A frame's shape as SQL quality rules, so that any checker of ODCS can measure drift from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.drift import moving
from mesh_notebook.mesh.shape import LEVELS, TOP

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["reference_rules", "stable_id"]

_LONGEST = 80


def reference_rules(
    frame: pl.LazyFrame,
    contract: Contract,
    limit: float,
    only: str = "",
    hidden: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Return a rule for each column whose shape can be told in SQL (DuckDB's, or nearly any).

    Each rule gives the distance, 0 to 1, of a column's values from those of `frame`: of numbers
    the Kolmogorov-Smirnov distance at the frame's quantiles, of text and booleans the total
    variation distance over its most frequent values. Nulls are left aside, and so are personal
    columns and those that move by nature. All is exact, so the order of the rows is of no account.

    Parameters
    ----------
    limit : float
        The distance that is allowed.
    only : str, optional
        The one column that is asked for.
    hidden : collection of str
        Columns of which nothing may be told.
    """
    schema, aside = frame.collect_schema(), {*moving(contract), *hidden}
    rules = []
    for column in contract.columns:
        name = column.name
        asked = name in schema and name not in aside and (not only or name == only)
        if asked and not column.personal and (apart := _apart(frame, name, schema[name])):
            rules.append(_rule(name, apart, limit))
    return rules


def _apart(frame: pl.LazyFrame, name: str, dtype: pl.DataType) -> str:
    """Return the SQL of a column's distance from the frame's; empty where there is none."""
    import polars as pl

    if dtype.is_numeric():
        edges = _quantiles(frame, name, dtype)
        return _kolmogorov(name, edges, _shares(frame, pl.col(name), edges)) if edges else ""
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum, pl.Boolean)):
        return _variation(name, _most_frequent(frame, name, dtype))
    return ""


def _quantiles(frame: pl.LazyFrame, name: str, dtype: pl.DataType) -> list[float]:
    import polars as pl

    number = pl.col(name).cast(pl.Float64) if dtype.is_decimal() else pl.col(name)
    finite = number.filter(number.is_finite())
    levels = [finite.quantile(level, "nearest").alias(str(level)) for level in LEVELS]
    row = frame.select(levels).collect().row(0)
    return list(dict.fromkeys(float(value) for value in row if value is not None))


def _shares(frame: pl.LazyFrame, column: pl.Expr, edges: Sequence[float]) -> list[float]:
    reached = [(column <= edge).mean().alias(str(at)) for at, edge in enumerate(edges)]
    return list(frame.select(reached).collect().row(0))


def _most_frequent(frame: pl.LazyFrame, name: str, dtype: pl.DataType) -> list[tuple[Any, float]]:
    import polars as pl

    plain = pl.col(name) if isinstance(dtype, pl.Boolean) else pl.col(name).cast(pl.String)
    counts = frame.select(plain.drop_nulls().alias("value")).group_by("value").len("n").collect()
    whole = counts["n"].sum()
    most = counts.sort(["n", "value"], descending=[True, False]).head(TOP)
    return [(v, n / whole) for v, n in most.iter_rows() if n > 1 and len(str(v)) <= _LONGEST]


def _rule(name: str, apart: str, limit: float) -> dict[str, Any]:
    return {
        "id": f"promise_drift_{stable_id(name)}",
        "type": "sql",
        "description": f"How far '{name}' lies from what it was when this was promised, 0 to 1.",
        "dimension": "consistency",
        "query": f"SELECT coalesce(round({apart}, 6), 0) FROM {{object}}",
        "mustBeLessOrEqualTo": limit,
    }


def _kolmogorov(name: str, edges: Sequence[Any], shares: Sequence[float]) -> str:
    apart = [
        f"abs({_average(name, '<=', edge)} - {share:.6f})"
        for edge, share in zip(edges, shares, strict=True)
    ]
    return apart[0] if len(apart) == 1 else f"greatest({', '.join(apart)})"


def _variation(name: str, most: Sequence[tuple[Any, float]]) -> str:
    if not most:
        return ""
    parts = [f"abs({_average(name, '=', value)} - {share:.6f})" for value, share in most]
    averages = " - ".join(_average(name, "=", value) for value, _ in most)
    rest = max(1 - sum(share for _, share in most), 0.0)
    return f"({' + '.join([*parts, f'abs(1 - {averages} - {rest:.6f})'])}) / 2"


def _average(name: str, operator: str, edge: Any) -> str:
    """Return the SQL of which share of a column's values compare so; a null is none."""
    from sqlglot import exp

    column = exp.column(exp.to_identifier(name, quoted=True))
    compare = exp.LTE if operator == "<=" else exp.EQ
    held = compare(this=column, expression=exp.convert(edge))
    return exp.Avg(this=exp.cast(held, "INTEGER")).sql("duckdb")


def stable_id(name: str) -> str:
    """Return a name as ODCS allows it in an id: letters, digits, `-` and `_`."""
    plain = (c if c.isascii() and (c.isalnum() or c in "-_") else f"x{ord(c):x}" for c in name)
    return "".join(plain)
