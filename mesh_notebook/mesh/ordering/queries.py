"""What a query asks of the order of rows, which tables of SQL do not have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.ordering.calls import words
from mesh_notebook.mesh.ordering.order import NO_KEYS, Fault, Keys, Order, decides

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Asked", "Table", "asked_of", "order_of_query"]

# What takes one value of several, or puts values in a row, in the order in which they come.
_TAKING = words(
    "first last any_value arbitrary list array_agg group_concat string_agg listagg "
    "first_value arg_max arg_min max_by min_by argmax argmin mode"
)
_BESIDE = words("row_number lag lead first_value last_value nth_value ntile")
_NO_ORDER = "give it an ORDER BY that leaves no two rows tied, such as by the key of the rows"


@dataclass(frozen=True)
class Table:
    """What is known of a table: its columns, and its keys."""

    columns: tuple[str, ...]
    keys: Keys = NO_KEYS


@dataclass(frozen=True)
class Asked:
    """What a query leaves to chance, and what is known of the rows that it gives.

    Attributes
    ----------
    faults : tuple of (str, str)
        What it leaves to chance, and what to write instead.
    made : Table
        Its rows' columns and keys.
    ordered : bool
        Whether its last ORDER BY leaves no two rows tied.
    """

    faults: tuple[tuple[str, str], ...]
    made: Table
    ordered: bool

    @property
    def is_settled(self) -> bool:
        return self.ordered and not self.faults


def asked_of(query: str, tables: Mapping[str, Table]) -> Asked:
    """Return what a query asks; of one that cannot be parsed nothing is known."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree: Any = sqlglot.parse_one(query, dialect="duckdb")
    except SqlglotError:
        return Asked((), Table(()), ordered=False)
    known = {name.lower(): _lowered(table) for name, table in tables.items()}
    reader = _Reader([])
    made, ordered = reader.query(tree, known)
    return Asked(tuple(dict.fromkeys(reader.faults)), made, ordered)


def order_of_query(
    query: str, given: Mapping[str, tuple[tuple[str, ...], Order]], line: int, columns: list[str]
) -> Order:
    """Return what is known of the rows that a query gives.

    Parameters
    ----------
    given
        By table: its columns, and what is known of its rows.
    line : int
        Where the module runs it.
    columns : list of str
        Those of what it gives.
    """
    known = {name: Table(names, order.keys) for name, (names, order) in given.items()}
    asked = asked_of(query, known)
    if not asked.is_settled:  # then it is worth to look at the rows
        words = frozenset(re.findall(r"\w+", query.lower()))
        shown = {name: _with_shown(table, given[name][1], words) for name, table in known.items()}
        asked = asked_of(query, shown)
    fault = next((order.fault for _, order in given.values() if order.fault), None)
    if fault is None and asked.faults:
        fault = Fault(line, *asked.faults[0])
    order = Order(keys=_spelled(asked.made.keys, columns), fault=fault)
    if asked.ordered:
        return order
    return order.lost("SQL gives rows in no order", "end the query in an ORDER BY its key")


def _with_shown(table: Table, order: Order, words: frozenset[str]) -> Table:
    """Return a table with the keys that its rows show, of columns that a query names."""
    if order.witness is None:
        return table
    named = [name for name in table.columns if name.lower() in words]
    return replace(table, keys=table.keys | frozenset(order.witness.keys(named)))


def _spelled(keys: Keys, columns: list[str]) -> Keys:
    """Return keys in the letters that the columns have."""
    names = {name.lower(): name for name in columns}
    return frozenset(frozenset(names[n] for n in key) for key in keys if key <= set(names))


def _lowered(table: Table) -> Table:
    keys = frozenset(frozenset(name.lower() for name in key) for key in table.keys)
    return Table(tuple(name.lower() for name in table.columns), keys)


