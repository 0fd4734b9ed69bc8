"""Lattices for numbers, dates and instants: limits made exact, types made exact."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from mesh_notebook.errors import MeshError
from mesh_notebook.mock.hints import refuse
from mesh_notebook.mock.values import Clock, Lattice, Law, Maker
from mesh_notebook.model.time import as_instant

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mock.hints import Hints
    from mesh_notebook.mock.limits import Limits
    from mesh_notebook.mock.noise import Integers

__all__ = ["instant_seconds", "number_maker", "pulled_in", "time_maker"]

# Where a contract sets no limits, times fall in this year: a mock knows no clock, so that
# the same contract and seed always give the same rows.
_YEAR = (date(2025, 10, 1), date(2026, 9, 30))
_BIRTHS = (date(1940, 1, 1), date(2011, 12, 31))
_WIDEST = 1 << 53  # whole numbers that a draw can still tell apart
# What a name makes one think of: the range, and how values lie in it.
_BY_NAME: tuple[tuple[str, float, float, Law | None], ...] = (
    (r"\bage\b", 13, 95, Law("normal", 39, 15)),
    (r"birth_year|year_of_birth", 1935, 2012, None),
    (r"year", 1990, 2026, None),
    (r"month", 1, 12, None),
    (r"hour", 0, 23, None),
    (r"lat(itude)?\b", -60, 70, None),
    (r"lon(gitude)?\b|lng", -180, 180, None),
    (r"percent|pct", 0, 100, None),
    (r"share|ratio|rate\b|probability|score", 0, 1, None),
    (r"rating|stars", 1, 5, Law("normal", 4, 1)),
    (r"price|amount|cost|revenue|fee|total|salary|value", 0, 1e6, Law("lognormal", 60, 0.9)),
    (r"minutes|seconds|duration|delay|length", 0, 600, Law("exponential", 30)),
    (r"count|quantity|number|plays|visits|clicks|views", 0, 1e5, Law("exponential", 14)),
)


def number_maker(limits: Limits, hints: Hints, key_salt: int | None) -> Maker:
    """Return the maker of a number column.

    Parameters
    ----------
    key_salt : int or None
        Given for a column whose values must be all different without limits of its own: it
        sets where its numbers begin, so that keys of different things rarely match by chance.
    """
    scale = _decimals(limits, hints)
    step = _whole(_decimal(limits, limits.step), scale) if limits.step is not None else 1
    low, high = _edges(limits, hints, scale)
    bottom, top = _type_edges(limits, scale)
    usual_low, usual_high, law = _usual(limits, hints, key_salt)
    if _whole(usual_low, scale) >= top:  # years in a TINYINT
        usual_low, usual_high, law = 0.0, 100.0, None
    usual = _whole(usual_high - usual_low, scale)
    if low is None:
        wanted = _whole(usual_low, scale)
        low = wanted if high is None else min(wanted, high - usual)
    if high is None:
        width = (1 << 31) * step if key_salt is not None else usual
        high = max(_whole(usual_high, scale), low + width)
    low, high = max(low, bottom), min(high, top)
    low = -(-low // step) * step
    high = high // step * step
    if low > high:
        refuse(limits.name, "no number keeps all its limits", "widen its minimum and maximum")
    _within_reach(limits, low, high)
    return Lattice(low, high, step, _finish(limits, scale), _scaled(law, scale, hints))


def _decimals(limits: Limits, hints: Hints) -> int:
    """Return how many digits after the point the lattice has."""
    import polars as pl

    if isinstance(limits.dtype, pl.Decimal):
        return int(limits.dtype.scale)
    if limits.dtype.is_integer() or limits.column.logical_type == "integer":
        return 0
    if limits.step is not None:
        return max(0, -int(_decimal(limits, limits.step).normalize().as_tuple().exponent))
    if hints.decimals is not None:
        return hints.decimals
    edges = [_decimal(limits, v) for v, _ in limits.low + limits.high]
    needed = [-int(edge.normalize().as_tuple().exponent) for edge in edges if edge]
    span = float(max(edges) - min(edges)) if len(edges) > 1 else 100.0
    fine = 3 - math.floor(math.log10(span)) if 0 < span < math.inf else 6
    return min(9, max(2, fine, *needed)) if needed else max(2, min(9, fine))


def _decimal(limits: Limits, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        refuse(limits.name, f"its limit {value!r} is no number", "write a number")
    try:
        return Decimal(str(value))
    except ArithmeticError:
        refuse(limits.name, f"its limit {value!r} is no number", "write a number")


def _whole(value: Decimal | float, scale: int) -> int:
    return math.ceil(Decimal(str(value)).scaleb(scale))


def _edges(limits: Limits, hints: Hints, scale: int) -> tuple[int | None, int | None]:
    """Return the limits that contract and hints set, in the lattice's whole numbers."""
    between = hints.between
    lows = list(limits.low) + ([(between[0], False)] if between else [])
    highs = list(limits.high) + ([(between[1], False)] if between else [])
    bottoms, tops = [], []
    for value, exclusive in lows:
        exact = _decimal(limits, value).scaleb(scale)
        bottoms.append(math.floor(exact) + 1 if exclusive else math.ceil(exact))
    for value, exclusive in highs:
        exact = _decimal(limits, value).scaleb(scale)
        tops.append(math.ceil(exact) - 1 if exclusive else math.floor(exact))
    return max(bottoms, default=None), min(tops, default=None)


