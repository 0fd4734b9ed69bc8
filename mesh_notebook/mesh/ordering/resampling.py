"""Other rows of the same contract, drawn from the columns of the rows at hand, so that some tie.

What holds of each column by itself, of the rows at hand, holds of values drawn from it. What holds
of a row among others is kept: a key stays a key, and columns without duplicates stay as they lie.
What else a contract demands, the drawn rows are checked for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.ordering.constants import compared_with

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TIMES", "Demands", "few_of", "resampled"]

_ROWS = 200  # of each input at most
_FEW = 8  # of each input at least, where more can be made
_MANY = 32  # so many, where their values lie on several sides of several constants
_VARIOUS = (5, 64)  # other values for each, and rows
_ENOUGH = 10  # rows that are left of an input, for it to be cut to what others join
Draw = Callable[[random.Random, int, int], list[int]]


@dataclass(frozen=True)
class Demands:
    """What the rows of an input are held to, besides what holds of the values of a column.

    Attributes
    ----------
    key : tuple of str
        Columns in which no two rows are alike.
    unique : frozenset of str
        Columns that have no value twice.
    open : frozenset of str
        Columns that may have any other value.
    contract : str
        The contract, as YAML, where its rules say more; else empty.
    """

    key: tuple[str, ...] = ()
    unique: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    contract: str = ""

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Demands:
        """Read what `ReplayInput.demands` tells."""
        unique, open_ = frozenset(told.get("unique", ())), frozenset(told.get("open", ()))
        return cls(tuple(told.get("key", ())), unique, open_, told.get("contract", ""))

    @cached_property
    def alone(self) -> frozenset[str]:
        """The columns of which a value names a row."""
        return self.unique | (frozenset(self.key) if len(self.key) == 1 else frozenset())

    def met_by(self, rows: pl.DataFrame) -> bool:
        """Return whether rows keep the rules that say more."""
        if not self.contract:
            return True
        from mesh_notebook.mesh.checks import check
        from mesh_notebook.model.contract import Contract

        return check(rows.lazy(), Contract.loads(self.contract)).passed


# ---- how values are drawn ------------------------------------------------------------------------


def _any(draw: random.Random, rows: int, pool: int) -> list[int]:
    return draw.choices(range(rows), k=rows)


def _more(draw: random.Random, rows: int, pool: int) -> list[int]:
    """Values that are not at hand among those that are."""
    return draw.choices(range(pool), k=rows)


def _half(draw: random.Random, rows: int, pool: int) -> list[int]:
    """Values that are at hand for about half of the rows, and others for the rest."""
    others = range(rows, pool) if pool > rows else range(rows)
    return [draw.choice(others if draw.random() < 0.5 else range(rows)) for _ in range(rows)]


def _half_apart(draw: random.Random, rows: int, pool: int) -> list[int]:
    """Values that are at hand, of which others stand in for half at most: none comes twice."""
    places = list(range(rows))
    others = draw.sample(range(rows, pool), min(pool - rows, rows // 2))
    for place, other in zip(draw.sample(places, len(others)), others, strict=True):
        places[place] = other
    return places


def _two(draw: random.Random, rows: int, pool: int) -> list[int]:
    """Two of the values, each as often as the other."""
    kinds = draw.sample(range(rows), min(rows, 2))
    places = [kinds[at % len(kinds)] for at in range(rows)]
    draw.shuffle(places)
    return places


def _one(draw: random.Random, rows: int, pool: int) -> list[int]:
    return [draw.randrange(rows)] * rows


def _each(draw: random.Random, rows: int, pool: int) -> list[int]:
    return draw.sample(range(rows), rows)


def _same(draw: random.Random, rows: int, pool: int) -> list[int]:
    return list(range(rows))


# By the number of the time: how names are drawn (texts, days, flags), and how amounts (numbers).
_WAYS: tuple[tuple[Draw, Draw], ...] = (
    (_same, _same),
    (_any, _any),
    (_half, _half),
    (_more, _more),
    (_two, _one),
    (_more, _any),
    (_two, _any),
    (_same, _one),
    (_two, _two),
    (_any, _two),
    (_half, _one),
    (_each, _one),
)
TIMES = len(_WAYS)


def resampled(
    frame: pl.DataFrame,
    demands: Demands,
    time: int,
    constants: Sequence[Any] = (),
    *,
    various: bool = False,
) -> pl.DataFrame:
    """Return rows of the same contract; at time 0 they are the rows themselves.

    Where rules of the contract hold rows together, the values of a row that name it go to another
    one, all together; and where that breaks a rule as well, the rows are left as they are.

    Parameters
    ----------
    constants
        Values that the transform compares rows with: at some times, rows lie on both sides of them.
    various
        Whether there are more rows and values than it takes for some to tie.
    """
    if time == 0 or frame.height < 2 or not frame.width:
        return frame
    even = frame.head(frame.height // 2 * 2)  # so that two values can tie in how often they are
    more, least = _VARIOUS if various else (1, _MANY if _half in _WAYS[time] else _FEW)
    drawn = _drawn(_grown(even, demands, least), demands, time, more, constants)
    drawn = _as_it_came(even, drawn)
    if demands.met_by(drawn):
        return drawn
    together = _moved(even, demands, time)
    return together if demands.met_by(together) else frame


def _drawn(
    frame: pl.DataFrame, demands: Demands, time: int, more: int, constants: Sequence[Any]
) -> pl.DataFrame:
    names, amounts = _WAYS[time]
    columns = []
    for column in frame.iter_columns():
        way = amounts if column.dtype.is_numeric() else names
        if column.name in demands.alone:
            way = _half_apart if way is _half and column.name in demands.open else _same
        elif column.name in demands.key:
            way = _any if way is _one else way
        draw = random.Random(f"{column.name} {time}")
        pool = column
        if column.name in demands.open:
            sided = way in (_half, _half_apart)
            pool = _sided(column, constants) if sided else _widened(column, more)
        columns.append(pool.gather(way(draw, frame.height, len(pool))))
    drawn = frame.select(columns)
    if not demands.key or not set(demands.key) <= set(drawn.columns):
        return drawn
    return drawn.unique(demands.key, keep="first", maintain_order=True)


def _as_it_came(frame: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """Return drawn rows in the order of the time, or the number, in whose order those at hand lie.

    A log comes in the order of its times, and code may rely on that.
    """
    ranked = [c for c in frame.iter_columns() if c.dtype.is_temporal() or c.dtype.is_numeric()]
    ranked.sort(key=lambda column: not column.dtype.is_temporal())
    by = next((c.name for c in ranked if c.n_unique() > 1 and c.is_sorted()), None)
    return drawn if by is None else drawn.sort(by, maintain_order=True)


def _grown(frame: pl.DataFrame, demands: Demands, least: int) -> pl.DataFrame:
    """Return more rows where there are few: each again, by another name."""
    import polars as pl

    named = frame.select(sorted(demands.alone & set(frame.columns)))
    if frame.height >= least or not demands.alone <= demands.open:
        return frame
    parts = [frame]
    for number in range(1, -(-least // frame.height)):
        others = [_others(column, number) for column in named.iter_columns()]
        if any(column is None for column in others):
            return frame
        parts.append(frame.with_columns([column for column in others if column is not None]))
    return pl.concat(parts)


def _sided(column: pl.Series, constants: Sequence[Any]) -> pl.Series:
    """Return the values, and others that lie beside what the transform compares with."""
    import polars as pl

    beside = compared_with(column, constants)
    if beside is None:
        return column
    others = beside.filter(~beside.is_in(column.implode())).unique(maintain_order=True)
    return pl.concat([column, others])


def _widened(column: pl.Series, more: int) -> pl.Series:
    """Return the values, and so many others like each, where such can be made."""
    import polars as pl

    others = (_others(column, number) for number in range(1, more + 1))
    return pl.concat([column, *(other for other in others if other is not None)])


def _others(column: pl.Series, number: int) -> pl.Series | None:
    """Return another value for each: the same for equal ones, and none that is there."""
    import polars as pl

    if column.dtype == pl.String:
        return column + f" {number + 1}"
    if column.len() == column.null_count():
        return None
    if column.dtype.is_integer() or column.dtype in (pl.Date, pl.Datetime):
        wide = column.to_physical().cast(pl.Int64)
        further = wide + number * (wide.max() - wide.min() + 1)  # type: ignore[operator]
        return further.cast(column.dtype, strict=False)
    if column.dtype.is_float():
        return column + number * (column.max() - column.min() + 1)  # type: ignore[operator]
    return None


def _moved(frame: pl.DataFrame, demands: Demands, time: int) -> pl.DataFrame:
    """Return the rows, of which each has what is said of another one."""
    kept = {*demands.alone, *demands.key}
    rest = [name for name in frame.columns if name not in kept]
    places = (_any, _two)[time % 2](random.Random(time), frame.height, frame.height)
    return frame.with_columns(frame.select(rest)[places].get_columns())


# ---- which rows ----------------------------------------------------------------------------------


def few_of(frames: Mapping[str, pl.LazyFrame]) -> dict[str, pl.DataFrame]:
    """Return the first rows of each input; of a large one, those that join the rows of others."""
    import polars as pl

    heights = {name: frame.select(pl.len()) for name, frame in frames.items()}
    rows = dict(zip(heights, (one.item() for one in pl.collect_all(heights.values())), strict=True))
    few: dict[str, pl.DataFrame] = {}
    for name in sorted(frames, key=lambda one: rows[one]):
        joined = _joined(frames[name], few.values()) if rows[name] > _ROWS else None
        few[name] = frames[name].head(_ROWS).collect() if joined is None else joined
    return few


def _joined(frame: pl.LazyFrame, others: Iterable[pl.DataFrame]) -> pl.DataFrame | None:
    schema = frame.collect_schema()
    for other in others:
        both = [n for n, dtype in other.schema.items() if schema.get(n) == dtype]
        if both and not any(schema[n].is_nested() or schema[n].is_float() for n in both):
            found = frame.join(other.lazy(), on=both, how="semi").head(_ROWS).collect()
            if found.height >= _ENOUGH:
                return found
    return None
