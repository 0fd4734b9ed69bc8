"""What a frame of Polars, or of SQL, holds that no port keeps: refused, with a line to type.

All columns of one kind are told at once, and one line mends them. A relation of DuckDB or a table
of Arrow becomes a Polars frame on the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError
from mesh_notebook.explore.from_pandas import is_pandas, listed, renamed_by, unfit

if TYPE_CHECKING:
    import polars as pl

__all__ = ["in_polars", "refuse_intervals", "refuse_unfit"]

# A refusal's step: `why: .verb(…)`, perhaps with another way behind it.
_STEP = re.compile(
    r"(?:[\w ]+: )?(?P<code>\.(?:with_columns|filter|unique)\(.*?\))(?P<more>[;,] .*)?"
)


def refuse_unfit(name: str, value: Any, frame: pl.LazyFrame) -> None:
    """Refuse names that no snapshot can hold, and times without a zone, each kind at once.

    Raises
    ------
    ContractError
        The next step is a line of Python that mends all of its columns.
    """
    schema = frame.collect_schema()
    if is_pandas(value):  # its labels and times were looked at already
        return
    if bad := unfit(list(schema)):
        _refuse_names(name, value, list(schema), bad)
    if naive := _naive(schema):
        _refuse_naive(name, value, frame, naive)


def _refuse_names(name: str, value: Any, labels: list[str], bad: Mapping[str, str]) -> None:
    named, given = listed(bad), renamed_by(labels, bad, unfit)
    aliases = ", ".join(f"{_identifier(old)} AS {_identifier(new)}" for old, new in bad.items())
    one, sql = len(bad) == 1, "" if given.startswith("lambda") else f"  # in SQL: {aliases}"
    raise ContractError(
        f"{named} cannot name {'a stored column' if one else 'stored columns'}: a space, a sign or "
        "no name at all, or a name that SQL takes for another, or that the store needs itself.",
        next_step=f"{name} = {_polars(name, value)}.rename({given}){sql}",
        column=next(iter(bad)),
    )


def _naive(schema: Mapping[str, pl.DataType]) -> list[str]:
    import polars as pl

    return [n for n, t in schema.items() if isinstance(t, pl.Datetime) and not t.time_zone]


def _refuse_naive(name: str, value: Any, frame: pl.LazyFrame, naive: list[str]) -> None:
    import polars as pl

    midnight = [(pl.col(n).dt.time() == pl.time(0)).all() & (pl.col(n).count() > 0) for n in naive]
    days = all(frame.select(midnight).collect().row(0))
    columns = f"pl.col({', '.join(map(_text, naive))}).dt"
    instants = f'{columns}.replace_time_zone("UTC")'
    made = f"{columns}.date()" if days else instants
    more = f"or, as instants: {instants}; " if days else ""
    first = _identifier(naive[0])
    sql = f"CAST({first} AS DATE)" if days else f"{first} AT TIME ZONE 'UTC'"
    named = " and ".join(f"'{one}'" for one in naive)
    held = "days as times" if days else "times"
    raise ContractError(
        f"{named} {'hold' if len(naive) > 1 else 'holds'} {held} without a time zone, "
        "which are no instants.",
        next_step=f"{name} = {_polars(name, value)}.with_columns({made})  "
        f"# {more}in SQL: {sql} AS {first}",
        column=naive[0],
    )


def refuse_intervals(name: str, value: Any) -> None:
    """Refuse a relation with intervals, which Polars takes from no other library."""
    if type(value).__name__ != "DuckDBPyRelation":
        return
    types = zip(value.columns, map(str, value.types), strict=True)
    found = [_identifier(column) for column, kind in types if kind == "INTERVAL"]
    if found:
        seconds = ", ".join(f"epoch({column}) AS {column}" for column in found)
        raise ContractError(
            f"{', '.join(found)} of `{name}` is an interval, which no port keeps.",
            next_step=f"{name} = {name}.project({f'* REPLACE ({seconds})'!r})  # as seconds",
            column=found[0],
        )


def in_polars(name: str, value: Any, error: ContractError) -> ContractError:
    """Return a refusal whose next step, where it is a part of a line, is the whole line."""
    found = _STEP.fullmatch(error.next_step)
    if found is None:
        return error
    more = (found["more"] or "").lstrip(";, ")
    step = f"{name} = {_polars(name, value)}{found['code']}{f'  # {more}' if more else ''}"
    return ContractError(error.message, next_step=step, **error.facts)


def _polars(name: str, value: Any) -> str:
    """Return the expression that makes a Polars frame of a frame."""
    module = type(value).__module__.partition(".")[0]
    if module in ("duckdb", "_duckdb"):
        return f"{name}.pl()"
    return f"pl.from_arrow({name})" if module == "pyarrow" else name


def _text(name: str) -> str:
    return f'"{name}"' if name.isprintable() and not {'"', "\\"} & {*name} else repr(name)


def _identifier(name: str) -> str:
    from sqlglot import exp

    plain = name.isidentifier()
    return exp.to_identifier(name, quoted=not plain).sql("duckdb")
