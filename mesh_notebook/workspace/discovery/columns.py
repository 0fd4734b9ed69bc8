"""A port's contract as a node of the JSON-LD: its columns in CSVW, their meaning in SKOS."""

from __future__ import annotations

from typing import Any

from mesh_notebook.workspace.discovery import words
from mesh_notebook.workspace.discovery.described import ColumnCard, PortCard
from mesh_notebook.workspace.discovery.iris import about, individual, iri, node, refer

__all__ = ["contract_node"]

# ODCS's logical types, in those of XML Schema.
_DATATYPES = {
    "string": "string",
    "integer": "integer",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "dateTime",
    "time": "time",
}


def contract_node(card: PortCard) -> dict[str, Any]:
    contract = card.contract
    return node(
        iri(contract.id),
        ["dct:Standard", "csvw:Schema"],
        {
            "dct:identifier": contract.id,
            "dct:title": contract.name,
            "dct:description": contract.purpose,
            "dcat:version": contract.version,
            "csvw:primaryKey": list(contract.key),
            "mesh:rule": words.table_rules(contract),
            "csvw:column": [_column(card, one) for one in card.columns],
        },
    )


def _column(card: PortCard, one: ColumnCard) -> dict[str, Any]:
    column = one.column
    datatype = _DATATYPES.get(column.logical_type, "anyType")
    personal = "dprod:InformationSensitivityClassification"
    return node(
        about(card.address, column=column.name),
        "csvw:Column",
        {
            "csvw:name": column.name,
            "csvw:datatype": refer(f"http://www.w3.org/2001/XMLSchema#{datatype}"),
            "csvw:required": column.required,
            "dct:description": column.meaning,
            "skos:exactMatch": _meant(column.link) if column.link else {},
            "mesh:physicalType": column.physical_type,
            "mesh:unique": column.unique,
            "mesh:rule": words.rules_of(one),
            "mesh:sensitivity": individual("sensitivity", "personal", personal)
            if column.personal
            else {},
        },
    )


def _meant(link: str) -> dict[str, str]:
    """Return the column that is meant, named as its own product names it."""
    urn, _, name = link.partition("#")
    named = urn.startswith("urn:dmesh:") and name
    return {"@id": about(urn, column=name)} if named else refer(link)
