"""Drift: how far a shape has moved from those of the snapshots before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.dtypes import column_dtype
from mesh_notebook.mesh.rows import REL, REL_32, same_number
from mesh_notebook.mesh.shape import LEVELS, TOP
from mesh_notebook.model.seen import differs

if TYPE_CHECKING:
    from mesh_notebook.mesh.shape import Shape
    from mesh_notebook.model.contract import Contract

__all__ = ["EARLIER", "distance", "drift", "moving", "single"]

EARLIER = 5
# Of fewer values than this, quantiles are steps, between which nothing can be interpolated.
_COARSE = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEMPORAL = ("date", "timestamp", "time")


def drift(
    shape: Shape,
    earlier: Sequence[Shape],
    moving: Collection[str] = (),
    single: Collection[str] = (),
) -> dict[str, float]:
    """Return how far each column's shape lies from its shapes before, 0 (equal) to 1.

    Parameters
    ----------
    earlier : sequence of shapes
        Newest first; the last `EARLIER` count. The median of the distances to them is taken, so
        that one odd snapshot neither raises nor hides an alarm.
    moving : collection of str
        Columns whose values move by nature: of these, only the share of nulls is compared.
    single : collection of str
        Columns of 32-bit floats, which have a noise of their own.

    Returns
    -------
    dict
        `drift.<column>` for each column of which both tell something, and `drift`, the worst of
        them; empty where there is nothing to compare with.
    """
    found: dict[str, float] = {}
    for name, column in shape.items():
        before = [
            _nulls(e[name]) if name in moving else e[name]
            for e in earlier[:EARLIER]
            if _tells(e.get(name))
        ]
        if before and _tells(column):
            now = _nulls(column) if name in moving else column
            share = REL_32 if name in single else REL
            apart = median(distance(now, then, share) for then in before)
            found[f"drift.{name}"] = round(apart, 6)
    return {"drift": max(found.values()), **found} if found else {}


def moving(contract: Contract) -> set[str]:
    """Name the columns whose values move by nature: times, and what tells rows apart alone.

    That is so of what a key or a contract says, and of what was seen: numbers of rows are others in
    each snapshot, also where there are few of them.
    """
    alone = set(contract.key) if len(contract.key) == 1 else set()
    return alone | {
        column.name
        for column in contract.columns
        if column.unique
        or differs(column.raw)
        or column.logical_type in _TEMPORAL
        or column.name == contract.event_time
    }


def single(contract: Contract) -> set[str]:
    """Name the columns of 32-bit floats."""
    import polars as pl

    return {column.name for column in contract.columns if column_dtype(column) == pl.Float32}


def distance(one: Mapping[str, Any], other: Mapping[str, Any], share: float = REL) -> float:
    """Return how far apart two shapes of a column are, 0 to 1.

    Floats that differ by at most that share of their size are one value (see `mesh.rows`).

    The greater of the difference in the share of nulls, and of how far apart the values are:
    where both shapes list top values, the total variation distance (half the sum of the
    differences in share), else the Kolmogorov-Smirnov distance (the greatest difference of the
    distribution functions) as the stored quantiles tell it. What a shape does not tell counts in
    favour of no drift.
    """
    parts: list[float] = [abs(one["nulls"] - other["nulls"])]
    if "top" in one and "top" in other:
        parts.append(_variation(one["top"], other["top"]))
    elif "quantiles" in one and "quantiles" in other:
        parts.append(_kolmogorov(one, other, share))
    return min(max(parts), 1.0)


def _tells(column: Mapping[str, Any] | None) -> bool:
    """Whether a shape tells anything of a column: of one that is masked it may not."""
    return column is not None and "nulls" in column


def _nulls(column: Mapping[str, Any]) -> dict[str, Any]:
    return {"nulls": column["nulls"]}


def _variation(one: list[list[Any]], other: list[list[Any]]) -> float:
    mine, theirs = (dict(top) for top in (one, other))
    return max(_more_often(mine, theirs), _more_often(theirs, mine))


def _more_often(mine: Mapping[Any, float], theirs: Mapping[Any, float]) -> float:
    """Return by how much, in all, values come more often in one than in the other."""
    rest = max(1 - sum(theirs.values()), 0.0)
    # A value that is not listed came at most as often as the last that is.
    unlisted = min(rest, min(theirs.values())) if len(theirs) == TOP else rest
    return sum(max(share - theirs.get(v, unlisted), 0.0) for v, share in mine.items())


def _kolmogorov(one: Mapping[str, Any], other: Mapping[str, Any], share: float) -> float:
    mine, theirs = list(_points(one)), list(_points(other))
    if not (mine and theirs):
        return 0.0
    mine, theirs = _without_noise(share, mine, theirs)
    coarse = [shape["distinct"] < _COARSE for shape in (one, other)]
    apart = 0.0
    for edge in {value for value, _ in (*mine, *theirs)}:
        low, high = _reached(mine, edge, coarse[0])
        low2, high2 = _reached(theirs, edge, coarse[1])
        apart = max(apart, low - high2, low2 - high)
    return apart


def _points(shape: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Yield the known points of the distribution function: a value, and the share up to it."""
    values = (shape.get("min"), *shape["quantiles"], shape.get("max"))
    for value, level in zip(values, (0.0, *LEVELS, 1.0), strict=True):
        if value is None:
            continue
        yield _number(value), level


def _number(value: Any) -> float:
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    moment = datetime.fromisoformat(value)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    # Whole microseconds: of an instant, nothing is noise.
    return since // timedelta(microseconds=1)


def _without_noise(
    share: float, *sides: list[tuple[float, float]]
) -> Iterator[list[tuple[float, float]]]:
    """Yield the points with one value for all that are the same (see `mesh.rows`)."""
    stands: dict[float, float] = {}
    last: float | None = None
    for value in sorted({value for points in sides for value, _ in points}):
        last = value if last is None or not same_number(value, last, share) else last
        stands[value] = last
    for points in sides:
        yield [(stands[value], level) for value, level in points]


def _reached(
    points: Sequence[tuple[float, float]], edge: float, coarse: bool
) -> tuple[float, float]:
    """Return between what shares the distribution function is at `edge`."""
    below = [point for point in points if point[0] <= edge]
    above = [point for point in points if point[0] > edge]
    if not below:
        return 0.0, 0.0
    if not above:
        return 1.0, 1.0
    (left, low), (right, high) = below[-1], above[0]
    tied = [sum(v == end for v, _ in points) > 1 for end in (left, right)]
    if coarse or tied[0] or (tied[1] and edge != left):
        return low, high
    at = low + (high - low) * (edge - left) / (right - left)
    return at, at
