"""Which names a piece of Python binds, by Python's own scoping rules."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

__all__ = [
    "COMPREHENSIONS",
    "FUNCTIONS",
    "arguments",
    "bound_names",
    "captured",
    "changing_defaults",
    "comprehension_names",
    "declared",
    "dotted",
    "implicit_in",
    "never_changes",
    "parameters",
    "root_name",
    "targets",
]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_INNER = (*FUNCTIONS, ast.ClassDef)
_MAKING = ("__init__", "__new__", "__init_subclass__")
_PLAIN_METHODS = {"staticmethod", "classmethod", "abstractmethod", "override", "final", "cache"}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def targets(node: ast.AST) -> Iterator[str]:
    """Yield the plain names in an assignment's target."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def arguments(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.arg]:
    """Return a function's parameters, positional ones first."""
    args = node.args
    rest = [a for a in (args.vararg, args.kwarg) if a]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *rest]


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[str]:
    """Return the names of a function's parameters, positional ones first."""
    return [argument.arg for argument in arguments(node)]


def changing_defaults(node: ast.AST) -> list[str]:
    """Return the parameters whose default is made once, and could change."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return []
    args = node.args
    positional = [*args.posonlyargs, *args.args][::-1]
    pairs = [*zip(positional, args.defaults[::-1], strict=False)]
    pairs += [(a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d]
    return [argument.arg for argument, default in pairs if not never_changes(default)]


def never_changes(value: ast.expr) -> bool:
    """Return whether a value is written out, and such that nothing can change it."""
    match value:
        case ast.Constant() | ast.UnaryOp(operand=ast.Constant()):
            return True
        case ast.Tuple(elts=parts):
            return all(map(never_changes, parts))
    return False


def comprehension_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that comprehensions inside these nodes bind for themselves."""
    return {
        name
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.comprehension)
        for name in targets(part.target)
    }


def declared(node: ast.AST) -> set[str]:
    """Return the names that a function declares `global` or `nonlocal`."""
    found: set[str] = set()
    for part in _own(node):
        if isinstance(part, ast.Global | ast.Nonlocal):
            found.update(part.names)
    return found


def bound_names(node: ast.AST) -> set[str]:
    """Return the names bound in a node's own scope, its nested scopes left out."""
    return {name for part in _own(node) for name in _bound_by(part)}


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases):
            yield from (alias.asname or alias.name.split(".")[0] for alias in aliases)
        case ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases if alias.name != "*")
        case ast.ExceptHandler(name=str(name)):
            yield name
        case _:
            yield from captured(node)


def captured(node: ast.AST) -> Iterator[str]:
    """Yield the name that a pattern of `match` captures."""
    if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the nodes of one scope; of the scopes inside it, only what leaks out of them."""
    for child in ast.iter_child_nodes(node):
        yield child
        if isinstance(child, COMPREHENSIONS):
            yield from _walrus(child)
        elif not isinstance(child, _INNER):
            yield from _own(child)


def _walrus(node: ast.AST) -> Iterator[ast.AST]:
    # `:=` in a comprehension binds in the scope around it; the loop's own targets do not.
    for part in ast.walk(node):
        if isinstance(part, ast.NamedExpr):
            yield part.target


def root_name(node: ast.AST) -> str | None:
    """Return the name that a chain of attributes, items and calls begins with."""
    while True:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Starred(value=inner):
                node = inner
            case ast.Call(func=inner) | ast.Await(value=inner) | ast.NamedExpr(value=inner):
                node = inner
            case _:
                return None


def dotted(node: ast.AST) -> str | None:
    """Return `a.b.c` for a plain chain of attributes on a name, else None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else None
    return None


def implicit_in(node: ast.ClassDef) -> set[str]:
    """Return the functions of a class that run though nobody calls them by their names.

    Operators, properties, whatever a decorator makes of a method; lambdas, which have no name.
    """
    found = {""}
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            said = {ast.unparse(one).rpartition(".")[2] for one in part.decorator_list}
            special = part.name.startswith("__") and part.name not in _MAKING
            if special or said - _PLAIN_METHODS:
                found.add(part.name)
    return found
