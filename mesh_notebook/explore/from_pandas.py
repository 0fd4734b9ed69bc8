"""What a pandas frame holds that no port keeps: refused, with the line that mends it.

A port has columns of one type each, named by texts, and no index. pandas is known by what its
objects say of themselves, so that nothing here imports it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import date, datetime
from numbers import Integral, Real
from typing import Any

from mesh_notebook.errors import ContractError
from mesh_notebook.explore.refusals import plain_name

__all__ = ["as_frame", "is_pandas", "refuse_unkept", "unread"]

_NUMBERS = {2: "two", 3: "three", 4: "four"}
_LISTED = 10  # columns, whose new labels are written out
# What pandas says for itself, and Arrow makes one kind of.
_ALIKE = ({"int", "float"},)
_SEQUENCES = ("list", "tuple", "ndarray")
_BASES: dict[str, type] = {
    "str": str,
    "bytes": bytes,
    "int": Integral,
    "float": Real,
    "datetime": datetime,
    "date": date,
}
_JOINED = '"_".join(map(str, c)).strip("_")'
_AS_TEXT = '.map(str, na_action="ignore")'


def is_pandas(value: object) -> bool:
    """Return whether a value is a frame of pandas, or of what builds on it."""
    kind = getattr(sys.modules.get("pandas"), "DataFrame", None)
    return kind is not None and isinstance(value, kind)


def refuse_unkept(name: str, frame: Any) -> None:
    """Refuse a pandas frame of which a port would lose or change something.

    Raises
    ------
    ContractError
        It has an index that means something, labels that are no texts or not unique, or a column
        of more than one type, or of a type that no port holds. The next step is a line of Python.
    """
    _check_labels(name, frame)
    _check_index(name, frame)
    for column in frame.columns:
        _check_values(_Column(name, column, frame[column]))


# ---- labels ------------------------------------------------------------------------------------


def _check_labels(name: str, frame: Any) -> None:
    labels = list(frame.columns)
    if (levels := frame.columns.nlevels) > 1:
        raise ContractError(
            f"`{name}` has columns in {_NUMBERS.get(levels, levels)} levels, for example "
            f"{labels[0]!r}, and a port's columns have one name each.",
            next_step=f"{name}.columns = [{_JOINED} for c in {name}.columns]",
        )
    if odd := [label for label in labels if not _is_label(label)]:
        raise ContractError(
            f"`{name}` has columns that are labelled by {_said(type(o).__name__ for o in odd)}, "
            f"for example {odd[0]!r}, and a port's columns are named by texts.",
            next_step=_as_texts(name, odd),
        )
    texts = [str(label) for label in labels]
    if twice := [text for text in texts if texts.count(text) > 1]:
        raise ContractError(
            f"`{name}` has {texts.count(twice[0])} columns that are labelled `{twice[0]}`.",
            next_step=_renamed(name, texts),
            column=twice[0],
        )
    if bad := {label: plain for label in labels if (plain := plain_name(str(label))) != str(label)}:
        said = "columns" if len(bad) > 1 else "a column"
        raise ContractError(
            f"`{name}` has {said} that no snapshot can name so: {', '.join(map(repr, bad))}.",
            next_step=f"{name} = {name}.rename(columns={bad!r})",
            column=str(next(iter(bad))),
        )


def _is_label(label: object) -> bool:
    # A whole number is read as its digits; what else is no text would be a guess.
    return isinstance(label, str) or (isinstance(label, Integral) and not isinstance(label, bool))


def _as_texts(name: str, odd: list[Any]) -> str:
    if any(isinstance(label, tuple) for label in odd):
        joined = f"{_JOINED} if isinstance(c, tuple) else str(c)"
        return f"{name}.columns = [{joined} for c in {name}.columns]"
    return f"{name}.columns = {name}.columns.map(str)"


def _renamed(name: str, texts: list[str]) -> str:
    if len(texts) > _LISTED:
        return f"{name} = {name}.loc[:, ~{name}.columns.duplicated()]  # the first of each"
    labels: list[str] = []
    for text in texts:
        labels.append(_free(text, [*labels, *(t for t in texts if t != text)]))
    return f"{name}.columns = {labels!r}"


def _free(name: str, taken: Iterable[str]) -> str:
    known, at, free = set(taken), 2, name
    while free in known:
        free, at = f"{name}_{at}", at + 1
    return free


# ---- the index ---------------------------------------------------------------------------------


def _check_index(name: str, frame: Any) -> None:
    """Refuse an index that says something; numbers without a name are left over of other rows."""
    index = frame.index
    if not any(_is_named(n) for n in index.names) and (not len(index) or _left_over(index)):
        return
    named = [f"`{n}`" for n in index.names if _is_named(n)]
    said = f" {', '.join(named)}" if named else f" without a name, of type {index.dtype}"
    raise ContractError(
        f"`{name}` has an index{said}, which a port does not keep.",
        next_step=f"{name} = {name}.reset_index({_as_columns(frame)})",
    )


def _is_named(name: object) -> bool:
    return name is not None


def _left_over(index: Any) -> bool:
    """Whether an index numbers rows, as every filter, sort and concatenation leaves it."""
    return index.nlevels == 1 and index.dtype.kind in "iu" and bool((index >= 0).all())


def _as_columns(frame: Any) -> str:
    """Return what `reset_index` has to be told, so that it works: nothing, or free names."""
    taken = [str(label) for label in frame.columns]
    names = [str(n) for n in frame.index.names if _is_named(n)]
    if (
        len(names) == frame.index.nlevels
        and not {*names} & {*taken}
        and len({*names}) == len(names)
    ):
        return ""
    free: list[str] = []
    for at, name in enumerate(frame.index.names):
        text = (
            str(name) if _is_named(name) else f"level_{at}" if frame.index.nlevels > 1 else "label"
        )
        free.append(_free(text, [*taken, *free]))
    return f"names={free!r}" if len(free) > 1 else f'names="{free[0]}"'


# ---- values ------------------------------------------------------------------------------------


class _Column:
    """One column, how code names it, and how a refusal of it is written."""

    def __init__(self, frame: str, label: Any, values: Any) -> None:
        self.label, self.values, self.dtype = label, values, values.dtype
        quoted = f'"{label}"' if isinstance(label, str) and '"' not in label else repr(label)
        self.code = f"{frame}[{quoted}]"

    def refused(self, said: str, more: str) -> ContractError:
        """Return the refusal; `more` is what makes another column of it."""
        line = f"{self.code} = {more.replace('…', self.code)}"
        return ContractError(f"'{self.label}' {said}.", next_step=line, column=str(self.label))


def _check_values(column: _Column) -> None:
    kind = type(column.dtype).__name__
    check = _DTYPES.get(kind) or _KINDS.get(getattr(column.dtype, "kind", ""))
    if check:
        check(column)


def _objects(column: _Column) -> None:
    """Refuse objects of several kinds, or of one that has no place in a table."""
    values = column.values.dropna()
    kinds = _kinds(values)
    if "datetime" in kinds and kinds <= {"date", "datetime", "datetime without a zone"}:
        raise column.refused(f"holds {_said(kinds)}", "pd.to_datetime(…, utc=True)")
    if "datetime without a zone" in kinds:
        raise column.refused(
            "holds times without a time zone, which are no instants"
            if len(kinds) == 1
            else f"holds {_said(kinds)}",
            "pd.to_datetime(…, utc=True)",
        )
    if kinds & {"set", "frozenset"}:
        raise column.refused(f"holds {_said(kinds)}, whose values have no order", "….map(sorted)")
    if len(kinds) > 1 and kinds not in _ALIKE:
        raise column.refused(f"holds {_said(kinds)}, and a column has one type", f"…{_AS_TEXT}")


def _kinds(values: Any) -> set[str]:
    types = set(map(type, values.to_numpy(dtype=object)))
    kinds = {_kind_of(one) for one in types}
    if "datetime" in kinds and len(kinds) + len(types) > 0:
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


def _said(kinds: Iterable[str]) -> str:
    return " and ".join(sorted(set(kinds)))


def _times(column: _Column) -> None:
    zone = getattr(column.dtype, "tz", None) or getattr(
        getattr(column.dtype, "pyarrow_dtype", None), "tz", None
    )
    if zone is None:
        days = (column.values.dropna() == column.values.dropna().dt.normalize()).all()
        if days and len(column.values):
            said = "holds days as times without a time zone, which are no instants"
            raise column.refused(said, '….dt.date  # or, as instants: ….dt.tz_localize("UTC")')
        said = "holds times without a time zone, which are no instants"
        raise column.refused(said, '….dt.tz_localize("UTC")')
    if count := int((column.values.dt.nanosecond.fillna(0) != 0).sum()):
        said = f"cannot be stored as it is: {count:,} values are finer than a microsecond"
        raise column.refused(said, '….dt.floor("us")')


def _categories(column: _Column) -> None:
    categories = column.dtype.categories
    if type(categories.dtype).__name__ == "IntervalDtype":
        raise column.refused("is of categories that are intervals", f"…{_AS_TEXT}")
    if getattr(categories.dtype, "kind", "") in "mM":
        dtype = str(categories.dtype)
        raise column.refused(f"is of categories that are {dtype}", f'….astype("{dtype}")')
    if len(kinds := _kinds(categories.to_series())) > 1:
        said = f"is of categories that are {_said(kinds)}"
        raise column.refused(said, f"…{_AS_TEXT}")


def _periods(column: _Column) -> None:
    raise column.refused(
        f"holds periods ({column.dtype}), which no port keeps", "….dt.to_timestamp().dt.date"
    )


def _intervals(column: _Column) -> None:
    raise column.refused(f"holds intervals ({column.dtype}), which no port keeps", f"…{_AS_TEXT}")


def _sparse(column: _Column) -> None:
    raise column.refused(f"is sparse ({column.dtype})", "….sparse.to_dense()")


def _durations(column: _Column) -> None:
    raise column.refused("holds durations, which no port keeps", "….dt.total_seconds()")


def _complex(column: _Column) -> None:
    raise column.refused(f"holds {column.dtype}, which no port keeps", f"…{_AS_TEXT}")


_DTYPES: dict[str, Callable[[_Column], None]] = {
    "CategoricalDtype": _categories,
    "PeriodDtype": _periods,
    "IntervalDtype": _intervals,
    "SparseDtype": _sparse,
}
_KINDS: dict[str, Callable[[_Column], None]] = {
    "O": _objects,
    "M": _times,
    "m": _durations,
    "c": _complex,
}


# ---- what is no frame, or cannot be read as one ------------------------------------------------


def as_frame(name: str, value: Any) -> str:
    """Return the line that makes a frame of what is none yet: a series, an array; else nothing."""
    module, kind = type(value).__module__.partition(".")[0], type(value).__name__
    if (module, kind) == ("polars", "Series"):
        return f"{name} = {name}.to_frame()"
    if (module, kind) == ("pandas", "Series"):
        label = value.name if isinstance(value.name, str) else "value"
        if value.index.nlevels == 1 and value.index.name is None and _left_over(value.index):
            return f'{name} = {name}.to_frame("{label}")'
        return f'{name} = {name}.reset_index(name="{label}")'
    if (module, kind) == ("numpy", "ndarray"):
        return f"{name} = pl.DataFrame({name})"
    return ""


def unread(
    name: str, frame: Any, reads: Callable[[Any], object], error: Exception
) -> ContractError:
    """Return the refusal of a frame that cannot be read as a table: the column, and its types."""
    for label in frame.columns:
        try:
            reads(frame[[label]])
        except (ValueError, TypeError, ArithmeticError, NotImplementedError):
            column = _Column(name, label, frame[label])
            kinds = _said(_kinds(column.values.dropna()))
            return column.refused(f"holds values ({kinds}) that no column can", f"…{_AS_TEXT}")
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ContractError(f"`{name}` cannot be read as a table: {said}.")
