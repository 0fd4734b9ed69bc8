"""What a query asks of the order of rows, which tables of SQL do not have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.ordering import selects
from mesh_notebook.mesh.ordering.calls import words
from mesh_notebook.mesh.ordering.order import NO_KEYS, Fault, Keys, Order, decides
from mesh_notebook.mesh.ordering.selects import Table

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Asked", "Table", "asked_of", "order_of_query"]

# What takes one value of several, or puts values in a row, in the order in which they come.
_TAKING = words(
    "first last any_value arbitrary list array_agg group_concat string_agg listagg "
    "first_value arg_max arg_min max_by min_by argmax argmin mode arg_max_null "
    "arg_min_null arg_max_nulls_last arg_min_nulls_last lttb"
)
_BESIDE = words("row_number lag lead first_value last_value nth_value ntile fill")
_NO_ORDER = "give it an ORDER BY that leaves no two rows tied, such as by the key of the rows"


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
    """Return a table with the keys that its rows show: what was said, and of named columns."""
    if order.witness is None:
        return table
    named = [name for name in table.columns if name.lower() in words]
    shown = {*order.witness.keys(named), *order.witness.said_of(table.columns)}
    return replace(table, keys=table.keys | shown)


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

        sources = [self._source(one, tables) for one in selects.sources_of(node)]
        base = selects.joined(sources, node)
        for inner in selects.inner(node):
            self.query(inner, {**tables})
        whole = node.args.get("group") is None and selects.aggregates(node)
        grouped = selects.group_keys(node, base)
        for call in selects.own_parts(node, exp.Func):
            self._call(call, base, grouped)
        for window in selects.own_parts(node, exp.Window):
            self._window(window, base if grouped is None else selects.of_groups(base, grouped))
        made = Table(selects.columns_of(node, base), selects.keys_of(node, base, grouped))
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
        by = selects.order_names(order, made.columns, node)
        total = order is not None and (
            by == {"*"} or decides(by, made.columns, made.keys) or decides(by, (), base.keys)
        )
        limits = [node.args.get(name) for name in ("limit", "offset")]
        if any(limits) and not total and not selects.all_or_nothing(node):
            why = f"and rows may tie in {', '.join(sorted(by))}" if by else "with no ORDER BY"
            self.faults.append((f"LIMIT takes rows by their place, {why}", _NO_ORDER))
        return total

    def _call(self, call: Any, base: Table, grouped: frozenset[str] | None) -> None:
        from sqlglot import exp

        name = selects.name_of(call)
        if name not in _TAKING or isinstance(call.parent, exp.Window | exp.WithinGroup):
            return
        if isinstance(call.parent, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
            return self._call_within(call, call.parent)
        order = call.find(exp.Order)
        by = selects.order_names(order, (), None) if order is not None else set()
        if name.startswith(("arg_", "max_by", "min_by", "argm")):
            more = call.expressions[1] if isinstance(call, exp.Anonymous) else None
            by |= selects.column_names(
                more or call.args.get("expression") or call.args.get("count")
            )
        taken = call.expressions[0] if isinstance(call, exp.Anonymous) else call.this
        if (
            by & selects.column_names(taken, through=(exp.Order, exp.Distinct))
            and order is not None
            and name != "lttb"  # points that tie in x differ in y
        ):
            return  # equal values tie, and either is the same
        if grouped is not None and decides(by | grouped, (), base.keys):
            return
        if by and decides(by, (), base.keys):
            return
        self.faults.append(
            (f"{name}() takes values in the order of the rows", selects.advice(name))
        )

    def _call_within(self, call: Any, parent: Any) -> None:
        from sqlglot import exp

        if not isinstance(parent.parent, exp.Window):
            self.faults.append(
                (
                    f"{selects.name_of(call)}() takes values in the order of the rows",
                    selects.advice(selects.name_of(call)),
                )
            )

    def _window(self, window: Any, base: Table) -> None:
        name, spec = selects.name_of(selects.function_of(window)), window.args.get("spec")
        rows = spec is not None and str(spec.args.get("kind") or "").upper() == "ROWS"
        if spec is not None and selects.unbounded(spec):
            rows = False
        if name not in _BESIDE and name not in _TAKING and not rows:
            return
        given = {
            n for one in window.args.get("partition_by") or () for n in selects.column_names(one)
        }
        order = window.args.get("order")
        by = selects.order_names(order, (), None)
        if not decides(given | by, base.columns, base.keys):
            why = f"and rows may tie in {', '.join(sorted(by))}" if by else "with no ORDER BY"
            said = f"{name}() OVER (…) looks at rows by their place, {why}"
            self.faults.append((said, _NO_ORDER))

    def _distinct_on(self, node: Any, base: Table) -> None:
        distinct = node.args.get("distinct")
        on = distinct.args.get("on") if distinct is not None else None
        if on is None:
            return
        by = {n for one in on.expressions for n in selects.column_names(one)}
        by |= selects.order_names(node.args.get("order"), (), None)
        if not decides(by, base.columns, base.keys):
            self.faults.append(("DISTINCT ON keeps one of several rows", _NO_ORDER))

    def _sample(self, node: Any) -> None:
        from sqlglot import exp

        if next(iter(selects.own_parts(node, exp.TableSample)), None) is not None or node.args.get(
            "sample"
        ):
            fix = "choose rows by a hash of their key: WHERE hash(key) % 10 = 0"
            self.faults.append(("a SAMPLE chooses rows by their place", fix))
