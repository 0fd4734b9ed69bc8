"""How a piece of Python handles the values behind its names, as far as its text can tell.

Whether a use changes the value is decided later, when the value's type is known (`known.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mesh_notebook.export.applied import applied
from mesh_notebook.export.scopes import FUNCTIONS, dotted, root_name
from mesh_notebook.export.words import words

__all__ = ["FRESH", "Touch", "behind", "call_touches", "own_nodes", "touches_of"]

# Calls whose result holds nothing of their arguments.
FRESH = words(
    "len str repr int float bool abs round any all hash id isinstance issubclass "
    "print type range format ord chr hasattr callable divmod pow"
)


@dataclass(frozen=True)
class Touch:
    """One use of the value behind a name.

    Attributes
    ----------
    how : str
        `held`: as it is. `method`: a method of it is called. `argument`: it is given to a call.
        `handed`: a method of it is given to a call. `call`: it, or something reached through it,
        is called. `iterate`: it is gone through. `item`: an item of it is read.
        `store`: an attribute or item of it is set. `augment`: `+=` and its like.
        `effect`: it stands in an expression that is a statement of its own, or is entered by
        `with`: whatever that runs was run for its effect.
        `chosen`: rows or columns of it, by a mask or a list of names. `by`: an item of it, which
        may be that, by the value of another name. `computed`: what is called
        on it the text does not tell. `subclass`: a class is made of it.
    what : str
        The method; or the callee as written (`np.random.shuffle`, `df.apply`), empty where the
        callee is itself computed. Of a store: `deep` where it goes into what the name holds
        (`self.rows[k] = v`), and not into the value itself (`self.rows = v`).
    place : int or str or None
        The argument's position or keyword.
    in_place : bool
        The call says so itself: `inplace=True`, `out=x`.
    bare : bool
        The call is a statement of its own, so it was made for its effect.
    returned : bool
        Not of the value itself, but of what a call of it returns: `held()["k"] = 1`.
    shallow : bool
        The call says that it does not copy: `copy=False`, `deep=False`.
    via : Touch or None
        The use is of what this use of the value gave: of `late`, where `late = rows.sort_values()`.
    before : tuple of str
        Of a method: those that are called before it, from the name on.
    then : Touch or None
        Where values flow: the method that is called on what this use gave.
    """

    name: str
    how: str
    what: str = ""
    place: int | str | None = None
    in_place: bool = False
    bare: bool = False
    returned: bool = False
    shallow: bool = False
    via: Touch | None = None
    before: tuple[str, ...] = ()
    then: Touch | None = None


def touches_of(nodes: Iterable[ast.AST]) -> list[Touch]:
    """Return every use, in the nodes' own scope, that may change a value."""
    found: list[Touch] = []
    own = list(own_nodes(nodes))
    bare = {id(node.value) for node in own if isinstance(node, ast.Expr)}
    for node in own:
        match node:
            case ast.Call():
                found.extend(call_touches(node, id(node) in bare))
            case (
                ast.Attribute(ctx=ast.Store() | ast.Del())
                | ast.Subscript(ctx=ast.Store() | ast.Del())
            ):
                found.extend(_store(node))
            case ast.Subscript(ctx=ast.Load()):
                found.extend(_on(node, Touch("", "item")))
            case ast.Expr(value=value) if not isinstance(value, ast.Name | ast.Constant):
                found.extend(Touch(name, "effect", bare=True) for name in _roots(value))
            case ast.withitem(context_expr=value):
                found.extend(Touch(name, "effect") for name in _roots(value))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.extend(_decorates(node))
            case ast.ClassDef():
                found.extend((*_decorates(node), *_derives(node)))
            case ast.AugAssign(target=ast.Name(id=name)):
                found.append(Touch(name, "augment"))
        found.extend(Touch(name, "iterate") for name in _iterated(node))
    return found


def _store(node: ast.Attribute | ast.Subscript) -> Iterator[Touch]:
    yield from _on(node, Touch("", "store", "" if isinstance(node.value, ast.Name) else "deep"))
    # `type(x).rate = 3` sets what x's class holds.
    for call in _inner_calls(node.value):
        for argument in (*call.args, *_values(call)):
            yield from (Touch(name, "store", "deep") for name in _roots(argument))
        yield from _on(call.func, Touch("", "store", "deep", returned=True))


