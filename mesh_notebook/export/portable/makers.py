"""The functions of `pl` that make expressions, and `when` with what follows it."""

from __future__ import annotations

import ast

from mesh_notebook.export.portable.expressions import Call, Method, Rewriter
from mesh_notebook.export.portable.kinds import constant, kind_of, only
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Context

__all__ = ["MAKERS", "branches", "dtype_text"]

_TYPES = {"Int8", "Int16", "Int32", "Int64", "Float32", "Float64", "String", "Boolean", "Date"}
_PYTHON = {"int": "Int64", "float": "Float64", "str": "String", "bool": "Boolean"}
_LITERALS = ("str", "int", "float", "bool", "date", "decimal", "Null")


def _col(r: Rewriter, call: Call, ctx: Context) -> str:
    texts = []
    for arg in call.args:
        if not r.plain(arg, ctx.scope):
            raise CannotGo(call.node, "columns chosen by their type are not rewritten")
        value = ctx.scope.evaluated(arg)
        names = [value] if isinstance(value, str) else list(value)
        if not all(isinstance(n, str) and not n.startswith("^") and n != "*" for n in names):
            raise CannotGo(call.node, "columns chosen by a pattern or type are not rewritten")
        texts.append(ast.unparse(arg))
    call_keywords_none(call)
    return f"nw.col({', '.join(texts)})"


def call_keywords_none(call: Call) -> None:
    """Raise `CannotGo` where a call has keywords."""
    if call.keywords:
        raise CannotGo(call.node, f"`{call.name}` cannot take {', '.join(call.keywords)} there")


def _lit(r: Rewriter, call: Call, ctx: Context) -> str:
    value, dtype = call.takes("value", "dtype")
    if value is None or not r.plain(value, ctx.scope):
        raise CannotGo(call.node, "only a constant can be a literal there")
    more = f", dtype={dtype_text(dtype)}" if dtype is not None else ""
    if kind_of(ctx.dtypes_of_vetted(call.node)[0]) not in _LITERALS:
        raise CannotGo(call.node, "a literal of this type is not the same on every engine")
    return f"nw.lit({ast.unparse(value)}{more})"


def dtype_text(node: ast.expr) -> str:
    """Return a Polars type as Narwhals names it."""
    text = ast.unparse(node)
    name = text.removeprefix("pl.")
    name = _PYTHON.get(text, "String" if name == "Utf8" else name)
    if name in _TYPES:
        return f"nw.{name}"
    if text in ("pl.Datetime", "pl.Datetime('us')", "pl.Datetime(time_unit='us')"):
        return "nw.Datetime('us')"
    if isinstance(node, ast.Call) and text.startswith("pl.Decimal(") and len(node.args) == 2:
        return f"nw.Decimal({', '.join(ast.unparse(arg) for arg in node.args)})"
    raise CannotGo(node, "not every engine has this type")


def _len(r: Rewriter, call: Call, ctx: Context) -> str:
    call.takes()
    return "nw.len()"


def _all(r: Rewriter, call: Call, ctx: Context) -> str:
    call.takes()
    return "nw.all()"


def _numbers(call: Call, ctx: Context, *kinds: str) -> None:
    for arg in call.args:
        parts = arg.elts if isinstance(arg, ast.List | ast.Tuple) else [arg]
        for part in parts:
            only(ctx, _as_column(part), *kinds)


def _as_column(node: ast.expr) -> ast.expr:
    """Return `pl.col(name)` for a bare name, which is what Polars takes it for."""
    if constant(node):
        return ast.parse(f"pl.col({ast.unparse(node)})", mode="eval").body
    return node


def _horizontal(*kinds: str, more: str = "") -> Method:
    def method(r: Rewriter, call: Call, ctx: Context) -> str:
        call_keywords_none(call)
        _numbers(call, ctx, *kinds)
        return f"nw.{call.name}({', '.join(r.columns(call.args, ctx))}{more})"

    return method


