"""What a contract may say about how its mock looks: the custom property `mock` of a column.

A mapping of hints. None is needed; a column without any is made from its type, its limits,
its format, its name and its meaning.

=================  ==================================================================
hint               the column's values
=================  ==================================================================
``faker``          come from this method of Faker (`first_name`, `city`, …)
``locale``         of Faker, `en_US` unless given
``pattern``        match this regular expression
``values``         are these, each as likely as its place in the list is early
``weights``        are these with these odds: `{DE: 3, FR: 1}`, or a list of odds in the
                   order of the allowed values
``zipf``           are taken in proportion to 1 / rank ** zipf (keys of another product,
                   values of a pool); 0 takes all alike
``choices``        are only so many different ones
``between``        lie between these two (numbers, dates, instants), both included
``distribution``   are `normal`, `lognormal`, `exponential` or `uniform`, with ``mean`` (of the
                   values themselves) and ``sigma`` (standard deviation; of the logarithm
                   for `lognormal`); always cut to the column's limits
``decimals``       have so many digits after the point
``hours``          fall on the 24 hours of the day (UTC) with these odds
``weekdays``       fall on the 7 days, Monday first, with these odds
``after``          come after that column, by ``lag``: a duration (`2h`), or a mapping with
                   `distribution`, `mean` and `sigma`, the times as durations
``from``           follow from that column: equal there, equal here. With ``choices``, each
                   value there has so many of its own here; with ``values`` a mapping says
                   which: `{news: [Morning Brief, The Long Count], crime: Cold Harbour}`
``trait``          lean on a lasting trait of whom a key means: `{of: user_id, name: age,
                   strength: 0.8}`. Every column that names the same trait of the same key,
                   in any product, leans the same way, which is how columns of two
                   products correlate. Strength runs from -1 to 1.
``nulls``          are missing in this share of the rows (0 to 1)
=================  ==================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from mesh_notebook.errors import ContractError, MeshError, near
from mesh_notebook.model.time import duration

if TYPE_CHECKING:
    from mesh_notebook.model.contract import Column

__all__ = ["DISTRIBUTIONS", "HINTS", "LONGEST", "Hints", "Lag", "Trait", "refuse", "refuse_long"]

HINTS = (
    "faker",
    "locale",
    "pattern",
    "values",
    "weights",
    "zipf",
    "choices",
    "between",
    "distribution",
    "mean",
    "sigma",
    "decimals",
    "hours",
    "weekdays",
    "after",
    "lag",
    "from",
    "trait",
    "nulls",
)
DISTRIBUTIONS = ("normal", "lognormal", "exponential", "uniform")
LONGEST = 20_000  # characters of a text, or values of a list
_DAY = 86_400.0
_MOST_ODDS = 1e300  # so that they add up


def refuse(column: str, reason: str, next_step: str) -> NoReturn:
    """Raise the error that a column cannot be mocked."""
    raise ContractError(
        f"column '{column}' cannot be mocked: {reason}.", next_step=next_step, column=column
    )


def refuse_long(column: str, what: str, least: int, wherefore: str) -> None:
    """Refuse values that are longer than any that a mock makes."""
    if least > LONGEST:
        refuse(
            column,
            f"no {what} of {least:,} or more is made, {LONGEST:,} is the most",
            f"lower {wherefore}, or give the column a mock hint: `values`",
        )


@dataclass(frozen=True)
class Lag:
    """A time between two columns, in seconds."""

    distribution: str | None
    mean: float
    sigma: float = 0.5


@dataclass(frozen=True)
class Trait:
    """A lasting trait of whom a key means, and how much a column leans on it."""

    of: str
    name: str
    strength: float


@dataclass(frozen=True)
class Hints:
    """The hints of one column, read and checked."""

    column: str
    given: Mapping[str, Any]

    @classmethod
    def of(cls, column: Column) -> Hints:
        """Read a column's hints; raises `ContractError` naming the known ones."""
        hints = cls(column.name, column.hints)
        hints._known(column.hints, HINTS, "hint")
        for name in ("zipf", "mean", "sigma", "nulls"):
            hints.number(name)
        if not 0 <= (hints.number("nulls") or 0) <= 1:
            hints._wrong("nulls", "a share between 0 and 1")
        if (hints.number("zipf") or 0) < 0:
            hints._wrong("zipf", "an exponent of 0 or more")
        _ = hints.distribution, hints.lag, hints.trait, hints.choices, hints.decimals
        _ = hints.odds("hours", 24), hints.odds("weekdays", 7), hints.between
        return hints

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def _known(self, names: Iterable[str], known: tuple[str, ...], what: str) -> None:
        for name in names:
            if name not in known:
                close = near(str(name), known)
                lead = f"did you mean {close[0]}? " if close else ""
                refuse(
                    self.column, f"it has no {what} '{name}'", f"{lead}known: {', '.join(known)}"
                )

    def _wrong(self, name: str, wanted: str) -> NoReturn:
        refuse(self.column, f"its hint {name} is {self.given.get(name)!r}", f"make {name} {wanted}")

    def number(self, name: str) -> float | None:
        value = self.given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._wrong(name, "a number")
        return float(value)

    def text(self, name: str) -> str | None:
        value = self.given.get(name)
        if value is not None and not isinstance(value, str):
            self._wrong(name, "a word")
        return value

    def _count(self, name: str, least: int) -> int | None:
        value = self.given.get(name)
        if value is not None and (type(value) is not int or value < least):
            self._wrong(name, f"a whole number from {least} up")
        return value

    @property
    def choices(self) -> int | None:
        return self._count("choices", 1)

    @property
    def decimals(self) -> int | None:
        return self._count("decimals", 0)

    @property
    def between(self) -> tuple[Any, Any] | None:
        value = self.given.get("between")
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            self._wrong("between", "a list of two: [low, high]")
        return value[0], value[1]

    @property
    def distribution(self) -> str | None:
        name = self.text("distribution")
        self._known([name] if name else [], DISTRIBUTIONS, "distribution")
        return name

    def odds(self, name: str, count: int) -> list[float] | None:
        """Return a list of odds of that length."""
        value = self.given.get(name)
        if value is None:
            return None
        good = isinstance(value, list) and len(value) == count and _are_odds(value)
        if not good:
            self._wrong(name, f"a list of {count} odds from 0 to 1e300, not all 0")
        return [float(odd) for odd in value]

    def weighted(self) -> dict[Any, float] | None:
        """Return the values and their odds where `weights` is a mapping."""
        value = self.given.get("weights")
        if not isinstance(value, dict):
            return None
        if not _are_odds(list(value.values())):
            self._wrong("weights", "odds from 0 to 1e300, not all 0")
        return {key: float(odd) for key, odd in value.items()}

    @property
    def lag(self) -> Lag:
        given = self.given.get("lag", {"distribution": "exponential", "mean": "1d"})
        if not isinstance(given, dict):
            return Lag(None, self._seconds(given))
        self._known(given, ("distribution", "mean", "sigma"), "part of lag")
        name = given.get("distribution", "exponential")
        self._known([name], DISTRIBUTIONS, "distribution")
        sigma = given.get("sigma", 0.5)
        sigma = sigma if isinstance(sigma, (int, float)) else self._seconds(sigma)
        return Lag(name, self._seconds(given.get("mean", _DAY)), float(sigma))

    def _seconds(self, value: object) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        try:
            return duration(str(value))
        except MeshError as error:
            refuse(self.column, f"its lag {value!r} is no duration", error.next_step)

    @property
    def trait(self) -> Trait | None:
        given = self.given.get("trait")
        if given is None:
            return None
        if not isinstance(given, dict) or "of" not in given:
            self._wrong("trait", "a mapping with of, name and strength")
        self._known(given, ("of", "name", "strength"), "part of trait")
        strength = given.get("strength", 0.7)
        if not isinstance(strength, (int, float)) or not -1 <= strength <= 1:
            self._wrong("trait", "of a strength from -1 to 1")
        return Trait(str(given["of"]), str(given.get("name", "self")), float(strength))

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that must stand before this one is made."""
        trait = self.trait
        found = (self.text("from"), self.text("after"), trait.of if trait else None)
        return tuple(name for name in found if name)


def _are_odds(values: list[Any]) -> bool:
    plain = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    return plain and all(0 <= v <= _MOST_ODDS for v in values) and sum(values) > 0
