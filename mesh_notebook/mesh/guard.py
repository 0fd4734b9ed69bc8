"""In a clean process: what a transform may reach is its inputs, and what Python itself needs.

The proof runs on the machine on which the notebook ran, where a file that no input declares lies
just as well. So the process refuses what would not lie elsewhere: files and folders outside Python
and the inputs, other programs, and the network.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["NotAnInput", "guard"]

_PACKAGE = Path(__file__).parents[1]
# What a machine tells of itself: libraries, time zones, processors.
_SYSTEM = ("/usr", "/lib", "/lib64", "/opt", "/proc", "/sys", "/dev", "/etc/localtime")
_FILES = {"open": 0, "os.listdir": 0, "os.scandir": 0, "sqlite3.connect": 0, "os.chdir": 0}
_OUTSIDE = {
    "subprocess.Popen": "runs another program",
    "os.system": "runs another program",
    "os.exec": "runs another program",
    "os.posix_spawn": "runs another program",
    "socket.connect": "reads the network",
    "socket.getaddrinfo": "reads the network",
}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_READERS = ("read_", "scan_", "from_csv_auto", "from_parquet")
_READING_SQL = re.compile(r"\bread_\w+\s*\(", re.IGNORECASE)


class NotAnInput(RuntimeError):
    """A transform reached for something that is none of its inputs."""


def guard(inputs: Iterable[str], workdir: Path, *, loopback: bool = False) -> None:
    """From now on, and for good, refuse this process what is no input.

    Parameters
    ----------
    inputs : iterable of str
        The files that were declared.
    workdir : Path
        Where the process may read and write.
    loopback : bool
        Whether it may talk to other processes of this machine: an engine of its own is one.
    """
    roots = [*sys.path, sys.prefix, sys.base_prefix, *_SYSTEM, str(workdir)]
    roots += [str(_PACKAGE), *inputs]
    allowed = tuple({os.path.realpath(root) for root in roots if root})

    def may_read(path: object) -> bool:
        if not isinstance(path, str | bytes | os.PathLike) or not path:
            return True  # a descriptor, which something that was allowed has opened
        real = os.path.realpath(os.fsdecode(path))
        return any(real == root or real.startswith(f"{root}{os.sep}") for root in allowed)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FILES and not may_read(arguments[_FILES[event]]):
            raise _reads(os.fsdecode(arguments[0]))
        if event in _OUTSIDE and not (loopback and _stays_here(event, arguments)):
            raise NotAnInput(f"it {_OUTSIDE[event]}, which is no input")

    _wrap_native_readers(may_read)
    sys.addaudithook(hook)


def _stays_here(event: str, arguments: tuple[Any, ...]) -> bool:
    """Return whether a connection, or the question for an address, is of this machine."""
    if event == "socket.connect":
        address = arguments[1]
        return isinstance(address, tuple) and address[0] in _LOOPBACK
    return event == "socket.getaddrinfo" and arguments[0] in _LOOPBACK


def _wrap_native_readers(may_read: Callable[[object], bool]) -> None:
    """Refuse paths to readers that are not Python, of which no audit event tells."""
    import duckdb
    import polars as pl

    for module in (pl, duckdb):
        for name in dir(module):
            if name.startswith(_READERS):
                setattr(module, name, _refusing(getattr(module, name), may_read))
    duckdb.connect = _shut_off(duckdb.connect)
    duckdb.default_connection().execute("SET enable_external_access = false")
    pl.SQLContext.execute = _refusing_files(pl.SQLContext.execute)  # type: ignore[method-assign]


def _shut_off(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Let no query of a connection name files: what is an input comes as a frame."""

    @functools.wraps(connect)
    def shut_off(database: Any = ":memory:", *arguments: Any, **options: Any) -> Any:
        if str(database) not in ("", ":memory:", ":default:"):
            raise _reads(str(database))
        connection = connect(database, *arguments, **options)
        connection.execute("SET enable_external_access = false")
        return connection

    return shut_off


def _refusing_files(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse the table functions of Polars' SQL, which read files."""

    @functools.wraps(execute)
    def checked(context: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if found := _READING_SQL.search(query):
            raise NotAnInput(f"its SQL calls {found[0]}…), and files are no input")
        return execute(context, query, *arguments, **options)

    return checked


def _refusing(reader: Callable[..., Any], may_read: Callable[[object], bool]) -> Callable[..., Any]:
    @functools.wraps(reader)
    def checked(*arguments: Any, **options: Any) -> Any:
        first = arguments[0] if arguments else options.get("source")
        many = first if isinstance(first, list | tuple) else [first]
        for one in many:
            if isinstance(one, str | os.PathLike) and not may_read(one):
                raise _reads(os.fsdecode(one))
        return reader(*arguments, **options)

    return checked


def _reads(path: str) -> NotAnInput:
    return NotAnInput(f"it reads {path}, which is no input; %mesh source NAME PATH declares it")
