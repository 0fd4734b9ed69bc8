"""Which maker a column gets: by its hints, its limits, its format, its name and its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesh_notebook.mock.hints import Hints, refuse
from mesh_notebook.mock.nested import Bytes, as_text, list_maker, struct_maker
from mesh_notebook.mock.numbers import number_maker, time_maker
from mesh_notebook.mock.rules import keeps
from mesh_notebook.mock.texts import Use, text_maker
from mesh_notebook.mock.times import clock_maker
from mesh_notebook.mock.values import Choice, Maker, series, zipf_odds

if TYPE_CHECKING:
    from mesh_notebook.mock.limits import Limits

__all__ = ["maker_of"]


def maker_of(limits: Limits, hints: Hints, use: Use) -> Maker:
    """Return the maker of a column; raises `ContractError` where none can keep its limits."""
    if listed := _listed(limits, hints):
        return listed
    match _family(limits):
        case "list":
            return list_maker(limits, hints, use, maker_of)
        case "struct":
            return struct_maker(limits, hints, use, maker_of)
        case "binary":
            return Bytes(text_maker(as_text(limits), hints, use))
        case "clock":
            return clock_maker(limits, hints)
        case "boolean":
            return Choice(series([False, True], limits.dtype), zipf_odds(2, 0))
        case "number":
            free = not (limits.low or limits.high) and _wide(limits) and not hints.between
            return number_maker(limits, hints, use.salt if use.keyed and free else None)
        case "time":
            return time_maker(limits, hints)
    return text_maker(limits, hints, use)


def _wide(limits: Limits) -> bool:
    return type(limits.dtype).__name__ in ("Int32", "Int64")


def _family(limits: Limits) -> str:
    import polars as pl

    dtype, logical = limits.dtype, limits.column.logical_type
    if isinstance(dtype, pl.List):
        return "list"
    if isinstance(dtype, pl.Boolean):
        return "boolean"
    if isinstance(dtype, pl.Struct):
        return "struct"
    if isinstance(dtype, pl.Binary):
        return "binary"
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "time"
    if isinstance(dtype, pl.String) and logical in ("integer", "number"):
        return "number"
    if isinstance(dtype, pl.String) and limits.is_clock:
        return "clock"
    return "time" if isinstance(dtype, pl.String) and logical in ("date", "timestamp") else "text"


# ---- out of a list --------------------------------------------------------------------------


def _listed(limits: Limits, hints: Hints) -> Choice | None:
    """Return a choice among the allowed or the hinted values, if there are any."""
    weighted = hints.weighted()
    given = hints.given.get("values")
    allowed = list(limits.values) if limits.values is not None else None
    if weighted:
        values, odds = list(weighted), list(weighted.values())
    elif isinstance(given, list):
        values, odds = given, None
    elif allowed is not None and not isinstance(given, dict):
        values, odds = allowed, hints.odds("weights", len(allowed))
    elif isinstance(given, dict) and not hints.text("from"):
        refuse(limits.name, "its values belong to no column", "say which: `from: COLUMN`")
    elif "weights" in hints:
        refuse(limits.name, "its weights belong to no values", "write weights as {value: odds}")
    else:
        return None
    return _choice(limits, hints, values, odds, hinted=bool(weighted or given))


def _choice(
    limits: Limits, hints: Hints, values: list[Any], odds: list[float] | None, hinted: bool
) -> Choice:
    import numpy as np
    import polars as pl

    try:
        typed = series(values, limits.dtype)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        refuse(limits.name, f"not all of {values} are {limits.dtype}", "make the values that type")
    kept = [i for i, value in enumerate(typed) if keeps(limits, value)]
    if hinted and len(kept) < len(values):
        wrong = next(v for i, v in enumerate(values) if i not in kept)
        refuse(limits.name, f"its hint gives {wrong!r}, which breaks its rules", "mend the hint")
    if not kept:
        refuse(limits.name, "none of its allowed values keeps its other limits", "make them agree")
    exponent = hints.number("zipf")
    even = zipf_odds(len(values), 0.6 if exponent is None else exponent)
    chances = even if odds is None else np.array(odds)
    return Choice(typed.gather(kept), chances[kept])
