"""What was published keeps its stored value: noise alone makes no other row.

A row is held against what is *stored*, never against what was computed last. So a value that drifts
by less than noise each time is another row as soon as it is more than noise away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mesh_notebook.mesh.rows.pairing import MINE, THEIRS, paired
from mesh_notebook.mesh.rows.tolerance import holds_floats, same, signs

if TYPE_CHECKING:
    import polars as pl

__all__ = ["kept"]

_STORED, _THERE, _PLACE, _HASH = " as stored\0", "is there\0", "place\0", "hash\0"


def kept(rows: pl.DataFrame, stored: pl.LazyFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return rows, in their order, with the stored floats of those that are the same.

    Parameters
    ----------
    stored : polars.LazyFrame
        The rows of before, of the same columns and types.
    key : sequence of str
        Columns that identify a row. Without one, and where it is not clear, each row is the same
        as at most one of before.
    """
    floats = [name for name, dtype in rows.schema.items() if holds_floats(dtype)]
    if not floats or rows.is_empty():
        return rows
    # A key of floats has noise of its own, so that it is nothing to join by.
    if key and not set(key) & set(floats):
        found = _by_key(rows, stored, key, floats)
        if found.height == rows.height:
            return found
    return _by_likeness(rows, stored.collect(engine="streaming"), floats)


def _by_key(
    rows: pl.DataFrame, stored: pl.LazyFrame, key: Sequence[str], floats: Sequence[str]
) -> pl.DataFrame:
    """Return the rows; more of them than there were if several are stored under one key."""
    import polars as pl

    others = {name: dtype for name, dtype in rows.schema.items() if name not in key}
    before = stored.select(
        *key,
        *(pl.col(name).alias(f"{name}{_STORED}") for name in others),
        pl.lit(True).alias(_THERE),
    )
    both = rows.lazy().join(
        before, on=list(key), how="left", nulls_equal=True, maintain_order="left"
    )
    alike = [same(pl.col(name), pl.col(f"{name}{_STORED}"), t) for name, t in others.items()]
    is_same = pl.col(_THERE).is_not_null() & pl.all_horizontal(alike)
    values = _chosen(is_same, floats)
    return (
        both.with_columns(is_same.alias(_THERE))
        .select(values.get(name, pl.col(name)) for name in rows.columns)
        .collect()
    )


def _chosen(is_same: pl.Expr, floats: Sequence[str]) -> dict[str, pl.Expr]:
    import polars as pl

    return {
        name: pl.when(is_same).then(pl.col(f"{name}{_STORED}")).otherwise(pl.col(name)).alias(name)
        for name in floats
    }


def _by_likeness(rows: pl.DataFrame, stored: pl.DataFrame, floats: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    mine, theirs = _left_over(rows, stored)
    pairs = paired(mine.drop(_PLACE), theirs)
    places = mine[_PLACE][pairs[MINE]].to_frame()
    values = theirs[pairs[THEIRS]].select(pl.col(name).alias(f"{name}{_STORED}") for name in floats)
    found = pl.concat([places, values], how="horizontal").with_columns(pl.lit(True).alias(_THERE))
    both = (
        rows.lazy()
        .with_row_index(_PLACE)
        .join(found.lazy(), on=_PLACE, how="left", maintain_order="left")
    )
    values_of = _chosen(pl.col(_THERE).is_not_null(), floats)
    return both.select(values_of.get(name, pl.col(name)) for name in rows.columns).collect()


def _left_over(rows: pl.DataFrame, stored: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows, with their places, that do not come as often in both frames.

    By a hash: two rows of one hash that are not the same keep a value less.
    """
    import polars as pl

    hashes = [_hashed(side) for side in (rows, stored)]
    counts = [one.lazy().group_by(_HASH).len() for one in hashes]
    balanced = (
        counts[0].join(counts[1], on=[_HASH, "len"]).select(_HASH).collect(engine="streaming")
    )
    sides = [
        pl.concat([side, one], how="horizontal")
        .with_row_index(_PLACE)
        .lazy()
        .join(balanced.lazy(), on=_HASH, how="anti", maintain_order="left")
        .drop(_HASH)
        .collect()
        for side, one in zip((rows, stored), hashes, strict=True)
    ]
    return sides[0], sides[1].drop(_PLACE)


def _hashed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a hash of each row's bits."""
    import polars as pl

    found = (one for name, dtype in rows.schema.items() for one in signs(pl.col(name), dtype))
    bits = pl.struct(pl.all(), *(one.alias(f"{at}{_HASH}") for at, one in enumerate(found)))
    return rows.lazy().select(bits.hash(1).alias(_HASH)).collect(engine="streaming")
