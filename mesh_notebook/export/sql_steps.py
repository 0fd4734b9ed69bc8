"""Steps in SQL: the function that runs them, and how a query stands in the module."""

from __future__ import annotations

import textwrap

from mesh_notebook.export.sql_layout import laid_out
from mesh_notebook.export.verbs import SqlStep

__all__ = ["query_in", "sql_helper", "table_in", "unindented", "values_in"]

_SQL_WIDTH = 88  # characters of a line of SQL: it stands eight from the left
_SQL = '''
def {name}(query: str, {values}/, **tables: {frames}) -> pl.DataFrame:
    """Run one query over frames, by DuckDB, in UTC."""
    with duckdb.connect(
        config={{"python_enable_replacements": "false", "enable_external_access": "false"}}
    ) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        for name, table in tables.items():
            connection.register(name, {registered})
        return pl.DataFrame(connection.sql(query{bound}).materialize())
'''


def sql_helper(name: str, pandas: bool, values: bool = False) -> str:
    """Return the function that runs SQL: frames go in as Arrow streams, which needs no more.

    With `values`, a query may have parameters, which DuckDB binds.
    """
    frames, registered = "pl.LazyFrame | pl.DataFrame", "table.lazy().collect().to_struct()"
    if pandas:
        frames = f"{frames} | pd.DataFrame"
        registered = f"table if isinstance(table, pd.DataFrame) else {registered}"
    given = "values: dict[str, object] | None = None, " if values else ""
    bound = ", params=values" if values else ""
    told = {"name": name, "frames": frames, "registered": registered}
    return _SQL.format(**told, values=given, bound=bound)


def values_in(step: SqlStep) -> str:
    """Return the argument that gives a query the values of its parameters; empty without any."""
    said = ", ".join(f'"{name}": {name}' for name in step.values)
    return f", {{{said}}}" if said else ""


def table_in(table: str, frame: str) -> str:
    """Return the argument that gives a query a frame under a table's name."""
    return f"{table}={frame}" if table.isidentifier() else f"**{{{table!r}: {frame}}}"


def query_in(step: SqlStep) -> str:
    """Return a step's query as a text of Python, laid out."""
    query = unindented(step.query)
    query = laid_out(query.rstrip("; \n"), _SQL_WIDTH)
    if "\n" not in query and not {'"', "\\"} & {*query}:
        return f'"{query}"'
    escaped = query.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if "\n" not in query:
        return f'"""{escaped} """' if escaped.endswith('"') else f'"""{escaped}"""'
    if _has_long_tokens(query):
        return f'"""{escaped}\n"""'
    return '"""\n' + textwrap.indent(escaped, " " * 8) + '\n        """'


def unindented(query: str) -> str:
    """Return a query without the indentation of its lines, unless a text in it spans lines."""
    if {"\n", "\t"} & {*query} and _has_long_tokens(query):
        return query.strip()
    return textwrap.dedent(query.expandtabs(4)).strip()


def _has_long_tokens(query: str) -> bool:
    """Return whether a string or a quoted name of the query spans lines, so that none may move."""
    from sqlglot import Dialect
    from sqlglot.errors import SqlglotError

    try:
        tokens = Dialect.get_or_raise("duckdb").tokenize(query)
    except SqlglotError:
        return True
    return any("\n" in token.text or "\t" in token.text for token in tokens)
