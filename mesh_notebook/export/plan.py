"""How slices become a module: the parameters' names, and what stands outside the functions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh_notebook.export.defaults import Default, default_of, free_to_give
from mesh_notebook.export.drafts import InputDraft
from mesh_notebook.export.hoisting import can_lift, hoisted
from mesh_notebook.export.prose import comments_of
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.truths import refuse_mixed
from mesh_notebook.model.address import python_name

__all__ = ["Plan", "planned"]

# What the module may import by itself: no other meaning of these names at module level.
_OWN_IMPORTS = {
    "pl": "import polars as pl",
    "duckdb": "import duckdb",
    "pd": "import pandas as pd",
    "builtins": "import builtins",
}


@dataclass(frozen=True)
class Plan:
    """What a module will hold.

    Attributes
    ----------
    slices : tuple of Slice
        One for each port.
    inputs : dict
        By parameter, in the order in which the notebook bound them.
    parameter : dict
        By index of an input statement: its parameter.
    hoisted : dict
        By text, in order: imports, constants, functions and classes at module level.
    sql : str
        The name of the SQL helper; empty where no slice has an SQL step.
    defaults : dict
        By index of a statement: the notebook's parameter that it says, which the functions take
        as an argument instead.
    notes : dict
        By index of a statement: what the notebook says of it in Markdown, as a comment.
    """

    slices: tuple[Slice, ...]
    inputs: dict[str, InputDraft]
    parameter: dict[int, str]
    hoisted: dict[str, Statement] = field(default_factory=dict)
    sql: str = ""
    defaults: dict[int, Default] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)

    def parameters(self, one: Slice) -> list[str]:
        """Return the names under which a port's function takes its inputs."""
        return list(dict.fromkeys(self.parameter[s.index] for s in one.inputs))

    def arguments(self, one: Slice) -> list[Default]:
        """Return what else it takes: the notebook's parameters, each with its default."""
        return [self.defaults[s.index] for s in one.statements if s.index in self.defaults]

    def lifted(self, statement: Statement) -> bool:
        """Return whether a statement stands at module level, not in a function's body."""
        return statement.text in self.hoisted and can_lift(statement)


def planned(
    slices: Sequence[Slice],
    input_of: Callable[[Any], InputDraft],
    tagged: frozenset[str] = frozenset(),
    told: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """Name the parameters and choose what stands at module level.

    Parameters
    ----------
    tagged : frozenset of str
        The sources of the cells that are tagged `parameters`.
    told : mapping, optional
        By the source of a cell: what stands above it.
    """
    inputs, parameter = _named_inputs(slices, input_of)
    names = {n for one in slices for s in one.statements for n in (*s.names, *s.effects.reads)}
    steps = any(s.kind == "sql" for one in slices for s in one.statements)
    sql = _free("_sql", names | set(inputs)) if steps else ""
    reserved = {python_name(one.port) for one in slices} | set(inputs) | {sql}
    reserved |= {n for n, text in _OWN_IMPORTS.items() if _means_else(n, text, slices)}
    notes = comments_of(slices, told or {})
    defaults = _defaults(slices, tagged, reserved)
    for index, default in defaults.items():
        defaults[index] = default.below(notes.get(index, ""))
    reserved |= {default.name for default in defaults.values()}
    return Plan(tuple(slices), inputs, parameter, hoisted(slices, reserved), sql, defaults, notes)


def _defaults(
    slices: Sequence[Slice], tagged: frozenset[str], reserved: set[str]
) -> dict[int, Default]:
    """Return the notebook's parameters by the statements that say them."""
    every = {s.index: s for one in slices for s in one.statements if s.kind == "code"}
    lifted = hoisted(slices, reserved).values()
    origins = {s.names[0]: s.origin for s in lifted if s.kind == "import"}
    steps = [s.step for one in slices for s in one.statements if s.step]
    queried = frozenset(name for step in steps for name in step.values)
    found = {}
    for index in sorted(every):
        default = default_of(every[index], tagged, origins, queried)
        # `sql` is what runs the queries in portable.py.
        if (
            default
            and default.name not in {*reserved, "sql"}
            and free_to_give(every[index], slices)
        ):
            found[index] = default
    return found


def _means_else(name: str, text: str, slices: Sequence[Slice]) -> bool:
    """Return whether a notebook binds a name by anything but that import."""
    return any(name in s.effects.binds and s.text != text for one in slices for s in one.statements)


# ---- parameters --------------------------------------------------------------------------------


def _named_inputs(
    slices: Sequence[Slice], input_of: Callable[[Any], InputDraft]
) -> tuple[dict[str, InputDraft], dict[int, str]]:
    drafts: dict[str, InputDraft] = {}
    statements: dict[str, list[Statement]] = {}
    every = {s.index: s for one in slices for s in one.inputs}
    made = {i: input_of(every[i].event.payload["input"]) for i in sorted(every)}  # type: ignore[union-attr]
    refuse_mixed(slices, every, made)
    for index, draft in made.items():
        drafts.setdefault(draft.identity, draft)
        statements.setdefault(draft.identity, []).append(every[index])
    taken = {n for one in slices for s in one.statements for n in s.names}
    inputs: dict[str, InputDraft] = {}
    parameter: dict[int, str] = {}
    for identity, bound in statements.items():
        name = _parameter(bound, slices, inputs, taken)
        inputs[name] = drafts[identity]
        parameter.update(dict.fromkeys((s.index for s in bound), name))
    return inputs, parameter


def _parameter(
    bound: Sequence[Statement], slices: Sequence[Slice], others: Iterable[str], taken: set[str]
) -> str:
    """Return the notebook's name of an input, or a name beside it where that one is not free."""
    used = [n for one in slices for s in bound if s in one.statements for n in one.used(s)]
    name = next(n for s in bound for n in s.names if n in used)
    same = {s.index for s in bound}
    if any(_means_more(name, bound, one, same) for one in slices):
        return _free(f"{name}_input", taken | set(others))
    return name if name not in others else _free(f"{name}_2", taken | set(others))


def _means_more(name: str, bound: Sequence[Statement], one: Slice, same: set[int]) -> bool:
    """Return whether a slice gives the name another meaning before it binds the input to it."""
    last = max((s.index for s in bound if s in one.statements), default=-1)
    return any(
        name in s.effects.binds for s in one.statements if s.index < last and s.index not in same
    )


def _free(name: str, taken: Iterable[str]) -> str:
    taken = set(taken)
    stem = name.rstrip("0123456789").rstrip("_") or name
    more = (f"{stem}_{number}" for number in itertools.count(2))
    return next(n for n in itertools.chain([name], more) if n not in taken)
