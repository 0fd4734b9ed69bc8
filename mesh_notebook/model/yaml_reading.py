"""YAML as it is read from anybody: a mapping of plain values, or an error that says what is wrong.

A document may come from a stranger. A few lines can stand for billions of values by aliases, or
nest so deeply that the parser in C runs out of stack and takes the process with it.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from mesh_notebook.errors import SpecError

__all__ = ["parse_yaml"]

_MOST = 500_000  # values, each alias counted as all that it stands for
_DEEPEST = 100  # lists and mappings within each other
# What may open a level: a bracket anywhere, or white space and marks at the start of a line.
_BRACKETS = re.compile(r"[\[{]")
_MARGIN = re.compile(r"^[ \t?-]+", re.MULTILINE)
_PLAIN = (str, int, float, bool, type(None), dt.date)


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """Return the mapping in a YAML text.

    Parameters
    ----------
    where : str
        Names the text in errors.

    Raises
    ------
    SpecError
        It is no YAML, no mapping, holds what JSON has no value for, or is too large to be a
        specification.
    """
    import yaml

    _refuse_deep(text, where)
    # The same safe loader, in C where PyYAML was built with it: every read of a port parses.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        reader = loader(text)
        try:
            node = reader.get_single_node()
            _Measure(where).of(node)
            _refuse_twice(node, where)
            document = reader.construct_document(node) if node is not None else None
        finally:
            reader.dispose()
    except yaml.YAMLError as error:
        raise _no_yaml(error, where) from None
    except (ValueError, OverflowError, TypeError) as error:  # 2026-13-45, or 5,000 digits
        raise SpecError(
            f"{where} holds a value that cannot be read: {str(error)[:160]}.",
            next_step="write the value in quotes, so that it is text",
            where=where,
        ) from None
    if not isinstance(document, dict):
        raise SpecError(
            f"{where} holds no mapping, so it is no specification.",
            next_step="write it as NAME: VALUE, a field a line",
            where=where,
        )
    _refuse_foreign(document, where)
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


# ---- size ----------------------------------------------------------------------------------------


def _refuse_deep(text: str, where: str) -> None:
    """Raise `SpecError` where the parser itself would go too deep.

    It descends as the text does, on the stack of C. Most texts cannot nest so deeply, which a look
    at their brackets and margins tells; of the others, the events are counted.
    """
    margin = max((len(found) for found in _MARGIN.findall(text)), default=0)
    if len(_BRACKETS.findall(text)) + margin <= _DEEPEST:
        return
    import yaml

    depth = 0
    try:
        for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise _too_large(f"nests more than {_DEEPEST} levels deep", where)
    except (yaml.YAMLError, ValueError):
        return  # whoever reads it says what is wrong


class _Measure:
    """How many values a tree of nodes stands for, and how deep it is, each alias written out."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.known: dict[int, tuple[int, int]] = {}
        self.above: set[int] = set()

    def of(self, node: Any) -> tuple[int, int]:
        """Return the count of values and of levels; raise `SpecError` where there are too many."""
        if (known := self.known.get(id(node))) is not None:
            return known
        if id(node) in self.above:
            raise _too_large("has an alias that stands for what it lies in", self.where)
        self.above.add(id(node))
        below = [self.of(child) for child in _children(node)]
        self.above.remove(id(node))
        many = 1 + sum(count for count, _ in below)
        deep = 1 + max((levels for _, levels in below), default=-1)
        if many > _MOST:
            raise _too_large(f"stands for more than {_MOST:,} values", self.where)
        if deep > _DEEPEST:
            raise _too_large(f"nests more than {_DEEPEST} levels deep", self.where)
        self.known[id(node)] = many, deep
        return many, deep


def _children(node: Any) -> list[Any]:
    value = getattr(node, "value", None)
    if not isinstance(value, list):
        return []
    return [part for one in value for part in (one if isinstance(one, tuple) else (one,))]


def _too_large(what: str, where: str) -> SpecError:
    return SpecError(
        f"{where} {what}, so it is no specification.",
        next_step="look at it in an editor; whoever wrote it may mean harm",
        where=where,
    )


# ---- names ---------------------------------------------------------------------------------------


def _refuse_twice(node: Any, where: str) -> None:
    """Raise `SpecError` at a name that a mapping has twice, which the parser takes."""
    import yaml

    seen: set[int] = set()
    left = [node]
    while left:
        here = left.pop()
        if id(here) in seen:  # an alias
            continue
        seen.add(id(here))
        if isinstance(here, yaml.MappingNode):
            _refuse_twice_in([key for key, _ in here.value], where)
        left += _children(here)


def _refuse_twice_in(keys: list[Any], where: str) -> None:
    lines: dict[tuple[str, str], int] = {}
    for key in keys:
        # What is no text is refused later; each merge (`<<`) adds to the others.
        if not isinstance(key.value, str) or key.tag.endswith(":merge"):
            continue
        line, name = key.start_mark.line + 1, (key.tag, key.value)
        if name in lines:
            raise SpecError(
                f"{where}, line {line}: '{key.value:.60}' is written twice in one mapping, "
                f"first in line {lines[name]}.",
                next_step="keep one of the two, or put the other where it belongs",
                where=where,
            )
        lines[name] = line


# ---- what a specification may hold ---------------------------------------------------------------


def _refuse_foreign(value: Any, where: str, path: tuple[str, ...] = ()) -> None:
    """Raise `SpecError` at a value that neither JSON nor a file can hold, and say where it is."""
    if isinstance(value, dict):
        for key, part in value.items():
            if isinstance(key, dt.date) or not isinstance(key, _PLAIN):
                said = f"has the name {key!r:.60}, which is no text"
                raise _foreign(said, "write the name in quotes", where, path)
            _refuse_foreign(key, where, (*path, "a name"))
            _refuse_foreign(part, where, (*path, str(key)))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            _refuse_foreign(part, where, (*path, str(place)))
    elif isinstance(value, str) and "\0" in value:
        raise _foreign("holds a text with a NUL in it", "take it out", where, path)
    elif not isinstance(value, _PLAIN):
        said = f"holds a {type(value).__name__}"
        raise _foreign(said, "write it as text, a number, a list or a mapping", where, path)


def _foreign(said: str, step: str, where: str, path: tuple[str, ...]) -> SpecError:
    return SpecError(
        f"{where}, at {'/'.join(path) or 'the top'}: it {said}.", next_step=step, where=where
    )
