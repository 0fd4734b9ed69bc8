"""Every table and property of a document, changed by a function; nothing of the document is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Change", "mapped", "renamed"]

Change = Callable[[dict[str, Any]], dict[str, Any]]


def mapped(document: dict[str, Any], change: Change) -> dict[str, Any]:
    """Return a document with each table and each property changed, the innermost first.

    What is not of the shape that the standard gives it is let be.
    """
    return {**document, **_each(document, "schema", lambda t: _element(t, change))}


def _element(element: dict[str, Any], change: Change) -> dict[str, Any]:
    inner = _each(element, "properties", lambda p: _element(p, change))
    if isinstance(items := element.get("items"), dict):
        inner["items"] = _element(items, change)
    return change({**element, **inner})


def _each(holder: dict[str, Any], name: str, change: Change) -> dict[str, Any]:
    """Return `{name: list}` with each mapping of the list changed; empty where there is no list."""
    if not isinstance(listed := holder.get(name), list):
        return {}
    return {name: [change(one) if isinstance(one, dict) else one for one in listed]}


def renamed(raw: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    """Return a mapping in its own order with other names; a name that is there already stays."""
    return {
        (words[name] if name in words and words[name] not in raw else name): value
        for name, value in raw.items()
    }
