"""Which maker a column gets: by its hints, its limits, its format, its name and its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesh_notebook.mock.hints import Hints, refuse
from mesh_notebook.mock.numbers import number_maker, time_maker
from mesh_notebook.mock.rules import keeps
from mesh_notebook.mock.texts import Use, text_maker
from mesh_notebook.mock.values import Choice, Listed, Maker, series, zipf_odds
from mesh_notebook.model.contract import Column

if TYPE_CHECKING:
    from mesh_notebook.mock.limits import Limits

__all__ = ["maker_of"]


def maker_of(limits: Limits, hints: Hints, use: Use) -> Maker:
    """Return the maker of a column; raises `ContractError` where none can keep its limits."""
    if listed := _listed(limits, hints):
        return listed
    if _family(limits) == "list":
        return _list_maker(limits, hints, use)
    match _family(limits):
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
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "time"
    if isinstance(dtype, pl.String) and logical in ("integer", "number"):
        return "number"
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


# ---- lists ----------------------------------------------------------------------------------


def _list_maker(limits: Limits, hints: Hints, use: Use) -> Maker:
    from dataclasses import replace

    import polars as pl

    from mesh_notebook.mesh.dtypes import physical_type
    from mesh_notebook.mock.limits import limits_of

    dtype = limits.dtype
    assert isinstance(dtype, pl.List)
    raw = {
        "logicalType": "string",
        **(limits.column.raw.get("items") or {}),
        "name": limits.name,
        "physicalType": physical_type(dtype.inner),  # type: ignore[arg-type]
    }
    inner = replace(limits_of(Column(raw), 1), dtype=dtype.inner)  # type: ignore[arg-type]
    options = limits.column.options
    least = int(options.get("minItems", 0))
    most = int(options.get("maxItems", max(least, 3)))
    plain = Hints(limits.name, {k: v for k, v in hints.given.items() if k != "nulls"})
    made = Listed(
        maker_of(inner, plain, Use(use.identity, False, False)),
        least,
        most,
        bool(options.get("uniqueItems")),
    )
    if least > most or made.capacity == 0:
        refuse(limits.name, "no list keeps its limits", "widen minItems, maxItems or its values")
    return made
