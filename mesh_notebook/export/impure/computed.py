"""Names that code finds while it runs, where they may be of the clock, of chance, of the machine.

To find one column or one method by its name is ordinary: `getattr(column, how)()`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.references import full_name, parents_in, read_path
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["computed_names"]

_FOUND = "finds names while it runs, perhaps one that {}"
_FIX = "write out the name that it finds"
# What the names of a module or a class may do.
_OWNERS = {
    "datetime": "reads the clock",
    "time": "reads the clock",
    "pandas.Timestamp": "reads the clock",
    "random": "draws at random",
    "numpy.random": "draws at random",
    "uuid": "draws at random",
    "secrets": "draws at random",
    "os": "tells of the machine",
    "sys": "tells of the machine",
    "platform": "tells of the machine",
    "locale": "tells of the machine",
}
_CLASSES = words("datetime.datetime datetime.date")
_MODULES = words("datetime time random numpy.random uuid secrets os sys platform locale")
_FINDERS = words("operator.methodcaller operator.attrgetter")
_LISTING = words("inspect.getmembers inspect.getmembers_static")
_GETTING = words("builtins.getattr inspect.getattr_static")
_LOOKING = words("isinstance issubclass print help type hasattr dir reload getattr setattr len")
_METHODS = {
    **dict.fromkeys(("now", "today", "utcnow"), "reads the clock"),
    "__hash__": "is another number in each process",
}


def computed_names(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield the calls of a statement that find such names while they run."""
    tree = statement.node or ast.Pass()
    parents = parents_in(tree)
    for node in ast.walk(tree):
        may = ""
        if isinstance(node, ast.Call):
            may = _found_by(node, statement, graph)
        elif isinstance(node, ast.Attribute) and node.attr in ("__dict__", "__getattribute__"):
            may = _owner(node.value, statement, graph)
        elif isinstance(node, ast.Subscript) and _is_modules(node, statement, graph):
            may = "tells of the machine"
        if may and not isinstance(parents.get(node), ast.Expr):
            yield Impurity(ast.unparse(node), _FOUND.format(may), _FIX)


def _found_by(call: ast.Call, statement: Statement, graph: Graph) -> str:
    """Return what a name may do that a call finds; nothing where it finds none such."""
    callee = full_name(str(dotted(call.func)), statement, graph) if dotted(call.func) else ""
    first = call.args[0] if call.args else ast.Constant("")
    if callee in _GETTING and len(call.args) > 1:
        return "" if _is_text(call.args[1]) else _owner(first, statement, graph)
    if callee in _LISTING:
        return _owner(first, statement, graph)
    if callee in _FINDERS:
        return _METHODS.get(str(first.value), "") if isinstance(first, ast.Constant) else ""
    if callee.rpartition(".")[2] in ("import_module", "__import__"):
        return "" if _is_text(first) else "reads the clock, or draws at random"
    owners = [o for a in call.args if (o := _owner(a, statement, graph))]
    if not owners or callee.rpartition(".")[2] in _LOOKING:
        return ""
    if callee.endswith("__getattribute__") or _is_finder(call.func, statement, graph):
        return owners[0]
    if any(_is_module(argument, statement, graph) for argument in call.args):
        return owners[0]
    finds = isinstance(call.func, ast.Lambda) and _finds_names(call.func)
    return owners[0] if finds or _finds(callee, statement, graph) else ""


def _owner(node: ast.AST, statement: Statement, graph: Graph) -> str:
    """Return what the names of a module or class may do, where a value is such a one."""
    path = read_path(node)
    name = full_name(path, statement, graph) if path else ""
    if name in _MODULES or name in _CLASSES or name == "pandas.Timestamp":
        return next(may for owner, may in _OWNERS.items() if f"{name}.".startswith(f"{owner}."))
    return ""


def _is_module(node: ast.AST, statement: Statement, graph: Graph) -> bool:
    path = read_path(node)
    return bool(path) and full_name(str(path), statement, graph) in _MODULES


def _is_finder(func: ast.AST, statement: Statement, graph: Graph) -> bool:
    """Return whether a call is of what `methodcaller(name)` gave."""
    if not isinstance(func, ast.Call):
        return False
    return full_name(str(dotted(func.func)), statement, graph) in _FINDERS


def _finds(callee: str, statement: Statement, graph: Graph) -> bool:
    """Return whether one of the user's own functions finds names while it runs."""
    binder = graph.binder_of(callee.partition(".")[0].strip("<>"), statement.index)
    match binder and binder.node:
        case ast.FunctionDef() as function:
            return _finds_names(function)
        case ast.Assign(value=ast.Lambda() as function):
            return _finds_names(function)
    return False


def _finds_names(function: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Call)
        and (str(dotted(part.func)) == "getattr" or part.func.__class__ is ast.Call)
        and not all(_is_text(a) for a in part.args[1:2])
        for part in ast.walk(function)
    )


def _is_modules(node: ast.Subscript, statement: Statement, graph: Graph) -> bool:
    """Return whether a module is taken from among all that are loaded, by a computed name."""
    path = read_path(node.value)
    found = path and full_name(path, statement, graph) == "sys.modules"
    return bool(found) and not _is_text(node.slice)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
