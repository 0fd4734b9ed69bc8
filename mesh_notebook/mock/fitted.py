"""Makers fitted to a column's statistical shape: values that lie as the real ones do.

A shape holds a few figures of a column and no row (see `mesh.shape`). Numbers and times are drawn
from the distribution function that its quantiles are points of; text, booleans and few whole
numbers by the shares of the most frequent values, the rest as the contract alone would have them.
All values keep the contract's limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError
from mesh_notebook.mesh.shape import LEVELS
from mesh_notebook.mock.hints import Hints
from mesh_notebook.mock.makers import maker_of
from mesh_notebook.mock.numbers import pulled_in
from mesh_notebook.mock.rules import keeps
from mesh_notebook.mock.values import Choice, Lattice, Maker, Spread, series

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mock.limits import Limits
    from mesh_notebook.mock.noise import Floats, Integers
    from mesh_notebook.mock.texts import Use

__all__ = ["Curve", "fitted"]

_LEVELS = (0.0, *LEVELS, 1.0)
_SECOND = timedelta(seconds=1)
# Whole numbers from here on are more than a lattice counts.
_FAR = 1 << 52
_FINEST = 9  # digits after the point


def fitted(own: Maker, limits: Limits, use: Use, shape: Mapping[str, Any]) -> Maker:
    """Return a maker of values that lie as a shape says; the contract's own where it says nothing.

    Parameters
    ----------
    own : Maker
        What the contract alone makes of the column.
    shape : mapping
        The column's; empty where nothing may be told of it.
    """
    if top := shape.get("top"):
        return _by_share(own, limits, top)
    points = _points(shape)
    if not points or isinstance(own, Choice):
        return own
    if limits.dtype.is_float() and limits.step is None:
        return _floating(own, limits, points)
    return _on_lattice(own, limits, use, points)


def _points(shape: Mapping[str, Any]) -> list[Any]:
    """Return the values at the levels 0, 5, 25, 50, 75, 95 and 100 %; none where one is missing."""
    found = [shape.get("min"), *(shape.get("quantiles") or ()), shape.get("max")]
    return found if len(found) == len(_LEVELS) and None not in found else []


@dataclass(frozen=True)
class Curve(Spread):
    """A distribution function through known points, straight between them.

    `values` never fall, and `levels` rise from 0 to 1.
    """

    values: tuple[float, ...]
    levels: tuple[float, ...] = _LEVELS

    def below(self, value: float) -> float:
        """Return the share of values below `value`."""
        import numpy as np

        if value <= self.values[0]:
            return 0.0
        return float(np.interp(value, self.values, self.levels))

    def quantile(self, draws: Floats) -> Floats:
        import numpy as np

        return np.interp(draws, self.levels, self.values)


# ---- numbers and times ------------------------------------------------------------------------


def _on_lattice(own: Maker, limits: Limits, use: Use, points: Sequence[Any]) -> Maker:
    """Return the contract's lattice between the least and the greatest value, and their spread."""
    import polars as pl

    if not (limits.dtype.is_numeric() or isinstance(limits.dtype, (pl.Date, pl.Datetime))):
        return own
    between = _reach(points, limits.dtype)
    scale = limits.dtype.scale if isinstance(limits.dtype, pl.Decimal) else 0
    if limits.dtype.is_numeric() and max(map(abs, between)) * 10**scale >= _FAR:
        return own
    try:
        hints = Hints(limits.name, {"between": between})
        lattice = maker_of(limits, hints, replace(use, keyed=False))
    except ContractError:  # its limits leave no room where the values lie
        return own
    if not isinstance(lattice, Lattice):
        return own
    if limits.dtype.is_numeric():
        scaled = [float(Decimal(str(point)).scaleb(scale)) for point in points]
    else:
        size = 86_400 if isinstance(limits.dtype, pl.Date) else 1
        scaled = [_moment(point).timestamp() / size for point in points]
        lattice = _as_coarse(lattice, scaled)
    return replace(lattice, law=Curve(tuple(scaled)))


