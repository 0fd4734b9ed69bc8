"""A module with the functions of its beginnings, and calls of them where they stood."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from mesh_notebook.export.beginnings.choosing import chosen
from mesh_notebook.export.beginnings.handing import Beginning
from mesh_notebook.export.beginnings.ports import Port, ports_of
from mesh_notebook.export.defaults import origins_in
from mesh_notebook.export.formatting import formatted
from mesh_notebook.export.plan import Plan
from mesh_notebook.export.scopes import bound_names
from mesh_notebook.export.statements import Statement
from mesh_notebook.mesh.identity import meaning_of

__all__ = ["shared"]

_LONGEST = 32  # letters of a function's name that is put together


def shared(
    text: str, plan: Plan, made: dict[str, Sequence[Statement | None]]
) -> tuple[str, tuple[Beginning, ...]]:
    """Return a module in which what ports begin with is written once, and what that is.

    Parameters
    ----------
    text : str
        The module, in which each port's function stands whole.
    made : dict
        By function: the notebook's statement that each of its statements is.
    """
    if len(plan.slices) < 2:
        return text, ()
    ports = ports_of(text, plan, made)
    found = _named(chosen(ports, _at_the_top(text)), text)
    if not found:
        return text, ()
    folded = formatted(_folded(text, ports, found))
    if meaning_of(folded.encode()) != meaning_of(text.encode()):
        return text, ()  # a release is what it was, however it is written
    return folded, tuple(found)


def _at_the_top(text: str) -> dict[str, str]:
    """Return what stands at the top of a module, by name; of an import, the full name."""
    tree = ast.parse(text)
    return {**dict.fromkeys(bound_names(tree), ""), **origins_in(tree)}


# ---- names -------------------------------------------------------------------------------------


def _named(found: Sequence[Beginning], text: str) -> list[Beginning]:
    """Return the beginnings, each with a name for its function: after what it hands over."""
    taken = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    taken |= _at_the_top(text).keys()
    made: list[Beginning] = []
    for one in found:
        name = _free(_name(one), taken)
        taken.add(name)
        outer = next((m for o, m in zip(found, made, strict=False) if o is one.outer), None)
        made.append(replace(one, name=name, outer=outer))
    return made


def _name(one: Beginning) -> str:
    """Return `_joined` of what hands over `joined`: that name itself is a variable's."""
    names = [name.strip("_") or "begun" for name in one.gives]
    both = "_and_".join(names)
    return f"_{both if len(names) == 2 and len(both) < _LONGEST else names[-1]}"


def _free(name: str, taken: Collection[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


# ---- text --------------------------------------------------------------------------------------


def _folded(text: str, ports: Sequence[Port], found: Sequence[Beginning]) -> str:
    lines = text.split("\n")
    edits: list[tuple[int, int, list[str]]] = []
    for port in ports:
        begun = [one for one in found if port.name in one.ports]
        if begun:
            first = port.node.body[0].end_lineno or 0
            last = port.parts[begun[-1].end - 1].node.end_lineno or 0
            edits.append((first, last, [_call(begun[-1])]))
    functions = [line for one in found for line in (*_function(one), "", "")]
    place = min(port.node.lineno for port in ports) - 1
    for first, last, told in sorted([*edits, (place, place, functions)], reverse=True):
        lines[first:last] = told
    return "\n".join(lines)


def _function(one: Beginning) -> Iterator[str]:
    yield f"def {one.name}({', '.join(_parameters(one))}) -> {_result(one.gives)}:"
    yield f'    """{one.doc}"""'
    if one.outer:
        yield _call(one.outer)
    own = [line for part in one.parts for line in part.lines]
    yield from own if one.outer else _without_blank(own)
    yield f"    return {', '.join(one.gives)}"


def _without_blank(lines: Sequence[str]) -> Sequence[str]:
    first = next(at for at, line in enumerate(lines) if line.strip())
    return lines[first:]


def _parameters(one: Beginning) -> list[str]:
    star = ["*"] if one.arguments else []
    named = [f"{name}: {kind}" for name, kind in one.arguments.items()]
    return [*(f"{name}: pl.LazyFrame" for name in one.inputs), *star, *named]


def _result(gives: Mapping[str, str]) -> str:
    kinds = list(gives.values())
    return kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"


def _call(one: Beginning) -> str:
    given = [*one.inputs, *(f"{name}={name}" for name in one.arguments)]
    return f"    {', '.join(one.gives)} = {one.name}({', '.join(given)})"
