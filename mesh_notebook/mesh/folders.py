"""Files that differ, or whose folders hold columns (`day=2026-10-01/…`), as one lazy frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from mesh_notebook.mesh.dtypes import polars_dtype

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = ["scan_folders"]

_Values = tuple[str | None, ...]
_Pair = tuple[str, _Values]
_JSON = ("json", "ndjson")


def scan_folders(scan: Scan) -> pl.LazyFrame:
    """Return the rows of all files, in order, each with the columns of its folder behind them."""
    import polars as pl

    frames = list(_frames(scan))
    how = "diagonal_relaxed" if scan.format in _JSON else "diagonal"
    return frames[0] if len(frames) == 1 else pl.concat(frames, how=how)  # type: ignore[arg-type]


def _frames(scan: Scan) -> Iterator[pl.LazyFrame]:
    values_of = scan.in_folder or ((),) * len(scan.paths)
    pairs = zip(scan.paths, values_of, strict=True)
    for values, paths in _groups(pairs, scan.by_name):
        frame = replace(scan, paths=paths, folders=(), in_folder=()).lazy()
        yield frame.with_columns(
            _constant(name, kind, value)
            for (name, kind), value in zip(scan.folders, values, strict=True)
        )


def _groups(pairs: Iterable[_Pair], alone: bool) -> Iterator[tuple[_Values, tuple[str, ...]]]:
    if alone:
        yield from ((values, (path,)) for path, values in pairs)
        return
    for values, group in groupby(pairs, key=lambda pair: pair[1]):
        yield values, tuple(path for path, _ in group)


def _constant(name: str, kind: str, value: str | None) -> pl.Expr:
    import polars as pl

    meant: str | int | date | None = value
    if value is not None and kind != "VARCHAR":
        meant = int(value) if kind == "BIGINT" else date.fromisoformat(value)
    return pl.lit(meant, polars_dtype(kind)).alias(name)
