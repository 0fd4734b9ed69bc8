"""The functions that a piece of code calls, or names, in the order in which they may run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mesh_notebook.export.scopes import FUNCTIONS, arguments, dotted
from mesh_notebook.export.words import words

__all__ = ["Ask", "asks_of", "imported_in"]

_ASKING_KIND = words("isinstance issubclass")
_BRANCHES = (ast.If, ast.IfExp, ast.Try, ast.TryStar, ast.While, ast.Match, ast.BoolOp)
_APPLYING = words("partial map starmap")  # they call the first argument with the others
_LOADED = "@"  # before the full name of a module that is found by its name
_OTHER = "?"  # what no name leads to

Given = tuple[tuple[int | str | None, str], ...]


@dataclass(frozen=True)
class Ask:
    """One function that code calls, or names without calling it.

    Attributes
    ----------
    path : str
        As written: `np.random.rand`; `()` and `[]` where it goes on from what a call gave or from
        an item; `?` for what is local to the code.
    absolute : bool
        It is the full name, through an import inside the code.
    given : tuple or None
        By place or keyword (None: spread by stars) the argument's text, where it is a constant
        or a name; None where the function is only named.
    sure : bool
        The call is a statement that runs whenever the code around it does.
    held : bool
        It is not called yet: `partial` keeps it with what it will be given.
    """

    path: str
    absolute: bool = False
    given: Given | None = None
    sure: bool = False
    held: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether what is asked for can be called later, by whom it is given to."""
        return self.held or self.given is None


def asks_of(nodes: Sequence[ast.AST], local: Iterable[str] | None = None) -> tuple[Ask, ...]:
    """Return what code asks, in its order.

    Parameters
    ----------
    local : iterable of str or None
        Of a function's body: the names that are its own. The bodies of the functions inside it
        are gone through as well, after all else.
    """
    return tuple(dict.fromkeys(_Walker(nodes, local).found))


