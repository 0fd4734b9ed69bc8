"""What tells one process from another: hashes of texts, places in memory, texts that show them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.graph import Graph
from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.impure.told import Parents, is_local, only_told
from mesh_notebook.export.numbers import is_number
from mesh_notebook.export.references import Reference, full_name, parents_in, references
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.words import words

__all__ = ["identities"]

_ADDRESSED = words(
    "builtins.function builtins.method builtins.builtin_function_or_method builtins.generator "
    "builtins.object functools.partial functools._lru_cache_wrapper builtins.map builtins.filter "
    "builtins.zip builtins.enumerate"
)
_SHOWING = words("str repr format ascii")
_KEYED = words("get setdefault add discard remove pop append")
_HASHED = "is another number in each process, where it is of a text"
_HASH_FIX = "take int(hashlib.sha256(TEXT.encode()).hexdigest()[:15], 16), or the column's .hash()"
_PLACED = "is a place in memory, which is another one in each process"
_ID_FIX = "number the values yourself: enumerate(…)"
_SHOWN = "shows a place in memory, which is another one in each process"


def identities(statement: Statement, graph: Graph) -> Iterator[Impurity]:
    """Yield the numbers and texts of a statement that are others in each process."""
    tree = statement.node or ast.Pass()
    parents = parents_in(tree)
    for one in references(statement, graph):
        if is_local(one.said, one.node, parents):
            continue
        if _is_hash(one.name) and _matters(one, parents, statement, graph):
            yield Impurity(one.said, _HASHED, _HASH_FIX)
        elif one.name == "builtins.id" and not _only_compared(one, parents):
            yield Impurity(one.said, _PLACED, _ID_FIX)
    for shown in _shown(tree, statement, graph):
        if not only_told(shown, parents):
            fix = "write out the text, or give the class a __repr__"
            yield Impurity(ast.unparse(shown), _SHOWN, fix)


# ---- hashes ------------------------------------------------------------------------------------


def _is_hash(name: str) -> bool:
    return name == "builtins.hash" or name.endswith(".__hash__")


def _matters(one: Reference, parents: Parents, statement: Statement, graph: Graph) -> bool:
    if one.call is None:
        return not _is_the_class_own(one.node, parents)
    if _inside_hash(one.node, parents) or only_told(one.call, parents):
        return False
    if isinstance(parents.get(one.call), ast.Compare) and _all_hashes(parents[one.call]):
        return False
    given = one.call.args[:1] if one.name == "builtins.hash" else [one.node.value]  # type: ignore[attr-defined]
    return not all(is_number(value, parents, statement, graph) for value in given)


def _is_the_class_own(node: ast.AST, parents: Parents) -> bool:
    match parents.get(node):
        case ast.Assign(targets=[ast.Name(id="__hash__")]):
            return True
    return False


def _inside_hash(node: ast.AST, parents: Parents) -> bool:
    around = parents.get(node)
    while around is not None:
        if isinstance(around, ast.FunctionDef) and around.name == "__hash__":
            return True
        around = parents.get(around)
    return False


def _all_hashes(compared: ast.AST) -> bool:
    sides = [compared.left, *compared.comparators] if isinstance(compared, ast.Compare) else []
    return all(isinstance(s, ast.Call) and dotted(s.func) == "hash" for s in sides)


# ---- places in memory --------------------------------------------------------------------------


def _only_compared(one: Reference, parents: Parents) -> bool:
    """Return whether an `id` only tells one object from another."""
    if one.call is None:
        return False
    parent = parents.get(one.call)
    match parent:
        case ast.Compare() | ast.Subscript():
            return True
        case ast.Call(func=ast.Attribute(attr=method)):
            return method in _KEYED and method != "append"
    return only_told(one.call, parents)


def _shown(tree: ast.AST, statement: Statement, graph: Graph) -> Iterator[ast.expr]:
    """Yield what turns a value into a text that shows where it lies in memory."""
    for node in ast.walk(tree):
        match node:
            case ast.FormattedValue(value=value) if _lies(value, statement, graph):
                yield node
            case ast.Call(func=func, args=[value, *_]) if _lies(value, statement, graph):
                if full_name(str(dotted(func)), statement, graph).removeprefix(
                    "builtins."
                ) in _SHOWING or (isinstance(func, ast.Attribute) and func.attr == "format"):
                    yield node
            case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod(), right=value):
                if _lies(value, statement, graph):
                    yield node


def _lies(value: ast.expr, statement: Statement, graph: Graph) -> bool:
    """Return whether a value's text is the default one, with its place in memory."""
    match value:
        case ast.Lambda() | ast.GeneratorExp():
            return True
        case ast.Call(func=ast.Name(id="object"), args=[]):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return _is_plain_class(name, statement, graph)
        case ast.Name(id=name):
            return _is_addressed(name, statement, graph)
    return False


def _is_addressed(name: str, statement: Statement, graph: Graph) -> bool:
    binder = graph.binder_of(name, statement.index)
    if binder is None or isinstance(binder.node, ast.ClassDef):
        return False
    if isinstance(binder.node, ast.FunctionDef):
        return not binder.node.decorator_list
    module, _, kind = binder.cell.types.get(name, "").rpartition(".")
    return f"{module}.{kind}" in _ADDRESSED or (
        module == "__main__" and _is_plain_class(kind, statement, graph)
    )


def _is_plain_class(name: str, statement: Statement, graph: Graph, deep: int = 4) -> bool:
    """Return whether a class of the user's says nothing of its own about its text."""
    binder = graph.binder_of(name, statement.index)
    node = binder.node if binder is not None else None
    if not isinstance(node, ast.ClassDef) or node.decorator_list or node.keywords or not deep:
        return False
    defined = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    assigned = {n.id for part in node.body for n in ast.walk(part) if isinstance(n, ast.Name)}
    if {"__repr__", "__str__", "__format__"} & (defined | assigned):
        return False
    bases = [str(dotted(base)) for base in node.bases]
    return all(b == "object" or _is_plain_class(b, statement, graph, deep - 1) for b in bases)
