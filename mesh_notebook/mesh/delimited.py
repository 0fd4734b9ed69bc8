"""CSV files as lazy frames: plain, compressed, or the one file in a zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mesh_notebook.errors import SourceError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["scan_delimited", "unzipped"]


def scan_delimited(
    paths: Sequence[str],
    dtypes: dict[str, pl.DataType] | None,
    null_values: Sequence[str],
    separator: str,
    *,
    ignore_errors: bool = False,
) -> pl.LazyFrame:
    """Return CSV files (plain, `.gz`, or one file in a `.zip`) as a lazy frame.

    Without `dtypes` every column is text. With `ignore_errors`, what does not fit a type is null;
    not of a zip.
    """
    import polars as pl

    if not any(path.endswith(".zip") for path in paths):
        return _scan(list(paths), dtypes, null_values, separator, ignore_errors)
    frames = [_scan_one(path, dtypes, null_values, separator) for path in paths]
    return frames[0] if len(frames) == 1 else pl.concat(frames)


def _scan(
    source: list[str] | io.BytesIO,
    dtypes: dict[str, pl.DataType] | None,
    null_values: Sequence[str],
    separator: str,
    ignore_errors: bool = False,
) -> pl.LazyFrame:
    import polars as pl

    names = list(dtypes or ())
    if quoted := any('"' in name for name in names):
        # Polars leaves the doubled quotes of a header doubled; which column is which, it knows.
        first = source[:1] if isinstance(source, list) else source
        found = pl.scan_csv(first, infer_schema=False, separator=separator, glob=False)
        raw = found.collect_schema().names()
        dtypes = dict(zip(raw, (dtypes or {}).values(), strict=True))
    return pl.scan_csv(
        source,
        schema=dtypes,
        infer_schema=False,
        null_values=list(null_values) or None,
        separator=separator,
        glob=False,
        ignore_errors=ignore_errors,
        with_column_names=(lambda _: names) if quoted else None,
    )


def _scan_one(
    path: str, dtypes: dict[str, pl.DataType] | None, null_values: Sequence[str], separator: str
) -> pl.LazyFrame:
    from polars.io.plugins import register_io_source

    if not path.endswith(".zip"):
        return _scan([path], dtypes, null_values, separator)

    def whole() -> pl.LazyFrame:
        return _scan(io.BytesIO(unzipped(path)), dtypes, null_values, separator)

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch: int | None
    ) -> Iterator[pl.DataFrame]:
        frame = whole() if rows is None else whole().head(rows)
        frame = frame if columns is None else frame.select(columns)
        yield (frame if predicate is None else frame.filter(predicate)).collect()

    return register_io_source(read, schema=dtypes or (lambda: whole().collect_schema()))


def unzipped(path: str) -> bytes:
    """Return the content of the one file in a zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(_member(archive, path))
    except (zipfile.BadZipFile, RuntimeError, OSError) as error:  # RuntimeError: a password
        raise SourceError(f"{path} cannot be unpacked: {error}.", path=path) from None


def _member(archive: zipfile.ZipFile, path: str) -> str:
    names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX")]
    if len(names) != 1:
        raise SourceError(
            f"{path} holds {len(names)} files, and one table is one file.",
            next_step="unpack it and give the file",
            path=path,
            members=names,
        )
    return names[0]
