"""How slices become a module: the parameters' names, and what stands outside the functions."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh_notebook.export.defaults import Default, default_of, free_to_give
from mesh_notebook.export.drafts import InputDraft
from mesh_notebook.export.meaning import BUILTINS
from mesh_notebook.export.prose import comments_of
from mesh_notebook.export.scopes import changing_defaults, declared, never_changes
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
        return statement.text in self.hoisted and _can_lift(statement)


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
    return Plan(tuple(slices), inputs, parameter, _hoisted(slices, reserved), sql, defaults, notes)


def _defaults(
    slices: Sequence[Slice], tagged: frozenset[str], reserved: set[str]
) -> dict[int, Default]:
    """Return the notebook's parameters by the statements that say them."""
    every = {s.index: s for one in slices for s in one.statements if s.kind == "code"}
    lifted = _hoisted(slices, reserved).values()
    origins = {s.names[0]: s.origin for s in lifted if s.kind == "import"}
    found = {}
    for index in sorted(every):
        default = default_of(every[index], tagged, origins)
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


# ---- module level ------------------------------------------------------------------------------


def _can_lift(statement: Statement) -> bool:
    match statement.node:
        case ast.Import() | ast.ImportFrom():
            return statement.kind == "import"
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            parts = list(ast.walk(statement.node))
            return not any(declared(n) or changing_defaults(n) or _holds(n) for n in parts)
        case ast.Assign(targets=[ast.Name()], value=value):
            return _is_literal(value)
    return False


def _holds(node: ast.AST) -> bool:
    """Return whether a definition may hold values from one call to the next.

    At module level it would be made once, and the second call of a port would find what the first
    left behind.
    """
    if getattr(node, "decorator_list", ()):
        return not _is_dataclass(node)
    if isinstance(node, ast.ClassDef):
        if any(_sets_class(part, node.name) for part in ast.walk(node)):
            return True
        values = [s.value for s in node.body if isinstance(s, ast.Assign | ast.AnnAssign)]
        return any(value is not None and not isinstance(value, ast.Constant) for value in values)
    return False


def _sets_class(node: ast.AST, name: str) -> bool:
    """Return whether code in a class sets an attribute of the class itself: a counter, say."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "setattr"
    if not isinstance(node, ast.Attribute) or isinstance(node.ctx, ast.Load):
        return False
    return not isinstance(node.value, ast.Name) or node.value.id in ("cls", name)


def _is_dataclass(node: ast.AST) -> bool:
    if not isinstance(node, ast.ClassDef):
        names = {ast.unparse(d) for d in node.decorator_list}  # type: ignore[attr-defined]
        return names <= {"staticmethod", "classmethod", "property"}
    return all("dataclass" in ast.unparse(d).split("(")[0] for d in node.decorator_list)


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True


def _hoisted(slices: Sequence[Slice], reserved: set[str]) -> dict[str, Statement]:
    """Return what can stand at module level without a change of meaning.

    Each of its names is bound by one text in all the slices, and never changed; a function's or
    class's free names are themselves at module level. Constants only where a function reads them,
    or where they are written as such.
    """
    binders: dict[str, set[str]] = {}
    for one in slices:
        for statement in one.statements:
            for name in statement.names:
                binders.setdefault(name, set()).add(_key(statement))
    changed = _changed(slices)
    lifted: dict[str, Statement] = {}
    for statement in sorted({s for one in slices for s in one.statements}, key=lambda s: s.index):
        (name, *more) = statement.names or ("",)
        sole = not more and _alone(statement, binders.get(name, set()))
        # What is done to a library is done to it under whatever import.
        fixed = reserved if statement.kind == "import" else reserved | changed
        if sole and name not in fixed and _can_lift(statement):
            lifted.setdefault(statement.text, statement)
    return _with_constants_used(_closed(lifted))


def _key(statement: Statement) -> str:
    return statement.text if _can_lift(statement) else f"statement {statement.index}"


def _alone(statement: Statement, binders: set[str]) -> bool:
    if statement.kind != "import":
        return binders == {statement.text}
    # `import a.b` and `import a.c` both bind `a`, to the same module.
    plain = statement.text.startswith("import ") and " as " not in statement.text
    root = f"import {statement.origin}"
    return all(t == statement.text or (plain and _same_root(t, root)) for t in binders)


def _same_root(text: str, root: str) -> bool:
    return text == root or (text.startswith(f"{root}.") and " as " not in text)


def _changed(slices: Sequence[Slice]) -> set[str]:
    """Return the names whose values are changed after they are bound."""
    bodies = (b for one in slices for s in one.statements for b in s.effects.bodies)
    changed = {t.name for b in bodies for t in b.touches if t.how in ("store", "augment")}
    for one in slices:
        for reader in (*one.statements, one.output):
            for name, writers in one.graph.needs[reader.index].items():
                made = [one.graph.statements[writer] for writer in writers]
                if len(made) > 1 and any(s.kind != "import" for s in made):
                    changed.add(name)
    return changed


def _needs(statement: Statement) -> set[str]:
    """Return the free names of a definition, those of the code inside it included."""
    later = {name for body in statement.effects.bodies for name in body.reads}
    return (statement.effects.reads | later) - set(statement.names)


def _closed(lifted: Mapping[str, Statement]) -> dict[str, Statement]:
    kept = dict(lifted)
    while True:
        there = {name for s in kept.values() for name in s.names} | BUILTINS
        out = [text for text, s in kept.items() if s.kind != "import" and not _needs(s) <= there]
        if not out:
            return kept
        for text in out:
            del kept[text]


def _with_constants_used(lifted: dict[str, Statement]) -> dict[str, Statement]:
    definitions = [s for s in lifted.values() if not isinstance(s.node, ast.Assign)]
    read = {name for s in definitions for name in _needs(s)}
    return {
        text: s
        for text, s in lifted.items()
        if not isinstance(s.node, ast.Assign) or s.names[0] in read or _is_constant(s.node)
    }


def _is_constant(node: ast.Assign) -> bool:
    """Return whether it is one by its name, too: `RATE = 0.08`."""
    (target,) = node.targets
    return isinstance(target, ast.Name) and target.id.isupper() and never_changes(node.value)