def _usual(limits: Limits, hints: Hints, key_salt: int | None) -> tuple[float, float, Law | None]:
    """Return the range and the law that hints, or the column's name, suggest."""
    if key_salt is not None:
        return float(100_000_000 + key_salt % 900 * 1_000_000), 0.0, None
    if name := hints.distribution:
        mean, sigma = hints.number("mean"), hints.number("sigma")
        if name == "uniform":
            return 0.0, 1_000.0, None
        law = Law(name, 1.0 if mean is None else mean, 1.0 if sigma is None else sigma)
        if law.sigma <= 0 or (name != "normal" and law.mean <= 0):
            refuse(limits.name, f"its {name} distribution has no spread", "make mean and sigma > 0")
        if name == "normal":
            return law.mean - 6 * law.sigma, law.mean + 6 * law.sigma, law
        return 0.0, law.mean * 1_000, law
    for pattern, low, high, law_by_name in _BY_NAME:
        if re.search(pattern, limits.name.lower()):
            return low, high, law_by_name
    return 0.0, 1_000.0, None


def _scaled(law: Law | None, scale: int, hints: Hints) -> Law | None:
    if law is None or hints.distribution == "uniform":
        return None
    sigma = law.sigma if law.name == "lognormal" else law.sigma * 10**scale
    return Law(law.name, law.mean * 10**scale, sigma)


def _type_edges(limits: Limits, scale: int) -> tuple[int, int]:
    import polars as pl

    if isinstance(limits.dtype, pl.Decimal):
        edge = 10 ** min(limits.dtype.precision or 18, 15) - 1
        return -edge, edge
    if limits.dtype.is_integer():
        bits = {"Int8": 7, "Int16": 15, "Int32": 31}.get(type(limits.dtype).__name__, 62)
        return 1 - (1 << bits), (1 << bits) - 1
    return -_WIDEST, _WIDEST


def _within_reach(limits: Limits, low: int, high: int) -> None:
    if max(abs(low), abs(high)) >= 1 << 62:
        refuse(
            limits.name,
            "its limits lie beyond the 64-bit whole numbers",
            "hint `between: [low, high]` with a nearer range",
        )


def _finish(limits: Limits, scale: int) -> Callable[[Integers], pl.Series]:
    import polars as pl

    dtype = limits.dtype

    def finish(whole: Integers) -> pl.Series:
        numbers = pl.Series(whole, dtype=pl.Int64)
        if isinstance(dtype, pl.Decimal):
            unit = pl.Series([Decimal(1).scaleb(-scale)], dtype=pl.Decimal(38, scale))
            return (numbers.cast(pl.Decimal(38, scale)) * unit).cast(dtype)
        if dtype.is_float() or (scale and isinstance(dtype, pl.String)):
            exact = pl.Series(whole / 10.0**scale)
            return _inside(exact.cast(dtype), limits) if dtype.is_float() else exact.cast(dtype)
        return numbers.cast(dtype)

    return finish


def _inside(numbers: pl.Series, limits: Limits) -> pl.Series:
    """Pull back the 32-bit floats that rounding has carried over a limit."""
    import polars as pl

    return pulled_in(numbers, limits) if isinstance(numbers.dtype, pl.Float32) else numbers


