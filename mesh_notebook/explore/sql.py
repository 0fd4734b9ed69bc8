"""SQL over ports, sources and frames: one query, DuckDB's answer, a Polars frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from mesh_notebook.errors import SqlError, near
from mesh_notebook.explore.sql_names import apart
from mesh_notebook.mesh.scan import without_bar

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    from sqlglot import exp

__all__ = ["connect_parser", "run_sql", "tables_of"]

_Made = TypeVar("_Made")
_PICTURE = re.compile(r"^LINE (\d+): .*$", re.MULTILINE)
_SHOW_TABLES = re.compile(r"\s*SHOW\s+(?:ALL\s+)?TABLES\s*;?\s*", re.IGNORECASE)
_NO_TABLE = re.compile(r"Table with name (.+?) does not exist")
_NO_COLUMN = re.compile(r'column "(.+?)" not found|does not have a column named "(.+?)"')
_NO_FUNCTION = re.compile(r"Function with name (\S+) does not exist")
# Table functions that read nothing but their arguments and the engine's own catalogue. Every other
# one may read files, or a table whose name is only known when it runs.
_HARMLESS = re.compile(
    r"range|generate_series|unnest|repeat|repeat_row|json_each|json_tree|duckdb_\w+"
    r"|pragma_(table_info|version)|pg_timezone_names|icu_calendar_names"
)
_GAP = r"(?:\s|--[^\n]*\n|/\*.*?\*/)"
_EXPLAIN = re.compile(
    rf"^{_GAP}*EXPLAIN\b(?:{_GAP}*ANALY[SZ]E\b)?"
    rf"(?:{_GAP}*\(\s*(?:FORMAT|ANALY[SZ]E|VERBOSE)\b[^)]*\))?",
    re.IGNORECASE | re.DOTALL,
)
# The engine's list of every overload of a function, which says too much to say anything.
_CANDIDATES = re.compile(r"Candidate functions:", re.IGNORECASE)
_NO_CAST = re.compile(r"Could not convert string .* to (\w+)")
_NOT_IN_A_FRAME = ("INTERVAL", "UNION")


def connect_parser() -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that sees no table and no file, and so may be asked what a query names."""
    import duckdb

    con = duckdb.connect()
    con.execute("SET enable_external_access = false").fetchall()
    return con


def tables_of(query: str, parser: duckdb.DuckDBPyConnection | None = None) -> tuple[str, ...]:
    """Return the names of the tables that a query reads, in the order in which they appear.

    The engine's own parser says so; names that the query itself defines (`WITH`) are left out.
    A query that cannot be parsed reads nothing: running it says why.

    Parameters
    ----------
    parser : duckdb connection, optional
        Made by `connect_parser`; one of its own takes ten milliseconds.
    """
    import duckdb

    with parser.cursor() if parser else connect_parser() as con:
        try:
            names = con.get_table_names(query)
        except duckdb.Error:  # also PIVOT, which is several statements to the engine
            names = _tables_by_sqlglot(query)
    return tuple(sorted(names, key=lambda name: (_first_seen(name, query), name)))


def _first_seen(name: str, query: str) -> int:
    found = re.search(rf"\b{re.escape(name)}\b", query, re.IGNORECASE)
    return found.start() if found else len(query)


def _parsed(query: str) -> exp.Expr | None:
    import logging

    import sqlglot
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").addFilter(_quiet)
    try:
        statements = [s for s in sqlglot.parse(query, dialect="duckdb") if s is not None]
    except SqlglotError:
        return None
    finally:
        logging.getLogger("sqlglot").removeFilter(_quiet)
    return statements[0] if len(statements) == 1 else None


def _quiet(record: object) -> bool:
    return False


def _tables_by_sqlglot(query: str) -> set[str]:
    from sqlglot import exp

    if (tree := _parsed(query)) is None:
        return set()
    if values := list(tree.find_all(exp.Placeholder)):
        # The engine names no tables of a query that waits for values.
        for value in values:
            value.replace(exp.null())
        return {*tables_of(tree.sql("duckdb"))}
    defined = {cte.alias for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table) if table.name} - defined


