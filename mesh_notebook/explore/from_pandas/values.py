"""The values of a pandas column: of one type, and one that a port stores as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from numbers import Integral, Real
from typing import Any

from mesh_notebook.errors import ContractError

__all__ = ["Column", "check_values", "unread"]

_AS_TEXT = '.map(str, na_action="ignore")'
# What pandas says for itself, and Arrow makes one kind of.
_ALIKE = ({"int", "float"},)
_NAIVE = "datetime without a zone"
_MOMENTS = {"date", "datetime", _NAIVE}
_SEQUENCES = ("list", "tuple", "ndarray")
_BASES: dict[str, type] = {
    "str": str,
    "bytes": bytes,
    "int": Integral,
    "float": Real,
    "datetime": datetime,
    "date": date,
}


class Column:
    """One column, how code names it, and how a refusal of it is written."""

    def __init__(self, frame: str, label: Any, values: Any) -> None:
        self.label, self.values, self.dtype = label, values, values.dtype
        quoted = f'"{label}"' if isinstance(label, str) and '"' not in label else repr(label)
        self.code = f"{frame}[{quoted}]"

    def refused(self, said: str, more: str) -> ContractError:
        """Return the refusal; `more` is what makes another column of it."""
        line = f"{self.code} = {more.replace('…', self.code)}"
        return ContractError(f"'{self.label}' {said}.", next_step=line, column=str(self.label))


def check_values(column: Column) -> None:
    kind = type(column.dtype).__name__
    check = _DTYPES.get(kind) or _KINDS.get(getattr(column.dtype, "kind", ""))
    if check:
        check(column)


def _objects(column: Column) -> None:
    """Refuse objects of several kinds, or of one that has no place in a table."""
    values = column.values.dropna()
    kinds = kinds_of(values)
    if kinds <= _MOMENTS and kinds not in ({"date"}, {"datetime"}, set()):
        naive = "times without a time zone, which are no instants"
        said = f"holds {naive if len(kinds) == 1 else said_of(kinds)}"
        raise column.refused(said, "pd.to_datetime(…, utc=True)")
    if kinds in ({"Timedelta"}, {"timedelta"}):
        raise column.refused("holds durations", "pd.to_timedelta(…).dt.total_seconds()")
    if kinds & {"set", "frozenset"}:
        raise column.refused(f"holds {said_of(kinds)}, whose values have no order", "….map(sorted)")
    if len(kinds) > 1 and kinds not in _ALIKE:
        raise column.refused(f"holds {said_of(kinds)}, and a column has one type", f"…{_AS_TEXT}")


def kinds_of(values: Any) -> set[str]:
    types = set(map(type, values.to_numpy(dtype=object)))
    kinds = {_kind_of(one) for one in types}
    if "datetime" in kinds:
        zones = {value.tzinfo is None for value in values if isinstance(value, datetime)}
        named = {True: "datetime without a zone", False: "datetime"}
        kinds = kinds - {"datetime"} | {named[naive] for naive in zones}
    return kinds


def _kind_of(one: type) -> str:
    """Return what to call a type; the types of one kind, of whichever library, are called alike."""
    if one.__name__ in _SEQUENCES:
        return "list"
    if issubclass(one, bool) or one.__name__ in ("bool", "bool_"):
        return "bool"
    return next((kind for kind, base in _BASES.items() if issubclass(one, base)), one.__name__)


def said_of(kinds: Iterable[str]) -> str:
    return " and ".join(sorted(set(kinds)))


def _times(column: Column) -> None:
    zone = getattr(column.dtype, "tz", None) or getattr(
        getattr(column.dtype, "pyarrow_dtype", None), "tz", None
    )
    if zone is None:
        there = column.values.dropna()
        if len(there) and (there == there.dt.normalize()).all():
            said = "holds days as times without a time zone, which are no instants"
            raise column.refused(said, '….dt.date  # or, as instants: ….dt.tz_localize("UTC")')
        said = "holds times without a time zone, which are no instants"
        raise column.refused(said, '….dt.tz_localize("UTC")')
    if not _is_known_zone(column.values):
        said = "holds times at an offset from UTC, which is no time zone that has a name"
        raise column.refused(said, '….dt.tz_convert("UTC")')
    if count := int((column.values.dt.nanosecond.fillna(0) != 0).sum()):
        said = f"cannot be stored as it is: {count:,} values are finer than a microsecond"
        raise column.refused(said, '….dt.floor("us")')


def _is_known_zone(values: Any) -> bool:
    """Say whether Polars knows the zone of times; one that is an offset alone it does not."""
    import polars as pl

    try:
        pl.Series(pl.from_pandas(values.head(1))).dt.convert_time_zone("UTC")
    except pl.exceptions.PolarsError:
        return False
    return True


def _categories(column: Column) -> None:
    categories = column.dtype.categories
    if type(categories.dtype).__name__ == "IntervalDtype":
        raise column.refused("is of categories that are intervals", f"…{_AS_TEXT}")
    if getattr(categories.dtype, "kind", "") in "mM":
        dtype = str(categories.dtype)
        raise column.refused(f"is of categories that are {dtype}", f'….astype("{dtype}")')
    if len(kinds := kinds_of(categories.to_series())) > 1:
        said = f"is of categories that are {said_of(kinds)}"
        raise column.refused(said, f"…{_AS_TEXT}")


def _periods(column: Column) -> None:
    raise column.refused(
        f"holds periods ({column.dtype}), which no port keeps", "….dt.to_timestamp().dt.date"
    )


def _intervals(column: Column) -> None:
    raise column.refused(f"holds intervals ({column.dtype}), which no port keeps", f"…{_AS_TEXT}")


def _sparse(column: Column) -> None:
    raise column.refused(f"is sparse ({column.dtype})", "….sparse.to_dense()")


def _durations(column: Column) -> None:
    raise column.refused("holds durations, which no port keeps", "….dt.total_seconds()")


def _complex(column: Column) -> None:
    raise column.refused(f"holds {column.dtype}, which no port keeps", f"…{_AS_TEXT}")


def _floats(column: Column) -> None:
    if str(column.dtype) == "float16":
        raise column.refused("holds float16, which no port keeps", '….astype("float32")')


_DTYPES: dict[str, Callable[[Column], None]] = {
    "CategoricalDtype": _categories,
    "PeriodDtype": _periods,
    "IntervalDtype": _intervals,
    "SparseDtype": _sparse,
}
_KINDS: dict[str, Callable[[Column], None]] = {
    "O": _objects,
    "M": _times,
    "m": _durations,
    "c": _complex,
    "f": _floats,
}


def unread(
    name: str, frame: Any, reads: Callable[[Any], object], error: Exception
) -> ContractError:
    """Return the refusal of a frame that cannot be read as a table: the column, and its types."""
    for label in frame.columns:
        try:
            reads(frame[[label]])
        except (ValueError, TypeError, ArithmeticError, NotImplementedError):
            column = Column(name, label, frame[label])
            kinds = said_of(kinds_of(column.values.dropna()))
            return column.refused(f"holds values ({kinds}) that no column can", f"…{_AS_TEXT}")
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ContractError(f"`{name}` cannot be read as a table: {said}.")
