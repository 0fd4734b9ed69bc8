"""DuckDB's SQL in the words of another engine, with DuckDB's meaning; or why that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mesh_notebook.errors import SqlError

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

__all__ = ["not_portable", "spark_sql"]


def not_portable(
    query: str, engine: str, schemas: Mapping[str, pa.Schema] | None = None
) -> list[tuple[str, str]]:
    """Return what of a query another engine would not take, or take otherwise.

    Parameters
    ----------
    query : str
        One statement, in DuckDB's dialect.
    engine : str
        'duckdb', for which there is nothing, or 'spark'.
    schemas : mapping, optional
        By table the Arrow schema of its frame: some expressions mean the same of some types alone.

    Returns
    -------
    list of (expression, why)
        The expression as it stands in the query, and the reason in a few words.
    """
    return _translated(query, schemas)[1] if engine == "spark" else []


def spark_sql(query: str, schemas: Mapping[str, pa.Schema] | None = None) -> str:
    """Return a query of DuckDB's dialect in Spark's; raises `SqlError` for what is not portable."""
    from sqlglot import ErrorLevel

    tree, refused = _translated(query, schemas)
    if refused or tree is None:
        said, why = refused[0]
        raise SqlError(
            f"Spark cannot run `{said}`: {why}.",
            next_step="write it otherwise, or run the product on polars or duckdb",
            query=query,
        )
    return tree.sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)


def _translated(
    query: str, schemas: Mapping[str, pa.Schema] | None
) -> tuple[exp.Expr | None, list[tuple[str, str]]]:
    import sqlglot
    from sqlglot import ErrorLevel
    from sqlglot.errors import SqlglotError, UnsupportedError

    from mesh_notebook.mesh.engines.described import types_of
    from mesh_notebook.mesh.engines.kinds import Kinds
    from mesh_notebook.mesh.engines.spark_refusals import refusals
    from mesh_notebook.mesh.engines.spark_rewrites import rewritten

    try:
        tree = sqlglot.parse_one(query, dialect="duckdb")
    except SqlglotError as error:
        return None, [(query.strip(), f"it cannot be parsed: {error}")]
    kinds = Kinds(tree, types_of(schemas) if schemas else {})
    if refused := refusals(tree, kinds):
        return None, refused
    made = rewritten(tree, kinds)
    try:
        made.sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        return None, [(query.strip(), str(error))]
    return made, []
