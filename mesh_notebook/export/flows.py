"""How values come to be shared: what a name's value may become a part of, as the text tells."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mesh_notebook.export.scopes import root_name
from mesh_notebook.export.touches import FRESH, Touch, behind, call_touches, own_nodes
from mesh_notebook.export.words import words

__all__ = ["Flow", "flows_of", "returned_by"]


_MASKS = words(
    "isin isna notna isnull notnull between duplicated contains startswith endswith eq ne gt ge lt "
    "le"
)


@dataclass(frozen=True)
class Flow:
    """The value behind `source` may, by this use of it, become part of what `target` holds."""

    target: str
    source: Touch


def flows_of(nodes: Iterable[ast.AST]) -> list[Flow]:
    """Return how values may come to be shared between names, in the nodes' own scope."""
    found: list[Flow] = []
    for node in own_nodes(nodes):
        for target, value in _bindings(node):
            uses = list(_uses(value))
            found.extend(Flow(name, use) for name in _stores(target) for use in uses)
        if isinstance(node, ast.Call):
            found.extend(_given_to_receiver(node))
    return found


def returned_by(body: Iterable[ast.AST]) -> list[Touch]:
    """Return the names whose values code may hand to whoever calls it."""
    found: list[Touch] = []
    for node in own_nodes(body):
        match node:
            case (
                ast.Return(value=ast.expr() as value)
                | ast.Yield(value=ast.expr() as value)
                | ast.YieldFrom(value=value)
            ):
                found.extend(_uses(value))
    lambdas = (node for node in body if isinstance(node, ast.expr))
    return found + [use for value in lambdas for use in _uses(value)]


def _bindings(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    match node:
        case ast.Assign(targets=many, value=value):
            yield from ((target, value) for target in many)
            yield from itertools.pairwise(many)  # `a = b = []` is one list
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield target, value
        case ast.NamedExpr(target=target, value=value):
            yield target, value
        case ast.AugAssign(target=target, value=value):
            yield target, value
            yield target, target  # it may be the same object still
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            yield target, value
        case ast.comprehension(target=target, iter=value):
            yield target, value
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            yield target, value
        case ast.FunctionDef(name=name, args=args) | ast.AsyncFunctionDef(name=name, args=args):
            for default in (*args.defaults, *args.kw_defaults):
                if default is not None:
                    yield ast.Name(name), default
        case ast.ClassDef(name=name, bases=bases, keywords=keywords):
            # It looks itself up in them, and its metaclass may hold on to it.
            made_of = (*bases, *(keyword.value for keyword in keywords))
            yield from ((ast.Name(name), part) for part in made_of)


def _stores(target: ast.AST) -> Iterator[str]:
    """Yield the names that an assignment to `target` puts a value into."""
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _stores(part)
        case _:
            if root := root_name(target):
                yield root


def _given_to_receiver(call: ast.Call) -> Iterator[Flow]:
    """`rows.append(x)` may keep x in rows."""
    if isinstance(call.func, ast.Attribute) and (receiver := root_name(call.func)):
        for argument in (*call.args, *(k.value for k in call.keywords)):
            for use in _uses(argument):
                if use.name != receiver:
                    yield Flow(receiver, replace(use, how="held"))
    for one in behind(call.func):  # `getattr(rows, name)(x)`
        for argument in (*call.args, *(k.value for k in call.keywords)):
            yield from (Flow(one, replace(use, how="held")) for use in _uses(argument))


def _uses(value: ast.AST) -> Iterator[Touch]:
    """Yield how the names in an expression are part of its value."""
    match value:
        case ast.Name(id=name):
            yield Touch(name, "held")
        case ast.Compare() | ast.JoinedStr() | ast.Constant() | ast.Lambda():
            return
        case ast.Call(func=ast.Name(id=name)) if name in FRESH:
            return
        case ast.Call():
            copied = _joins_several(value)
            for use in call_touches(value):
                yield replace(use, how="chosen") if copied and use.how == "argument" else use
            if isinstance(value.func, ast.Attribute):
                method = Touch("", "method", value.func.attr)
                inner = (u for u in _uses(value.func.value) if u.how != "held")
                yield from (replace(use, then=method) for use in inner)
            for argument in (*value.args, *(k.value for k in value.keywords)):
                yield from (u for u in _uses(argument) if u.how != "held")
        case ast.Subscript(value=inner, slice=key) if _chooses(key):
            for use in _uses(inner):
                yield replace(use, how="chosen") if use.how == "held" else use
        case ast.Subscript(value=inner, slice=ast.Name(id=key)):
            for use in _uses(inner):
                yield replace(use, how="by", what=key) if use.how == "held" else use
        case ast.Attribute(value=inner) | ast.Subscript(value=inner):
            yield from _uses(inner)
        case _:
            for child in ast.iter_child_nodes(value):
                yield from _uses(child)


def _joins_several(call: ast.Call) -> bool:
    """Return whether several frames are put together: of one alone, pandas may give a view."""
    last = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    many = call.args[0] if call.args else None
    written_out = isinstance(many, ast.List | ast.Tuple) and len(many.elts) > 1
    return last == "concat" and written_out


def _chooses(key: ast.AST) -> bool:
    """Return whether an item is asked for by a mask, or by a list of names."""
    match key:
        case ast.List() | ast.Compare():
            return True
        case ast.UnaryOp(op=ast.Invert(), operand=inner):
            return _chooses(inner)
        case ast.BinOp(left=one, op=ast.BitAnd() | ast.BitOr(), right=other):
            return _chooses(one) and _chooses(other)
        case ast.Call(func=ast.Attribute(attr=method)):
            return method in _MASKS
        case ast.Tuple(elts=[rows, *_]):
            return _chooses(rows)
    return False
