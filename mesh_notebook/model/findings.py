"""What a JSON Schema finds in a document, told to people: where, what, and each thing once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

__all__ = ["in_words", "innermost", "path_of"]

_PARENTS_TOO = ("unevaluatedProperties", "unevaluatedItems")
_NAMES_TOO_MUCH = (*_PARENTS_TOO, "additionalProperties")
_NAMED = re.compile(r"'((?:[^'\\]|\\.)*)'")
_LONGEST = 120


def innermost(findings: Iterable[Any]) -> list[Any]:
    """Return the findings that are no mere consequence of others, in the order of their paths.

    Of an object that breaks a rule of its own, no property counts as evaluated; so all that it lies
    in is found to hold what is not allowed.
    """
    found = {(tuple(map(str, e.instance_path)), e.message): e for e in findings}
    paths = {path for path, _ in found}

    def follows(path: tuple[str, ...], finding: Any) -> bool:
        inner = (other for other in paths if len(other) > len(path))
        return finding.schema_path[-1] in _PARENTS_TOO and any(
            other[: len(path)] == path for other in inner
        )

    return [found[one] for one in sorted(found) if not follows(one[0], found[one])]


def path_of(finding: Any) -> str:
    return "/".join(map(str, finding.instance_path))


def in_words(findings: Iterable[Any], standard: str) -> tuple[str, ...]:
    """Return sentences for what a document has beyond its standard.

    A field that many columns have is told once, with the first place and how many more there are.
    """
    places: dict[str, list[str]] = {}
    for finding in findings:
        for said in _said(finding, standard):
            places.setdefault(said, []).append(path_of(finding) or "the top")
    return tuple(f"{said} ({_places(at)})" for said, at in places.items())


def _said(finding: Any, standard: str) -> Iterable[str]:
    if finding.schema_path[-1] in _NAMES_TOO_MUCH:
        names = _NAMED.findall(finding.message)
        return [f"`{name}` is no field of {standard}; it is kept, not read" for name in names]
    if finding.schema_path[-1] == "required":
        names = re.findall(r'"([^"]*)" is a required', finding.message)
        return [f"`{name}` is missing, which {standard} demands" for name in names]
    value = json.dumps(finding.instance, ensure_ascii=False)
    what = finding.message.removeprefix(value).strip()
    field = path_of(finding).rsplit("/", 1)[-1]
    return [f"`{field}: {_short(value)}` is not what {standard} has there: {_short(what)}"]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _places(at: list[str]) -> str:
    return at[0] if len(at) == 1 else f"{at[0]} and {len(at) - 1} more"
