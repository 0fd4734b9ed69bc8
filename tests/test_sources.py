"""Operational sources: what opens, as what, and how what does not open says so."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.scan import Scan, attach, connect_duckdb
from mesh_notebook.mesh.sources import Asked, open_source

ROWS = pl.DataFrame({"origin": ["EWR", "JFK"], "delay": [5, -3]})


def written(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def opened(folder: Path, name: str, text: str | bytes, null: str | None = None) -> pl.DataFrame:
    return open_source(Asked(written(folder, name, text), null), folder).lazy().collect()


def refused(folder: Path, uri: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(uri, folder)
    return caught.value


def database(folder: Path, *statements: str) -> None:
    con = sqlite3.connect(folder / "app.db")
    for statement in statements:
        con.execute(statement)
    con.commit()
    con.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d.csv", "origin,delay\nEWR,5\nJFK,-3\n"),
        ("semicolons.csv", "origin;delay\nEWR;5\nJFK;-3\n"),
        ("d.tsv", "origin\tdelay\nEWR\t5\nJFK\t-3\n"),
        ("bom.csv", "\ufefforigin,delay\nEWR,5\nJFK,-3\n"),
        ("windows.csv", "origin,delay\r\nEWR,5\r\nJFK,-3\r\n"),
        ("no-last-newline.csv", "origin,delay\nEWR,5\nJFK,-3"),
        ("d.csv.gz", gzip.compress(b"origin,delay\nEWR,5\nJFK,-3\n", mtime=0)),
        ("d.ndjson", '{"origin":"EWR","delay":5}\n{"origin":"JFK","delay":-3}\n'),
        ("d.jsonl", '{"origin":"EWR","delay":5}\n{"origin":"JFK","delay":-3}\n'),
        ("lines.json", '{"origin":"EWR","delay":5}\n{"origin":"JFK","delay":-3}\n'),
        ("d.json", '[{"origin":"EWR","delay":5},\n {"origin":"JFK","delay":-3}]'),
    ],
)
def test_text_files_of_every_kind_give_the_same_frame(
    tmp_path: Path, name: str, text: str | bytes
) -> None:
    assert opened(tmp_path, name, text).equals(ROWS)


@pytest.mark.parametrize(
    ("name", "write"), [("d.parquet", "write_parquet"), ("d.arrow", "write_ipc")]
)
def test_columnar_files_give_the_same_frame(tmp_path: Path, name: str, write: str) -> None:
    getattr(ROWS, write)(tmp_path / name)
    assert open_source(name, tmp_path).lazy().collect().equals(ROWS)


def test_a_zipped_csv_is_read_without_being_unpacked_beside_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.csv.zip", "w") as archive:
        archive.writestr("d.csv", "origin,delay\nEWR,5\nJFK,-3\n")
    frame = open_source("d.csv.zip", tmp_path).lazy()
    assert frame.collect().equals(ROWS)
    assert frame.filter(pl.col("delay") < 0).select("origin").collect().rows() == [("JFK",)]
    assert [p.name for p in tmp_path.iterdir()] == ["d.csv.zip"]


def test_a_zip_of_two_files_is_no_table(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.csv.zip", "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "a\n1\n")
    assert "holds 2 files" in str(refused(tmp_path, "d.csv.zip"))


def test_csv_types_are_settled_on_all_rows_not_on_the_first(tmp_path: Path) -> None:
    late = "n,x\n" + "1,1\n" * 5_000 + "2.5,word\n"
    frame = opened(tmp_path, "late.csv", late)
    assert frame.schema == {"n": pl.Float64, "x": pl.String}
    assert frame.height == 5_001


def test_csv_values_keep_their_types_and_postal_codes_their_zeros(tmp_path: Path) -> None:
    text = (
        "zip,day,at,flag,share,us_date,big\n"
        "01234,2013-01-01,2013-01-01T06:00:00Z,true,.5,01/02/2013,99999999999999999999\n"
        "20095,2013-01-02,2013-01-01T06:00:00+02:00,false,1e-3,02/01/2013,1\n"
    )
    frame = opened(tmp_path, "t.csv", text)
    assert frame.row(0) == (
        *("01234", date(2013, 1, 1), datetime(2013, 1, 1, 6, tzinfo=UTC)),
        *(True, 0.5, "01/02/2013", "99999999999999999999"),
    )
    assert frame["at"][1] == datetime(2013, 1, 1, 4, tzinfo=UTC)


def test_na_is_a_null_only_when_it_is_said_to_be(tmp_path: Path) -> None:
    assert opened(tmp_path, "w.csv", "gust,dir\nNA,1\n7.5,2\n")["gust"].to_list() == ["NA", "7.5"]
    assert opened(tmp_path, "w.csv", "gust,dir\nNA,1\n7.5,2\n", "NA")["gust"].to_list() == [
        None,
        7.5,
    ]


def test_quoted_fields_keep_separators_quotes_and_newlines(tmp_path: Path) -> None:
    frame = opened(tmp_path, "q.csv", 'a,b\n"x, y","say ""hi"""\n"two\nlines",z\n')
    assert frame.rows() == [("x, y", 'say "hi"'), ("two\nlines", "z")]


