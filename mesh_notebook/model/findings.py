"""What a JSON Schema finds in a document, told to people: where, what, and each thing once.

Of an object that breaks one rule, a schema takes every field for unknown. So what is found is put
right in a copy, round by round, and a field is told as unknown once nothing else is wrong with the
object that it is in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

__all__ = ["all_of", "in_words", "innermost", "path_of"]

_PARENTS_TOO = ("unevaluatedProperties", "unevaluatedItems")
_NAMES_TOO_MUCH = (*_PARENTS_TOO, "additionalProperties")
_MISSING = re.compile(r'"([^"]*)" is a required')
_NAMED = re.compile(r"'((?:[^'\\]|\\.)*)'")
_LONGEST = 120
_ROUNDS = 8
_PLACEHOLDERS: tuple[Any, ...] = ("x", 1, [], {}, True)


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


def all_of(validator: Any, plain: Any) -> list[Any]:
    """Return all that a schema finds in plain data, each thing by itself.

    Parameters
    ----------
    plain : object
        Is put right on the way: what is unknown or of another type is gone from it, and what is
        missing is there.
    """
    told: list[Any] = []
    guessed: dict[tuple[Any, ...], int] = {}
    for _ in range(_ROUNDS):
        findings = list(validator.iter_errors(plain))
        for finding in findings:
            if _follows(finding, findings):
                continue  # asked again once the rest is right
            if not _is_guess(finding, guessed):
                told.append(finding)
            _put_right(plain, finding, guessed)
        if not findings:
            break
    return told


def _is_guess(finding: Any, guessed: dict[tuple[Any, ...], int]) -> bool:
    """Say whether a finding is of what was put there, or taken away, on the way."""
    path = tuple(finding.instance_path)
    if _within_guess(path, guessed):
        return True
    if finding.schema_path[-1] == "required":
        return path in guessed or all(
            (*path, name) in guessed for name in _MISSING.findall(finding.message)
        )
    return path in guessed


def _within_guess(path: tuple[Any, ...], guessed: dict[tuple[Any, ...], int]) -> bool:
    """Say whether a place lies inside what was put there on the way."""
    return any(path[:length] in guessed for length in range(1, len(path)))


def _follows(finding: Any, findings: list[Any]) -> bool:
    """Say whether a field may be unknown only because something else is wrong there, or inside."""
    if finding.schema_path[-1] not in _PARENTS_TOO:
        return False
    path = tuple(finding.instance_path)
    others = ((tuple(one.instance_path), one.schema_path[-1]) for one in findings)
    return any(
        other[: len(path)] == path and (len(other) > len(path) or word not in _PARENTS_TOO)
        for other, word in others
    )


def _put_right(plain: Any, finding: Any, guessed: dict[tuple[Any, ...], int]) -> None:
    """Change plain data so that it is not found again, where one can tell how."""
    path = tuple(finding.instance_path)
    owes = finding.schema_path[-1] == "required"
    if _within_guess(path, guessed) or (owes and path in guessed):
        return  # what stands in for a value is not filled: it may owe what it is itself, for ever
    try:
        here = _at(plain, path)
        if finding.schema_path[-1] in _NAMES_TOO_MUCH:
            for name in _NAMED.findall(finding.message):
                here.pop(name, None)
        elif owes:
            for name in _MISSING.findall(finding.message):
                guessed[(*path, name)] = guessed.get((*path, name), -1) + 1
                here[name] = _PLACEHOLDERS[guessed[(*path, name)]]
        elif path in guessed:
            guessed[path] += 1
            _at(plain, path[:-1])[path[-1]] = _PLACEHOLDERS[guessed[path]]
        elif path:
            guessed[path] = -1  # that it is missing then is no finding
            _without(_at(plain, path[:-1]), path[-1])
    except (LookupError, TypeError, AttributeError):
        return  # it is gone, or no such value would do


def _at(plain: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        plain = plain[part]
    return plain


def _without(holder: Any, part: Any) -> None:
    if isinstance(holder, dict):
        del holder[part]
    else:
        holder[part] = {}  # so that the others keep their places


def path_of(finding: Any) -> str:
    return "/".join(map(str, finding.instance_path))


def in_words(findings: Iterable[Any], standard: str) -> tuple[str, ...]:
    """Return sentences for what a document has beyond its standard.

    A field that many columns have is told once, with the first place and how many more there are.
    """
    places: dict[str, dict[str, None]] = {}
    for finding in findings:
        for said in _said(finding, standard):
            places.setdefault(said, {})[path_of(finding) or "the top"] = None
    return tuple(f"{said} ({_places(sorted(at))})" for said, at in places.items())


def _said(finding: Any, standard: str) -> Iterable[str]:
    if finding.schema_path[-1] in _NAMES_TOO_MUCH:
        names = _NAMED.findall(finding.message)
        return [f"`{name}` is no field of {standard}; it is kept, not read" for name in names]
    if finding.schema_path[-1] == "required":
        names = _MISSING.findall(finding.message)
        return [f"`{name}` is missing, which {standard} demands" for name in names]
    value = json.dumps(finding.instance, ensure_ascii=False)
    what = finding.message.removeprefix(value).strip()
    field = path_of(finding).rsplit("/", 1)[-1]
    return [f"`{field}: {_short(value)}` is not what {standard} has there: {_short(what)}"]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _places(at: list[str]) -> str:
    return at[0] if len(at) == 1 else f"{at[0]} and {len(at) - 1} more"
