"""Rows that keep the rules which a contract writes in SQL, as far as they can be kept.

A rule that counts rows and wants none tells of each row whether it breaks the rule. Such a row gets
other values in the columns that the rule reads, from another draw of the same row, until it breaks
none; so the first rows of a longer mock are still those of a shorter one. What is said of all rows
together (a mean, a count) is beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.rules import CannotCheck
from mesh_notebook.mesh.scan import connect_duckdb
from mesh_notebook.mesh.sqlrules import in_duckdb
from mesh_notebook.mock.limits import unique_sets
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import listed

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mock.hints import Hints

__all__ = ["kept_in_sql", "narrowed"]

_TRIES = 40  # draws of a row: of rows that break a rule as often as not, none is left
_ROW = "mesh_notebook row"

Remake = Callable[[int], "pl.DataFrame"]


def kept_in_sql(
    frame: pl.DataFrame, contract: Contract, hints: Mapping[str, Hints], remake: Remake
) -> pl.DataFrame:
    """Return a mock in which rows that break rules in SQL are drawn again.

    Parameters
    ----------
    remake : callable
        Makes the same rows of another draw, by its number.
    """
    rules = _of_rows(contract)
    movable = _movable(contract, hints, {name for _, names in rules for name in names})
    rules = [(said, names) for said, names in rules if movable.intersection(names)]
    if not rules or not frame.height:
        return frame
    table = str(contract.table["name"])
    with connect_duckdb(files=False) as con:
        for attempt in range(1, _TRIES + 1):
            con.from_arrow(frame.with_row_index(_ROW)).create_view(table, replace=True)
            broken = [(_broken(con, table, said), names) for said, names in rules]
            rows = set[int]().union(*(found for found, _ in broken))
            if not rows:
                break
            read = {name for found, names in broken if found for name in names}
            frame = _replaced(frame, remake(attempt), sorted(rows), movable & read)
    return frame


def narrowed(contract: Contract) -> Contract:
    """Return a contract in which `x NOT IN ('a', 'b')`, that no row may be, lists x's values."""
    from sqlglot import exp

    allowed: dict[str, list[Any]] = {}
    for said, _ in _of_rows(contract):
        for node in said.find_all(exp.In):
            literals = [one for one in node.expressions if isinstance(one, exp.Literal)]
            is_list = literals and len(literals) == len(node.expressions)
            if is_list and isinstance(node.parent, exp.Not) and isinstance(node.this, exp.Column):
                allowed[node.this.name.lower()] = [one.to_py() for one in literals]
    raw = contract.edited()
    for column in listed(raw["schema"][0], "properties"):
        values = allowed.get(column["name"].lower())
        if values and contract.column(column["name"]).values is None:
            rule = {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": values}}
            column["quality"] = [*listed(column, "quality"), rule]
    return Contract(raw, contract.where, contract.warnings) if allowed else contract


def _of_rows(contract: Contract) -> list[tuple[Any, frozenset[str]]]:
    """Return the conditions that no row may meet, with the columns that each reads."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    found = []
    known = {column.name.lower(): column.name for column in contract.columns}
    for rule in contract.rules:
        if rule.kind != "sql" or rule.value.get("mustBe") != 0:
            continue
        try:
            said = _condition(sqlglot.parse_one(in_duckdb(rule, contract), read="duckdb"))
        except (CannotCheck, SqlglotError, RecursionError):
            continue
        if said is not None:
            names = {c.name.lower() for c in said.find_all(sqlglot.exp.Column)}
            if names and names <= known.keys():
                found.append((said, frozenset(known[name] for name in names)))
    return found


def _condition(query: Any) -> Any:
    """Return the condition of `SELECT count(*) FROM t WHERE …`, or None where it is another."""
    from sqlglot import exp

    if not isinstance(query, exp.Select) or len(query.expressions) != 1:
        return None
    counts = query.expressions[0].unalias()
    plain = isinstance(counts, exp.Count) and isinstance(counts.this, exp.Star | exp.Literal)
    more = ("joins", "group", "having", "with_", "with", "distinct", "limit", "qualify")
    where = query.args.get("where")
    if not plain or where is None or any(query.args.get(name) for name in more):
        return None
    return None if where.find(exp.Select) else where.this


def _movable(contract: Contract, hints: Mapping[str, Hints], named: set[str]) -> set[str]:
    """Return the columns whose values may be others: no keys, no links, and tied to none."""
    keyed = {name for names in unique_sets(contract) for name in names}
    tied = {one for hint in hints.values() for one in hint.needs}
    tied |= {name for name, hint in hints.items() if hint.needs}
    linked = {column.name for column in contract.columns if column.link}
    return named - keyed - tied - linked


def _broken(con: Any, table: str, said: Any) -> set[int]:
    """Return the rows that meet a condition, by their numbers."""
    import duckdb
    from sqlglot import exp

    row = exp.column(exp.to_identifier(_ROW, quoted=True))
    source = exp.Table(this=exp.to_identifier(table, quoted=True))
    query = exp.select(row).from_(source).where(said.copy()).sql("duckdb")
    try:
        return {int(found[0]) for found in con.execute(query).fetchall()}
    except duckdb.Error:
        return set()  # the check says why


def _replaced(
    frame: pl.DataFrame, other: pl.DataFrame, rows: list[int], names: set[str]
) -> pl.DataFrame:
    import polars as pl

    chosen = pl.Series(_ROW, [False]).new_from_index(0, frame.height).scatter(rows, True)
    return frame.with_columns(
        pl.select(pl.when(chosen).then(other[name]).otherwise(frame[name]).alias(name)).to_series()
        for name in frame.columns
        if name in names
    )
