"""Whether what two processes tell of a value is the same."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from typing import Any

__all__ = ["ORDER", "parting", "reordered", "rough", "same"]

ORDER = "order of keys"  # of a dictionary: told beside its items, and compared on its own
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12  # sums over threads differ in their last digits
_MATCHED = 300  # items that are matched one by one where sorting does not pair them


def rough(told: Any) -> tuple[bool, float, str, str]:
    """Return what groups are sorted by, so that noise in a float seldom changes its place."""
    if isinstance(told, float):
        return (False, told if told == told else math.inf, "", "")
    return (True, 0.0, json.dumps(_rounded(told)), json.dumps(told))


def _rounded(told: Any) -> Any:
    if isinstance(told, float):
        return f"{told:.5g}"
    if isinstance(told, dict):
        return {name: _rounded(part) for name, part in told.items() if name != ORDER}
    return [_rounded(part) for part in told] if isinstance(told, list) else told


def same(here: Any, there: Any) -> bool:
    """Return whether two values are told alike, up to noise in floats."""
    if isinstance(here, float) and isinstance(there, float):
        return _near(here, there, 0.0)
    if isinstance(here, dict) and isinstance(there, dict):
        if "scale" in here and "scale" in there:
            return _near(here["sum"], there["sum"], max(here["scale"], there["scale"]))
        if "cells" in here and "cells" in there:
            return all(same(one, there["cells"].get(n, one)) for n, one in here["cells"].items())
        return all(same(*pair) for pair in _pairs(here, there))
    if isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        return all(map(same, here, there)) or _matched(here, there)
    return bool(here == there)


def _near(one: float, other: float, scale: float) -> bool:
    if one == other or (math.isnan(one) and math.isnan(other)):
        return True
    most = max(abs(one), abs(other), scale) * _RELATIVE
    return abs(one - other) <= max(most, _ABSOLUTE)


def _pairs(here: dict[str, Any], there: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [(here.get(n), there.get(n)) for n in {**here, **there} if n != ORDER]


def reordered(here: Any, there: Any, known: Collection[str]) -> tuple[Any, Any] | None:
    """Return the first keys that stand in another order, of two values that are otherwise the same.

    Parameters
    ----------
    known : collection of str
        The keys, as they are told, whose order is the notebook's own: what comes of rows may lie
        in another order each time.
    """
    if isinstance(here, dict) and isinstance(there, dict):
        one, other = here.get(ORDER), there.get(ORDER)
        if one and other and one != other and set(one) == set(other) <= set(known):
            return one, other
        pairs = _pairs(here, there)
    elif isinstance(here, list) and isinstance(there, list):
        pairs = list(zip(here, there, strict=False))
    else:
        return None
    found = (reordered(*pair, known) for pair in pairs)
    return next((parted for parted in found if parted), None)


def _matched(here: list[Any], there: list[Any]) -> bool:
    """Return whether each item has one of the other side for itself."""
    if len(here) > _MATCHED:
        return False
    left = list(there)
    for one in here:
        at = next((i for i, other in enumerate(left) if same(one, other)), None)
        if at is None:
            return False
        del left[at]
    return True


def parting(here: Any, there: Any) -> tuple[Any, Any]:
    """Return the smallest parts in which two values differ."""
    return next(_parting(here, there), (here, there))


def _parting(here: Any, there: Any) -> Iterator[tuple[Any, Any]]:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(here, dict) and isinstance(there, dict) and "height" in here:
        rows = here["height"], there.get("height")
        yield rows if rows[0] != rows[1] else (f"{rows[0]} values", "other values")
        return
    if isinstance(here, dict) and isinstance(there, dict):
        pairs = _pairs(here, there)
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        pairs = list(zip(here, there, strict=True))
    for one, other in pairs:
        if not same(one, other):
            yield from _parting(one, other)
            return
    yield here, there
