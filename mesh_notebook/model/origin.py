"""Where data comes from, and what that makes of whatever it touches."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["Origin", "worst"]


class Origin(StrEnum):
    """How far data is from the real thing, best first."""

    LIVE = "live"
    SAMPLE = "sample"
    MOCK = "mock"


_ORDER = list(Origin)


def worst(origins: Iterable[Origin]) -> Origin:
    """Return the origin of data derived from inputs of these origins; `live` of none."""
    return max(origins, key=_ORDER.index, default=Origin.LIVE)
