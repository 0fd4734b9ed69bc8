"""What several functions of a module begin with, put back into each of them.

An export writes such a beginning once, as a function that they call. Whether it does is a matter of
how a module is written; so it is put back wherever that surely means the same.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mesh_notebook.mesh.identity.parameters import bound_by

__all__ = ["inlined", "stands_alone"]

# What sees the names of the function that it stands in.
_SEES_NAMES = frozenset({"locals", "vars", "eval", "exec", "dir", "_getframe", "currentframe"})
# Code that runs later, and then takes its names as they stand.
_LATER = (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.GeneratorExp)
_ENDS = (ast.Return, ast.Yield, ast.YieldFrom, ast.Await)
_BUILTINS = frozenset(dir(builtins))
_WORD = re.compile(r"[^\W\d]\w*")


def stands_alone(
    begun: Sequence[ast.stmt],
    rest: Sequence[ast.stmt],
    gives: Collection[str],
    known: Collection[str],
) -> bool:
    """Return whether statements mean the same in a function of their own.

    Parameters
    ----------
    begun, rest
        The statements, and those that follow them.
    gives
        The names that their function hands over to those.
    known
        The names that mean something to the rest without them, but for builtins.
    """
    inside, after = list(_walked(begun)), list(_walked(rest))
    if any(isinstance(node, ast.Global | ast.Nonlocal | ast.Await) for node in inside):
        return False
    if any(isinstance(node, _ENDS) for statement in begun for node in _own(statement)):
        return False
    if any(_sees_names(node) for node in (*inside, *after)):
        return False
    later = {name for node in inside if isinstance(node, _LATER) for name in _read(ast.walk(node))}
    if later & _bound(after):
        return False
    lost = _bound(inside) - set(gives)
    # What a query names may be a frame.
    meant = _read(after) | _words(after)
    return not lost & _declared(after) and not lost & meant & {*known, *_BUILTINS}


def _walked(statements: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    return (node for statement in statements for node in ast.walk(statement))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs where a statement stands, and not in functions inside it."""
    waiting = [node]
    while waiting:
        yield (one := waiting.pop())
        if not isinstance(one, _LATER[:4]):
            waiting += ast.iter_child_nodes(one)


def _bound(nodes: Iterable[ast.AST]) -> set[str]:
    return {name for node in nodes for name in bound_by(node)}


def _read(nodes: Iterable[ast.AST]) -> set[str]:
    return {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}


def _declared(nodes: Iterable[ast.AST]) -> set[str]:
    kinds = ast.Nonlocal | ast.Global
    return {name for node in nodes if isinstance(node, kinds) for name in node.names}


def _words(nodes: Iterable[ast.AST]) -> set[str]:
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {word for text in texts if isinstance(text, str) for word in _WORD.findall(text)}


def _sees_names(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name):
            return name in _SEES_NAMES
        case ast.Attribute(attr=name):
            return name in _SEES_NAMES or name == "query"  # of pandas: "delay > @limit"
    return False


# ---- a module ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Begun:
    """A function of which nothing is known but that others begin by calling it."""

    node: ast.FunctionDef
    takes: tuple[str, ...]
    named: tuple[str, ...]
    body: tuple[ast.stmt, ...]
    gives: tuple[str, ...]


def inlined(tree: ast.Module) -> ast.Module:
    """Return a module in which no function begins with a call of another one.

    That is where each of the other's parameters is given the name that it has, its values go to the
    names that they have there, and nothing else uses it. Types of local names are left out: they
    mean nothing when a function runs.
    """
    body = [_untyped(node) if isinstance(node, ast.FunctionDef) else node for node in tree.body]
    made = ast.Module(body, tree.type_ignores)
    for name in [node.name for node in body if isinstance(node, ast.FunctionDef)]:
        same = [n for n in made.body if isinstance(n, ast.FunctionDef) and n.name == name]
        if len(same) == 1 and (begun := _of(same[0])) is not None:
            made = _without(made, begun)
    return made


def _untyped(function: ast.FunctionDef) -> ast.FunctionDef:
    return _with_body(function, [_plain(node) for node in function.body])


def _plain(node: ast.stmt) -> ast.stmt:
    match node:
        case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value, simple=1):
            return ast.copy_location(ast.Assign([target], value), node)
    return node


def _with_body(function: ast.FunctionDef, body: list[ast.stmt]) -> ast.FunctionDef:
    fields = {**dict(ast.iter_fields(function)), "body": body}
    return ast.copy_location(ast.FunctionDef(**fields), function)


def _of(node: ast.FunctionDef) -> _Begun | None:
    args = node.args
    more = (args.posonlyargs, args.vararg, args.kwarg, args.defaults, any(args.kw_defaults))
    body = _said(node)
    if any(more) or node.decorator_list or not body or not isinstance(body[-1], ast.Return):
        return None
    gives = _names(body[-1].value)
    takes, named = (tuple(a.arg for a in some) for some in (args.args, args.kwonlyargs))
    return _Begun(node, takes, named, tuple(body[:-1]), gives) if gives else None


def _said(function: ast.FunctionDef) -> list[ast.stmt]:
    """Return a function's statements without its docstring."""
    first = function.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return function.body[1:] if told else function.body


def _names(node: ast.expr | None) -> tuple[str, ...]:
    """Return the names that a name, or a tuple of them, consists of; none of all else."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    names = tuple(part.id for part in parts if isinstance(part, ast.Name))
    return names if len(names) == len(parts) else ()


def _without(module: ast.Module, begun: _Begun) -> ast.Module:
    """Return a module with what a function does put back into all that begin with it."""
    name = begun.node.name
    known = {n for node in module.body for n in _bound([node, *_leading(node)])}
    callers = [n for n in module.body if isinstance(n, ast.FunctionDef) and _calls(n, begun)]
    uses = sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(module))
    ready = callers and uses == len(callers)
    if not ready or not all(_means_the_same(one, begun, known) for one in callers):
        return module
    body = [_put_back(n, begun) if n in callers else n for n in module.body if n is not begun.node]
    return ast.Module(body, module.type_ignores)


def _leading(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield what a statement of a module may bind there: of a definition, only itself."""
    return iter(()) if isinstance(node, _LATER[1:4]) else ast.walk(node)


def _calls(function: ast.FunctionDef, begun: _Begun) -> bool:
    """Return whether a function begins with a call of another, from names to the same names."""
    match _said(function)[:1]:
        case [ast.Assign(targets=[target], value=ast.Call(func=ast.Name(id=name)) as call)]:
            given = [(k.arg, *_names(k.value)) for k in call.keywords]
            return (
                name == begun.node.name
                and _names(target) == begun.gives
                and [_names(one) for one in call.args] == [(n,) for n in begun.takes]
                and given == [(n, n) for n in begun.named]
            )
    return False


def _means_the_same(function: ast.FunctionDef, begun: _Begun, known: Collection[str]) -> bool:
    own = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
    return stands_alone(begun.body, _said(function)[1:], begun.gives, {*known, *own})


def _put_back(function: ast.FunctionDef, begun: _Begun) -> ast.FunctionDef:
    told = function.body[: len(function.body) - len(_said(function))]
    return _with_body(function, [*told, *begun.body, *_said(function)[1:]])
