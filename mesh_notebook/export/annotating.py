"""Annotations for the notebook's own functions, so that a type checker reads the module.

What a notebook leaves unsaid is told from how its functions are called and what they return. What
that does not tell is `Any`: true, and no more.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from mesh_notebook.export.inferring import ANY
from mesh_notebook.export.signatures import FUNCTION, Signatures, own_nodes, parameters_of, stores

__all__ = ["annotated"]

_GROWS = {"append", "extend", "add"}  # of these alone mypy learns
_EMPTY = {
    "set": "set[Any]",
    "dict": "dict[Any, Any]",
    "list": "list[Any]",
    "Counter": "Counter[Any]",
    "deque": "deque[Any]",
    "defaultdict": "defaultdict[Any, Any]",
}
Edit = tuple[int, int, str]  # from where to where, and what stands there instead


def annotated(text: str, recorded: Mapping[str, str]) -> str:
    """Return a module with the annotations that its functions lack.

    Parameters
    ----------
    recorded : mapping
        By name: the type that the notebook saw last.
    """
    tree = ast.parse(text)
    known, source = Signatures(tree, recorded), _Source(text)
    edits = [*_heads(known, source), *_names(known, source)]
    if not edits or {ANY, "Iterator"} & known.bound:
        return text
    made = _edited(text, edits)
    told = "".join(said for *_, said in edits)
    imports = ["from typing import Any"] if ANY in told else []
    imports += ["from collections.abc import Iterator"] if "Iterator[" in told else []
    # Below the docstring and what must come first.
    body = [n for n in tree.body if not _comes_first(n)]
    lines = made.split("\n")
    at = (body[0].lineno if body else 1) - 1
    return "\n".join([*lines[:at], *imports, *lines[at:]])


def _comes_first(node: ast.stmt) -> bool:
    future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return future or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


# ---- edits of the text -------------------------------------------------------------------------


class _Source:
    """Where the nodes of a tree stand in its text."""

    def __init__(self, text: str) -> None:
        self.text, self.lines = text, text.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.lines)]

    def end(self, node: ast.stmt | ast.expr | ast.arg) -> int:
        return self._place(node.end_lineno or 0, node.end_col_offset or 0)

    def colon(self, function: FUNCTION) -> int:
        """Return where the colon stands that ends a function's head."""
        first = self._place(function.lineno, function.col_offset)
        depth = 0
        for token in tokenize.generate_tokens(io.StringIO(self.text[first:]).readline):
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.string, 0)
            if token.string == ":" and depth == 0:
                line, column = token.start
                before = self.text[first:].split("\n")[: line - 1]
                return first + sum(len(one) + 1 for one in before) + column
        return first

    def _place(self, line: int, column: int) -> int:
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())


def _edited(text: str, edits: Sequence[Edit]) -> str:
    for start, end, said in sorted(edits, reverse=True):
        text = text[:start] + said + text[end:]
    return text


def _heads(known: Signatures, source: _Source) -> Iterator[Edit]:
    for function, owner in known.functions:
        for one in [*parameters_of(function, owner), *function.args.kwonlyargs]:
            if one.annotation is None:
                yield _after(source.end(one), f": {known.given[function][one.arg]}")
        for star in (function.args.vararg, function.args.kwarg):
            if star and star.annotation is None:
                yield _after(source.end(star), f": {ANY}")
        if function.returns is None:
            yield _after(source.colon(function), f" -> {known.result(function)}")


def _names(known: Signatures, source: _Source) -> Iterator[Edit]:
    """Say what a name is where a type checker could not tell it."""
    for function, _ in known.functions:
        result = _of_result(known, function)
        for node in own_nodes(function):
            match node:
                case ast.Assign(targets=[ast.Name(id=name) as target], value=value):
                    kind = _empty(value) if stores(function, name) == 1 else ""
                    if kind and _grows(function, name):
                        kind = ""
                    if name == result:
                        kind, result = known.recorded[name], ""
                    if kind:
                        yield _after(source.end(target), f": {kind}")


def _of_result(known: Signatures, function: FUNCTION) -> str:
    """Return the name that a function returns, where only the record knows what it is."""
    last = function.body[-1]
    if not isinstance(last, ast.Return) or not function.returns:
        return ""
    root = last.value
    while isinstance(root, ast.Call | ast.Attribute):
        root = root.func if isinstance(root, ast.Call) else root.value
    if not isinstance(root, ast.Name) or root.id not in known.recorded:
        return ""
    return root.id if known.types(function, {}).names.get(root.id, ANY) == ANY else ""


def _after(place: int, said: str) -> Edit:
    return place, place, said


def _empty(value: ast.expr) -> str:
    match value:
        case ast.List(elts=[]):
            return "list[Any]"
        case ast.Dict(keys=[]):
            return "dict[Any, Any]"
        case ast.Call(func=ast.Name(id=name), args=args):
            return _EMPTY.get(name, "") if not args or name == "defaultdict" else ""
    return ""


def _grows(function: FUNCTION, name: str) -> bool:
    """Whether what is put into a container tells a type checker what it holds."""
    for node in own_nodes(function):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr=attr)) if of == name:
                if attr in _GROWS:
                    return True
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=of))]) if of == name:
                return True
    return False
