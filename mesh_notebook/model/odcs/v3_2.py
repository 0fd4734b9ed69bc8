"""v3.2 as v3.1 can say it: its new words go to custom properties of the same name.

Two of them are also rules. An `enum` is the rule that no value is another one; a `map` is a list of
keys with their values, and a `vector` a list of numbers.
"""

from __future__ import annotations

from typing import Any

from mesh_notebook.model.odcs.walking import mapped

__all__ = ["from_v3_2"]

_OF_THE_TOP = ("context",)
_OF_ELEMENTS = ("context", "synonyms", "deprecated", "semanticType", "enum", "map")


def from_v3_2(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of v3.2 as v3.1 says it."""
    changed = _moved(mapped(document, _element), _OF_THE_TOP)
    return changed if "status" in changed else {**changed, "status": "draft"}


def _element(element: dict[str, Any]) -> dict[str, Any]:
    changed = {**element, **_listed(element)}
    if allowed := _allowed(element):
        rule = {
            "type": "library",
            "metric": "invalidValues",
            "mustBe": 0,
            "arguments": {"validValues": allowed},
        }
        changed["quality"] = [*(element.get("quality") or []), rule]
    return _moved(changed, _OF_ELEMENTS)


def _allowed(element: dict[str, Any]) -> list[Any]:
    """Return the values of an `enum`, where it is one as the standard has it."""
    listed = element.get("enum")
    if not isinstance(listed, list) or not isinstance(element.get("quality") or [], list):
        return []
    return [one["value"] for one in listed if isinstance(one, dict) and "value" in one]


def _listed(element: dict[str, Any]) -> dict[str, Any]:
    """Return a map or a vector as the list that it is, for `logicalType` and `items`."""
    if element.get("logicalType") == "vector":
        return {"logicalType": "array", "items": {"logicalType": "number"}}
    both = element.get("map")
    if element.get("logicalType") != "map" or not isinstance(both, dict):
        return {}
    entry = [
        {"name": name, **_element(part), "required": name == "key"}
        for name in ("key", "value")
        if isinstance(part := both.get(name), dict)
    ]
    return {"logicalType": "array", "items": {"logicalType": "object", "properties": entry}}


def _moved(element: dict[str, Any], words: tuple[str, ...]) -> dict[str, Any]:
    """Return an element whose fields of these names are custom properties of the same names."""
    moved = [{"property": name, "value": element[name]} for name in words if name in element]
    if not moved:
        return element
    kept = {name: value for name, value in element.items() if name not in words}
    own = element.get("customProperties")
    return {**kept, "customProperties": [*(own if isinstance(own, list) else []), *moved]}
