"""The parts of a query of SQL: its tables, its columns, and what is a key of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.ordering.order import NO_KEYS, Keys

if TYPE_CHECKING:
    pass

__all__ = [
    "Table",
    "advice",
    "aggregates",
    "all_or_nothing",
    "column_names",
    "columns_of",
    "function_of",
    "group_keys",
    "inner",
    "joined",
    "keys_of",
    "name_of",
    "of_groups",
    "order_names",
    "own_parts",
    "sources_of",
    "unbounded",
]


@dataclass(frozen=True)
class Table:
    """What is known of a table: its columns, and its keys."""

    columns: tuple[str, ...]
    keys: Keys = NO_KEYS


def sources_of(node: Any) -> list[Any]:
    first = node.args.get("from_") or node.args.get("from")
    joins = node.args.get("joins") or ()
    return [*([first.this] if first is not None else []), *(one.this for one in joins)]


def inner(node: Any) -> Iterator[Any]:
    """Yield the queries inside a select's own expressions; not those that it selects from."""
    from sqlglot import exp

    for one in node.find_all(exp.Subquery, exp.Exists):
        inner = one.this
        if not isinstance(inner, exp.Query) or isinstance(one.parent, exp.From | exp.Join):
            continue
        if one.find_ancestor(exp.Select) is node and one.find_ancestor(exp.CTE) is None:
            yield inner


def own_parts(node: Any, *kinds: Any) -> Iterator[Any]:
    """Yield the parts of a select that belong to no query inside it."""
    from sqlglot import exp

    for part in node.find_all(*kinds):
        if part.find_ancestor(exp.Select, exp.CTE) is node or part.parent is node:
            yield part


def joined(sources: list[Table], node: Any) -> Table:
    """Return what is known of the rows of several tables side by side: a row of each."""
    if len(sources) == 1:
        return sources[0]
    columns = tuple(name for one in sources for name in one.columns)
    if not sources or not all(one.keys for one in sources):
        return Table(columns if all(one.columns for one in sources) else ())
    using = {
        str(name.name).lower()
        for join in node.args.get("joins") or ()
        for name in join.args.get("using") or ()
    }
    key: frozenset[str] = frozenset().union(*(min(one.keys, key=len) for one in sources))
    if any(columns.count(name) > 1 and name not in using for name in key):
        return Table(())  # which table's column is meant, its name does not say
    return Table(columns, frozenset({key}))


def aggregates(node: Any) -> bool:
    from sqlglot import exp

    return any(
        part.find_ancestor(exp.Window) is None and _is_projected(part, node)
        for part in own_parts(node, exp.AggFunc)
    )


def _is_projected(part: Any, node: Any) -> bool:
    while part.parent is not None and part.parent is not node:
        part = part.parent
    return bool(part.arg_key == "expressions")


def group_keys(node: Any, base: Table) -> frozenset[str] | None:
    """Return the columns by which rows are grouped; None where they are not."""
    from sqlglot import exp

    group = node.args.get("group")
    if group is None:
        return None
    projections = node.expressions
    if group.args.get("all"):
        plain = [one for one in projections if one.find(exp.AggFunc) is None]
        return frozenset(n for one in plain for n in (_plain(one), one.alias_or_name.lower()) if n)
    names: set[str] = set()
    for one in group.expressions:
        if isinstance(one, exp.Literal) and one.is_int:
            chosen = projections[int(one.this) - 1]
            names |= {_plain(chosen), chosen.alias_or_name.lower()}
        else:
            names.add(_plain(one))
            text = one.sql()
            same = [p for p in projections if p.unalias().sql() == text]
            names |= {p.alias_or_name.lower() for p in same}
    return frozenset(names - {""})


def of_groups(base: Table, grouped: frozenset[str]) -> Table:
    return Table((), frozenset({grouped}))


