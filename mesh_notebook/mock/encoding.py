"""How columns go to SDV, and come back in their own types: pandas stands at this border alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

__all__ = ["Code"]

_MICROSECONDS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000)
_EXACT = 1 << 53  # up to here a float holds each whole number


@dataclass(frozen=True)
class Code:
    """How one column goes to SDV (floats or texts) and comes back in its own type."""

    dtype: pl.DataType
    category: bool
    step: int = 1
    edges: tuple[int, int] | None = None  # of whole numbers that floats cannot tell apart

    @classmethod
    def of(cls, column: pl.Series) -> Code:
        import polars as pl

        texts = (pl.String, pl.Categorical, pl.Enum, pl.Boolean)
        return cls(column.dtype, isinstance(column.dtype, texts), _step(column), _edges(column))

    def encode(self, column: pl.Series) -> pd.Series:
        import polars as pl

        if self.category:
            return column.cast(pl.String).to_pandas().astype(object)
        if isinstance(self.dtype, (pl.Date, pl.Datetime)):
            whole = _physical(column)
            return (whole // self.step).cast(pl.Float64).to_pandas()
        if self.edges:
            above = column.cast(pl.Int128).to_frame("x").select(pl.col("x") - _wide(self.edges[0]))
            return above.to_series().cast(pl.Float64).to_pandas()
        numbers = column.cast(pl.Float64)
        finite = pl.when(numbers.is_finite()).then(numbers)
        return pl.select(finite).to_series().to_pandas()

    def decode(self, values: pd.Series) -> pl.Series:
        import polars as pl

        if self.category:
            texts = pl.Series(values.where(values.notna(), None).tolist(), dtype=pl.String)
            return texts == "true" if isinstance(self.dtype, pl.Boolean) else texts.cast(self.dtype)
        numbers = pl.Series(values.to_numpy(dtype="float64")).fill_nan(None)
        if isinstance(self.dtype, pl.Datetime):
            whole = numbers.round(0).cast(pl.Int64) * self.step
            moments = whole.cast(pl.Datetime("us", self.dtype.time_zone))
            return moments.cast(self.dtype)
        if isinstance(self.dtype, pl.Date):
            return numbers.round(0).cast(pl.Int32).cast(pl.Date)
        if isinstance(self.dtype, pl.Decimal):
            return numbers.round(self.dtype.scale).cast(self.dtype)
        if self.edges:
            low, high = self.edges
            above = pl.lit(numbers.round(0)).cast(pl.Int128).clip(_wide(0), _wide(high - low))
            return pl.select((above + _wide(low)).cast(self.dtype)).to_series()
        return (numbers.round(0) if self.dtype.is_integer() else numbers).cast(self.dtype)


def _physical(column: pl.Series) -> pl.Series:
    import polars as pl

    if isinstance(column.dtype, pl.Date):
        return column.cast(pl.Int32)
    return column.dt.epoch("us")


def _step(column: pl.Series) -> int:
    """Return the coarsest unit, in microseconds, of which all the instants are multiples."""
    import polars as pl

    if not isinstance(column.dtype, pl.Datetime):
        return 1
    whole = _physical(column.drop_nulls())
    return next((unit for unit in _MICROSECONDS if (whole % unit == 0).all()), 1)


def _edges(column: pl.Series) -> tuple[int, int] | None:
    """Return the least and the greatest whole number, where some are too large for floats."""
    if not column.dtype.is_integer() or column.null_count() == len(column):
        return None
    low, high = int(column.min()), int(column.max())  # type: ignore[arg-type]
    return (low, high) if max(-low, high) > _EXACT else None


def _wide(number: int) -> pl.Expr:
    import polars as pl

    return pl.lit(number, dtype=pl.Int128)
