"""Quality rules that are written in SQL, run by DuckDB on the frame and on nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mesh_notebook.mesh.rules import CannotCheck
from mesh_notebook.mesh.scan import connect_duckdb

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract, Rule

__all__ = ["measure_sql"]

_PLACEHOLDER = re.compile(r"\$?\{(\w+)\}")
_TABLE = ("object", "table", "model", "schema")
_COLUMN = ("property", "column", "field")


def measure_sql(rule: Rule, frame: pl.LazyFrame, contract: Contract) -> float:
    """Return the one number that a SQL quality rule's query gives.

    `{object}` and `{property}` (ODCS), and their synonyms `${table}` and `${column}`, stand for
    the dataset and the rule's column. The query reads the frame under the dataset's name; files
    and the network are out of its reach.

    Raises
    ------
    CannotCheck
        The query is refused, or does not give one number.
    """
    import duckdb

    table = str(contract.table["name"])
    query = _filled(str(rule.value.get("query") or ""), table, rule.column)
    with connect_duckdb() as con:
        con.from_arrow(frame).create_view(table)
        con.execute("SET enable_external_access = false").fetchall()
        try:
            rows = con.execute(query).fetchall()
        except duckdb.Error as error:
            raise CannotCheck(f"DuckDB says {str(error).splitlines()[0]}") from None
    return _number(rows)


def _filled(query: str, table: str, column: str | None) -> str:
    from sqlglot import exp

    def name(match: re.Match[str]) -> str:
        word = match[1].lower()
        meant = table if word in _TABLE else column if word in _COLUMN else None
        if meant is None:
            raise CannotCheck(f"the query's placeholder {match[0]} has nothing to stand for")
        return exp.to_identifier(meant, quoted=True).sql("duckdb")

    return _PLACEHOLDER.sub(name, query)


def _number(rows: list[tuple[object, ...]]) -> float:
    value = rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else None
    if isinstance(value, bool) or value is None:
        raise CannotCheck("the query gives not one number")
    try:
        number = float(str(value))
    except ValueError:
        raise CannotCheck(f"the query gives {value!r}, not a number") from None
    return int(number) if number.is_integer() else number
