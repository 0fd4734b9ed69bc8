"""A contract that tells nothing of the values of its rows: names, types, keys and meaning alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_notebook.model.contract import Contract

__all__ = ["valueless"]

# What is said of a column whatever its rows hold. A list of what may stay, since a contract may
# have fields that we do not know.
_KEPT = frozenset(
    (
        *("id", "name", "physicalName", "businessName", "description", "tags", "classification"),
        *("logicalType", "physicalType", "required", "unique", "primaryKey", "primaryKeyPosition"),
        *("partitioned", "partitionKeyPosition", "criticalDataElement", "encryptedName"),
        *("authoritativeDefinitions", "relationships", "logicalTypeOptions", "quality"),
        *("properties", "items"),
    )
)
_OPTIONS = frozenset(("format", "timezone", "defaultTimezone"))
_METRICS = frozenset(("nullValues", "duplicateValues", "rowCount"))


def valueless(contract: Contract) -> Contract:
    """Return a contract less what its limits, lists, patterns, examples and queries tell of rows.

    Who wrote them, the rows or a hand, a contract does not say.
    """
    raw = contract.edited()
    for table in raw.get("schema") or ():
        _cut_rules(table)
        table["properties"] = [_column(one) for one in table.get("properties") or ()]
        table.pop("customProperties", None)
    return Contract(raw, contract.where)


def _column(raw: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in raw.items() if name in _KEPT}
    options = made.pop("logicalTypeOptions", None) or {}
    if kept := {name: value for name, value in options.items() if name in _OPTIONS}:
        made["logicalTypeOptions"] = kept
    _cut_rules(made)
    if made.get("properties"):
        made["properties"] = [_column(one) for one in made["properties"]]
    if made.get("items"):
        made["items"] = _column(made["items"])
    return made


def _cut_rules(raw: dict[str, Any]) -> None:
    if rules := [rule for rule in raw.pop("quality", None) or () if _tells_none(rule)]:
        raw["quality"] = rules


def _tells_none(rule: Mapping[str, Any]) -> bool:
    known = (rule.get("metric") or rule.get("rule")) in _METRICS and not rule.get("query")
    return known and set(rule.get("arguments") or ()) <= {"properties"}
