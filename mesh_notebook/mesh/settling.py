"""What a CSV holds, settled when it is opened: its shape checked, its types read off all rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.delimited import scan_delimited, unzipped
from mesh_notebook.mesh.dtypes import polars_dtype
from mesh_notebook.mesh.quotes import check_quotes, header_record, open_text, reading
from mesh_notebook.mesh.scan import connect_duckdb

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_start", "separator_of", "settle"]

_SEPARATORS = (",", ";", "\t", "|")
_HEAD = 1_000  # values of each column that suggest its type, before all of them decide
_PATTERNS = (
    ("BIGINT", r"^\s*[+-]?\d{1,18}$"),
    ("DOUBLE", r"^\s*[+-]?(\d{1,15}(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"),
    ("BOOLEAN", r"^(?i:true|false)$"),
    ("DATE", r"^\d{4}-\d{2}-\d{2}$"),
    ("TIMESTAMP_NTZ", r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"),
    (
        "TIMESTAMP_TZ",
        r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$",
    ),
)
_WIDER = {"BIGINT": "DOUBLE"}
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
# How DuckDB's reader says where a file is broken.
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_FIELDS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


def settle(
    paths: Sequence[str], null_values: Sequence[str], separator: str | None = None
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Read CSV files whole, and return their separator and their columns' DuckDB types.

    A column is as narrow as all of its values allow: integers (unless one has a leading zero,
    as postal codes have), numbers, true/false, ISO dates, ISO datetimes with or without an
    offset, else text. Text that only looks like a date (`01/02/2013`) stays text.

    Raises
    ------
    SourceError
        No header, a column named twice, another header than the first file's, a line with too
        many or too few fields, an unclosed quote, or bytes that are not UTF-8; with the line.
    """
    with ExitStack() as stack:
        plain = [stack.enter_context(_plain_file(path)) for path in paths]
        separator, names = _header(plain[0], paths[0], separator)
        for file, path in zip(plain[1:], paths[1:], strict=True):
            _same_header(names, _header(file, path, separator)[1], path, paths[0])
        for file, path in zip(plain, paths, strict=True):
            _check_shape(file, path, names, separator)
        with _encoded(plain, paths):
            return separator, _types(plain, names, null_values, separator)


@contextmanager
def _encoded(files: Sequence[str], paths: Sequence[str]) -> Iterator[None]:
    """Say in which line bytes are not UTF-8; a reader that counts the lines does not look."""
    from polars.exceptions import ComputeError

    try:
        yield
    except ComputeError as error:
        for file, path in zip(files, paths, strict=True):
            with open_text(file) as lines:
                if line := next((n for n, x in enumerate(lines, 1) if _NOT_UTF8.search(x)), 0):
                    raise _wrong_encoding(path, line) from None
        raise _bad_shape(paths[0], str(error)) from None


@contextmanager
def _plain_file(path: str) -> Iterator[str]:
    """Give a path that every reader understands: zips are unpacked aside for the while."""
    if not path.endswith(".zip"):
        yield path
        return
    with TemporaryDirectory() as folder:
        file = Path(folder, "unpacked.csv")
        file.write_bytes(unzipped(path))
        yield str(file)


