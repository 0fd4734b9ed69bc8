"""Joins and unions: where two frames become one."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from mesh_notebook.export.portable.expressions import Call, Rewriter
from mesh_notebook.export.portable.frames import _named, _quoted
from mesh_notebook.export.portable.kinds import constant
from mesh_notebook.export.portable.refusals import CannotGo
from mesh_notebook.export.portable.scope import Frame, Scope

if TYPE_CHECKING:
    import polars as pl

__all__ = ["as_of", "joined", "stacked"]

_HOW = ("inner", "left", "right", "full", "semi", "anti", "cross")
_ASKED = ("other", "on", "how", "left_on", "right_on", "suffix", "coalesce", "maintain_order")


def joined(
    r: Rewriter, call: Call, one: tuple[str, Frame], other: tuple[str, Frame], scope: Scope
) -> tuple[str, Frame]:
    """Rewrite a join; keys that are null match nothing, on every engine."""
    given = dict(zip(_ASKED, call.takes(*_ASKED), strict=True))
    how = ast.literal_eval(given["how"]) if constant(given["how"]) else "inner"  # type: ignore[arg-type]
    suffix = ast.literal_eval(given["suffix"]) if constant(given["suffix"]) else "_right"  # type: ignore[arg-type]
    if how not in _HOW:
        raise CannotGo(call.node, f"a join of the kind '{how}' has no equal")
    left, right = _keys(r, call, given, scope) if how != "cross" else ([], [])
    coalesce = given["coalesce"] is not None and ast.unparse(given["coalesce"]) == "True"
    if given["coalesce"] is not None and not (coalesce and how in ("left", "inner", "full")):
        raise CannotGo(call.node, "with coalesce=False it has no equal")
    options: dict[str, object] = {"how": how, "suffix": suffix}
    if how != "cross":
        options |= {"left_on": left, "right_on": right}
        _refuse_unlike(call, one[1], other[1], left, right)
    if coalesce:
        options["coalesce"] = True
    data = one[1].data.join(other[1].data, **options)  # type: ignore[arg-type]
    text = _text(call, one, other, how, left, right, suffix, coalesce)
    return text, _known(one[1], other[1], how, left, right, data)


def _keys(
    r: Rewriter, call: Call, given: dict[str, ast.expr | None], scope: Scope
) -> tuple[list[str], list[str]]:
    if given["on"] is not None:
        names = _named(r, call, given["on"], scope)
        return names, names
    return _named(r, call, given["left_on"], scope), _named(r, call, given["right_on"], scope)


def _refuse_unlike(call: Call, one: Frame, other: Frame, left: list[str], right: list[str]) -> None:
    for name, mate in zip(left, right, strict=True):
        mine, theirs = one.schema.get(name), other.schema.get(mate)
        if mine is None or theirs is None or mine != theirs:
            raise CannotGo(call.node, f"it joins {name}, {mine}, with {mate}, {theirs}")


def _text(
    call: Call,
    one: tuple[str, Frame],
    other: tuple[str, Frame],
    how: str,
    left: list[str],
    right: list[str],
    suffix: str,
    coalesce: bool,
) -> str:
    more = f", suffix={suffix!r}" if suffix != "_right" else ""
    if how == "cross":
        return f"{one[0]}.join({other[0]}, how='cross'{more})"
    if how == "right":
        return _right(call, one, other, left, right)
    on = (
        f"on={_listed(left)}"
        if left == right
        else f"left_on={_listed(left)}, right_on={_listed(right)}"
    )
    text = f"{one[0]}.join({other[0]}, {on}, how={how!r}{more})"
    if how != "full" or not coalesce:
        return text
    mates = [f"{b}{suffix}" if b in one[1].schema else b for b in right]
    whole = ", ".join(
        f"nw.coalesce({a!r}, {b!r}).alias({a!r})" for a, b in zip(left, mates, strict=True)
    )
    return f"{text}.with_columns({whole}).drop({_quoted(mates)})"


def _listed(names: list[str]) -> str:
    return repr(names[0]) if len(names) == 1 else repr(names)


def _right(
    call: Call, one: tuple[str, Frame], other: tuple[str, Frame], left: list[str], right: list[str]
) -> str:
    mine = [name for name in one[1].schema if name not in left]
    if set(mine) & set(other[1].schema):
        raise CannotGo(call.node, "both frames have columns of the same name: rename them first")
    on = (
        f"on={_listed(left)}"
        if left == right
        else f"left_on={_listed(right)}, right_on={_listed(left)}"
    )
    order = _quoted([*mine, *other[1].schema])
    return f"{other[0]}.join({one[0]}, {on}, how='left').select({order})"


def _known(
    one: Frame, other: Frame, how: str, left: list[str], right: list[str], data: pl.LazyFrame
) -> Frame:
    if how in ("semi", "anti"):
        return replace(one, data=data, order=None)
    at_most_one = any(key <= set(right) for key in other.keys)
    return Frame(data, None, one.keys if how in ("inner", "left") and at_most_one else frozenset())


def stacked(node: ast.Call, parts: list[tuple[str, Frame]], how: str) -> tuple[str, Frame]:
    """Rewrite `pl.concat`, of frames with equal columns."""
    import polars as pl

    if how not in ("vertical", "diagonal"):
        raise CannotGo(node, f"how='{how}' has no equal")
    schemas = [part.schema for _, part in parts]
    dtypes: dict[str, pl.DataType] = {}
    for schema in schemas:
        for name, dtype in schema.items():
            if dtypes.setdefault(name, dtype) != dtype:
                raise CannotGo(node, f"'{name}' has different types")
    if how == "vertical" and any(list(schema) != list(dtypes) for schema in schemas):
        raise CannotGo(node, "the frames have different columns")
    texts = ", ".join(text for text, _ in parts)
    more = ", how='diagonal'" if how == "diagonal" else ""
    data = pl.concat([part.data for _, part in parts], how=how)  # type: ignore[arg-type]
    return f"nw.concat([{texts}]{more})", Frame(data)


def as_of(
    r: Rewriter, call: Call, one: tuple[str, Frame], other: tuple[str, Frame], scope: Scope
) -> tuple[str, Frame]:
    """Rewrite an as-of join as a step in SQL: each row of the other frame holds until the next."""
    from sqlglot import exp

    named = (
        "other",
        "left_on",
        "right_on",
        "on",
        "by_left",
        "by_right",
        "by",
        "strategy",
        "suffix",
    )
    given = dict(zip(named, call.takes(*named), strict=True))
    if given["strategy"] is not None and ast.unparse(given["strategy"]) != "'backward'":
        raise CannotGo(call.node, "only strategy='backward' is rewritten")
    if given["suffix"] is not None or given["by_left"] is not None or given["left_on"] is not None:
        raise CannotGo(call.node, "name its columns with on= and by=, alike in both frames")
    on = _named(r, call, given["on"], scope)
    by = _named(r, call, given["by"], scope) if given["by"] is not None else []
    _refuse_unlike(call, one[1], other[1], [*on, *by], [*on, *by])
    if not any(key <= {*on, *by} for key in other[1].keys):
        said = ", ".join([*by, *on])
        raise CannotGo(call.node, f"rows of the other frame may tie in {said}: make them unique")
    added = [name for name in other[1].schema if name not in {*on, *by}]
    if set(added) & set(one[1].schema):
        raise CannotGo(call.node, "both frames have columns of the same name: rename them first")
    options = {"on": on[0], "strategy": "backward", **({"by": by} if by else {})}
    data = one[1].data.join_asof(other[1].data, check_sortedness=False, **options)  # type: ignore[arg-type]
    query = _intervals(exp, list(one[1].schema), added, on[0], by)
    return query, replace(one[1], data=data, order=None)


def _intervals(exp: object, mine: list[str], added: list[str], on: str, by: list[str]) -> str:
    from sqlglot import exp as e

    def column(name: str, table: str = "") -> e.Column:
        return e.column(name, table=table or None, quoted=True)

    lead = e.Window(
        this=e.Anonymous(this="LEAD", expressions=[column(on)]),
        partition_by=[column(name) for name in by],
        order=e.Order(expressions=[e.Ordered(this=column(on), nulls_first=False)]),
    )
    inner = (
        e.select(
            *(column(name) for name in [*by, on, *added]), e.alias_(lead, "until", quoted=True)
        )
        .from_(e.to_table("earlier"))
        .where(e.Not(this=e.Is(this=column(on), expression=e.Null())))
        .subquery("e")
    )
    same = [e.EQ(this=column(name, "e"), expression=column(name, "r")) for name in by]
    after = e.LTE(this=column(on, "e"), expression=column(on, "r"))
    before = e.or_(
        e.LT(this=column(on, "r"), expression=column("until", "e")),
        e.Is(this=column("until", "e"), expression=e.Null()),
    )
    chosen = [*(column(name, "r") for name in mine), *(column(name, "e") for name in added)]
    rows = e.alias_(e.to_table("rows", quoted=True), "r", table=True)
    query = (
        e.select(*chosen).from_(rows).join(inner, on=e.and_(*same, after, before), join_type="left")
    )
    return query.sql(dialect="duckdb", pretty=True)