def run_sql(
    query: str,
    con: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Any],
    known: Iterable[str] = (),
    values: Mapping[str, Any] | None = None,
) -> pl.DataFrame:
    """Run one query, and return its rows as a Polars frame.

    Parameters
    ----------
    query : str
        One statement that reads: SELECT, FROM, VALUES, DESCRIBE, SUMMARIZE, PIVOT, EXPLAIN.
    con : duckdb connection
        Its views are seen, and stay as they are; made by `mesh.scan.connect_duckdb`.
    tables : mapping
        Further frames by name, for this query alone; they go before views of the same name.
    known : iterable of str
        Names that a misspelt table may have meant, beside those of `con` and `tables`.
    values : mapping, optional
        The values of its parameters, which the engine binds.

    Raises
    ------
    SqlError
        The query does not only read, reads files past the declared inputs, or is refused by
        the engine; with the line, a caret and near misses.
    """
    import duckdb

    _only_reads(query)
    with closing(without_bar(con.cursor())) as cursor:
        if _SHOW_TABLES.fullmatch(query):
            return _readable([*tables, *known, *_views(cursor)])
        try:
            for name, frame in tables.items():
                cursor.register(name, _registrable(name, frame))
            _no_files(query, cursor)
            relation = _asked(query, cursor, values)
            _fits_a_frame(relation, query, cursor)
            return _made(relation, cursor)
        except duckdb.Error as error:
            said = _with_picture(error, query, cursor, values)
            raise _explained(said, query, cursor, [*tables, *known]) from None


def _asked(
    query: str, cursor: duckdb.DuckDBPyConnection, values: Mapping[str, Any] | None
) -> duckdb.DuckDBPyRelation:
    if not values:
        return cursor.sql(query)
    # With parameters DuckDB runs it right away.
    return _waited(lambda: cursor.sql(query, params=dict(values)), cursor)


def _made(relation: duckdb.DuckDBPyRelation, cursor: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    # Run by DuckDB, which can be interrupted; Polars, drawing from the stream, can not.
    made: pl.DataFrame = _waited(lambda: relation.materialize().pl(), cursor)
    return made


def _waited(run: Callable[[], _Made], cursor: duckdb.DuckDBPyConnection) -> _Made:
    """Run a query in a thread of its own, so that Ctrl-C ends it at once.

    DuckDB itself looks for a signal between its tasks, and one task may take minutes.
    """
    with ThreadPoolExecutor(1) as pool:
        pending: Future[_Made] = pool.submit(run)
        try:
            # A wait without a limit may not hear the signal: Polars has the system resume it.
            while not wait([pending], timeout=0.2).done:
                pass
        except KeyboardInterrupt:
            cursor.interrupt()
            raise
        return pending.result()


def _registrable(name: str, frame: Any) -> Any:
    import duckdb

    _has_a_type_of_arrow(name, frame)

    # A relation belongs to the connection that made it; its rows do not.
    return frame.pl() if isinstance(frame, duckdb.DuckDBPyRelation) else frame


def _has_a_type_of_arrow(name: str, frame: Any) -> None:
    """Refuse integers of 128 bits, which Arrow cannot carry from Polars to the engine."""
    import polars as pl

    if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
        return
    for column, dtype in frame.collect_schema().items():
        if type(dtype).__name__ in ("Int128", "UInt128"):
            raise SqlError(
                f"`{name}` has a column '{column}' of type {dtype}, which SQL cannot read here.",
                next_step=f"{name} = {name}.with_columns(pl.col({column!r})"
                ".cast(pl.Decimal(38, 0)))",
                column=column,
            )


def _with_picture(
    error: duckdb.Error,
    query: str,
    cursor: duckdb.DuckDBPyConnection,
    values: Mapping[str, Any] | None,
) -> str:
    """Return what the engine says with the line and the caret, which relations leave out."""
    import duckdb

    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException)):
        try:
            cursor.execute(query, dict(values or {}))  # refused again before anything runs
            cursor.abort()
        except duckdb.Error as again:
            return str(again)
    return str(error)


