"""SQL over frames and views: what may be asked, and how a refusal reads."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mesh_notebook.errors import SqlError
from mesh_notebook.explore.sql import run_sql, tables_of
from mesh_notebook.mesh.scan import connect_duckdb

FLIGHTS = pl.LazyFrame({"origin": ["EWR", "EWR", "JFK"], "delay": [1, 2, 3]})


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = connect_duckdb()
    con.from_arrow(pl.LazyFrame({"faa": ["EWR"], "name": ["Newark"]})).create_view("airports")
    yield con
    con.close()


def refused(query: str, con: duckdb.DuckDBPyConnection, **tables: Any) -> SqlError:
    with pytest.raises(SqlError) as caught:
        run_sql(query, con, {"flights": FLIGHTS, **tables}, known=["weather"])
    return caught.value


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("SELECT * FROM b JOIN a USING (x)", ("b", "a")),
        ("FROM flights SELECT origin", ("flights",)),
        ("WITH late AS (SELECT * FROM flights) SELECT * FROM late", ("flights",)),
        ("WITH plays AS (SELECT * FROM plays) SELECT * FROM plays", ("plays",)),
        ("WITH plays AS (FROM plays) SELECT * FROM plays WHERE a > $low LIMIT $n", ("plays",)),
        ("WITH RECURSIVE r AS (SELECT 1 UNION ALL FROM r) FROM r, z", ("z",)),
        ("SELECT * FROM a WHERE x IN (SELECT y FROM c) AND EXISTS (FROM d)", ("a", "c", "d")),
        ('SELECT * FROM "odd name" -- FROM nothing', ("odd name",)),
        ("SELECT 'FROM text' AS x", ()),
        ("PIVOT cities ON year USING sum(pop)", ("cities",)),
        ("SUMMARIZE flights", ("flights",)),
        ("SELECT * FROM a UNION ALL BY NAME SELECT * FROM b;", ("a", "b")),
        ("SELECT * FROM t ASOF JOIN u USING (at)", ("t", "u")),
        ("SELECT * FROM range(3)", ()),
        ("SELEC nonsense", ()),
    ],
)
def test_the_tables_that_a_query_reads_are_known(query: str, names: tuple[str, ...]) -> None:
    assert tables_of(query) == names


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"a": [1, 2]}),
        pl.LazyFrame({"a": [1, 2]}),
        pd.DataFrame({"a": [1, 2]}),
        pa.table({"a": [1, 2]}),
        duckdb.sql("SELECT unnest([1, 2])::BIGINT AS a"),
    ],
    ids=["polars", "lazy", "pandas", "arrow", "relation"],
)
def test_frames_of_any_kind_can_be_asked(con: duckdb.DuckDBPyConnection, frame: Any) -> None:
    assert run_sql("SELECT a FROM f WHERE a > 1;", con, {"f": frame}).equals(
        pl.DataFrame({"a": [2]})
    )


def test_views_of_the_connection_join_with_frames_and_stay_as_they_are(
    con: duckdb.DuckDBPyConnection,
) -> None:
    joined = run_sql(
        "SELECT name, sum(delay)::INT AS s FROM flights JOIN airports ON origin = faa GROUP BY 1",
        con,
        {"flights": FLIGHTS},
    )
    assert joined.rows() == [("Newark", 3)]
    shadowed = run_sql("FROM airports", con, {"airports": pl.DataFrame({"x": [1]})})
    assert shadowed.columns == ["x"]
    assert run_sql("FROM airports", con, {}).columns == ["faa", "name"]
    assert "flights" not in refused("FROM nowhere", con).message


@pytest.mark.parametrize(
    "query",
    [
        *("VALUES (1)", "DESCRIBE flights", "SUMMARIZE flights", "EXPLAIN FROM flights"),
        *("PIVOT flights ON origin USING count(*)", "/* why */ SELECT 1 AS one -- so\n;"),
    ],
)
def test_whatever_only_reads_may_be_asked(con: duckdb.DuckDBPyConnection, query: str) -> None:
    assert run_sql(query, con, {"flights": FLIGHTS}).height


@pytest.mark.parametrize(
    "query",
    [
        *("DROP VIEW airports", "CREATE TABLE x AS SELECT 1", "COPY airports TO 'x.csv'"),
        *("INSERT INTO airports VALUES (1)", "SET threads = 1", "ATTACH 'x.db'", "PRAGMA version"),
    ],
)
def test_whatever_changes_something_is_refused(con: duckdb.DuckDBPyConnection, query: str) -> None:
    assert "queries here only read" in refused(query, con).message
    assert run_sql("FROM airports", con, {}).height == 1


def test_one_cell_holds_one_query(con: duckdb.DuckDBPyConnection) -> None:
    assert "this has 2" in refused("SELECT 1; SELECT 2", con).message
    assert "this has none" in refused("  -- nothing", con).message


@pytest.mark.parametrize(
    "query",
    [
        *("FROM read_csv('x.csv')", "FROM 'data/x.parquet'", "FROM read_parquet('*.parquet')"),
        *("SELECT * FROM flights JOIN read_json('x.json') USING (a)", "FROM glob('*')"),
    ],
)
def test_a_file_that_no_input_declares_is_refused(
    con: duckdb.DuckDBPyConnection, query: str
) -> None:
    assert "%mesh source" in refused(query, con).next_step


def test_a_misspelt_table_shows_its_line_a_caret_and_near_misses(
    con: duckdb.DuckDBPyConnection,
) -> None:
    error = refused("SELECT *\nFROM flihgts", con)
    *_, line, caret = error.message.splitlines()
    assert line == "LINE 2: FROM flihgts"
    assert line[caret.index("^") : caret.rindex("^") + 1] == "flihgts"
    assert error.next_step == "did you mean flights?"
    assert refused("FROM wether", con).next_step == "did you mean weather?"
    assert refused("FROM airprots", con).next_step == "did you mean airports?"


def test_a_misspelt_column_names_columns_of_the_tables_read(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for query in ("SELECT orign FROM flights", "SELECT f.orign FROM flights AS f"):
        error = refused(query, con)
        assert "LINE 1" in error.message
        assert "^" in error.message
        assert error.next_step == "did you mean origin?"


def test_a_syntax_error_shows_its_line_and_a_caret(con: duckdb.DuckDBPyConnection) -> None:
    error = refused("SELECT origin\nFORM flights", con)
    assert "LINE 2: FORM flights" in error.message
    assert error.message.count("\n") <= 2


def test_a_misspelt_function_names_near_ones(con: duckdb.DuckDBPyConnection) -> None:
    assert "count" in refused("SELECT coutn(*) FROM flights", con).next_step


def test_an_argument_of_the_wrong_type_is_told_in_a_line_without_all_candidates(
    con: duckdb.DuckDBPyConnection,
) -> None:
    error = refused("SELECT upper(origin) + 1 FROM flights", con)
    assert "Candidate" not in error.message
    assert "CAST" in error.next_step
    assert "TRY_CAST" in refused("SELECT origin::INT FROM flights", con).next_step


def test_a_table_of_one_letter_is_not_taken_for_any_name_that_holds_it(
    con: duckdb.DuckDBPyConnection,
) -> None:
    few = pl.DataFrame({"a": [1]})
    assert "did you mean f?" not in refused("FROM offers", con, f=few).next_step


def test_a_frame_that_fails_while_it_is_read_says_why(con: duckdb.DuckDBPyConnection) -> None:
    bad = pl.LazyFrame({"a": ["x"]}).select(pl.col("a").cast(pl.Int64))
    assert "conversion from `str`" in refused("FROM bad", con, bad=bad).message


def test_two_columns_of_one_name_are_refused(con: duckdb.DuckDBPyConnection) -> None:
    assert (
        "two columns named 'origin'" in refused("SELECT origin, origin FROM flights", con).message
    )


def test_a_type_that_no_frame_can_hold_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    assert "epoch" in refused("SELECT INTERVAL 1 DAY AS i", con).next_step
    assert "[]" in refused("SELECT [INTERVAL 1 DAY] AS i", con).message


def test_python_variables_are_not_seen_unless_given(con: duckdb.DuckDBPyConnection) -> None:
    secret = pl.DataFrame({"a": [1]})
    assert "secret" in refused("FROM secret", con).message
    assert secret.height == 1


def test_instants_are_utc(con: duckdb.DuckDBPyConnection) -> None:
    frame = run_sql("SELECT TIMESTAMPTZ '2013-01-01 06:00:00' AS at", con, {})
    assert frame.schema == {"at": pl.Datetime("us", "UTC")}
    assert frame.item() == datetime(2013, 1, 1, 6, tzinfo=UTC)


def test_a_query_with_no_rows_keeps_its_types(con: duckdb.DuckDBPyConnection) -> None:
    frame = run_sql("SELECT origin, delay FROM flights WHERE delay > 9", con, {"flights": FLIGHTS})
    assert frame.schema == {"origin": pl.String, "delay": pl.Int64}


def test_an_error_leaves_the_connection_usable(con: duckdb.DuckDBPyConnection) -> None:
    refused("SELECT nope FROM flights", con)
    assert run_sql("SELECT 1 AS one", con, {}).item() == 1


def test_ctrl_c_ends_a_long_query(con: duckdb.DuckDBPyConnection) -> None:
    endless = "SELECT count(*) AS n FROM range(10000000000) a, range(1000) b WHERE a.range % 7 = 8"
    # As in a kernel: what a shell starts in the background is deaf to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressed = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    pressed.start()
    try:
        with pytest.raises(KeyboardInterrupt):  # without it, the query would run for days
            run_sql(endless, con, {})
    finally:
        signal.signal(signal.SIGINT, before)
    assert run_sql("SELECT 1 AS one", con, {}).item() == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM query_table('{path}')",
        "TABLE '{path}'",
        "SELECT * FROM query('SELECT * FROM read_parquet(''{path}'')')",
        "SUMMARIZE '{path}'",
        "DESCRIBE SELECT * FROM '{path}'",
        "EXPLAIN ANALYZE SELECT * FROM '{path}'",
        "EXPLAIN (FORMAT json) SELECT * FROM '{path}'",
        "SELECT * FROM parquet_metadata('{path}')",
        "SELECT * FROM parquet_schema('{path}')",
        "SELECT (SELECT max(a) FROM '{path}') AS a",
        "SELECT * FROM read_blob('{path}')",
        "SELECT * FROM glob('{path}')",
        "WITH c AS (SELECT * FROM '{path}') SELECT * FROM c",
        "SELECT 1 AS a UNION ALL FROM '{path}'",
        "PIVOT '{path}' ON a USING sum(a)",
        "PIVOT (SELECT * FROM query_table('{path}')) ON a USING sum(a)",
        "SELECT * FROM range(3) r WHERE EXISTS (SELECT 1 FROM read_csv('{path}'))",
    ],
)
def test_no_query_reads_a_file_that_is_no_input(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, query: str
) -> None:
    path = tmp_path / "secret.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(SqlError) as refused:
        run_sql(query.format(path=path), con, {})
    assert "%mesh source" in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT '/a/b.parquet' AS a",
        "SELECT count(*) AS n FROM range(3)",
        "SELECT unnest([1, 2]) AS a",
        "SELECT * FROM unnest([1, 2]) AS u(a)",
        "WITH t AS (SELECT 1 AS a) SELECT a, sum(a) OVER () AS s FROM t",
        "PIVOT here ON a USING sum(a)",
        "SUMMARIZE here",
        "DESCRIBE here",
        "EXPLAIN SELECT * FROM here",
        "FROM here",
        "VALUES (1, 2)",
        "SELECT [x * 2 FOR x IN [1, 2]] AS l, list_transform([1], lambda x: x + 1) AS m",
        "SELECT h.a FROM here h ASOF JOIN here g ON h.a >= g.a",
    ],
)
def test_ordinary_queries_run(con: duckdb.DuckDBPyConnection, query: str) -> None:
    assert run_sql(query, con, {"here": pl.DataFrame({"a": [1, 2]})}).height


@pytest.mark.parametrize(
    "query",
    [
        *("FROM secret.parquet", "SELECT 1 AS one FROM flights, secret.parquet"),
        *("PIVOT secret.parquet ON a", "WITH p AS (PIVOT secret.parquet ON a) FROM p"),
        *("EXPLAIN ANALYZE FROM secret.parquet", "/* why */ EXPLAIN FROM 'secret.parquet'"),
        *("TABLE secret.parquet", "SUMMARIZE secret.parquet", "DESCRIBE secret.parquet"),
        *('FROM main."secret.parquet"', "EXPLAIN (FROM 'secret.parquet') LIMIT 1"),
    ],
)
def test_a_file_named_without_quotes_is_a_file_too(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"a": [1]}).write_parquet("secret.parquet")
    assert "%mesh source" in refused(query, con).next_step


@pytest.mark.parametrize(
    "explain",
    [
        *("EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (ANALYZE)", "EXPLAIN (FORMAT json)"),
        *("/* why */ EXPLAIN/**/ANALYZE", "-- why\nEXPLAIN --\nANALYZE", "EXPLAIN ANALYSE"),
    ],
)
def test_what_an_explain_runs_only_reads(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, explain: str
) -> None:
    out = tmp_path / "out.csv"
    refused(f"{explain} COPY airports TO '{out}'", con)
    assert not out.exists()


@pytest.mark.parametrize(
    "query",
    [
        *("FROM main.airports", "FROM memory.main.airports", "FROM AIRPORTS"),
        "FROM information_schema.tables SELECT table_name",
        "/* why */ EXPLAIN (FROM airports)",
        "EXPLAIN (FROM airports)\n",
        "EXPLAIN (FROM airports) LIMIT 1",
        "EXPLAIN (FORMAT json) FROM airports",
        "FROM airports SELECT airports.faa, 'a/b.csv' AS path WHERE name <> './x.parquet'",
        "PIVOT main.airports ON faa USING count(*)",
    ],
)
def test_a_name_with_its_schema_is_a_name(con: duckdb.DuckDBPyConnection, query: str) -> None:
    assert run_sql(query, con, {}).height


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM flights f JOIN planes p ON f.origin = p.origin",
        "SELECT * FROM flights JOIN planes ON flights.origin = planes.origin",
        'SELECT * FROM flights a, planes b, flights "c d"',
        "SELECT f.*, p.* FROM flights f, planes p",
    ],
)
def test_the_advice_on_columns_of_one_name_is_sql_that_works(
    con: duckdb.DuckDBPyConnection, query: str
) -> None:
    planes = pl.DataFrame({"origin": ["EWR"], "made": [1999]})
    step = refused(query, con, planes=planes).next_step
    mended = step.partition(": ")[2].replace("FROM …", "") + query[query.index("FROM") :]
    assert "EXCLUDE" in mended
    names = run_sql(mended, con, {"planes": planes, "flights": FLIGHTS}).columns
    assert len(names) == len(set(names))


def test_a_column_written_twice_is_given_another_name(con: duckdb.DuckDBPyConnection) -> None:
    step = refused("SELECT origin, lower(origin) AS origin FROM f", con, f=FLIGHTS).next_step
    assert step == "give one another name: LOWER(origin) AS origin_2"


def test_show_tables_lists_what_can_be_read(con: duckdb.DuckDBPyConnection) -> None:
    frame = pl.DataFrame({"a": [1]})
    assert run_sql("show tables;", con, {"mine": frame}, known=["later"]).rows() == [
        ("airports",),
        ("later",),
        ("mine",),
    ]


def test_wide_integers_and_times_are_read_or_the_line_to_write_is_said(
    con: duckdb.DuckDBPyConnection,
) -> None:
    wide = pl.DataFrame({"n": pl.Series([2**100], dtype=pl.Int128), "t": [time(1, 2)]})
    step = refused("FROM wide", con, wide=wide).next_step
    space: dict[str, Any] = {"wide": wide, "pl": pl}
    exec(step, space)
    made = run_sql("SELECT n, t FROM wide", con, {"wide": space["wide"]})
    assert made.rows() == [(Decimal(2**100), time(1, 2))]
