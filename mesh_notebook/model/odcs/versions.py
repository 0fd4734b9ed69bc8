"""Which version of ODCS a document is of, and the same document as v3.1 says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mesh_notebook.model.odcs.v2 import from_v2
from mesh_notebook.model.odcs.v3_0 import from_v3_0
from mesh_notebook.model.odcs.v3_2 import from_v3_2
from mesh_notebook.model.odcs.walking import renamed

__all__ = ["ODCS_VERSION", "VERSIONS", "as_v3_1", "in_our_words", "version_of"]

ODCS_VERSION = "v3.1.0"
VERSIONS = (
    *("v2.2.0", "v2.2.1", "v2.2.2"),
    *("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"),
)
_SPELLED = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)?")
_FAMILIES = ("2.2", "3.0", "3.1", "3.2")


def version_of(document: dict[str, Any]) -> str | None:
    """Return the family of a document (`2.2`, `3.0`, `3.1`, `3.2`), or None where it is not read.

    `3.1`, `3.1.0` and `v3.1.4` are v3.1. One that names no version is told by its words.
    """
    if "apiVersion" not in document:
        return "2.2" if {"dataset", "uuid"} & document.keys() else "3.1"
    said = document["apiVersion"]
    match = _SPELLED.fullmatch(said) if isinstance(said, str) else None
    family = f"{match[1]}.{match[2]}" if match else ""
    return family if family in _FAMILIES else None


def as_v3_1(document: dict[str, Any], family: str) -> dict[str, Any]:
    """Return a document of some family as v3.1 says it; what has no word there is kept."""
    raw = _FROM[family](document)
    if "apiVersion" not in raw:
        return {"apiVersion": ODCS_VERSION, **raw}
    return {**raw, "apiVersion": ODCS_VERSION}


def in_our_words(document: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a document whose tables have `properties`, and what was said otherwise.

    Some write the words of v2 in documents of v3; nothing else could be meant by them.
    """
    tables = document.get("schema")
    if not isinstance(tables, list) or not any(_has_columns(one) for one in tables):
        return document, ()
    changed = [renamed(t, {"columns": "properties"}) if _has_columns(t) else t for t in tables]
    told = "`columns` is v2's word for `properties`; it is read, and written, as that (schema)"
    return {**document, "schema": changed}, (told,)


def _has_columns(table: Any) -> bool:
    return isinstance(table, dict) and "columns" in table and "properties" not in table


def _plainly(document: dict[str, Any]) -> dict[str, Any]:
    return from_v3_0(document)  # what v3.0 deprecated is still written in documents of v3.1


_FROM: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "2.2": from_v2,
    "3.0": from_v3_0,
    "3.1": _plainly,
    "3.2": from_v3_2,
}
