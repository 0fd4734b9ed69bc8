"""Whether two frames are equal: columns and dtypes in order, rows as a multiset.

Floats are equal when they differ by at most 1e-9 of the larger one (1e-6 for 32-bit floats), or by
1e-15: sums over many threads differ by less. A sum of large numbers that cancels to almost nothing
may differ by more; it is told as a difference, since nothing in the frame can tell noise from a
value there, least of all how large the column's other values are.
NaN equals NaN, and null equals null.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["difference"]

REL, REL_32, ABSOLUTE = 1e-9, 1e-6, 1e-15
_COUNT, _ROW = "count of this row\0", "number of this row\0"
_OTHER = " of the other\0"
_SHOWN = 3
_PAIRS = 5_000_000


def difference(
    notebook: pl.DataFrame, replayed: pl.DataFrame, key: Sequence[str] = ()
) -> str | None:
    """Say how two frames differ, down to the first differing rows; None where they are equal.

    Parameters
    ----------
    key : sequence of str
        Columns that identify a row, so that a differing row is told from a missing one.
    """
    if shape := _shape(notebook, replayed):
        return shape
    if not notebook.columns:
        return None
    ours, theirs = _left_over(notebook, replayed)
    if ours.height == theirs.height and _close(ours, theirs, notebook):
        return None
    said = [f"the notebook has {notebook.height:,} rows, the clean process {replayed.height:,}"]
    return "\n".join([*said, *_rows(ours, theirs, key)])


def _shape(notebook: pl.DataFrame, replayed: pl.DataFrame) -> str | None:
    if notebook.columns != replayed.columns:
        return (
            f"the notebook has the columns {notebook.columns}, the clean process {replayed.columns}"
        )
    for name, dtype in notebook.schema.items():
        other = replayed.schema[name]
        if dtype != other:
            return f"column '{name}' is {dtype} in the notebook, {other} in the clean process"
    return None


def _left_over(notebook: pl.DataFrame, replayed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that each frame has more often than the other, as often as it has more."""
    import polars as pl

    sides = [notebook.with_columns(**{_COUNT: 1}), replayed.with_columns(**{_COUNT: -1})]
    counted = (
        pl.concat(sides)
        .group_by(notebook.columns, maintain_order=True)
        .agg(pl.col(_COUNT).sum())
        .filter(pl.col(_COUNT) != 0)
    )
    times = pl.int_ranges(pl.col(_COUNT).abs())
    repeated = counted.with_columns(times.alias(_ROW)).explode(_ROW)
    ours = repeated.filter(pl.col(_COUNT) > 0).select(notebook.columns)
    return ours, repeated.filter(pl.col(_COUNT) < 0).select(notebook.columns)


# ---- floats ------------------------------------------------------------------------------------


def _close(ours: pl.DataFrame, theirs: pl.DataFrame, whole: pl.DataFrame) -> bool:
    """Return whether the rows left over can be paired so that each pair differs in noise alone."""
    if ours.height == 0:
        return True
    floats = [name for name, dtype in ours.schema.items() if dtype.is_float()]
    if not floats:
        return False
    return _paired(*_sorted(ours, theirs, floats), whole, floats) or _matched(
        ours, theirs, whole, floats
    )


def _sorted(
    ours: pl.DataFrame, theirs: pl.DataFrame, floats: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    import polars as pl

    by = [pl.col(name) for name in ours.columns if name not in floats]
    by += [pl.col(name).round_sig_figs(6) for name in floats] + [pl.col(name) for name in floats]
    return ours.sort(by), theirs.sort(by)


def _paired(
    ours: pl.DataFrame, theirs: pl.DataFrame, whole: pl.DataFrame, floats: Sequence[str]
) -> bool:
    import polars as pl

    exact = [name for name in ours.columns if name not in floats]
    if exact and not ours.select(exact).equals(theirs.select(exact), null_equal=True):
        return False
    both = pl.concat([ours, theirs.rename(lambda n: f"{n}{_OTHER}")], how="horizontal")
    return bool(both.select(pl.all_horizontal(_near(whole, floats)).all()).item())


def _matched(
    ours: pl.DataFrame, theirs: pl.DataFrame, whole: pl.DataFrame, floats: Sequence[str]
) -> bool:
    """Pair every row with every near one: equal if each has as many near rows on both sides.

    Sorting can tear apart two rows whose floats straddle a rounding edge; this cannot, since rows
    within noise of each other are so few against the distance between different values.
    """
    import polars as pl

    exact = [name for name in ours.columns if name not in floats]
    if not exact and ours.height**2 > _PAIRS:
        return False
    if exact and ours.group_by(exact).len()["len"].cast(pl.Float64).pow(2).sum() > _PAIRS:
        return False
    sides = []
    for other in (ours, theirs):
        left = ours.with_row_index(_ROW)
        right = other.rename({name: f"{name}{_OTHER}" for name in floats})
        pairs = (
            left.join(right, on=exact, nulls_equal=True) if exact else left.join(right, how="cross")
        )
        near = pairs.filter(pl.all_horizontal(_near(whole, floats)))
        sides.append(near.group_by(_ROW).len().sort(_ROW))
    return sides[0].equals(sides[1]) and sides[1].height == ours.height


def _near(whole: pl.DataFrame, floats: Sequence[str]) -> Iterator[pl.Expr]:
    import polars as pl

    for name in floats:
        one, other = pl.col(name), pl.col(f"{name}{_OTHER}")
        relative = REL_32 if whole.schema[name] == pl.Float32 else REL
        most = pl.max_horizontal(one.abs(), other.abs()) * relative
        close = (one - other).abs() <= pl.max_horizontal(most, pl.lit(ABSOLUTE))
        yield one.eq_missing(other) | (one.is_finite() & other.is_finite() & close).fill_null(False)


# ---- what a person is told ---------------------------------------------------------------------


def _rows(ours: pl.DataFrame, theirs: pl.DataFrame, key: Sequence[str]) -> Iterator[str]:
    if key and set(key) <= set(ours.columns) and (cells := list(_cells(ours, theirs, key))):
        yield from cells
        return
    for rows, where in ((ours, "only in the notebook"), (theirs, "only in the clean process")):
        for row in rows.head(_SHOWN).to_dicts():
            yield f"  {where}: {_said(row)}"
        if rows.height > _SHOWN:
            yield f"  … and {rows.height - _SHOWN:,} more {where}"


def _cells(ours: pl.DataFrame, theirs: pl.DataFrame, key: Sequence[str]) -> Iterator[str]:
    """Yield, for rows that both sides have by their key, the first cells that differ."""
    both = ours.join(theirs, on=list(key), how="inner", nulls_equal=True, suffix=_OTHER)
    for row in both.head(_SHOWN).to_dicts():
        for name in ours.columns:
            if name not in key and repr(row[name]) != repr(row[f"{name}{_OTHER}"]):
                where = _said({k: row[k] for k in key})
                here, then = _value(row[name]), _value(row[f"{name}{_OTHER}"])
                yield f"  {where}: {name} is {here} in the notebook, {then} in the clean process"


def _said(row: dict[str, object]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in row.items())


def _value(value: object) -> str:
    from datetime import date

    return value.isoformat() if isinstance(value, date) else repr(value)
