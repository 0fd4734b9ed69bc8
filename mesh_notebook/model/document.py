"""Documents of open standards: read safely, written in a stable order; their custom properties."""

from __future__ import annotations

import json
from typing import Any

from mesh_notebook.model.yaml_reading import parse_yaml

__all__ = ["custom", "digest", "parse_yaml", "set_custom", "to_yaml"]


def to_yaml(document: dict[str, Any]) -> str:
    """Write a document in its own key order, one way only, so that equal means equal bytes."""
    import yaml

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def digest(document: object) -> str:
    """Return the SHA-256 (hex) of a JSON-like value, whatever the order of its keys."""
    import hashlib

    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def custom(element: dict[str, Any], name: str) -> Any:
    """Return the value of one of an element's `customProperties`, or None."""
    for entry in element.get("customProperties") or []:
        if entry.get("property") == name:
            return entry.get("value")
    return None


def set_custom(element: dict[str, Any], name: str, value: object) -> None:
    """Set one of an element's `customProperties`, in place; the others keep their order."""
    entries = element.setdefault("customProperties", [])
    for entry in entries:
        if entry.get("property") == name:
            entry["value"] = value
            return
    entries.append({"property": name, "value": value})
