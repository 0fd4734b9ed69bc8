"""When two values are the same: the one definition for proof, events, logs, drift and `unchanged`.

Two finite floats are the same where they differ by at most `REL` (32-bit ones: `REL_32`) of the
larger one, or by `ABSOLUTE`: sums over many threads differ by less. NaN is the same as NaN, null as
null, an infinity as itself, and -0.0 as 0.0. So it is also inside lists and structs. Values of any
other type are the same where they are equal. A sum of large numbers that cancels to almost nothing
may differ by more; it is told as a difference, since nothing in the frame can tell noise from a
value there, least of all how large the column's other values are.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ABSOLUTE",
    "REL",
    "REL_32",
    "holds_floats",
    "leaves",
    "relative",
    "same",
    "same_number",
    "signs",
    "skeleton",
]

REL, REL_32, ABSOLUTE = 1e-9, 1e-6, 1e-15


def same(one: pl.Expr, other: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return whether values of one type are the same, row by row; never null."""
    import polars as pl

    if not holds_floats(dtype):
        return one.eq_missing(other)
    if dtype.is_float():
        both_null = one.is_null() & other.is_null()
        return both_null | (one.eq(other) | _near(one, other, dtype)).fill_null(False)
    alike = skeleton(one, dtype).eq_missing(skeleton(other, dtype))
    pairs = zip(leaves(one, dtype), leaves(other, dtype), strict=True)
    near = [_alike(mine, theirs, leaf, alike) for (mine, leaf), (theirs, _) in pairs]
    return pl.all_horizontal(alike, *near)


def same_number(one: float, other: float, share: float = REL) -> bool:
    """Return whether two numbers of a figure are the same; `share` is the relative tolerance."""
    floats = isinstance(one, float) and isinstance(other, float)
    return isclose(one, other, rel_tol=share, abs_tol=ABSOLUTE) if floats else one == other


def holds_floats(dtype: pl.DataType) -> bool:
    """Return whether a type is a float, or has one inside."""
    return dtype.is_float() or any(holds_floats(part) for _, part in _parts(dtype))


def skeleton(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a value with its finite floats left out: what has to be equal in the same values."""
    import polars as pl

    if dtype.is_float():
        kinds = pl.when(value.is_finite()).then(0).when(value.is_nan()).then(1)
        return kinds.when(value > 0).then(2).when(value < 0).then(3).cast(pl.Int8)
    if not holds_floats(dtype):
        return value
    if isinstance(dtype, pl.Struct):
        parts = [
            skeleton(value.struct.field(name), part).alias(f"{at}")
            for at, (name, part) in enumerate(_parts(dtype))
        ]
        return pl.struct(value.is_null().alias("null"), *parts)
    ((_, inner),) = _parts(dtype)
    return _as_list(value, dtype).list.eval(skeleton(pl.element(), inner))


def leaves(value: pl.Expr, dtype: pl.DataType) -> Iterator[tuple[pl.Expr, pl.DataType]]:
    """Yield the floats in a value, and of which type: a float, or a flat list of floats."""
    import polars as pl

    if dtype.is_float():
        yield value, dtype
    elif isinstance(dtype, pl.Struct):
        for name, part in _parts(dtype):
            yield from leaves(value.struct.field(name), part)
    elif holds_floats(dtype):
        ((_, inner),) = _parts(dtype)
        for leaf, found in leaves(pl.element(), inner):
            flat = leaf.explode() if isinstance(found, pl.List) else leaf
            yield (
                _as_list(value, dtype).list.eval(flat),
                found if isinstance(found, pl.List) else pl.List(found),
            )


def signs(value: pl.Expr, dtype: pl.DataType) -> Iterator[pl.Expr]:
    """Yield of each float in a value whether it is -0.0, which equals 0.0 and has other bits."""
    import polars as pl

    for leaf, found in leaves(value, dtype):
        nested = isinstance(found, pl.List)
        number = pl.element() if nested else leaf
        minus = (number == 0) & (1 / number < 0)
        yield leaf.list.eval(minus) if nested else minus


def relative(dtype: pl.DataType) -> float:
    """Return by which share of its size a float, or one in a flat list, may differ."""
    import polars as pl

    return REL_32 if pl.Float32 in (dtype, getattr(dtype, "inner", None)) else REL


def _parts(dtype: pl.DataType) -> list[tuple[str, Any]]:
    import polars as pl

    if isinstance(dtype, pl.Struct):
        return [(field.name, field.dtype) for field in dtype.fields]
    return [("", dtype.inner)] if isinstance(dtype, pl.List | pl.Array) else []


def _as_list(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    return value.arr.to_list() if isinstance(dtype, pl.Array) else value


def _near(one: pl.Expr, other: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return whether two floats are finite and within noise of each other; null of a null."""
    import polars as pl

    apart = (one - other).abs()
    room = pl.max_horizontal(one.abs(), other.abs()) * relative(dtype)
    close = apart <= pl.max_horizontal(room, pl.lit(ABSOLUTE))
    return one.is_finite() & other.is_finite() & close


def _alike(one: pl.Expr, other: pl.Expr, dtype: pl.DataType, alike: pl.Expr) -> pl.Expr:
    """Return whether floats of values of one skeleton are the same."""
    import polars as pl

    if not isinstance(dtype, pl.List):
        return same(one, other, dtype)
    inner: Any = dtype.inner
    # Lists are only taken from each other where they are of one length.
    mine, theirs = (_finite(pl.when(alike).then(values)) for values in (one, other))
    apart = (mine - theirs).list.eval(pl.element().abs())
    room = [_over(values, relative(inner)) for values in (mine, theirs)]
    within = [_counted(apart - most, 0.0) for most in room]
    close = within[0] + within[1] + _counted(apart, ABSOLUTE)
    return (close.list.min() > 0).fill_null(True)


def _finite(values: pl.Expr) -> pl.Expr:
    """Return lists of doubles, with nothing for what is not finite, which the skeleton tells."""
    import polars as pl

    number = pl.element().cast(pl.Float64)
    return values.list.eval(pl.when(number.is_finite()).then(number).otherwise(0.0))


def _over(values: pl.Expr, share: float) -> pl.Expr:
    import polars as pl

    return values.list.eval(pl.element().abs() * share)


def _counted(values: pl.Expr, most: float) -> pl.Expr:
    """Return lists of 1 where a number is at most so large, and of 0 where it is not."""
    import polars as pl

    return values.list.eval((pl.element() <= most).cast(pl.Int8))
