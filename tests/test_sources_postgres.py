"""Tables of a real PostgreSQL: every type, one moment, and no password anywhere."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from postgres import PASSWORD, Database

from mesh_notebook.errors import MeshError, MissingExtra, SourceError, UsageError
from mesh_notebook.mesh.sources import Asked, World, open_source


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def refused(uri: str, world: World, kind: type[MeshError] = SourceError) -> MeshError:
    with pytest.raises(kind) as caught:
        open_source(uri, world)
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in str(vars(caught.value))
    assert caught.value.next_step
    return caught.value


TYPES = {
    "small": ("int2", "1", 1, pl.Int16),
    "whole": ("int4", "2", 2, pl.Int32),
    "long": ("int8", "9007199254740993", 9007199254740993, pl.Int64),
    "real": ("float4", "1.5", 1.5, pl.Float32),
    "number": ("float8", "0.1", 0.1, pl.Float64),
    "price": ("numeric(10,2)", "4.25", Decimal("4.25"), pl.Decimal(10, 2)),
    "exact": ("numeric", "3.14159", Decimal("3.14159"), pl.Decimal(38, 9)),
    "huge": ("numeric", f"{'9' * 45}", "9" * 45, pl.String),
    "nan": ("numeric", "'NaN'", None, pl.Float64),
    "ok": ("bool", "true", True, pl.Boolean),
    "name": ("text", "'é ''x'''", "é 'x'", pl.String),
    "code": ("varchar(3)", "'007'", "007", pl.String),
    "raw": ("bytea", r"'\x00ff'", b"\x00\xff", pl.Binary),
    "day": ("date", "'2026-01-31'", date(2026, 1, 31), pl.Date),
    "naive": ("timestamp", "'2026-01-31 06:00'", datetime(2026, 1, 31, 6), pl.Datetime("us")),
    "at": (
        "timestamptz",
        "'2026-01-31 06:00+02'",
        datetime(2026, 1, 31, 4, tzinfo=UTC),
        pl.Datetime("us", "UTC"),
    ),
    "clock": ("time", "'06:30'", time(6, 30), pl.Time),
    "span": ("interval", "'1 day'", "1 day", pl.String),
    "uuid": (
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        pl.String,
    ),
    "doc": ("jsonb", """'{"a": [1]}'""", '{"a": [1]}', pl.String),
    "address": ("inet", "'10.0.0.1'", "10.0.0.1/32", pl.String),
    "numbers": ("int[]", "'{1,NULL,3}'", [1, None, 3], pl.List(pl.Int32)),
    "names": ("text[]", "'{a,b}'", ["a", "b"], pl.List(pl.String)),
    "prices": ("numeric[]", "'{1.50}'", ["1.50"], pl.List(pl.String)),
    "square": ("int[]", "'{{1,2},{3,4}}'", "[[1, 2], [3, 4]]", pl.String),
    "mood": ("mood", "'glad'", "glad", pl.String),
    "age": ("age", "41", 41, pl.Int32),
    "point": ("point", "'(1,2)'", "(1,2)", pl.String),
}


def test_every_type_is_read_without_loss(postgres: Database, world: World) -> None:
    columns = ", ".join(f'"{name}" {kind}' for name, (kind, *_) in TYPES.items())
    values = ", ".join(value for _, value, *_ in TYPES.values())
    postgres.run(
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        "CREATE DOMAIN age AS int CHECK (VALUE > 0)",
        f"CREATE TABLE types ({columns})",
        f"INSERT INTO types VALUES ({values})",
        f"INSERT INTO types VALUES ({', '.join(['NULL'] * len(TYPES))})",
    )
    frame = open_source(f"{postgres.url}#types", world).lazy().collect()
    assert dict(frame.schema) == {name: dtype for name, (*_, dtype) in TYPES.items()}
    for name, (_, _, value, _) in TYPES.items():
        if name != "nan":
            assert frame[name].to_list() == [value, None], name
    assert frame["nan"].is_nan().to_list() == [True, None]


def test_names_are_quoted_and_never_pasted(postgres: Database, world: World) -> None:
    postgres.run(
        'CREATE SCHEMA "my.schema"',
        'CREATE TABLE "my.schema"."x""; DROP TABLE t; --" ("a ""b" int, "SELECT" int)',
        'INSERT INTO "my.schema"."x""; DROP TABLE t; --" VALUES (1, 2)',
        "CREATE TABLE t (a int)",
    )
    from urllib.parse import quote

    name = quote('my.schema.x"; DROP TABLE t; --')
    frame = open_source(f"{postgres.url}#{name}", world).lazy().collect()
    assert frame.to_dicts() == [{'a "b': 1, "SELECT": 2}]
    assert open_source(f"{postgres.url}#t", world).lazy().collect().shape == (0, 1)


def test_views_and_partitioned_tables_are_tables(postgres: Database, world: World) -> None:
    postgres.run(
        "CREATE TABLE days (day int) PARTITION BY RANGE (day)",
        "CREATE TABLE days1 PARTITION OF days FOR VALUES FROM (0) TO (10)",
        "INSERT INTO days VALUES (1), (2)",
        "CREATE VIEW doubled AS SELECT day * 2 AS day FROM days",
        "CREATE MATERIALIZED VIEW kept AS SELECT * FROM doubled",
    )
    for name, values in (("days", [1, 2]), ("doubled", [2, 4]), ("kept", [2, 4])):
        frame = open_source(f"{postgres.url}#public.{name}", world).lazy().collect()
        assert sorted(frame["day"].to_list()) == values


def test_a_table_that_is_not_there_names_what_is_near(postgres: Database, world: World) -> None:
    assert "no table" in refused(postgres.url, world).next_step
    postgres.run(
        "CREATE TABLE plays (a int)",
        "CREATE SCHEMA s",
        "CREATE TABLE s.users (a int)",
        "CREATE SCHEMA r",
        "CREATE TABLE r.users (a int)",
    )
    assert "public.plays" in refused(postgres.url, world).next_step
    assert "#public.plays" in refused(f"{postgres.url}#palys", world).next_step
    assert "r.users, s.users" in refused(f"{postgres.url}#users", world).next_step


def test_the_same_rows_are_the_same_capture_whatever_the_log_says(
    postgres: Database, world: World
) -> None:
    postgres.run(
        "CREATE TABLE big AS SELECT g AS id, md5(g::text) AS h FROM generate_series(1, 200000) g",
    )
    first = open_source(f"{postgres.url}#big", world)
    postgres.run("CREATE TABLE other (a int)")
    second = open_source(f"{postgres.url}#big", world)
    assert first.fingerprint() == second.fingerprint()
    assert first.state != second.state
    assert first.state.startswith("log position ")
    postgres.run("UPDATE big SET h = 'x' WHERE id = 7")
    assert open_source(f"{postgres.url}#big", world).fingerprint() != first.fingerprint()
    assert first.lazy().collect().height == 200_000


def test_a_table_that_changes_while_it_is_read_is_read_as_of_one_moment(
    postgres: Database, tmp_path: Path
) -> None:
    postgres.run(
        "CREATE TABLE a AS SELECT g AS id, 0 AS n, repeat('x', 100) AS pad"
        " FROM generate_series(1, 300000) g"
    )
    wrote = threading.Event()

    def write_between(step: str) -> None:
        if "rows" in step and not wrote.is_set():
            wrote.set()
            postgres.run("UPDATE a SET n = 1", "DELETE FROM a WHERE id % 2 = 0")

    frame = open_source(f"{postgres.url}#a", World(tmp_path, progress=write_between))
    assert wrote.is_set()
    rows = frame.lazy().select(pl.len(), pl.col("n").sum()).collect().row(0)
    assert rows == (300_000, 0)


@pytest.mark.parametrize("query", ["", "?password=hunter2", "?sslpassword=hunter2"])
def test_an_address_that_holds_a_password_is_refused_and_not_repeated(
    world: World, query: str
) -> None:
    user = "owner" if query else "owner:hunter2"
    error = refused(f"postgresql://{user}@example.org/db{query}#t", world, UsageError)
    assert "hunter2" not in str(error)
    assert "hunter2" not in str(vars(error))
    assert "PGPASSWORD" in error.next_step


def test_what_cannot_be_connected_to_is_one_short_error(
    postgres: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refused("postgresql://owner@127.0.0.1:1/db#t", world)
    assert "Connection refused" in error.message
    assert "server up" in error.next_step
    gone = postgres.url.replace(postgres.name, "nodb")
    assert "does not exist" in refused(f"{gone}#t", world).message
    monkeypatch.setenv("PGPASSWORD", "a-wrong-one")
    error = refused(f"{postgres.url}#t", world)
    assert "password authentication failed" in error.message
    assert "a-wrong-one" not in str(error)
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("HOME", str(world.base))
    assert "PGPASSWORD" in refused(f"{postgres.url}#t", world).next_step


def test_a_table_that_this_user_may_not_read_says_what_to_ask_for(
    postgres: Database, world: World
) -> None:
    name = f"reader_{postgres.name}"
    postgres.run("CREATE TABLE closed (a int)", f"CREATE USER {name} PASSWORD '{PASSWORD}'")
    error = refused(f"{postgres.url.replace('owner', name)}#closed", world)
    assert "may not read public.closed" in error.message
    assert "GRANT SELECT" in error.next_step


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "'infinity'"),
        ("timestamp", "'-infinity'"),
        ("timestamptz", "'infinity'"),
        ("date", "'0044-03-15 BC'"),
        ("timestamptz", "'20000-01-01'"),
        ("numeric(5,2)", "'NaN'"),
    ],
)
def test_a_value_that_no_frame_holds_names_its_column(
    postgres: Database, world: World, captures: Path, kind: str, value: str
) -> None:
    postgres.run(f"CREATE TABLE odd (x {kind})", f"INSERT INTO odd VALUES ({value})")
    assert "column 'x'" in refused(f"{postgres.url}#odd", world).message
    assert list((captures / "sources").iterdir()) == []


def test_a_server_that_goes_away_in_the_middle_leaves_nothing_half_read(
    postgres: Database, tmp_path: Path, captures: Path
) -> None:
    postgres.run(
        "CREATE TABLE a AS SELECT g AS id, repeat('x', 200) AS pad"
        " FROM generate_series(1, 400000) g"
    )

    def end(step: str) -> None:
        if "rows" in step:
            postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'mesh-notebook'"
            )

    error = refused(f"{postgres.url}#a", World(tmp_path, progress=end))
    assert "public.a was not read to its end" in error.message
    assert len(str(error)) < 400
    assert list((captures / "sources").iterdir()) == []


def test_a_schema_that_this_user_may_not_use_is_a_short_error(
    postgres: Database, world: World
) -> None:
    name = f"other_{postgres.name}"
    postgres.run(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int)",
        f"CREATE USER {name} PASSWORD '{PASSWORD}'",
        f"GRANT SELECT ON s.t TO {name}",
    )
    error = refused(f"{postgres.url.replace('owner', name)}#s.t", world)
    assert "permission denied for schema s" in error.message


def test_without_its_part_the_command_that_installs_it_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mesh-notebook\[postgres\]'"):
        open_source("postgresql://h/d#t", world)


def test_a_numeric_without_a_scale_has_one_type_whatever_its_rows_are(
    postgres: Database, world: World
) -> None:
    postgres.run("CREATE TABLE sales (at date, x numeric, price numeric(10,2))")
    rows = ("('2026-09-02', 1.5, 2.5)", "('2026-10-02', 1.00005, 2.5)")
    kinds = set()
    asked = (f"{postgres.url}#sales", _asked_of_months(postgres, "2026-09-01", "2026-10-01"))
    for row in ("", *rows):
        if row:
            postgres.run(f"INSERT INTO sales VALUES {row}")
        for one in asked:
            schema = open_source(one, world).lazy().collect_schema()
            kinds.add((isinstance(one, str), schema["x"], schema["price"]))
    assert kinds == {
        (True, pl.Decimal(38, 9), pl.Decimal(10, 2)),
        (False, pl.Decimal(38, 9), pl.Decimal(38, 9)),
    }


def _asked_of_months(postgres: Database, start: str, end: str) -> Asked:
    query = "SELECT x, price FROM sales WHERE at >= :from AND at < :to"
    return Asked(postgres.url, query=query, start=f"{start}T00:00:00Z", end=f"{end}T00:00:00Z")
