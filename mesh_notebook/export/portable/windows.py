"""What looks at other rows: `over`, ranks, and all that depends on the order of the rows.

On DuckDB and Spark rows have no order but the one a window names. It is named where a sort makes
it known, and where it leaves no two rows to chance.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from mesh_notebook.export.portable.expressions import Call, Method, Rewriter
from mesh_notebook.export.portable.kinds import constant, kind_of, only
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Context

__all__ = ["WINDOWS", "filled", "ordered_by"]

_ANY = ("int", "small", "unsigned", "str", "date", "naive", "utc", "bool", "decimal", "float")
_RANKS = ("min", "max", "dense", "average")


def ordered_by(node: ast.AST, ctx: Context) -> tuple[str, ...]:
    """Return the columns that order the rows of a window, without ties.

    Raises
    ------
    CannotGo
        The order is unknown, falls, or leaves ties.
    """
    if ctx.order is not None:
        by = ctx.order
    elif ctx.frame.order is None:
        raise CannotGo(node, "it depends on the order of the rows: sort just before, or order_by=")
    elif not ctx.frame.order.plain:
        raise CannotGo(node, "it depends on an order that falls or has nulls last: let it rise")
    else:
        by = ctx.frame.order.by
    if not ctx.frame.decides({*by, *ctx.partition}):
        tied = ", ".join(by)
        raise CannotGo(node, f"rows may tie in {tied}, and then the engines order them otherwise")
    return by


def _over(r: Rewriter, call: Call, ctx: Context) -> str:
    keywords = {k: v for k, v in call.keywords.items() if k not in ("order_by", "partition_by")}
    if keywords:
        raise CannotGo(call.node, f"`over` cannot take {', '.join(keywords)} there")
    keys = [*call.args, *filter(None, [call.keywords.get("partition_by")])]
    partition = tuple(name for key in keys for name in _names(r, key, ctx))
    order = call.keywords.get("order_by")
    inner = replace(
        ctx,
        over=True,
        partition=partition,
        order=tuple(_names(r, order, ctx)) if order is not None else None,
    )
    before = _Ordered.count(call.on)
    text = r.expr(call.on, inner)
    names = ", ".join(repr(name) for name in partition)
    if not before:
        return f"({text}).over({names})"
    by = ordered_by(call.node, inner)
    order_by = f"order_by={by[0]!r}" if len(by) == 1 else f"order_by={list(by)}"
    return f"({text}).over({names}{', ' if names else ''}{order_by})"


def _names(r: Rewriter, node: ast.expr, ctx: Context) -> list[str]:
    """Return the columns that a node names, as text or as `pl.col`."""
    if isinstance(node, ast.List | ast.Tuple):
        return [name for part in node.elts for name in _names(r, part, ctx)]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pl.col" and not node.keywords:
        return [name for arg in node.args for name in _names(r, arg, ctx)]
    if r.plain(node, ctx.scope):
        value = ctx.scope.evaluated(node)
        return [value] if isinstance(value, str) else list(value)
    raise CannotGo(node, "a window needs names of columns there: make the column first")


class _Ordered:
    """Which methods depend on the order of the rows."""

    NAMES = frozenset(
        {"cum_sum", "cum_count", "cum_max", "cum_min", "shift", "diff", "rolling_sum"}
        | {"rolling_mean", "forward_fill", "backward_fill", "is_first_distinct"}
    )

    @classmethod
    def count(cls, node: ast.expr) -> bool:
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
                if part.func.attr in cls.NAMES:
                    return True
                if part.func.attr == "fill_null" and any(
                    k.arg == "strategy" for k in part.keywords
                ):
                    return True
        return False


def _ordered(text: str, call: Call, ctx: Context) -> str:
    """Name the order of a method that `over` does not follow."""
    by = ordered_by(call.node, ctx)
    if ctx.over:
        return text
    return (
        f"{text}.over(order_by={by[0]!r})" if len(by) == 1 else f"{text}.over(order_by={list(by)})"
    )


def _running(*kinds: str) -> Method:
    def method(r: Rewriter, call: Call, ctx: Context) -> str:
        (reverse,) = call.takes("reverse")
        dtype = only(ctx, call.on, *kinds)
        if reverse is not None and not constant(reverse, bool):
            raise CannotGo(call.node, "its direction is no constant")
        more = f"reverse={ast.unparse(reverse)}" if reverse is not None else ""
        text = _ordered(f"({r.expr(call.on, ctx)}).{call.name}({more})", call, ctx)
        whole = call.name == "cum_sum" and kind_of(dtype) != "float"
        return f"{text}.cast(nw.Int64)" if whole else text

    return method


def _shift(r: Rewriter, call: Call, ctx: Context) -> str:
    (n,) = call.takes("n")
    only(ctx, call.on, *_ANY)
    if n is not None and not constant(n, int):
        raise CannotGo(call.node, "its distance is no constant")
    steps = ast.unparse(n) if n is not None else "1"
    return _ordered(f"({r.expr(call.on, ctx)}).shift({steps})", call, ctx)


def _diff(r: Rewriter, call: Call, ctx: Context) -> str:
    (n,) = call.takes("n")
    only(ctx, call.on, "int", "float")
    if n is not None and ast.unparse(n) != "1":
        raise CannotGo(call.node, "the engines know a distance of 1 alone")
    return _ordered(f"({r.expr(call.on, ctx)}).diff()", call, ctx)


def _rolling(r: Rewriter, call: Call, ctx: Context) -> str:
    size, least, center = call.takes("window_size", "min_samples", "center")
    only(ctx, call.on, "int")
    if not constant(size, int) or not (least is None or constant(least, int)) or center:
        raise CannotGo(call.node, "its window is no constant")
    more = f", min_samples={ast.unparse(least)}" if least is not None else ""
    text = f"({r.expr(call.on, ctx)}).{call.name}({ast.unparse(size)}{more})"  # type: ignore[arg-type]
    return _ordered(text, call, ctx)


def filled(r: Rewriter, call: Call, ctx: Context) -> str:
    """Rewrite what fills nulls from the rows before or after."""
    if call.name == "fill_null":
        _, strategy, limit = call.takes("value", "strategy", "limit")
        how = ast.literal_eval(strategy) if constant(strategy) else ""  # type: ignore[arg-type]
    else:
        (limit,) = call.takes("limit")
        how = call.name.removesuffix("_fill")
    only(ctx, call.on, *_ANY)
    if how not in ("forward", "backward") or limit is not None:
        raise CannotGo(call.node, "the engines fill forward and backward, without limit, alone")
    return _ordered(f"({r.expr(call.on, ctx)}).fill_null(strategy={how!r})", call, ctx)


def _rank(r: Rewriter, call: Call, ctx: Context) -> str:
    method, descending = call.takes("method", "descending")
    how = ast.literal_eval(method) if constant(method) else "average"  # type: ignore[arg-type]
    only(ctx, call.on, *_ANY)
    if how not in _RANKS:
        names = _column_of(call.on)
        if how != "ordinal" or not ctx.frame.decides({*names, *ctx.partition}):
            raise CannotGo(call.node, "rows may tie, and then the engines number them otherwise")
    more = f", descending={ast.unparse(descending)}" if descending is not None else ""
    return f"({r.expr(call.on, ctx)}).rank({how!r}{more})"


def _column_of(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pl.col" and constant(node.args[0]):
        return {ast.literal_eval(node.args[0])}
    return set()


def _alone(r: Rewriter, call: Call, ctx: Context) -> str:
    call.takes()
    only(ctx, call.on, *_ANY)
    text = f"({r.expr(call.on, ctx)}).is_unique()"
    return text if call.name == "is_unique" else f"(~{text})"


WINDOWS: dict[str, Method] = {
    "over": _over,
    "rank": _rank,
    "cum_sum": _running("int", "small", "float"),
    "cum_count": _running(*_ANY),
    "cum_max": _running("int", "small", "date", "naive", "utc"),
    "cum_min": _running("int", "small", "date", "naive", "utc"),
    "shift": _shift,
    "diff": _diff,
    "rolling_sum": _rolling,
    "rolling_mean": _rolling,
    "forward_fill": filled,
    "backward_fill": filled,
    "is_unique": _alone,
    "is_duplicated": _alone,
}
