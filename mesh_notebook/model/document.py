"""YAML documents of open standards: read safely, checked by schema, written in a stable order."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from mesh_notebook.errors import SpecError

__all__ = ["custom", "digest", "parse_yaml", "set_custom", "to_yaml", "validate"]

_SCHEMAS = {
    "DataContract": "odcs-json-schema-v3.1.0.bitol.json",
    "DataProduct": "odps-json-schema-v1.0.0.bitol.json",
}


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """Return the mapping in a YAML text; `where` names it in errors."""
    import yaml

    try:
        # The same safe loader, in C where PyYAML was built with it: every read of a port parses.
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise _no_yaml(error, where) from None
    if not isinstance(document, dict):
        raise SpecError(
            f"{where} holds no mapping, so it is no specification.",
            next_step="write it as NAME: VALUE, a field a line",
            where=where,
        )
    return document


def _no_yaml(error: Any, where: str) -> SpecError:
    mark = getattr(error, "problem_mark", None)
    place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    said = getattr(error, "problem", None) or str(error).splitlines()[0]
    return SpecError(
        f"{where}{place}: this is not valid YAML: {said}.",
        next_step="mend it there; look for a bracket or a quote that is not closed, or a tab",
        where=where,
    )


def to_yaml(document: dict[str, Any]) -> str:
    """Write a document in its own key order, one way only, so that equal means equal bytes."""
    import yaml

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def digest(document: object) -> str:
    """Return the SHA-256 (hex) of a JSON-like value, whatever the order of its keys."""
    import hashlib

    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def validate(document: dict[str, Any], where: str) -> None:
    """Check a document against the JSON Schema of its `kind`.

    Raises
    ------
    SpecError
        With the path and the reason of each finding, at most five.
    """
    kind = document.get("kind")
    if kind not in _SCHEMAS:
        raise SpecError(
            f"{where} is of kind {kind!r}, which is not known.",
            next_step=f"known kinds: {', '.join(_SCHEMAS)}",
            where=where,
        )
    findings = sorted(_validator(kind).iter_errors(_plain(document)), key=lambda e: list(e.path))
    if findings:
        lines = [
            f"  {'/'.join(map(str, e.absolute_path)) or '(top)'}: {e.message[:160]}"
            for e in findings[:5]
        ]
        raise SpecError(
            f"{where} does not follow its standard:\n" + "\n".join(lines),
            next_step="mend the fields named above",
            where=where,
            findings=[e.message for e in findings],
        )


@cache
def _validator(kind: str) -> Any:
    from jsonschema import Draft201909Validator

    text = (files("mesh_notebook.model") / "schemas" / _SCHEMAS[kind]).read_text("utf-8")
    return Draft201909Validator(json.loads(text))


def _plain(document: object) -> Any:
    # YAML reads 2026-01-15 as a date; JSON Schema knows only text.
    return json.loads(json.dumps(document, default=lambda v: v.isoformat()))


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
