"""What of a notebook's own SQL no module can repeat, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable

from mesh_notebook.errors import as_typed
from mesh_notebook.export.own_sql.calls import Query

__all__ = ["refused_query"]

_WRITTEN = (
    'write the query out where it is run, and give it values as parameters: duckdb.sql("… WHERE '
    'delay > $limit", params={"limit": limit})'
)


def refused_query(
    query: Query, is_frame: Callable[[str], bool], declared: Callable[[str], str]
) -> tuple[str, str] | None:
    """Return why a query cannot be kept, and the next step; None where it can.

    Parameters
    ----------
    is_frame : callable
        Whether a name is one of the notebook's, and not only of a table in DuckDB.
    declared : callable
        The name of the input that a file is declared as; empty where it is none.
    """
    told = query.told
    if told is None and query.method in ("create", "create_view", "to_table", "to_view"):
        return (
            "makes a table or view of a relation",
            'say it in SQL: con.execute("CREATE OR REPLACE TABLE name AS SELECT … FROM frame")',
        )
    if told is None:
        return (
            "runs SQL whose text is made while it runs, and may name any frame",
            _WRITTEN,
        )
    if told.files:
        what = told.files[0]
        return f"reads a file in its SQL ({what})", _named(what, declared(what))
    frames = sorted(name for name in told.tables if is_frame(name))
    if told.later and frames:
        return (
            f"makes a view of `{frames[0]}`, and so means whatever has that name when it is read",
            f"make it a table: CREATE OR REPLACE TABLE …, or read `{frames[0]}` in each query",
        )
    if told.kept and query.on_default:
        return (
            "makes a table on the connection that all code shares, where a second run finds it",
            "write CREATE OR REPLACE TABLE, or use one of your own: con = duckdb.connect()",
        )
    hidden = [name for name in frames if name not in query.own]
    if query.inside and hidden:
        return (
            f"runs SQL inside a function, and finds `{hidden[0]}` among the notebook's names",
            f"give the function the frame: a parameter `{hidden[0]}`; or run the SQL in the cell",
        )
    return None


def _named(path: str, name: str) -> str:
    if name:
        return f"it is the input `{name}` already: write FROM {name}"
    said = path if "." in path else "PATH"
    return f"declare it: %mesh source NAME {as_typed(said)}, and write FROM NAME"
