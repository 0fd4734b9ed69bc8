"""What objects of libraries hold: of Python's own by their attributes, of some others one by one.

Left out is what belongs to a process: threads, files, sockets, loggers' handlers. It is another in
each process, and no output depends on it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["held_by"]

# Of these modules, what instances hold belongs to the process, or is told elsewhere.
_NOT_TOLD = frozenset(
    (
        *("_io", "io", "os", "posix", "subprocess", "tempfile", "asyncio", "concurrent", "time"),
        *("multiprocessing", "socket", "ssl", "selectors", "importlib", "zipimport", "inspect"),
        *("contextlib", "traceback", "types", "functools", "unittest", "pathlib", "urllib", "pdb"),
        *("zipfile", "tarfile", "weakref", "typing", "abc", "builtins", "itertools", "operator"),
        *(
            "queue",
            "logging",
            "argparse",
            "optparse",
            "threading",
            "code",
            "codecs",
            "socketserver",
        ),
        *(
            "socketserver",
            "dbm",
            "shelve",
            "ftplib",
            "smtplib",
            "imaplib",
            "xmlrpc",
            "mmap",
            "gzip",
            "bz2",
        ),
    )
)
_TOLD = frozenset(
    (
        *("argparse.Namespace", "_thread._local", "_threading_local.local"),
        *("threading.Event", "threading.Semaphore", "threading.BoundedSemaphore"),
        *("urllib.request.Request", "http.cookies.SimpleCookie", "http.cookies.Morsel"),
    )
)
_MOST_ROWS = 1_000_000  # of a table in memory


def held_by(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what an object of a library holds, under names."""
    kind = type(value)
    library, name = kind.__module__.partition(".")[0], f"{kind.__module__}.{kind.__qualname__}"
    if library == "sklearn" and hasattr(value, "get_params"):
        yield from ((n, v) for n, v in vars(value).items() if not n.startswith("_"))
    elif name == "xml.etree.ElementTree.Element":
        yield from (("tag", value.tag), ("text", value.text), ("tail", value.tail))
        yield from (("attributes", dict(value.attrib)), ("within", dict(enumerate(value))))
    elif name == "numpy.random._generator.Generator":
        yield "state", repr(value.bit_generator.state)
    elif name == "numpy.random.mtrand.RandomState":
        yield "state", repr(value.get_state(legacy=False))
    elif name in ("random.Random", "_random.Random"):
        yield "state", repr(value.getstate())
    elif name == "collections.OrderedDict":
        yield "order", dict(enumerate(value))
    elif name == "sqlite3.Connection":
        yield "tables", _in_sqlite(value)
    elif library in ("duckdb", "_duckdb") and kind.__name__ == "DuckDBPyConnection":
        yield "tables", _in_duckdb(value)
    elif kind.__base__ is not None and kind.__base__.__name__ == "_SimpleCData":
        yield "value", value.value
    elif name in _TOLD or (library in sys.stdlib_module_names and library not in _NOT_TOLD):
        yield from _attributes(value)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    yield from dict(getattr(value, "__dict__", {})).items()
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)


def _in_sqlite(connection: Any) -> Any:
    """Return the rows of a database in memory, by table; None of one in a file."""
    import sqlite3

    try:
        if any(file for _, _, file in connection.cursor().execute("PRAGMA database_list")):
            return None
        return list(connection.iterdump())
    except (sqlite3.Error, TypeError, KeyError, IndexError):  # closed, busy, rows of another kind
        return None


def _in_duckdb(connection: Any) -> Any:
    """Return the rows of the tables in memory; None where they are many, or the connection busy."""
    import duckdb
    import polars as pl

    try:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() t JOIN duckdb_databases() d "
            "USING (database_name) WHERE d.path IS NULL AND NOT t.internal AND NOT t.temporary "
            "AND estimated_size <= ? ORDER BY ALL",
            [_MOST_ROWS],
        )
        names = cursor.fetchall()
        return {
            f"{schema}.{table}": pl.DataFrame(cursor.table(f"{_quoted(schema)}.{_quoted(table)}"))
            for schema, table in names
        }
    except (duckdb.Error, pl.exceptions.PolarsError):
        return None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