def _header(file: str, path: str, separator: str | None) -> tuple[str, list[str]]:
    try:
        with open_text(file) as lines:
            first = lines.readline()
            check_start(first, path)
            separator = separator or separator_of(first)
            names = header_record(first, lines, separator, path)
    except (OSError, EOFError) as error:
        raise SourceError(f"{path} cannot be read: {error}.", path=path) from None
    if not any(names):
        raise SourceError(
            f"{path} is empty: it has no header line.",
            next_step="a CSV starts with a line of column names; --skip N counts lines above it, "
            "--columns a,b,… names columns where there is none",
            path=path,
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(
            f"{path} names the column '{twice[0]}' {names.count(twice[0])} times.",
            next_step="give each column a name of its own in the first line, or name them here: "
            "--skip 1 --columns a,b,…",
            path=path,
            column=twice[0],
        )
    _check_case(names, path)
    return separator, names


def _check_case(names: Sequence[str], path: str) -> None:
    lowered: dict[str, str] = {}
    for name in names:
        if other := lowered.get(name.lower()):
            raise SourceError(
                f"{path}: '{other}' and '{name}' are one name to SQL, which knows no upper case.",
                next_step="give one of them another name in the first line, or name them here: "
                "--skip 1 --columns a,b,…",
                path=path,
                column=name,
            )
        lowered[name.lower()] = name


def check_start(first: str, path: str) -> None:
    """Refuse a first line whose bytes are of another encoding, or that ends as no reader takes."""
    if "\0" in first:
        raise _wrong_encoding(path, 1, "utf-16")
    if _NOT_UTF8.search(first):
        raise _wrong_encoding(path, 1)
    if first.endswith("\r"):
        name = Path(path).name
        raise SourceError(
            f"{path}: its lines end in a carriage return alone, which no reader here takes.",
            next_step=f"convert it: tr '\\r' '\\n' < {name} > mended-{name}",
            path=path,
        )


def separator_of(line: str, decimal: str | None = None) -> str:
    """Return what most likely stands between the fields of a header line."""
    counts = {mark: line.count(mark) for mark in _SEPARATORS if mark != decimal}
    return "," if counts.get(",") else max(counts, key=counts.__getitem__)


def _same_header(expected: list[str], found: list[str], path: str, first: str) -> None:
    if found == expected:
        return
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    said = [f"it lacks {', '.join(missing)}"] if missing else []
    said += [f"it adds {', '.join(extra)}"] if extra else []
    differs = "; ".join(said) or "they stand in another order"
    raise SourceError(
        f"{path} has other columns than {first}: {differs}.",
        next_step="give files of one shape, open them as two sources, or join them by the names "
        "of their columns: --by-name",
        path=path,
        missing=missing,
        extra=extra,
    )


def _check_shape(file: str, path: str, names: list[str], separator: str) -> None:
    # Polars fills up short lines with nulls; DuckDB counts the fields of every line.
    import duckdb

    with connect_duckdb() as con:
        try:
            reading(con, file, names, separator).count("*").fetchall()
        except duckdb.Error as error:
            raise _bad_shape(path, str(error)) from None
    check_quotes(file, path, names, separator)


def _bad_shape(path: str, said: str) -> SourceError:
    found = _LINE.search(said)
    line = int(found[1]) if found else 0
    if "not utf-8" in said:
        return _wrong_encoding(path, line)
    facts: dict[str, Any] = {"path": path, "line": line}
    if fields := _FIELDS.search(said):
        return SourceError(
            f"{path}, line {line}: the header has {fields[1]} fields, this line {fields[2]}.",
            next_step="quote fields that hold the separator, and mend lines that were cut; "
            "--skip N where the header stands further down, --separator where it is another",
            **facts,
        )
    if "unterminated quote" in said:
        return SourceError(
            f'{path}, line {line}: a quote (") is opened and never closed.',
            next_step="close it, or double it where it is part of the text",
            **facts,
        )
    return SourceError(
        f"{path} is no readable CSV: {said.splitlines()[0]}",
        next_step="--separator, --skip, --columns and --encoding say how it was written",
        **facts,
    )


def _wrong_encoding(path: str, line: int, likely: str = "latin1") -> SourceError:
    return SourceError(
        f"{path}, line {line}: these bytes are not UTF-8.",
        next_step=f"say in which encoding it was written: --encoding {likely}",
        path=path,
        line=line,
    )


def _types(
    files: Sequence[str], names: Sequence[str], null_values: Sequence[str], separator: str
) -> tuple[tuple[str, str], ...]:
    import polars as pl

    as_text: dict[str, pl.DataType] = dict.fromkeys(names, pl.String())
    text = scan_delimited(files, as_text, null_values, separator)
    heads = text.select(pl.all().drop_nulls().head(_HEAD).implode())
    nulls, head = pl.collect_all([text.null_count(), heads])
    types = {name: _suggested(head[name][0]) for name in head.columns}
    types.update(dict.fromkeys(_with_leading_zeros(text, types), "VARCHAR"))
    return _narrowest(files, types, nulls.row(0), null_values, separator)


def _suggested(values: pl.Series) -> str:
    if values.is_empty():
        return "VARCHAR"
    for physical, pattern in _PATTERNS:
        if values.str.contains(pattern).all():
            return physical
    return "VARCHAR"


def _with_leading_zeros(text: pl.LazyFrame, types: dict[str, str]) -> list[str]:
    import polars as pl

    numbers = [name for name, physical in types.items() if physical in ("BIGINT", "DOUBLE")]
    padded = text.select(pl.col(numbers).str.contains(r"^\s*[+-]?0\d").any()).collect()
    return [name for name in numbers if padded[name][0]]


def _narrowest(
    files: Sequence[str],
    types: dict[str, str],
    nulls: tuple[int, ...],
    null_values: Sequence[str],
    separator: str,
) -> tuple[tuple[str, str], ...]:
    """Widen each type until reading by it loses no value: at most integer, number, text."""
    lost = list(types)
    while lost:
        dtypes = {name: polars_dtype(physical) for name, physical in types.items()}
        typed = scan_delimited(files, dtypes, null_values, separator, ignore_errors=True)
        after = typed.null_count().collect().row(0)
        lost = [
            name
            for name, before, now in zip(types, nulls, after, strict=True)
            if now != before and types[name] != "VARCHAR"
        ]
        types.update({name: _WIDER.get(types[name], "VARCHAR") for name in lost})
    return tuple(types.items())