@dataclass
class _Reader:
    """Reads a query from its tables upwards, and notes what it leaves to chance."""

    faults: list[tuple[str, str]]

    def query(self, node: exp.Expr, tables: Mapping[str, Table]) -> tuple[Table, bool]:
        """Return what a query makes, and whether it puts its rows in order."""
        from sqlglot import exp

        tables = {**tables, **self._with(node, tables)}
        if isinstance(node, exp.Subquery):
            made, ordered = self.query(node.this, tables)
            return made, ordered and not node.args.get("order")
        if isinstance(node, exp.SetOperation):
            return self._set(node, tables)
        if isinstance(node, exp.Select):
            return self._select(node, tables)
        for inner in node.find_all(exp.Query):
            if inner is not node:
                return self.query(inner, tables)
        return Table(()), False

    def _with(self, node: exp.Expr, tables: Mapping[str, Table]) -> dict[str, Table]:
        found: dict[str, Table] = {}
        for one in getattr(node, "ctes", ()):
            found[one.alias.lower()] = self.query(one.this, {**tables, **found})[0]
        return found

    def _set(self, node: Any, tables: Mapping[str, Table]) -> tuple[Table, bool]:
        from sqlglot import exp

        left, _ = self.query(node.left, tables)
        self.query(node.right, tables)
        every = frozenset({frozenset(left.columns)}) if left.columns else NO_KEYS
        distinct = node.args.get("distinct") is not False or not isinstance(node, exp.Union)
        made = Table(left.columns, every if distinct else NO_KEYS)
        return made, self._ordered(node, made, made)

    def _select(self, node: Any, tables: Mapping[str, Table]) -> tuple[Table, bool]:
        from sqlglot import exp

        sources = [self._source(one, tables) for one in _sources(node)]
        base = _joined(sources, node)
        for inner in _inner(node):
            self.query(inner, {**tables})
        whole = node.args.get("group") is None and _aggregates(node)
        grouped = _group_keys(node, base)
        for call in _own(node, exp.Func):
            self._call(call, base, grouped)
        for window in _own(node, exp.Window):
            self._window(window, base if grouped is None else _of_groups(base, grouped))
        made = Table(_columns(node, base), _keys(node, base, grouped))
        self._distinct_on(node, base)
        self._sample(node)
        if whole:
            return Table(made.columns, frozenset({frozenset[str]()})), True
        return made, self._ordered(node, made, base if grouped is None else made)

    def _source(self, node: Any, tables: Mapping[str, Table]) -> Table:
        from sqlglot import exp

        if isinstance(node, exp.Table):
            return tables.get(node.name.lower(), Table(()))
        inner = node.this if isinstance(node, exp.Subquery) else None
        return self.query(inner, tables)[0] if isinstance(inner, exp.Query) else Table(())

    # ---- what is left to chance ----------------------------------------------------------------

    def _ordered(self, node: Any, made: Table, base: Table) -> bool:
        """Return whether the rows come in one order; note a LIMIT where they do not."""
        order = node.args.get("order")
        by = _order_names(order, made.columns, node)
        total = order is not None and (
            by == {"*"} or decides(by, made.columns, made.keys) or decides(by, (), base.keys)
        )
        limits = [node.args.get(name) for name in ("limit", "offset")]
        if any(limits) and not total and not _all_or_nothing(node):
            why = f"rows may tie in {', '.join(sorted(by))}" if by else "no ORDER BY"
            self.faults.append((f"LIMIT takes rows by their place, with {why}", _NO_ORDER))
        return total

    def _call(self, call: Any, base: Table, grouped: frozenset[str] | None) -> None:
        from sqlglot import exp

        name = _name(call)
        if name not in _TAKING or isinstance(call.parent, exp.Window | exp.WithinGroup):
            return
        if isinstance(call.parent, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
            return self._call_within(call, call.parent)
        order = call.find(exp.Order)
        by = _order_names(order, (), None) if order is not None else set()
        if name in ("arg_max", "arg_min", "max_by", "min_by", "argmax", "argmin"):
            by |= _column_names(call.args.get("expression") or call.args.get("count"))
        if by & _column_names(call.this, through=(exp.Order, exp.Distinct)) and order is not None:
            return  # equal values tie, and either is the same
        if grouped is not None and decides(by | grouped, (), base.keys):
            return
        if by and decides(by, (), base.keys):
            return
        self.faults.append((f"{name}() takes values in the order of the rows", _advice(name)))

    def _call_within(self, call: Any, parent: Any) -> None:
        from sqlglot import exp

        if not isinstance(parent.parent, exp.Window):
            self.faults.append(
                (f"{_name(call)}() takes values in the order of the rows", _advice(_name(call)))
            )

    def _window(self, window: Any, base: Table) -> None:
        name, spec = _name(_function_of(window)), window.args.get("spec")
        rows = spec is not None and str(spec.args.get("kind") or "").upper() == "ROWS"
        if spec is not None and _unbounded(spec):
            rows = False
        if name not in _BESIDE and name not in _TAKING and not rows:
            return
        given = {n for one in window.args.get("partition_by") or () for n in _column_names(one)}
        order = window.args.get("order")
        by = _order_names(order, (), None)
        if not decides(given | by, base.columns, base.keys):
            why = f"rows may tie in {', '.join(sorted(by))}" if by else "no ORDER BY"
            said = f"{name}() OVER (…) looks at rows by their place, with {why}"
            self.faults.append((said, _NO_ORDER))

    def _distinct_on(self, node: Any, base: Table) -> None:
        distinct = node.args.get("distinct")
        on = distinct.args.get("on") if distinct is not None else None
        if on is None:
            return
        by = {n for one in on.expressions for n in _column_names(one)}
        by |= _order_names(node.args.get("order"), (), None)
        if not decides(by, base.columns, base.keys):
            self.faults.append(("DISTINCT ON keeps one of several rows", _NO_ORDER))

    def _sample(self, node: Any) -> None:
        from sqlglot import exp

        if next(iter(_own(node, exp.TableSample)), None) is not None or node.args.get("sample"):
            fix = "choose rows by a hash of their key: WHERE hash(key) % 10 = 0"
            self.faults.append(("a SAMPLE chooses rows by their place", fix))


# ---- parts of a select ---------------------------------------------------------------------------


def _sources(node: Any) -> list[Any]:
    first = node.args.get("from_") or node.args.get("from")
    joins = node.args.get("joins") or ()
    return [*([first.this] if first is not None else []), *(one.this for one in joins)]


def _inner(node: Any) -> Iterator[Any]:
    """Yield the queries inside a select's own expressions; not those that it selects from."""
    from sqlglot import exp

    for one in node.find_all(exp.Subquery, exp.Exists):
        inner = one.this
        if not isinstance(inner, exp.Query) or isinstance(one.parent, exp.From | exp.Join):
            continue
        if one.find_ancestor(exp.Select) is node and one.find_ancestor(exp.CTE) is None:
            yield inner


def _own(node: Any, *kinds: Any) -> Iterator[Any]:
    """Yield the parts of a select that belong to no query inside it."""
    from sqlglot import exp

    for part in node.find_all(*kinds):
        if part.find_ancestor(exp.Select, exp.CTE) is node or part.parent is node:
            yield part


def _joined(sources: list[Table], node: Any) -> Table:
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


def _aggregates(node: Any) -> bool:
    from sqlglot import exp

    return any(
        part.find_ancestor(exp.Window) is None and _is_projected(part, node)
        for part in _own(node, exp.AggFunc)
    )


def _is_projected(part: Any, node: Any) -> bool:
    while part.parent is not None and part.parent is not node:
        part = part.parent
    return bool(part.arg_key == "expressions")


def _group_keys(node: Any, base: Table) -> frozenset[str] | None:
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


def _of_groups(base: Table, grouped: frozenset[str]) -> Table:
    return Table((), frozenset({grouped}))


def _keys(node: Any, base: Table, grouped: frozenset[str] | None) -> Keys:
    """Return the keys of what a select makes, by the names of its columns."""

    columns = _columns(node, base)
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


def _columns(node: Any, base: Table) -> tuple[str, ...]:

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


def _column_names(node: Any, through: tuple[Any, ...] = ()) -> set[str]:
    """Return the column that an expression is; nothing of a computed one."""
    if node is None:
        return set()
    while through and isinstance(node, through):
        node = node.this if node.this is not None else node.expressions[0]
    return {_plain(node)} - {""}


def _order_names(order: Any, columns: tuple[str, ...], node: Any) -> set[str]:
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
            names |= _column_names(inner)
    return names


def _name(call: Any) -> str:
    from sqlglot import exp

    if call is None:
        return ""
    name = call.name if isinstance(call, exp.Anonymous | exp.AnonymousAggFunc) else call.sql_name()
    return str(name).lower()


def _function_of(window: Any) -> Any:
    from sqlglot import exp

    inner = window.this
    while isinstance(inner, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        inner = inner.this
    return inner


def _unbounded(spec: Any) -> bool:
    ends = (spec.args.get("start"), spec.args.get("end"))
    return all(str(one).upper() == "UNBOUNDED" for one in ends)


def _all_or_nothing(node: Any) -> bool:
    """Return whether a query is only asked whether it has rows, or has one row anyhow."""
    from sqlglot import exp

    if isinstance(node.parent, exp.Exists):
        return True
    limit = node.args.get("limit")
    return limit is not None and str(getattr(limit, "expression", "")) == "0"


def _advice(name: str) -> str:
    if name in ("any_value", "arbitrary", "mode", "first", "last"):
        return "say which: first(… ORDER BY …) with the rows' key, or min() or max()"
    if name.startswith(("arg_", "max_by", "min_by", "argm")):
        return "rows may tie there: use first(… ORDER BY …) with the rows' key as its last column"
    return f"write {name}(… ORDER BY …) with columns that leave no two rows tied"
