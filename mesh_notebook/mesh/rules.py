"""What breaks a rule, as Polars expressions: one boolean a row, or one count a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from mesh_notebook.model.rule import arguments_of

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Rule

    _Compare = Callable[[pl.Expr, Any], pl.Expr]
    _Broken = Callable[[Rule, Mapping[str, pl.DataType]], pl.Expr]

__all__ = ["CannotCheck", "held", "offenders", "threshold"]

_RATIO_TOLERANCE = 1e-9  # of floats, 0.3 is a multiple of 0.1


class CannotCheck(ValueError):
    """A rule that this engine cannot decide; its text says why.

    Attributes
    ----------
    foreign : bool
        It is written for another engine, another platform or other tables. A rule that is wrong in
        itself, of a column that is not there for example, is not.
    """

    def __init__(self, why: str, foreign: bool = False) -> None:
        super().__init__(why)
        self.foreign = foreign


def offenders(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return an expression that is true where a row breaks the rule; a null breaks no limit.

    Raises
    ------
    CannotCheck
        The rule is of a kind, or has a value, that is not understood.
    """
    if rule.kind not in _OFFENDERS:
        engine = rule.value.get("engine") if isinstance(rule.value, dict) else None
        whose = f", but to {engine}" if engine else ""
        raise CannotCheck(f"rules of kind '{rule.kind}' are not known here{whose}", foreign=True)
    broken = _OFFENDERS[rule.kind](rule, schema)
    _try_out(broken, schema)
    return broken


def _try_out(broken: pl.Expr, schema: Mapping[str, pl.DataType]) -> None:
    """Run the expression on no rows, so that one rule of the wrong type spoils no other."""
    import polars as pl
    from polars.exceptions import PolarsError

    # Of the columns that it reads alone: a frame may have thousands, with some rules each.
    needed = {name: schema[name] for name in broken.meta.root_names()}
    try:
        pl.DataFrame(schema=needed).select(broken)
    except (PolarsError, TypeError) as error:
        raise CannotCheck(str(error).splitlines()[0]) from None


def _column(rule: Rule) -> pl.Expr:
    import polars as pl

    if rule.column is None:
        raise CannotCheck(f"'{rule.kind}' must stand at a column")
    return pl.col(rule.column)


