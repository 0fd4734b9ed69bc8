"""What the rows of a source show of its keys: nothing declares them, and a sort may need one.

A set of columns counts as a key where none of them is a float or has a null, no two of the source's
rows are alike in all of them, and that is no accident. It is none where somebody said that they are
a key; where the rows fill all combinations of their values, as one text or day per row does, and a
row per day and shop; and where two rows would almost surely be alike if the values were drawn at
random (the birthday problem): texts and days, which name things, among those at hand, numbers and
times between the least and the greatest. So a measure of a few rows, an amount in cents, or a day
and a shop of five rows are not believed: they may tie in the rows of tomorrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Witness"]

_MOST = 3  # columns of a key that is looked for
# Pairs alike by chance, as expected, from which on it says something that there is none. Columns
# that name things are believed sooner: one draw in twenty would be without.
_PAIRS, _PAIRS_OF_NAMES = 10.0, 3.0


@dataclass(frozen=True, eq=False)
class Witness:
    """The rows of a source, asked only where a step needs to know.

    Attributes
    ----------
    names : mapping
        By the column's name of now, that of the source.
    said : tuple of frozenset
        Columns that somebody said are a key of what is made of the rows: then it is no accident.
    """

    rows: pl.LazyFrame
    names: Mapping[str, str]
    said: tuple[frozenset[str], ...] = ()
    known: dict[frozenset[str], bool] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pl.LazyFrame, said: Iterable[Iterable[str]] = ()) -> Witness:
        """Return the witness of a source whose columns have their own names."""
        names = {name: name for name in rows.collect_schema()}
        return cls(rows, names, tuple(map(frozenset, said)))

    def of_columns(self, kept: Callable[[str], bool]) -> Witness:
        """Return what is left where some columns are gone, or hold other values."""
        return replace(self, names={n: c for n, c in self.names.items() if kept(n)})

    def renamed(self, names: Mapping[str, str]) -> Witness:
        """Return the witness under the new names of columns."""
        return replace(self, names={names.get(n, n): c for n, c in self.names.items()})

    def identify(self, columns: Iterable[str]) -> bool:
        """Return whether no two rows are alike in these columns."""
        asked = [n for n in columns if n in self.names]
        if next(self.keys(asked), None) is not None:
            return True
        own = (self.names[n] for n in asked)
        return self._unique(frozenset(n for n in own if self._may_identify(n)))

    def keys(self, columns: Iterable[str]) -> Iterator[frozenset[str]]:
        """Yield the least sets of some columns that identify a row."""
        given = sorted(n for n in columns if n in self.names)
        found: list[frozenset[str]] = []
        for size in range(1, _MOST + 1):
            for names in map(frozenset, combinations(given, size)):
                if not any(key <= names for key in found) and self._all_identify(names):
                    found.append(names)
                    yield names

    def said_of(self, columns: Iterable[str]) -> Iterator[frozenset[str]]:
        """Yield the keys that were said and that lie in some columns, if no two rows are alike."""
        given = {self.names[n]: n for n in columns if n in self.names}
        for key in self.said:
            names = frozenset(given[column] for column in key if column in given)
            if len(names) == len(key) and self._all_identify(names):
                yield names

    def _all_identify(self, columns: frozenset[str]) -> bool:
        own = [self.names[n] for n in columns]
        return all(map(self._may_identify, own)) and self._unique(frozenset(own))

    def _may_identify(self, column: str) -> bool:
        """Return whether a column's values may name rows: no floats, and none is missing."""
        import polars as pl

        key = frozenset({column, ""})
        if key not in self.known:
            dtype = self.rows.collect_schema()[column]
            plain = not (dtype.is_float() or dtype.is_nested())
            nulls = plain and self.rows.select(pl.col(column).has_nulls()).collect().item()
            self.known[key] = plain and not nulls
        return self.known[key]

    def _unique(self, columns: frozenset[str]) -> bool:
        import polars as pl

        if not columns:
            return False
        if columns not in self.known:
            struct = pl.struct(sorted(columns))
            told = self.rows.select(struct.n_unique().alias("kinds"), pl.len().alias("rows"))
            kinds, rows = told.collect().row(0)
            unique, said = kinds == rows, columns in self.said
            self.known[columns] = unique and (said or self._is_no_accident(columns, rows))
        return self.known[columns]

    def _is_no_accident(self, columns: frozenset[str], rows: int) -> bool:
        """Return whether so many rows would not all differ by chance (see the module)."""
        schema = self.rows.collect_schema()
        names = all(_names_things(schema[name]) for name in columns)
        pairs = _PAIRS_OF_NAMES if names else _PAIRS
        rooms = self.rows.select(_room(name, schema[name]) for name in columns).collect().row(0)
        room = math.prod(max(one or 1, 1) for one in rooms)
        return bool(room <= rows or rows * rows / 2 >= pairs * room)


def _names_things(dtype: pl.DataType) -> bool:
    import polars as pl

    return dtype == pl.Date or not (dtype.is_numeric() or dtype.is_temporal())


def _room(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return how many values a column has room for: of numbers and times, all in between."""
    import polars as pl

    if _names_things(dtype):
        return pl.col(name).n_unique().cast(pl.Float64)
    steps = pl.col(name).to_physical().cast(pl.Float64)
    return steps.max() - steps.min() + 1
