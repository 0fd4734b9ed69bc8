"""What the text of a scope tells of the values behind its names, where their order matters."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from mesh_notebook.export.scopes import COMPREHENSIONS, dotted
from mesh_notebook.export.words import words

__all__ = [
    "DICT",
    "LIST",
    "LISTS",
    "NONE",
    "SET",
    "SETS",
    "UNORDERED",
    "annotated",
    "attributes_given",
    "has_total_key",
    "holder_of",
    "is_loop",
    "is_sorted",
    "is_told_apart",
    "is_view",
    "loops_of",
    "names_in",
    "strongest",
    "values_given",
]

NONE = ""
SET = "set"
DICT = "dict"  # its keys in the order of a set
LIST = "list"  # a list, tuple or iterator in the order of a set
SETS, LISTS = "sets", "lists"  # what holds such
UNORDERED = (SET, DICT, LIST)
_ORDER = (SETS, LISTS, DICT, LIST, SET)  # the later one wins where several may be

_ANNOTATED = words("set frozenset Set FrozenSet AbstractSet MutableSet")
_MAKING = words("set frozenset")


def has_total_key(call: ast.Call) -> bool:
    """Return whether `sorted`, `min` or `max` leaves no two values of a set in doubt."""
    key = next((k.value for k in call.keywords if k.arg == "key"), None)
    match key:
        case None | ast.Constant(value=None) | ast.Name(id="str"):
            return True
        case ast.Lambda(args=ast.arguments(args=[one]), body=body):
            parts = body.elts if isinstance(body, ast.Tuple) else [body]
            return any(isinstance(p, ast.Name) and p.id == one.arg for p in parts)
    return False


def holder_of(kind: str) -> str:
    return {SET: SETS, LIST: LISTS, DICT: LISTS}.get(kind, NONE)


def strongest(kinds: Iterable[str]) -> str:
    return max(kinds, key=(NONE, *_ORDER).index, default=NONE)


def is_view(node: ast.AST) -> bool:
    """Return whether a value is what `d.keys()` gives, of which `&` and `-` make sets."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("keys", "items")
        and not node.args
    )


def annotated(annotation: ast.AST | None) -> str:
    inner = annotation.slice if isinstance(annotation, ast.Subscript) else None
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    name = str(dotted(outer or ast.Pass())).rpartition(".")[2]
    if name not in _ANNOTATED or dotted(inner or ast.Pass()) in ("int", "float", "bool"):
        return NONE
    return SET


def values_given(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """Yield what assignments in a scope give to a name."""
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=targets, value=value):
                if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                    yield value
            case ast.AugAssign(target=ast.Name(id=target), op=ast.Add(), value=value) if (
                target == name
            ):
                yield ast.Call(ast.Name("list", ast.Load()), [value], [])  # `rows += names`
            case (
                ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value)
                | ast.AugAssign(target=ast.Name(id=target), value=value)
                | ast.NamedExpr(target=ast.Name(id=target), value=value)
            ) if target == name:
                yield value


def attributes_given(
    owner: ast.ClassDef, attr: str
) -> Iterator[tuple[ast.expr | None, ast.expr | None]]:
    for node in ast.walk(owner):
        match node:
            case ast.AnnAssign(target=target, value=value, annotation=annotation):
                if getattr(target, "attr", getattr(target, "id", "")) == attr:
                    yield value, annotation
            case ast.Assign(targets=[target], value=value):
                if getattr(target, "attr", getattr(target, "id", "")) == attr:
                    yield value, None


def is_sorted(scope: ast.AST, name: str) -> bool:
    """Return whether a list is sorted in place, by all that its values are."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sort"
        and dotted(node.func.value) == name
        and has_total_key(node)
        for node in ast.walk(scope)
    )


def is_told_apart(node: ast.AST | None, name: str) -> bool:
    """Return whether a set's own text says that it holds numbers, or one value."""
    plain = ast.Set | ast.SetComp | ast.Call
    return any(
        isinstance(value, plain)
        and not isinstance(getattr(value, "func", None), ast.Attribute)
        and str(dotted(getattr(value, "func", ast.Pass()))) in ("None", *_MAKING)
        for value in values_given(node or ast.Pass(), name)
    )


def is_loop(node: ast.AST) -> bool:
    return isinstance(node, ast.For | ast.AsyncFor | ast.comprehension)


def loops_of(node: ast.AST) -> list[ast.comprehension]:
    return node.generators if isinstance(node, COMPREHENSIONS) else []


def names_in(target: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
