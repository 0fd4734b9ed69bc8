"""Rows that lie in no order of theirs, put in another one: an answer that Polars may give as well.

On few rows the engines answer alike each time; on a million they do not. So one of the two proofs
shows on few rows what the other would show on many.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.on_import import when_imported

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LARGE", "Turn", "another_order", "duckdb_otherwise"]

LARGE = 500_000  # rows from which on the engines themselves answer otherwise each time
_SEED, _ROUND = 7, 6  # an even one turns few rows round
_FEW = 50  # rows up to which they are turned round: shuffled, the first may stay the first
_PLACE, _RUN = "place of this row\0", "run of this row\0"


@dataclass
class Turn:
    """How rows that lie in no order of theirs are left.

    Attributes
    ----------
    seed : int, optional
        Of the order that they are put in; None leaves them as they lie. Few rows are turned round
        by an even one.
    asked : int
        How often there were such rows.
    """

    seed: int | None = _ROUND
    asked: int = 0

    def to(self, seed: int | None) -> None:
        """Leave them otherwise from now on."""
        self.seed, self.asked = seed, 0

    def scattered(self, frame: pl.DataFrame, by: Collection[str] = ()) -> pl.DataFrame:
        """Return the rows in another order; where they are sorted by columns, ties change place."""
        import polars as pl

        if not 1 < frame.height <= LARGE or not frame.width:
            return frame
        self.asked += 1
        if self.seed is None or not set(by) <= set(frame.columns):
            return frame
        if not by:
            return self._mixed(frame, self.seed)
        run = pl.struct(sorted(by)).rle_id().alias(_RUN)
        places = self._mixed(frame.select(run).with_row_index(_PLACE), self.seed)
        return frame[places.sort(_RUN, maintain_order=True)[_PLACE]]

    def shuffle(self, parts: list[Any]) -> None:
        """Put groups in another order, in place."""
        self.asked += 1
        if self.seed is not None:
            random.Random(len(parts) + self.seed).shuffle(parts)

    def places(self, rows: int) -> list[int]:
        """Return the places of so many rows in another order."""
        self.asked += rows > 1
        places = list(range(rows))
        if self.seed is None or rows > LARGE:
            return places
        if rows <= _FEW and self.seed % 2 == 0:
            return places[::-1]
        random.Random(rows + self.seed).shuffle(places)
        return places

    @staticmethod
    def _mixed(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
        if frame.height <= _FEW and seed % 2 == 0:
            return frame.reverse()
        return frame.sample(fraction=1, shuffle=True, seed=seed)


def another_order(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return a port's rows in another order, at a cost that does not grow with many rows."""
    import polars as pl

    rows = frame.select(pl.len()).collect().item()
    if rows <= LARGE:  # shuffled: turned round, they would be turned back when they are collected
        return frame.collect().sample(fraction=1, shuffle=True, seed=_SEED).lazy()
    return pl.concat([frame.slice(rows // 2), frame.slice(0, rows // 2)])


def duckdb_otherwise(threads: int, *, ordered: bool) -> None:
    """From now on, have each connection run on other threads, and keep no order unasked."""
    when_imported("duckdb", functools.partial(_set_up, threads=threads, ordered=ordered))


def _set_up(duckdb: Any, threads: int, *, ordered: bool) -> None:
    connect = duckdb.connect

    def set_up(connection: Any) -> Any:
        if threads:
            connection.execute("SET threads = $1", [threads]).fetchall()
        if not ordered:
            connection.execute("SET preserve_insertion_order = false").fetchall()
        return connection

    @functools.wraps(connect)
    def otherwise(*args: object, **kwargs: object) -> Any:
        return set_up(connect(*args, **kwargs))

    set_up(duckdb.default_connection())
    duckdb.connect = otherwise
