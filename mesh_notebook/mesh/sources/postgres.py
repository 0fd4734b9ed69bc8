"""Tables of PostgreSQL, read whole through ADBC in one transaction that sees one state.

A password is taken from `PGPASSWORD` or `~/.pgpass`, as every client of PostgreSQL does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from mesh_notebook.errors import MissingExtra, SourceError, UsageError, near
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.capture import Captures, write_rows
from mesh_notebook.mesh.sources.pgqueries import limited, within
from mesh_notebook.mesh.sources.pgtypes import Column, columns_of, columns_of_query

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

__all__ = ["opened"]

_CONNECT_S = 10
_BEGIN = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    # Equal rows in equal order: a scan starts at the first page, whoever else is scanning.
    "SET LOCAL synchronize_seqscans = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
)
_POSITION = """
    SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                 ELSE pg_current_wal_lsn() END)::text
"""
_TABLES = """
    SELECT c.oid::int8, n.nspname::text, c.relname::text, pg_table_is_visible(c.oid),
           has_table_privilege(c.oid, 'SELECT')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname !~ '^pg_(toast|temp)'
    ORDER BY 4 DESC, 2, 3
"""


@dataclass(frozen=True)
class _Table:
    oid: int
    schema: str
    name: str
    visible: bool
    readable: bool

    @property
    def said(self) -> str:
        return f"{self.schema}.{self.name}"


def opened(asked: Asked, world: World) -> Scan:
    """Capture a whole table, or what a query gives, as it is at one moment, and open that."""
    from sqlglot import exp

    uri, host, name = _checked(asked.uri)
    if asked.query and name:
        raise UsageError(
            f"the address names the table {name}, and --query says what to read.",
            next_step=f"leave one of them out: #{name} is FROM {name} in the query",
        )
    captures = Captures.of(world.environ)
    with _connected(uri, host, world) as cursor, captures.aside() as part:
        for statement in _BEGIN:
            cursor.execute(statement)
        cursor.execute(_POSITION)
        state = f"log position {cursor.fetchone()[0]}"
        if asked.query:
            said, rows = "the query", limited(asked)
            columns = columns_of_query(cursor, rows)
        else:
            table = _table(cursor, name, asked.uri)
            said, rows = table.said, exp.table_(table.name, db=table.schema, quoted=True)
            columns = columns_of(cursor, table.oid, rows)
        schema, batches = _rows(cursor, rows, said, columns, asked, world)
        write_rows(part, schema, batches)
        kept = captures.keep(part, ".parquet")
    return Scan("parquet", (str(kept),), state=state)


def _checked(uri: str) -> tuple[str, str, str]:
    """Return the URI for the driver, the host as it may be shown, and the table's name.

    Raises
    ------
    UsageError
        The URI holds a password; it is not repeated.
    """
    try:
        parts = urlsplit(uri)
        given = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise SourceError(
            "this address of a database cannot be read.",
            next_step="write postgresql://user@host/database#schema.table",
        ) from None
    user = parts.netloc.rpartition("@")[0]
    if ":" in user or any("password" in key.lower() for key, _ in given):
        raise UsageError(
            "the address holds a password, which every reader of the notebook and of the bundle "
            "would see.",
            next_step="take it out (and change it, if the notebook was shared); give it in "
            "PGPASSWORD or ~/.pgpass: postgresql://user@host/database#schema.table",
        )
    defaults = {"connect_timeout": str(_CONNECT_S), "application_name": "mesh-notebook"}
    query = urlencode({**defaults, **dict(given)}, quote_via=quote)
    plain = f"postgresql://{parts.netloc}{parts.path}?{query}"
    return plain, parts.netloc.rpartition("@")[2] or "this machine", unquote(parts.fragment)


@contextmanager
def _connected(uri: str, host: str, world: World) -> Iterator[Any]:
    """Give a cursor whose transaction is ours to begin; all that fails is one sentence."""
    try:
        import adbc_driver_postgresql.dbapi as driver
    except ImportError:
        raise MissingExtra("postgres", "reading a PostgreSQL database") from None
    world.progress(f"connect to {host}")
    try:
        connection = driver.connect(uri, autocommit=True)
    except driver.Error as error:
        raise _unreachable(str(error), host, world) from None
    try:
        with connection.cursor() as cursor:
            yield cursor
    except driver.Error as error:
        raise SourceError(
            f"{host} refuses: {_first_line(str(error), world)}.",
            next_step="may this user read it? a broken connection may hold the next time",
            host=host,
        ) from None
    finally:
        connection.close()


def _first_line(said: str, world: World) -> str:
    """Return what the server said, short and without the secret."""
    text = said.partition("FATAL:")[2] or said.partition("ERROR:")[2] or said.rpartition("]")[2]
    line = text.strip().splitlines()[0].strip().rstrip(".") if text.strip() else "no reason given"
    secret = world.environ.get("PGPASSWORD")
    return line.replace(secret, "…") if secret else line


def _unreachable(said: str, host: str, world: World) -> SourceError:
    line = _first_line(said, world).removeprefix("Failed to connect: ")
    if "no password supplied" in said:
        step = "give it in PGPASSWORD or ~/.pgpass, not in the address"
    elif "password authentication failed" in said:
        step = "check the user in the address, and PGPASSWORD or ~/.pgpass"
    elif "database" in line and "does not exist" in line:
        step = "check the database in the address: postgresql://user@host/database#schema.table"
    else:
        step = "is the server up, and the host and the port right?"
    return SourceError(f"{host} cannot be connected to: {line}.", next_step=step, host=host)


def _table(cursor: Any, name: str, uri: str) -> _Table:
    cursor.execute(_TABLES)
    tables = [_Table(*row) for row in cursor.fetchall()]
    meant = [t for t in tables if name == t.said]
    meant = meant or [t for t in tables if name == t.name and t.visible]
    meant = meant or [t for t in tables if name == t.name]
    if len(meant) == 1:
        if meant[0].readable:
            return meant[0]
        raise SourceError(
            f"this user may not read {meant[0].said}.",
            next_step="ask its owner to GRANT SELECT, or name another user in the address",
            table=meant[0].said,
        )
    raise _no_table(name, [t.said for t in meant or tables if t.readable], bool(meant))


def _no_table(name: str, known: list[str], many: bool) -> SourceError:
    by_name = {said.partition(".")[2]: said for said in known}
    close = [by_name.get(n, n) for n in near(name, [*known, *by_name])] if name and not many else []
    has = f"it has {', '.join(known[:10])}{' …' if len(known) > 10 else ''}"
    has = has if known else "it has no table that this user may read"
    if many:
        said, step = f"several schemas have a table '{name}'", f"write one of {', '.join(known)}"
    elif close:
        said, step = f"there is no table '{name}'", f"did you mean #{close[0]}? {has}"
    else:
        said = f"there is no table '{name}'" if name else "which table?"
        step = f"end the address with #schema.table; {has}"
    return SourceError(
        f"{said}." if name else said, next_step=step, table=name, near=close, known=known
    )


def _rows(
    cursor: Any, rows: exp.Expr, said: str, columns: list[Column], asked: Asked, world: World
) -> tuple[pa.Schema, Iterator[pa.Table]]:
    import pyarrow as pa
    from sqlglot import exp

    if not columns:
        raise SourceError(f"{said} has no columns.", table=said)
    query = exp.select(*(column.expression for column in columns)).from_(rows)
    if asked.event_time and (asked.start or asked.end):
        query = query.where(*within(asked, [column.name for column in columns]))
        cursor.execute("SET LOCAL TimeZone = 'UTC'")
    schema = pa.schema([(column.name, column.arrow) for column in columns])
    cursor.execute(query.sql("postgres"))
    reader = cursor.fetch_record_batch()

    def batches() -> Iterator[pa.Table]:
        done = 0
        for batch in _to_the_end(reader, said, world):
            arrays = [c.typed(a, said) for c, a in zip(columns, batch, strict=True)]
            done += batch.num_rows
            world.progress(f"read {said}: {done:,} rows")
            yield pa.Table.from_arrays(arrays, schema=schema)

    return schema, batches()


def _to_the_end(reader: pa.RecordBatchReader, table: str, world: World) -> Iterator[Any]:
    """Give batch after batch; a connection that is lost on the way is no error of this machine."""
    import pyarrow as pa

    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException) as error:
            raise SourceError(
                f"{table} was not read to its end: {_first_line(str(error), world)}.",
                next_step="open it again; did the server or the network go away?",
                table=table,
            ) from None
        yield batch