def _limit(compare: _Compare) -> _Broken:
    def broken(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        column = _column(rule)
        return compare(column, _literal(rule.value, schema[str(rule.column)]))

    return broken


def _literal(value: Any, dtype: pl.DataType) -> pl.Expr:
    """Return a contract's value as the column's own type: YAML and JSON know fewer types."""
    import polars as pl

    try:
        if isinstance(dtype, pl.Datetime):
            return pl.lit(_moment(value, bool(dtype.time_zone)))
        if isinstance(dtype, pl.Date):
            return pl.lit(_moment(value, False).date())
        if isinstance(value, str) and dtype.is_numeric():
            return pl.lit(float(value))
    except ValueError:
        raise CannotCheck(f"'{value}' is no {dtype}") from None
    if dtype.is_numeric() != isinstance(value, (int, float)):
        raise CannotCheck(f"{value!r} cannot be compared with {dtype}")
    return pl.lit(value)


def _moment(value: Any, aware: bool) -> datetime:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if not aware:
        return moment.replace(tzinfo=None)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _multiple(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    column = _column(rule)
    if schema[str(rule.column)].is_integer() and isinstance(rule.value, int):
        return column % rule.value != 0
    ratio: pl.Expr = column / float(rule.value)
    return (ratio - ratio.round()).abs() > _RATIO_TOLERANCE


def _length(compare: _Compare) -> _Broken:
    def broken(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        import polars as pl

        return compare(_column(rule).cast(pl.String).str.len_chars(), rule.value)

    return broken


def _pattern(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    return ~_matches(_column(rule), str(rule.value))


def _matches(column: pl.Expr, pattern: str) -> pl.Expr:
    import polars as pl
    from polars.exceptions import ComputeError

    try:
        pl.Series([""]).str.contains(pattern)
    except ComputeError:
        raise CannotCheck(f"the pattern {pattern} is not one that Polars can run") from None
    return column.cast(pl.String).str.contains(pattern)


def _enum(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    return ~_among(_column(rule), list(rule.value), schema[str(rule.column)])


def _among(column: pl.Expr, values: list[Any], dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    allowed = [value for value in values if value is not None]
    if dtype.is_integer():
        return column.is_in([number for v in allowed if (number := _number(v)) == int(number)])
    if dtype.is_numeric():
        return column.cast(pl.Float64).is_in([float(_number(v)) for v in allowed])
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        return pl.any_horizontal(column == _literal(value, dtype) for value in allowed)
    if isinstance(dtype, pl.Boolean):
        return column.is_in(allowed)
    # YAML reads 1 or 2026-01-01 where text was meant.
    return column.cast(pl.String).is_in([str(value) for value in allowed])


def _number(value: Any) -> int | float:
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise CannotCheck(f"{value!r} is no number, and the column is one") from None
    return int(number) if number.is_integer() else number


def _repeated(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    import polars as pl

    names = _key(rule)
    whole = pl.all_horizontal(pl.col(names).is_not_null())
    value = pl.col(names[0]) if len(names) == 1 else pl.struct(names)
    return whole & value.is_duplicated()


def _key(rule: Rule) -> list[str]:
    if rule.kind == "key":
        return list(rule.value)
    if rule.column is not None:
        return [rule.column]
    properties = arguments_of(rule.value).get("properties")
    if not properties:
        raise CannotCheck("arguments.properties does not say which columns")
    return list(properties)


def _null(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    return _column(rule).is_null()


def _missing(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    import polars as pl

    values = arguments_of(rule.value).get("missingValues")
    if values is None:
        raise CannotCheck("arguments.missingValues does not say which values")
    column = _column(rule)
    spelled = column.cast(pl.String).is_in([str(v) for v in values if v is not None])
    return (spelled.fill_null(None in values)) if None in values else spelled


def _invalid(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    arguments = arguments_of(rule.value)
    column = _column(rule)
    if "validValues" in arguments:
        return ~_among(column, arguments["validValues"], schema[str(rule.column)])
    if "pattern" in arguments:
        return ~_matches(column, arguments["pattern"])
    raise CannotCheck("arguments say neither validValues nor a pattern")


_OFFENDERS: dict[str, _Broken] = {
    "required": _null,
    "unique": _repeated,
    "key": _repeated,
    "enum": _enum,
    "minimum": _limit(lambda column, value: column < value),
    "maximum": _limit(lambda column, value: column > value),
    "exclusiveMinimum": _limit(lambda column, value: column <= value),
    "exclusiveMaximum": _limit(lambda column, value: column >= value),
    "minLength": _length(lambda n, value: n < value),
    "maxLength": _length(lambda n, value: n > value),
    "pattern": _pattern,
    "multipleOf": _multiple,
    "nullValues": _null,
    "missingValues": _missing,
    "invalidValues": _invalid,
    "duplicateValues": _repeated,
}
_OPERATORS: dict[str, tuple[str, Callable[[float, Any], bool]]] = {
    "mustBe": ("be", lambda n, v: n == v),
    "mustNotBe": ("not be", lambda n, v: n != v),
    "mustBeGreaterThan": ("be greater than", lambda n, v: n > v),
    "mustBeGreaterOrEqualTo": ("be at least", lambda n, v: n >= v),
    "mustBeLessThan": ("be less than", lambda n, v: n < v),
    "mustBeLessOrEqualTo": ("be at most", lambda n, v: n <= v),
    "mustBeBetween": ("be between", lambda n, v: v[0] <= n <= v[1]),
    "mustNotBeBetween": ("not be between", lambda n, v: not v[0] <= n <= v[1]),
}


def threshold(quality: Mapping[str, Any]) -> str:
    """Return the name of the ODCS operator that a quality rule uses."""
    named = [name for name in _OPERATORS if name in quality]
    if len(named) != 1:
        raise CannotCheck("it has no operator (mustBe, mustBeLessThan, …), so nothing is demanded")
    return named[0]


def held(quality: Mapping[str, Any], measured: float) -> tuple[bool, str]:
    """Say whether a measured number is what a quality rule demands, and the demand in words."""
    operator = threshold(quality)
    words, holds = _OPERATORS[operator]
    value = quality[operator]
    said = " and ".join(map(str, value)) if isinstance(value, list) else str(value)
    unit = " percent" if quality.get("unit") == "percent" else ""
    try:
        return holds(measured, value), f"must {words} {said}{unit}"
    except TypeError:
        raise CannotCheck(f"{value!r} cannot be compared with a number") from None
