"""A port's function as a module has it where nothing is shared: statement by statement."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from mesh_notebook.export.plan import Plan
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.statements import Statement
from mesh_notebook.model.address import python_name

__all__ = ["Part", "Port", "ports_of"]


@dataclass(frozen=True)
class Part:
    """One statement of a function.

    Attributes
    ----------
    lines : tuple of str
        As they stand in the module, with the comments and blank lines above.
    said : str
        Equal for those that say the same.
    """

    node: ast.stmt
    statement: Statement
    lines: tuple[str, ...]
    said: str

    @property
    def weight(self) -> int:
        """How many lines of it are code."""
        told = (line.strip() for line in self.lines)
        return sum(bool(line) and not line.startswith("#") for line in told)


@dataclass(frozen=True)
class Port:
    """One port's function.

    Attributes
    ----------
    inputs : tuple of str
        Its parameters.
    arguments : dict
        By name: the type of what else it takes, a parameter of the notebook.
    """

    one: Slice
    node: ast.FunctionDef
    parts: tuple[Part, ...]
    inputs: tuple[str, ...]
    arguments: dict[str, str]

    @property
    def name(self) -> str:
        return self.node.name

    def after(self, end: int) -> list[ast.stmt]:
        """Return what follows its first statements, what it returns included."""
        return [*(part.node for part in self.parts[end:]), self.node.body[-1]]


def ports_of(text: str, plan: Plan, made: dict[str, Sequence[Statement | None]]) -> list[Port]:
    """Return the ports' functions in a module.

    Parameters
    ----------
    made : dict
        By function: the notebook's statement that each of its statements is. What the export has
        added has none, and a function with such a statement is left out.
    """
    lines = text.split("\n")
    by_name = {n.name: n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}
    found = []
    for one in plan.slices:
        name = python_name(one.port)
        node, statements = by_name[name], [s for s in made[name] if s is not None]
        if len(node.body) - 2 == len(statements) == len(made[name]):
            inputs = tuple(plan.parameters(one))
            arguments = {default.name: default.kind for default in plan.arguments(one)}
            parts = tuple(_parts(node, statements, lines))
            found.append(Port(one, node, parts, inputs, arguments))
    return found


def _parts(
    function: ast.FunctionDef, statements: Sequence[Statement], lines: Sequence[str]
) -> list[Part]:
    docstring, *body = function.body[:-1]
    found, end = [], docstring.end_lineno or 0
    for node, statement in zip(body, statements, strict=True):
        own = tuple(lines[end : node.end_lineno])
        comments = [line.strip() for line in own if line.strip().startswith("#")]
        found.append(Part(node, statement, own, "\n".join([*comments, _said(node)])))
        end = node.end_lineno or end
    return found


def _said(node: ast.stmt) -> str:
    """Return what a statement says; the type of a local name is for readers."""
    match node:
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return f"{name} = {ast.dump(value)}"
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return f"{name} = {ast.dump(value)}"
    return ast.dump(node)