def _only_reads(query: str) -> None:
    import duckdb

    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise _explained(str(error), query, None, ()) from None
    if not statements:
        raise SqlError(
            "a cell holds one query, and this has none.",
            next_step="write one: FROM NAME, or SELECT … FROM NAME",
            query=query,
        )
    if len(statements) != 1:
        raise SqlError(
            f"a cell holds one query, and this has {len(statements)}.",
            next_step="split it; a query can read the result of an earlier one by its name",
            query=query,
        )
    kind = statements[0].type.name
    if kind not in ("SELECT", "EXPLAIN", "MULTI"):
        raise SqlError(
            f"{kind} changes something, and queries here only read.",
            next_step="SELECT what the result should be; its name is what comes after 'sql'",
            query=query,
            statement=kind,
        )


def _no_files(query: str, cursor: duckdb.DuckDBPyConnection) -> None:
    """Refuse to read files that no input declares: their origin would not travel along."""
    names, functions = _reads_of(query, cursor)
    # `FROM a.csv`, unquoted, is a file to the engine too, where no schema of that name is.
    paths = {name for name in names if set(name) & set("./\\")}
    if paths:
        known = _catalogue(cursor)
        paths = {name for name in paths if name.lower() not in known}
    if past := sorted(paths | {name for name in functions if not _HARMLESS.fullmatch(name)}):
        raise SqlError(
            f"the query reads past the declared inputs ({past[0]}).",
            next_step="%mesh source NAME FILE, then read NAME",
            query=query,
            reads=past,
        )


def _reads_of(query: str, cursor: duckdb.DuckDBPyConnection) -> tuple[set[str], set[str]]:
    """Return the tables and the table functions that a query names, wherever it names them.

    DuckDB's own parser says so; PIVOT, which it does not serialize, is read by sqlglot. A query
    that neither can read is refused by the engine as well, or else by us.
    """
    import json

    from sqlglot import exp

    plain = _EXPLAIN.sub("", query)
    if plain != query:
        _only_reads(plain)  # EXPLAIN ANALYZE runs what it explains
    text = cursor.execute("SELECT json_serialize_sql(?)", [plain]).fetchall()[0][0]
    tree = json.loads(text)
    if not tree.get("error"):
        found = list(_nodes(tree))
        bases = [n for n in found if n.get("type") == "BASE_TABLE"]
        names = {_dotted(n["catalog_name"], n["schema_name"], n["table_name"]) for n in bases}
        calls = [n["function"] for n in found if n.get("type") == "TABLE_FUNCTION"]
        return names, {str(call["function_name"]).lower() for call in calls}
    parsed = _parsed(plain)
    if parsed is None or isinstance(parsed, exp.Command):
        raise SqlError(
            "the query is of a kind whose inputs cannot be told.",
            next_step="write it as a SELECT",
            query=query,
        )
    tables = list(parsed.find_all(exp.Table))
    names = {_dotted(t.catalog, t.db, t.name) for t in tables}
    return names, {called for t in tables if (called := _called(t))}


