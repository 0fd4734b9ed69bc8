"""Values that break one rule of their column and keep the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mesh_notebook.mock.hints import Hints
from mesh_notebook.mock.limits import limits_of
from mesh_notebook.mock.makers import maker_of
from mesh_notebook.mock.noise import uniforms
from mesh_notebook.mock.rules import holds
from mesh_notebook.mock.shapes import shaped_by
from mesh_notebook.mock.texts import Use
from mesh_notebook.model.rule import arguments_of

if TYPE_CHECKING:
    from mesh_notebook.mock.limits import Limits
    from mesh_notebook.model.contract import Contract, Rule

__all__ = ["offending"]


def offending(contract: Contract, rule: Rule, most: int = 8) -> list[Any]:
    """Return a few values that break this rule alone; empty where there are none."""
    column = contract.column(rule.column or "")
    limits = limits_of(column, 1_000_000)
    use = Use(column.name, keyed=False, distinct=False)
    legal = maker_of(limits, Hints.of(column), use).draw(uniforms(0, 20, "legal")).to_list()
    others = [r for r in column.rules() if r != rule and r.kind not in ("type", "unique")]
    found: dict[Any, None] = {}
    for value in _tried(limits, rule, legal):
        if not _typed(limits, value) or holds(limits, rule, value):
            continue
        if all(holds(limits, other, value) for other in others) and _short_enough(limits, value):
            found[value] = None
        if len(found) == most:
            break
    return list(found)


def _short_enough(limits: Limits, value: Any) -> bool:
    declared = "maxLength" in limits.column.options
    return declared or limits.most_length is None or len(str(value)) <= limits.most_length


def _tried(limits: Limits, rule: Rule, legal: list[Any]) -> Iterator[Any]:
    if rule.kind == "missingValues":
        yield from arguments_of(rule.value).get("missingValues") or []
        return
    edges = _edges(limits)
    for value in [*edges, *legal]:
        if isinstance(value, bool):
            yield not value
        elif isinstance(value, str):
            yield from _texts(limits, value)
        elif isinstance(value, (int, float, Decimal)):
            yield from _numbers(limits, value)
        elif isinstance(value, (date, datetime)):
            yield from _times(value)
    for pattern in limits.patterns:  # values of the pattern that the enumeration leaves out
        length = limits.least_length, limits.most_length
        yield from shaped_by(pattern, limits.name, *length, 7).draw(uniforms(1, 50, "others"))


def _edges(limits: Limits) -> list[Any]:
    """Return the limits themselves, as values of the column's type."""
    import polars as pl

    from mesh_notebook.mock.numbers import instant_seconds

    found: list[Any] = []
    for edge, _ in limits.low + limits.high:
        if limits.dtype.is_temporal():
            moment = datetime(1970, 1, 1) + timedelta(seconds=instant_seconds(limits, edge))
            found.append(moment.date() if isinstance(limits.dtype, pl.Date) else moment)
        elif isinstance(limits.dtype, pl.Decimal):
            found.append(Decimal(str(edge)))
        elif limits.dtype.is_numeric():
            found.append(edge)
    return found


def _texts(limits: Limits, text: str) -> Iterator[str]:
    most = limits.most_length
    yield f"{text}~"
    yield f"not {text}"
    yield f"~{text[1:]}"
    yield text[:-1] + "~"
    yield "~" * len(text)
    yield "x" * len(text)
    yield text.swapcase()
    yield text[::-1]
    if limits.least_length:
        yield text[: limits.least_length - 1]
    if most is not None:
        yield text.ljust(most + 1, text[-1] if text else "x")
        yield text.ljust(most + 1, "~")


def _numbers(limits: Limits, value: Any) -> Iterator[Any]:
    kind = Decimal if isinstance(value, Decimal) else type(value)
    step = limits.step if limits.step is not None else 1
    for distance in (0, step, 1, Decimal("0.5"), Decimal("0.01"), 10, 1_000, 10**6):
        for sign in (-1, 1):
            moved = Decimal(str(value)) + sign * Decimal(str(distance))
            yield kind(moved) if kind is not int or moved == moved.to_integral_value() else value


def _times(value: Any) -> Iterator[Any]:
    yield value
    for days in (1, 400, 36_525):
        for sign in (-1, 1):
            try:
                yield value + sign * timedelta(days=days)
            except OverflowError:
                continue
    if isinstance(value, datetime):
        yield value + timedelta(seconds=1)
        yield value - timedelta(seconds=1)


def _typed(limits: Limits, value: Any) -> bool:
    """Say whether the column's type holds the value exactly."""
    import polars as pl

    try:
        there = pl.Series([value], dtype=limits.dtype, strict=True).to_list()[0]
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        return False
    if isinstance(limits.dtype, pl.Decimal):
        digits = (limits.dtype.precision or 38) - limits.dtype.scale
        return bool(there == value) and (value is None or abs(value) < Decimal(10) ** digits)
    return isinstance(value, datetime) or bool(there == value)
