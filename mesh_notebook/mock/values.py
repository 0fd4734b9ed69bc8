"""Makers of one column's values: from a list, from a lattice of numbers or times, from shapes.

Every maker answers two questions: which value is the i-th (all different), and which value
belongs to a draw in (0, 1), low draws giving low or early values. All are whole-column.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mesh_notebook.mock.noise import again, cdf, permuted, ppf

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from mesh_notebook.mock.noise import Floats, Integers

__all__ = ["Choice", "Clock", "Lattice", "Law", "Listed", "Maker", "Spread", "zipf_odds"]


class Maker(Protocol):
    """Makes the values of one column."""

    @property
    def capacity(self) -> int:
        """How many different values there are."""
        ...

    def nth(self, index: Integers) -> pl.Series:
        """Return the value of each number below `capacity`."""
        ...

    def draw(self, draws: Floats) -> pl.Series:
        """Return the value of each draw in (0, 1)."""
        ...


def zipf_odds(count: int, exponent: float) -> Floats:
    """Return odds in proportion to 1 / rank ** exponent."""
    import numpy as np

    odds: Floats = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return odds


def picked(draws: Floats, odds: NDArray[np.float64]) -> Integers:
    """Return for each draw the place in `odds` that it falls on."""
    import numpy as np

    edges = np.cumsum(odds) / np.sum(odds)
    places: Integers = np.searchsorted(edges, draws, side="right").astype(np.int64)
    last: Integers = np.minimum(places, len(edges) - 1)
    return last


@dataclass(frozen=True)
class Choice:
    """Values out of a list, with odds."""

    values: pl.Series
    odds: Floats

    @property
    def capacity(self) -> int:
        return len(self.values)

    def nth(self, index: Integers) -> pl.Series:
        return self.values.gather(index)

    def draw(self, draws: Floats) -> pl.Series:
        return self.values.gather(picked(draws, self.odds))


class Spread(Protocol):
    """How numbers lie."""

    def below(self, value: float) -> float:
        """Return the probability of numbers below `value`."""
        ...

    def quantile(self, draws: Floats) -> Floats:
        """Return the number that each share of all numbers lies below."""
        ...


@dataclass(frozen=True)
class Law:
    """A distribution of numbers, by its quantiles.

    `mean` is the mean of the numbers; `sigma` their standard deviation, for `lognormal`
    that of their logarithm.
    """

    name: str
    mean: float
    sigma: float = 1.0

    def below(self, value: float) -> float:
        """Return the probability of numbers below `value`."""
        import numpy as np

        if self.name == "exponential":
            return 1 - math.exp(-value / self.mean) if value > 0 else 0.0
        if self.name == "lognormal" and value <= 0:
            return 0.0
        z = (self._inner(value) - self._centre) / self.sigma
        return float(cdf(np.array([z]))[0])

    def _inner(self, value: float) -> float:
        return math.log(value) if self.name == "lognormal" else value

    @property
    def _centre(self) -> float:
        # The logarithm of a lognormal number of mean m has the mean ln m - sigma² / 2.
        return math.log(self.mean) - self.sigma**2 / 2 if self.name == "lognormal" else self.mean

    def quantile(self, draws: Floats) -> Floats:
        import numpy as np

        if self.name == "exponential":
            waits: Floats = -self.mean * np.log1p(-draws)
            return waits
        inner = self._centre + self.sigma * ppf(draws)
        return np.exp(inner) if self.name == "lognormal" else inner


@dataclass(frozen=True)
class Lattice:
    """Evenly spaced numbers or times: `(low, low + step, …, high) / scale`.

    Attributes
    ----------
    finish : callable
        Turns the whole numbers of the lattice into a series of the column's type.
    law : Spread or None
        How the numbers are spread, in the units of the lattice; None spreads them evenly.
    """

    low: int
    high: int
    step: int
    finish: Callable[[Integers], pl.Series]
    law: Spread | None = None
    salt: int | None = None  # scatters the order of `nth`; None counts upwards

    @property
    def capacity(self) -> int:
        return (self.high - self.low) // self.step + 1

    def nth(self, index: Integers) -> pl.Series:
        if self.salt is not None:
            index = permuted(index, min(self.capacity, 1 << 31), self.salt)
        return self.finish(self.low + index * self.step)

    def draw(self, draws: Floats) -> pl.Series:
        return self.finish(self.places(draws))

    def places(self, draws: Floats) -> Integers:
        import numpy as np

        if self.law is None:
            steps = np.floor(draws * self.capacity)
        else:
            steps = np.round((self._lawful(self.law, draws) - self.low) / self.step)
        within = np.clip(steps, 0, self.capacity - 1).astype(np.int64)
        # A float may round up to one step too many at the far end of a very wide range.
        places: Integers = self.low + np.minimum(within, self.capacity - 1) * self.step
        return places

    def _lawful(self, law: Spread, draws: Floats) -> Floats:
        import numpy as np

        first, last = law.below(self.low - self.step / 2), law.below(self.high + self.step / 2)
        if last - first < 1e-4:  # the limits lie where the law has nothing
            even: Floats = self.low + draws * (self.high - self.low)
            return even
        return law.quantile(np.clip(first + draws * (last - first), 1e-16, 1 - 1e-16))


@dataclass(frozen=True)
class Clock:
    """Instants on days and hours of given odds, inside the lattice's limits (seconds)."""

    lattice: Lattice
    hours: Floats
    weekdays: Floats

    @property
    def capacity(self) -> int:
        return self.lattice.capacity

    def nth(self, index: Integers) -> pl.Series:
        return self.lattice.nth(index)

    def draw(self, draws: Floats) -> pl.Series:
        import numpy as np

        first = -(-self.lattice.low // 86_400)
        last = (self.lattice.high + 1) // 86_400 - 1
        if last < first:  # less than one whole day
            return self.lattice.draw(draws)
        days = np.arange(first, last + 1)
        # 1970-01-01 was a Thursday.
        day = days[picked(draws, self.weekdays[(days + 3) % 7])]
        hour = picked(again(draws, "hour"), self.hours)
        second = np.floor(again(draws, "second") * 3_600).astype(np.int64)
        return self.lattice.finish(day * 86_400 + hour * 3_600 + second)


@dataclass(frozen=True)
class Listed:
    """Lists of another maker's values, between `least` and `most` long."""

    inner: Maker
    least: int
    most: int
    distinct: bool

    @property
    def capacity(self) -> int:
        return 0 if self.distinct and self.inner.capacity < self.least else 1 << 31

    def nth(self, index: Integers) -> pl.Series:
        from mesh_notebook.mock.noise import unit

        return self.draw(unit(index, 0))

    def draw(self, draws: Floats) -> pl.Series:
        import numpy as np
        import polars as pl

        most = min(self.most, self.inner.capacity) if self.distinct else self.most
        lengths = self.least + np.floor(again(draws, "length") * (most - self.least + 1))
        owner = np.repeat(np.arange(len(draws)), lengths.astype(np.int64))
        starts = np.cumsum(lengths) - lengths
        place = np.arange(len(owner)) - starts[owner].astype(np.int64)
        flat = self._items(draws[owner], place)
        if not len(flat):
            return pl.Series([[]] * len(draws), dtype=pl.List(flat.dtype))
        return self._gathered(flat, owner, len(draws))

    def _items(self, draws: Floats, place: Integers) -> pl.Series:
        from mesh_notebook.mock.noise import unit

        if self.distinct:  # neighbours in the inner order, so that none repeats
            room = min(self.inner.capacity, 1 << 31)
            first = (again(draws, "first") * room).astype("int64")
            return self.inner.nth((first + place) % room)
        return self.inner.draw(unit(draws.view("uint64") + place.astype("uint64"), 11))

    @staticmethod
    def _gathered(flat: pl.Series, owner: Integers, rows: int) -> pl.Series:
        import polars as pl

        grouped = (
            pl.DataFrame({"owner": owner, "value": flat})
            .group_by("owner", maintain_order=True)
            .agg("value")
        )
        every = pl.DataFrame({"owner": range(rows)}, schema={"owner": pl.Int64})
        joined = every.join(grouped, on="owner", how="left", maintain_order="left")
        return joined["value"].fill_null(pl.Series([[]], dtype=joined["value"].dtype))


def series(values: list[Any], dtype: Any) -> pl.Series:
    """Return a series of exactly that type; YAML and JSON know fewer, so texts are read as times.

    Raises
    ------
    TypeError, ValueError, PolarsError
        A value is not of the type.
    """
    from datetime import UTC, datetime

    import polars as pl

    if isinstance(dtype, pl.String):
        values = [str(value) for value in values]
    elif isinstance(dtype, (pl.Date, pl.Datetime)):
        moments = [datetime.fromisoformat(str(value)) for value in values]
        zoned = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
        values = [
            (m.replace(tzinfo=m.tzinfo or UTC) if zoned else m.replace(tzinfo=None))
            for m in moments
        ]
        return pl.Series(values, dtype=pl.Datetime("us", "UTC" if zoned else None)).cast(dtype)
    return pl.Series(values, dtype=dtype, strict=True)