def _decorates(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[Touch]:
    """`@cap.register` makes the function a part of cap."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Attribute):
            yield from _on(decorator.value, Touch("", "method", decorator.attr, bare=True))


def _derives(node: ast.ClassDef) -> Iterator[Touch]:
    """A base, and a metaclass, may write down the classes that are made of it."""
    for base in node.bases:
        yield from _on(base, Touch("", "subclass"))
    for keyword in node.keywords:
        yield from _on(keyword.value, Touch("", "subclass", str(keyword.arg)))


def _roots(node: ast.AST) -> Iterator[str]:
    """Yield the names in an expression, those inside functions and comprehensions left out."""
    if isinstance(node, ast.Name):
        yield node.id
    elif not isinstance(node, FUNCTIONS):
        for child in ast.iter_child_nodes(node):
            yield from _roots(child)


def _iterated(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.For(iter=value) | ast.AsyncFor(iter=value) | ast.comprehension(iter=value):
            yield from _exposed(value)
        case ast.Starred(value=value) | ast.YieldFrom(value=value):
            yield from _exposed(value)
        case ast.Assign(targets=targets, value=value):
            if any(isinstance(target, ast.Tuple | ast.List) for target in targets):
                yield from _exposed(value)
        case ast.Compare(ops=ops, comparators=values):
            if any(isinstance(op, ast.In | ast.NotIn) for op in ops):
                yield from (name for value in values for name in _exposed(value))


def call_touches(call: ast.Call, bare: bool = False) -> Iterator[Touch]:
    """Yield what a call does to the values that it is made on and is given."""
    words = {keyword.arg: keyword.value for keyword in call.keywords}
    said = any(w in words and not _is_false(words[w]) for w in ("inplace", "in_place"))
    shallow = any(w in words and _may_be_false(words[w]) for w in ("copy", "deep"))
    if isinstance(call.func, ast.Attribute):
        method = Touch("", "method", call.func.attr, None, said, bare, shallow=shallow)
        earlier = tuple(_last(inner) for inner in _inner_calls(call.func.value))
        yield from _on(call.func.value, replace(method, before=earlier))
        # `groups.setdefault(k, rows).append(x)` may append to rows.
        inside = [a for c in _inner_calls(call.func.value) for a in (*c.args, *_values(c))]
        yield from (replace(method, name=n) for a in inside for n in _exposed(a))
        for inner in _inner_calls(call.func.value):
            yield from _on(inner.func, replace(method, returned=True))
    yield from (Touch(name, "computed", bare=bare) for name in behind(call.func))
    for function, given in applied(call):
        yield from _applied(function, list(dict.fromkeys(n for g in given for n in _exposed(g))))
    callee = _callee(call.func)
    yield Touch(callee.partition(".")[0], "call", callee, None, said, bare)
    arguments: list[tuple[int | str | None, ast.AST]] = [*enumerate(call.args)]
    arguments += [(keyword.arg, keyword.value) for keyword in call.keywords]
    for place, value in arguments:
        if isinstance(value, ast.Attribute):  # `map(rows.append, more)`
            yield from _on(value, Touch("", "handed", value.attr))
        starred = isinstance(value, ast.Starred) or place is None
        at = None if starred else place
        touch = Touch("", "argument", callee, at, place == "out", bare, shallow=shallow)
        yield from (replace(touch, name=name) for name in dict.fromkeys(_exposed(value)))


def _applied(function: ast.expr, names: list[str]) -> Iterator[Touch]:
    """Yield what a function does to the values that another one calls it with."""
    if isinstance(function, ast.Lambda):
        own = {argument.arg for argument in function.args.args}
        uses = [use for use in touches_of([function.body]) if use.name in own]
        yield from (replace(use, name=name) for use in uses for name in names)
        return
    callee = _callee(function.func if isinstance(function, ast.Call) else function)
    yield from (Touch(name, "argument", callee) for name in names)


def behind(func: ast.AST) -> Iterator[str]:
    """Yield what may be changed where a call gives the callee: `getattr(rows, name)(x)`."""
    if isinstance(func, ast.Subscript):  # `acts[0](x)`
        yield from _exposed(func.value)
    if isinstance(func, ast.Call):
        for given in (*func.args, *_values(func)):
            yield from _exposed(given)
        yield from behind(func.func)
        if isinstance(func.func, ast.Attribute):  # `acts.get(name)(x)`
            yield from _exposed(func.func.value)


def _inner_calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in the chain that a method is called on."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Call):
            yield node
        node = node.func if isinstance(node, ast.Call) else node.value


def _last(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _values(call: ast.Call) -> Iterator[ast.expr]:
    return (keyword.value for keyword in call.keywords)


def _callee(func: ast.AST) -> str:
    if name := dotted(func):
        return name
    # `flights.group_by("day").agg(...)` : a method of something made from `flights`.
    if isinstance(func, ast.Attribute) and (root := root_name(func)):
        return f"{root}.().{func.attr}"
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Constant | ast.JoinedStr):
        return f"str.{func.attr}"
    return ""


def _on(node: ast.AST, touch: Touch) -> Iterator[Touch]:
    if name := root_name(node):
        yield replace(touch, name=name)


def _is_false(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _may_be_false(node: ast.AST) -> bool:
    return not (isinstance(node, ast.Constant) and bool(node.value))


def _exposed(node: ast.AST) -> Iterator[str]:
    """Yield the names whose values a callee could reach through this argument."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Compare() | ast.JoinedStr() | ast.Constant() | ast.Lambda():
            return
        case ast.Call(func=ast.Name(id=name)) if name in FRESH:
            return
        case ast.Subscript(value=value):
            yield from _exposed(value)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _exposed(child)


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Walk nodes without entering functions; comprehensions and class bodies are entered."""
    for node in nodes:
        yield node
        yield from own_nodes(
            _outside(node) if isinstance(node, FUNCTIONS) else ast.iter_child_nodes(node)
        )


def _outside(function: ast.AST) -> list[ast.AST]:
    """Return the parts of a function that run where it is defined."""
    arguments: ast.arguments = function.args  # type: ignore[attr-defined]
    defaults = [d for d in (*arguments.defaults, *arguments.kw_defaults) if d]
    return [*getattr(function, "decorator_list", ()), *defaults]
