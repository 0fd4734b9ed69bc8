"""Quotes in a CSV: held to what every reader makes of them, and the line where one is astray."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, TextIO

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.delimited import scan_delimited
from mesh_notebook.mesh.scan import connect_duckdb

if TYPE_CHECKING:
    import duckdb

__all__ = ["check_quotes", "header_record", "open_text", "reading"]

_CHUNK = 1 << 20


def open_text(file: str) -> TextIO:
    """Open a CSV as text; bytes that are not UTF-8 pass as lone surrogates, so that a line can be
    shown and the bytes can be told."""
    if file.endswith(".gz"):
        return gzip.open(file, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return open(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def header_record(first: str, lines: Iterable[str], separator: str, path: str) -> list[str]:
    """Return the names in a header line, which goes on where a quoted name holds a line break.

    Raises
    ------
    SourceError
        A quote in it has no partner, or stands inside a name that is not quoted: one reader takes
        it for a part of the name, and another for the beginning of a text that the rows lie in.
    """
    read: list[str] = []
    try:
        names = next(csv.reader(_noted(first, lines, read), delimiter=separator, strict=True), [])
    except csv.Error:
        raise _stray(path, 1) from None
    if not _record(separator).fullmatch("".join(read).rstrip("\r\n")):
        raise _stray(path, 1)
    return names


def _noted(first: str, lines: Iterable[str], read: list[str]) -> Iterator[str]:
    for line in chain([first], lines):
        read.append(line)
        yield line


def _record(separator: str) -> re.Pattern[str]:
    """Return the pattern of a record by RFC 4180: each field quoted whole, or without a quote."""
    mark = re.escape(separator)
    field = rf'(?:"(?:[^"]|"")*+"|[^"{mark}\r\n]*+)'
    return re.compile(rf"{field}(?:{mark}{field})*+")


def check_quotes(file: str, path: str, names: list[str], separator: str) -> None:
    """Refuse a file that DuckDB and Polars read differently because of a stray quote.

    A text like `5" pipe` in a field without quotes is kept as it stands by one, and opens a text
    that runs over the next lines for the other. Files without any quote, the most, cost one pass
    over their bytes.

    Raises
    ------
    SourceError
        With the first line that has such a quote.
    """
    import duckdb
    from polars.exceptions import PolarsError

    if not _has_quotes(file):
        return
    meant = _by_duckdb(file, names, separator)
    try:
        alike = meant == _by_polars(file, names, separator)
    except (PolarsError, duckdb.Error):
        alike = False
    if not alike:
        raise _stray(path, _first_stray(file, separator))


def _has_quotes(file: str) -> bool:
    with gzip.open(file) if file.endswith(".gz") else open(file, "rb") as whole:
        return any(b'"' in chunk for chunk in iter(lambda: whole.read(_CHUNK), b""))


def _by_duckdb(file: str, names: list[str], separator: str) -> Any:
    with connect_duckdb() as con:
        return _sums(reading(con, file, names, separator), names)


def _by_polars(file: str, names: list[str], separator: str) -> Any:
    import polars as pl

    frame = scan_delimited([file], dict.fromkeys(names, pl.String()), (), separator)
    with connect_duckdb() as con:
        return _sums(con.from_arrow(frame), names)


def reading(
    con: duckdb.DuckDBPyConnection, file: str, names: list[str], separator: str
) -> duckdb.DuckDBPyRelation:
    """Return a CSV as DuckDB reads it: as text, every line held to the header."""
    settings = {
        "columns": dict.fromkeys(names, "VARCHAR"),
        "auto_detect": False,
        "header": True,
        "delim": separator,
        "quote": '"',
        "escape": '"',
        "strict_mode": True,
        "null_padding": False,
    }
    from glob import escape

    given = ", ".join(f"{name} := ${name}" for name in settings)
    return con.sql(f"FROM read_csv($path, {given})", params={"path": escape(file), **settings})


def _sums(relation: duckdb.DuckDBPyRelation, names: list[str]) -> Any:
    """Return the count of the rows and, of each column, a sum of hashes: unequal where a value is.

    An empty text and none at all count as one: only what the quotes enclose is in question.
    """
    from duckdb import (
        CoalesceOperator,
        ColumnExpression,
        ConstantExpression,
        FunctionExpression,
        StarExpression,
    )

    def total(name: str) -> Any:
        value = CoalesceOperator(ColumnExpression(name), ConstantExpression(""))
        return FunctionExpression("sum", FunctionExpression("hash", value))

    count = FunctionExpression("count", StarExpression())
    return relation.aggregate([count, *map(total, names)]).fetchall()


def _first_stray(file: str, separator: str) -> int:
    """Return the line of the first record that RFC 4180 does not know; 0 where none is found."""
    record, begun, text = _record(separator), 1, ""
    with open_text(file) as lines:
        for number, line in enumerate(lines, 1):
            text, begun = text + line, begun if text else number
            if text.count('"') % 2 and len(text) < _CHUNK:
                continue  # a quoted field may go on in the next line
            if not record.fullmatch(text.rstrip("\r\n")):
                return begun
            text = ""
    return begun if text else 0


def _stray(path: str, line: int) -> SourceError:
    where = f"{path}, line {line}" if line else path
    return SourceError(
        f'{where}: a quote (") stands alone, or inside a field that is not quoted.',
        next_step='quote the whole field and double the quote, as in "5"" pipe"; or take it out',
        path=path,
        line=line,
    )
