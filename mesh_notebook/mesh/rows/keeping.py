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

    Where none is, the very frame is returned.

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
    before = stored.collect(engine="streaming")
    # A key of floats has noise of its own, so that it is nothing to look a row up by.
    exact = [] if set(key) & set(floats) else list(key)
    beside = _in_order_of(rows, before, exact)
    if beside is None:
        return _by_likeness(rows, before, floats)
    found, told = _beside(rows, beside, floats)
    return found if exact or told.all() else _by_likeness(rows, before, floats)


def _in_order_of(
    rows: pl.DataFrame, before: pl.DataFrame, key: Sequence[str]
) -> pl.DataFrame | None:
    """Return the rows of before in the order of the rows, null where there is none.

    None where nothing says which is which: a key is missing, or stands for several rows.
    """
    import polars as pl

    # What is published again mostly comes in the order of before, which is seen at once.
    if before.height == rows.height and before.select(key).equals(rows.select(key)):
        return before
    if not key:
        return None
    places = before.lazy().select(key).with_row_index(_PLACE)
    found = rows.lazy().select(key)
    found = found.join(places, on=key, how="left", nulls_equal=True, maintain_order="left")
    place = found.select(_PLACE).collect()[_PLACE]
    if len(place) != rows.height:
        return None
    there = place.is_not_null().alias(_THERE)
    return before.select(pl.all().gather(place)).with_columns(there)


def _beside(
    rows: pl.DataFrame, before: pl.DataFrame, floats: Sequence[str]
) -> tuple[pl.DataFrame, pl.Series]:
    """Return the rows with the stored floats of those beside them; and which are the same."""
    import polars as pl

    there = pl.col(f"{_THERE}{_STORED}") if _THERE in before.columns else pl.lit(True)
    both = pl.concat([rows, before.rename(lambda name: f"{name}{_STORED}")], how="horizontal")
    alike = [same(pl.col(n), pl.col(f"{n}{_STORED}"), t) for n, t in rows.schema.items()]
    is_same = pl.all_horizontal(there, *alike).alias(_THERE)
    told = both.select(is_same)[_THERE]
    if not told.any():
        return rows, told
    values = _chosen(pl.col(_THERE), floats)
    kept = both.with_columns(told).select(values.get(n, pl.col(n)) for n in rows.columns)
    return kept, told


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
    if pairs.is_empty():
        return rows
    places = mine[_PLACE][pairs[MINE]].to_frame()
    values = theirs[pairs[THEIRS]].select(pl.col(name).alias(f"{name}{_STORED}") for name in floats)
    found = pl.concat([places, values], how="horizontal").with_columns(pl.lit(True).alias(_THERE))
    both = rows.with_row_index(_PLACE).join(found, on=_PLACE, how="left", maintain_order="left")
    values_of = _chosen(pl.col(_THERE).is_not_null(), floats)
    return both.select(values_of.get(name, pl.col(name)) for name in rows.columns)


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
