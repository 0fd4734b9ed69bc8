"""DuckDB's SQL in the words of another engine, with DuckDB's meaning; or why that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["not_portable", "spark_sql"]


def not_portable(query: str, engine: str) -> list[tuple[str, str]]:
    """Return what of a query another engine would not take, or take otherwise.

    Parameters
    ----------
    query : str
        One statement, in DuckDB's dialect.
    engine : str
        'duckdb', for which there is nothing, or 'spark'.

    Returns
    -------
    list of (expression, why)
        The expression as it stands in the query, and the reason in a few words.
    """
    from sqlglot.errors import SqlglotError, UnsupportedError

    if engine != "spark":
        return []
    try:
        spark_sql(query)
    except UnsupportedError as error:
        return [(query.strip(), str(error))]
    except SqlglotError as error:
        return [(query.strip(), f"it cannot be parsed: {error}")]
    return []


def spark_sql(query: str, schemas: Any = None) -> str:
    """Return a query of DuckDB's dialect as Spark's."""
    from sqlglot import ErrorLevel

    return _parsed(query).sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)


def _parsed(query: str) -> exp.Expr:
    import sqlglot

    return sqlglot.parse_one(query, dialect="duckdb")
