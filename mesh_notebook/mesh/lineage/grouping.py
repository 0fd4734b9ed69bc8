"""Whether a function does no more to an input than to add up groups of its rows.

Then every row that it gives stands for the rows of one group, each counted once, and how many
there are can be counted. What is not known to be so is not so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.lineage.frames import Sources, needed, unoptimised

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Groups", "recorded"]

# What a plan may say, line by line: nothing that makes more rows of one, or meets other rows.
_NODES = (
    *("SELECT [", "SORT BY", "FILTER ", "FROM", "AGGREGATE[", "WITH_COLUMNS:", "PYTHON SCAN"),
    *("PROJECT ", "simple ", "["),
)
# What may be done to a row's values before they are added up: no value of another row is in it.
_ROWWISE = re.compile(
    r"(alias|cast|strict_cast|is_null|is_not_null|fill_null|abs|round|(str|dt)\.\w+)"
)
_METHODS = re.compile(r"\.([a-z_]+(?:\.[a-z_]+)*)\(")
_ADDS_UP = re.compile(
    r'(len\(\)|col\("[^"]*"\)\.(sum|mean|count|len|n_unique|null_count|std|var)\(\))'
    r'(\.alias\("[^"]*"\))?'
)


class Groups:
    """What `group_by` was asked for in one run."""

    def __init__(self) -> None:
        self.asked: list[tuple[pl.LazyFrame, list[Any], list[Any]]] = []

    def of(self, result: pl.LazyFrame, sources: Sources) -> dict[str, Any] | None:
        """Return the input, and the columns that keys are made of; None where it does more."""
        if len(self.asked) != 1:
            return None
        frame, by, aggregates = self.asked[0]
        keys = [one if isinstance(one, str) else one.meta.output_name() for one in by]
        plain = all(isinstance(one, str) or one.meta.is_column() for one in by)
        if not plain or not all(_ADDS_UP.fullmatch(str(one)) for one in aggregates):
            return None
        if not (_is_straight(result) and _is_rowwise(frame)):
            return None
        needs = needed(frame.select(keys), sources)
        inputs = {name for name, _ in needs}
        if len(inputs) != 1:
            return None
        return {"input": inputs.pop(), "keyed": sorted(column for _, column in needs)}


def _is_straight(result: pl.LazyFrame) -> bool:
    text = result.explain(optimizations=unoptimised())
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    once = text.count("PYTHON SCAN") == 1 and text.count("AGGREGATE[") == 1
    return once and all(line.startswith(_NODES) for line in lines)


def _is_rowwise(frame: pl.LazyFrame) -> bool:
    text = frame.explain(optimizations=unoptimised())
    return all(_ROWWISE.fullmatch(method) for method in _METHODS.findall(text))


@contextmanager
def recorded(groups: Groups) -> Iterator[None]:
    """Have `group_by` keep what it is asked for."""
    import polars as pl

    kept = pl.LazyFrame.group_by

    def group_by(frame: pl.LazyFrame, *by: Any, maintain_order: bool = False, **named: Any) -> Any:
        return _Group(frame, kept, [*_flat(by), *_named(named)], groups)

    try:
        pl.LazyFrame.group_by = group_by  # type: ignore[method-assign,assignment]
        yield
    finally:
        pl.LazyFrame.group_by = kept  # type: ignore[method-assign]


class _Group:
    def __init__(
        self, frame: pl.LazyFrame, kept: Callable[..., Any], by: list[Any], groups: Groups
    ) -> None:
        self.frame, self.kept, self.by, self.groups = frame, kept, by, groups

    def agg(self, *aggregates: Any, **named: Any) -> pl.LazyFrame:
        made = [*_flat(aggregates), *_named(named)]
        self.groups.asked.append((self.frame, self.by, made))
        grouped: pl.LazyFrame = self.kept(self.frame, *self.by).agg(*made)
        return grouped

    def len(self, name: str | None = None) -> pl.LazyFrame:
        import polars as pl

        return self.agg(pl.len().alias(name or "len"))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"group_by().{name} is not known here")


def _flat(given: tuple[Any, ...]) -> list[Any]:
    import polars as pl

    return [one for g in given for one in ([g] if isinstance(g, (str, pl.Expr)) else g)]


def _named(given: dict[str, Any]) -> list[Any]:
    import polars as pl

    return [(pl.col(e) if isinstance(e, str) else e).alias(n) for n, e in given.items()]