def test_a_csv_of_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    frame = opened(tmp_path, "h.csv", "a,b\n")
    assert frame.shape == (0, 2)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a,b\n1,2\n1,2,3\n", 3, "the header has 2 fields, this line 3"),
        ("a,b\n1,2\n1\n", 3, "the header has 2 fields, this line 1"),
        ('a,b\n1,"x\n2,y\n', 2, "never closed"),
        ("a,b\nx,y\nMünchen,é\n".encode("latin-1"), 3, "not UTF-8"),
        ("id,name\n1,Größe\n".encode("latin-1"), 2, "not UTF-8"),
        ("a,b\nx,y\n".encode("utf-16"), 1, "not UTF-8"),
        ("größe,b\n1,2\n".encode("latin-1"), 1, "not UTF-8"),
        ('a,b"c\n1,2\n3,4\n', 1, "a quote"),
        ('a,"b c\n1,2\n3,4\n', 1, "a quote"),
        ('a,"b c\n1,"2\n', 1, "a quote"),
        ('a,b\n1,2\n3,5" pipe\n', 3, "a quote"),
        ('a,b\n1,x"y\n3,z"w\n', 2, "a quote"),
    ],
)
def test_a_broken_csv_names_the_line(
    tmp_path: Path, text: str | bytes, line: int, said: str
) -> None:
    error = refused(tmp_path, written(tmp_path, "broken.csv", text))
    assert said in error.message
    assert f"line {line}" in error.message
    assert error.next_step


@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz", "m.csv.zip"])
def test_a_stray_quote_is_found_however_the_file_is_packed(tmp_path: Path, name: str) -> None:
    text = b'a\tb"c\n1\t2\n'
    if name.endswith(".gz"):
        text = gzip.compress(text, mtime=0)
    (tmp_path / name).write_bytes(text)
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("m.csv", text)
    assert "line 1: a quote" in refused(tmp_path, name).message


def test_quotes_inside_a_field_that_every_reader_reads_alike_are_kept(tmp_path: Path) -> None:
    frame = opened(tmp_path, "said.csv", 'a,b\n1,he said "hi"\n2,""\n3,\n')
    assert frame["b"].to_list() == ['he said "hi"', "", None]


def test_lines_that_end_as_on_an_old_mac_are_refused_with_the_way_to_mend_them(
    tmp_path: Path,
) -> None:
    error = refused(tmp_path, written(tmp_path, "mac.csv", "a,b\r1,2\r"))
    assert "carriage return" in error.message
    assert "tr '\\r' '\\n' < mac.csv" in error.next_step


@pytest.mark.parametrize(
    ("name", "text"), [("l.json", "[]"), ("o.json", "{}"), ("o.ndjson", "{}\n"), ("n.json", "[{}]")]
)
def test_a_file_without_any_column_is_refused(tmp_path: Path, name: str, text: str) -> None:
    assert "no column" in refused(tmp_path, written(tmp_path, name, text)).message


