"""Expressions of Polars as expressions of Narwhals, with the same meaning on every engine."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mesh_notebook.export.portable.kinds import kind_of, literal_number, only
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Context, Deferred, Frame, Scope

__all__ = ["Call", "Rewriter"]

_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Mod: "%", ast.FloorDiv: "//"}
_LOGIC = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
_COMPARE = {
    **{ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
}
_NUMBERS = ("int", "float")
_COMPARED = {"small": "number", "int": "number", "unsigned": "number", "float": "number"}
_PLAIN_CALLS = {"date", "datetime", "timedelta", "range", "len", "str", "int", "float", "list"}
_PLAIN_CALLS |= {"tuple", "dict", "sorted", "dt.date", "dt.datetime", "datetime.date"}
_PLAIN_CALLS |= {"datetime.datetime", "zip", "enumerate"}


@dataclass(frozen=True)
class Call:
    """A method of an expression, with its arguments by name."""

    node: ast.Call
    on: ast.expr
    name: str
    args: list[ast.expr]
    keywords: dict[str, ast.expr]

    def takes(self, *names: str) -> list[ast.expr | None]:
        """Return the arguments in this order, None where one is absent.

        Raises
        ------
        CannotGo
            There are others.
        """
        given = dict(zip(names, self.args, strict=False)) | self.keywords
        if len(self.args) > len(names) or set(given) - set(names):
            more = sorted(set(given) - set(names)) or ["more arguments"]
            raise CannotGo(self.node, f"`{self.name}` cannot take {', '.join(more)} there")
        return [given.get(name) for name in names]


Method = Callable[["Rewriter", Call, Context], str]


@dataclass
class Rewriter:
    """Turns one expression after the other; remembers which helpers the module needs."""

    needs: set[str] = field(default_factory=set)
    helper: Callable[[ast.Call, Context], str] | None = None
    done: dict[tuple[int, int], tuple[ast.expr, Context, str]] = field(default_factory=dict)

    def context(self, frame: Frame, scope: Scope) -> Context:
        """Return where the arguments of a frame's method stand."""
        return Context(frame, scope, self.expr)

    def expr(self, node: ast.expr, ctx: Context) -> str:
        """Return an expression's text in Narwhals.

        Raises
        ------
        CannotGo
            No engine, or not every one, would give the same values.
        """
        # A type is asked for where it is decided how to say a thing: each node is met twice.
        known = self.done.get((id(node), id(ctx)))
        if known is None:
            known = self.done[id(node), id(ctx)] = (node, ctx, self._expr(node, ctx))
        return known[2]

    def _expr(self, node: ast.expr, ctx: Context) -> str:
        match node:
            case ast.Constant():
                return ast.unparse(node)
            case ast.Name():
                return self._name(node, ctx)
            case ast.UnaryOp():
                return self._unary(node, ctx)
            case ast.BinOp():
                return self._binary(node, ctx)
            case ast.Compare():
                return self._compare(node, ctx)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._sequence(node, ctx)
            case ast.Starred():
                return f"*{self.expr(node.value, ctx)}"
            case ast.ListComp() | ast.GeneratorExp():
                return self._comprehension(node, ctx)
            case ast.Dict() | ast.JoinedStr() | ast.IfExp() if self.plain(node, ctx.scope):
                return ast.unparse(node)
            case ast.Attribute() | ast.Subscript() if self.plain(node, ctx.scope):
                return ast.unparse(node)
            case ast.Call():
                return self._call(node, ctx)
        raise CannotGo(node, "Narwhals has no equal of this construct")

    def column(self, node: ast.expr, ctx: Context) -> str:
        """Return an expression where Polars takes a bare string for a column's name."""
        if self.plain(node, ctx.scope) and isinstance(ctx.scope.evaluated(node), str):
            return f"nw.col({ast.unparse(node)})"
        return self.expr(node, ctx)

    def given(self, node: ast.expr, ctx: Context) -> str:
        """Return an argument that Polars takes for a column if it is text, else for a value."""
        text = self.plain(node, ctx.scope) and isinstance(ctx.scope.evaluated(node), str)
        return self.column(node, ctx) if text else self.value(node, ctx)

    def value(self, node: ast.expr, ctx: Context) -> str:
        """Return an expression where a bare value stands for itself."""
        text = self.expr(node, ctx)
        return f"nw.lit({text})" if self.plain(node, ctx.scope) else text

    def plain(self, node: ast.expr, scope: Scope) -> bool:
        """Return whether a node is made of constants and the values of plain Python alone."""
        bound = {
            part.id
            for part in ast.walk(node)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        for part in ast.walk(node):
            if isinstance(part, ast.Lambda | ast.Await | ast.NamedExpr):
                return False
            if isinstance(part, ast.Call) and ast.unparse(part.func) not in _PLAIN_CALLS:
                return False
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                known = part.id in bound or part.id in _PLAIN_CALLS
                if not known and not _is_value(scope.names.get(part.id, _UNKNOWN)):
                    return False
        return True

    # ---- names and operators ---------------------------------------------------------------

    def _name(self, node: ast.Name, ctx: Context) -> str:
        bound = ctx.scope.names.get(node.id, _UNKNOWN)
        if isinstance(bound, Deferred):
            text = self.expr(bound.node, replace(ctx, scope=bound.scope))
            if bound.texts and bound.texts[0] != text:
                raise CannotGo(node, "it means different things on the frames that use it")
            bound.texts[:] = [text]
            ctx.scope.values[node.id] = bound.scope.evaluated(bound.node)
            return node.id
        if _is_value(bound):
            return node.id
        if isinstance(bound, Frame):
            raise CannotGo(node, "a frame stands where an expression is expected")
        raise CannotGo(node, "nothing is known of this name")

    def _unary(self, node: ast.UnaryOp, ctx: Context) -> str:
        if self.plain(node, ctx.scope):
            return ast.unparse(node)
        text = self.expr(node.operand, ctx)
        if isinstance(node.op, ast.Invert):
            only(ctx, node.operand, "bool")
            return f"(~({text}))"
        if isinstance(node.op, ast.USub):
            only(ctx, node.operand, *_NUMBERS, "decimal")
            return f"(-({text}))"
        raise CannotGo(node, "Narwhals has no such operator")

    def _binary(self, node: ast.BinOp, ctx: Context) -> str:
        if self.plain(node, ctx.scope):
            return ast.unparse(node)
        left, right = self.expr(node.left, ctx), self.expr(node.right, ctx)
        if type(node.op) in _LOGIC:
            only(ctx, node.left, "bool")
            only(ctx, node.right, "bool")
            return f"(({left}) {_LOGIC[type(node.op)]} ({right}))"
        kinds = {self._kind(node.left, ctx), self._kind(node.right, ctx)}
        if kinds == {"str"} and isinstance(node.op, ast.Add):
            left, right = self.value(node.left, ctx), self.value(node.right, ctx)
            return f"nw.concat_str([{left}, {right}])"
        if isinstance(node.op, ast.Div):
            return self._divided(node, left, right, ctx)
        return self._computed(node, left, right, kinds)

    def _kind(self, node: ast.expr, ctx: Context) -> str:
        if self.plain(node, ctx.scope):
            value = ctx.scope.evaluated(node)
            names = {bool: "bool", int: "int", float: "float", str: "str"}
            return names.get(type(value), type(value).__name__)
        dtypes = {kind_of(dtype) for dtype in ctx.dtypes(node)}
        if len(dtypes) > 1 and dtypes <= {*_NUMBERS}:
            return "float"
        if len(dtypes) != 1:
            raise CannotGo(node, "its columns have different types")
        return dtypes.pop()

    def _computed(self, node: ast.BinOp, left: str, right: str, kinds: set[str]) -> str:
        sign = _BINARY.get(type(node.op))
        if sign in ("%", "//") and kinds == {"int"}:
            if not literal_number(node.right):
                self.needs.add(name := "_remainder" if sign == "%" else "_floor_divided")
                return f"{name}({left}, {right})"
            if sign == "%":
                return f"(({left}) % ({right}))"
            self.needs.add("_floor_divided")
            return f"_floor_divided({left}, {right})"
        if sign in ("+", "-") and kinds == {"decimal"}:
            return f"(({left}) {sign} ({right}))"
        if sign in ("+", "-", "*") and kinds <= {*_NUMBERS}:
            return f"(({left}) {sign} ({right}))"
        if sign in ("+", "*") and kinds <= {*_NUMBERS, "unsigned"}:
            return f"(({left}) {sign} ({right}))"
        if kinds <= {"small", "int"}:
            why = "beyond 16 bits Polars wraps round, and the engines do not; first .cast(pl.Int32)"
            raise CannotGo(node, why)
        raise CannotGo(node, f"the engines compute it otherwise on {' and '.join(sorted(kinds))}")

    def _divided(self, node: ast.BinOp, left: str, right: str, ctx: Context) -> str:
        kinds = {self._kind(node.left, ctx), self._kind(node.right, ctx)}
        if not kinds <= {*_NUMBERS, "unsigned"}:
            why = f"the engines divide otherwise on {' and '.join(sorted(kinds))}"
            raise CannotGo(node, why)
        if literal_number(node.right):
            return f"(({left}) / ({right}))"
        self.needs.add("_divided")
        return f"_divided({left}, {right})"

    def _compare(self, node: ast.Compare, ctx: Context) -> str:
        if self.plain(node, ctx.scope):
            return ast.unparse(node)
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
            raise CannotGo(node, "Narwhals has no such comparison")
        sides = (node.left, node.comparators[0])
        left, right = (self.expr(side, ctx) for side in sides)
        kinds = [_COMPARED.get(k, k) for k in (self._kind(side, ctx) for side in sides)]
        spoken = {"datetime": "naive", "Decimal": "decimal"}
        if len({spoken.get(kind, kind) for kind in kinds}) > 1:
            raise CannotGo(node, f"it compares {' with '.join(kinds)}")
        if kinds[0] not in ("number", "str", "bool", "date", "naive", "utc", "decimal"):
            raise CannotGo(node, f"the engines compare {kinds[0]} otherwise")
        return f"(({left}) {_COMPARE[type(node.ops[0])]} ({right}))"

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, ctx: Context) -> str:
        inner = ", ".join(self.expr(part, ctx) for part in node.elts)
        return f"[{inner}]"

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, ctx: Context) -> str:
        """Rewrite a comprehension over known values, if it means the same for each of them."""
        if self.plain(node, ctx.scope):
            return ast.unparse(node)
        loop = node.generators[0]
        known = len(node.generators) == 1 and self.plain(loop.iter, ctx.scope) and not loop.ifs
        if not known or not isinstance(loop.target, ast.Name):
            raise CannotGo(node, "it loops over what is known only when the data is")
        texts = set()
        for value in ctx.scope.evaluated(loop.iter):
            inner = _with(ctx.scope, loop.target.id, value)
            texts.add(self.expr(node.elt, replace(ctx, scope=inner)))
        if len(texts) != 1:
            raise CannotGo(node, "it means different things for the values of its loop")
        return f"[{texts.pop()} for {loop.target.id} in {ast.unparse(loop.iter)}]"

    # ---- calls -----------------------------------------------------------------------------

    def _call(self, node: ast.Call, ctx: Context) -> str:
        from mesh_notebook.export.portable.makers import MAKERS
        from mesh_notebook.export.portable.methods import METHODS

        if self.plain(node, ctx.scope):
            return ast.unparse(node)
        if isinstance(node.func, ast.Name) and self.helper is not None:
            return self.helper(node, ctx)
        if not isinstance(node.func, ast.Attribute):
            raise CannotGo(node, "a call of this kind cannot be rewritten")
        on, name = node.func.value, node.func.attr
        if isinstance(on, ast.Name) and on.id == "pl":
            return _found(MAKERS, name, node)(self, _called(node, on, name), ctx)
        if isinstance(on, ast.Attribute) and on.attr in ("str", "dt", "list", "name"):
            name, on = f"{on.attr}.{name}", on.value
        return _found(METHODS, name, node)(self, _called(node, on, name), ctx)

    def columns(self, nodes: Iterable[ast.expr], ctx: Context) -> list[str]:
        """Return the arguments of `select` and its like, lists of them laid open."""
        return [self._several(node, ctx) for node in nodes]

    def _several(self, node: ast.expr, ctx: Context) -> str:
        if isinstance(node, ast.List | ast.Tuple):
            return f"[{', '.join(self.columns(node.elts, ctx))}]"
        if self.plain(node, ctx.scope):
            value = ctx.scope.evaluated(node)
            names = [value] if isinstance(value, str) else value
            if not isinstance(names, Sequence) or not all(isinstance(n, str) for n in names):
                raise CannotGo(node, "a column without rows of its own has no equal length there")
            return ast.unparse(node)
        return self.expr(node, ctx)


_UNKNOWN = object()


def _is_value(bound: Any) -> bool:
    return bound is not _UNKNOWN and not isinstance(bound, Frame | Deferred | ast.AST)


def _with(scope: Scope, name: str, value: Any) -> Scope:
    return replace(scope, names={**scope.names, name: value}, values={**scope.values, name: value})


def _found(table: dict[str, Method], name: str, node: ast.Call) -> Method:
    if name not in table:
        raise CannotGo(node, f"`{name}` has no equal on the other engines")
    return table[name]


def _called(node: ast.Call, on: ast.expr, name: str) -> Call:
    keywords = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise CannotGo(node, "arguments that a `**` gives are not known")
        keywords[keyword.arg] = keyword.value
    return Call(node, on, name, list(node.args), keywords)
