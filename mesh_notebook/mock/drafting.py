"""One mock in the making: who needs whom, which rows get which keys, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, UsageError, near
from mesh_notebook.mock.fitted import fitted
from mesh_notebook.mock.following import grouped, later, mapped
from mesh_notebook.mock.hints import Hints, refuse
from mesh_notebook.mock.limits import Limits, limits_of, unique_sets
from mesh_notebook.mock.makers import maker_of
from mesh_notebook.mock.noise import again, cdf, number_of, permuted, ppf, uniforms, unit
from mesh_notebook.mock.texts import Use
from mesh_notebook.mock.values import Maker, picked, zipf_odds
from mesh_notebook.model.address import Address
from mesh_notebook.model.seen import as_seen

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.shape import Shape
    from mesh_notebook.mock.noise import Floats, Integers
    from mesh_notebook.model.contract import Column, Contract

__all__ = ["Draft", "drawn_by", "identity", "normal"]

# How many keys an upstream is taken to have if nobody says: a round number, and not
# a share of the rows, so that a longer mock begins with the rows of a shorter one.
POPULATION = 1_000
NULLS = 0.02
_MOST_CELLS = 1 << 31


def identity(contract: Contract, column: Column) -> str:
    """Return the URN of what a column means: its link, else its own place."""
    return normal(column.link or f"{contract.id}#{column.name}")


def normal(urn: str) -> str:
    """Drop the major version that a contract's id ends with."""
    if not urn.startswith("urn:dmesh:"):
        return urn
    _, _, column = urn.partition("#")
    try:
        return f"{Address.parse(urn)}#{column}"
    except UsageError:
        return urn


def drawn_by(contract: Contract, rows: int, populations: Mapping[str, int]) -> Contract:
    """Return the contract that rows are drawn by: as was seen, if that leaves room for so many.

    Their keys and unique values all differ.
    """
    seen = as_seen(contract)
    if seen is contract or not unique_sets(seen):
        return seen
    try:
        Draft(seen, rows, 0, populations).numbered()
    except ContractError:
        return contract
    return seen


