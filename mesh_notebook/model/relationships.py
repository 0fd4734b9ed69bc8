"""Which columns of a contract's tables mean columns of its other tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesh_notebook.model.document import custom, listed

__all__ = ["Reference", "connected", "references"]

# ODCS writes `table.column` by names, or `schema/ID/properties/ID` by stable ids.
_BY_NAME = re.compile(r"([^./]+)\.([^./]+)")
_BY_ID = re.compile(r"/?schema/([^/]+)/properties/([^/]+)")


@dataclass(frozen=True)
class Reference:
    """A column whose values are those of a column of another table, by their names."""

    table: str
    column: str
    to_table: str
    to_column: str


def references(contract: dict[str, Any]) -> tuple[Reference, ...]:
    """Return the relationships of one column to one, which both lie in the contract."""
    tables = listed(contract, "schema")
    found = [_reference(tables, one, to) for one, to in _said(tables)]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def connected(contract: dict[str, Any], id_of: str) -> dict[str, Any]:
    """Return a contract whose references carry the URN of the column that they mean.

    Parameters
    ----------
    id_of : str
        What a table's own contract is called: a format with a place for its name.
    """
    targets = {
        (r.table, r.column): f"{id_of.format(r.to_table)}#{r.to_column}"
        for r in references(contract)
    }
    tables = [
        {
            **table,
            "properties": [
                _tied(column, targets.get((table["name"], column["name"])))
                for column in listed(table, "properties")
            ],
        }
        for table in listed(contract, "schema")
    ]
    return {**contract, "schema": tables}


def _tied(column: dict[str, Any], urn: str | None) -> dict[str, Any]:
    own = listed(column, "relationships")
    if urn is None or any(custom(one, "targetUrn") for one in own):
        return column
    said = {"customProperties": [{"property": "targetUrn", "value": urn}]}
    place = {"to": urn.rsplit("/", 1)[-1].replace("#", ".")}
    return {**column, "relationships": [{**place, **said}, *own]}


def _said(tables: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield each relationship as the table and column that has it, and what it points to."""
    for table in tables:
        for column in listed(table, "properties"):
            for one in listed(column, "relationships"):
                yield from _pairs((table["name"], column["name"]), None, one.get("to"))
        for one in listed(table, "relationships"):
            yield from _pairs((table["name"], ""), one.get("from"), one.get("to"))


def _pairs(here: tuple[str, str], start: Any, end: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield what one relationship ties; of a composite key each column is tied by itself."""
    starts = start if isinstance(start, list) else [start]
    ends = end if isinstance(end, list) else [end]
    for one, to in zip(starts, ends, strict=False):
        if isinstance(to, str):
            match = _BY_NAME.fullmatch(one) if isinstance(one, str) else None
            yield ((match[1], match[2]) if match else here), to


def _reference(tables: list[dict[str, Any]], here: tuple[str, str], to: str) -> Reference | None:
    match = _BY_NAME.fullmatch(to) or _BY_ID.fullmatch(to)
    if match is None or not here[1]:
        return None
    table = next((t for t in tables if match[1] in (t["name"], t.get("id"))), None)
    columns = listed(table or {}, "properties")
    column = next((c for c in columns if match[2] in (c["name"], c.get("id"))), None)
    if table is None or column is None or (table["name"], column["name"]) == here:
        return None
    return Reference(*here, str(table["name"]), str(column["name"]))
