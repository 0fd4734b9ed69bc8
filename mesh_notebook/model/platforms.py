"""The platforms that a contract's servers name, and whose SQL each of them speaks."""

from __future__ import annotations

from typing import Any

from mesh_notebook.model.document import custom, listed

__all__ = ["dialect_of"]

# ODCS's names of servers, by sqlglot's name of the dialect. What only holds files speaks none.
_DIALECTS = {
    **dict.fromkeys(("duckdb", "local"), "duckdb"),
    **dict.fromkeys(("postgres", "postgresql", "cloudsql", "vertica", "exasol"), "postgres"),
    **dict.fromkeys(("sqlserver", "mssql", "synapse", "fabric", "azuresql"), "tsql"),
    **dict.fromkeys(("athena", "glue"), "athena"),
    **dict.fromkeys(("databricks", "spark", "unity"), "databricks"),
    **dict.fromkeys(("hive", "impala"), "hive"),
    **{
        name: name
        for name in (
            *("bigquery", "clickhouse", "dremio", "mysql", "oracle", "presto", "redshift"),
            *("snowflake", "teradata", "trino"),
        )
    },
}


def dialect_of(contract: dict[str, Any]) -> str:
    """Return the dialect of a contract's types and queries; empty where no server tells."""
    named = [str(server.get("type") or "") for server in listed(contract, "servers")]
    named.append(str(custom(contract, "sourceSystem") or ""))  # v2.2
    known = (_DIALECTS.get(name.lower().replace("_", "")) for name in named)
    return next((dialect for dialect in known if dialect), "")
