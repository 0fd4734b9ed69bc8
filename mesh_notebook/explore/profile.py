"""A whole frame summarised, column by column; never a sample passed off as it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.measuring import figures, measured

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.origin import Origin

__all__ = ["ColumnProfile", "Profile", "profile"]

_BINS = 12
_TOP = 5
_QUANTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class ColumnProfile:
    """What all rows of one column say.

    Attributes
    ----------
    nulls : int
        Rows without a value.
    distinct : int or None
        Different values, nulls not counted, exact; None of lists and structs.
    least, most : object
        Of numbers, dates, instants and texts. A NaN is neither.
    mean, std : float or None
        Of numbers; the sample's standard deviation (n - 1).
    quantiles : tuple of float
        The first quartile, the median, the third; of numbers, interpolated linearly.
    top : tuple of (value, rows)
        The commonest values and how many rows have each, of texts and booleans; ties by value.
    histogram : tuple of int
        Rows in each of up to 12 equally wide bins from least to most; of numbers and times.
    """

    name: str
    dtype: str
    nulls: int
    distinct: int | None = None
    least: Any = None
    most: Any = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    top: tuple[tuple[Any, int], ...] = ()
    histogram: tuple[int, ...] = ()


@dataclass(frozen=True)
class Profile:
    """A whole frame summarised; `origin`: the worst that it touched, where that was asked."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    origin: Origin | None = None

    def column(self, name: str) -> ColumnProfile:
        """Return the profile of one column; `KeyError` if there is none of that name."""
        return {column.name: column for column in self.columns}[name]


def profile(frame: pl.LazyFrame) -> Profile:
    """Summarise all rows of a frame: one pass for the numbers, one for the pictures."""
    import polars as pl

    schema = dict(frame.collect_schema())
    wanted = [expr for at, (n, d) in enumerate(schema.items()) for expr in _measures(at, n, d)]
    first = figures(frame, [pl.len().alias("rows"), *wanted])
    tops = [_counts(name).alias(name) for name, dtype in schema.items() if _is_label(dtype)]
    bins = [
        _bins(name, dtype).alias(name)
        for at, (name, dtype) in enumerate(schema.items())
        if _is_scale(dtype) and first[f"{at} least"] is not None
    ]
    found = measured(frame, [*bins, *tops]) if bins or tops else ()
    drawn = {
        one.name: _commonest(one[0]) if _is_label(schema[one.name]) else one[0].to_list()
        for one in found
    }
    return Profile(
        first["rows"],
        tuple(
            _column(at, name, dtype, first, drawn.get(name) or [])
            for at, (name, dtype) in enumerate(schema.items())
        ),
    )


def _is_scale(dtype: pl.DataType) -> bool:
    """Whether values lie on a scale, so that a histogram says something."""
    import polars as pl

    return dtype.is_numeric() or isinstance(dtype, (pl.Date, pl.Datetime))


def _measures(at: int, name: str, dtype: pl.DataType) -> Iterator[pl.Expr]:
    import polars as pl

    column = pl.col(name)
    yield column.null_count().alias(f"{at} nulls")
    if dtype.is_nested() or isinstance(dtype, (pl.Null, pl.Object)):
        return
    yield column.drop_nulls().n_unique().alias(f"{at} distinct")
    if _is_scale(dtype) or isinstance(dtype, pl.String):
        yield column.min().alias(f"{at} least")
        yield column.max().alias(f"{at} most")
    if dtype.is_numeric():
        number = _finite(name, dtype)
        yield number.mean().alias(f"{at} mean")
        yield number.std().alias(f"{at} std")
        for q in _QUANTILES:
            yield number.quantile(q, "linear").alias(f"{at} q{q}")


def _finite(name: str, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    number = pl.col(name).cast(pl.Float64)
    return number.filter(number.is_finite()) if dtype.is_float() else number


def _is_label(dtype: pl.DataType) -> bool:
    import polars as pl

    return isinstance(dtype, (pl.String, pl.Categorical, pl.Enum, pl.Boolean))


def _counts(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).drop_nulls().alias("value").value_counts(name="rows").implode()


def _commonest(counts: pl.Series) -> list[dict[str, Any]]:
    # Values are counted in another order each time, so they are sorted once that is done.
    by = counts.struct.unnest().sort("rows", "value", descending=[True, False])
    return by.head(_TOP).to_dicts()


def _bins(name: str, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    number = _numbers(name, dtype)
    width = (number.max() - number.min()) / _BINS
    bin_ = ((number - number.min()) / width).floor().clip(0, _BINS - 1)
    # Where all values are one, there is no width and one bin holds them all.
    return pl.when(width > 0).then(bin_).otherwise(0 * number).alias("bin").value_counts().implode()


def _numbers(name: str, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    column = pl.col(name).drop_nulls()
    if dtype.is_temporal():
        return column.to_physical().cast(pl.Float64)
    number = column.cast(pl.Float64)
    return number.filter(number.is_finite())


def _column(
    at: int,
    name: str,
    dtype: pl.DataType,
    first: dict[str, Any],
    drawn: list[dict[str, Any]],
) -> ColumnProfile:
    quantiles = tuple(first.get(f"{at} q{q}") for q in _QUANTILES)
    return ColumnProfile(
        name,
        str(dtype),
        first[f"{at} nulls"],
        first.get(f"{at} distinct"),
        first.get(f"{at} least"),
        first.get(f"{at} most"),
        first.get(f"{at} mean"),
        first.get(f"{at} std"),
        tuple(q for q in quantiles if q is not None),
        tuple((one["value"], one["rows"]) for one in drawn if _is_label(dtype)),
        () if _is_label(dtype) else _histogram(drawn),
    )


def _histogram(counted: list[dict[str, Any]]) -> tuple[int, ...]:
    counts = {int(row["bin"]): row["count"] for row in counted if row["bin"] is not None}
    return tuple(counts.get(n, 0) for n in range(_BINS)) if counts else ()