def imported_in(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Return by name what code imports for itself."""
    found: dict[str, str] = {}
    for node in (part for one in nodes for part in ast.walk(one)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                found[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


class _Walker:
    """Goes through code as it runs: arguments before calls, inner functions at last."""

    def __init__(self, nodes: Sequence[ast.AST], local: Iterable[str] | None) -> None:
        self.found: list[Ask] = []
        self.whole = local is not None
        self.later: list[ast.AST] = []
        self.imported = imported_in(nodes)
        self.local = (_local(nodes) | set(local or ())) - set(self.imported) - {"self", "cls"}
        for node in nodes:
            if (
                not _is_alias(node) or self.whole
            ):  # what a name stands for is asked where it is used
                self._visit(node, True)
        while self.later:
            self._visit(self.later.pop(0), False)

    def _visit(self, node: ast.AST, sure: bool) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._function(node)
            case ast.ClassDef(body=body, decorator_list=decorators, keywords=keywords, bases=bases):
                self._all([*decorators, *keywords, *body], False)
                if not any(getattr(part, "name", "") == "__init__" for part in body):
                    for base in bases:  # its constructor is theirs
                        self._ask(self._path(base), None, False)
            case ast.Call():
                self._call(node, False)
            case ast.Expr(value=ast.Call() as call) | ast.Assign(value=ast.Call() as call):
                self._all(getattr(node, "targets", ()), False)
                self._call(call, sure)
            case ast.AnnAssign(target=target, value=value):
                self._all([target, *([value] if value else [])], False)
            case ast.ExceptHandler(body=body):
                self._all(body, False)
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                self._named(node)
            case ast.Subscript(value=value, ctx=ast.Load()) if dotted(value) == "sys.modules":
                self._named(node)
            case ast.FormattedValue(value=value):
                self._all(ast.iter_child_nodes(node), False)
                self.found.append(Ask("builtins.format", True, ((0, _text(value)),)))
            case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod(), right=value):
                self._visit(value, False)
                self.found.append(Ask("builtins.format", True, ((0, _text(value)),)))
            case ast.With() | ast.AsyncWith() | ast.For() | ast.AsyncFor():
                self._all(ast.iter_child_nodes(node), sure)
            case _:
                self._all(ast.iter_child_nodes(node), sure and isinstance(node, ast.Module))

    def _all(self, nodes: Iterable[ast.AST], sure: bool) -> None:
        for node in nodes:
            self._visit(node, sure)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        defaults = [d for d in (*node.args.defaults, *node.args.kw_defaults) if d]
        self._all([*getattr(node, "decorator_list", ()), *defaults], False)
        if self.whole:
            body = node.body if isinstance(node.body, list) else [node.body]
            self.later.extend(body)

    def _call(self, call: ast.Call, sure: bool) -> None:
        if _is_getattr(call):
            self._named(call)
            return
        last = str(dotted(call.func)).rpartition(".")[2]
        parts = [*call.args, *(keyword.value for keyword in call.keywords)]
        if last in _APPLYING and call.args and (path := self._path(call.args[0])) != _OTHER:
            inner = ast.Call(call.args[0], call.args[1:], call.keywords)
            self._inside(call.args[0])
            self._ask(path, _given(inner), False, held=last == "partial")
            parts = parts[1:]
        if last not in _ASKING_KIND:
            self._all(parts, False)
        self._inside(call.func)
        self._ask(self._path(call.func), _given(call), sure)

    def _named(self, node: ast.AST) -> None:
        self._inside(node)
        self._ask(self._path(node), None, False)

    def _inside(self, node: ast.AST) -> None:
        """Visit what a chain of attributes begins with, and the items on the way."""
        match node:
            case ast.Attribute(value=value):
                self._inside(value)
            case ast.Call(args=[value, *_]) if _is_getattr(node):
                self._inside(value)
            case ast.Subscript(value=value, slice=index):
                self._visit(index, False)
                self._inside(value)
            case ast.Name():
                pass
            case _:
                self._visit(node, False)

    def _ask(self, path: str, given: Given | None, sure: bool, held: bool = False) -> None:
        if path.startswith(_LOADED):
            self.found.append(Ask(path.removeprefix(_LOADED), True, given, sure, held))
            return
        root, dot, rest = path.partition(".")
        if root.rstrip("()[]") in self.imported:
            bare = root.rstrip("()[]")
            full = f"{self.imported[bare]}{root[len(bare) :]}{dot}{rest}"
            self.found.append(Ask(full, True, given, sure, held))
        elif path and path != _OTHER:
            self.found.append(Ask(path, False, given, sure, held))

    def _path(self, node: ast.AST) -> str:
        match node:
            case ast.Name(id=name):
                return _OTHER if name in self.local else name
            case ast.Attribute(value=value, attr=attr):
                return f"{self._path(value)}.{attr}"
            case ast.Call(
                func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(n)), *_]
            ):
                return f"{self._path(value)}.{n}"
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if _is_loading(func):
                return f"{_LOADED}{name}"
            case ast.Call(func=func):
                return f"{self._path(func)}()"
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))) if (
                dotted(value) == "sys.modules"
            ):
                return f"{_LOADED}{name}"
            case ast.Subscript(value=value):
                return f"{self._path(value)}[]"
        return _OTHER


def _is_loading(func: ast.AST) -> bool:
    return str(dotted(func)).rpartition(".")[2] in ("import_module", "__import__")


def _is_getattr(node: ast.AST) -> bool:
    """Return whether a call is `getattr(value, "name")`, which is `value.name`."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str()), *_]):
            return True
    return False


def _given(call: ast.Call) -> Given:
    given: list[tuple[int | str | None, str]] = []
    for place, value in enumerate(call.args):
        starred = isinstance(value, ast.Starred)
        given.append((None if starred else place, _text(value)))
    given += [(keyword.arg, _text(keyword.value)) for keyword in call.keywords]
    return tuple(given)


def _text(value: ast.expr) -> str:
    plain = ast.Constant | ast.Name | ast.Starred | ast.Dict | ast.UnaryOp
    return ast.unparse(value) if isinstance(value, plain) else "…"


def _local(nodes: Sequence[ast.AST]) -> set[str]:
    """Return the names that are local to the functions and comprehensions inside code."""
    found: set[str] = set()
    for node in (part for one in nodes for part in ast.walk(one)):
        if isinstance(node, FUNCTIONS):
            found |= {argument.arg for argument in arguments(node)}
            found |= _stored(node) if not isinstance(node, ast.Lambda) else set()
        elif isinstance(node, ast.comprehension):
            found |= _stored(node.target)
    return found


def _stored(node: ast.AST) -> set[str]:
    shared = {n for part in ast.walk(node) if isinstance(part, ast.Global) for n in part.names}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)} - shared


def _is_alias(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name()], value=value):
            return dotted(value) is not None
    return False
