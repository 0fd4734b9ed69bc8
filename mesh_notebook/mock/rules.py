"""Whether one value keeps the rules of its column: for hints, and for values meant to break one.

Whole frames are checked by `mesh.checks`; this looks at single values before rows exist.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mesh_notebook.mock.limits import bounds
from mesh_notebook.model.rule import arguments_of

if TYPE_CHECKING:
    from mesh_notebook.mock.limits import Limits
    from mesh_notebook.model.contract import Rule

__all__ = ["holds", "keeps", "matches"]


def matches(pattern: str, text: str) -> bool:
    """Say whether a regular expression is found in a text: by Python, else by Polars (`\\p{L}`)."""
    import polars as pl

    try:
        return re.search(pattern, text) is not None
    except re.error:
        return bool(pl.Series([text]).str.contains(pattern, strict=False)[0])


def keeps(limits: Limits, value: Any) -> bool:
    """Say whether a value keeps every limit of its column."""
    if not isinstance(value, Hashable) or value in limits.markers:
        return False
    if limits.values is not None and not any(_same(limits, value, v) for v in limits.values):
        return False
    if isinstance(value, str) and not _length_fits(limits, value):
        return False
    if any(not _on_side(limits, value, edge, +1, ex) for edge, ex in limits.low):
        return False
    if any(not _on_side(limits, value, edge, -1, ex) for edge, ex in limits.high):
        return False
    if limits.step is not None and _number(limits, value) % _number(limits, limits.step) != 0:
        return False
    return all(matches(p, str(value)) for p in limits.patterns)


def _length_fits(limits: Limits, value: str) -> bool:
    most = limits.most_length
    return limits.least_length <= len(value) and (most is None or len(value) <= most)


def holds(limits: Limits, rule: Rule, value: Any) -> bool:
    """Say whether one value keeps one rule; rules about several rows count as kept."""
    given = rule.value
    match rule.kind:
        case "required":
            return value is not None
        case "nullValues":
            return value is not None or bounds(given, 1_000_000)[1] >= 1_000_000
        case "missingValues":
            markers = arguments_of(given).get("missingValues") or []
            return value is not None and value not in markers
    if value is None:
        return True
    match rule.kind:
        case "enum":
            return any(_same(limits, value, v) for v in given)
        case "invalidValues":
            return _valid(limits, arguments_of(given), value)
        case "minimum" | "exclusiveMinimum":
            return _on_side(limits, value, given, +1, rule.kind != "minimum")
        case "maximum" | "exclusiveMaximum":
            return _on_side(limits, value, given, -1, rule.kind != "maximum")
        case "minLength":
            return bool(len(value) >= given)
        case "maxLength":
            return bool(len(value) <= given)
        case "pattern":
            return matches(given, str(value))
        case "multipleOf":
            return bool(_number(limits, value) % _number(limits, given) == 0)
    return True


def _valid(limits: Limits, arguments: dict[str, Any], value: Any) -> bool:
    allowed, pattern = arguments.get("validValues"), arguments.get("pattern")
    if allowed is not None and not any(_same(limits, value, v) for v in allowed):
        return False
    return pattern is None or matches(pattern, str(value))


def _same(limits: Limits, value: Any, allowed: Any) -> bool:
    if isinstance(value, (date, datetime)):
        return _number(limits, value) == _number(limits, allowed)
    return bool(value == allowed) or (
        isinstance(value, Decimal)
        and str(allowed).replace(".", "").isdigit()
        and value == Decimal(str(allowed))
    )


def _on_side(limits: Limits, value: Any, edge: Any, side: int, exclusive: bool) -> bool:
    distance = (_number(limits, value) - _number(limits, edge)) * side
    return bool(distance > 0 if exclusive else distance >= 0)


def _number(limits: Limits, value: Any) -> Decimal:
    """Return a number, or the seconds of a time, exactly."""
    if isinstance(value, (int, float, Decimal)):
        return Decimal(str(int(value) if isinstance(value, bool) else value))
    if isinstance(value, str) and limits.column.logical_type in ("integer", "number"):
        return Decimal(value)
    from mesh_notebook.mock.numbers import instant_seconds

    return Decimal(str(instant_seconds(limits, value)))