def test_a_csv_of_two_columns_that_are_one_to_sql_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, written(tmp_path, "case.csv", "id,X,x\n1,2,3\n"))
    assert "'X' and 'x' are one name to SQL" in error.message


def test_a_csv_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, written(tmp_path, "d.csv", "a,b,a\n1,2,3\n"))
    assert "'a' 2 times" in error.message


@pytest.mark.parametrize("name", ["e.csv", "e.parquet", "e.ndjson", "e.json", "e.db"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    assert "empty" in refused(tmp_path, written(tmp_path, name, "")).message


def test_a_parquet_file_cut_short_is_refused(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "whole.parquet")
    cut = (tmp_path / "whole.parquet").read_bytes()[:-20]
    error = refused(tmp_path, written(tmp_path, "cut.parquet", cut))
    assert "cannot be read as parquet" in error.message


@pytest.mark.parametrize("text", ['{"a":1}\n{"a":', '[{"a":1', "nonsense"])
def test_broken_json_is_refused(tmp_path: Path, text: str) -> None:
    for name in ("d.json", "d.ndjson"):
        assert "cannot be read" in refused(tmp_path, written(tmp_path, name, text)).message


def test_a_missing_file_names_near_ones(tmp_path: Path) -> None:
    written(tmp_path, "flights.csv", "a\n1\n")
    error = refused(tmp_path, "fligths.csv")
    assert "not there" in error.message
    assert "flights.csv" in error.next_step
    assert "no folder" in refused(tmp_path, "nowhere/flights.csv").next_step


def test_an_unknown_kind_lists_the_known_ones(tmp_path: Path) -> None:
    error = refused(tmp_path, written(tmp_path, "d.docx", "x"))
    assert ".parquet" in error.next_step


def test_a_url_says_what_sources_are(tmp_path: Path) -> None:
    error = refused(tmp_path, "ftp://example.org/d.csv")
    assert "a source cannot be a ftp URL" in error.message
    assert "https://" in error.next_step


def test_a_folder_and_a_glob_read_all_their_files_in_order(tmp_path: Path) -> None:
    for day in (2, 1):
        written(tmp_path, f"days/d{day}.csv", f"day,x\n{day},a\n")
    written(tmp_path, "days/.hidden.csv", "other\n1\n")
    written(tmp_path, "days/README.md", "notes")
    for uri in ("days", "days/*.csv", "**/d?.csv", str(tmp_path / "days" / "d*.csv")):
        assert open_source(uri, tmp_path).lazy().collect()["day"].to_list() == [1, 2]


def test_types_of_many_csvs_are_settled_together(tmp_path: Path) -> None:
    written(tmp_path, "a1.csv", "x,y\n1,\n")
    written(tmp_path, "a2.csv", "x,y\n1.5,3\n")
    frame = open_source("a*.csv", tmp_path).lazy().collect()
    assert frame.rows() == [(1.0, None), (1.5, 3)]


def test_a_folder_named_like_a_glob_is_a_folder(tmp_path: Path) -> None:
    written(tmp_path, "day[1]*/d.csv", "a\n1\n")
    written(tmp_path, "day1/d.csv", "a\n2\n")
    assert open_source("day[1]*", tmp_path).lazy().collect().item() == 1


def test_a_glob_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    assert "no file matches" in refused(tmp_path, "*.parquet").message


def test_mixed_kinds_are_refused_with_their_counts(tmp_path: Path) -> None:
    written(tmp_path, "m/a.csv", "a\n1\n")
    written(tmp_path, "m/b.csv", "a\n1\n")
    ROWS.write_parquet(tmp_path / "m" / "c.parquet")
    error = refused(tmp_path, "m")
    assert "2 csv and 1 parquet" in error.message


def test_a_folder_of_folders_proposes_a_glob(tmp_path: Path) -> None:
    written(tmp_path, "deep/2013/d.csv", "a\n1\n")
    assert "deep/**/*.csv" in refused(tmp_path, "deep").next_step


def test_files_of_other_columns_are_refused_by_name(tmp_path: Path) -> None:
    written(tmp_path, "c/a.csv", "a,b\n1,2\n")
    written(tmp_path, "c/b.csv", "a,c\n1,2\n")
    assert "lacks b" in refused(tmp_path, "c").message
    (tmp_path / "p").mkdir()
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "p" / "1.parquet")
    pl.DataFrame({"a": ["x"]}).write_parquet(tmp_path / "p" / "2.parquet")
    assert "'a' is String" in refused(tmp_path, "p").message


def test_a_sqlite_table_is_a_lazy_frame_of_its_declared_types(tmp_path: Path) -> None:
    database(
        tmp_path,
        'CREATE TABLE "user table" (id INTEGER, score REAL, name TEXT, active BOOLEAN, born DATE,'
        " seen TIMESTAMPTZ, raw BLOB)",
        "INSERT INTO \"user table\" VALUES (1, 2, 'Ann', 1, '2000-01-31',"
        " '2013-01-01T06:00:00Z', x'00ff')",
        'INSERT INTO "user table" VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL)',
    )
    frame = open_source("app.db#user table", tmp_path).lazy()
    assert frame.collect().row(0) == (
        *(1, 2.0, "Ann", True, date(2000, 1, 31)),
        *(datetime(2013, 1, 1, 6, tzinfo=UTC), b"\x00\xff"),
    )
    assert frame.filter(pl.col("id") > 1).select("name").collect().rows() == [(None,)]
    assert frame.select(pl.len()).collect().item() == 2


def test_a_database_without_a_table_named_lists_its_tables(tmp_path: Path) -> None:
    database(tmp_path, "CREATE TABLE plays (a INTEGER)", "CREATE TABLE users (a INTEGER)")
    assert "plays, users" in refused(tmp_path, "app.db").next_step
    error = refused(tmp_path, "app.db#palys")
    assert "app.db#plays" in error.next_step


def test_the_only_table_of_a_database_needs_no_name(tmp_path: Path) -> None:
    database(tmp_path, "CREATE TABLE plays (a INTEGER)", "INSERT INTO plays VALUES (7)")
    assert open_source("app.db", tmp_path).lazy().collect().item() == 7


def test_a_value_of_another_type_than_declared_is_named(tmp_path: Path) -> None:
    database(tmp_path, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES ('seven')")
    error = refused(tmp_path, "app.db#t")
    assert "column 'a'" in error.message
    assert "'seven'" in error.message


def test_what_is_not_a_database_is_not_made_one(tmp_path: Path) -> None:
    assert "not a SQLite database" in refused(tmp_path, written(tmp_path, "x.db", "text")).message
    assert "not there" in refused(tmp_path, "new.db#t").message
    assert not (tmp_path / "new.db").exists()
    assert "names a part" in refused(tmp_path, written(tmp_path, "d.csv", "a\n1\n") + "#t").message


def test_a_scan_survives_json(tmp_path: Path) -> None:
    scan = open_source(Asked(written(tmp_path, "d.csv", "a;at\nNA;2013-01-01\n"), "NA"), tmp_path)
    again = Scan.from_dict(json.loads(json.dumps(scan.as_dict())))
    assert again == scan
    assert again.lazy().collect().equals(scan.lazy().collect())


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    scan = open_source(written(tmp_path, "d.csv", "a\n1\n"), tmp_path)
    before = scan.fingerprint()
    assert scan.fingerprint() == before
    written(tmp_path, "d.csv", "a\n2\n")
    assert scan.fingerprint() != before


def test_the_fingerprint_tells_one_file_from_two(tmp_path: Path) -> None:
    written(tmp_path, "1.csv", "a\n1\n")
    written(tmp_path, "2.csv", "a\n1\n")
    one, two = (str(tmp_path / n) for n in ("1.csv", "2.csv"))
    prints = {Scan("csv", p).fingerprint() for p in [(one,), (one, two)]}
    assert len(prints) == 2


def test_a_file_removed_since_it_was_opened_is_named(tmp_path: Path) -> None:
    scan = open_source(written(tmp_path, "d.csv", "a\n1\n"), tmp_path)
    (tmp_path / "d.csv").unlink()
    with pytest.raises(SourceError, match=r"d\.csv cannot be read"):
        scan.fingerprint()


def test_rows_committed_to_a_database_log_change_its_fingerprint(tmp_path: Path) -> None:
    database(tmp_path, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    scan = open_source("app.db#t", tmp_path)
    before = scan.fingerprint()
    con = sqlite3.connect(tmp_path / "app.db")
    con.execute("PRAGMA journal_mode = WAL")
    settled = scan.fingerprint()
    con.execute("INSERT INTO t VALUES (2)")
    con.commit()
    assert scan.fingerprint() not in (before, settled)
    con.close()


def test_reading_a_database_with_a_log_is_not_taken_for_writing_to_it(tmp_path: Path) -> None:
    from mesh_notebook.mesh.sources.tables import stamp_of

    database(
        tmp_path,
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE t (a INTEGER)",
        "INSERT INTO t VALUES (1)",
    )
    scan = open_source("app.db#t", tmp_path)
    assert scan.lazy().collect().item() == 1
    assert stamp_of(scan.paths) == scan.stamp
    con = sqlite3.connect(tmp_path / "app.db")
    con.execute("INSERT INTO t VALUES (2)")
    con.commit()
    assert stamp_of(scan.paths) != scan.stamp
    con.close()


def test_a_file_of_another_name_is_read_as_what_it_is_said_to_be(tmp_path: Path) -> None:
    name = written(tmp_path, "delays.txt", "origin,delay\nEWR,5\nJFK,-3\n")
    assert open_source(Asked(name, format="csv"), tmp_path).lazy().collect().equals(ROWS)


def test_a_scan_of_no_files_is_an_empty_table() -> None:
    scan = Scan("parquet", (), schema=(("a", "BIGINT"), ("at", "TIMESTAMP_TZ")))
    assert scan.lazy().collect().schema == {"a": pl.Int64, "at": pl.Datetime("us", "UTC")}


MANY_TYPES = {
    **{name: pl.Series([1, None], dtype=getattr(pl, name)) for name in ("Int8", "Int16", "Int32")},
    **{
        name: pl.Series([1, None], dtype=getattr(pl, name)) for name in ("Int64", "UInt8", "UInt16")
    },
    **{name: pl.Series([1, None], dtype=getattr(pl, name)) for name in ("UInt32", "UInt64")},
    **{name: pl.Series([1.5, None], dtype=getattr(pl, name)) for name in ("Float32", "Float64")},
    "String": ["a", None],
    "Boolean": [True, None],
    "Binary": [b"x", None],
    "Decimal": pl.Series([Decimal("1.25"), None], dtype=pl.Decimal(12, 2)),
    "Date": [date(2013, 1, 1), None],
    "Time": pl.Series([None, None], dtype=pl.Time),
    "Instant": [datetime(2013, 1, 1, 6, tzinfo=UTC), None],
    "Naive": [datetime(2013, 1, 1, 6), None],
    "Millis": pl.Series([datetime(2013, 1, 1), None], dtype=pl.Datetime("ms", "UTC")),
    "Nanos": pl.Series([datetime(2013, 1, 1), None], dtype=pl.Datetime("ns")),
    "Elsewhere": pl.Series([datetime(2013, 1, 1)] * 2, dtype=pl.Datetime("us", "Europe/Berlin")),
    "List": [[1, 2], None],
    "Lists": [[["a"], []], None],
    "Struct": [{"x": 1, "y": ["z"]}, None],
    "Category": pl.Series(["a", None], dtype=pl.Categorical),
    "Enum": pl.Series(["a", None], dtype=pl.Enum(["a", "b"])),
    "Null": pl.Series([None, None], dtype=pl.Null),
}


@pytest.mark.parametrize("name", MANY_TYPES)
@pytest.mark.parametrize("query", ["FROM t", 'SELECT max("{0}") AS m, count(*) AS n FROM t'])
def test_a_view_of_a_file_and_a_view_of_a_frame_give_equal_results(
    tmp_path: Path, name: str, query: str
) -> None:
    pl.DataFrame({name: MANY_TYPES[name]}).write_parquet(tmp_path / "t.parquet")
    scan = open_source("t.parquet", tmp_path)
    results = []
    for by_file in (True, False):
        con = connect_duckdb()
        if by_file:
            attach(con, "t", scan, scan.lazy())
        else:
            con.register("t", scan.lazy())
        results.append(pl.DataFrame(con.sql(query.format(name))))
        con.close()
    assert results[0].schema == results[1].schema
    assert results[0].equals(results[1])


def test_instants_come_back_as_utc_whatever_the_machine_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    con = connect_duckdb()
    frame = pl.DataFrame(con.cursor().sql("SELECT TIMESTAMPTZ '2013-01-01 06:00:00' AS at"))
    assert frame.schema == {"at": pl.Datetime("us", "UTC")}
    assert frame.item() == datetime(2013, 1, 1, 6, tzinfo=UTC)
    con.close()


def test_duckdb_reads_the_files_of_a_whole_scan_itself_and_a_cut_one_through_the_frame(
    tmp_path: Path,
) -> None:
    ROWS.write_parquet(tmp_path / "t.parquet")
    scan = open_source("t.parquet", tmp_path)
    con = connect_duckdb()
    attach(con, "whole", scan, scan.lazy())
    attach(con, "cut", scan, scan.lazy().filter(pl.col("delay") > 0))
    plans = [con.execute(f"EXPLAIN FROM {name}").fetchall()[0][1] for name in ("whole", "cut")]
    assert "PARQUET" in plans[0].upper()
    assert "ARROW" in plans[1].upper()
    assert con.cursor().execute("FROM cut").fetchall() == [("EWR", 5)]
    con.close()


def test_only_the_columns_and_rows_asked_for_leave_a_lazy_frame(tmp_path: Path) -> None:
    scan = open_source(written(tmp_path, "d.csv", "a,b,c\n1,2,x\n"), tmp_path)
    con = connect_duckdb()
    attach(con, "t", scan, scan.lazy())
    plan = con.execute("EXPLAIN SELECT a FROM t WHERE b > 1").fetchall()[0][1]
    assert "b" in plan.split("Filters:")[1].splitlines()[0]
    assert "c" not in plan.split("Projections:")[1].splitlines()[0].split()
    con.close()


def test_a_view_is_replaced_by_a_later_one_of_its_name(tmp_path: Path) -> None:
    con = connect_duckdb()
    for value in (1, 2):
        scan = open_source(written(tmp_path, f"{value}.csv", f"a\n{value}\n"), tmp_path)
        attach(con, 'odd "name', scan, scan.lazy())
    assert con.cursor().execute('FROM "odd ""name"').fetchall() == [(2,)]
    con.close()


def test_what_is_neither_a_file_nor_a_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for uri in ("/dev/null", "pipe.csv"):
        error = refused(tmp_path, uri)
        assert "neither a file nor a folder" in error.message
        assert "write what it gives to a file" in error.next_step


def test_a_path_that_cannot_be_looked_at_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, "x" * 300)
    assert "cannot be looked at" in error.message
    assert error.next_step


@pytest.mark.parametrize("name", ["q.csv", "q.csv.gz", "q.csv.zip"])
def test_quotes_in_a_column_name_are_read_as_its_writer_meant(tmp_path: Path, name: str) -> None:
    text = b'"a ""q"" b","say, ""x"""\n1,x\n3,y\n'
    if name.endswith(".gz"):
        text = gzip.compress(text, mtime=0)
    (tmp_path / name).write_bytes(text)
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("q.csv", text)
    scan = open_source(name, tmp_path)
    assert scan.lazy().collect().to_dict(as_series=False) == {
        'a "q" b': [1, 3],
        'say, "x"': ["x", "y"],
    }
    again = Scan.from_dict(json.loads(json.dumps(scan.as_dict()))).lazy()
    assert again.filter(pl.col('a "q" b') > 1).select('say, "x"').collect().rows() == [("y",)]
