"""Documents of open standards: read safely, written in a stable order; their custom properties."""

from __future__ import annotations

import json
from typing import Any

from mesh_notebook.model.yaml_reading import parse_yaml

__all__ = ["custom", "digest", "listed", "parse_yaml", "set_custom", "to_yaml"]


def to_yaml(document: dict[str, Any]) -> str:
    """Write a document in its own key order, one way only, so that equal means equal bytes."""
    import yaml

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def digest(document: object) -> str:
    """Return the SHA-256 (hex) of a JSON-like value, whatever the order of its keys."""
    import hashlib

    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def listed(element: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the mappings of a list in an element; none where it is no list of them."""
    value = element.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def custom(element: dict[str, Any], name: str) -> Any:
    """Return the value of one of an element's `customProperties`, or None."""
    for entry in listed(element, "customProperties"):
        if entry.get("property") == name:
            return entry.get("value")
    return None


def set_custom(element: dict[str, Any], name: str, value: object) -> None:
    """Set one of an element's `customProperties`, in place; the others keep their order."""
    entries = element.get("customProperties") or []
    if isinstance(entries, dict):  # as others write them
        entries = [{"property": known, "value": said} for known, said in entries.items()]
    element["customProperties"] = entries
    for entry in entries:
        if entry.get("property") == name:
            entry["value"] = value
            return
    entries.append({"property": name, "value": value})
