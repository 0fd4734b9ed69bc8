"""Columns that follow another: times that come after it, values that depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesh_notebook.mock.hints import refuse
from mesh_notebook.mock.noise import number_of, unit
from mesh_notebook.mock.rules import keeps
from mesh_notebook.mock.values import Law, picked, series, zipf_odds

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mock.hints import Hints, Lag
    from mesh_notebook.mock.limits import Limits
    from mesh_notebook.mock.noise import Floats

__all__ = ["grouped", "later", "mapped"]


def later(limits: Limits, lag: Lag, start: pl.Series, alone: pl.Series, draws: Floats) -> pl.Series:
    """Return times that follow `start` by a lag (whole seconds; whole days for dates).

    Where `start` is null the column's own draw stands. A time past the column's maximum is
    pulled back to it.
    """
    import numpy as np
    import polars as pl

    if not (start.dtype.is_temporal() and alone.dtype.is_temporal()):
        refuse(limits.name, "only dates and instants come after one another", "drop `after`")
    daily = isinstance(limits.dtype, pl.Date)
    waits = np.maximum(_waits(lag, draws), 0.0)
    seconds = np.ceil(waits / 86_400) * 86_400 if daily else np.round(waits)
    zone = "UTC" if isinstance(limits.dtype, pl.Datetime) and limits.dtype.time_zone else None
    begun = _moments(start)
    moved = (begun.cast(pl.Int64) + pl.Series(seconds.astype(np.int64)) * 1_000_000).cast(
        pl.Datetime("us")
    )
    cast = moved.cast(pl.Date) if daily else moved.dt.replace_time_zone(zone)
    limited = _pulled(limits, cast)
    return pl.select(pl.when(start.is_not_null()).then(limited).otherwise(alone)).to_series()


def _moments(times: pl.Series) -> pl.Series:
    import polars as pl

    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone:
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return times.cast(pl.Datetime("us"))


def _waits(lag: Lag, draws: Floats) -> Floats:
    import numpy as np

    if lag.distribution is None:
        return np.full(len(draws), lag.mean)
    if lag.distribution == "uniform":
        return draws * 2 * lag.mean
    return Law(lag.distribution, lag.mean, lag.sigma).quantile(draws)


def _pulled(limits: Limits, times: pl.Series) -> pl.Series:
    import polars as pl

    from mesh_notebook.mock.numbers import instant_seconds

    size = 86_400 if isinstance(limits.dtype, pl.Date) else 1
    unit = 1 if size == 86_400 else 1_000_000
    whole = times.cast(pl.Int64) if size == 1 else times.cast(pl.Int32).cast(pl.Int64)
    for edge, exclusive in limits.low:
        least = -int(-instant_seconds(limits, edge) // size) + exclusive
        whole = whole.clip(lower_bound=least * unit)
    for edge, exclusive in limits.high:
        exact = instant_seconds(limits, edge) / size
        most = int(exact // 1) - int(exclusive and exact == exact // 1)
        whole = whole.clip(upper_bound=most * unit)
    back = whole.cast(pl.Int32) if size == 86_400 else whole
    return back.cast(times.dtype)


def grouped(hints: Hints, source: pl.Series, draws: Floats, salt: int) -> Floats:
    """Return draws that are equal where the source is, out of so many for each of its values."""
    import numpy as np

    different = source.unique(maintain_order=True)
    numbers = np.array([number_of(value) for value in different.to_list()], dtype=np.uint64)
    places = different.to_frame("value").with_row_index("place")
    joined = source.to_frame("value").join(
        places, on="value", how="left", nulls_equal=True, maintain_order="left"
    )
    group = numbers[joined["place"].to_numpy()]
    place = picked(draws, zipf_odds(hints.choices or 1, hints.number("zipf") or 0.0))
    with np.errstate(over="ignore"):
        return unit(group + place.astype(np.uint64), salt)


def mapped(
    limits: Limits, hints: Hints, mapping: dict[Any, Any], source: pl.Series, draws: Floats
) -> pl.Series:
    """Choose for each row among the values that the mapping gives for the source's value."""
    import numpy as np
    import polars as pl

    for value in source.unique(maintain_order=True).drop_nulls().to_list():
        if value not in mapping:
            refuse(limits.name, f"its hint `values` says nothing for {value!r}", "add it")
    exponent = hints.number("zipf")
    flat: list[Any] = []
    chosen = np.zeros(len(source), dtype=np.int64)
    for value, given in mapping.items():
        options = given if isinstance(given, list) else [given]
        rows = (source == value).fill_null(False).to_numpy()
        odds = zipf_odds(max(1, len(options)), 0.7 if exponent is None else exponent)
        chosen[rows] = len(flat) + picked(draws[rows], odds)
        flat += options
    if wrong := [v for v in flat if not keeps(limits, v)]:
        refuse(limits.name, f"its hint gives {wrong[0]!r}, which breaks its rules", "mend the hint")
    try:
        return series(flat, limits.dtype).gather(chosen)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        refuse(limits.name, f"not all of its hinted values are {limits.dtype}", "mend the hint")
