"""Values that code compares rows with: rows beside them show what the code does either way.

`amount > 200` does nothing to rows of which none is above 100. Rows whose amounts lie on both sides
of 200 show what the code does to them. What it compares with stands in its text, in most cases.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

__all__ = ["compared_with", "constants_in", "constants_of"]

_MOST = 60  # of a kind
_LONGEST = 100  # characters of a text that is a value, and not a query
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_QUOTED = re.compile(r"'((?:[^']|'')*)'|\"([^\"]*)\"")
_MOMENTS = ("date", "datetime", "Timestamp")


def constants_of(text: str, function: str) -> tuple[Any, ...]:
    """Return the numbers, texts and days that one function of a module spells out.

    So do the functions and the names of the module that it uses, and the queries in its texts.
    """
    tops = {name: node for node in ast.parse(text).body for name in _bound(node)}
    left, used = [function], dict[str, ast.stmt]()
    while left:
        name = left.pop()
        if name in tops and name not in used:
            used[name] = tops[name]
            left += [n.id for n in ast.walk(tops[name]) if isinstance(n, ast.Name)]
    return tuple(dict.fromkeys(one for node in used.values() for one in _spelled(node)))


def constants_in(texts: Sequence[str]) -> tuple[Any, ...]:
    """Return the numbers, texts and days that statements spell out."""
    return tuple(dict.fromkeys(one for text in texts for one in _spelled(ast.parse(text))))


def _bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    names = (n for n in ast.walk(statement) if isinstance(n, ast.Name))
    return [n.id for n in names if isinstance(n.ctx, ast.Store)]


def _spelled(tree: ast.AST) -> Iterator[Any]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (moment := _moment(node)) is not None:
            yield moment
        if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
            if isinstance(node.value, int | float):
                yield node.value
            elif isinstance(node.value, str):
                yield from _in_text(node.value)


def _in_text(text: str) -> Iterator[Any]:
    if len(text) <= _LONGEST:
        yield text
    for number in _NUMBER.findall(text):
        yield float(number) if "." in number else int(number)
    for one, other in _QUOTED.findall(text):
        yield (one or other)[:_LONGEST]


def _moment(call: ast.Call) -> datetime | None:
    """Return the day that a call such as `date(2026, 1, 31)` or `pl.datetime(…)` gives."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    parts = [getattr(part, "value", None) for part in call.args]
    if name not in _MOMENTS or len(parts) < 3 or not all(type(p) is int for p in parts[:6]):
        return None
    try:
        return datetime(*parts[:6])  # type: ignore[arg-type]
    except ValueError:
        return None


def compared_with(column: pl.Series, constants: Sequence[Any]) -> pl.Series | None:
    """Return values of a column's type on both sides of constants; None where there are none."""
    import polars as pl

    values = list(dict.fromkeys(_beside(column.dtype, constants)))[:_MOST]
    if not values:
        return None
    made = pl.Series(column.name, values, dtype=_loose(column.dtype), strict=False)
    made = made.cast(column.dtype, strict=False).drop_nulls()
    return made if len(made) else None


def _loose(dtype: Any) -> Any:
    import polars as pl

    if isinstance(dtype, pl.Datetime):
        return pl.Datetime(dtype.time_unit, dtype.time_zone)
    return pl.Float64 if isinstance(dtype, pl.Decimal) else dtype


def _beside(dtype: Any, constants: Sequence[Any]) -> Iterator[Any]:
    import polars as pl

    if dtype.is_numeric():
        numbers = [c for c in constants if isinstance(c, int | float)]
        for number in (numbers or [0]) if dtype.is_integer() else [*numbers, 0.0]:
            wide = (number, number + 1, number - 1, number * 10, -number)
            yield from (int(n) if dtype.is_integer() else float(n) for n in wide)
    elif dtype == pl.String:
        yield from (c for c in constants if isinstance(c, str))
    elif dtype == pl.Boolean:
        yield from (True, False)
    elif dtype == pl.Date or isinstance(dtype, pl.Datetime):
        yield from _moments(dtype, constants)


def _moments(dtype: Any, constants: Sequence[Any]) -> Iterator[Any]:
    import polars as pl

    for constant in constants:
        moment = _read(constant) if isinstance(constant, str) else constant
        if not isinstance(moment, datetime):
            continue
        for away in (timedelta(), timedelta(days=1), timedelta(days=-1)):
            yield _as(moment + away, day=dtype == pl.Date)


def _as(moment: datetime, *, day: bool) -> date | datetime:
    return moment.date() if day else moment.replace(tzinfo=None)


def _read(text: str) -> datetime | None:
    if not 8 <= len(text) <= 32:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