def _dotted(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _catalogue(cursor: duckdb.DuckDBPyConnection) -> set[str]:
    """Return all tables and views by each way to write them: with schema, database, neither."""
    rows = cursor.execute(
        "SELECT lower(database_name), lower(schema_name), lower(view_name) FROM duckdb_views() "
        "UNION SELECT lower(database_name), lower(schema_name), lower(table_name) "
        "FROM duckdb_tables()"
    ).fetchall()
    return {_dotted(*way) for d, s, t in rows for way in ((d, s, t), (s, t), (d, t), (t,))}


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(child, dict | list):
            yield from _nodes(child)


def _called(table: exp.Table) -> str:
    from sqlglot import exp

    if not isinstance(table.this, exp.Func):
        return ""
    name = table.this.name if isinstance(table.this, exp.Anonymous) else table.this.sql_name()
    return name.lower()


def _views(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    rows = cursor.execute(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal "
        "UNION SELECT table_name FROM duckdb_tables()"
    ).fetchall()
    return [name for (name,) in rows]


def _readable(names: Iterable[str]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame({"name": sorted({*names})}, schema={"name": pl.String})


def _fits_a_frame(
    relation: duckdb.DuckDBPyRelation, query: str, cursor: duckdb.DuckDBPyConnection
) -> None:
    names = relation.columns
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SqlError(
            f"the result has two columns named '{twice[0]}'.",
            next_step=apart(_parsed(query), twice, cursor),
            query=query,
            column=twice[0],
        )
    for name, dtype in zip(names, map(str, relation.types), strict=True):
        if any(part in dtype for part in _NOT_IN_A_FRAME):
            raise SqlError(
                f"column '{name}' is {dtype}, which no frame can hold.",
                next_step=f"turn it into a number or text, for example epoch({name})",
                query=query,
                column=name,
            )


def _explained(
    said: str, query: str, cursor: duckdb.DuckDBPyConnection | None, known: Iterable[str]
) -> SqlError:
    """Make a short paragraph of the engine's message: sentence, line, caret, near misses."""
    picture = _PICTURE.search(said)
    close, step = _meant(said, query, cursor, known)
    message = _sentence(said)
    if picture:
        message += "\n" + said[picture.start() :].rstrip()
    return SqlError(
        message,
        next_step=step,
        query=query,
        line=int(picture[1]) if picture else None,
        near=close,
    )


def _sentence(said: str) -> str:
    lines = said[: m.start()] if (m := _PICTURE.search(said)) else said
    kept = [
        line.strip()
        for line in _CANDIDATES.split(lines)[0].splitlines()
        if line.strip() and not line.startswith(("Did you mean", "Candidate", "LINE "))
    ]
    text = re.sub(r"^[\w ]+ Error: ", "", " ".join(kept[:3]))
    return text[:1].upper() + text[1:]


def _meant(
    said: str, query: str, cursor: duckdb.DuckDBPyConnection | None, known: Iterable[str]
) -> tuple[list[str], str]:
    if cursor is None:
        return [], "mend the SQL at the caret"
    if match := _NO_TABLE.search(said):
        tables = list(dict.fromkeys([*known, *_views(cursor)]))
        return _near_or_all(match[1], tables, "tables", "connect, source or define one first")
    if match := _NO_COLUMN.search(said):
        columns = _columns(query, cursor)
        return _near_or_all(match[1] or match[2], columns, "columns", "DESCRIBE the table")
    if match := _NO_FUNCTION.search(said):
        functions = cursor.execute("SELECT DISTINCT function_name FROM duckdb_functions()")
        close = near(match[1], [name for (name,) in functions.fetchall()])
        return close, f"did you mean {', '.join(close)}?" if close else ""
    if "No function matches" in said:
        return [], "say which type is meant: CAST(column AS BIGINT)"
    if match := _NO_CAST.search(said):
        return [], f"TRY_CAST(column AS {match[1]}) gives NULL where there is none"
    return [], ""


def _near_or_all(name: str, known: list[str], what: str, otherwise: str) -> tuple[list[str], str]:
    close = near(name, known)
    if close:
        return close, f"did you mean {', '.join(close)}?"
    some = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return [], f"{what} here: {some}" if known else otherwise


def _columns(query: str, cursor: duckdb.DuckDBPyConnection) -> list[str]:
    names = [name.lower() for name in tables_of(query)]
    rows = cursor.execute(
        "SELECT DISTINCT column_name FROM duckdb_columns() "
        "WHERE NOT internal AND list_contains($names, lower(table_name)) ORDER BY 1",
        {"names": names},
    ).fetchall()
    return [name for (name,) in rows]
