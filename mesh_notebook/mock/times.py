"""Times of day, as texts: `08:30:00`, or in the pattern that a contract gives them."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Any

from mesh_notebook.mock.hints import Hints, refuse
from mesh_notebook.mock.values import Lattice

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from mesh_notebook.mock.limits import Limits
    from mesh_notebook.mock.noise import Integers

__all__ = ["clock_maker", "seconds_of_day"]

_DAY = 86_400  # seconds
# ODCS writes the pattern of a time as Java does.
_JAVA = {"HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "a": "%p"}
_FRACTION = re.compile(r"\.S{1,9}")


def clock_maker(limits: Limits, hints: Hints) -> Lattice:
    """Return the maker of a column of times of day, in steps of a second."""
    between = hints.between
    lows = [*limits.low, *([(between[0], False)] if between else [])]
    highs = [*limits.high, *([(between[1], False)] if between else [])]
    low = max((seconds_of_day(limits, v) + out for v, out in lows), default=0)
    high = min((seconds_of_day(limits, v) - out for v, out in highs), default=_DAY - 1)
    if low > high:
        refuse(limits.name, "no time of day keeps its limits", "widen its minimum and maximum")
    return Lattice(low, high, 1, _finish(_strftime(limits.format)))


def seconds_of_day(limits: Limits, value: Any) -> int:
    """Return the whole seconds since midnight of a time that a contract or a hint writes."""
    if isinstance(value, int):  # YAML 1.1 reads 08:30:00 as a number to the base 60
        return value
    try:
        found = time.fromisoformat(str(value))
    except ValueError:
        refuse(limits.name, f"its limit {value!r} is no time of day", "write '08:30:00', in quotes")
    return found.hour * 3_600 + found.minute * 60 + found.second


def _strftime(pattern: str) -> str:
    """Return the format of a Java pattern; ISO's where it is none that is known."""
    text = _FRACTION.sub(".000", pattern)
    for java, ours in _JAVA.items():
        text = text.replace(java, ours)
    known = re.fullmatch(r"(%[HIMSp]|[:. ]|\.000|0)+", text)
    return text if known and "%" in text else "%H:%M:%S"


def _finish(form: str) -> Callable[[Integers], pl.Series]:
    import polars as pl

    def finish(whole: Integers) -> pl.Series:
        nanoseconds = pl.Series(whole, dtype=pl.Int64) * 1_000_000_000
        return nanoseconds.cast(pl.Time).dt.to_string(form)

    return finish
