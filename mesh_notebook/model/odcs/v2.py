"""v2.2 as v3.1 says it, word by word; a field that has no word there is a custom property.

Tables were `dataset`, properties `columns`, and a type was whatever the platform called it. The
rules of v2 name a tool that runs them: they are `custom` rules of that engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mesh_notebook.model.odcs.walking import renamed

__all__ = ["from_v2"]

_TOP = {
    "uuid": "id",
    "datasetName": "name",
    "datasetDomain": "domain",
    "quantumName": "dataProduct",
    "stakeholders": "team",
    "slaDefaultColumn": "slaDefaultElement",
    "dataset": "schema",
}
_KEPT_AT_THE_TOP = (
    *("apiVersion", "kind", "version", "status", "tenant", "tags", "description", "price"),
    *("roles", "slaProperties", "authoritativeDefinitions", "customProperties"),
    "contractCreatedTs",
)
_TABLE = {
    "table": "name",
    "columns": "properties",
    "dataGranularity": "dataGranularityDescription",
}
_KEPT_OF_A_TABLE = (
    *("physicalName", "description", "authoritativeDefinitions", "tags", "quality"),
    "customProperties",
)
_COLUMN = {
    "column": "name",
    "isPrimary": "primaryKey",
    "isPrimaryKey": "primaryKey",
    "isUnique": "unique",
    "partitionStatus": "partitioned",
    "criticalDataElementStatus": "criticalDataElement",
    "encryptedColumnName": "encryptedName",
    "transformSourceTables": "transformSourceObjects",
    "sampleValues": "examples",
}
_KEPT_OF_A_COLUMN = (
    *("businessName", "logicalType", "logicalTypeOptions", "physicalType", "physicalName"),
    *("description", "classification", "authoritativeDefinitions", "tags", "quality"),
    *("primaryKeyPosition", "partitionKeyPosition", "transformLogic", "transformDescription"),
    *("required", "customProperties"),
)
_MEMBER = {"comment": "description"}
_POSITIONS = ("primaryKeyPosition", "partitionKeyPosition")
_DIMENSIONS = (
    *("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness"),
    "uniqueness",
)
_LOGICAL = ("string", "date", "timestamp", "time", "number", "integer", "object", "array")
# What v2 let one write for a logical type, by the word that v3.1 has for it.
_LOGICAL_OF = {
    **dict.fromkeys(("varchar", "char", "text", "uuid"), "string"),
    **dict.fromkeys(("int", "bigint", "long", "smallint", "tinyint"), "integer"),
    **dict.fromkeys(("double", "float", "decimal", "numeric", "real"), "number"),
    **dict.fromkeys(("bool", "boolean"), "boolean"),
    **dict.fromkeys(("datetime", "timestamptz"), "timestamp"),
    **dict.fromkeys(("struct", "record", "map"), "object"),
}


def from_v2(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of v2.2 as v3.1 says it."""
    raw = _said(document, _TOP, _KEPT_AT_THE_TOP)
    raw["schema"] = [_table(one) for one in _mappings(raw.get("schema"))]
    if "team" in raw:
        raw["team"] = [renamed(one, _MEMBER) for one in _mappings(raw["team"])]
    if "slaProperties" in raw:
        raw["slaProperties"] = [_promise(one) for one in _mappings(raw["slaProperties"])]
    return raw


def _table(table: dict[str, Any]) -> dict[str, Any]:
    raw = _said(table, _TABLE, _KEPT_OF_A_TABLE)
    raw["properties"] = [_column(one) for one in _mappings(raw.get("properties"))]
    return raw | _rules(raw)


def _column(column: dict[str, Any]) -> dict[str, Any]:
    """Return a column as a property; whether it is required is known only where it is said."""
    said = {n: v for n, v in column.items() if n not in ("isNullable", *_POSITIONS)}
    if isinstance(nullable := column.get("isNullable"), bool):
        said["required"] = not nullable
    raw = _said(said, _COLUMN, _KEPT_OF_A_COLUMN) | _positions(column)
    logical = str(raw.get("logicalType") or "").lower()
    if logical not in (*_LOGICAL, "boolean"):
        raw.pop("logicalType", None)
        raw |= {"logicalType": _LOGICAL_OF[logical]} if logical in _LOGICAL_OF else {}
        raw.setdefault("physicalType", column.get("logicalType") or "")
    return raw | _rules(raw)


def _positions(column: dict[str, Any]) -> dict[str, Any]:
    """Return the positions in keys; v2 wrote -1 for a column that is in none."""
    return {n: at for n in _POSITIONS if isinstance(at := column.get(n), int) and at >= 0}


def _rules(element: dict[str, Any]) -> dict[str, Any]:
    rules = _mappings(element.get("quality"))
    return {"quality": [_rule(one) for one in rules]} if rules else {}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "type": "custom",
        "engine": str(rule.get("toolName") or "unknown"),
        "implementation": rule,
    }
    if name := rule.get("code") or rule.get("templateName"):
        raw["name"] = str(name)
    if isinstance(said := rule.get("description"), str):
        raw["description"] = said
    if rule.get("dimension") in _DIMENSIONS:
        raw["dimension"] = rule["dimension"]
    return raw


def _promise(promise: dict[str, Any]) -> dict[str, Any]:
    return renamed(promise, {"column": "element"})


def _said(raw: dict[str, Any], words: dict[str, str], kept: Iterable[str]) -> dict[str, Any]:
    """Return a mapping in the words of v3.1; v2 wrote null for what is not said."""
    said = {name: value for name, value in raw.items() if value is not None}
    own = {name: value for name, value in said.items() if name in words or name in kept}
    rest = [{"property": n, "value": v} for n, v in said.items() if n not in own]
    changed = renamed(own, words)
    if rest:
        changed["customProperties"] = [*_mappings(changed.get("customProperties")), *rest]
    return changed


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
