"""A function's parameters with defaults, and constants that it binds once: one and the same.

A cell that is tagged `parameters` becomes arguments with defaults where the front end tells which
file it stands in, and statements where it does not. Nothing gives another value in a deployment.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

__all__ = ["bound_by", "settled"]

_MADE_ONCE = frozenset({"date", "datetime", "timedelta", "Decimal"})


def settled(
    function: ast.FunctionDef,
) -> tuple[list[tuple[str, ast.expr]], ast.arguments, list[ast.stmt]]:
    """Return a function's constants by name, and its arguments and its body without them."""
    args = function.args
    defaults = {a.arg: d for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d}
    bound = Counter(name for node in ast.walk(function) for name in bound_by(node))
    free = not args.kwarg and not any(_escapes(node) for node in ast.walk(function))
    given = {n: d for n, d in defaults.items() if free and bound[n] == 1 and _is_constant(d)}
    said = {id(s): one for s in function.body if free and (one := _constant(s))}
    made = {key: one for key, one in said.items() if bound[one[0]] == 1}
    rest = [
        (a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if a.arg not in given
    ]
    fields = {**vars(args), "kwonlyargs": [a for a, _ in rest], "kw_defaults": [d for _, d in rest]}
    constants = sorted([*given.items(), *made.values()], key=lambda one: one[0])
    return constants, ast.arguments(**fields), [s for s in function.body if id(s) not in made]


def _constant(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """Return the name and the value of a statement that binds a constant, and does nothing else."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_constant(value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_constant(
            value
        ):
            return name, value
    return None


def _is_constant(value: ast.expr) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_constant(operand)
        case ast.Tuple(elts=parts):
            return all(map(_is_constant, parts))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=named):
            plain = [*args, *(keyword.value for keyword in named)]
            return name in _MADE_ONCE and all(map(_is_constant, plain))
    return False


def bound_by(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds, or may."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name


def _escapes(node: ast.AST) -> bool:
    """Whether it can see a function's names by other means than their names."""
    return isinstance(node, ast.Name) and node.id in {"locals", "vars", "eval", "exec", "dir"}