def _coalesce(r: Rewriter, call: Call, ctx: Context) -> str:
    call_keywords_none(call)
    args = call.args[0].elts if isinstance(call.args[0], ast.List) else call.args
    kinds = {kind_of(d) for arg in args for d in ctx.dtypes(_as_column(arg))} - {"Null"}
    if len(kinds) > 1 and not kinds <= {"int", "float"}:
        raise CannotGo(call.node, f"its parts are {' and '.join(sorted(kinds))}")
    return f"nw.coalesce({', '.join(r.column(arg, ctx) for arg in args)})"


def _concat_str(r: Rewriter, call: Call, ctx: Context) -> str:
    separator, ignore = call.keywords.get("separator"), call.keywords.get("ignore_nulls")
    if set(call.keywords) - {"separator", "ignore_nulls"}:
        raise CannotGo(call.node, "it has further arguments")
    if ignore is not None and ast.unparse(ignore) != "False":
        raise CannotGo(call.node, "the engines differ where all of its parts are null")
    if separator is not None and not constant(separator):
        raise CannotGo(call.node, "its separator is no constant")
    _numbers(call, ctx, "str", "int", "small")
    more = f", separator={ast.unparse(separator)}" if separator is not None else ""
    return f"nw.concat_str({', '.join(r.columns(call.args, ctx))}{more})"


# ---- when --------------------------------------------------------------------------------------


def branches(r: Rewriter, call: Call, ctx: Context) -> str:
    """Rewrite `pl.when(…).then(…)`, further branches, and `otherwise`, as nested choices."""
    steps: list[tuple[ast.expr, ast.expr]] = []
    otherwise: ast.expr | None = None
    node: ast.expr = call.node
    then: ast.expr | None = None
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name, at_root = node.func.attr, ast.unparse(node.func.value) == "pl"
        if name not in ("when", "then", "otherwise") or not node.args or node.keywords:
            break
        if name == "otherwise":
            otherwise = node.args[0]
        elif name == "then":
            then = node.args[0]
        elif then is not None:
            steps.append((_all_of(r, node, ctx), then))
        if at_root:
            return _chosen(r, steps, otherwise, ctx)
        node = node.func.value
    raise CannotGo(call.node, "a choice of this form cannot be rewritten")


def _all_of(r: Rewriter, node: ast.Call, ctx: Context) -> ast.expr:
    made = node.args[0]
    for more in node.args[1:]:
        made = ast.BinOp(made, ast.BitAnd(), more)
    only(ctx, made, "bool")
    return made


def _chosen(
    r: Rewriter,
    steps: list[tuple[ast.expr, ast.expr]],
    otherwise: ast.expr | None,
    ctx: Context,
) -> str:
    values = [value for _, value in steps] + ([otherwise] if otherwise is not None else [])
    kinds = {kind_of(d) for value in values for d in ctx.dtypes(_as_column(value))} - {"Null"}
    if len(kinds) > 1 and not kinds <= {"int", "float"}:
        raise CannotGo(values[0], f"the branches are {' and '.join(sorted(kinds))}")
    made = r.given(otherwise, ctx) if otherwise is not None else ""
    for condition, value in steps:
        rest = f".otherwise({made})" if made else ""
        made = f"nw.when({r.expr(condition, ctx)}).then({r.given(value, ctx)}){rest}"
    return made


MAKERS: dict[str, Method] = {
    "col": _col,
    "lit": _lit,
    "len": _len,
    "all": _all,
    "coalesce": _coalesce,
    "concat_str": _concat_str,
    "sum_horizontal": _horizontal("int", "float"),
    "max_horizontal": _horizontal("int", "date", "naive", "utc"),
    "min_horizontal": _horizontal("int", "date", "naive", "utc"),
    "all_horizontal": _horizontal("bool", more=", ignore_nulls=False"),
    "any_horizontal": _horizontal("bool", more=", ignore_nulls=False"),
}
