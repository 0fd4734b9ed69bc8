"""`transform.py`: one plain, typed function for each output port, and what they begin with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mesh_notebook.export.annotating import annotated
from mesh_notebook.export.awaiting import waits, without_await
from mesh_notebook.export.beginnings import Beginning, shared
from mesh_notebook.export.defaults import unmarked
from mesh_notebook.export.drafts import OutputDraft
from mesh_notebook.export.formatting import formatted
from mesh_notebook.export.plan import Plan
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.sql_steps import query_in, sql_helper, table_in, values_in
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.text import indented, with_nonlocal
from mesh_notebook.model.address import python_name

__all__ = [
    "Function",
    "Module",
    "called_sql",
    "module_of",
    "probes_of",
    "result_of",
    "says_of",
    "title_of",
]


@dataclass(frozen=True)
class Function:
    """One function of the module: a part of its body, and the statement that it comes from."""

    name: str
    head: str
    doc: str
    parts: tuple[tuple[str, Statement | None], ...]
    result: str

    @property
    def text(self) -> str:
        body = "\n".join(indented(text) for text, _ in self.parts)
        return f'{self.head}\n    """{self.doc}"""\n{body}\n    return {self.result}\n'

    @property
    def statements(self) -> list[Statement | None]:
        """The notebook's statement that each of its own is; what the export adds is none."""
        return [statement for _, statement in self.parts]


@dataclass(frozen=True)
class Module:
    """The module's text, and where each of its lines comes from.

    Attributes
    ----------
    functions : tuple of Function
        Those of the ports, each whole: what they share stands in all of them.
    beginnings : tuple of Beginning
        What the text has once, as functions that those of the ports begin with.
    unshared : str
        The text without them.
    """

    text: str
    functions: tuple[Function, ...]
    plan: Plan
    beginnings: tuple[Beginning, ...] = ()
    unshared: str = ""

    @property
    def apart(self) -> Module:
        """The module in which each port's function stands whole."""
        return Module(self.unshared, self.functions, self.plan) if self.beginnings else self

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def _written(self) -> dict[str, list[Statement | None]]:
        """By function: the notebook's statement that each of its own is; a call is none."""
        made = {f.name: f.statements for f in self.functions}
        whole = dict(made)
        for one in self.beginnings:
            made[one.name] = one.statements
            made |= {port: [None, *whole[port][one.end :]] for port in one.ports}
        return made

    def statement_at(self, line: int | None) -> Statement | None:
        """Return the notebook's statement that stands at a line of the module."""
        for node in self._tree.body:
            if line is not None and _first(node) <= line <= (node.end_lineno or 0):
                return self._within(node, line)
        return None

    def _within(self, node: ast.stmt, line: int) -> Statement | None:
        if not isinstance(node, ast.FunctionDef) or node.name not in self._written:
            return self._lifted(node)
        body, statements = node.body[1:-1], self._written[node.name]  # docstring, return
        if len(body) != len(statements):
            return None
        for part, statement in zip(body, statements, strict=True):
            if _first(part) <= line <= (part.end_lineno or 0):
                return statement
        return None

    def _lifted(self, node: ast.stmt) -> Statement | None:
        from mesh_notebook.export.scopes import bound_names

        names = bound_names(ast.Module([node], []))
        return next((s for s in self.plan.hoisted.values() if names & set(s.names)), None)


def _first(node: ast.stmt) -> int:
    return int(min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]))


def module_of(plan: Plan, outputs: Mapping[str, OutputDraft], title: str) -> Module:
    """Write the module, formatted; `title` becomes its docstring."""
    functions = tuple(_function(plan, one, outputs[one.port]) for one in plan.slices)
    whole = formatted(annotated(_whole(plan, functions, title), _recorded(plan)))
    text, beginnings = shared(whole, plan, {f.name: f.statements for f in functions})
    return Module(text, functions, plan, beginnings, whole)


