"""Figures in words: numbers, instants, shares, and the statistical shape of a column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "NOT_MEASURED",
    "NOT_TOLD",
    "figure",
    "gaps",
    "range_and_gaps",
    "shape_in_words",
    "share_in_words",
    "top_in_words",
]

NOT_MEASURED = "not measured"
NOT_TOLD = "not told"
_TOP = 3
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}")


def shape_in_words(shape: Mapping[str, Any]) -> str:
    """Return a column's shape in one line: where its values lie, or which are the most frequent."""
    if not shape:
        return NOT_MEASURED
    parts = [_range(shape), top_in_words(shape), gaps(shape)]
    return "; ".join(part for part in parts if part)


def range_and_gaps(shape: Mapping[str, Any]) -> str:
    """Return the shape of numbers in one line, less what a picture of it says."""
    return "; ".join(part for part in (_range(shape), gaps(shape)) if part)


def _range(shape: Mapping[str, Any]) -> str:
    if shape.get("min") is None or shape.get("max") is None:
        return ""
    quantiles: Sequence[Any] = shape.get("quantiles") or ()
    middle = f", median {figure(quantiles[2])}" if len(quantiles) == 5 else ""
    return f"{figure(shape['min'])} to {figure(shape['max'])}{middle}"


def top_in_words(shape: Mapping[str, Any]) -> str:
    top = shape.get("top") or ()
    return ", ".join(f"{value} {share:.0%}" for value, share in top[:_TOP])


def gaps(shape: Mapping[str, Any]) -> str:
    """Return how many values there are, and how many are missing."""
    distinct, nulls = shape.get("distinct"), shape.get("nulls")
    said = [] if distinct is None else [f"{distinct:,} distinct"]
    if nulls:
        said.append(f"{share_in_words(nulls)} null")
    return ", ".join(said)


def share_in_words(share: float) -> str:
    """Return a share in percent; what is more than nothing never reads as nothing."""
    return "< 0.1 %" if 0 < share < 0.001 else f"{100 * share:.3g} %"


def figure(value: Any) -> str:
    """Return a number to four digits, an instant to the second; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        text = str(value)
        if not _INSTANT.match(text):
            return text
        return text[:19].replace("T", " ").removesuffix(" 00:00:00")
    if isinstance(value, int) or (abs(value) < 1e15 and value == int(value)):
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e15 else f"{value:.4g}"
