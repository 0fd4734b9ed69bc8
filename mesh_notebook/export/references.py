"""What the names in a statement stand for: through imports, other names and `getattr`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement

__all__ = ["Reference", "full_name", "parents_in", "read_path", "references"]

_LOADED = "@"  # before the full name of a module that is found by its name
_DEEP = 8  # names for names that are followed


@dataclass(frozen=True)
class Reference:
    """One chain of attributes in a statement, as long as it goes: `dt.datetime.now`.

    Attributes
    ----------
    name : str
        Its full name; where it begins with another call, `().` and the last attribute.
    call : ast.Call or None
        The call whose callee it is.
    """

    node: ast.expr
    name: str
    call: ast.Call | None

    @property
    def said(self) -> str:
        return ast.unparse(self.node)


def parents_in(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """Return what each node of a tree stands in."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def references(statement: Statement, graph: Graph) -> Iterator[Reference]:
    """Yield what a statement refers to, called or not; what it only stores into is left out."""
    tree = statement.node or ast.Pass()
    inner, parents = _imported_inside(statement), parents_in(tree)
    for node in ast.walk(tree):
        path = read_path(node)
        parent = parents.get(node)
        if path is None or _is_part(node, parent):
            continue
        call = parent if isinstance(parent, ast.Call) and parent.func is node else None
        root, dot, rest = path.partition(".")
        if path.startswith(_LOADED):
            yield Reference(node, path.removeprefix(_LOADED), call)  # type: ignore[arg-type]
            continue
        name = f"{inner[root]}{dot}{rest}" if root in inner else full_name(path, statement, graph)
        yield Reference(node, name, call)  # type: ignore[arg-type]


def _is_part(node: ast.AST, parent: ast.AST | None) -> bool:
    """Return whether a longer chain holds this one, or a value is only stored there."""
    if isinstance(parent, ast.Attribute):
        return True
    if isinstance(parent, ast.Call) and read_path(parent) and parent.args[:1] == [node]:
        return True  # getattr(node, "name")
    return isinstance(parent, ast.Subscript) and not isinstance(parent.ctx, ast.Load)


def read_path(node: ast.AST) -> str | None:
    """Return `a.b` for a chain that is read, `getattr(a, "b")` included; `().b` after a call."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            return name
        case ast.Attribute(value=value, attr=attr, ctx=ast.Load()):
            return f"{read_path(value) or '()'}.{attr}"
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if (
            str(dotted(func)).rpartition(".")[2] == "import_module"
        ):
            return f"{_LOADED}{name}"
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name))) if (
            dotted(value) == "sys.modules"
        ):
            return f"{_LOADED}{name}"
        case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(attr)), *_]):
            return f"{read_path(value) or '()'}.{attr}"
    return None


def _imported_inside(statement: Statement) -> dict[str, str]:
    """Return by name what functions in a statement import for themselves."""
    found: dict[str, str] = {}
    if statement.kind == "import":
        return found
    for node in ast.walk(statement.node or ast.Pass()):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                found[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def full_name(name: str, statement: Statement, graph: Graph, deep: int = _DEEP) -> str:
    """Return what a dotted name means at a statement: `pl.scan_csv` → `polars.scan_csv`.

    A name that was given to another name is followed: after `now = datetime.now`, `now` is
    `datetime.datetime.now`. What the user's own code made is `<name>`, so that no variable is
    taken for the library of the same name.
    """
    root, dot, rest = name.partition(".")
    if root == "()" or name.startswith(_LOADED):
        return name.removeprefix(_LOADED)
    binder = graph.binder_of(root, statement.index)
    if binder is None:
        return f"builtins.{name}"
    if binder.kind == "import":
        return f"{binder.origin}{dot}{rest}"
    match binder.node:
        case ast.Assign(targets=[ast.Name()], value=value) if deep and binder is not statement:
            if path := dotted(value) or read_path(value):
                return f"{full_name(path, binder, graph, deep - 1)}{dot}{rest}"
    return f"<{root}>{dot}{rest}"
