"""Break one rule of a contract and no other, so that tests can be tested.

One row in a hundred is touched, at least one; exactly one in a column whose values may not
repeat; as many as it takes where the rule tolerates some; the whole column or table where
the rule is about its type or its length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, UsageError, near
from mesh_notebook.mesh.dtypes import column_dtype
from mesh_notebook.mock.limits import bounds, unique_sets
from mesh_notebook.mock.noise import uniforms
from mesh_notebook.mock.offending import offending
from mesh_notebook.model.column import LIMITS
from mesh_notebook.model.rule import arguments_of

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract, Rule

__all__ = ["breakable_rules", "broken"]

SHARE = 0.01
_NULLS = ("required", "nullValues")
_REPEATS = ("key", "unique", "duplicateValues")
_TOLERANT = ("nullValues", "duplicateValues", "invalidValues", "missingValues")
_VALUES = ("enum", *LIMITS, "invalidValues", "missingValues")


def breakable_rules(contract: Contract) -> tuple[str, ...]:
    """Return the ids of the rules that can be broken without breaking another."""
    return tuple(rule.id for rule in contract.rules if not _why_not(contract, rule))


def broken(
    contract: Contract, rule_id: str, rows: int, seed: int, make: Callable[[int], pl.DataFrame]
) -> pl.DataFrame:
    """Return a mock that breaks one rule.

    Parameters
    ----------
    make : callable
        Makes the mock of that many rows that keeps every rule.

    Raises
    ------
    UsageError
        The rule is not known, cannot be broken alone, or needs more rows.
    """
    rule = _rule(contract, rule_id)
    if reason := _why_not(contract, rule):
        known = breakable_rules(contract)
        raise UsageError(
            f"the rule '{rule_id}' cannot be broken alone: {reason}.",
            next_step=f"these can: {', '.join(known) or 'none'}",
            rule=rule_id,
            known=known,
        )
    if rule.kind == "rowCount":
        return _resized(rule, rows, make)
    least = 2 if rule.kind in _REPEATS else 1
    if rule.kind in _TOLERANT and rows:
        least = max(least, bounds(rule.value, rows)[1] + 1)
    if rows < least:
        raise UsageError(
            f"{rows} rows are too few to break '{rule_id}'.", next_step=f"ask for {least} or more"
        )
    return _touched(contract, rule, make(rows), seed)


def _rule(contract: Contract, rule_id: str) -> Rule:
    for rule in contract.rules:
        if rule.id == rule_id:
            return rule
    known = [rule.id for rule in contract.rules]
    close = near(rule_id, known)
    raise UsageError(
        f"{contract.name} has no rule '{rule_id}'.",
        next_step=f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(known)}",
        rule=rule_id,
        near=close,
    )


# ---- can it be broken alone -----------------------------------------------------------------


def _why_not(contract: Contract, rule: Rule) -> str:
    """Return why a rule cannot be broken alone; empty where it can."""
    if rule.kind == "rowCount":
        return ""
    columns = _columns(contract, rule)
    if spoken := _sql_on(contract, columns):
        return f"the SQL rule '{spoken}' may read it too"
    if rule.kind == "type":
        return "" if _other_type(contract, rule) else "no other type keeps its other rules"
    if rule.kind in _NULLS:
        return _why_not_nulls(contract, rule)
    if rule.kind in _REPEATS:
        return _why_not_repeats(contract, rule, columns)
    if rule.kind in _VALUES:
        return _why_not_values(contract, rule)
    return f"rules of the kind '{rule.kind}' have no general way to be broken"


def _columns(contract: Contract, rule: Rule) -> tuple[str, ...]:
    if rule.column:
        return (rule.column,)
    if rule.kind == "key":
        return contract.key
    return tuple(arguments_of(rule.value).get("properties") or ())


def _sql_on(contract: Contract, columns: tuple[str, ...]) -> str:
    """Return the id of an SQL rule that mentions one of the columns."""
    for rule in contract.rules:
        if rule.kind != "sql":
            continue
        words = set(re.findall(r"\w+", str(rule.value.get("query"))))
        if rule.column in columns or words & set(columns):
            return rule.id
    return ""


def _others(contract: Contract, rule: Rule) -> list[Rule]:
    return [r for r in contract.rules if r != rule and r.column == rule.column]


def _why_not_nulls(contract: Contract, rule: Rule) -> str:
    if rule.kind == "nullValues" and bounds(rule.value, 1_000)[1] >= 1_000:
        return "no number of nulls breaks it"
    for other in _others(contract, rule):
        if other.kind in (*_NULLS, "missingValues"):
            return f"'{other.id}' says the same"
    if rule.column in contract.key and rule.kind == "nullValues":
        return "a key is never null"
    return ""


def _why_not_repeats(contract: Contract, rule: Rule, columns: tuple[str, ...]) -> str:
    if rule.kind == "duplicateValues" and bounds(rule.value, 1_000)[1] >= 1_000:
        return "no number of repeats breaks it"
    if not columns:
        return "it names no columns"
    for other in contract.rules:
        inside = set(_columns(contract, other)) <= set(columns)
        if other != rule and other.kind in _REPEATS and inside:
            return f"'{other.id}' would break with it"
    if rule.kind != "key" and set(columns) & set(contract.key):
        return "its values are part of the key"
    return ""


def _why_not_values(contract: Contract, rule: Rule) -> str:
    if rule.kind in _TOLERANT and bounds(rule.value, 1_000)[1] >= 1_000:
        return "no number of bad values breaks it"
    try:
        found = offending(contract, rule)
    except ContractError as error:
        return error.message
    return "" if found else "every value that breaks it breaks another rule or its type"


# ---- break it -------------------------------------------------------------------------------


def _touched(contract: Contract, rule: Rule, frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    import numpy as np

    count = _count(contract, rule, frame.height)
    order = np.argsort(uniforms(seed, frame.height, "breaking", rule.id), kind="stable")
    if rule.kind == "type":
        return frame.with_columns(_retyped(frame[rule.column or ""], _other_type(contract, rule)))
    if rule.kind in _REPEATS:
        return _repeated(frame, _columns(contract, rule), order, count)
    values = [None] if rule.kind in _NULLS else offending(contract, rule)
    return _replaced(frame, rule.column or "", order[:count], values)


def _count(contract: Contract, rule: Rule, rows: int) -> int:
    """Return how many rows to touch."""
    few = max(1, math.ceil(rows * SHARE))
    if rule.kind in _TOLERANT:
        return max(few, bounds(rule.value, rows)[1] + 1)
    distinct = any(rule.column in names for names in unique_sets(contract))
    return 1 if distinct and rule.kind not in _REPEATS else few


def _replaced(frame: pl.DataFrame, column: str, rows: Any, values: list[Any]) -> pl.DataFrame:
    import numpy as np
    import polars as pl

    real = frame[column]
    place = np.arange(frame.height)
    place[rows] = frame.height + np.arange(len(rows)) % len(values)
    both = pl.concat([real, pl.Series(column, values, dtype=real.dtype)])
    return frame.with_columns(both.gather(place))


def _repeated(
    frame: pl.DataFrame, columns: tuple[str, ...], order: Any, count: int
) -> pl.DataFrame:
    """Give `count` rows the values of other rows."""
    import numpy as np

    sources = order[: min(count, len(order) - count)] if len(order) > count else order[:1]
    targets = order[len(sources) :][:count]
    place = np.arange(frame.height)
    place[targets] = np.resize(sources, len(targets))
    return frame.with_columns(frame[name].gather(place) for name in columns)


def _resized(rule: Rule, rows: int, make: Callable[[int], pl.DataFrame]) -> pl.DataFrame:
    low, high = bounds({**rule.value, "unit": "rows"}, 1 << 40)
    if not low <= rows <= high:
        return make(rows)
    return make(low - 1 if low > 0 else high + 1)


def _retyped(column: pl.Series, dtype: Any) -> pl.Series:
    import polars as pl

    if isinstance(column.dtype, pl.Datetime):
        return column.dt.replace_time_zone(dtype.time_zone)
    return column.cast(dtype)


def _other_type(contract: Contract, rule: Rule) -> Any:
    """Return a type near the right one, in which the column's other rules still hold."""
    import polars as pl

    column = contract.column(rule.column or "")
    dtype = column_dtype(column)
    kinds = {other.kind for other in _others(contract, rule)}
    free = not kinds & set(_VALUES)
    repeats = any(column.name in names for names in unique_sets(contract))
    match type(dtype).__name__:
        case "Int8" | "Int16" | "Int32":
            return pl.Int64()
        case "Int64":
            return pl.Decimal(38, 0)
        case "Float32":
            return pl.Float64()
        case "Float64":
            return None if repeats or not free else pl.Float32()
        case "Decimal":
            assert isinstance(dtype, pl.Decimal)
            return pl.Decimal(38 if dtype.precision != 38 else 37, dtype.scale)
        case "Date":
            return pl.Datetime("us")
        case "Datetime":
            assert isinstance(dtype, pl.Datetime)
            return pl.Datetime("us", None if dtype.time_zone else "UTC")
        case "Boolean" if free:
            return pl.Int8()
        case "String" if free:
            return pl.Binary()
    return None
