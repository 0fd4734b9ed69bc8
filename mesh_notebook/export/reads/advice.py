"""What to type where a read is refused: the line to write, and the line to take away."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mesh_notebook.errors import as_typed
from mesh_notebook.export.graph import Graph
from mesh_notebook.export.reads.alike import Alike, quoted
from mesh_notebook.export.reads.calls import (
    READERS,
    Names,
    Read,
    calls,
    frame_of,
    read_of,
)
from mesh_notebook.export.reads.declared import declared_again, declared_as
from mesh_notebook.export.statements import Statement
from mesh_notebook.model.address import python_name

__all__ = ["advice", "differing"]

_LONGEST = 120  # of a statement that is shown whole


def advice(call: ast.Call, function: str, statement: Statement, graph: Graph) -> str:
    """Return the next step for a call that reads a file which is no input; empty for others."""
    if statement.advised:
        return statement.advised
    if function not in READERS or statement.node is None:
        return ""
    names = Names()
    for before in graph.statements[: statement.index]:
        origin = before.origin if before.kind == "import" else ""
        names.follow(before.node, before.effects.binds, origin)
    read = read_of(call, function, names, inner=call not in calls(statement.node))
    name, path = "NAME", "PATH"
    if read.path is not None:
        name, path = _name(read.path, statement), as_typed(read.path)
        if known := declared_as(read.path, graph):
            return f"it is the input `{known}` already\n{_in_place(read, known, statement)}"
    return f"declare it: %mesh source {name} {path}\n{_in_place(read, name, statement)}"


def differing(
    read: Read, name: str, found: Alike, statement: Statement, recipe: Mapping[str, Any]
) -> str:
    """Return the next step for a read of a declared file that gives other rows than the input."""
    said = f"it is the input `{name}` already, and the read {found.differs}"
    if found.options:
        return f"{said}: {declared_again(name, read.path, recipe, found.options)}"
    if name not in statement.names:
        return f"{said}\n{_in_place(read, name, statement)}"
    name = f"{name}_source"
    again = declared_again(name, read.path, recipe, {})
    return f"{said}: {again}\n{_in_place(read, name, statement)}"


def _in_place(read: Read, name: str, statement: Statement) -> str:
    new = frame_of(read.function, f"{name}{_chosen(read)}")
    if isinstance(statement.node, ast.Assign | ast.AnnAssign) and statement.node.value is read.call:
        whole = ast.unparse(statement.node)
        if len(whole) <= _LONGEST:
            return f"in place of `{whole}` write: {whole.replace(read.said, new)}"
    return f"in place of `{read.said}` write: {new}"


def _chosen(read: Read) -> str:
    """Return what takes the columns that a read asks for by their names."""
    asked = read.argument("usecols") or read.argument("columns")
    if not isinstance(asked, list) or not all(isinstance(name, str) for name in asked):
        return ""
    return f".select({', '.join(map(quoted, asked))})"


def _name(path: Path, statement: Statement) -> str:
    """Return a name for a file: its own, but not that of what the statement makes of it."""
    stem = re.sub(r"\W+", "_", path.name.partition(".")[0]).strip("_").lower()
    name = python_name(stem or "rows")
    return f"{name}_source" if name in statement.names else name