def _reach(points: Sequence[Any], dtype: pl.DataType) -> list[Any]:
    """Return the least and the greatest value; of instants, as whole seconds around them."""
    if dtype.is_numeric():
        return [points[0], points[-1]]
    low, high = _moment(points[0]), _moment(points[-1])
    whole = [low.replace(microsecond=0), high.replace(microsecond=0)]
    if high.microsecond:
        whole[1] += _SECOND
    return [moment.isoformat() for moment in whole]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_coarse(lattice: Lattice, seconds: Sequence[float]) -> Lattice:
    """Return a lattice of whole days, hours or minutes where all known points are such."""
    for step in (86_400, 3_600, 60):
        if lattice.low % step == 0 and all(second % step == 0 for second in seconds):
            return replace(lattice, step=step)
    return lattice


@dataclass(frozen=True)
class _Floating:
    """Floating-point numbers along a curve, with as many digits as the known points have."""

    own: Maker
    curve: Curve
    limits: Limits
    digits: int | None
    between: tuple[float, float]  # levels of the curve

    @property
    def capacity(self) -> int:
        return self.own.capacity

    def nth(self, index: Integers) -> pl.Series:
        return self.own.nth(index)

    def draw(self, draws: Floats) -> pl.Series:
        import numpy as np
        import polars as pl

        first, last = self.between
        numbers = self.curve.quantile(first + draws * (last - first))
        if self.digits is not None:
            numbers = np.round(numbers, self.digits)
        return pulled_in(pl.Series(numbers).cast(self.limits.dtype), self.limits)


def _floating(own: Maker, limits: Limits, points: Sequence[float]) -> Maker:
    curve = Curve(tuple(map(float, points)))
    low = max((curve.below(float(edge)) for edge, _ in limits.low), default=0.0)
    high = min(
        (curve.below(float(edge)) for edge, _ in limits.high if float(edge) < points[-1]),
        default=1.0,
    )
    if low >= high:
        return own  # the contract leaves no room where the values lie
    return _Floating(own, curve, limits, _digits(points), (low, high))


def _digits(points: Sequence[float]) -> int | None:
    """Return how many digits after the point the known points have, where they are few."""
    said = [re.fullmatch(r"-?\d+\.(\d+)", repr(float(point))) for point in points]
    if not all(said):
        return None
    most = max(len(match[1].rstrip("0")) for match in said if match)
    return most if most <= _FINEST else None


# ---- categories -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Topped:
    """The most frequent values by their shares, and another maker's for the rest."""

    top: Choice
    share: float
    rest: Maker

    @property
    def capacity(self) -> int:
        return self.rest.capacity

    def nth(self, index: Integers) -> pl.Series:
        return self.rest.nth(index)

    def draw(self, draws: Floats) -> pl.Series:
        import numpy as np

        listed = draws < self.share
        inner = np.clip(draws / self.share, 2.0**-54, 1 - 2.0**-53)
        outer = np.clip((draws - self.share) / (1 - self.share), 2.0**-54, 1 - 2.0**-53)
        frequent = self.top.draw(np.where(listed, inner, 0.5))
        others = self.rest.draw(np.where(listed, 0.5, outer)).cast(frequent.dtype)
        return frequent.zip_with(_mask(listed), others)


def _mask(flags: Any) -> pl.Series:
    import polars as pl

    return pl.Series(flags)


def _by_share(own: Maker, limits: Limits, top: Sequence[Sequence[Any]]) -> Maker:
    import numpy as np
    import polars as pl

    try:
        typed = series([value for value, _ in top], limits.dtype)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        return own  # the column was of another type then
    kept = [at for at, value in enumerate(typed) if keeps(limits, value)]
    if not kept:
        return own
    shares = np.array([float(top[at][1]) for at in kept])
    listed = typed.gather(kept)
    left = 1 - float(shares.sum())
    if left <= 1e-4:
        return Choice(listed, shares)
    if isinstance(own, Choice):
        return _of_the_allowed(own, listed, shares, left)
    return _Topped(Choice(listed, shares), 1 - left, own)


def _of_the_allowed(own: Choice, listed: pl.Series, shares: Floats, left: float) -> Choice:
    """Share what is left among those allowed values that are not listed."""
    import numpy as np
    import polars as pl

    others = (~own.values.is_in(listed.implode())).to_numpy()
    if not others.any():
        return Choice(listed, shares)
    odds = own.odds[others]
    return Choice(
        pl.concat([listed, own.values.filter(pl.Series(others))]),
        np.concatenate([shares, odds / odds.sum() * left]),
    )
