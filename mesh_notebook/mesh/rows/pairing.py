"""Which rows of one frame are the same as which of another, each at most once, without a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mesh_notebook.mesh.rows.tolerance import (
    ABSOLUTE,
    leaves,
    relative,
    same,
    skeleton,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MINE", "OTHER", "THEIRS", "paired", "unpaired"]

MINE, THEIRS, OTHER = "row of mine\0", "row of theirs\0", " of the other\0"
_GROUP, _SIDE, _ROW, _LEAF, _PLACE = "group\0", "side\0", "row\0", "leaf\0", "place\0"
# Rows of which each is near to the next may be paired the wrong way; the rest is tried again, in
# the order of another float.
_ROUNDS = 5


def paired(mine: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Return pairs of the same rows, as their places: `MINE` in one frame, `THEIRS` in the other.

    Parameters
    ----------
    mine, theirs : polars.DataFrame
        Of the same columns and types; rows may repeat.

    Notes
    -----
    Rows are put in groups whose floats lie within noise of the next one's, column by column, and
    paired in each group by their order. Noise is so small against the distance between different
    values that a group nearly always is one row's; where it is not, each pair is held to `same`.
    """
    import polars as pl

    if not mine.width:
        return _places(range(min(mine.height, theirs.height)))
    left = [side.with_row_index(_ROW) for side in (mine, theirs)]
    found = [_places(())]
    for number in range(_ROUNDS):
        likely = _likely(left[0], left[1], number)
        if likely.is_empty():
            break
        pairs = _held(likely, left[0], left[1])
        found.append(pairs)
        done = [pairs.select(pl.col(name).alias(_ROW)) for name in (MINE, THEIRS)]
        left = [
            side.join(one, on=_ROW, how="anti", maintain_order="left")
            for side, one in zip(left, done, strict=True)
        ]
    return pl.concat(found)


def unpaired(
    mine: pl.DataFrame, theirs: pl.DataFrame, pairs: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of each frame that have no pair in the other."""
    import polars as pl

    rest = []
    for side, name in ((mine, MINE), (theirs, THEIRS)):
        gone = pl.select(row=pl.int_range(side.height, dtype=pl.UInt32))["row"].is_in(
            pairs[name].implode()
        )
        rest.append(side.filter(~gone))
    return rest[0], rest[1]


def _places(places: range | tuple[()]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame({name: pl.Series(places, dtype=pl.UInt32) for name in (MINE, THEIRS)})


def _likely(mine: pl.DataFrame, theirs: pl.DataFrame, number: int) -> pl.DataFrame:
    """Return pairs of rows of one group, by their order in it, which is another in each round."""
    import polars as pl

    if mine.is_empty() or theirs.is_empty():
        return _places(())
    schema = {name: dtype for name, dtype in mine.schema.items() if name != _ROW}
    sides = [_marked(side, schema, at) for at, side in enumerate((mine, theirs))]
    grouped = _grouped(pl.concat(sides), schema)
    floats = [name for name, dtype in grouped.schema.items() if dtype.is_float()]
    if floats and number:
        grouped = grouped.sort(_GROUP, floats[(number - 1) % len(floats)])
    placed = _placed(grouped)
    ones, others = (placed.filter(pl.col(_SIDE) == side) for side in (0, 1))
    chosen = ones.select(_PLACE, pl.col(_ROW).alias(MINE)).join(
        others.select(_PLACE, pl.col(_ROW).alias(THEIRS)), on=_PLACE
    )
    return chosen.select(MINE, THEIRS)


def _placed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows, in order of their groups, with a number that a group's n-th of each side share.

    It is where the group begins, and n: so it is no other group's.
    """
    import polars as pl

    begins = pl.col(_GROUP).ne_missing(pl.col(_GROUP).shift())
    at, before = pl.int_range(pl.len(), dtype=pl.UInt32), pl.col(_SIDE).cum_sum() - pl.col(_SIDE)
    start, seen = (pl.when(begins).then(one).forward_fill() for one in (at, before))
    theirs = before - seen
    mine = at - start - theirs
    place = start + pl.when(pl.col(_SIDE) == 1).then(theirs).otherwise(mine)
    return rows.select(_ROW, _SIDE, place.alias(_PLACE))


def _marked(side: pl.DataFrame, schema: dict[str, pl.DataType], at: int) -> pl.DataFrame:
    """Return what rows are grouped by: a hash of all but their floats, and the floats."""
    import polars as pl

    exact = [skeleton(pl.col(name), dtype).alias(name) for name, dtype in schema.items()]
    floats = [
        leaf.alias(f"{number}{_LEAF}")
        for number, (leaf, _) in enumerate(
            found for name, dtype in schema.items() for found in leaves(pl.col(name), dtype)
        )
    ]
    mark = pl.struct(exact).hash(1).alias(_GROUP)
    return side.select(_ROW, mark, pl.lit(at, pl.UInt32).alias(_SIDE), *floats)


def _grouped(rows: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """Return rows with a number for each group, in order of their groups."""
    import polars as pl

    names = [name for name in rows.columns if name.endswith(_LEAF)]
    dtypes = [leaf for name, dtype in schema.items() for _, leaf in leaves(pl.col(name), dtype)]
    for name, dtype in zip(names, dtypes, strict=True):
        for value in _numbers(rows, name, dtype):
            rows = _split(rows, value, relative(dtype))
            if isinstance(dtype, pl.List) and _is_told_apart(rows):
                break
    return rows if names else rows.sort(_GROUP)


def _numbers(rows: pl.DataFrame, name: str, dtype: pl.DataType) -> Iterator[pl.Expr]:
    """Yield a leaf as numbers that can be put in order: of a list one for each place in it."""
    import polars as pl

    if not isinstance(dtype, pl.List):
        yield pl.col(name)
        return
    longest = rows[name].list.len().max()
    for place in range(int(longest or 0)):  # type: ignore[arg-type]
        yield pl.col(name).list.get(place, null_on_oob=True)


def _split(rows: pl.DataFrame, value: pl.Expr, share: float) -> pl.DataFrame:
    """Split each group where the next number is more than noise away."""
    import polars as pl

    number = pl.when(value.is_finite()).then(value.cast(pl.Float64)).otherwise(0.0)
    in_order = rows.with_columns(number.alias(_LEAF)).sort(_GROUP, _LEAF)
    now, before = pl.col(_LEAF), pl.col(_LEAF).shift()
    room = pl.max_horizontal(now.abs() * share, before.abs() * share, pl.lit(ABSOLUTE))
    begins = (pl.col(_GROUP) != pl.col(_GROUP).shift()) | (now - before > room)
    group = begins.fill_null(True).cast(pl.UInt64).cum_sum()
    return in_order.with_columns(group.alias(_GROUP)).drop(_LEAF)


def _is_told_apart(rows: pl.DataFrame) -> bool:
    """Whether no group has two rows of one side, so that nothing is left to split."""
    return not rows.select(_GROUP, _SIDE).is_duplicated().any()


def _held(pairs: pl.DataFrame, mine: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Return those of the pairs whose rows are the same."""
    import polars as pl

    schema = {name: dtype for name, dtype in mine.schema.items() if name != _ROW}
    other = theirs.rename({name: f"{name}{OTHER}" for name in schema})
    both = pairs.join(mine, left_on=MINE, right_on=_ROW).join(other, left_on=THEIRS, right_on=_ROW)
    alike = [same(pl.col(name), pl.col(f"{name}{OTHER}"), dtype) for name, dtype in schema.items()]
    return both.filter(alike).select(MINE, THEIRS)
