"""Tiny pictures of a column's statistical shape: SVG of our own, and block characters.

A shape tells five quantiles, the least and the greatest value, so that is all a picture shows:
within two neighbouring quantiles the values are drawn as if they lay evenly.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import pairwise
from typing import Any

from mesh_notebook.workspace.discovery.figures import figure, share_in_words

__all__ = ["bars_in_words", "density", "picture"]

_WIDTH, _HEIGHT, _ROW = 168, 30, 15
_SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_BLOCKS = "▁▂▃▄▅▆▇█"
_BLOCKS_WIDE = 12
_BARS = 42
_MOST = 4
_LABEL = 20
# How far a picture goes past the 5 % and 95 % quantiles, in their distance: one value far out
# would else press all others into one bar.
_PAST = 0.5


def density(shape: Mapping[str, Any], bins: int) -> tuple[list[float], float, float] | None:
    """Return the share of values in each of `bins` equal bins, and where the first and last end.

    None where the shape tells no quantiles of numbers, dates or instants.
    """
    points = [_number(v) for v in (shape.get("min"), *_quantiles(shape), shape.get("max"))]
    known = [point for point in points if point is not None]
    if len(known) != len(_SHARES) or known != sorted(known):
        return None
    low, high = _view(known)
    if low == high:
        return [0.0] * (bins // 2) + [1.0] + [0.0] * (bins - bins // 2 - 1), low, high
    # The last edge is `high` itself: computed, it may be rounded to just below the last values.
    edges = [*(low + (high - low) * i / bins for i in range(1, bins)), high]
    below = [0.0, *(_below(known, edge) for edge in edges)]
    return [b - a for a, b in pairwise(below)], low, high


def _quantiles(shape: Mapping[str, Any]) -> Sequence[Any]:
    return shape.get("quantiles") or ()


def _number(value: Any) -> float | None:
    """Return a number, or a date or instant in seconds, as a float; None for what is neither."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            return None
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None


def _view(points: Sequence[float]) -> tuple[float, float]:
    past = _PAST * (points[5] - points[1])
    if past == 0:
        return points[0], points[-1]
    return max(points[0], points[1] - past), min(points[-1], points[5] + past)


def _below(points: Sequence[float], value: float) -> float:
    """Return the share of values up to `value`."""
    after = bisect_right(points, value)
    if after == 0:
        return 0.0
    if after == len(points):
        return 1.0
    low, high = points[after - 1], points[after]
    share = (value - low) / (high - low)
    return _SHARES[after - 1] + share * (_SHARES[after] - _SHARES[after - 1])


def bars_in_words(shape: Mapping[str, Any]) -> str:
    """Return the shape of numbers as block characters; empty for what has none."""
    found = density(shape, _BLOCKS_WIDE)
    if found is None:
        return ""
    shares, top = found[0], max(found[0]) or 1.0
    return "".join(_BLOCKS[round((len(_BLOCKS) - 1) * share / top)] for share in shares)


def picture(shape: Mapping[str, Any]) -> str:
    """Return an SVG of a column's shape; empty for what has none. All text in it is escaped."""
    found = density(shape, _BARS)
    if found is not None:
        return _hill(shape, *found)
    top = (shape.get("top") or ())[:_MOST]
    return _top(top) if top else ""


def _hill(shape: Mapping[str, Any], shares: Sequence[float], low: float, high: float) -> str:
    """Draw where the values lie, the middle half stronger, the median as a line."""
    quartiles = [_number(v) for v in _quantiles(shape)]
    p25, p50, p75 = (q if q is not None else low for q in quartiles[1:4])
    # The root, so that the foot of a steep hill is still seen.
    heights = [math.sqrt(share) for share in shares]
    tallest, wide = max(heights) or 1.0, _WIDTH / len(shares)
    step = (high - low) / len(shares)
    bars = []
    for i, height in enumerate(heights):
        tall = height / tallest * (_HEIGHT - 4)
        middle = low + step * (i + 0.5)
        strong = p25 <= middle <= p75
        if tall > 0:
            bars.append(
                f'<rect x="{i * wide:.1f}" y="{_HEIGHT - tall - 1:.1f}" width="{wide - 0.8:.1f}" '
                f'height="{tall:.1f}" rx="0.8" opacity="{0.85 if strong else 0.38}"/>'
            )
    at = _WIDTH * (p50 - low) / (high - low) if high > low else _WIDTH / 2
    line = f'<rect x="{at - 0.6:.1f}" y="0" width="1.2" height="{_HEIGHT}" class="mesh-median"/>'
    foot = f'<rect x="0" y="{_HEIGHT - 1}" width="{_WIDTH}" height="1" opacity="0.3"/>'
    said = (
        f"{figure(shape['min'])} to {figure(shape['max'])}, median {figure(_quantiles(shape)[2])}"
    )
    return _svg(_HEIGHT, "".join([*bars, foot, line]), said)


def _top(top: Sequence[Sequence[Any]]) -> str:
    """Draw the most frequent values as bars that lie under their names."""
    most = max(share for _, share in top) or 1.0
    rows = []
    for i, (value, share) in enumerate(top):
        y = i * _ROW
        wide = max(1.0, _WIDTH * share / most)
        rows.append(
            f'<rect y="{y + 1}" width="{wide:.1f}" height="{_ROW - 3}" rx="2" opacity="0.25"/>'
            f'<text x="5" y="{y + 10.5}">{escape(_short(str(value)))}</text>'
            f'<text x="{_WIDTH - 4}" y="{y + 10.5}" text-anchor="end" class="mesh-share">'
            f"{escape(share_in_words(share))}</text>"
        )
    said = ", ".join(f"{value} {share_in_words(share)}" for value, share in top)
    return _svg(_ROW * len(top), "".join(rows), said)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LABEL else f"{text[: _LABEL - 1]}…"


def _svg(height: int, body: str, said: str) -> str:
    return (
        f'<svg class="mesh-picture" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" fill="currentColor" '
        f'aria-label="{escape(said)}"><title>{escape(said)}</title>{body}</svg>'
    )
