"""The type in which a port stores a column: by its physical type, else by its logical one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.errors import ContractError
from mesh_notebook.model.types.names import GENERIC
from mesh_notebook.model.types.spelling import Spelled, spelled

if TYPE_CHECKING:
    from mesh_notebook.model.column import Column

__all__ = ["UnknownType", "is_known", "stored_as"]

# ODCS says less than a physical type; these are its widest readings.
_BY_LOGICAL = {
    "string": Spelled("VARCHAR"),
    "integer": Spelled("BIGINT"),
    "number": Spelled("DOUBLE"),
    "boolean": Spelled("BOOLEAN"),
    "date": Spelled("DATE"),
    "timestamp": Spelled("TIMESTAMP_TZ"),
    # Delta has no time of day: it is a text, `08:30:00`, which sorts as it should.
    "time": Spelled("VARCHAR", "local-time"),
}


class UnknownType(ContractError):
    """A column of which no type is known."""


def stored_as(column: Column) -> Spelled:
    """Return what stores a column's values.

    Raises
    ------
    UnknownType
        Neither its physical nor its logical type says one.
    """
    found = _spelled(column)
    if found is not None:
        return found
    if column.said_logical_type or not column.physical_type:
        return _by_logical(column)
    raise UnknownType(
        f"the physical type '{column.physical_type}' of column '{column.name}' is not known.",
        next_step="give it a logicalType, or a physicalType such as VARCHAR, BIGINT, DOUBLE, "
        "DECIMAL(10,2), DATE, TIMESTAMP_TZ, VARCHAR[]",
        column=column.name,
    )


def is_known(column: Column) -> bool:
    """Say whether a column's physical type is understood, or left to `items` and `properties`."""
    name = column.physical_type.strip().upper()
    return name in GENERIC or not name or _spelled(column) is not None


def _spelled(column: Column) -> Spelled | None:
    said = column.physical_type
    if not said:
        return None
    return spelled(said, column.dialect, column.said_logical_type)


def _by_logical(column: Column) -> Spelled:
    logical = column.logical_type.lower()
    if logical == "array" and (items := column.items) is not None:
        return Spelled(f"{stored_as(items).physical}[]")
    if logical == "object" and column.parts:
        return Spelled(_struct(column.parts))
    if logical in _BY_LOGICAL:
        return _BY_LOGICAL[logical]
    if (found := spelled(logical, column.dialect)) is not None:  # `decimal`, as some write
        return found
    if logical in ("object", "map"):
        return Spelled("VARCHAR", "json")  # of which nothing is said
    raise UnknownType(
        f"column '{column.name}' is {column.logical_type}, which says no one type.",
        next_step="give it a physicalType, for example VARCHAR[]"
        + (", or items" if logical == "array" else ""),
        column=column.name,
    )


def _struct(parts: tuple[Column, ...]) -> str:
    from sqlglot import exp

    names = (exp.to_identifier(part.name, quoted=True).sql("duckdb") for part in parts)
    fields = (f"{n} {stored_as(p).physical}" for n, p in zip(names, parts, strict=True))
    return f"STRUCT({', '.join(fields)})"
