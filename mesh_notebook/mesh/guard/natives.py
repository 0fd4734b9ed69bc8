"""Readers that are not Python, of which no audit event tells: each asks before it reads."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from mesh_notebook.mesh.guard.attempts import NotAnInput
from mesh_notebook.mesh.on_import import when_imported

__all__ = ["wrap_readers"]

Look = Callable[..., None]
Refuse = Callable[[str], None]

_ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_READING_SQL = re.compile(r"\bread_\w+\s*\(", re.IGNORECASE)
_POLARS = ("read_", "scan_")
_NO_PATHS = ("read_database", "read_clipboard", "read_database_uri")
_DUCKDB = ("read_", "from_csv_auto", "from_parquet")
# Wrapped when they are imported: a transform that uses none of them waits for none.
_READERS = {
    "pandas": "read_parquet read_orc read_hdf read_spss",
    "pyarrow": "memory_map input_stream OSFile",
    "pyarrow.parquet": "read_table read_schema read_metadata read_pandas ParquetFile "
    "ParquetDataset",
    "pyarrow.csv": "read_csv open_csv",
    "pyarrow.json": "read_json open_json",
    "pyarrow.feather": "read_table read_feather",
    "pyarrow.orc": "read_table ORCFile",
    "pyarrow.dataset": "dataset",
    "pyarrow.ipc": "open_file",
    "lxml.etree": "parse iterparse",
    "h5py": "File",
    "netCDF4": "Dataset",
    "deltalake": "DeltaTable",
    "fastexcel": "read_excel",
    "pyreadstat": "read_sas7bdat read_xport read_dta read_sav read_por",
    "pyogrio": "read_dataframe read_arrow read_info",
    "rasterio": "open",
    "cv2": "imread",
    "lightgbm": "Booster",
}
# In DuckDB's words, where files are shut off by us, and where a connection does so itself.
_SHUT_OFF = ("has been disabled by configuration", "file system operations are disabled")
# Not `enable_external_access`: without it, SQL does not find the frames of the code that runs it.
_NO_FILES = (
    "SET disabled_filesystems = 'LocalFileSystem'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
)


def wrap_readers(look: Look, refuse: Refuse) -> None:
    """Have readers ask before they read.

    Parameters
    ----------
    look : callable
        Given a path; raises where it is none to be read.
    refuse : callable
        Raises, given what a transform does.
    """
    import polars as pl

    for name in dir(pl):
        if name.startswith(_POLARS) and not name.startswith(_NO_PATHS):
            setattr(pl, name, _asking(getattr(pl, name), look, refuse))
    pl.SQLContext.execute = _refusing_files(pl.SQLContext.execute, refuse)  # type: ignore[method-assign]
    for name in (*_READERS, "duckdb", "sqlite3"):
        when_imported(name, functools.partial(_wrap, look=look, refuse=refuse))


def _wrap(module: ModuleType, look: Look, refuse: Refuse) -> None:
    if module.__name__ == "sqlite3":
        _shut_off_sqlite(module, look)
    if module.__name__ == "duckdb":
        _shut_off_duckdb(module, look, refuse)
    for name in _READERS.get(module.__name__, "").split():
        if real := getattr(module, name, None):
            setattr(module, name, _asking(real, look, refuse))


def _asking(reader: Callable[..., Any], look: Look, refuse: Refuse) -> Callable[..., Any]:
    if isinstance(reader, type):
        return _asking_class(reader, look, refuse)

    @functools.wraps(reader)
    def asking(*arguments: Any, **options: Any) -> Any:
        _ask_for(arguments, options, look, refuse)
        return reader(*arguments, **options)

    return asking


def _asking_class(reader: type, look: Look, refuse: Refuse) -> type:
    """Return a class that asks when one is made, and is the same to `isinstance`."""

    class Meta(type(reader)):  # type: ignore[misc]
        def __call__(cls, *arguments: Any, **options: Any) -> Any:
            _ask_for(arguments, options, look, refuse)
            return reader(*arguments, **options)

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, reader)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, reader)

    return Meta(reader.__name__, (reader,), {"__module__": reader.__module__})


def _ask_for(arguments: Sequence[Any], options: dict[str, Any], look: Look, refuse: Refuse) -> None:
    first = arguments[0] if arguments else next(iter(options.values()), None)
    for one in first if isinstance(first, list | tuple) else [first]:
        if isinstance(one, str) and _ADDRESS.match(one):
            refuse(f"reads {one} from the network")
        elif isinstance(one, str | os.PathLike):
            said = os.fspath(one)
            look(
                os.path.expanduser(said.removeprefix("file://") if isinstance(said, str) else said)
            )


# ---- SQL ----------------------------------------------------------------------------------------


def _shut_off_sqlite(sqlite3: Any, look: Look) -> None:
    """Let no statement attach a database that may not be opened; opening one is an audit event."""
    real, deny = sqlite3.connect, (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DENY)

    def allowed(action: int, path: str | None, *_: object) -> int:
        if action != deny[0] or path in (None, "", ":memory:"):
            return 0
        try:
            look(path)
        except NotAnInput:
            return int(deny[1])
        return 0

    @functools.wraps(real)
    def connect(*arguments: Any, **options: Any) -> Any:
        connection = real(*arguments, **options)
        connection.set_authorizer(allowed)
        return connection

    sqlite3.connect = connect


def _shut_off_duckdb(duckdb: Any, look: Look, refuse: Refuse) -> None:
    """Let no query of a connection name files: what is an input comes as a frame."""
    for name in dir(duckdb):
        if name.startswith(_DUCKDB):
            setattr(duckdb, name, _asking(getattr(duckdb, name), look, refuse))
    real, memory = duckdb.connect, ("", ":memory:", ":default:")

    def without_files(connection: Any) -> Any:
        for statement in _NO_FILES:
            connection.execute(statement).fetchall()
        return connection

    @functools.wraps(real)
    def connect(database: Any = ":memory:", *arguments: Any, **options: Any) -> Any:
        if str(database) not in memory:
            look(database)
        connection = real(database, *arguments, **options)
        return without_files(connection)

    # Not around `sql` and its like, which look for tables in the frame that calls them. An error
    # is made wherever a query named a file, also where the code goes on without the answer.
    def made(self: Exception, *arguments: object) -> None:
        Exception.__init__(self, *arguments)
        if any(said in str(self) for said in _SHUT_OFF):
            refuse("reads a file in its SQL")

    duckdb.connect = connect
    without_files(duckdb.default_connection())
    duckdb.PermissionException.__init__ = made


def _refusing_files(execute: Callable[..., Any], refuse: Refuse) -> Callable[..., Any]:
    """Refuse the table functions of Polars' SQL, which read files."""

    @functools.wraps(execute)
    def checked(context: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if found := _READING_SQL.search(query):
            refuse(f"calls {found[0]}…) in its SQL")
        return execute(context, query, *arguments, **options)

    return checked
