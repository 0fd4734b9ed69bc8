"""The same code without what only chooses rows: what then still has a say in a column is its value.

A filter, a join's keys, a sort and the keys of a group decide which rows there are. Where they are
left out of a plan, a column needs what it is made of, and nothing else. Whatever is not known here
stays as it is, so that what is told is more than the truth perhaps, and never less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.lineage.frames import Needs, Sources, needed

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NotTold", "only_values"]

_ALL = "_mesh_notebook_all"
# Each gives back some of the rows that it is given, or the same ones in another order.
_CHOOSING = (
    *("filter", "remove", "sort", "unique", "drop_nulls", "drop_nans", "top_k", "bottom_k"),
)


class NotTold(Exception):
    """The code cannot be followed without what chooses its rows."""


@contextmanager
def only_values(sources: Sources) -> Iterator[None]:
    """Have Polars' frames leave out what only chooses rows; their columns and types stay."""
    import polars as pl

    def same(frame: pl.LazyFrame, *_: Any, **__: Any) -> pl.LazyFrame:
        return frame

    kept = {name: getattr(pl.LazyFrame, name) for name in (*_CHOOSING, "join", "group_by")}
    changed = {**dict.fromkeys(_CHOOSING, same), "join": _joined(kept["join"], sources)}
    changed["group_by"] = _grouped(kept["group_by"])
    try:
        for name, method in changed.items():
            setattr(pl.LazyFrame, name, method)
        yield
    finally:
        for name, method in kept.items():
            setattr(pl.LazyFrame, name, method)


def _joined(join: Callable[..., pl.LazyFrame], sources: Sources) -> Callable[..., pl.LazyFrame]:
    """Return a join whose columns are made of the sides' columns, whatever its keys are."""

    def joined(
        frame: pl.LazyFrame,
        other: pl.LazyFrame,
        on: Any = None,
        how: str = "inner",
        *,
        suffix: str = "_right",
        **options: Any,
    ) -> pl.LazyFrame:
        if how in ("semi", "anti"):
            return frame
        if how in ("right", "full") and on is None:
            raise NotTold("keys of two names become one column")
        schema = join(frame, other, on, how, suffix=suffix, **options).collect_schema()
        both = how in ("right", "full")
        needs = {name: _either(name, frame, other, suffix, both, sources) for name in schema}
        return sources.add(schema, needs)

    return joined


def _either(
    name: str, left: pl.LazyFrame, right: pl.LazyFrame, suffix: str, both: bool, sources: Sources
) -> Needs:
    """Return what a joined column is made of: the side, or sides, that it may come from."""
    ours, theirs, base = left.collect_schema(), right.collect_schema(), name.removesuffix(suffix)
    found = [needed(left.select(name), sources)] if name in ours else []
    if name in theirs and (both or name not in ours):
        found.append(needed(right.select(name), sources))
    elif base != name and base in theirs and name not in ours:
        found.append(needed(right.select(base), sources))
    if not found:
        raise NotTold(f"no side of a join has '{name}'")
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
