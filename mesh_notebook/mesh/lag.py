"""Lag: from when something happened to when the product knew it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mesh_notebook.mesh.shape import sampled

if TYPE_CHECKING:
    import polars as pl

__all__ = ["instants", "lag_expr", "lag_of", "microseconds", "quantiles_of"]

_DAY_US = 86_400_000_000
_SECOND_US = 1_000_000


def lag_of(
    frame: pl.LazyFrame, event_time: str, now: datetime, after: float | None = None
) -> dict[str, float]:
    """Return `lag_p50_s` and `lag_p95_s` of the rows that became known at `now`, in seconds.

    Parameters
    ----------
    frame : polars.LazyFrame
        The rows: of a log those that a publication adds, of a snapshot all of them.
    after : float, optional
        The newest event known before, in seconds since 1970. Rows up to it are taken as known
        before: of a snapshot nothing else tells which rows are new. Late rows are thus not seen.

    Notes
    -----
    A day is complete at its end, so that is where its lag begins; what is known earlier has no
    lag. Events that have not happened by `now` do not count. Exact for up to 50,000 rows, else
    from that many, spread over all. Quantiles are interpolated linearly. Nothing is returned
    where no row counts.
    """
    dtype = frame.collect_schema()[event_time]
    happened = lag_expr(event_time, dtype, now, after)
    return {} if happened is None else quantiles_of(frame.select(happened).collect()["new"][0], now)


def lag_expr(
    event_time: str, dtype: pl.DataType, now: datetime, after: float | None
) -> pl.Expr | None:
    """Return the expression of when new rows were complete, or None where that is no time."""
    import polars as pl

    begun = instants(pl.col(event_time), dtype)
    if begun is None:
        return None
    new = begun <= microseconds(now)
    if after is not None:
        new = new & (begun > round(after * _SECOND_US))
    whole = _DAY_US if isinstance(dtype, pl.Date) else 0
    return sampled((begun + whole).filter(new)).implode().alias("new")


def instants(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """Return times as microseconds since 1970, UTC; a naive one is taken for UTC."""
    import polars as pl

    if isinstance(dtype, pl.Date):
        return column.cast(pl.Datetime("us")).cast(pl.Int64)
    if isinstance(dtype, pl.Datetime):
        return column.dt.timestamp("us")
    return None


def quantiles_of(complete: pl.Series, now: datetime) -> dict[str, float]:
    """Return the quantiles of lag, given when each row was complete (microseconds)."""
    lags = ((microseconds(now) - complete.drop_nulls()) / _SECOND_US).clip(lower_bound=0.0)
    if not len(lags):
        return {}
    levels = {"lag_p50_s": 0.5, "lag_p95_s": 0.95}
    return {k: float(lags.quantile(at, "linear") or 0.0) for k, at in levels.items()}


def microseconds(moment: datetime) -> int:
    """Return an instant as microseconds since 1970, exactly."""
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * _SECOND_US + since.microseconds
