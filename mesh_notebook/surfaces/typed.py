"""A verb's words as they were typed: each option once, and no word that nothing takes.

The parsers of both surfaces keep the last of two values and say nothing of the first. So the words
are looked at before they are parsed; what is wrong in another way the parser says itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mesh_notebook.errors import UsageError, as_typed, near
from mesh_notebook.surfaces.verb import Argument, Verb

__all__ = ["arranged", "refuse_mistyped"]


@dataclass(frozen=True)
class _Option:
    """An option, the words that it took, and the plain words up to the next one."""

    argument: Argument
    values: tuple[str, ...]
    followed: tuple[str, ...]

    @property
    def shown(self) -> str:
        return " ".join([self.argument.flag, *map(_quoted, self.values)])


def refuse_mistyped(verb: Verb, words: Sequence[str]) -> None:
    """Raise `UsageError` where an option is given twice, is unknown, or a word is too many.

    Parameters
    ----------
    words
        What follows the verb, without quotation marks.
    """
    first, options, unknown = _split(verb.typed, words)
    if unknown:
        raise _unknown(verb, unknown)
    _refuse_repeated(options)
    places = [one for one in verb.typed if not one.flag]
    plain = [*first, *(word for one in options for word in one.followed)]
    if not any(one.kind == "rest" for one in places) and len(plain) > len(places):
        raise _too_many(verb, plain[len(places) :], options)


def arranged(verb: Verb, words: Sequence[str]) -> list[str]:
    """Return the words as the parsers of both surfaces take them.

    An option that needs no value comes last where it took what a place lacks: `output --strict
    daily delays` names a port and a frame, and no column. A value that begins with a dash is tied
    to its option: `--null -999,NA`.
    """
    places = sum(one.required for one in verb.typed if not one.flag)
    first, options, _ = _split(verb.typed, words)
    plain = len(first) + sum(len(one.followed) for one in options)
    made = list(words)
    for one in options:
        flag = one.argument.flag
        if one.argument.kind == "some" and one.values and plain < places and flag in made:
            made.remove(flag)
            made.append(flag)
            plain += 1
    for one in options:
        if len(one.values) == 1 and one.values[0].startswith("-") and one.argument.flag in made:
            at = made.index(one.argument.flag)
            made[at : at + 2] = [f"{one.argument.flag}={one.values[0]}"]
    return made


def _split(
    arguments: Sequence[Argument], words: Sequence[str]
) -> tuple[list[str], list[_Option], str]:
    """Return the words before the options, the options, and the first option that is none."""
    groups: list[list[str]] = [[]]
    found: list[tuple[Argument, list[str]]] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if not _is_option(word):
            groups[-1].append(word)
            continue
        if word == "--":  # what follows is no option, whatever it looks like
            groups[-1] += waiting
            break
        name, equals, value = word.partition("=")
        if (argument := _named(arguments, name)) is None:
            return groups[0], _options(found, groups[1:]), name
        takes = 0 if equals else _takes(argument, waiting)
        took, waiting = waiting[:takes], waiting[takes:]
        if len(took) < takes or any(_named(arguments, one) for one in took):
            raise UsageError(
                f"{name} has no value.", next_step=f"write {argument.usage.strip('[]')}"
            )
        found.append((argument, [value] if equals else took))
        groups.append([])
    return groups[0], _options(found, groups[1:]), ""


def _takes(argument: Argument, waiting: Sequence[str]) -> int:
    """Return how many of the words that follow are an option's values."""
    if argument.kind == "some":
        return int(bool(waiting) and not _is_option(waiting[0]))
    return {"flag": 0, "pair": 2}.get(argument.kind, 1)


def _is_option(word: str) -> bool:
    """Whether a word is an option, or was meant as one: `-key`, but no `-5`."""
    return word.startswith("--") or (word.startswith("-") and word[1:2].isalpha())


