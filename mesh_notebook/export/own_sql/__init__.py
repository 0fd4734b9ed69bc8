"""SQL that a notebook's own code runs by DuckDB, which finds frames by their Python names."""

from mesh_notebook.export.own_sql.calls import Query, is_connection, is_relation, queries_in, quiet
from mesh_notebook.export.own_sql.refusing import refused_query

__all__ = ["Query", "is_connection", "is_relation", "queries_in", "quiet", "refused_query"]
