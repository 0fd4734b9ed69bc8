"""The statistical shape of a frame: how each column's values lie, in a few figures."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.measuring import measured
from mesh_notebook.model.seen import LEAST_REPEATS, MOST_LISTED, free, may_be_listed
from mesh_notebook.model.time import iso

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["LEVELS", "SAMPLE", "TOP", "Shape", "sampled", "shape_of"]

Shape = dict[str, dict[str, Any]]

SAMPLE = 50_000
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
TOP = 10
_LONGEST = 80
# Below so many values a sample without a repeated one proves that (nearly) none is repeated: of
# values that come twice each, it would hold dozens of pairs.
_TELLING = 20_000_000


def shape_of(frame: pl.LazyFrame | pl.DataFrame, contract: Contract) -> Shape:
    """Summarise the contract's columns that a frame has, cheaply, as JSON-able values.

    Returns
    -------
    dict
        By column: `nulls`, the share of rows without a value, and `distinct`, how many different
        values there are. Of numbers, dates and instants also `min`, `max` and `quantiles` (values
        at 5, 25, 50, 75 and 95 %, by nearest rank), of numbers `mean` and `std` too. Of text,
        booleans, and whole numbers with at most 10 different values: `top`, at most 10 pairs of
        a value and its share of the values, most frequent first; a value that comes but once of
        more than 10 is not listed. Times are ISO 8601 in UTC. Of a personal column, `nulls` and
        `distinct` alone. NaN and infinity are left out of all figures but these two. Where a
        column holds few short texts that come again, `values`: all that there are, in order (see
        `model.seen`). Where no value comes twice, of two or more and no floats or times, `unique`.

    Notes
    -----
    Exact for up to `SAMPLE` rows. Beyond that `nulls`, `min`, `max`, `mean` and `std` are exact;
    `quantiles` and `top` are estimated from as many rows, picked by a hash of their position, so
    the same rows in the same order give the same shape. `distinct` is estimated: by the sample
    where it tells (each of its values came again, or none did), else by HyperLogLog over all
    rows, whose error is about 1 % (3 % at most in 200 trials); a value that comes less often than
    once in about 15,000 rows may go uncounted.
    """
    import polars as pl

    lazy = frame.lazy()
    schema = lazy.collect_schema()
    names = [column.name for column in contract.columns if column.name in schema]
    wanted = [e for at, name in enumerate(names) for e in _figures(at, name, schema[name])]
    row = measured(lazy, [pl.len().alias("rows"), *wanted])
    figures = {series.name: series[0] for series in row}
    rows = int(figures["rows"])
    told = {
        name: _Told.of(figures, at, schema[name], rows, contract.column(name).personal)
        for at, name in enumerate(names)
    }
    _count_the_rest(lazy, told)
    _leave_out_infinities(lazy, told)
    _list_the_few(lazy, told)
    return {name: one.shape() for name, one in told.items()}


def sampled(values: pl.Expr) -> pl.Expr:
    """Return at most `SAMPLE` of the values, picked by a hash of their position; all, if fewer."""
    import polars as pl

    count = values.len()
    place = pl.int_range(0, pl.min_horizontal(count, SAMPLE), dtype=pl.UInt64)
    picked = pl.when(count <= SAMPLE).then(place).otherwise(place.hash(0) % count).unique()
    return values.gather(picked)


def _figures(at: int, name: str, dtype: pl.DataType) -> list[pl.Expr]:
    import polars as pl

    column = pl.col(name)
    figures = [
        column.null_count().alias(f"{at} nulls"),
        sampled(_comparable(column, dtype)).implode().alias(f"{at} sample"),
    ]
    if _ordered(dtype):
        figures += [column.min().alias(f"{at} min"), column.max().alias(f"{at} max")]
    if dtype.is_numeric():
        figures += _moments(column, at)
    return figures


def _moments(column: pl.Expr, at: int | str) -> list[pl.Expr]:
    import polars as pl

    number = column.cast(pl.Float64)
    return [number.mean().alias(f"{at} mean"), number.std().alias(f"{at} std")]


def _comparable(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a column as something that can be counted by value."""
    import polars as pl

    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return column.cast(pl.String)
    return column.drop_nulls().hash() if dtype.is_nested() else column


def _is_text(dtype: pl.DataType) -> bool:
    import polars as pl

    return isinstance(dtype, (pl.String, pl.Categorical, pl.Enum))


def _ordered(dtype: pl.DataType) -> bool:
    import polars as pl

    return dtype.is_numeric() or isinstance(dtype, (pl.Date, pl.Datetime))


