"""Quality rules that are written in SQL, run by DuckDB on the frame and on nothing else.

A query is written in the dialect of the contract's platform, over that platform's tables. It is
translated by sqlglot, and reads the frame wherever it names the contract's own table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.rules import CannotCheck
from mesh_notebook.mesh.scan import connect_duckdb

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract, Rule

__all__ = ["in_duckdb", "measure_sql"]

# Some quote it already, which is to be one quoted name all the same.
_PLACEHOLDER = re.compile(r"`\$?\{(\w+)\}`|\"\$?\{(\w+)\}\"|\[\$?\{(\w+)\}\]|\$?\{(\w+)\}")
_TABLE = ("object", "table", "model", "schema")
_COLUMN = ("property", "column", "field")
_OURS = ("", "duckdb")


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

    query = in_duckdb(rule, contract)
    with connect_duckdb(files=False) as con:
        con.from_arrow(frame).create_view(str(contract.table["name"]))
        try:
            done = con.execute(query)
            rows = done.fetchall() if done else []  # a query without a word gives nothing at all
        except duckdb.Error as error:
            said = f"DuckDB says {str(error).splitlines()[0]}"
            raise CannotCheck(said, foreign=_is_foreign(error, contract.dialect)) from None
    return _number(rows, contract.dialect not in _OURS)


def in_duckdb(rule: Rule, contract: Contract) -> str:
    """Return a rule's query as DuckDB says it, over the frame.

    Raises
    ------
    CannotCheck
        Its dialect or its tables are not at hand.
    """
    table = str(contract.table["name"])
    query = _filled(str(rule.value.get("query") or ""), table, rule.column, contract.dialect)
    parsed = _parsed(query, contract.dialect)
    if parsed is None:
        return query  # DuckDB says what is wrong
    renamed = _over_the_frame(parsed, contract)
    # What is DuckDB's already is run as it is written, to the letter.
    return str(parsed.sql("duckdb")) if renamed or contract.dialect not in _OURS else query


def _filled(query: str, table: str, column: str | None, dialect: str) -> str:
    from sqlglot import exp

    def name(match: re.Match[str]) -> str:
        word = str(match[match.lastindex or 0]).lower()
        meant = table if word in _TABLE else column if word in _COLUMN else None
        if meant is None:
            said = f"the query's placeholder {match[0]} has nothing to stand for"
            raise CannotCheck(said, foreign=dialect not in _OURS)
        return str(exp.to_identifier(meant, quoted=True).sql(dialect or "duckdb"))

    return _PLACEHOLDER.sub(name, query)


def _parsed(query: str, dialect: str) -> Any:
    """Return a query as a tree, or None where it is DuckDB's and cannot be read."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return sqlglot.parse_one(query, read=dialect or "duckdb")
    except (SqlglotError, RecursionError) as error:
        if dialect in _OURS:
            return None
        said = str(error).splitlines()[0] if str(error) else "it is too deep"
        raise CannotCheck(f"it is no {dialect} that sqlglot reads: {said}", foreign=True) from None


def _over_the_frame(parsed: Any, contract: Contract) -> bool:
    """Have a query read the frame where it names the contract's table; say whether that is news."""
    from sqlglot import exp

    table = contract.table
    own = {str(n).lower() for n in (table["name"], table.get("physicalName")) if n}
    own |= {name.rsplit(".", 1)[-1] for name in own}
    renamed = False
    within = {cte.alias.lower() for cte in parsed.find_all(exp.CTE)}
    for one in parsed.find_all(exp.Table):
        if not isinstance(one.this, exp.Identifier) or one.name.lower() in within:
            continue
        if one.name.lower() not in own:
            raise CannotCheck(f"it reads '{one.name}', which is not at hand", foreign=True)
        if one.name.lower() == str(table["name"]).lower() and not one.db:
            continue
        renamed = True
        alias = one.args.get("alias") or exp.TableAlias(this=exp.to_identifier(one.name))
        one.replace(exp.Table(this=exp.to_identifier(str(table["name"]), quoted=True), alias=alias))
    return renamed


def _is_foreign(error: Exception, dialect: str) -> bool:
    """Say whether a query fails for what it is written for, and not for what it says."""
    import duckdb

    if isinstance(error, duckdb.PermissionException | duckdb.IOException | duckdb.HTTPException):
        return True  # it reads a bucket, or files, and not the frame
    if dialect == "":
        return isinstance(error, duckdb.ParserException | duckdb.CatalogException)
    return dialect != "duckdb"


def _number(rows: list[tuple[object, ...]], foreign: bool) -> float:
    value = rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else None
    if isinstance(value, bool) or value is None:
        raise CannotCheck("the query gives not one number", foreign=foreign)
    try:
        number = float(str(value))
    except ValueError:
        raise CannotCheck(f"the query gives {value!r}, not a number", foreign=foreign) from None
    return int(number) if number.is_integer() else number
