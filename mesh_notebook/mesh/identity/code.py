"""What Python code means: its syntax tree, without what only its readers see."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from mesh_notebook.mesh.identity.beginnings import inlined
from mesh_notebook.mesh.identity.parameters import settled
from mesh_notebook.mesh.identity.queries import written_alike
from mesh_notebook.mesh.identity.trees import Leaf, flat

__all__ = ["meaning_of", "queries_in", "said_of", "statement_said", "statements"]

# Fields of a node that say nothing of what it does.
_SILENT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
# Code that names one of these can tell how it is written: by its docstrings, its lines or its file.
_TELLTALES = frozenset({"__doc__", "__code__", "__file__", "__loader__", "__spec__", "__import__"})
_TELLTALES |= {"co_consts", "co_firstlineno", "co_lines", "f_lineno", "tb_lineno", "import_module"}
_TELLTALES |= {"_getframe", "currentframe", "extract_stack", "extract_tb", "findCaller"}
_TELLTALES |= {"getcomments", "getdoc", "getsource", "getsourcelines"}
# And code that imports one of these.
_READERS = frozenset({"inspect", "linecache", "pydoc", "traceback", "tokenize", "yacc"})
_ASKS = frozenset({"sql", "execute"})


def meaning_of(source: bytes) -> str:
    """Return the SHA-256 of what a module means.

    It is the same for two that differ in comments, docstrings and layout alone, in those of their
    SQL, too; or in whether what functions begin with is written once. Of a module that can read its
    own text, and of what is no Python, the text counts.
    """
    tree = _parsed(source)
    if tree is None or _reads_itself(tree):
        return hashlib.sha256(b"text\0" + source).hexdigest()
    tree = inlined(tree)
    told = hashlib.sha256(b"means")
    for text in said_of(tree, queries_in(tree)):
        told.update(b"\0" + text.encode())
    return told.hexdigest()


def statement_said(node: ast.stmt, queries: Collection[ast.Constant] = ()) -> str:
    """Return what a statement means, as a text; empty of one that only says something to readers.

    Parameters
    ----------
    queries
        The texts in it that are SQL.
    """
    return "\0".join(said_of(node, queries)) if statements([node]) else ""


def _parsed(source: bytes) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _reads_itself(tree: ast.Module) -> bool:
    return any(_is_telltale(node) for node in ast.walk(tree))


def _is_telltale(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _TELLTALES
        case ast.Constant(value=str(text)):
            return text.startswith("__") and text in _TELLTALES
        case ast.alias(name=name) | ast.ImportFrom(module=str(name)):
            return not (_TELLTALES | _READERS).isdisjoint(name.split("."))
    return False


# ---- a tree ------------------------------------------------------------------------------------


def said_of(tree: ast.AST, queries: Collection[ast.Constant]) -> list[str]:
    """Return what a tree says, as texts that are equal for trees of one meaning alone.

    Parameters
    ----------
    queries
        The texts in it that are SQL.
    """
    sql = {id(node) for node in queries}

    def parts(node: Any) -> tuple[str, Iterable[Any]] | Leaf:
        if isinstance(node, ast.Constant):
            return Leaf(_query(node) if id(node) in sql else _spelled(node.value))
        if isinstance(node, ast.AST):
            return type(node).__name__, _fields(node)
        return Leaf(_spelled(node))

    return list(flat(tree, parts))


def _fields(node: ast.AST) -> Iterator[Any]:
    said = dict(ast.iter_fields(node))
    if isinstance(node, ast.FunctionDef):
        constants, said["args"], said["body"] = settled(node)
        yield from (part for name, value in constants for part in (Leaf(f"{name} is"), value))
    for name, value in said.items():
        kept = statements(value) if name in ("body", "orelse", "finalbody") else value
        if name not in _SILENT and kept is not None and kept != []:
            yield Leaf(f"{name}=")
            yield kept


def statements(body: Any) -> Any:
    """Return a body without what does nothing: docstrings, other bare constants, and `pass`."""
    if not isinstance(body, list):
        return body  # of a lambda, or of `x if y else z`
    return [node for node in body if not _idle(node)]


def _idle(node: ast.stmt) -> bool:
    bare = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return bare or isinstance(node, ast.Pass)


def _spelled(value: Any) -> str:
    """Return a constant, or a name, as text of its own."""
    match value:
        case bool() | None:
            said = repr(value)
        case int():
            said = hex(value)
        case float():
            said = value.hex()
        case _:
            said = ascii(value)
    return f"{type(value).__name__}:{said}"


def _query(node: ast.Constant) -> str:
    return f"query:{written_alike(str(node.value))!a}"


# ---- queries -----------------------------------------------------------------------------------


def queries_in(tree: ast.AST) -> list[ast.Constant]:
    """Return the texts that DuckDB is given as queries: of others, nothing is known."""
    connections = {name for node in ast.walk(tree) for name in _connected(node)}
    helpers = _helpers(tree, connections)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    asked = [call.args[0] for call in calls if _asks(call.func, connections, helpers)]
    return [one for one in asked if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _asks(asked: ast.expr, connections: Collection[str], helpers: Collection[str]) -> bool:
    match asked:
        case ast.Name(id=name):
            return name in helpers
        case ast.Attribute(value=ast.Name(id=of), attr=attr):
            return attr in _ASKS and of in connections
        case ast.Attribute(value=ast.Call() as made, attr=attr):
            return attr in _ASKS and _connects(made)
    return False


def _connected(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (one.asname or one.name for one in names if one.name == "duckdb")
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _connects(value):
            yield name
        case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)) if _connects(value):
            yield name


def _connects(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="duckdb"), attr="connect")):
            return True
    return False


def _helpers(tree: ast.AST, connections: Collection[str]) -> set[str]:
    """Return the functions that do nothing with their first argument but to ask DuckDB for it."""
    body = tree.body if isinstance(tree, ast.Module) else []
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    return {one.name for one in functions if _only_asks(one, connections)}


def _only_asks(function: ast.FunctionDef, connections: Collection[str]) -> bool:
    first = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)][:1]
    inside = list(ast.walk(function))
    uses = [node for node in inside if isinstance(node, ast.Name) and [node.id] == first]
    asked = [
        node.args[0]
        for node in inside
        if isinstance(node, ast.Call) and node.args and _asks(node.func, connections, ())
    ]
    return bool(uses) and all(any(use is one for one in asked) for use in uses)