def _recorded(plan: Plan) -> dict[str, str]:
    """Return by name the type that the notebook saw last."""
    cells = {s.cell.index: s.cell for one in plan.slices for s in one.graph.statements}
    return {name: kind for at in sorted(cells) for name, kind in cells[at].types.items()}


def _whole(plan: Plan, functions: Sequence[Function], title: str) -> str:
    lifted = list(plan.hoisted.values())
    shadows = any(
        text.endswith("builtins." + text.split(" = ")[0]) for f in functions for text, _ in f.parts
    )
    heads = [
        "import polars as pl",
        *(["import duckdb"] if plan.sql else []),
        *(["import builtins"] if shadows else []),
        *(["import asyncio"] if any(waits(one.statements) for one in plan.slices) else []),
        *(s.text for s in lifted if s.kind == "import"),
    ]
    pandas = plan.sql and _queries_pandas(plan)
    if pandas:
        heads.append("import pandas as pd")
    future = ["from __future__ import annotations"] if _postponed(plan) else []
    parts = [f'"""{_docstring(title)}"""', *future, *dict.fromkeys(heads)]
    parts += [_noted(plan, s, unmarked(s.text)) for s in lifted if s.kind != "import"]
    if plan.sql:
        parts.append(sql_helper(plan.sql, bool(pandas), _has_values(plan)))
    return "\n\n".join([*parts, *(f"\n{function.text}" for function in functions)])


def _queries_pandas(plan: Plan) -> bool:
    """Return whether a query reads a pandas frame, as far as the record saw it."""
    steps = [(s.cell, s.step) for one in plan.slices for s in one.statements if s.step]
    types = [cell.types.get(frame, "") for cell, step in steps for _, frame in step.tables]
    return any(kind.startswith("pandas.") for kind in types)


def _has_values(plan: Plan) -> bool:
    """Return whether a query takes values of Python."""
    return any(s.step and s.step.values for one in plan.slices for s in one.statements)


def _postponed(plan: Plan) -> bool:
    """Return whether the notebook asked for annotations that are not evaluated."""
    cells = {s.cell.index: s.cell for one in plan.slices for s in one.graph.statements}
    ask = re.compile(r"^from __future__ import .*\bannotations\b", re.MULTILINE)
    return any(ask.search(cell.code) for cell in cells.values())


def _docstring(text: str) -> str:
    """Return a text as it may stand in a docstring: a sentence that ends as one."""
    plain = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    return plain if plain.endswith((".", "!", "?", "…")) else f"{plain}."


# ---- functions -----------------------------------------------------------------------------------


def _function(plan: Plan, one: Slice, output: OutputDraft) -> Function:
    name = python_name(one.port)
    contract = output.contract
    says = says_of(one.port, output.description or contract.purpose, contract.key)
    parts = tuple(_body(plan, one))
    result = result_of(one.result, output.frame)
    return Function(name, _head(plan, one, name), _docstring(says), parts, result)


def _head(plan: Plan, one: Slice, name: str) -> str:
    given = [f"{parameter}: pl.LazyFrame" for parameter in plan.parameters(one)]
    arguments = plan.arguments(one)
    if any(argument.above or argument.behind for argument in arguments):
        lines = [f"{one}," for one in (*given, "*")]
        lines += [line for argument in arguments for line in argument.lines()]
        return f"def {name}(\n" + "\n".join(lines) + "\n) -> pl.LazyFrame:"
    given += ["*"] * bool(arguments) + [argument.argument for argument in arguments]
    return f"def {name}({', '.join(given)}) -> pl.LazyFrame:"


def says_of(port: str, purpose: str, key: Sequence[str]) -> str:
    """Return what the docstring of a port's function says."""
    *most, last = key or ("",)
    each = f"{', '.join(most)} and {last}" if most else last
    return purpose or (f"One row for each {each}." if key else f"Make the output port {port}.")


def title_of(name: str, purpose: str) -> str:
    """Return what the docstring of a product's module says."""
    return f"{name}: {purpose}" if purpose else f"{name}: one function for each output port."


