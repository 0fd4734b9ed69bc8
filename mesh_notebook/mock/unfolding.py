"""A regular expression turned around: the strings of fixed length that it stands for."""

from __future__ import annotations

import importlib
import string
from itertools import product
from typing import Any

from mesh_notebook.mock.hints import LONGEST

__all__ = ["Beyond", "Shape", "unfolded"]

# Each place of a string, and the tokens that may stand there.
Shape = tuple[tuple[str, ...], ...]
_MOST_SHAPES = 4_096
_MOST_PLACES = 10_000_000  # of all shapes of one repeat
_MOST_GROWN = 100_000  # of shapes that grow repeat by repeat
_WORD = string.ascii_letters + string.digits + "_"
_PRINTABLE = string.ascii_letters + string.digits + "-_.:/ #+"


class Beyond(Exception):
    """The expression uses what has no shape."""


def unfolded(pattern: str, free: int) -> list[Shape]:
    """Return the shapes of a regular expression.

    Parameters
    ----------
    free : int
        How far past its least number an open-ended repeat goes.

    Raises
    ------
    Beyond
        The expression has no shapes, or too many.
    """
    parser = importlib.import_module("re._parser")  # as Hypothesis does; re.sre_parse is gone
    return _sequence(parser.parse(pattern), free)


def _sequence(parsed: Any, free: int) -> list[Shape]:
    shapes: list[Shape] = [()]
    for kind, argument in parsed:
        parts = _part(str(kind), argument, free)
        if len(shapes) * len(parts) > _MOST_SHAPES:
            raise Beyond("it stands for too many shapes")
        shapes = list(dict.fromkeys(a + b for a, b in product(shapes, parts)))
        _refuse_long(min(map(len, shapes), default=0))
    return shapes


def _part(kind: str, argument: Any, free: int) -> list[Shape]:
    match kind:
        case "LITERAL":
            return [((chr(argument),),)]
        case "NOT_LITERAL":
            return [(_others({chr(argument)}),)]
        case "ANY":
            return [(tuple(string.ascii_lowercase + string.digits),)]
        case "IN":
            return [(_of_class(argument),)]
        case "AT":
            return [()]
        case "SUBPATTERN":
            return _sequence(argument[-1], free)
        case "ATOMIC_GROUP":
            return _sequence(argument, free)
        case "BRANCH":
            return [shape for branch in argument[1] for shape in _sequence(branch, free)]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = argument
            return _repeated(least, most, inner, free)
    raise Beyond(f"it uses {kind.lower().replace('_', ' ')}")


def _repeated(least: int, most: Any, inner: Any, free: int) -> list[Shape]:
    open_ended = int(most) > 10_000
    last = least + free if open_ended else int(most)
    once = _sequence(inner, free)
    _refuse_long(least * min(map(len, once), default=0))
    if len(once) == 1:
        return list(dict.fromkeys(once[0] * count for count in _counts(least, last, len(once[0]))))
    shapes: list[Shape] = []
    current: list[Shape] = [()]
    for count in range(last + 1):
        if count >= least:
            shapes.extend(current)
        too_many = len(current) * len(once) + len(shapes) > _MOST_SHAPES
        if too_many or sum(map(len, current)) > _MOST_GROWN:
            if count < least:
                raise Beyond("it stands for too many shapes")
            break
        current = list(dict.fromkeys(a + b for a, b in product(current, once)))
    return list(dict.fromkeys(shapes))


def _counts(least: int, last: int, width: int) -> range:
    """Return how often to repeat what is `width` wide, so that all together stays countable."""
    last = min(last, least + _MOST_SHAPES - 1)
    places = max(1, width * (least + last) // 2)
    return range(least, min(last, least + max(1, _MOST_PLACES // places) - 1) + 1)


def _refuse_long(places: int) -> None:
    if places > LONGEST:
        raise Beyond(f"it asks for {places:,} characters, and {LONGEST:,} are the most")


def _of_class(items: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    negated = False
    for kind, argument in items:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found[chr(argument)] = None
            case "RANGE":
                found.update(dict.fromkeys(map(chr, range(argument[0], argument[1] + 1))))
            case "CATEGORY":
                found.update(dict.fromkeys(_category(str(argument))))
    return _others(set(found)) if negated else tuple(found)


def _category(name: str) -> str:
    known = {
        "CATEGORY_DIGIT": string.digits,
        "CATEGORY_WORD": _WORD,
        "CATEGORY_SPACE": " ",
        "CATEGORY_NOT_DIGIT": string.ascii_letters,
        "CATEGORY_NOT_WORD": "-.",
        "CATEGORY_NOT_SPACE": _WORD,
    }
    if name not in known:
        raise Beyond(f"it uses {name.lower()}")
    return known[name]


def _others(unwanted: set[str]) -> tuple[str, ...]:
    left = tuple(c for c in _PRINTABLE if c not in unwanted)
    if not left:
        raise Beyond("a class excludes every printable character")
    return left
