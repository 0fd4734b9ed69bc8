"""The table of methods: of each, on which types it means the same everywhere, and how it is said.

What is not in the table does not go. What the table says was tried with random values on DuckDB
(tests/engines) and on Spark.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from mesh_notebook.export.portable.dates import DATES
from mesh_notebook.export.portable.expressions import Call, Method, Rewriter
from mesh_notebook.export.portable.kinds import constant, kind_of, only
from mesh_notebook.export.portable.makers import branches, dtype_text
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Context
from mesh_notebook.export.portable.texts import TEXTS
from mesh_notebook.export.portable.windows import WINDOWS, filled

__all__ = ["METHODS"]

_ORDERED = ("int", "small", "unsigned", "str", "date", "naive", "utc", "bool", "decimal")
_ANY = (*_ORDERED, "float")
_WHOLE = ("int", "small", "unsigned")
_NUMBERS = (*_WHOLE, "float")


def _same(*kinds: str, said: str = "") -> Method:
    """Return a method that takes nothing and is said alike, or as `said`, on these types."""

    def method(r: Rewriter, call: Call, ctx: Context) -> str:
        call.takes()
        only(ctx, call.on, *kinds)
        return (said or "({on})." + call.name + "()").format(on=r.expr(call.on, ctx))

    return method


def _helped(name: str, *kinds: str) -> Method:
    """Return a method that a helper function of the module computes."""

    def method(r: Rewriter, call: Call, ctx: Context) -> str:
        call.takes()
        only(ctx, call.on, *kinds)
        r.needs.add(name)
        return f"{name}({r.expr(call.on, ctx)})"

    return method


def _alias(r: Rewriter, call: Call, ctx: Context) -> str:
    (name,) = call.takes("name")
    if name is None or not r.plain(name, ctx.scope):
        raise CannotGo(call.node, "the column's name is no constant")
    return f"({r.expr(call.on, ctx)}).alias({ast.unparse(name)})"


def _renamed(r: Rewriter, call: Call, ctx: Context) -> str:
    (part,) = call.takes("prefix" if call.name == "name.prefix" else "suffix")
    if not constant(part):
        raise CannotGo(call.node, "the column's name is no constant")
    return f"({r.expr(call.on, ctx)}).{call.name}({ast.unparse(part)})"  # type: ignore[arg-type]


# ---- aggregates --------------------------------------------------------------------------------


def _aggregate(method: Method) -> Method:
    """Let an aggregate follow `filter`: what the condition leaves out becomes null first."""

    def with_filter(r: Rewriter, call: Call, ctx: Context) -> str:
        on = call.on
        filtered = isinstance(on, ast.Call) and isinstance(on.func, ast.Attribute)
        if not filtered or on.func.attr != "filter":  # type: ignore[attr-defined]
            return method(r, call, ctx)
        if call.name in ("len", "n_unique", "null_count"):
            raise CannotGo(call.node, "it would count what the filter leaves out")
        if len(on.args) != 1 or on.keywords:  # type: ignore[attr-defined]
            raise CannotGo(call.node, "the filter has several conditions")
        chosen = _when(on.args[0], on.func.value)  # type: ignore[attr-defined]
        return method(r, replace(call, on=chosen), ctx)

    return with_filter


def _when(condition: ast.expr, value: ast.expr) -> ast.expr:
    text = f"pl.when({ast.unparse(condition)}).then({ast.unparse(value)})"
    return ast.parse(text, mode="eval").body


def _sum(r: Rewriter, call: Call, ctx: Context) -> str:
    call.takes()
    dtype = only(ctx, call.on, "int", "small", "unsigned", "float", "bool", "decimal")
    text = r.expr(call.on, ctx)
    if kind_of(dtype) == "bool":
        return f"({text}).cast(nw.Int64).sum().cast(nw.Int64)"
    if kind_of(dtype) in ("float", "decimal"):
        return f"({text}).sum()"
    return f"({text}).sum().cast(nw.Int64)"


def _mean(r: Rewriter, call: Call, ctx: Context) -> str:
    call.takes()
    dtype = only(ctx, call.on, *_NUMBERS, "bool", "decimal")
    text = r.expr(call.on, ctx)
    if kind_of(dtype) == "bool":
        return f"({text}).cast(nw.Int64).mean()"
    return (
        f"({text}).cast(nw.Float64).mean()" if kind_of(dtype) == "decimal" else f"({text}).mean()"
    )


def _max(r: Rewriter, call: Call, ctx: Context) -> str:
    call.takes()
    dtype = only(ctx, call.on, *_ANY)
    if kind_of(dtype) != "float":
        return f"({r.expr(call.on, ctx)}).max()"
    if ctx.over:
        raise CannotGo(call.node, "the engines take NaN for the largest number in a window")
    r.needs.add("_largest")
    return f"_largest({r.expr(call.on, ctx)})"


def _spread(r: Rewriter, call: Call, ctx: Context) -> str:
    (ddof,) = call.takes("ddof")
    if ddof is not None and ast.unparse(ddof) not in ("0", "1"):
        raise CannotGo(call.node, "the engines know ddof 0 and 1 alone")
    only(ctx, call.on, *_WHOLE)
    more = f"ddof={ast.unparse(ddof)}" if ddof is not None else ""
    return f"({r.expr(call.on, ctx)}).{call.name}({more})"


def _quantile(r: Rewriter, call: Call, ctx: Context) -> str:
    at, how = call.takes("quantile", "interpolation")
    if not constant(at, float) or not constant(how) or ast.literal_eval(how) != "linear":  # type: ignore[arg-type]
        raise CannotGo(call.node, 'the engines have interpolation="linear" alone in common')
    only(ctx, call.on, "int", "small", "unsigned")
    return f"({r.expr(call.on, ctx)}).quantile({ast.unparse(at)}, interpolation='linear')"  # type: ignore[arg-type]


def _counted(r: Rewriter, call: Call, ctx: Context) -> str:
    call.takes()
    only(ctx, call.on, *_ANY)
    if ctx.over and call.name == "n_unique":
        raise CannotGo(call.node, "Spark counts no distinct values in a window")
    text = f"({r.expr(call.on, ctx)}).{call.name}()"
    # Of no rows at all, the engines count null where Polars counts 0.
    return text if ctx.over or ctx.place == "groups" else f"{text}.fill_null(0)"


# ---- element by element --------------------------------------------------------------------------


def _fill_null(r: Rewriter, call: Call, ctx: Context) -> str:
    value, strategy = call.takes("value", "strategy")
    if strategy is not None or value is None:
        return filled(r, call, ctx)
    dtype = only(ctx, call.on, *_ANY)
    plain = r.plain(value, ctx.scope) and ctx.scope.evaluated(value)
    given = ast.Constant(plain) if isinstance(plain, str) else value
    kinds = {kind_of(dtype), *(kind_of(d) for d in ctx.dtypes(_literal(r, given, ctx)))}
    whole = kinds <= {"small", "unsigned", "int"} and r.plain(value, ctx.scope)
    if len(kinds) > 1 and not whole and not kinds <= {"float", "int"}:
        raise CannotGo(call.node, f"it fills {kind_of(dtype)} with another type")
    if kinds == {"float", "int"} and kind_of(dtype) == "int":
        raise CannotGo(call.node, "it fills whole numbers with a float")
    return f"({r.expr(call.on, ctx)}).fill_null({r.expr(value, ctx)})"


def _literal(r: Rewriter, node: ast.expr, ctx: Context) -> ast.expr:
    if not r.plain(node, ctx.scope):
        return node
    return ast.parse(f"pl.lit({ast.unparse(node)})", mode="eval").body


def _fill_nan(r: Rewriter, call: Call, ctx: Context) -> str:
    (value,) = call.takes("value")
    only(ctx, call.on, "float")
    if not (constant(value, (int, float)) or constant(value, type(None))):
        raise CannotGo(call.node, "it fills with what is no constant")
    return f"({r.expr(call.on, ctx)}).fill_nan({ast.unparse(value)})"  # type: ignore[arg-type]


def _is_in(r: Rewriter, call: Call, ctx: Context) -> str:
    (other,) = call.takes("other")
    if other is None or not r.plain(other, ctx.scope):
        raise CannotGo(call.node, "its values are known only when the data is")
    values = list(ctx.scope.evaluated(other))
    kind = kind_of(only(ctx, call.on, "int", "small", "unsigned", "str", "date"))
    wanted = str if kind == "str" else int
    if not values or not (kind == "date" or all(type(v) is wanted for v in values)):
        raise CannotGo(call.node, "its values are of another type than the column")
    return f"({r.expr(call.on, ctx)}).is_in({ast.unparse(other)})"


def _is_between(r: Rewriter, call: Call, ctx: Context) -> str:
    low, high, closed = call.takes("lower_bound", "upper_bound", "closed")
    if low is None or high is None:
        raise CannotGo(call.node, "it lacks a bound")
    signs: dict[str, tuple[type[ast.cmpop], type[ast.cmpop]]] = {
        "both": (ast.GtE, ast.LtE),
        "left": (ast.GtE, ast.Lt),
    }
    signs |= {"right": (ast.Gt, ast.LtE), "none": (ast.Gt, ast.Lt)}
    how = ast.literal_eval(closed) if closed is not None else "both"
    for sign, bound in zip(signs[how], (low, high), strict=True):
        r.expr(ast.Compare(call.on, [sign()], [bound]), ctx)  # the types are as of comparing
    more = f", closed={how!r}" if closed is not None else ""
    bounds = f"{r.column(low, ctx)}, {r.column(high, ctx)}"
    return f"({r.expr(call.on, ctx)}).is_between({bounds}{more})"


def _round(r: Rewriter, call: Call, ctx: Context) -> str:
    decimals, mode = call.takes("decimals", "mode")
    if decimals is not None and not constant(decimals, int):
        raise CannotGo(call.node, "its number of decimals is no constant")
    if mode is not None and ast.unparse(mode) != "'half_to_even'":
        raise CannotGo(call.node, "only rounding half to even is rewritten")
    only(ctx, call.on, "float")
    r.needs.add("_rounded")
    return f"_rounded({r.expr(call.on, ctx)}, {ast.unparse(decimals) if decimals else 0})"


def _clip(r: Rewriter, call: Call, ctx: Context) -> str:
    bounds = call.takes("lower_bound", "upper_bound")
    only(ctx, call.on, "int")
    given = [bound for bound in bounds if bound is not None]
    if not given or not all(constant(bound, int) for bound in given):
        raise CannotGo(call.node, "its bounds are no constants")
    texts = [ast.unparse(bound) if bound is not None else "None" for bound in bounds]
    return f"({r.expr(call.on, ctx)}).clip({', '.join(texts)})"


def _cast(r: Rewriter, call: Call, ctx: Context) -> str:
    dtype, strict = call.takes("dtype", "strict")
    if dtype is None or strict is not None:
        raise CannotGo(call.node, "a cast that makes null of what does not fit has no equal")
    source = kind_of(only(ctx, call.on, *_ANY))
    text, said = r.expr(call.on, ctx), dtype_text(dtype)
    target = kind_of(ctx.dtypes_of_vetted(call.node)[0])
    pair = (source, target)
    whole = {"int", "small", "unsigned"}
    if target in whole and source == "float":
        r.needs.add("_whole")
        return f"_whole({text}).cast({said})"
    allowed = (source in whole | {"bool"} and target in whole | {"float", "str"}) or pair in _CASTS
    allowed |= source in whole and target == "decimal"
    if not allowed:
        raise CannotGo(call.node, f"the engines cast {source} to {target} otherwise")
    return f"({text}).cast({said})"


_CASTS = {
    *(("float", "float"), ("decimal", "float"), ("date", "str"), ("date", "naive")),
    *(("naive", "date"), ("utc", "date"), ("str", "str"), ("date", "date"), ("naive", "naive")),
    *(("bool", "bool"), ("str", "int")),
}


def _replace_strict(r: Rewriter, call: Call, ctx: Context) -> str:
    old, new, default, dtype = call.takes("old", "new", "default", "return_dtype")
    only(ctx, call.on, "str", "int")
    if (
        old is None
        or default is None
        or not all(r.plain(node, ctx.scope) for node in (old, new, default) if node is not None)
    ):
        raise CannotGo(call.node, "without constants and a default it has no equal")
    values = ctx.scope.evaluated(old)
    wanted = str if kind_of(ctx.dtypes(call.on)[0]) == "str" else int
    if not all(type(value) is wanted for value in values):
        raise CannotGo(call.node, "its old values are of another type than the column")
    kinds = {type(v) for v in (values.values() if new is None else ctx.scope.evaluated(new))}
    given = ctx.scope.evaluated(default)
    if len(kinds | {type(given)} - {type(None)}) != 1:
        raise CannotGo(call.node, "its new values are of several types")
    parts = [ast.unparse(node) for node in (old, new) if node is not None]
    parts += [f"default={ast.unparse(default)}"]
    parts += [f"return_dtype={dtype_text(dtype)}"] if dtype is not None else []
    return f"({r.expr(call.on, ctx)}).replace_strict({', '.join(parts)})"


_LISTS = ("list of int", "list of str", "list of float", "list of small", "list of unsigned")


def _list_contains(r: Rewriter, call: Call, ctx: Context) -> str:
    (item,) = call.takes("item")
    only(ctx, call.on, "list of int", "list of str")
    if not constant(item, (str, int)):
        raise CannotGo(call.node, "it looks for what is no constant")
    return f"({r.expr(call.on, ctx)}).list.contains({ast.unparse(item)})"  # type: ignore[arg-type]


METHODS: dict[str, Method] = {
    "alias": _alias,
    "name.suffix": _renamed,
    "name.prefix": _renamed,
    "then": branches,
    "otherwise": branches,
    "sum": _aggregate(_sum),
    "mean": _aggregate(_mean),
    "min": _aggregate(_same(*_ANY)),
    "max": _aggregate(_max),
    "median": _aggregate(_same(*_WHOLE)),
    "std": _aggregate(_spread),
    "var": _aggregate(_spread),
    "quantile": _aggregate(_quantile),
    "count": _aggregate(_same(*_ANY)),
    "len": _aggregate(_same(*_ANY)),
    "n_unique": _aggregate(_counted),
    "null_count": _aggregate(_counted),
    "any": _aggregate(_same("bool")),
    "all": _aggregate(_same("bool")),
    "is_null": _same(*_ANY, *_LISTS),
    "is_not_null": _same(*_ANY, *_LISTS, said="(~({on}).is_null())"),
    "is_nan": _same("float"),
    "is_not_nan": _same("float", said="(~({on}).is_nan())"),
    "is_finite": _same("float"),
    "not_": _same("bool", said="(~({on}))"),
    "abs": _same("int", "float"),
    "floor": _helped("_floor", "float"),
    "ceil": _helped("_ceil", "float"),
    "sqrt": _same("float"),
    "round": _round,
    "clip": _clip,
    "cast": _cast,
    "fill_null": _fill_null,
    "fill_nan": _fill_nan,
    "is_in": _is_in,
    "is_between": _is_between,
    "replace_strict": _replace_strict,
    "list.len": _same(*_LISTS),
    "list.contains": _list_contains,
    "list.max": _same("list of int"),
    "list.min": _same("list of int"),
    **TEXTS,
    **DATES,
    **WINDOWS,
}
