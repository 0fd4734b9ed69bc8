"""Which columns of a contract's tables mean columns of its other tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesh_notebook.model.document import custom, listed

__all__ = ["Pointer", "Reference", "connected", "pointers", "references", "tied"]

# ODCS writes `table.column` by names, or `schema/ID/properties/ID` by stable ids.
_BY_NAME = re.compile(r"([^./]+)\.([^./]+)")
_BY_ID = re.compile(r"/?schema/([^/]+)/properties/([^/]+)")
# Of another contract, by its file or its id, and then the same within it; or a column's URN.
_OF_ANOTHER = re.compile(r"[^#]*#/?schema/([^/]+)/properties/([^/]+)")
_URN = re.compile(r"(urn:[^#]+)#([^#/]+)")


@dataclass(frozen=True)
class Reference:
    """A column whose values are those of a column of another table, by their names."""

    table: str
    column: str
    to_table: str
    to_column: str


@dataclass(frozen=True)
class Pointer:
    """A column whose values are those of a column that another contract describes.

    Attributes
    ----------
    to : str
        As the contract writes it.
    table, to_column : str
        What it names: a table, or the URN of a contract, and a column of it.
    """

    column: str
    to: str
    table: str
    to_column: str


def pointers(contract: dict[str, Any]) -> tuple[Pointer, ...]:
    """Return the relationships of a contract's first table that lead out of the contract."""
    tables = listed(contract, "schema")
    found = []
    for (table, column), to in _said(tables):
        mine = bool(tables) and table == tables[0]["name"] and bool(column)
        if mine and _reference(tables, (table, column), to) is None and (named := _named(to)):
            found.append(Pointer(column, to, *named))
    return tuple(found)


def _named(to: str) -> tuple[str, str] | None:
    for form in (_URN, _OF_ANOTHER, _BY_ID, _BY_NAME):
        if match := form.fullmatch(to):
            return match[1], match[2]
    return None


def tied(
    contract: dict[str, Any], columns: dict[str, tuple[str, dict[str, Any]]]
) -> dict[str, Any]:
    """Return a contract in whose first table some columns carry the URN of what they mean.

    Parameters
    ----------
    columns : dict
        By column: the URN, and what else its property is to say where it says nothing itself.
    """
    first, *others = listed(contract, "schema")
    properties = [
        {**columns[p["name"]][1], **_with_urn(p, columns[p["name"]][0])}
        if p["name"] in columns
        else p
        for p in listed(first, "properties")
    ]
    return {**contract, "schema": [{**first, "properties": properties}, *others]}


def _with_urn(column: dict[str, Any], urn: str) -> dict[str, Any]:
    said = {"property": "targetUrn", "value": urn}
    own = listed(column, "relationships")
    if any(custom(one, "targetUrn") for one in own):
        return column
    if any(one.get("url") == urn for one in listed(column, "authoritativeDefinitions")):
        return column
    if not own:  # the table says what it is tied to
        own = [{"to": _shorthand(urn)}]
    one, *more = own
    others = listed(one, "customProperties")
    return {**column, "relationships": [{**one, "customProperties": [*others, said]}, *more]}


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
    return {**column, "relationships": [{"to": _shorthand(urn), **said}, *own]}


def _shorthand(urn: str) -> str:
    """Return a column of another contract as the standard lets one be named: `table.column`."""
    where, _, column = urn.partition("#")
    names = (re.split(r"[:/]", where)[-1], column)
    return ".".join(re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII) for name in names)


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
