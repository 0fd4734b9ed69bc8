"""What a contract demands of one column, gathered from wherever it says so."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.dtypes import column_dtype
from mesh_notebook.mock.hints import refuse
from mesh_notebook.model.rule import arguments_of, quality_of
from mesh_notebook.model.types import stored_as

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Column, Contract

__all__ = ["MOST_ROWS", "Limits", "bounds", "countable", "limits_of", "metrics", "unique_sets"]

MOST_ROWS = 100_000_000  # a mock stands in memory, whole


@dataclass(frozen=True)
class Limits:
    """The demands on one column.

    Attributes
    ----------
    low, high : tuple of (limit, exclusive) pairs
        Every lower and upper limit, as the contract writes them.
    patterns : tuple of str
        Regular expressions, searched for.
    nulls : tuple of int
        The least and the most nulls allowed among the rows asked for.
    format : str
        What a text is, as JSON Schema names it (`uuid`, `date-time`); or `local-time`.
    """

    column: Column
    dtype: pl.DataType
    low: tuple[tuple[Any, bool], ...]
    high: tuple[tuple[Any, bool], ...]
    step: Any
    least_length: int
    most_length: int | None
    patterns: tuple[str, ...]
    values: tuple[Any, ...] | None
    markers: frozenset[Any]
    nulls: tuple[int, int]
    format: str = ""

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def is_clock(self) -> bool:
        """Whether it is a time of day, which a port stores as a text."""
        return self.format == "local-time" or self.column.logical_type == "time"


def countable(rows: int) -> None:
    """Refuse a number of rows that no mock can have, before anything is made."""
    if rows < 0:
        raise UsageError(f"a mock of {rows} rows cannot be.", next_step="ask for 0 rows or more")
    if rows > MOST_ROWS:
        raise UsageError(
            f"a mock of {rows:,} rows is too tall: it stands in memory.",
            next_step=f"ask for at most {MOST_ROWS:,} rows",
            most=MOST_ROWS,
        )


def metrics(column: Column, name: str) -> Iterator[dict[str, Any]]:
    """Return the column's quality rules of one metric."""
    for quality in quality_of(column.raw):
        if quality.get("metric") == name:
            yield quality


def limits_of(column: Column, rows: int, dtype: pl.DataType | None = None) -> Limits:
    """Gather a column's demands, for a frame of `rows` rows; its type, where it is known already.

    Raises
    ------
    ContractError
        No text is as long as the least and as short as the most length.
    """
    options = column.options
    lengths = [options["maxLength"]] if "maxLength" in options else []
    stored = stored_as(column)
    lengths += [] if stored.length is None else [stored.length]
    least, most = int(options.get("minLength", 0)), min(lengths, default=None)
    if most is not None and least > most:
        refuse(
            column.name,
            f"no text is at least {least} and at most {most} characters long",
            "widen its minLength and maxLength (or its VARCHAR)",
        )
    invalid = [arguments_of(quality) for quality in metrics(column, "invalidValues")]
    sets = [a["validValues"] for a in invalid if "validValues" in a]
    patterns = [options["pattern"]] if "pattern" in options else []
    patterns += [a["pattern"] for a in invalid if "pattern" in a]
    return Limits(
        column=column,
        dtype=column_dtype(column) if dtype is None else dtype,
        low=_pairs(options, "minimum", "exclusiveMinimum"),
        high=_pairs(options, "maximum", "exclusiveMaximum"),
        step=options.get("multipleOf"),
        least_length=least,
        most_length=most,
        patterns=tuple(dict.fromkeys(patterns)),
        values=_common(sets) if sets else None,
        markers=frozenset(m for m in _markers(column) if m is not None),
        nulls=_nulls(column, rows),
        format=str(options.get("format") or stored.format),
    )


def _pairs(options: dict[str, Any], closed: str, open_: str) -> tuple[tuple[Any, bool], ...]:
    return tuple((options[k], k == open_) for k in (closed, open_) if k in options)


def _common(sets: list[list[Any]]) -> tuple[Any, ...]:
    return tuple(v for v in dict.fromkeys(sets[0]) if all(v in other for other in sets[1:]))


def _markers(column: Column) -> list[Any]:
    """Return what the column's `missingValues` rules count as missing."""
    found: list[Any] = []
    for quality in metrics(column, "missingValues"):
        found += arguments_of(quality).get("missingValues", [])
    return found


def _nulls(column: Column, rows: int) -> tuple[int, int]:
    """Return the least and the most nulls that the rules on nulls allow."""
    if column.required:
        return 0, 0
    least, most = 0, rows
    for metric in ("nullValues", "missingValues"):
        for quality in metrics(column, metric):
            low, high = bounds(quality, rows)
            least, most = max(least, low), min(most, high)
    return least, max(least, most)


def bounds(quality: dict[str, Any], rows: int) -> tuple[int, int]:
    """Return the counts between which an ODCS comparison holds, out of `rows`.

    With `unit: percent` the limits are shares of the rows.
    """
    scale = rows / 100 if quality.get("unit") == "percent" else 1.0
    low, high = 0, rows
    for operator, value in quality.items():
        if operator.startswith("must") and not _counts(value):
            continue  # a demand that no number of rows keeps or breaks: the check says so
        match operator:
            case "mustBe":
                low = high = round(value * scale)
            case "mustBeGreaterThan":
                low = math.floor(value * scale + 1e-9) + 1
            case "mustBeGreaterOrEqualTo":
                low = math.ceil(value * scale - 1e-9)
            case "mustBeLessThan":
                high = math.ceil(value * scale - 1e-9) - 1
            case "mustBeLessOrEqualTo":
                high = math.floor(value * scale + 1e-9)
            case "mustBeBetween":
                low = math.ceil(value[0] * scale - 1e-9)
                high = math.floor(value[1] * scale + 1e-9)
    return max(low, 0), high


def _counts(value: Any) -> bool:
    numbers = value if isinstance(value, list) else [value]
    return all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)


def unique_sets(contract: Contract) -> list[tuple[str, ...]]:
    """Return the sets of columns whose values together never repeat; none holds another."""
    found = [contract.key] if contract.key else []
    for column in contract.columns:
        repeats = any(bounds(q, 1_000)[1] < 1 for q in metrics(column, "duplicateValues"))
        if column.unique or repeats:
            found.append((column.name,))
    for quality in quality_of(contract.table):
        if quality.get("metric") == "duplicateValues" and bounds(quality, 1_000)[1] < 1:
            found.append(tuple(arguments_of(quality).get("properties") or ()))
    smallest_first = sorted((s for s in dict.fromkeys(found) if s), key=len)
    single: dict[str, None] = {}  # a wide frame may have thousands, so they are not gone through
    several: list[tuple[str, ...]] = []
    for names in smallest_first:
        if len(names) == 1:
            single[names[0]] = None
        elif single.keys().isdisjoint(names) and not any(set(s) <= set(names) for s in several):
            several.append(names)
    return [*((name,) for name in single), *several]
