"""What is said in Spark's dialect means what it means in DuckDB; what would not is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from mesh_notebook.export.comparing import difference
from mesh_notebook.mesh.engines.dialects import not_portable, spark_sql
from mesh_notebook.mesh.engines.on_duckdb import OnDuckDB
from mesh_notebook.mesh.scan import Scan

NAN, INFINITY = float("nan"), float("inf")
NIGHT = [datetime(2024, 3, 31, 2, 30, second) for second in range(4)]
PLAIN = [datetime(2024, 1, 31, 23, 59, 59, 999999), None, *NIGHT]
ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3, 4, 5, 6],
        "a": [7, -7, 0, None, 2**31, 3],
        "b": [2, 2, 3, 5, 7, -2],
        "small": [1, 2, None, 4, 5, 6],
        "f": [2.5, -2.5, NAN, INFINITY, None, 2.675],
        "g": [0.0, 1.5, 0.0, 2.0, 1.0, 1e-300],
        "d": [n and Decimal(n) for n in ("2.50", "-2.55", None, "0.00", "9.99", "1.01")],
        "s": ["apple", "Äpfel", "", None, "a_b\\c%d", "line\n"],
        "u": ["p", "Ä", "x", "y", "_", "e"],
        "day": [
            date(2024, 1, 31),
            date(2024, 2, 29),
            date(1999, 12, 31),
            None,
            *[date(2024, 1, 28)] * 2,
        ],
        "other": [
            date(2024, 2, 1),
            date(2023, 3, 1),
            date(2000, 1, 1),
            date(2024, 1, 1),
            None,
            None,
        ],
        "ts": [at and at.replace(tzinfo=UTC) for at in PLAIN],
        "plain": PLAIN,
        "yes": [True, False, None, True, False, True],
        "l": [[1, 2], [], None, [None, 3], [5], [1]],
    },
    schema_overrides={"small": pl.Int32, "d": pl.Decimal(10, 2)},
)
HERE = Path(__file__).parent / "engines"
# One a line: scalar expressions over ROWS, and whole queries.
EXPRESSIONS = (HERE / "expressions.txt").read_text("utf-8").splitlines()
QUERIES = (HERE / "queries.txt").read_text("utf-8").splitlines()
REFUSED = {
    "SELECT mode(a) FROM t": "mode(a)",
    "SELECT first(a) FROM t": "first(a)",
    "SELECT any_value(a) FROM t": "ANY_VALUE",
    "SELECT list(a) FROM t": "ARRAY_AGG(a)",
    "SELECT * FROM t LIMIT 3": "LIMIT 3",
    "SELECT a FROM t ASOF JOIN u USING (a)": "ASOF JOIN",
    "SELECT random() FROM t": "RANDOM()",
    "SELECT a + 1 FROM t USING SAMPLE 3": "SAMPLE",
    "PIVOT t ON a USING sum(b)": "PIVOT",
    "SELECT * FROM 'x.parquet'": "x.parquet",
    "SELECT * FROM read_csv('x.csv')": "READ_CSV",
    "SELECT a ~ '(?i)x' FROM t": "(?i)x",
    "SELECT a ~ 'x++' FROM t": "x++",
    "SELECT regexp_replace(s, 'a', 'b') FROM t": "REGEXP_REPLACE",
    "SELECT substring(s, -2) FROM t": "SUBSTRING",
    "SELECT date_diff('week', a, b) FROM t": "week",
    "SELECT strftime(a, '%A') FROM t": "%A",
    "SELECT at AT TIME ZONE 'Europe/Berlin' FROM t": "AT TIME ZONE",
    "SELECT unnest(l) FROM t": "UNNEST(l)",
    "SELECT levenshtein(s, u) FROM t": "LEVENSHTEIN",
    "SELECT string_agg(s, ',') FROM t": "LISTAGG",
    "SELECT COLUMNS('a.*') FROM t": "COLUMNS",
    "SELECT row_number() OVER () FROM t": "ROW_NUMBER",
    "SELECT cast('1 day' AS INTERVAL)": "INTERVAL",
    "WITH RECURSIVE x AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM x WHERE a < 3) FROM x": "WITH",
}


@pytest.fixture
def tables(on_spark, tmp_path):
    path = tmp_path / "t.parquet"
    ROWS.write_parquet(path)
    scan = Scan("parquet", (str(path),))
    on_duckdb = OnDuckDB()
    yield [(one, one.opened("t", scan, scan.lazy())) for one in (on_duckdb, on_spark)]
    on_duckdb.ended()


def both(tables, query: str) -> list[pl.DataFrame]:
    return [one.gathered(one.given()["sql"](query, t=t)) for one, t in tables]


def assert_equal(ours: pl.DataFrame, theirs: pl.DataFrame) -> None:
    wide = pl.Decimal(38, 0)  # a sum of whole numbers, to DuckDB
    same = {n: pl.Int64 for n, d in ours.schema.items() if d in (wide, pl.Int128)}
    said = difference(ours.cast(same), theirs.cast(same))
    assert said is None, said


def test_every_expression_that_is_not_refused_means_the_same(tables):
    chosen = ", ".join(f"{one} AS c{n}" for n, one in enumerate(EXPRESSIONS))
    ours, theirs = both(tables, f"SELECT id, {chosen} FROM t")
    for n, said in enumerate(EXPRESSIONS):
        one = [frame.select("id", f"c{n}").sort("id") for frame in (ours, theirs)]
        wrong = difference(*one)
        assert wrong is None, f"{said}: {wrong}"


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_gives_the_same_rows_names_and_types(tables, query):
    assert_equal(*both(tables, query))


@pytest.mark.parametrize(("query", "said"), REFUSED.items())
def test_what_means_something_else_is_refused_by_its_expression(query, said):
    found = not_portable(query, "spark")
    assert any(said.lower() in expression.lower() and why for expression, why in found), found
    assert not_portable(query, "duckdb") == []


def test_spark_is_never_asked_for_a_query_that_was_refused():
    from mesh_notebook.errors import SqlError

    with pytest.raises(SqlError, match="equally frequent"):
        spark_sql("SELECT mode(a) FROM t")