def _options(
    found: Iterable[tuple[Argument, list[str]]], groups: Iterable[list[str]]
) -> list[_Option]:
    pairs = zip(found, groups, strict=True)
    return [_Option(argument, tuple(took), tuple(more)) for (argument, took), more in pairs]


def _named(arguments: Sequence[Argument], name: str) -> Argument | None:
    """Return the option of a name, which is never cut short."""
    return next((one for one in arguments if one.flag and one.flag == name), None)


def _refuse_repeated(options: Sequence[_Option]) -> None:
    seen: dict[str, _Option] = {}
    for one in options:
        flag = one.argument.flag
        if flag in seen and one.argument.kind != "flag":
            raise _twice(seen[flag], one)
        seen[flag] = one


def _twice(first: _Option, again: _Option) -> UsageError:
    flag = first.argument.flag
    if first.argument.kind in ("list", "some"):
        step = f"a list is written once, with commas: {_listed(flag, first.values, again.values)}"
    else:
        step = f"it takes one value: write {first.shown}, or {again.shown}"
    return UsageError(
        f"{flag} is given twice: {first.shown} and {again.shown}.", next_step=step, option=flag
    )


def _unknown(verb: Verb, name: str) -> UsageError:
    if name == "--root":
        return UsageError(
            f"{name} is of the whole mesh, and stands before a verb.",
            next_step=f"in a shell: mesh --root DIR {verb.name} …; for a notebook, set MESH_ROOTS",
        )
    flags = [one.flag for one in verb.typed if one.flag]
    begun = [flag for flag in flags if flag.startswith(f"--{name.lstrip('-')}")]
    close = begun or near(name, flags)
    step = f"did you mean {' or '.join(close)}?" if close else f"%mesh help {verb.name}"
    if not name.startswith("--") and {".", "/"}.intersection(name):
        step = f"a path that begins with a dash is written {as_typed(name)}"
    return UsageError(
        f"{name} is no option of '{verb.name}'.",
        next_step=step,
        near=close,
    )


def _too_many(verb: Verb, extra: list[str], options: Sequence[_Option]) -> UsageError:
    said = " ".join(map(_quoted, extra))
    what = f"'{said}' is a word too many" if len(extra) == 1 else f"'{said}' are words too many"
    for one in options:
        if one.followed and list(one.followed) == extra[: len(one.followed)]:
            step = _beside(one)
            return UsageError(f"{what}, after {one.shown}.", next_step=step, extra=tuple(extra))
    meant = [one.flag for one in verb.typed if one.flag and extra[0] in one.choices]
    rest = f"%mesh {_places(verb)}; %mesh help {verb.name} says the rest"
    step = f"did you mean {meant[0]} {extra[0]}?" if meant else rest
    return UsageError(f"{what} for '{verb.name}'.", next_step=step, extra=tuple(extra))


def _beside(one: _Option) -> str:
    """Say how the words after an option are written."""
    argument, words = one.argument, one.followed
    match argument.kind:
        case "list" | "some":
            return f"a list is written with commas: {_listed(argument.flag, one.values, words)}"
        case "text" if not argument.choices:
            text = f'{argument.flag} "{" ".join([*one.values, *words])}"'
            return f"it takes one value; one of several words stands in quotation marks: {text}"
        case "flag":
            return f"{argument.flag} takes no value; what it is about stands before the options"
        case "pair":
            return f"it takes two values: {one.shown}"
    return f"it takes one value: {one.shown}"


def _listed(flag: str, *groups: Sequence[str]) -> str:
    parts = (part.strip() for group in groups for word in group for part in word.split(","))
    said = ",".join(dict.fromkeys(filter(None, parts)))
    return f"{flag} {_quoted(said)}" if said else flag


def _places(verb: Verb) -> str:
    return " ".join([verb.name, *(one.usage for one in verb.typed if not one.flag)])


def _quoted(word: str) -> str:
    return f'"{word}"' if not word or any(map(str.isspace, word)) else word