@dataclass
class Draft:
    """One frame in the making; a `shape` says how its columns' values are to lie, where it does."""

    contract: Contract
    rows: int
    seed: int
    populations: Mapping[str, int]
    shape: Shape = field(default_factory=dict)
    made: dict[str, pl.Series] = field(default_factory=dict)
    index: dict[str, Integers] = field(default_factory=dict)
    limits: dict[str, Limits] = field(default_factory=dict)
    hints: dict[str, Hints] = field(default_factory=dict)
    makers: dict[str, Maker] = field(default_factory=dict)
    uses: dict[str, Use] = field(default_factory=dict)

    def frame(self) -> pl.DataFrame:
        import polars as pl

        self.numbered()
        for column in _in_order(self.contract, self.hints):
            self.made[column.name] = self._column(column)
        return pl.DataFrame([self.made[c.name].alias(c.name) for c in self.contract.columns])

    def numbered(self) -> None:
        """Know each column's maker, and number the rows by what may not repeat."""
        for column in self.contract.columns:
            self._prepare(column)
        for names in self._unique:
            self._number(names)

    @cached_property
    def _unique(self) -> list[tuple[str, ...]]:
        return unique_sets(self.contract)

    @cached_property
    def _keyed(self) -> set[str]:
        return {name for names in self._unique for name in names}

    @cached_property
    def _distinct(self) -> set[str]:
        return {names[0] for names in self._unique if len(names) == 1}

    def _prepare(self, column: Column) -> None:
        name = column.name
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            refuse(name, "Polars takes its name for several columns", "give it another name")
        self.limits[name] = limits_of(column, self.rows)
        self.hints[name] = Hints.of(column)
        self.uses[name] = Use(
            identity=identity(self.contract, column),
            keyed=bool(column.link) or name in self._keyed,
            distinct=name in self._distinct,
        )
        own = maker_of(self.limits[name], self.hints[name], self.uses[name])
        # Keys stay those of the contract, so that they join.
        told = {} if self.uses[name].keyed else self.shape.get(name, {})
        self.makers[name] = fitted(own, self.limits[name], self.uses[name], told)

    # ---- keys -------------------------------------------------------------------------------

    def _number(self, names: tuple[str, ...]) -> None:
        """Number the rows, one number a column, so that the columns together never repeat."""
        import numpy as np

        for name in names:
            self.contract.column(name)
            if name in self.index:
                refuse(
                    name,
                    "two rules on what may not repeat share it",
                    "leave out the rule that follows from the other",
                )
            if self.hints[name].needs and not self.hints[name].trait:
                refuse(name, "its values may not repeat, yet a hint ties them", "drop the hint")
        room = [self._room(name) for name in names]
        if prod(room) < self.rows:
            self._too_few(names, prod(room))
        if len(names) == 1:
            self.index[names[0]] = np.arange(self.rows)
            return
        cells = _cells(room)
        left = permuted(np.arange(self.rows), prod(cells), number_of(self.contract.id, *names))
        for name, size in zip(names, cells, strict=True):
            self.index[name] = left % size
            left = left // size

    def _room(self, name: str) -> int:
        capacity = self.makers[name].capacity
        if self.contract.column(name).link:
            return min(capacity, self._population(name, most=capacity))
        return capacity

    def _population(self, name: str, most: int) -> int:
        """Return how many keys the upstream of a linked column has."""
        count = self.populations.get(self.uses[name].identity)
        if count is None:
            count = max(POPULATION, self.rows) if self.uses[name].distinct else POPULATION
        if count < 1:
            refuse(name, f"its upstream has {count} keys", "mock the upstream with more rows")
        return min(count, most)

    def _too_few(self, names: tuple[str, ...], room: int) -> None:
        several = len(names) > 1
        raise ContractError(
            f"{self.rows:,} rows need as many different values of {', '.join(names)}, "
            f"and the contract leaves room for {room:,}.",
            next_step=(
                f"ask for at most {room:,} rows, or widen the limits "
                f"{'of one of them' if several else 'of the column'}; for a linked column, "
                "mock its upstream with more rows"
            ),
            column=names[0],
            room=room,
        )

    # ---- one column -------------------------------------------------------------------------

    def _uniforms(self, name: str, use: str) -> Floats:
        return uniforms(self.seed, self.rows, self.contract.id.rsplit(":", 1)[0], name, use)

    def _column(self, column: Column) -> pl.Series:
        name, hints = column.name, self.hints[column.name]
        if name in self.index:
            values = self.makers[name].nth(self.index[name])
            return self._nulled(values, column, None)
        draws = self._leaned(name, self._uniforms(name, "values"))
        missing = None
        if source := hints.text("from"):
            values, missing = self._followed(name, source, draws), self.made[source].is_null()
        elif before := hints.text("after"):
            values, missing = self._later(name, before, draws), self.made[before].is_null()
        elif column.link and not hints.weighted():
            values = self._linked(name, draws)
        else:
            values = self.makers[name].draw(draws)
        return self._nulled(values, column, missing)

    def _leaned(self, name: str, draws: Floats) -> Floats:
        """Lean the draws on a trait of the key's owner: a Gaussian copula across products."""
        import numpy as np

        trait = self.hints[name].trait
        if trait is None:
            return draws
        if trait.of not in self.index:
            refuse(
                name, f"'{trait.of}' holds no keys to have traits", "name a key or linked column"
            )
        owner = self.index[trait.of]
        salt = number_of(self.uses[trait.of].identity, "trait", trait.name)
        own = np.where(owner < 0, again(draws, "nobody"), unit(owner, salt))
        rest = (1 - trait.strength**2) ** 0.5
        return cdf(trait.strength * ppf(own) + rest * ppf(draws))

    def _linked(self, name: str, draws: Floats) -> pl.Series:
        maker = self.makers[name]
        exponent = self.hints[name].number("zipf")
        count = self._population(name, most=maker.capacity)
        odds = zipf_odds(count, 0.9 if exponent is None else exponent)
        self.index[name] = picked(draws, odds)
        return maker.nth(self.index[name])

    def _followed(self, name: str, source: str, draws: Floats) -> pl.Series:
        hints, values = self.hints[name], self.made[source]
        if isinstance(mapping := hints.given.get("values"), dict):
            return mapped(self.limits[name], hints, mapping, values, draws)
        salt = number_of(self.uses[name].identity, "from")
        return self.makers[name].draw(grouped(hints, values, draws, salt))

    def _later(self, name: str, before: str, draws: Floats) -> pl.Series:
        start = self.made[before]
        alone = self.makers[name].draw(draws)
        return later(self.limits[name], self.hints[name].lag, start, alone, again(draws, "lag"))

    # ---- what is missing --------------------------------------------------------------------

    def _nulled(self, values: pl.Series, column: Column, also: pl.Series | None) -> pl.Series:
        import numpy as np
        import polars as pl

        name = column.name
        least, most = self.limits[name].nulls
        share = self.hints[name].number("nulls")
        if share and limits_of(column, 1_000).nulls[1] == 0:
            refuse(name, "it is hinted nulls, yet may not be null", "drop `nulls` or `required`")
        if most == 0:
            return values
        share = self.shape.get(name, {}).get("nulls", share)
        if share is None:
            untouched = name in self.index and not column.link
            quiet = untouched or name == self.contract.event_time or self.uses[name].distinct
            share = 0.0 if quiet else NULLS
        luck = self._uniforms(name, "nulls")
        absent = luck < share
        if also is not None:
            absent |= also.to_numpy()
        if absent.sum() < least:
            absent[np.argsort(luck, kind="stable")[:least]] = True
        absent &= np.cumsum(absent) <= most
        if not absent.any():
            return values
        if name in self.index:
            self.index[name] = np.where(absent, -1, self.index[name])
        gone = pl.Series(absent)
        return pl.select(pl.when(~gone).then(values)).to_series()


def _cells(room: list[int]) -> list[int]:
    """Cut the rooms of a key's columns so that their product stays countable."""
    cells = [min(size, _MOST_CELLS) for size in room]
    while prod(cells) > _MOST_CELLS:
        widest = cells.index(max(cells))
        cells[widest] = -(-cells[widest] // 2)
    return cells


def _in_order(contract: Contract, hints: Mapping[str, Hints]) -> list[Column]:
    """Return the columns, each after those that its hints name."""
    left, done = list(contract.columns), list[Any]()
    known = {column.name for column in left}
    for column in left:
        for name in hints[column.name].needs:
            if name not in known:
                close = near(name, known) or sorted(known)
                refuse(column.name, f"its hint names '{name}'", f"name one of {', '.join(close)}")
    while left:
        names = {column.name for column in left}
        ready = [c for c in left if not names & set(hints[c.name].needs)]
        if not ready:
            circle = ", ".join(column.name for column in left)
            refuse(left[0].name, f"the hints of {circle} go round in a circle", "drop one of them")
        done += ready
        left = [c for c in left if names & set(hints[c.name].needs)]
    return done
