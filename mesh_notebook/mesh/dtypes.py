"""The types of a contract (ODCS logical, DuckDB physical) and of a Polars frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mesh_notebook.errors import ContractError

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Column

__all__ = ["column_dtype", "logical_type", "physical_type", "polars_dtype"]

_PHYSICAL = {
    "Boolean": "BOOLEAN",
    "Int8": "TINYINT",
    "Int16": "SMALLINT",
    "Int32": "INTEGER",
    "Int64": "BIGINT",
    # Delta has no unsigned integers: the next wider signed type holds every value.
    "UInt8": "SMALLINT",
    "UInt16": "INTEGER",
    "UInt32": "BIGINT",
    "UInt64": "DECIMAL(20,0)",
    "Float32": "FLOAT",
    "Float64": "DOUBLE",
    "String": "VARCHAR",
    "Categorical": "VARCHAR",
    "Enum": "VARCHAR",
    "Binary": "BLOB",
    "Date": "DATE",
}
# Named so that the public checkers of ODCS understand them too, as they do not DuckDB's own.
_INSTANT = "TIMESTAMP_TZ"
_NAIVE = "TIMESTAMP_NTZ"
_SYNONYMS = {
    "TEXT": "VARCHAR",
    "STRING": "VARCHAR",
    "INT": "INTEGER",
    "LONG": "BIGINT",
    "REAL": "FLOAT",
    "BOOL": "BOOLEAN",
    "TIMESTAMPTZ": _INSTANT,
    "TIMESTAMP WITH TIME ZONE": _INSTANT,
    "TIMESTAMP": _INSTANT,  # ODCS: a timestamp that says no zone is UTC
    "DATETIME": _INSTANT,
}
_DEEPEST = 20  # lists in each other that a column may hold
_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+),\s*(\d+)\)", re.IGNORECASE)


def physical_type(dtype: pl.DataType) -> str:
    """Return the physical type in which a snapshot stores a Polars dtype, without loss.

    Raises
    ------
    ContractError
        No snapshot can hold the type (a duration, a time of day, an object).
    """
    import polars as pl

    if isinstance(dtype, pl.Datetime):
        return _INSTANT if dtype.time_zone else _NAIVE
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision or 38},{dtype.scale})"
    if isinstance(dtype, pl.List):
        return f"{physical_type(dtype.inner)}[]"  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct):
        inner = ", ".join(f"{_quoted(f.name)} {physical_type(f.dtype)}" for f in dtype.fields)  # type: ignore[arg-type]
        return f"STRUCT({inner})"
    name = type(dtype).__name__
    if name in _PHYSICAL:
        return _PHYSICAL[name]
    raise ContractError(
        f"a column of type {dtype} cannot be part of a contract.",
        next_step="cast it to a number, a string, a date, a UTC datetime, or a list of these",
    )


def _quoted(name: str) -> str:
    from sqlglot import exp

    return exp.to_identifier(name, quoted=True).sql("duckdb")


def logical_type(dtype: pl.DataType) -> str:
    """Return ODCS's logical type of a Polars dtype."""
    import polars as pl

    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    if isinstance(dtype, pl.Datetime):
        return "timestamp"
    if isinstance(dtype, (pl.List, pl.Array)):
        return "array"
    if isinstance(dtype, pl.Struct):
        return "object"
    named = {"Boolean": "boolean", "Date": "date", "Time": "time"}
    return named.get(type(dtype).__name__, "string")


def polars_dtype(physical: str) -> pl.DataType:
    """Return the Polars dtype of a physical type; instants are microseconds, UTC."""
    import polars as pl

    name = physical.strip().upper()
    name = _SYNONYMS.get(name, name)
    if name.endswith("[]" * _DEEPEST):
        raise ContractError(f"a physical type has {_DEEPEST} lists or more in each other.")
    if name.endswith("[]"):
        return pl.List(polars_dtype(physical.strip()[:-2]))  # a field keeps its own case
    if name == _INSTANT:
        return pl.Datetime("us", "UTC")
    if name == _NAIVE:
        return pl.Datetime("us")
    if name.startswith("STRUCT("):
        return pl.Struct(_fields(physical.strip()))
    if (match := _DECIMAL.fullmatch(name)) and _is_storable(int(match[1]), int(match[2])):
        return pl.Decimal(int(match[1]), int(match[2]))
    if name.startswith("VARCHAR("):
        return pl.String()
    # Several dtypes share a physical type; the plain one stands first in the table.
    for polars_name, duck_name in _PHYSICAL.items():
        if duck_name == name:
            dtype: pl.DataType = getattr(pl, polars_name)()
            return dtype
    raise ContractError(
        f"the physical type '{physical}' is not known.",
        next_step=f"known: {', '.join(sorted(set(_PHYSICAL.values())))}, "
        f"{_INSTANT}, {_NAIVE}, DECIMAL(p,s), and TYPE[]",
    )


def _is_storable(precision: int, scale: int) -> bool:
    return 1 <= precision <= 38 and scale <= precision


def _fields(physical: str) -> dict[str, pl.DataType]:
    """Return the fields of `STRUCT("x" BIGINT, …)`, as DuckDB writes it."""
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = exp.DataType.build(physical, dialect="duckdb")
    except SqlglotError:
        raise ContractError(
            f"the physical type '{physical}' is not known.", next_step='write STRUCT("x" BIGINT)'
        ) from None
    return {
        field.name: polars_dtype(field.args["kind"].sql("duckdb")) for field in parsed.expressions
    }


def column_dtype(column: Column) -> pl.DataType:
    """Return the Polars dtype of a contract's column: by its physical type, else its logical.

    Raises
    ------
    ContractError
        Neither says one.
    """
    from mesh_notebook.model.types import stored_as

    if _is_ours(column.physical_type) and column.dialect in ("", "duckdb"):
        return polars_dtype(column.physical_type)
    return polars_dtype(stored_as(column).physical)


def _is_ours(physical: str) -> bool:
    """Say whether a physical type is spelled as we write it."""
    try:
        return bool(physical) and polars_dtype(physical) is not None
    except ContractError:
        return False