def keys_of(node: Any, base: Table, grouped: frozenset[str] | None) -> Keys:
    """Return the keys of what a select makes, by the names of its columns."""

    columns = columns_of(node, base)
    names: dict[str, str] = {}
    for one in node.expressions:
        if one.is_star:
            names.update({name: name for name in base.columns})
        elif plain := _plain(one):
            names[plain] = one.alias_or_name.lower()
    made = set()
    if node.args.get("distinct") is not None and columns:
        made.add(frozenset(columns))
    if grouped is not None:
        made |= _group_key(node, grouped)
        return frozenset(made)
    made |= {frozenset(names[n] for n in key) for key in base.keys if key <= set(names)}
    return frozenset(made)


def _group_key(node: Any, grouped: frozenset[str]) -> set[frozenset[str]]:
    from sqlglot import exp

    group = node.args["group"]
    if any(group.args.get(name) for name in ("rollup", "cube", "grouping_sets")):
        return set()
    shown = {one.alias_or_name.lower(): one for one in node.expressions}
    if group.args.get("all"):
        return {frozenset(n for n, one in shown.items() if one.find(exp.AggFunc) is None)}
    key = set()
    for one in group.expressions:
        number = int(one.this) - 1 if isinstance(one, exp.Literal) and one.is_int else None
        if number is not None:
            key.add(node.expressions[number].alias_or_name.lower())
            continue
        text = one.sql()
        same = [n for n, p in shown.items() if p.unalias().sql() == text or n == _plain(one)]
        if not same:
            return set()
        key.add(same[0])
    return {frozenset(key)}


def columns_of(node: Any, base: Table) -> tuple[str, ...]:

    names: list[str] = []
    for one in node.expressions:
        if one.is_star:
            if not base.columns or one.args.get("except_") or one.args.get("rename"):
                return ()
            names.extend(base.columns)
        else:
            names.append(one.alias_or_name.lower())
    return tuple(names) if all(names) else ()


def _plain(node: Any) -> str:
    """Return the column that an expression is, under whatever alias; else nothing."""
    from sqlglot import exp

    inner = node.unalias()
    return inner.name.lower() if isinstance(inner, exp.Column) else ""


def column_names(node: Any, through: tuple[Any, ...] = ()) -> set[str]:
    """Return the column that an expression is; nothing of a computed one."""
    if node is None:
        return set()
    while through and isinstance(node, through):
        node = node.this if node.this is not None else node.expressions[0]
    return {_plain(node)} - {""}


def order_names(order: Any, columns: tuple[str, ...], node: Any) -> set[str]:
    """Return the columns of an ORDER BY that are named as they are; `*` for all of them."""
    from sqlglot import exp

    names: set[str] = set()
    for one in order.expressions if order is not None else ():
        inner = one.this if isinstance(one, exp.Ordered) else one
        if isinstance(inner, exp.Literal) and inner.is_int and node is not None:
            at = int(inner.this) - 1
            names |= {columns[at]} if at < len(columns) else set()
        elif inner.sql().upper() == "ALL":
            return {"*"}
        else:
            names |= column_names(inner)
    return names


def name_of(call: Any) -> str:
    from sqlglot import exp

    if call is None:
        return ""
    name = call.name if isinstance(call, exp.Anonymous | exp.AnonymousAggFunc) else call.sql_name()
    return str(name).lower()


def function_of(window: Any) -> Any:
    from sqlglot import exp

    inner = window.this
    while isinstance(inner, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        inner = inner.this
    return inner


def unbounded(spec: Any) -> bool:
    ends = (spec.args.get("start"), spec.args.get("end"))
    return all(str(one).upper() == "UNBOUNDED" for one in ends)


def all_or_nothing(node: Any) -> bool:
    """Return whether a query is only asked whether it has rows, or has one row anyhow."""
    from sqlglot import exp

    if isinstance(node.parent, exp.Exists):
        return True
    limit = node.args.get("limit")
    return limit is not None and str(getattr(limit, "expression", "")) == "0"


def advice(name: str) -> str:
    if name in ("any_value", "arbitrary", "mode", "first", "last"):
        return "say which: first(… ORDER BY …) with the rows' key, or min() or max()"
    if name.startswith(("arg_", "max_by", "min_by", "argm")):
        return "rows may tie there: use first(… ORDER BY …) with the rows' key as its last column"
    return f"write {name}(… ORDER BY …) with columns that leave no two rows tied"
