"""Where a statement runs SQL by DuckDB: on its module, on a connection, on a relation."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mesh_notebook.export.own_sql.spelled import spelled
from mesh_notebook.export.own_sql.told import Told, told_of
from mesh_notebook.export.scopes import (
    COMPREHENSIONS,
    FUNCTIONS,
    bound_names,
    dotted,
    parameters,
    root_name,
)
from mesh_notebook.export.words import words

__all__ = ["Query", "is_connection", "is_relation", "queries_in", "quiet"]

_QUERYING = words("sql query execute executemany from_query")
_TABLES = words("table view")
_BY_RELATION = words("create create_view to_table to_view insert insert_into update")
_UNFETCHED = words("execute executemany")


@dataclass(frozen=True)
class Query:
    """One call that runs SQL.

    Attributes
    ----------
    receiver : str
        The name that it is called on: the module's, a connection's or a relation's.
    told : Told or None
        What its text tells; None where the text is made while the code runs.
    inside : bool
        It stands in a function or comprehension, where DuckDB sees other names.
    own : frozenset of str
        The names that this function binds.
    on_default : bool
        It runs on the connection that all code of the process shares.
    """

    call: ast.Call
    receiver: str
    method: str
    told: Told | None
    inside: bool
    own: frozenset[str] = frozenset()
    on_default: bool = False

    @property
    def tables(self) -> frozenset[str]:
        """The names that may be Python's."""
        return self.told.tables if self.told else frozenset()

    @property
    def only_reads(self) -> bool:
        return self.told is not None and self.told.only_reads


def is_connection(kind: str | None) -> bool:
    """Return whether a recorded type is a connection of DuckDB."""
    return bool(kind) and str(kind).endswith("duckdb.DuckDBPyConnection")


def is_relation(kind: str | None) -> bool:
    """Return whether a recorded type is a relation of DuckDB: a query that runs when asked."""
    root, _, name = str(kind).partition(".")
    return root in ("duckdb", "_duckdb") and name.rpartition(".")[2] == "DuckDBPyRelation"


def queries_in(
    tree: ast.AST | None,
    type_of: Callable[[str], str | None],
    origin_of: Callable[[str], str],
    value_of: Callable[[str], ast.expr | None],
) -> tuple[Query, ...]:
    """Return the calls of a statement that run SQL by DuckDB.

    Parameters
    ----------
    type_of, origin_of, value_of : callable
        Given a name: its recorded type; the full name of what a path stands for; the expression
        that was assigned to it, where it is one and never changed.
    """
    found = []
    for call, functions in _calls(tree):
        if (one := _receiver(call, type_of, origin_of)) is None:
            continue
        receiver, method, on_default = one
        inside = bool(functions)
        own = frozenset(name for f in functions for name in _own_names(f))
        text = _text(call, method)
        said = spelled(text, _outside(own, value_of), type_of) if text is not None else None
        if said is not None and method in _TABLES:
            said = f'FROM "{said}"'
        told = None if said is None else told_of(said)
        found.append(Query(call, receiver, method, told, inside, own, on_default))
    return tuple(found)


def _outside(
    own: frozenset[str], value_of: Callable[[str], ast.expr | None]
) -> Callable[[str], ast.expr | None]:
    """Return what names stand for, those that a function binds itself left out."""
    return lambda name: None if name in own else value_of(name)


def _calls(
    tree: ast.AST | None, functions: tuple[ast.AST, ...] = ()
) -> Iterator[tuple[ast.Call, tuple[ast.AST, ...]]]:
    """Yield calls, and the scopes of their own that they stand in."""
    if tree is None:
        return
    if isinstance(tree, ast.Call):
        yield tree, functions
    inner = isinstance(tree, (FUNCTIONS, *COMPREHENSIONS))
    for child in ast.iter_child_nodes(tree):
        yield from _calls(child, (*functions, tree) if inner else functions)


def _own_names(function: ast.AST) -> set[str]:
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return set()
    body = function.body if isinstance(function.body, list) else [function.body]
    return {*parameters(function), *bound_names(ast.Module(body, []))}  # type: ignore[arg-type]


def _receiver(
    call: ast.Call, type_of: Callable[[str], str | None], origin_of: Callable[[str], str]
) -> tuple[str, str, bool] | None:
    """Return the name, the method, and whether it is the default connection's; else None."""
    path = dotted(call.func)
    origin = origin_of(path) if path else ""
    if origin.startswith("duckdb."):
        method = origin.removeprefix("duckdb.")
        known = (*_QUERYING, *_TABLES)
        return (str(path).partition(".")[0], method, True) if method in known else None
    if origin == "polars.sql":  # it finds its tables as DuckDB does, and makes none that stay
        return str(path).partition(".")[0], "sql", False
    if not isinstance(call.func, ast.Attribute):
        return None
    root, method = root_name(call.func), call.func.attr
    if root is None:
        return None
    if method in (*_QUERYING, *_TABLES) and _gives_connection(call.func.value, type_of, origin_of):
        return root, method, False
    by_relation = is_relation(type_of(root)) or origin_of(root) == "duckdb"
    if by_relation and method in (*_BY_RELATION, "query"):
        return root, method, True
    return None


def _gives_connection(
    value: ast.expr, type_of: Callable[[str], str | None], origin_of: Callable[[str], str]
) -> bool:
    """Return whether an expression is a connection: a name of one, or `duckdb.connect()`."""
    match value:
        case ast.Name(id=name):
            return is_connection(type_of(name))
        case ast.Call(func=function):
            path = dotted(function)
            if path and origin_of(path) in ("duckdb.connect", "duckdb.cursor"):
                return True
            inner = function.value if isinstance(function, ast.Attribute) else None
            same = isinstance(function, ast.Attribute) and function.attr in (
                *("cursor", "execute", "executemany", "register", "duplicate"),
            )
            return same and inner is not None and _gives_connection(inner, type_of, origin_of)
    return False


def _text(call: ast.Call, method: str) -> ast.expr | None:
    if method in _BY_RELATION:
        return None
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if "query" in named:
        return named["query"]
    return call.args[0] if call.args else None


def quiet(tree: ast.AST | None, queries: Sequence[Query]) -> set[str]:
    """Return the names that a statement uses only to run queries which leave them as they were."""
    parents = {c: n for n in ast.walk(tree or ast.Pass()) for c in ast.iter_child_nodes(n)}
    plain = set[int]()
    for query in queries:
        fetched = isinstance(parents.get(query.call), ast.Attribute)
        if query.only_reads and (fetched or query.method not in _UNFETCHED):
            plain |= {id(node) for node in [_root(query.call.func)] if node is not None}
    names = {query.receiver for query in queries}
    uses = [n for n in ast.walk(tree or ast.Pass()) if isinstance(n, ast.Name) and n.id in names]
    return {name for name in names if all(id(n) in plain for n in uses if n.id == name)}


def _root(node: ast.expr) -> ast.Name | None:
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node if isinstance(node, ast.Name) else None
