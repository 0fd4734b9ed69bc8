"""The same code without what only chooses rows: what then still has a say in a column is its value.

A filter, a join's keys, a sort and the keys of a group decide which rows there are. Where they are
left out of a plan, a column needs what it is made of, and nothing else. Whatever is not known here
stays as it is, so that what is told is more than the truth perhaps, and never less.

Where two columns are joined, the one holds the other's values: each is made of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.lineage.frames import Needs, Sources, needed, rows_chosen

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LeftOut", "NotTold", "left_out"]

_ALL = "_mesh_notebook_all"
# Each gives back some of the rows that it is given, or the same ones in another order.
_CHOOSING = ("filter", "remove", "sort", "drop_nulls", "drop_nans", "top_k", "bottom_k")


class LeftOut(Enum):
    """What of the code is left out: all that chooses rows, or what asks which values are equal."""

    NOTHING = 0
    MATCHING = 1
    CHOICE = 2


class NotTold(Exception):
    """The code cannot be followed without what chooses its rows."""


@contextmanager
def left_out(what: LeftOut, sources: Sources) -> Iterator[None]:
    """Have Polars' frames leave out what only chooses rows; their columns and types stay."""
    import polars as pl

    def same(frame: pl.LazyFrame, *_: Any, **__: Any) -> pl.LazyFrame:
        return frame

    if what is LeftOut.NOTHING:
        yield
        return
    equal = what is LeftOut.MATCHING
    dropped = ("unique",) if equal else (*_CHOOSING, "unique")
    kept = {name: getattr(pl.LazyFrame, name) for name in (*dropped, "join", "group_by")}
    changed = {**dict.fromkeys(dropped, same), "join": _joined(kept["join"], sources, equal)}
    changed["group_by"] = _grouped(kept["group_by"])
    try:
        for name, method in changed.items():
            setattr(pl.LazyFrame, name, method)
        yield
    finally:
        for name, method in kept.items():
            setattr(pl.LazyFrame, name, method)


def _joined(
    join: Callable[..., pl.LazyFrame], sources: Sources, equal: bool
) -> Callable[..., pl.LazyFrame]:
    """Return a join whose columns are made of the sides' columns, whatever its keys are.

    With `equal`, what chose the rows of each side is kept apart.
    """

    def joined(
        frame: pl.LazyFrame,
        other: pl.LazyFrame,
        on: Any = None,
        how: str = "inner",
        *,
        left_on: Any = None,
        right_on: Any = None,
        suffix: str = "_right",
        **options: Any,
    ) -> pl.LazyFrame:
        if equal:
            sources.chosen |= rows_chosen(frame, sources) | rows_chosen(other, sources)
        keys = {"left_on": left_on, "right_on": right_on} if on is None else {"on": on}
        made = join(frame, other, how=how, suffix=suffix, **keys, **options)
        schema = made.collect_schema()
        sides = _Sides(frame, other, suffix, how in ("right", "full"), sources)
        pairs = (
            []
            if how == "cross"
            else list(zip(_named(on, left_on), _named(on, right_on), strict=True))
        )
        needs = {name: sides.made_of(name, pairs) for name in schema}
        return sources.add(schema, needs)

    return joined


def _named(on: Any, side: Any) -> list[str]:
    """Return the key columns of a side of a join; raises `NotTold` where a key is computed."""
    import polars as pl

    keys = on if on is not None else side
    names = []
    for key in [keys] if isinstance(keys, (str, pl.Expr)) else list(keys or ()):
        if not isinstance(key, str) and not key.meta.is_column():
            raise NotTold("a key of a join is computed")
        names.append(key if isinstance(key, str) else key.meta.output_name())
    return names


@dataclass
class _Sides:
    """The two sides of a join."""

    left: pl.LazyFrame
    right: pl.LazyFrame
    suffix: str
    both: bool  # whether rows of the right side alone are kept, too
    sources: Sources

    def made_of(self, name: str, keys: Sequence[tuple[str, str]]) -> Needs:
        """Return what a joined column is made of: of a key, both sides."""
        ours, theirs = self.left.collect_schema(), self.right.collect_schema()
        base = name.removesuffix(self.suffix)
        left = {name} & set(ours)
        right = {name} if name in theirs and (self.both or name not in ours) else set()
        if not left and not right and base in theirs:
            right = {base}
        if not left and not right:
            raise NotTold(f"no side of a join has '{name}'")
        for one, other in keys:
            if one in left or other in right:
                left, right = left | {one}, right | {other}
        found = [needed(self.left.select(c), self.sources) for c in left]
        found += [needed(self.right.select(c), self.sources) for c in right]
        return frozenset().union(*found)


def _grouped(group_by: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `group_by` of one group, in which a key is a value like any other."""

    def grouped(frame: pl.LazyFrame, *by: Any, maintain_order: bool = False, **named: Any) -> Any:
        return _Group(frame, group_by, by, named)

    return grouped


class _Group:
    def __init__(
        self,
        frame: pl.LazyFrame,
        group_by: Callable[..., Any],
        by: tuple[Any, ...],
        named: dict[str, Any],
    ) -> None:
        self.frame, self.group_by, self.named = frame, group_by, named
        self.by = [one for given in by for one in ([given] if _is_one(given) else given)]

    def agg(self, *aggregates: Any, **named: Any) -> pl.LazyFrame:
        import polars as pl

        keys = [(pl.col(k) if isinstance(k, str) else k).first() for k in self.by]
        more = [
            (pl.col(k) if isinstance(k, str) else k).first().alias(n) for n, k in self.named.items()
        ]
        given = [one for g in aggregates for one in ([g] if _is_one(g) else g)]
        # Its key is none of the frame's, and is taken away again.
        whole = self.group_by(self.frame, pl.lit(0).alias(_ALL))
        made: pl.LazyFrame = whole.agg(*keys, *more, *given, **named)
        return made.select(pl.exclude(_ALL))

    def len(self, name: str | None = None) -> pl.LazyFrame:
        import polars as pl

        return self.agg(pl.len().alias(name or "len"))

    def __getattr__(self, name: str) -> Any:
        raise NotTold(f"group_by().{name} is not known here")


def _is_one(given: Any) -> bool:
    import polars as pl

    return isinstance(given, (str, pl.Expr))
