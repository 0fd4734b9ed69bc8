"""What a SQL query needs: DuckDB plans it over empty tables, and its scans name the columns.

The plan is DuckDB's own, so that every construct that it understands is understood here. What
would look at the tables being empty, or hide a column in a scan's filter, is switched off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.lineage.frames import Needs, Sources, needed, rows_chosen, rows_needed
from mesh_notebook.mesh.lineage.less_sql import without
from mesh_notebook.mesh.lineage.values import LeftOut

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    from sqlglot import exp

__all__ = ["traced_query", "with_values"]

_OFF = "statistics_propagation,filter_pushdown,empty_result_pullup,compressed_materialization"


def traced_query(
    query: str,
    tables: Mapping[str, pl.LazyFrame],
    sources: Sources,
    aside: LeftOut = LeftOut.NOTHING,
) -> pl.LazyFrame:
    """Return the result of a query as an empty frame whose columns are traced to the inputs.

    `aside` is left out of it, as far as it is known.
    """
    import polars as pl

    text = query.strip().rstrip(";")
    with _over(tables) as connection:
        result = pl.DataFrame(connection.sql(text).materialize())
        if aside is not LeftOut.NOTHING:
            less = without(text, aside)
            needs = _values(connection, text, less, result.columns, tables, sources)
            if aside is LeftOut.MATCHING:
                chosen = (rows_chosen(table, sources) for table in tables.values())
                sources.chosen = sources.chosen.union(*chosen)
            return sources.add(result.schema, needs)
        scanned = {c: _scanned(connection, text, c, tables) for c in result.columns}
        every = _scanned(connection, text, None, tables)
    rows = {name: rows_needed(table, sources) for name, table in tables.items()}
    # How many rows a table has may have a say wherever the table is named.
    base: Needs = frozenset().union(*rows.values()) if rows else frozenset()
    base |= _expanded(every, tables, sources)
    needs = {c: base | _expanded(found, tables, sources) for c, found in scanned.items()}
    return sources.add(result.schema, needs)


def with_values(query: str, values: Mapping[str, Any]) -> str:
    """Return a query with constants for its parameters: they need no column of any table."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(query, dialect="duckdb")
    except sqlglot.ParseError:
        return query
    given = {name: _constant(value) for name, value in values.items()}
    for node in list(tree.find_all(exp.Placeholder)):
        if node.name in given:
            node.replace(given[node.name].copy())
    return tree.sql("duckdb")


def _constant(value: Any) -> exp.Expr:
    from datetime import timedelta

    from sqlglot import exp

    if isinstance(value, timedelta):
        return exp.cast(exp.convert(f"{value.total_seconds()} seconds"), "INTERVAL")
    if isinstance(value, list | tuple):
        return exp.Array(expressions=[_constant(one) for one in value])
    try:
        return exp.convert(value)
    except ValueError:  # a kind that SQL has only as text, such as a UUID
        return exp.convert(str(value))


@contextmanager
def _over(tables: Mapping[str, pl.LazyFrame]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB that holds the tables, empty, and plans queries over them plainly."""
    import polars as pl

    from mesh_notebook.mesh.scan import connect_duckdb

    with connect_duckdb(files=False) as connection:
        connection.execute(f"SET disabled_optimizers = '{_OFF}'").fetchall()
        for name, table in tables.items():
            connection.from_arrow(pl.DataFrame(schema=table.collect_schema())).create(name)
        yield connection


def _values(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    less: str,
    columns: list[str],
    tables: Mapping[str, pl.LazyFrame],
    sources: Sources,
) -> dict[str, Needs]:
    """Return by column what it needs of `less`; where that is not the same query, of `text`."""
    import duckdb

    try:
        names = connection.sql(less).columns
        told = less if names == columns else text
        scanned = {c: _scanned(connection, told, c, tables) for c in columns}
    except duckdb.Error:  # it means something only with what was left out
        scanned = {c: _scanned(connection, text, c, tables) for c in columns}
    return {c: _expanded(found, tables, sources) for c, found in scanned.items()}


def _expanded(
    scanned: set[tuple[str, str]], tables: Mapping[str, pl.LazyFrame], sources: Sources
) -> Needs:
    found: set[tuple[str, str]] = set()
    for table, column in scanned:
        found |= needed(tables[table].select(column), sources)
    return frozenset(found)


def _scanned(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    column: str | None,
    tables: Mapping[str, pl.LazyFrame],
) -> set[tuple[str, str]]:
    """Return the columns of the tables that one column of a query needs; None: its rows alone."""
    from sqlglot import exp

    wanted = exp.to_identifier(column, quoted=True).sql("duckdb") if column is not None else "1"
    explained = f"EXPLAIN (FORMAT json) SELECT {wanted} FROM (\n{query}\n) AS _query"
    ((_, plan),) = connection.execute(explained).fetchall()
    by_name = {name.lower(): name for name in tables}
    schemas = {name: table.collect_schema() for name, table in tables.items()}
    found = set()
    for scan in _scans(json.loads(plan)):
        table = by_name[str(scan["Table"]).rpartition(".")[2].strip('"').lower()]
        named = scan.get("Projections") or []
        for name in [named] if isinstance(named, str) else named:
            if name in schemas[table]:  # else it is DuckDB's own number of the row
                found.add((table, name))
    return found


def _scans(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if "Table" in node.get("extra_info", {}):
            yield node["extra_info"]
        yield from _scans(node.get("children", []))