def result_of(name: str, frame: object) -> str:
    """Return the expression that turns the notebook's frame into what a function returns."""
    kind = f"{type(frame).__module__}.{type(frame).__name__}"
    if kind.startswith("polars."):
        return name if kind.endswith(".LazyFrame") else f"{name}.lazy()"
    if kind.startswith("pandas."):
        return f"pl.from_pandas({name}).lazy()"
    return f"pl.DataFrame({name}).lazy()"


def _body(plan: Plan, one: Slice) -> Iterator[tuple[str, Statement | None]]:
    yield from ((text, None) for text in _unshadowed(plan, one))
    standing = set(plan.parameters(one))  # the parameters that still mean their input
    for statement in one.statements:
        if plan.lifted(statement) or statement.index in plan.defaults:
            continue
        if statement.kind == "input":
            yield from _input(plan, one, statement, standing)
            continue
        standing -= set(statement.names)
        if statement.kind == "sql":
            yield from _sql(plan, one, statement)
        else:
            yield _noted(plan, statement, _moved(statement)), statement


def _noted(plan: Plan, statement: Statement, text: str) -> str:
    """Return a statement's text below what the notebook says of it."""
    note = plan.notes.get(statement.index)
    return f"{note}\n{text}" if note else text


def _unshadowed(plan: Plan, one: Slice) -> list[str]:
    """Bind the builtins whose names the function binds too, later on.

    In a notebook such a name means the builtin until it is bound; in a function it would mean
    nothing.
    """
    body = [s for s in one.statements if not plan.lifted(s)]
    bound = {name for s in body if s.kind != "input" for name in s.names}
    read = {name for s in body for name in one.graph.builtins[s.index]}
    shadowed = [f"{name} = builtins.{name}" for name in sorted(bound & read)]
    # What a function declares `global` must be a name of the function around it.
    outer = {name for s in body for b in s.effects.bodies for name in b.binds} - bound
    return shadowed + [f"{name} = None" for name in sorted(outer - set(plan.parameters(one)))]


def _input(
    plan: Plan, one: Slice, statement: Statement, standing: set[str]
) -> Iterator[tuple[str, Statement]]:
    parameter = plan.parameter[statement.index]
    for name in one.used(statement):
        if name != parameter or name not in standing:
            yield f"{name} = {parameter}", statement


def _moved(statement: Statement) -> str:
    text = without_await(unmarked(statement.text))
    if any(isinstance(node, ast.Global) for node in ast.walk(ast.parse(text))):
        return with_nonlocal(text)
    return text


def _sql(plan: Plan, one: Slice, statement: Statement) -> Iterator[tuple[str, Statement]]:
    first, *others = one.used(statement)
    text = f"{first} = {called_sql(plan.sql, statement)}"
    yield _noted(plan, statement, "\n".join([*statement.above, text])), statement
    for name in others:
        yield f"{name} = {first}", statement


def called_sql(helper: str, statement: Statement) -> str:
    """Return the call of the function that runs SQL, for a statement that is a query."""
    step = statement.step
    assert step is not None  # what makes it an SQL statement
    given = ", ".join(table_in(table, frame) for table, frame in step.tables)
    query = step.query if step.is_code else query_in(step)
    query += values_in(step)
    return f"{helper}({query}{', ' if given else ''}{given})"


def probes_of(module: Module, one: Slice, probes: Sequence[tuple[int, str, str]]) -> str:
    """Return the module with, for each probe, a function that stops early and returns a name.

    Parameters
    ----------
    probes
        Position in the body after which to stop, the function's name, and its result.
    """
    function = next(f for f in module.functions if f.name == python_name(one.port))
    extra = [
        Function(
            name,
            function.head.replace(f"def {function.name}(", f"def {name}(", 1),
            "",
            function.parts[: position + 1],
            result,
        ).text
        for position, name, result in probes
    ]
    return "\n\n".join([module.text, *extra])
