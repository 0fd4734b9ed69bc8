"""Whether a module's code goes one way, whatever the data: only then one run tells of all runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["asks_for_types", "goes_one_way", "sql_helper"]

_BRANCHES = (
    *(ast.If, ast.IfExp, ast.While, ast.For, ast.Try, ast.TryStar, ast.Match, ast.BoolOp),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.Assert),
    *(ast.AsyncFor, ast.AsyncFunctionDef, ast.ClassDef),
)
_TYPES = {"isinstance", "issubclass", "type", "hasattr", "getattr", "callable", "vars", "dir"}
_APPLIES = {"map", "filter", "reduce", "getattr", "eval", "exec", "sorted", "min", "max"}


def sql_helper(tree: ast.Module) -> str:
    """Return the name of the module's function that runs SQL; empty where there is none."""
    for node in tree.body:
        if not (isinstance(node, ast.FunctionDef) and node.args.kwarg and node.args.posonlyargs):
            continue
        if any(isinstance(n, ast.Name) and n.id == "duckdb" for n in ast.walk(node)):
            return node.name
    return ""


def asks_for_types(tree: ast.Module) -> bool:
    """Whether the code may tell a lazy frame from one in memory, and then do something else."""
    return any(
        isinstance(node, ast.Try | ast.TryStar | ast.Match)
        or (isinstance(node, ast.Name) and node.id in _TYPES)
        or (isinstance(node, ast.Attribute) and node.attr == "__class__")
        for node in _own(tree)
    )


def goes_one_way(tree: ast.Module) -> bool:
    """Whether no value can change which statements run, or how often."""
    nested = sum(isinstance(n, ast.FunctionDef) for n in ast.walk(tree))
    if nested != sum(isinstance(n, ast.FunctionDef) for n in tree.body):
        return False
    return not any(
        isinstance(node, _BRANCHES) or (isinstance(node, ast.Name) and node.id in _APPLIES)
        for node in _own(tree)
    )


def _own(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what the module says, but for the function that runs SQL, which we know."""
    helper = sql_helper(tree)
    for node in tree.body:
        if not (isinstance(node, ast.FunctionDef) and node.name == helper):
            yield from ast.walk(node)
