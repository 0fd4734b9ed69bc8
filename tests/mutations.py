"""Documents that are almost right: one valid contract or product, changed in a few places.

Two kinds of change: of the tree (a value that is gone, doubled, of another type, under another
name, nested once more) and of the text (a sign that is gone, doubled or another, a part cut off).
"""

from __future__ import annotations

import copy
import random
from typing import Any

import yaml

__all__ = ["mutated"]

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 3, 0.5, -0.0, 1e308, float("nan"), float("inf"), 10**40),
    *("", " ", "0", "x" * 10_000, "a\0b", "é\u202e", "../..", "urn:dmesh:a:b:c", "2026-13-45"),
    *("SELECT 1; DROP TABLE t", "${column}", "{object}", "[", "*", "~", "v2.2.2", "DECIMAL(99,3)"),
    *("STRUCT(a", "VARCHAR[][]", "timestamp", "array", "object", "(?<", "P1D", "-1", "1e999"),
    *([], {}, [[]], [None], {"": ""}, {"name": None}, [{"property": "mock"}], {"a": {"b": {}}}),
)
_SIGNS = "\0\t\n :-[]{}&*!|>'\"%@`#?,é\u2028a0"
_KEYS = ("name", "type", "value", "property", "arguments", "quality", "properties", "items", "id")


def mutated(text: str, seed: int) -> str:
    """Return a document with one to three changes, the same for the same seed."""
    chance = random.Random(seed)
    if chance.random() < 0.25:
        return _of_the_text(text, chance)
    document = copy.deepcopy(yaml.safe_load(text))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _change(document, chance)
    try:
        return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    except yaml.YAMLError:
        return text


def _of_the_text(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text))
    end = min(len(text), place + chance.choice((1, 1, 5, 80)))
    match chance.randrange(5):
        case 0:
            return text[:place]
        case 1:
            return text[:place] + text[end:]
        case 2:
            return text[:end] + text[place:]
        case 3:
            return text[:place] + chance.choice(_SIGNS) + text[place + 1 :]
        case _:
            return text[:place] + chance.choice(_SIGNS) * chance.choice((1, 2, 200)) + text[place:]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return each container of a tree with each of its keys."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += _places(value[key])
    return found


def _change(document: Any, chance: random.Random) -> None:
    if not (places := _places(document)):
        return
    at, key = chance.choice(places)
    match chance.randrange(8):
        case 0:
            del at[key]
        case 1 | 2 | 3:
            at[key] = copy.deepcopy(chance.choice(_ODD))
        case 4:
            at[key] = [at[key]] if chance.random() < 0.5 else {chance.choice(_KEYS): at[key]}
        case 5:
            other, name = chance.choice(places)
            at[key] = copy.deepcopy(other[name])
        case 6 if isinstance(at, list):
            at.append(copy.deepcopy(at[key]))
        case 6:
            at[chance.choice(_KEYS)] = at.pop(key)
        case _:
            at[key] = str(at[key]) if not isinstance(at[key], str) else at[key].swapcase()
