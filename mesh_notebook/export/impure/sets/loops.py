"""Loops through a set that come to the same in any order."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mesh_notebook.export.impure.sets.kinds import Kinds
from mesh_notebook.export.numbers import is_number
from mesh_notebook.export.scopes import FUNCTIONS, dotted
from mesh_notebook.export.words import words

__all__ = ["is_free"]

_KEEPING = words(
    "add discard remove update append extend setdefault print debug info warning error "
    "difference_update intersection_update pop"
)
_NOTHING = (ast.Pass, ast.Continue, ast.Assert, ast.Raise, ast.Import, ast.ImportFrom, ast.Global)


def is_free(loop: ast.For | ast.AsyncFor, kinds: Kinds) -> bool:
    """Return whether a loop does the same in whatever order it goes.

    What it fills on the way, a list or a dictionary, has that order in its turn.
    """
    return _Loop(loop, kinds).is_free(loop.body)


class _Loop:
    def __init__(self, loop: ast.For | ast.AsyncFor, kinds: Kinds) -> None:
        self.loop, self.kinds = loop, kinds
        self.inside = set(ast.walk(loop))
        stored = (n for n in self.inside if isinstance(n, ast.Name))
        self.own = {n.id for n in stored if isinstance(n.ctx, ast.Store)}

    def is_free(self, body: Sequence[ast.stmt]) -> bool:
        return all(map(self._is_free, body))

    def _is_free(self, node: ast.stmt) -> bool:
        match node:
            case ast.Expr(value=ast.Constant()):
                return True
            case ast.Expr(value=ast.Call(func=func)):
                return str(dotted(func) or getattr(func, "attr", "")).rpartition(".")[2] in _KEEPING
            case ast.Assign(targets=targets, value=value):
                return isinstance(value, ast.Constant) or all(map(self._stores_freely, targets))
            case ast.AugAssign():
                return self._adds_up(node)
            case ast.If(body=body, orelse=other):
                return self._finds(body) or self.is_free([*body, *other])
            case ast.For(body=body) | ast.While(body=body) | ast.With(body=body):
                return self.is_free(body)
            case ast.Try(body=body, handlers=handlers, orelse=other, finalbody=last):
                handled = [s for handler in handlers for s in handler.body]
                return self.is_free([*body, *handled, *other, *last])
            case ast.Return(value=None | ast.Constant()):
                return True
        return isinstance(node, _NOTHING)

    def _finds(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether a branch only notes that there is such a value, and stops."""
        *before, last = body
        noted = all(isinstance(s, ast.Assign) and isinstance(s.value, ast.Constant) for s in before)
        return noted and isinstance(last, ast.Break)

    def _stores_freely(self, target: ast.AST) -> bool:
        match target:
            case ast.Subscript(slice=index):
                names = (n.id for n in ast.walk(index) if isinstance(n, ast.Name))
                return bool(self.own & set(names))
            case ast.Name(id=name):
                return not self._is_read_outside(name)
            case ast.Tuple(elts=parts):
                return all(map(self._stores_freely, parts))
        return False

    def _is_read_outside(self, name: str) -> bool:
        scope: ast.AST | None = self.kinds.parents.get(self.loop)
        while scope is not None and not isinstance(scope, FUNCTIONS):
            scope = self.kinds.parents.get(scope)
        if scope is None:
            later = self.kinds.graph.statements[self.kinds.statement.index + 1 :]
            if any(name in statement.effects.reads for statement in later):
                return True
        names = (n for n in ast.walk(scope or self.kinds.tree) if isinstance(n, ast.Name))
        loads = (n for n in names if n.id == name and isinstance(n.ctx, ast.Load))
        return any(n not in self.inside for n in loads)

    def _adds_up(self, node: ast.AugAssign) -> bool:
        """Return whether a sum, or a union, is the same in any order."""
        if isinstance(node.op, ast.BitOr | ast.BitAnd):
            return True
        if isinstance(node.value, ast.List):
            return True  # the list has the order of the set
        kinds = self.kinds
        number = is_number(node.value, kinds.parents, kinds.statement, kinds.graph)
        return number or self._is_counter(node.target)

    def _is_counter(self, target: ast.AST) -> bool:
        """Return whether a name begins as a number."""
        binds = (n for n in ast.walk(self.kinds.tree) if isinstance(n, ast.Assign))
        begun = [n.value for n in binds if any(dotted(t) == dotted(target) for t in n.targets)]
        if not begun and isinstance(target, ast.Name):
            binder = self.kinds.graph.binder_of(target.id, self.kinds.statement.index)
            match binder and binder.node:
                case ast.Assign(value=value):
                    begun = [value]
        return bool(begun) and all(
            isinstance(v, ast.Constant) and isinstance(v.value, int | float) for v in begun
        )
