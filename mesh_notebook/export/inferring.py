"""Which type an expression has, as far as a type checker would know: else `Any`.

A type is the text of an annotation, in the words of the module. Types of Polars come from the
annotations of its own methods; `@When` is one that it has and does not offer by name.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

__all__ = ["ANY", "Types", "joined", "named", "of_record"]

ANY = "Any"
_BUILTIN = {"str", "int", "float", "bool", "bytes"}
_CALLS = {"len": "int", "str": "str", "int": "int", "float": "float", "bool": "bool", "repr": "str"}
_FRAMES = {"polars.lazyframe.frame.LazyFrame": "pl.LazyFrame"}
_FRAMES |= {"polars.dataframe.frame.DataFrame": "pl.DataFrame", "polars.expr.expr.Expr": "pl.Expr"}
_FRAMES |= {"polars.series.series.Series": "pl.Series"}


class Types:
    """What names mean in one scope; `returns` tells what the module's own functions give."""

    def __init__(self, names: Mapping[str, str], returns: Mapping[str, str]) -> None:
        self.names = dict(names)
        self.returns = returns

    def of(self, node: ast.expr | None) -> str:
        """Return the type of an expression."""
        match node:
            case None:
                return "None"
            case ast.Constant(value=value):
                kind = type(value).__name__
                return "None" if value is None else kind if kind in _BUILTIN else ANY
            case ast.JoinedStr():
                return "str"
            case ast.Name(id=name):
                return self.names.get(name, ANY)
            case ast.Call():
                return self._call(node)
            case ast.Attribute(value=value, attr=attr):
                return _attribute(self.of(value), attr)
            case ast.BinOp(left=left, right=right, op=op):
                return _arithmetic(self.of(left), self.of(right), op)
            case ast.UnaryOp(op=op, operand=operand):
                inner = self.of(operand)
                return "bool" if isinstance(op, ast.Not) else inner if inner != "bool" else ANY
            case ast.Compare(left=left, comparators=others):
                kinds = {self.of(one) for one in (left, *others)}
                plain = kinds <= {*_BUILTIN, "None"}
                return "pl.Expr" if "pl.Expr" in kinds else "bool" if plain else ANY
            case ast.IfExp(body=body, orelse=orelse):
                return joined([self.of(body), self.of(orelse)])
        return self._container(node)

    def _container(self, node: ast.expr) -> str:
        match node:
            case ast.List(elts=[_, *_] as parts):
                return f"list[{joined(map(self.of, parts))}]"
            case ast.Tuple(elts=[_, *_] as parts):
                return f"tuple[{', '.join(named(self.of(one)) for one in parts)}]"
            case ast.Dict(keys=[_, *_] as keys, values=values) if None not in keys:
                of = joined(map(self.of, values))
                return f"dict[{joined(map(self.of, keys))}, {of}]"
        return ANY

    def _call(self, node: ast.Call) -> str:
        match node.func:
            case ast.Name(id=name):
                return self.returns.get(name) or _CALLS.get(name, ANY)
            case ast.Attribute(value=ast.Name(id="pl"), attr=attr) if "pl" not in self.names:
                return _result(_polars().get("pl." + attr))
            case ast.Attribute(value=value, attr=attr):
                kind = self.of(value)
                if (kind, attr) == ("pl.LazyFrame", "collect") and not node.keywords:
                    return "pl.DataFrame"
                if own := self.returns.get(f"{kind}.{attr}"):
                    return own
                return _result(getattr(_polars().get(kind), attr, None))
        return ANY


def joined(kinds: Iterable[str]) -> str:
    """Return one type for several: a wider number, or `X | None`; else `Any`."""
    found = set(map(named, kinds))
    if len(found) == 1:
        return found.pop()
    if found == {"int", "float"}:
        return "float"
    rest = found - {"None"}
    return f"{rest.pop()} | None" if len(rest) == 1 and ANY not in found else ANY


def named(kind: str) -> str:
    """Return a type that can be written down."""
    return ANY if kind.startswith("@") else kind


def of_record(kind: str, imports: Mapping[str, str]) -> str:
    """Return the type that a recorded value has, in the words of the module.

    Parameters
    ----------
    imports : mapping
        By full name: what a module's import calls it.
    """
    if kind in _FRAMES:
        return _FRAMES[kind]
    plain = kind.removeprefix("builtins.")
    return plain if plain in _BUILTIN else imports.get(kind, ANY)


def _arithmetic(left: str, right: str, op: ast.operator) -> str:
    if "pl.Expr" in (left, right):
        return "pl.Expr"
    if {left, right} <= {"int", "float"} and not isinstance(op, ast.Pow):
        is_float = "float" in (left, right) or isinstance(op, ast.Div)
        return "float" if is_float else "int"
    return "str" if (left, right) == ("str", "str") and isinstance(op, ast.Add) else ANY


def _attribute(owner: str, attr: str) -> str:
    kind = getattr(_polars().get(owner), attr, None)
    return _result(kind.fget) if isinstance(kind, property) else ANY


def _result(function: Any) -> str:
    """Return what Polars says that a function of its own gives."""
    if isinstance(function, type):
        return _named_by_polars(function.__name__)
    if type(function).__name__ == "Col":
        return "pl.Expr"
    try:
        told = inspect.signature(function).return_annotation
    except (TypeError, ValueError):
        return ANY
    return _named_by_polars(str(told).strip("'\"")) if isinstance(told, str) else ANY


def _named_by_polars(name: str) -> str:
    known, name = _polars(), name.removeprefix("pl.")
    return f"pl.{name}" if f"pl.{name}" in known else f"@{name}" if f"@{name}" in known else ANY


@cache
def _polars() -> dict[str, Any]:
    """Return what Polars has, by the text of its annotation."""
    import sys

    import polars as pl

    inner = [m for n, m in sys.modules.items() if n.startswith("polars.") and m is not None]
    hidden = {
        f"@{name}": value
        for module in inner
        for name, value in list(vars(module).items())
        if isinstance(value, type) and value.__module__.startswith("polars.")
    }
    return {**hidden, **{f"pl.{name}": value for name, value in vars(pl).items()}}
