"""What a transform may not do: reach around its inputs to files, the network or the shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.awaiting import waits_for_others
from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure import impurities, unsteady_in_query
from mesh_notebook.export.outside import finds_names, outside
from mesh_notebook.export.own_sql import Query, refused_query
from mesh_notebook.export.process_settings import starts_a_patch
from mesh_notebook.export.reads import declared_as
from mesh_notebook.export.references import full_name, references
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.unseen import names_reached
from mesh_notebook.export.words import words
from mesh_notebook.mesh.guard import lies_beside

__all__ = ["may_rebind_any", "refuse_impure"]

_CODE = ("builtins.function", "builtins.builtin_function_or_method", "builtins.method")
_VARS = "builtins.vars"  # of a value that is no module it finds no names of the notebook
_REBINDING = words(
    "builtins.eval builtins.exec builtins.globals builtins.locals builtins.vars "
    "builtins.get_ipython"
)


def refuse_impure(statement: Statement, graph: Graph) -> None:
    """Raise `ExportRefused` where a kept statement reaches outside its inputs."""
    if statement.kind == "import" and statement.origin.partition(".")[0] == "mesh_notebook":
        fix = "write what you need of it into a cell: an exported module runs without the notebook"
        _refuse(statement, statement.origin, "is a part of the notebook's own toolkit", fix)
    if statement.kind == "sql":
        _refuse_query(statement)
    if statement.node is None or statement.kind != "code":
        return
    if waits_for_others(statement, graph):
        _refuse(statement, "await", "waits for something outside", "make it a plain function")
    for module in filter(lies_beside, _imported(statement.node)):
        fix = "put its code into a cell, or install it as a package"
        _refuse(statement, f"import {module}", "takes a file that lies beside the notebook", fix)
    if reached := names_reached(statement.node, lambda path: full_name(path, statement, graph)):
        fix = "bind the name itself: x = …; in a function, after `global x`"
        _refuse(statement, reached, "has the notebook's names in hand", fix)
    for patched in (*_patched(statement, graph), *_mocked(statement, graph)):
        fix = "give the function a name of its own in a cell, and call it by that name"
        what = "replaces a function of a library, for all that runs beside it and after it"
        _refuse(statement, patched, what, fix)
    for one in impurities(statement, graph):
        _refuse(statement, one.said, one.what, one.fix)
    for query in statement.queries:
        _refuse_own_sql(query, statement, graph)
    for reference in references(statement, graph):
        if found := outside(reference, statement, graph):
            _refuse(statement, reference.said, found.what, found.fix)


def _imported(node: ast.stmt) -> Iterator[str]:
    """Yield the modules that a statement imports within, on whatever way it goes."""
    for one in ast.walk(node):
        if isinstance(one, ast.Import):
            yield from (alias.name for alias in one.names)
        elif isinstance(one, ast.ImportFrom) and not one.level:
            yield one.module or ""


def _refuse_own_sql(query: Query, statement: Statement, graph: Graph) -> None:
    def is_frame(name: str) -> bool:
        types = statement.cell.types
        return name in types or graph.binder_of(name, statement.index) is not None

    def declared(path: str) -> str:
        return declared_as(path, graph)

    if found := refused_query(query, is_frame, declared):
        _refuse(statement, ast.unparse(query.call.func), *found)
    if query.told is not None:
        _refuse_unsteady(statement, query.told.text)


def _refuse_query(statement: Statement) -> None:
    _refuse_unsteady(statement, str(statement.event.payload["query"]) if statement.event else "")


def _refuse_unsteady(statement: Statement, query: str) -> None:
    if found := unsteady_in_query(query):
        _refuse(statement, found.said, found.what, found.fix)


def _patched(statement: Statement, graph: Graph) -> Iterator[str]:
    """Yield the functions of imported libraries that a statement puts others in place of."""
    for node in ast.walk(statement.node or ast.Pass()):
        if not isinstance(node, ast.Assign) or not _is_code(node.value, statement, graph):
            continue
        for target in node.targets:
            path = dotted(target) if isinstance(target, ast.Attribute) else None
            binder = graph.binder_of(str(path).partition(".")[0], statement.index)
            if path and binder is not None and binder.kind == "import":
                yield path


def _mocked(statement: Statement, graph: Graph) -> Iterator[str]:
    """Yield the calls by which a statement leaves a mock in place of something, as written."""

    def made_by(path: str) -> str:
        root, dot, rest = path.partition(".")
        binder = graph.binder_of(root, statement.index)
        name = full_name(path, statement, graph)
        kind = binder.cell.types.get(root, "") if binder is not None else ""
        return f"{kind}{dot}{rest}" if name.startswith("<") else name

    effects = statement.effects
    asks = (*effects.asks, *(ask for body in effects.bodies for ask in body.asks))
    yield from starts_a_patch(asks, made_by)


def _is_code(value: ast.expr, statement: Statement, graph: Graph) -> bool:
    if isinstance(value, ast.Name):
        binder = graph.binder_of(value.id, statement.index)
        return binder is not None and binder.cell.types.get(value.id, "") in _CODE
    return isinstance(value, ast.Lambda)


def may_rebind_any(statement: Statement, graph: Graph) -> bool:
    """Return whether a statement can change names that its text does not show."""
    if statement.node is None or statement.kind != "code":
        return False
    return any(
        one.name in _REBINDING and (one.name != _VARS or finds_names(one, statement, graph))
        for one in references(statement, graph)
    )


def _refuse(statement: Statement, name: str, what: str, fix: str) -> None:
    raise ExportRefused(
        f"{statement.cell.label}: `{name}` {what}, so a clean process may see something else.",
        next_step=fix,
        cell=statement.cell.count,
        name=name,
    )