class _Told:
    """What one column tells, as far as it is known yet."""

    def __init__(self, dtype: pl.DataType, sample: pl.Series, rows: int, personal: bool) -> None:
        self.dtype, self.sample, self.rows, self.personal = dtype, sample, rows, personal
        self.nulls = 0
        self.figures: dict[str, Any] = {}
        self.counts = sample.drop_nulls().unique_counts()
        self.distinct: int | None = None
        self.listed: list[str] = []

    @classmethod
    def of(
        cls, figures: dict[str, Any], at: int, dtype: pl.DataType, rows: int, personal: bool
    ) -> _Told:
        told = cls(dtype, figures[f"{at} sample"], rows, personal)
        told.nulls = int(figures[f"{at} nulls"])
        found = {what: f"{at} {what}" for what in ("min", "max", "mean", "std")}
        told.figures = {k: figures[v] for k, v in found.items() if v in figures}
        told.distinct = told._distinct()
        return told

    @property
    def values(self) -> int:
        return self.rows - self.nulls

    def _distinct(self) -> int | None:
        """Return how many different values there are; None where the sample does not tell."""
        seen, different = int(self.counts.sum() or 0), len(self.counts)
        if self.rows <= SAMPLE or not self.values:
            return different
        if seen < SAMPLE // 2:
            return None
        if different == seen:
            return self.values if self.values <= _TELLING else None
        return different if not (self.counts == 1).any() else None

    @property
    def infinite(self) -> bool:
        mean = self.figures.get("mean")
        return mean is not None and not isfinite(mean)

    def shape(self) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "nulls": round(self.nulls / self.rows, 9) if self.rows else 0.0,
            "distinct": self.distinct,
        }
        if self.personal or not self.values:
            return shape
        if self.unique:
            shape["unique"] = True
        listed = {"values": self.listed} if self.listed else {}
        return shape | self._order() | self._top() | listed

    @property
    def unique(self) -> bool:
        """Whether no value comes twice, of values that may tell rows apart."""
        dtype = self.dtype
        plain = not (dtype.is_float() or dtype.is_temporal() or dtype.is_nested())
        return plain and self.values > 1 and self.distinct == self.values

    @property
    def few(self) -> bool:
        """Whether it holds so few texts that they can be listed."""
        return (
            _is_text(self.dtype)
            and not self.personal
            and not self.unique
            and 0 < (self.distinct or 0) <= MOST_LISTED
        )

    def list_few(self, values: list[str]) -> None:
        """Keep the values of a column of few, where they look picked from a list."""
        longest = max(map(len, values), default=0)
        # Of a handful of values each is of interest, however seldom it comes.
        rows = max(self.values, len(values) * LEAST_REPEATS) if len(values) <= TOP else self.values
        if may_be_listed(len(values), rows, longest) and not free(values):
            self.listed = values

    def _order(self) -> dict[str, Any]:
        if not _ordered(self.dtype):
            return {}
        values = self.sample.drop_nulls()
        if self.dtype.is_float():
            values = values.filter(values.is_finite())
        if not len(values):
            return {}
        values = values.sort()
        ranks = [round(level * (len(values) - 1)) for level in LEVELS]
        figures = {k: _plain(v) for k, v in self.figures.items() if v is not None}
        for summed in figures.keys() & {"mean", "std"}:  # whose last digits depend on the threads
            figures[summed] = float(f"{figures[summed]:.12g}")
        if self.dtype.is_numeric():
            figures.setdefault("std", 0.0)  # one value does not spread
        return {**figures, "quantiles": [_plain(values[rank]) for rank in ranks]}

    def _top(self) -> dict[str, Any]:
        import polars as pl

        few = self.dtype.is_integer() and (self.distinct or 0) <= TOP
        if not (few or _is_text(self.dtype) or isinstance(self.dtype, pl.Boolean)):
            return {}
        values = self.sample.drop_nulls()
        if isinstance(values.dtype, pl.String):
            values = values.str.head(_LONGEST)
        frame = pl.DataFrame({"value": values}).group_by("value").len("n")
        most = frame.sort(["n", "value"], descending=[True, False]).head(TOP)
        listed = most if len(self.counts) <= TOP else most.filter(pl.col("n") > 1)
        return {"top": [[v, round(n / len(values), 6)] for v, n in listed.iter_rows()]}


def _count_the_rest(lazy: pl.LazyFrame, told: dict[str, _Told]) -> None:
    import polars as pl

    rest = {name: one for name, one in told.items() if one.distinct is None}
    if not rest:
        return
    counts = [
        _comparable(pl.col(name), one.dtype).map_batches(_about_how_many, return_dtype=pl.Int64)
        for name, one in rest.items()
    ]
    found = measured(lazy, (e.alias(str(at)) for at, e in enumerate(counts))).row(0)
    for one, count in zip(rest.values(), found, strict=True):
        one.distinct = min(int(count), one.values)


def _list_the_few(lazy: pl.LazyFrame, told: dict[str, _Told]) -> None:
    """List the values of columns of few: those of the sample, if it holds all rows."""
    import polars as pl

    few = {name: one for name, one in told.items() if one.few}
    apart = [name for name, one in few.items() if one.rows > SAMPLE]
    texts = [pl.col(name).cast(pl.String).unique().implode() for name in apart]
    found = dict(zip(apart, measured(lazy, texts).row(0), strict=True)) if apart else {}
    for name, one in few.items():
        values = found[name] if name in found else one.sample.cast(pl.String).unique().to_list()
        one.list_few(sorted(value for value in values if value is not None))


def _about_how_many(values: pl.Series) -> pl.Series:
    """Count by HyperLogLog; of a Series, because that of Polars's lazy engine errs by 20 %."""
    import polars as pl

    return pl.Series([values.drop_nulls().approx_n_unique()], dtype=pl.Int64)


def _leave_out_infinities(lazy: pl.LazyFrame, told: dict[str, _Told]) -> None:
    import polars as pl

    wild = [name for name, one in told.items() if one.infinite]
    for name in wild:
        finite = pl.col(name).filter(pl.col(name).is_finite())
        ends = [finite.min().alias(" min"), finite.max().alias(" max")]
        row = lazy.select(*ends, *_moments(finite, "")).collect().row(0, named=True)
        told[name].figures = {what.strip(): value for what, value in row.items()}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return iso(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