def pulled_in(numbers: pl.Series, limits: Limits) -> pl.Series:
    """Pull floats that lie beyond a limit back to the nearest that keeps it."""
    import numpy as np
    import polars as pl

    single = isinstance(numbers.dtype, pl.Float32)
    kind: Callable[[float], np.floating] = np.float32 if single else np.float64
    values = numbers.to_numpy().copy()
    for edge, exclusive in limits.low:
        least = kind(float(edge))
        if float(least) < float(edge) or (exclusive and float(least) == float(edge)):
            least = np.nextafter(least, kind(np.inf))
        values = np.maximum(values, least)
    for edge, exclusive in limits.high:
        most = kind(float(edge))
        if float(most) > float(edge) or (exclusive and float(most) == float(edge)):
            most = np.nextafter(most, kind(-np.inf))
        values = np.minimum(values, most)
    return pl.Series(values, dtype=numbers.dtype)


# ---- dates and instants ---------------------------------------------------------------------


def time_maker(limits: Limits, hints: Hints) -> Maker:
    """Return the maker of a date column (steps of a day) or an instant column (of a second)."""
    if hints.distribution and hints.distribution != "uniform":
        refuse(limits.name, "a distribution of times is not known", "use between, hours or after")
    daily = _is_date(limits)
    size = 86_400 if daily else 1
    low, high = _time_edges(limits, hints, size)
    usual = _BIRTHS if re.search(r"birth|dob", limits.name.lower()) else _YEAR
    start, end = (int(instant_seconds(limits, day)) // size for day in usual)
    width = end - start
    if low is None:
        low = start if high is None or high >= start + width else high - width
    if high is None:
        high = max(start + width, low) if low < start + width else low + width
    if low > high:
        refuse(limits.name, "no time keeps all its limits", "widen its minimum and maximum")
    lattice = Lattice(low, high, 1, _finish_time(limits, daily))
    return lattice if daily else _clock(lattice, hints)


def _is_date(limits: Limits) -> bool:
    import polars as pl

    return isinstance(limits.dtype, pl.Date) or (
        isinstance(limits.dtype, pl.String) and limits.column.logical_type == "date"
    )


def _clock(lattice: Lattice, hints: Hints) -> Maker:
    import numpy as np

    hours, weekdays = hints.odds("hours", 24), hints.odds("weekdays", 7)
    if not (hours or weekdays):
        return lattice
    return Clock(lattice, np.array(hours or [1.0] * 24), np.array(weekdays or [1.0] * 7))


def instant_seconds(limits: Limits, value: object) -> float:
    """Return the seconds since 1970 of a date or instant that a contract or hint writes."""
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    try:
        if isinstance(value, str) and re.fullmatch(r"[\d-]+[T ][\d:.]+", value):
            value = f"{value}Z"  # ODCS: an instant without an offset is UTC
        moment = as_instant(value, datetime(1970, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]
        return moment.timestamp()
    except (MeshError, AttributeError):
        refuse(limits.name, f"its limit {value!r} is no time", "write 2026-10-04 or an instant")


def _time_edges(limits: Limits, hints: Hints, size: int) -> tuple[int | None, int | None]:
    between = hints.between
    lows = list(limits.low) + ([(between[0], False)] if between else [])
    highs = list(limits.high) + ([(between[1], False)] if between else [])
    bottoms, tops = [], []
    for value, exclusive in lows:
        exact = instant_seconds(limits, value) / size
        bottoms.append(math.floor(exact) + 1 if exclusive else math.ceil(exact))
    for value, exclusive in highs:
        exact = instant_seconds(limits, value) / size
        tops.append(math.ceil(exact) - 1 if exclusive else math.floor(exact))
    return max(bottoms, default=None), min(tops, default=None)


def _finish_time(limits: Limits, daily: bool) -> Callable[[Integers], pl.Series]:
    import polars as pl

    def finish(whole: Integers) -> pl.Series:
        numbers = pl.Series(whole, dtype=pl.Int64)
        if daily:
            days = numbers.cast(pl.Int32).cast(pl.Date)
            return days.dt.to_string("iso") if isinstance(limits.dtype, pl.String) else days
        moments = (numbers * 1_000_000).cast(pl.Datetime("us", "UTC"))
        if isinstance(limits.dtype, pl.String):
            return moments.dt.to_string("%Y-%m-%dT%H:%M:%SZ")
        naive = isinstance(limits.dtype, pl.Datetime) and limits.dtype.time_zone is None
        return moments.dt.replace_time_zone(None) if naive else moments.cast(limits.dtype)

    return finish
