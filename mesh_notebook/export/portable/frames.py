"""The methods of frames, and what is known of a frame after each."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.export.portable.expressions import Call, Rewriter
from mesh_notebook.export.portable.kinds import constant
from mesh_notebook.export.portable.makers import call_keywords_none, dtype_text
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Context, Frame, Order, Scope
from mesh_notebook.export.portable.windows import ordered_by

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FRAMES", "Step", "applied"]

Made = tuple[str, Frame]
Step = Callable[[Rewriter, Call, str, Frame, Scope], Made]


def applied(call: Call, frame: Frame, scope: Scope, name: str = "", **kept: Any) -> pl.LazyFrame:
    """Return what Polars makes of a frame without rows."""
    import polars as pl

    args = [_given(arg, scope) for arg in call.args]
    keywords = {k: _given(v, scope) for k, v in call.keywords.items()} | kept
    made = getattr(frame.data, name or call.name)(*args, **keywords)
    try:
        made.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise CannotGo(call.node, f"Polars cannot tell its columns: {error}") from None
    return made  # type: ignore[no-any-return]


def _given(node: ast.expr, scope: Scope) -> Any:
    value = scope.evaluated(node)
    return list(value) if hasattr(value, "__next__") else value


def _told(texts: list[str], call: Call, r: Rewriter, ctx: Context) -> str:
    named = [f"{name}={r.given(value, ctx)}" for name, value in call.keywords.items()]
    return ", ".join([*texts, *named])


# ---- columns -----------------------------------------------------------------------------------


def _select(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    ctx = r.context(frame, scope)
    if (
        all(r.plain(v, scope) and not isinstance(scope.evaluated(v), str | list) for v in call.args)
        and not call.keywords
    ):
        raise CannotGo(call.node, "without a column, the number of its rows is not known")
    told = _told(r.columns(call.args, ctx), call, r, ctx)
    data = applied(call, frame, scope)
    kept = _unchanged(r, call, scope)
    known = frame.without(set(frame.schema) - kept)
    keys = frozenset(key for key in known.keys if key <= kept)
    order = known.order if known.order and set(known.order.by) <= kept else None
    return f"{text}.select({told})", Frame(data, order, keys)


def _unchanged(r: Rewriter, call: Call, scope: Scope) -> set[str]:
    """Return the columns that pass through a `select` under their own names."""
    kept: set[str] = set()
    for arg in call.args:
        for node in arg.elts if isinstance(arg, ast.List | ast.Tuple) else [arg]:
            kept.update(_names(r, node, scope) or ())
    return kept


def _names(r: Rewriter, node: ast.expr, scope: Scope) -> list[str] | None:
    """Return the columns that a node names, None where it is no mere name."""
    if isinstance(node, ast.List | ast.Tuple):
        parts = [_names(r, part, scope) for part in node.elts]
        return None if None in parts else [name for part in parts for name in part or ()]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pl.col" and not node.keywords:
        parts = [_names(r, arg, scope) for arg in node.args]
        return None if None in parts else [name for part in parts for name in part or ()]
    if r.plain(node, scope):
        value = scope.evaluated(node)
        names = [value] if isinstance(value, str) else list(value)
        return names if all(isinstance(name, str) for name in names) else None
    return None


def _named(r: Rewriter, call: Call, node: ast.expr | None, scope: Scope) -> list[str]:
    names = _names(r, node, scope) if node is not None else None
    if names is None:
        raise CannotGo(call.node, f"`{call.name}` needs names of columns: make the column first")
    return names


def _with_columns(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    import polars as pl

    ctx = r.context(frame, scope)
    told = _told(r.columns(call.args, ctx), call, r, ctx)
    data = applied(call, frame, scope)
    args = [_given(arg, scope) for arg in call.args]
    keywords = {k: _given(v, scope) for k, v in call.keywords.items()}
    changed = set(pl.LazyFrame(schema=frame.schema).select(*args, **keywords).collect_schema())
    return f"{text}.with_columns({told})", replace(frame.without(changed), data=data)


def _filter(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    ctx = r.context(frame, scope)
    call_keywords_none(call)
    told = ", ".join(r.expr(arg, ctx) for arg in call.args)
    return f"{text}.filter({told})", replace(frame, data=applied(call, frame, scope))


def _drop(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    call_keywords_none(call)
    names = [name for arg in call.args for name in _named(r, call, arg, scope)]
    data = applied(call, frame, scope)
    told = ", ".join(ast.unparse(arg) for arg in call.args if r.plain(arg, scope)) or _quoted(names)
    return f"{text}.drop({told})", replace(frame.without(names), data=data)


def _quoted(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names)


def _rename(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    call_keywords_none(call)
    if len(call.args) != 1 or not r.plain(call.args[0], scope):
        raise CannotGo(call.node, "its names are no constants")
    names = dict(scope.evaluated(call.args[0]))
    data = applied(call, frame, scope)
    keys = frozenset(frozenset(names.get(n, n) for n in key) for key in frame.keys)
    order = frame.order and replace(frame.order, by=tuple(names.get(n, n) for n in frame.order.by))
    return f"{text}.rename({ast.unparse(call.args[0])})", Frame(data, order, keys)


def _cast(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    call_keywords_none(call)
    if len(call.args) != 1 or not isinstance(call.args[0], ast.Dict):
        raise CannotGo(call.node, "name each column with its type")
    made = []
    for key, dtype in zip(call.args[0].keys, call.args[0].values, strict=True):
        if not constant(key):
            raise CannotGo(call.node, "name each column with its type")
        column = f"pl.col({ast.unparse(key)}).cast({ast.unparse(dtype)})"  # type: ignore[arg-type]
        made.append(r.expr(ast.parse(column, mode="eval").body, r.context(frame, scope)))
        dtype_text(dtype)
    return f"{text}.with_columns({', '.join(made)})", Frame(applied(call, frame, scope))


# ---- rows --------------------------------------------------------------------------------------


def _sort(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    options = {k: v for k, v in call.keywords.items() if k not in ("by", "maintain_order")}
    if set(options) - {"descending", "nulls_last"}:
        raise CannotGo(call.node, "it has arguments that the engines lack")
    nodes = [*call.args, *filter(None, [call.keywords.get("by")])]
    by = [name for node in nodes for name in _named(r, call, node, scope)]
    falls = _flags(r, call, "descending", len(by), scope)
    last = _flags(r, call, "nulls_last", len(by), scope)
    if len(set(last)) > 1:
        raise CannotGo(call.node, "the engines put the nulls of all columns first, or last")
    told = _quoted(by)
    told += f", descending={falls[0] if len(set(falls)) == 1 else falls}" if any(falls) else ""
    told += ", nulls_last=True" if any(last) else ""
    order = Order(tuple(by), plain=not any(falls) and not any(last))
    data = applied(call, frame, scope)
    return f"{text}.sort({told})", replace(frame, data=data, order=order)


def _flags(r: Rewriter, call: Call, name: str, count: int, scope: Scope) -> list[bool]:
    node = call.keywords.get(name)
    if node is None:
        return [False] * count
    if not r.plain(node, scope):
        raise CannotGo(call.node, f"its `{name}` is no constant")
    value = scope.evaluated(node)
    return [value] * count if isinstance(value, bool) else list(value)


def _head(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    (n,) = call.takes("n")
    if n is not None and not r.plain(n, scope):
        raise CannotGo(call.node, "its number is no constant")
    if frame.order is None:
        raise CannotGo(call.node, "which rows are first is not known: sort just before")
    if not frame.decides(frame.order.by):
        tied = ", ".join(frame.order.by)
        raise CannotGo(call.node, f"rows may tie in {tied}, and then the engines choose otherwise")
    told = ast.unparse(n) if n is not None else ""
    return f"{text}.head({told})", replace(frame, data=applied(call, frame, scope))


def _unique(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    subset, keep, _ = call.takes("subset", "keep", "maintain_order")
    names = _named(r, call, subset, scope) if subset is not None else list(frame.schema)
    how = ast.literal_eval(keep) if constant(keep) else "any"  # type: ignore[arg-type]
    told = f"{names}" if subset is not None else ""
    whole = set(names) == set(frame.schema)
    data = applied(call, frame, scope)
    keys = frame.keys | {frozenset(names)}
    if how == "none" or whole or any(key <= set(names) for key in frame.keys):
        more = [told, "keep='none'"] if how == "none" else [told]
        return f"{text}.unique({', '.join(filter(None, more))})", Frame(data, None, keys)
    if how == "any":
        raise CannotGo(call.node, "which of the rows it keeps is left to chance: say keep='first'")
    by = ordered_by(call.node, replace(r.context(frame, scope), partition=tuple(names)))
    return f"{text}.unique({told}, keep={how!r}, order_by={list(by)})", Frame(data, None, keys)


def _row_index(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    name, offset = call.takes("name", "offset")
    if not (name is None or constant(name)) or offset is not None:
        raise CannotGo(call.node, "the engines count from 0, under a constant name")
    by = ordered_by(call.node, r.context(frame, scope))
    told = ast.unparse(name) if name is not None else "'index'"
    made = f"{text}.with_row_index({told}, order_by={repr(by[0]) if len(by) == 1 else list(by)})"
    data = applied(call, frame, scope)
    index = frozenset({ast.literal_eval(told)})
    return made, replace(frame, data=data, keys=frame.keys | {index})


def _drop_nulls(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    (subset,) = call.takes("subset")
    told = f"{_named(r, call, subset, scope)}" if subset is not None else ""
    return f"{text}.drop_nulls({told})", replace(frame, data=applied(call, frame, scope))


def _explode(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    flags = {"empty_as_null": False, "keep_nulls": True}
    for name in flags:
        if name in call.keywords:
            flags[name] = bool(scope.evaluated(call.keywords[name]))
    if set(call.keywords) - set(flags):
        raise CannotGo(call.node, "it has arguments that the engines lack")
    names = [name for arg in call.args for name in _named(r, call, arg, scope)]
    if len(names) != 1:
        raise CannotGo(call.node, "the engines explode one column at a time")
    told = ", ".join([repr(names[0]), *(f"{k}={v}" for k, v in flags.items())])
    return f"{text}.explode({told})", Frame(applied(call, frame, scope))


def _unpivot(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    on, index, variable, value = call.takes("on", "index", "variable_name", "value_name")
    columns = _named(r, call, on, scope)
    ids = _named(r, call, index, scope) if index is not None else []
    if not (variable is None or constant(variable)) or not (value is None or constant(value)):
        raise CannotGo(call.node, "its names are no constants")
    if len({frame.schema[name] for name in columns}) != 1:
        raise CannotGo(call.node, "its columns have different types")
    names = [
        ast.literal_eval(n) if n is not None else d
        for n, d in ((variable, "variable"), (value, "value"))
    ]
    parts = ", ".join(
        f"{text}.select({_quoted([*ids])}{', ' if ids else ''}"
        f"nw.lit({name!r}).alias({names[0]!r}), nw.col({name!r}).alias({names[1]!r}))"
        for name in columns
    )
    return f"nw.concat([{parts}])", Frame(applied(call, frame, scope))


# ---- groups ------------------------------------------------------------------------------------


def _agg(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    """Rewrite `group_by(…).agg(…)` or `.len()`; `call` is the second of the two."""
    grouping = call.on
    assert isinstance(grouping, ast.Call)  # what brought us here
    ctx = r.context(frame, scope)
    keywords = {k.arg: k.value for k in grouping.keywords}
    named = {k: v for k, v in keywords.items() if k != "maintain_order"}
    keys = r.columns(grouping.args, ctx) + [
        f"({r.column(v, ctx)}).alias({k!r})" for k, v in named.items()
    ]
    groups = replace(ctx, place="groups")
    if call.name == "len":
        (name,) = call.takes("name")
        told = f"nw.len().alias({ast.unparse(name) if name is not None else repr('len')})"
    else:
        told = _told(r.columns(call.args, groups), call, r, groups)
    data = _grouped(call, grouping, keywords, frame, scope)
    made = Frame(data, None, frozenset({frozenset(_key_names(grouping, named, frame, scope))}))
    _refuse_lists(call, made, frame)
    return f"{text}.group_by({', '.join(keys)}).agg({told})", made


def _grouped(
    call: Call, grouping: ast.Call, keywords: dict[str | None, ast.expr], frame: Frame, scope: Scope
) -> pl.LazyFrame:
    by = [_given(arg, scope) for arg in grouping.args]
    more = {str(k): _given(v, scope) for k, v in keywords.items() if k != "maintain_order"}
    grouped = frame.data.group_by(*by, **more)
    args = [_given(arg, scope) for arg in call.args]
    made = getattr(grouped, call.name)(
        *args, **{k: _given(v, scope) for k, v in call.keywords.items()}
    )
    return made  # type: ignore[no-any-return]


def _key_names(
    grouping: ast.Call, named: dict[str | None, ast.expr], frame: Frame, scope: Scope
) -> list[str]:
    by = [_given(arg, scope) for arg in grouping.args]
    more = {str(k): _given(v, scope) for k, v in named.items()}
    return list(frame.data.select(*by, **more).collect_schema())


def _refuse_lists(call: Call, made: Frame, frame: Frame) -> None:
    """Refuse what gathers the values of a group in a list: their order is not known."""
    import polars as pl

    for name, dtype in made.schema.items():
        if isinstance(dtype, pl.List) and frame.schema.get(name) != dtype:
            raise CannotGo(call.node, f"it gathers '{name}' in lists, whose order is not known")


def _equals(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"pl.col({name!r})" if value else f"~pl.col({name!r})"
    return f"pl.col({name!r}) == {value!r}"


def _pivot(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    given = call.takes(
        "on", "on_columns", "index", "values", "aggregate_function", "maintain_order"
    )
    on, columns, index, values, how, _ = given
    if columns is None or not r.plain(columns, scope):
        raise CannotGo(call.node, "its columns depend on the data: name them with on_columns=")
    names = [_named(r, call, node, scope) for node in (on, index, values)]
    if len(names[0]) != 1 or len(names[2]) != 1:
        raise CannotGo(call.node, "it has several columns to pivot on")
    function = ast.literal_eval(how) if constant(how) else ""  # type: ignore[arg-type]
    if function not in ("sum", "mean", "min", "max", "len"):
        raise CannotGo(call.node, "aggregate_function is none of sum, mean, min, max and len")
    told = []
    data = applied(call, frame, scope)
    cells = list(data.collect_schema())[len(names[1]) :]
    for value, name in zip(scope.evaluated(columns), cells, strict=True):
        where, what = _equals(names[0][0], value), f"pl.col({names[2][0]!r})"
        if function == "len":
            what, function_ = "pl.lit(1)", "count"
        else:
            function_ = function
        cell = f"pl.when({where}).then({what}).{function_}().alias({name!r})"
        ctx = replace(r.context(frame, scope), place="groups")
        told.append(r.expr(ast.parse(cell, mode="eval").body, ctx))
    keys = frozenset({frozenset(names[1])})
    return f"{text}.group_by({_quoted(names[1])}).agg({', '.join(told)})", Frame(data, None, keys)


def _same(r: Rewriter, call: Call, text: str, frame: Frame, scope: Scope) -> Made:
    call.takes()
    return text, frame


FRAMES: dict[str, Step] = {
    "select": _select,
    "with_columns": _with_columns,
    "filter": _filter,
    "drop": _drop,
    "rename": _rename,
    "cast": _cast,
    "sort": _sort,
    "head": _head,
    "limit": _head,
    "unique": _unique,
    "with_row_index": _row_index,
    "drop_nulls": _drop_nulls,
    "explode": _explode,
    "unpivot": _unpivot,
    "pivot": _pivot,
    "agg": _agg,
    "len": _agg,
    "lazy": _same,
    "collect": _same,
    "clone": _same,
}
