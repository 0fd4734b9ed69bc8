"""CSV files as one scan: made plain, told what they hold, and joined by name on request."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import SourceError, UsageError
from mesh_notebook.mesh.delimited import scan_delimited
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.settling import settle
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.capture import Captures
from mesh_notebook.mesh.sources.plain import Copy, plain_copy

if TYPE_CHECKING:
    import polars as pl

__all__ = ["scan_texts"]

# With a comma before the fraction, a point stands between thousands.
_COMMA_NUMBER = r"^\s*[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?$"
_NUMBER = r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$"
# Of a column that is told to be numbers but for a few words: how many of each, and how long.
_MOSTLY, _FEW_WORDS, _SHORT = 0.5, 3, 12
_LOOKED_AT = 100
_CALLED = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}


def scan_texts(files: Sequence[Path], asked: Asked, world: World) -> Scan:
    """Return the scan of CSV files, which says what was guessed.

    Raises
    ------
    SourceError, UsageError
        As `plain_copy` and `settle` raise them.
    """
    if asked.decimal not in (None, ",", "."):
        raise UsageError(
            f"{asked.decimal!r} cannot stand before a fraction.", next_step="--decimal ','"
        )
    copies = [plain_copy(path, asked, world) for path in files]
    mark = copies[0].mark
    if asked.by_name or asked.decimal == ",":
        copies, mark = _retold(copies, mark, asked, world), ","
    paths = tuple(str(copy.file) for copy in copies)
    with _spoken(copies):
        separator, schema = settle(paths, asked.null_values, mark)
    scan = Scan("csv", paths, None, asked.null_values, schema, separator)
    return scan.guessing(*_guessed(scan, copies, asked))


@contextmanager
def _spoken(copies: Sequence[Copy]) -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        for copy in copies:
            error = copy.spoken(error)
        raise error from None


def _guessed(scan: Scan, copies: Sequence[Copy], asked: Asked) -> list[str]:
    said = []
    if asked.separator is None and not (asked.by_name or asked.decimal == ","):
        said.append(f"separator {_CALLED.get(scan.separator, repr(scan.separator))}")
    if not asked.columns:
        said.append(_header_said(scan))
    if asked.encoding is None:
        said.append("UTF-8")
    if asked.decimal is None:
        commas = _with_commas(scan)
        hint = f" ({', '.join(commas)}: text, or --decimal ',')" if commas else ""
        said.append(f"decimal point{hint}")
    said.append("types from all rows")
    said += [_as_numbers(name, words) for name, words in _almost_numbers(scan)]
    return [*dict.fromkeys(one for copy in copies for one in copy.said), *said]


def _with_commas(scan: Scan) -> list[str]:
    """Return the columns of text that look like numbers with a comma, by their first values."""
    import polars as pl

    head = scan.lazy().select(pl.col(pl.String)).head(_LOOKED_AT).collect()
    return [
        column.name
        for column in head.get_columns()
        if column.count()
        and column.str.contains(_COMMA_NUMBER).all()
        and column.str.contains(",").any()
    ]


def _as_numbers(name: str, words: Sequence[str]) -> str:
    """Say why a column is text, and how to have its numbers."""
    said = f"{name} text for {', '.join(words)} among its numbers"
    if len(words) == 1:
        return f"{said} (--null {shlex.quote(words[0])} reads that as no value)"
    return f"{said} (pl.col({name!r}).cast(pl.Float64, strict=False) reads the numbers)"


def _almost_numbers(scan: Scan) -> Iterator[tuple[str, list[str]]]:
    """Yield the columns that would be numbers but for a word or two, such as `NaN`, and which."""
    import polars as pl

    texts = scan.lazy().select(pl.col(pl.String))
    head = texts.head(_LOOKED_AT).collect()
    numbers = head.select(pl.all().str.contains(_NUMBER).sum()) if head.width else head
    names = [
        column.name
        for column in head.get_columns()
        if (found := numbers[column.name].item()) and found >= _MOSTLY * column.count()
    ]
    for name in names:
        others = texts.select(pl.col(name).drop_nulls()).filter(~pl.col(name).str.contains(_NUMBER))
        words = others.unique().head(_FEW_WORDS + 1).collect()[name].to_list()
        plain = all(len(word) <= _SHORT and "," not in word for word in words)
        if 0 < len(words) <= _FEW_WORDS and plain:
            yield name, sorted(words)


def _header_said(scan: Scan) -> str:
    names = [name for name, _ in scan.schema]
    if all(name.strip().lstrip("+-").replace(".", "", 1).isdigit() for name in names):
        return "the first line taken for names (--columns a,b,… where it holds values)"
    if len(names) == 1 and len(names[0].split()) > 1:
        return "one column (--separator space where blanks stand between fields)"
    return "names from the first line"


def _retold(copies: Sequence[Copy], mark: str, asked: Asked, world: World) -> list[Copy]:
    """Return the files written anew: all with the same columns, and points before fractions."""
    import polars as pl

    frames = [_as_text(copy, mark, asked) for copy in copies]
    if asked.by_name:
        names = [*dict.fromkeys(name for frame in frames for name in frame.collect_schema())]
        frames = [_filled(frame, names) for frame in frames]
    if asked.decimal == ",":
        numbers = _numbers(frames)
        pointed = pl.col(numbers).str.replace_all(".", "", literal=True)
        pointed = pointed.str.replace(",", ".", literal=True)
        frames = [frame.with_columns(pointed) for frame in frames]
    return [
        Copy(_written(frame, world), copy.origin, copy.shift, copy.said)
        for frame, copy in zip(frames, copies, strict=True)
    ]


def _as_text(copy: Copy, mark: str, asked: Asked) -> pl.LazyFrame:
    import polars as pl

    with _spoken([copy]):
        separator, schema = settle((str(copy.file),), asked.null_values, mark)
    as_text: dict[str, pl.DataType] = {name: pl.String() for name, _ in schema}
    return scan_delimited([str(copy.file)], as_text, asked.null_values, separator)


def _filled(frame: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    import polars as pl

    own = frame.collect_schema().names()
    lacking = [pl.lit(None, pl.String).alias(name) for name in names if name not in own]
    return frame.with_columns(lacking).select(names)


def _numbers(frames: Sequence[pl.LazyFrame]) -> list[str]:
    """Return the columns that hold nothing but numbers with a comma before the fraction."""
    import polars as pl

    wide = pl.concat(frames) if _alike(frames) else frames[0]
    fits = wide.select(pl.all().str.contains(_COMMA_NUMBER).all()).collect()
    return [name for name in fits.columns if fits[name][0]]


def _alike(frames: Sequence[pl.LazyFrame]) -> bool:
    return len({tuple(frame.collect_schema()) for frame in frames}) == 1


def _written(frame: pl.LazyFrame, world: World) -> Path:
    captures = Captures.of(world.environ)
    with captures.aside() as part:
        frame.sink_csv(part)
        return captures.keep(part, ".csv")
