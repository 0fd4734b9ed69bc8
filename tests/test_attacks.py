"""What is tried to see what one may not: each attack, and the proof that it would find something.

The victim is `guests`. Its masked values and its hidden rows are texts and numbers that occur
nowhere else, so whatever comes back is searched for them, byte for byte.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import pickle
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from bundles import Clock, contract, published, write_bundle
from deltalake import DeltaTable
from listeners import grant_roles

from mesh_notebook.errors import (
    AccessDenied,
    ContractError,
    KeyMissing,
    MeshError,
    SpecError,
    UsageError,
)
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.erasure import Subjects
from mesh_notebook.mesh.grants import grant
from mesh_notebook.mesh.keys import Key, key_of, made_key
from mesh_notebook.mesh.masking import token
from mesh_notebook.mesh.pictures import Pictures
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.mesh.replay import ReplayFailed, replay
from mesh_notebook.mesh.sampling import sample
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.vault import Vault
from mesh_notebook.model.policy import Access, Mask, PortPolicy, Principal, RowFilter
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window
from mesh_notebook.workspace.port import Port

pytestmark = pytest.mark.attacks

ADDRESS = "urn:dmesh:local:hotels:guests"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
COLUMNS = {
    "guest": "VARCHAR",
    "email": "VARCHAR",
    "phone": "VARCHAR",
    "salary": "BIGINT",
    "at": "TIMESTAMP_TZ",
    "country": "VARCHAR",
    "city": "VARCHAR",
}
ROWS = pl.DataFrame(
    {
        "guest": ["g1", "g2", "g3", "g4", "g5"],
        "email": ["ann@victim.example", None, "dee@victim.example", "eve@victim.example", "zed@x"],
        "phone": ["+49-170-555", "+49-170-777", "+49-170-555", None, "+33-1-999"],
        "salary": [731_337, 731_002, None, 731_911, 499_499],
        "at": [datetime(2026, 3, 1, 9, minute, 17, tzinfo=UTC) for minute in (41, 5, 53, 22, 59)],
        "country": ["DE", "DE", "DE", "DE", "FR"],
        "city": ["Kiel", "Bonn", "Kiel", "Ulm", "Versteckingen"],
    },
    schema_overrides={"at": pl.Datetime("us", "UTC")},
)
GUESSES = ["ann@victim.example", "dee@victim.example", "eve@victim.example", "+49-170-555"]
INSTANTS = [f"2026-03-01{gap}09:{m}:17" for gap in "T " for m in (41, "05", 53, 22)]
MICROS = [str(int(at.timestamp()) * 1_000_000) for at in ROWS["at"].head(4)]
# What nobody but the officer may ever get hold of, in columns that are masked and in rows that are
# filtered.
MASKED = [*GUESSES, "+49-170-777", "731337", "731002", "731911", *INSTANTS, *MICROS]
HIDDEN = ["Versteckingen", "g5", "zed@x", "+33-1-999", "499499"]

BO, ANA = Principal("bo"), Principal("ana", roles=frozenset({"analyst"}))
OLGA = Principal("olga", roles=frozenset({"privacy-officer"}))
OFFICERS = ("privacy-officer",)
POLICY = PortPolicy(
    "guests",
    masks=(
        Mask("email", "redact", OFFICERS),
        Mask("phone", "tokenise", OFFICERS),
        Mask("salary", "generalise", OFFICERS, to="100000"),
        Mask("at", "generalise", OFFICERS, to="day"),
    ),
    rows=(RowFilter("country = 'DE'", OFFICERS),),
)
CORRECTED = ROWS.with_columns(email=pl.col("email").str.replace("ann", "eve"))


class Guests:
    """A product of one port, published under ever other policies, and opened by whom one likes."""

    def __init__(self, folder: Path, kind: str = "snapshot", **temporality: str) -> None:
        self.folder, self.root, self.minor = folder, folder / "mesh", 0
        self.temporality = {"kind": kind, **temporality}
        self.clock = Clock(datetime(2026, 6, 1, tzinfo=UTC), timedelta(hours=1))
        made_key(ADDRESS)
        grant_roles(self.root)

    def publish(
        self,
        rows: pl.DataFrame = ROWS,
        policy: PortPolicy | None = None,
        version: str = "",
        port: str = "guests",
        key: tuple[str, ...] = ("guest",),
    ) -> Receipt:
        self.minor += 1
        types = {name: COLUMNS.get(name, "VARCHAR") for name in rows.columns}
        timed = "at" if "at" in types else None
        made = write_bundle(
            self.folder / "bundle",
            address=ADDRESS,
            version=version or f"1.{self.minor}.0",
            ports={port: contract(types, id=f"{ADDRESS}:{port}:1", key=key, event_time=timed)},
            inputs=(),
            temporality=self.temporality,
            policies=[policy] if policy else [],
        )
        return published(made, self.root, self.clock, **{port: rows})

    @property
    def product(self) -> PublishedProduct:
        return Catalogue([self.root]).resolve("guests")[0]

    def port(self, who: Principal = BO, *window: Any, port: str = "guests") -> Port:
        start, end, as_of = (*window, None, None, None)[:3]
        reading = read_port(self.product, port, Window.of(start, end, as_of, NOW), who)
        return Port(reading, Pictures(self.product, reading), lambda: NOW)

    def frame(self, who: Principal = BO, *window: Any) -> pl.DataFrame:
        return self.port(who, *window).lazy().collect().sort("guest")

    @cached_property
    def files(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_file()]

    def stored(self) -> pl.DataFrame:
        """Return the table as any reader of Delta sees it."""
        folder = self.root / "hotels" / "guests" / "ports" / "guests" / "v1"
        return pl.DataFrame(DeltaTable(folder).to_pyarrow_table())


@pytest.fixture
def guests(tmp_path: Path) -> Guests:
    return Guests(tmp_path)


@pytest.fixture(scope="module")
def published_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, dict[str, Guests]]]:
    folder = tmp_path_factory.mktemp("keys-of-guests")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESH_KEYS", str(folder))
        made = {}
        for name, kind, policies in (
            ("a snapshot", "snapshot", (POLICY, POLICY)),
            ("a log", "log", (POLICY, POLICY)),
            ("protected since a later snapshot", "snapshot", (None, POLICY)),
            ("a log protected since later", "log", (None, POLICY)),
            ("open", "snapshot", (None, None)),
        ):
            made[name] = Guests(tmp_path_factory.mktemp("guests"), kind)
            for rows, policy in zip((ROWS, CORRECTED), policies, strict=True):
                made[name].publish(rows, policy)
        yield folder, made


@pytest.fixture
def stages(
    published_once: tuple[Path, dict[str, Guests]], keys: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Guests]:
    """The product in all the ways in which it can have come to its policy; and one without.

    Its key is at hand for whoever asks: it is not for want of a key that an attack fails.
    """
    monkeypatch.setenv("MESH_KEYS", str(published_once[0]))
    return published_once[1]


PROTECTED = ["a snapshot", "a log", "protected since a later snapshot"]
PROTECTED += ["a log protected since later"]


@pytest.fixture(params=PROTECTED)
def victim(request: pytest.FixtureRequest, stages: dict[str, Guests]) -> Guests:
    return stages[request.param]


def text_of(found: Any) -> str:
    """Return all that something tells, as text to be searched."""
    if isinstance(found, pl.LazyFrame):
        found = found.collect()
    if isinstance(found, pl.DataFrame):
        return found.with_columns(pl.col(pl.Binary).bin.encode("hex")).write_ndjson()
    if isinstance(found, bytes):
        return found.decode("latin-1")
    if isinstance(found, Path):
        return text_of(found.read_bytes()) + "".join(_unpacked(found))
    if isinstance(found, list | tuple):
        return "\n".join(map(text_of, found))
    if isinstance(found, BaseException):
        return f"{found} {found!r} {vars(found)} {text_of(str(found.__cause__))}"
    return found if isinstance(found, str) else json.dumps(found, default=repr, ensure_ascii=False)


def _unpacked(path: Path) -> Iterator[str]:
    """Yield what a search of the bytes alone would miss: they are compressed."""
    with path.open("rb") as file:
        head = file.read(6)
    if head[:4] == b"PAR1":
        yield text_of(pl.read_parquet(path, hive_partitioning=False))
        yield str(pq.read_metadata(path).to_dict())
    elif head == b"ARROW1":
        yield text_of(pl.read_ipc(path))


def leaked(found: Any, secrets: list[str]) -> set[str]:
    text = text_of(found)
    return {secret for secret in secrets if secret in text}


def trying(act: Callable[..., Any], *given: Any) -> Any:
    """Return what an attack gives, or the error that it meets, which may tell as much."""
    try:
        return text_of(act(*given))
    except (MeshError, pl.exceptions.PolarsError, ValueError, duckdb.Error) as error:
        return error


# ---- SQL, Polars, files, events, graph ---------------------------------------------------------

VALUES = ", ".join(f"('{guess}')" for guess in GUESSES)
SQL = {
    "a plain read": "FROM port",
    "an alias": 'SELECT email AS a, phone AS b, salary AS c, "at" AS d FROM port',
    "an expression": "SELECT email || '' AS a, phone[:] AS b, salary + 0 AS c, "
    ' epoch_us("at") AS d FROM port',
    "a sort": 'SELECT email, phone, salary FROM port ORDER BY email, phone, salary, "at" DESC',
    "a join with guesses": f"SELECT v FROM (VALUES {VALUES}) AS t(v) JOIN port"
    " ON email = v OR phone = v",
    "a guess in a predicate": "SELECT 731337 AS hit FROM port WHERE salary = 731337",
    "a predicate that divides by zero": "SELECT 731337 AS hit FROM port"
    " WHERE 1 // (salary - 731337) IS NULL AND salary IS NOT NULL",
    "a subquery": "SELECT (SELECT max(email) FROM port) AS a, (SELECT min(salary) FROM port) AS b",
    "min and max": 'SELECT min(email), max(phone), min(salary), max("at") FROM port',
    "a list": "SELECT list(email) AS a, list(salary) AS b, histogram(phone)::VARCHAR AS c"
    " FROM port",
    "a quantile": "SELECT quantile_disc(salary, [0.1, 0.5, 0.9]) AS q, mode(email) AS m FROM port",
    "a window": "SELECT lag(email) OVER (ORDER BY guest) AS a, first(phone) OVER () AS b FROM port",
    "SUMMARIZE": "SELECT * EXCLUDE (q25, q50, q75) FROM (SUMMARIZE port)",
    "stats()": "SELECT stats(email)::VARCHAR AS a, stats(salary)::VARCHAR AS b,"
    ' stats("at")::VARCHAR AS c, stats(city)::VARCHAR AS d FROM port',
    "PIVOT": "PIVOT port ON country USING max(email) AS a, max(salary) AS b",
    "an error of CAST": "SELECT CAST(email AS BIGINT) AS n FROM port",
    "an error of a smaller type": "SELECT CAST(salary AS TINYINT) AS n FROM port",
    "an error of strptime": "SELECT strptime(phone, '%Y') AS t FROM port",
    "an error that says it": "SELECT error('it is ' || coalesce(email, phone)) AS e FROM port",
    "a row as a whole": "SELECT port::VARCHAR AS whole, to_json(port) AS again FROM port",
    "a hash to compare": f"SELECT v FROM (VALUES {VALUES}) AS t(v) JOIN port"
    " ON md5(email) = md5(v) OR sha256(phone) = sha256(v)",
    "a pattern": f"SELECT v FROM (VALUES {VALUES}) AS t(v) JOIN port ON email LIKE v"
    " OR starts_with(phone, v)",
    "hidden rows": "SELECT count(*) AS n, list(city) AS c, list(guest) AS g FROM port",
    "hidden rows by a window": "SELECT city, count(*) AS n FROM port WHERE \"at\" >= '2026-01-01'"
    " GROUP BY ROLLUP (city)",
    "hidden rows by a filter that is always true": "SELECT city FROM port"
    " WHERE country <> 'DE' OR true",
}


def _summed(lf: pl.LazyFrame) -> Any:
    return lf.select(
        pl.all().max().name.suffix(" most"), pl.all().min().name.suffix(" least")
    ).collect()


def _raising(value: Any) -> None:
    raise ValueError(value)


POLARS: dict[str, Callable[[pl.LazyFrame], Any]] = {
    "a plain read": lambda lf: lf,
    "an alias": lambda lf: lf.select(a="email", b="phone", c="salary", d="at"),
    "an expression": lambda lf: lf.select(
        pl.col("email").str.to_uppercase().str.to_lowercase(), pl.col("salary") + 0
    ),
    "a sort": lambda lf: lf.sort("email", "salary", descending=True),
    "a join with guesses": lambda lf: pl.LazyFrame({"email": GUESSES}).join(lf, on="email"),
    "a guess in a predicate": lambda lf: lf.filter(
        (pl.col("salary") == 731337) | pl.col("phone").is_in(GUESSES)
    ).with_columns(hit=pl.lit(731337)),
    "min and max": _summed,
    "describe": lambda lf: lf.describe(),
    "a strict cast": lambda lf: lf.select(pl.col("email").cast(pl.Int64)).collect(),
    "a smaller type": lambda lf: lf.select(pl.col("salary").cast(pl.Int8)).collect(),
    "a strict date": lambda lf: lf.select(pl.col("phone").str.to_date("%Y")).collect(),
    "a function that raises": lambda lf: lf.select(
        pl.col("email").map_elements(_raising, return_dtype=pl.String)
    ).collect(),
    "streaming": lambda lf: lf.collect(engine="streaming"),
    "a slice from behind": lambda lf: lf.tail(3),
    "with the row's number": lambda lf: lf.with_row_index().reverse(),
    "SQL of Polars": lambda lf: pl.SQLContext(p=lf).execute("SELECT email, salary, city FROM p"),
    "a group": lambda lf: lf.group_by("country").agg(pl.all()),
}
FILES = ("parquet", "csv", "ndjson", "arrow", "events", "graph")
MODES: dict[str, Callable[[Port, Path], Any]] = {
    **{
        f"the {form} file": lambda port, folder, form=form: (
            port.write(folder / f"out.{form}", form),
            folder / f"out.{form}",
        )
        for form in FILES
    },
    **{f"{form} in memory": lambda port, _, form=form: port.encoded(form) for form in FILES},
    "the events": lambda port, _: list(port.events()),
    "the events since the first publication": lambda port, _: list(
        port.events("2026-06-01T02:00:00Z")
    ),
    "the graph": lambda port, _: port.graph(),
    "the Arrow stream": lambda port, _: pl.DataFrame(port.arrow().read_all()),
    "a sample": lambda port, _: sample(port.lazy(), ("guest",), 100, 0).frame,
    "the proof's scan": lambda port, _: Scan.from_dict(
        json.loads(json.dumps(port.reading.scan.as_dict()))
    ).lazy(),
    "the file of the files": lambda port, _: [
        pl.scan_parquet(path, hive_partitioning=False).select(port.reading.contract.key)
        for path in port.reading.scan.paths
    ],
}

ATTACKS: dict[str, Callable[[Port, Path], Any]] = {
    **{f"SQL: {name}": lambda port, _, q=query: port.sql(q) for name, query in SQL.items()},
    **{f"Polars: {name}": lambda port, _, a=act: a(port.lazy()) for name, act in POLARS.items()},
    **{f"mode: {name}": act for name, act in MODES.items()},
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_finds_nothing(attack, victim, tmp_path):
    for who in (BO, ANA):
        found = trying(ATTACKS[attack], victim.port(who), tmp_path)
        assert not leaked(found, MASKED + HIDDEN), attack


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_would_find_something_where_nothing_is_protected(attack, stages, tmp_path):
    found = trying(ATTACKS[attack], stages["open"].port(BO), tmp_path)
    assert leaked(found, MASKED + HIDDEN), attack


@pytest.mark.parametrize("stage", PROTECTED)
def test_the_officer_sees_every_value_in_every_mode(stage, stages, tmp_path, monkeypatch):
    port = stages[stage].port(OLGA)
    assert stages[stage].frame(OLGA).equals(CORRECTED)
    for form in ("csv", "ndjson", "graph"):
        assert leaked(port.encoded(form), HIDDEN) == set(HIDDEN)


@pytest.mark.parametrize("moment", ["2026-06-01T02:30:00Z", "2026-06-01T05:00:00Z"])
def test_no_earlier_version_tells_more(victim, moment, tmp_path):
    first = victim.product.receipt(1).processing_time
    for as_of in (first, moment):
        port = victim.port(BO, None, None, as_of)
        for act in ATTACKS.values():
            assert not leaked(trying(act, port, tmp_path), MASKED + HIDDEN)


@pytest.mark.parametrize("mode", [*MODES, "SQL", "Polars"])
def test_who_is_denied_gets_nothing_in_any_mode(guests, mode):
    guests.publish(policy=replace(POLICY, access=Access(("analyst",))))
    assert guests.frame(ANA).height == 4
    for who in (BO, replace(ANA, roles=frozenset({"Analyst", "analyst "}))):
        with pytest.raises(AccessDenied) as denied:
            guests.port(who)
        assert not leaked(denied.value, MASKED + HIDDEN)


# ---- what plans, views and errors tell of where things lie --------------------------------------

PLANS: dict[str, Callable[[Port], Any]] = {
    "EXPLAIN": lambda port: port.sql("EXPLAIN SELECT * FROM port WHERE email = 'x'"),
    "EXPLAIN ANALYZE": lambda port: port.sql("EXPLAIN ANALYZE SELECT * FROM port"),
    "duckdb_views()": lambda port: port.sql("SELECT * FROM duckdb_views() WHERE NOT internal"),
    "duckdb_columns()": lambda port: port.sql(
        "SELECT column_name FROM duckdb_columns() WHERE NOT internal"
    ),
    "DESCRIBE": lambda port: port.sql("DESCRIBE port"),
    "a column that is not there": lambda port: port.sql("SELECT _sealed_emial FROM port"),
    "lf.explain()": lambda port: port.lazy().explain() + port.lazy().explain(optimized=False),
    "lf.serialize()": lambda port: port.lazy().serialize(),
    "the schema": lambda port: list(port.lazy().collect_schema()),
    "the reading": lambda port: repr(port.reading.scan.paths) + repr(port),
}


@pytest.mark.parametrize("plan", PLANS)
def test_no_plan_names_what_is_hidden(plan, stages):
    victim = stages["a snapshot"]
    hidden = set(victim.port(OLGA).reading.scan.paths) - set(victim.port(BO).reading.scan.paths)
    assert len(hidden) == 1
    names = [Path(path).name for path in hidden]
    found = trying(PLANS[plan], victim.port(BO))
    assert not leaked(found, [*names, *MASKED, *HIDDEN, "_sealed_email", "_sealed_salary"])


@pytest.mark.parametrize("plan", ["duckdb_views()", "lf.explain()", "the reading"])
def test_a_plan_would_name_files(plan, stages):
    port = stages["open"].port(BO)
    assert leaked(trying(PLANS[plan], port), [Path(p).name for p in port.reading.scan.paths])


@pytest.mark.parametrize(
    "column", ["_sealed_email", "_rows", "_subject", "filename", "file_row_number", "file_index"]
)
def test_the_stores_own_columns_are_not_to_be_had(column, stages):
    for stage in PROTECTED:
        with pytest.raises(MeshError):
            stages[stage].port(BO).sql(f"SELECT {column} FROM port")
    if column == "_sealed_email":
        assert column in stages["a snapshot"].stored().columns


AROUND = (
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT stats_min_value, stats_max_value FROM parquet_metadata('{file}')",
    "SELECT * FROM parquet_bloom_probe('{file}', 'email', 'x')",
    "SELECT content FROM read_blob('{file}')",
    "SELECT * FROM glob('{file}')",
    "SELECT * FROM query('FROM read_parquet(''{file}'')')",
    "FROM query_table('{file}')",
    "SELECT content FROM read_text('{key}')",
    "WITH x AS (FROM '{file}') FROM x",
    "EXPLAIN ANALYZE SELECT * FROM read_parquet('{file}')",
    "PRAGMA storage_info('port')",
    "COPY port TO '{file}.csv'",
    "ATTACH '{file}' AS a",
    "CREATE MACRO m() AS TABLE FROM read_parquet('{file}')",
    "SELECT getenv('MESH_KEYS')",
)


@pytest.mark.parametrize("query", AROUND)
def test_no_query_reaches_round_the_port(query, stages):
    victim = stages["a snapshot"]
    file = next(iter(victim.port(OLGA).reading.scan.paths))
    key = next(Path(os.environ["MESH_KEYS"]).glob("*.key"))
    with pytest.raises(MeshError) as refused:
        victim.port(BO).sql(query.format(file=file, key=key))
    assert key.read_text().strip() not in text_of(refused.value)


def test_such_queries_would_reach_the_files(stages):
    file = stages["open"].port(BO).reading.scan.paths[0]
    found = [duckdb.sql(query.format(file=file)).pl() for query in AROUND[:3]]
    assert all(leaked(one, MASKED) for one in found)


# ---- a notebook ---------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", ["", "privacy-officer"])
def test_a_notebook_sees_no_more_whatever_it_claims(shell, stages, monkeypatch, capsys, claim):
    monkeypatch.setenv("MESH_ROOTS", str(stages["a snapshot"].root))
    monkeypatch.setenv("MESH_ROLES", claim)
    shell.run("%reload_ext mesh_notebook")
    shell.run("import polars as pl")
    shell.run("%mesh connect guests")
    found = [shell.names["guests"].collect()]
    for at, query in enumerate(SQL.values()):
        text = query.replace("port::", "guests::").replace("(port)", "(guests)")
        text = text.replace("FROM port", "FROM guests").replace("JOIN port", "JOIN guests")
        text = text.replace("SUMMARIZE port", "SUMMARIZE guests").replace(
            "PIVOT port", "PIVOT guests"
        )
        found.append(trying(shell.run, f"%%mesh sql r{at}\n{text}"))
        found.append(shell.names.get(f"r{at}", ""))
    found += [trying(shell.run, "%mesh read guests"), trying(shell.run, "%mesh history guests")]
    found += [trying(shell.run, "%mesh use guests sample"), shell.names["guests"].collect()]
    found += [trying(shell.run, "guests.select(pl.col('email').cast(int)).collect()")]
    shown = [shell.shown(one) for one in found if not isinstance(one, str | BaseException)]
    assert not leaked([*found, *map(str, shown), *capsys.readouterr()], MASKED + HIDDEN)


# ---- order, counts, windows ---------------------------------------------------------------------


def by_salary() -> pl.DataFrame:
    """Rows in the order of a value that is hidden, as a transform may leave them."""
    salaries = [(n * 7919) % 1000 for n in range(200)]
    frame = pl.DataFrame({"guest": [f"g{n:03}" for n in range(200)], "salary": salaries})
    return frame.with_columns(note=pl.lit("same")).sort("salary")


def test_the_order_of_rows_does_not_follow_a_hidden_value(guests):
    rows = by_salary()
    hide = PortPolicy("guests", masks=(Mask("salary", "null", OFFICERS),))
    guests.publish(rows)
    assert guests.port(BO).lazy().collect()["salary"].is_sorted()
    assert guests.port(BO).lazy().collect()["guest"].equals(rows["guest"])
    guests.publish(rows, hide)
    for query in ("FROM port", "FROM port ORDER BY salary"):
        seen = guests.port(BO).sql(query)["guest"]
        assert seen.is_sorted()
        assert not rows["guest"].is_sorted()
    assert guests.frame(OLGA)["salary"].equals(rows.sort("guest")["salary"])


@pytest.mark.parametrize("stage", PROTECTED)
def test_an_order_by_a_masked_column_is_one_of_the_mask(stage, stages):
    port = stages[stage].port(BO)
    ranks = {
        tuple(port.sql(f"SELECT guest FROM port ORDER BY {column}, guest")["guest"])
        for column in ("email", "salary", '"at"')
    }
    salaries = port.sql("SELECT guest FROM port ORDER BY salary NULLS LAST, guest")["guest"]
    assert salaries.to_list() == ["g1", "g2", "g4", "g3"]
    assert ranks <= {("g1", "g2", "g3", "g4"), ("g1", "g2", "g4", "g3"), ("g3", "g1", "g2", "g4")}
    real = stages["open"].port(BO).sql("FROM port WHERE country = 'DE' ORDER BY salary, guest")
    assert real["guest"].to_list() == ["g2", "g1", "g4", "g3"]


def test_a_redacted_null_is_not_to_be_told_from_a_value(victim):
    counted = victim.port(BO).sql("SELECT count(*) AS n, count(email) AS e FROM port").row(0)
    assert counted in {(4, 4), (4, 0)}
    assert victim.port(OLGA).sql("SELECT count(email) AS e FROM port")["e"].item() == 4


@pytest.mark.parametrize("stage", PROTECTED)
def test_no_window_is_finer_than_the_mask(stage, stages):
    hours = [f"2026-03-01T{hour:02}:{m}:00Z" for hour in (0, 9, 10, 23) for m in ("00", "30")]
    pairs = [(a, b) for a in hours for b in hours if a < b]
    counts = {stages[stage].port(BO, a, b).rows() for a, b in pairs if a > hours[0]}
    assert counts == {0}
    assert stages[stage].port(BO, "2026-03-01", "2026-03-02").rows() == 4
    assert {stages["open"].port(BO, a, b).rows() for a, b in pairs} > {0, 5}
    # Who sees the instants has them cut by the instants, whatever the files say of the days.
    assert stages[stage].port(OLGA, "2026-03-01T09:40:00Z", "2026-03-01T09:55:00Z").rows() == 2


def test_the_count_of_hidden_rows_is_in_no_mode(victim, tmp_path):
    port = victim.port(BO)
    assert port.rows() == 4
    assert port.sql("SELECT count(*) AS n FROM port")["n"].item() == 4
    assert sample(port.lazy(), ("guest",), 2, 0).of == 4
    assert port.write(tmp_path / "out.csv").rows == 4
    assert len(port.graph()["@graph"]) == 5  # and the port's own node


def test_events_of_hidden_rows_are_not_told(tmp_path):
    log = Guests(tmp_path, kind="log")
    log.publish(ROWS, POLICY)
    before = [event["cursor"] for event in log.port(BO).events()]
    log.publish(ROWS.tail(1).with_columns(city=pl.lit("Neuversteck")), POLICY)
    assert [event["cursor"] for event in log.port(BO).events()] == before
    assert leaked(list(log.port(OLGA).events()), ["Neuversteck"])
    log.publish(ROWS.head(1).with_columns(country=pl.lit("FR"), city=pl.lit("Weitweg")), POLICY)
    told = list(log.port(BO).events(before[-1]))
    assert [event["type"] for event in told] == ["dmesh.row.removed"]
    assert not leaked(told, ["Weitweg", *MASKED, *HIDDEN])


def test_a_picture_of_an_interval_is_seen_through_the_policy_of_now(tmp_path):
    monthly = Guests(tmp_path, interval="P1M")
    april = ROWS.with_columns(at=pl.col("at").dt.offset_by("1mo"))
    monthly.publish(ROWS)
    monthly.publish(april, replace(POLICY, masks=(Mask("email", "tokenise", OFFICERS),)))
    monthly.publish(ROWS.with_columns(at=pl.col("at").dt.offset_by("2mo")), POLICY)
    whole = monthly.port(BO, "2026-01-01", "2026-12-01")
    for act in ATTACKS.values():
        assert not leaked(trying(act, whole, tmp_path), MASKED + HIDDEN)
    months = monthly.port(OLGA, "2026-01-01", "2026-12-01").lazy().collect()
    assert months["email"].sort().equals(pl.concat([ROWS["email"]] * 3).sort())


# ---- a policy that changes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "now",
    [
        Mask("email", "truncate", OFFICERS, keep=3),
        Mask("email", "tokenise", OFFICERS),
        Mask("email", "tokenise", OFFICERS, key="shared"),
        Mask("email", "redact", OFFICERS),
    ],
    ids=lambda mask: f"{mask.kind} {mask.key}",
)
def test_a_mask_that_becomes_another_does_not_show_what_the_first_let_through(guests, now):
    made_key("shared")
    showing = Mask("email", "truncate", OFFICERS, keep=9)
    first = guests.publish(policy=PortPolicy("guests", masks=(showing,)))
    assert leaked(guests.frame(BO), ["ann@victi"])
    guests.publish(policy=PortPolicy("guests", masks=(now,)))
    assert guests.frame(BO, None, None, first.processing_time)["email"].null_count() == 5
    assert guests.frame(OLGA, None, None, first.processing_time).equals(ROWS)


def test_a_port_that_is_served_no_more_keeps_the_last_policy_that_it_had(guests):
    first = guests.publish()
    guests.publish(policy=POLICY)
    guests.publish(ROWS.rename({"guest": "id"}).select("id", "city"), None, "2.0.0", "others", ())
    seen = guests.frame(BO, None, None, first.processing_time)
    assert not leaked(seen, MASKED + HIDDEN)
    assert guests.frame(OLGA, None, None, first.processing_time).equals(ROWS)


@pytest.mark.parametrize("policy", [None, replace(POLICY, masks=(), rows=())])
def test_a_column_that_is_gone_keeps_the_last_policy_that_spoke_of_it(guests, policy):
    first = guests.publish()
    second = guests.publish(policy=POLICY)
    guests.publish(ROWS.select("guest", "city"), policy, "2.0.0")
    for receipt in (first, second):
        seen = guests.frame(BO, None, None, receipt.processing_time)
        assert not leaked(seen, MASKED + HIDDEN)
        assert guests.frame(OLGA, None, None, receipt.processing_time).equals(ROWS)


def test_a_policy_that_is_taken_back_shows_what_was_under_it(guests):
    first = guests.publish(policy=POLICY)
    guests.publish()
    assert guests.frame(BO, None, None, first.processing_time).equals(ROWS)


def test_a_filter_of_later_tells_no_value_by_an_error(guests):
    rows = ROWS.with_columns(city=pl.lit("12"))
    first = guests.publish(ROWS, PortPolicy("guests", masks=POLICY.masks))
    where = "CAST(city AS BIGINT) > 0"
    guests.publish(rows, PortPolicy("guests", masks=POLICY.masks, rows=(RowFilter(where),)))
    assert guests.frame(BO).height == 5
    assert trying(guests.frame, BO, None, None, first.processing_time) == ""
    with pytest.raises(pl.exceptions.PolarsError, match="Kiel"):
        ROWS.select(pl.sql_expr(where))


@pytest.mark.parametrize("where", ["email <> 'zed@x'", "email IS NULL OR email = '***'", "true"])
def test_a_filter_of_later_on_values_that_are_gone_shows_nothing(guests, where):
    lost = Mask("email", "redact")
    first = guests.publish(policy=PortPolicy("guests", masks=(lost,)))
    guests.publish(policy=PortPolicy("guests", masks=(lost,), rows=(RowFilter(where),)))
    seen = guests.frame(BO, None, None, first.processing_time)
    assert seen.height == (5 if where == "true" else 0)


# ---- what lies in files -------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["a snapshot", "a log"])
def test_no_file_of_the_mesh_holds_a_masked_value(stage, stages):
    for path in stages[stage].files:
        assert not leaked(path, MASKED), path
        assert not leaked(str(path), MASKED + HIDDEN)
    opened = {path for path in stages["open"].files if leaked(path, MASKED)}
    assert {path.suffix for path in opened} == {".parquet", ".json"}  # rows, and their extremes


def test_no_receipt_can_be_guessed_by_dictionary(guests):
    one = ROWS.filter(guest="g1")

    def contents(policy: PortPolicy | None, email: str) -> str:
        rows = one.with_columns(email=pl.lit(email))
        return guests.publish(rows, policy).ports["guests"].content

    hide = PortPolicy("guests", masks=(Mask("email", "redact"),))
    assert contents(hide, "ann@victim.example") == contents(hide, "dee@victim.example")
    assert contents(None, "ann@victim.example") != contents(None, "dee@victim.example")
    # Where the values are kept, the hash is one of ciphertexts, of which nobody has the key.
    kept = contents(POLICY, "ann@victim.example")
    shutil.rmtree(os.environ["MESH_KEYS"])
    made_key(ADDRESS)
    assert contents(POLICY, "ann@victim.example") != kept


def test_a_reader_of_later_rows_leaves_nothing_open_in_the_cache(guests, captures):
    guests.publish()
    first = guests.publish(policy=PortPolicy("guests", masks=POLICY.masks))
    late = replace(POLICY, rows=(RowFilter("country = 'DE'", ("auditor",)),))
    guests.publish(policy=late)
    grant(place_of(guests.root), OLGA.name, "auditor", "ola", datetime(2026, 1, 1, tzinfo=UTC))
    for who, height in ((BO, 4), (OLGA, 4), (replace(OLGA, roles=frozenset({"auditor"})), 5)):
        assert guests.frame(who, None, None, first.processing_time).height == height
    folder = captures / "policies"
    cached = list(folder.iterdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in cached} == {0o600}
    assert len(cached) == 2  # each view has its own
    for path in cached:
        assert not leaked(path, MASKED + HIDDEN)
    assert leaked(guests.frame(OLGA, None, None, first.processing_time), MASKED)
    # What no decision of before shows: the column was in clear then.
    start = guests.product.receipt(1).processing_time
    assert not leaked(guests.frame(BO, None, None, start), MASKED + HIDDEN)
    assert not any(leaked(path, HIDDEN) for path in folder.iterdir())


def test_a_column_named_like_one_of_the_stores_own_is_not_let_in(guests):
    sneaked = ROWS.with_columns(_sealed_email=pl.col("email"))
    made = write_bundle(
        guests.folder / "bundle",
        address=ADDRESS,
        ports={"guests": contract(COLUMNS, id=f"{ADDRESS}:guests:1", event_time="at")},
        inputs=(),
    )
    with pytest.raises(ContractError, match="_sealed_email"):
        published(made, guests.root, guests.clock, guests=sneaked)
    with pytest.raises(UsageError, match="keeps for itself"):
        guests.publish(sneaked, POLICY)


# ---- ciphertexts and tokens ---------------------------------------------------------------------


def sealed(guests: Guests, **columns: Any) -> pl.DataFrame:
    """Publish such values redacted, and return them as they lie in the table."""
    many = max(len(values) for values in columns.values())
    rows = pl.DataFrame({"guest": [f"g{n}" for n in range(many)], **columns})
    hide = [
        Mask(name, "redact" if rows[name].dtype == pl.String else "null", OFFICERS)
        for name in columns
    ]
    guests.publish(rows, PortPolicy("guests", masks=tuple(hide)))
    assert guests.frame(OLGA).equals(rows.sort("guest"))
    return guests.stored()


def test_equal_values_do_not_look_alike_at_rest(guests):
    stored = sealed(guests, email=["same"] * 50)
    assert stored["_sealed_email"].n_unique() == 50
    assert guests.frame(OLGA)["email"].n_unique() == 1


def test_neither_nulls_nor_short_values_are_told_by_their_length(guests):
    values = [None, "", "no", "yes", "ann@victim.example", "\0", "\0\x80", "é", "e\u0301"]
    stored = sealed(guests, email=values, salary=[0, None, 1, -1, 2**62, 7, 8, 9, 10])
    for column in ("_sealed_email", "_sealed_salary"):
        assert stored[column].bin.size().n_unique() == 1


def test_a_ciphertext_moved_to_another_row_or_column_does_not_open():
    made_key(ADDRESS)
    vault = Vault(key_of(ADDRESS), "guests")
    rows = pl.Series(["1:a", "1:b"])
    there = vault.sealed(pl.Series("email", ["x", "y"]), rows)
    assert vault.opened(there, rows, pl.String()).to_list() == ["x", "y"]
    for moved, vault_then in (
        (there.reverse(), vault),
        (there.alias("phone"), vault),
        (there, Vault(key_of(ADDRESS), "other")),
    ):
        with pytest.raises(KeyMissing):
            vault_then.opened(moved, rows, pl.String())


def test_keys_that_read_alike_when_joined_are_not_alike():
    from mesh_notebook.mesh.sealing import row_key

    pairs = [("a", "b\x1fc"), ("a\x1fb", "c"), ("", None), (None, ""), ("a1:b", ""), ("a", "1:b")]
    rows = pl.DataFrame(pairs, schema={"one": pl.String, "two": pl.String}, orient="row")
    made = row_key(rows, ("one", "two"))
    assert made is not None
    assert made.n_unique() == len(pairs)


@pytest.mark.parametrize("kind", ["tokenise", "encrypt"])
def test_a_token_is_not_to_be_guessed_without_the_key(guests, kind):
    guests.publish(policy=PortPolicy("guests", masks=(Mask("phone", kind, OFFICERS),)))
    seen = guests.frame(BO)["phone"].drop_nulls().to_list()
    publicly = [b"", ADDRESS.encode(), b"guests", b"phone", b"mesh-notebook", b"\0" * 32]

    def found(tokens: list[str], phones: list[str]) -> set[str]:
        digests = {
            make(phone.encode()).hex()
            for phone in phones
            for make in (
                *(lambda t, n=n: hashlib.new(n, t).digest() for n in ("md5", "sha1", "sha256")),
                *(lambda t, k=k: hmac.digest(k, t, "sha256") for k in publicly),
                *(lambda t, k=k: hashlib.sha256(k + t).digest() for k in publicly),
            )
        }
        return {t for t in tokens if any(d.startswith(t[:16]) or t in d for d in digests)}

    phones = ROWS["phone"].drop_nulls().to_list()
    assert not found(seen, phones)
    assert found([hashlib.sha256(phones[0].encode()).hexdigest()[:32]], phones)


def test_tokens_of_other_columns_and_other_products_are_others(guests):
    both = (Mask("phone", "tokenise", OFFICERS), Mask("email", "tokenise", OFFICERS))
    same = ROWS.with_columns(email="phone")
    guests.publish(same, PortPolicy("guests", masks=both))
    seen = guests.frame(BO)
    assert not set(seen["phone"].drop_nulls()) & set(seen["email"].drop_nulls())
    made_key("urn:dmesh:local:hotels:others")
    others = key_of("urn:dmesh:local:hotels:others").derived("tokenise", "phone")
    own = key_of(ADDRESS)
    assert token(own.derived("tokenise", "phone"), "+33-1-999") in set(seen["phone"])
    # Nor are they those of a policy that names this product's key as one to share.
    for guess in (others, own.derived("tokenise"), own.derived("encrypt", "phone")):
        assert token(guess, "+33-1-999") not in set(seen["phone"])


def test_rows_of_one_subject_are_not_told_to_be_of_one(guests):
    visits = pl.DataFrame({"guest": ["v1", "v2", "v3"], "email": ["ann", "ann", "ben"]})
    hide = PortPolicy("guests", masks=(Mask("email", "redact", OFFICERS),), subject="email")
    guests.publish(visits, hide)
    stored = guests.stored()
    assert stored["_subject"].n_unique() == 3
    assert guests.frame(OLGA).equals(visits)
    assert Subjects(ADDRESS, "email").erase("ann")
    assert guests.frame(OLGA)["email"].to_list() == [None, None, "ben"]


def test_who_was_erased_is_gone_from_the_cache_of_later_filters_too(guests, captures):
    hide = PortPolicy("guests", masks=(Mask("email", "redact", OFFICERS),), subject="email")
    first = guests.publish(policy=hide)
    guests.publish(policy=replace(hide, rows=(RowFilter("country = 'DE'"),)))
    assert leaked(guests.frame(OLGA, None, None, first.processing_time), ["ann@victim.example"])
    assert list((captures / "policies").iterdir())
    Subjects(ADDRESS, "email").erase("ann@victim.example")
    again = guests.frame(OLGA, None, None, first.processing_time)
    assert not leaked(again, ["ann@victim.example"])
    assert leaked(again, ["dee@victim.example"])


# ---- keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../other",
        "a/../../other",
        "/etc/passwd",
        "..",
        ".hidden",
        "a\0b",
        "a/b",
        "~",
        "a\n",
        "é",
        "",
    ],
)
def test_no_name_of_a_key_leads_out_of_the_folder(keys, name):
    (keys.parent / "other.key").write_bytes(b"QUJD" * 16)
    (keys.parent / "other.key").chmod(0o600)
    with pytest.raises(KeyMissing, match="no name of a key"):
        key_of(name)


def test_a_key_that_is_a_link_a_pipe_a_folder_or_open_is_none(keys):
    real = made_key("urn:dmesh:local:hotels:others")
    assert real is not None
    path = keys / "mine.key"
    for make in (
        lambda: path.symlink_to(real),
        lambda: os.mkfifo(path, 0o600),
        lambda: path.mkdir(0o700),
        lambda: path.write_text(real.read_text()) and path.chmod(0o640),
        lambda: path.write_text("short") and path.chmod(0o600),
    ):
        make()
        with pytest.raises(KeyMissing) as refused:
            key_of("mine")
        assert real.read_text().strip() not in text_of(refused.value)
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    path.write_text(real.read_text())
    path.chmod(0o600)
    assert key_of("mine").derived("x") == key_of("urn:dmesh:local:hotels:others").derived("x")


def test_a_policy_that_names_another_products_key_reads_nothing_of_it(guests):
    theirs = "urn:dmesh:local:hotels:others"
    made_key(theirs)
    guests.publish(
        policy=PortPolicy("guests", masks=(Mask("phone", "encrypt", OFFICERS, key=theirs),))
    )
    ours = Vault(key_of(theirs), "others")
    phones = pl.Series("phone", ["+33-1-999"])
    made = set(ours.masked(phones, Mask("phone", "encrypt")))
    assert not made & set(guests.frame(BO)["phone"])


def key_bytes() -> list[str]:
    """Return the keys of the moment as they might be written somewhere."""
    found = [path.read_text().strip() for path in Path(os.environ["MESH_KEYS"]).glob("*.key")]
    import base64

    return (
        found
        + [base64.b64decode(one).hex() for one in found]
        + [repr(base64.b64decode(one))[2:-1] for one in found]
    )


def test_nothing_shows_or_pickles_a_key(stages):
    victim = stages["a snapshot"]
    port, key = victim.port(OLGA), key_of(ADDRESS)
    vault = Vault(key, "guests", pl.Series(["ann@victim.example"]), {"ann@victim.example": key})
    shown = [repr(one) for one in (key, vault, port, port.reading, port.reading.scan)]
    shown += [
        str(key),
        f"{key!s:>20}",
        port.lazy().explain(),
        json.dumps(port.reading.scan.as_dict()),
    ]
    assert not leaked(shown, [*key_bytes(), *MASKED, *HIDDEN])
    for one in (key, vault):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(one)
    for act in (port.lazy().serialize, lambda: pickle.dumps(port.lazy())):
        found = trying(lambda act=act: _swallowed(act))
        assert not leaked(found, [*key_bytes(), *MASKED])
    assert leaked(repr(key._secret), key_bytes())  # which is what would be seen


def _swallowed(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Exception as error:  # noqa: BLE001  whatever Polars makes of it
        return error


ENVIRONMENT = """
import os
import polars as pl


def told(guests):
    said = repr(dict(os.environ))
    return pl.DataFrame({"email": [guests.collect()["email"].max()], "said": [said]})


def began(guests):
    with open("/proc/self/environ", "rb") as file:
        return pl.DataFrame({"said": [repr(file.read())]})
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Linux alone tells it there")
def test_a_transform_does_not_look_up_with_what_its_process_began(stages, tmp_path):
    (tmp_path / "transform.py").write_text(ENVIRONMENT)
    (tmp_path / "work").mkdir()
    scan = stages["a snapshot"].port(OLGA).reading.scan
    with pytest.raises(ReplayFailed, match="/proc/self/environ, which is no input"):
        replay(tmp_path / "transform.py", ["began"], {"guests": scan}, tmp_path / "work")


def test_a_transform_finds_no_key_in_its_surroundings(stages, tmp_path, monkeypatch):
    keys = os.environ["MESH_KEYS"]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-aws")
    (tmp_path / "transform.py").write_text(ENVIRONMENT)
    (tmp_path / "work").mkdir()
    scan = stages["a snapshot"].port(OLGA).reading.scan
    made = replay(tmp_path / "transform.py", ["told"], {"guests": scan}, tmp_path / "work")
    row = pl.read_ipc(made["told"]).row(0, named=True)
    assert row["email"] == "zed@x"  # the sealed values were opened for it
    assert not leaked(row["said"], [*key_bytes(), keys, "MESH_KEY", "secret-of-aws"])
    for name in ("job.json", "replay.log"):
        assert not leaked(tmp_path / "work" / name, [*key_bytes(), *MASKED])
    assert leaked(repr(dict(os.environ)), [keys])


# ---- policies that cannot be read ---------------------------------------------------------------

BROKEN = {
    "a rule of access by another name": {"port": "guests", "access": {"role": ["analyst"]}},
    "a rule by another name": {"port": "guests", "masques": []},
    "a mask with a word too many": {
        "port": "guests",
        "masks": [{"column": "email", "mask": "redact", "unless": ["analyst"]}],
    },
    "no such mask": {"port": "guests", "masks": [{"column": "email", "mask": "rot13"}]},
    "two masks of a column": {
        "port": "guests",
        "masks": [
            {"column": "email", "mask": "redact"},
            {"column": "email", "mask": "truncate", "keep": 99},
        ],
    },
    "roles that are one text": {"port": "guests", "access": {"roles": "analyst"}},
    "a filter without a condition": {"port": "guests", "rows": [{"when": "true"}]},
    "a port that there is not": {"port": "guets", "masks": [{"column": "email", "mask": "redact"}]},
    "no port at all": {"masks": [{"column": "email", "mask": "redact"}]},
    "a text": "redact email",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_policy_that_is_not_understood_lets_nobody_in(broken, guests):
    class Raw(PortPolicy):
        def as_dict(self) -> Any:
            return BROKEN[broken]

    with pytest.raises(SpecError):
        guests.publish(policy=Raw("guests"))
    # Nor where it came into the mesh in another way.
    first = guests.publish()
    release = guests.product.folder / "releases" / first.release / "product.odps.yaml"
    path = Path(str(release))
    more = {"property": "policies", "value": [BROKEN[broken]]}
    text = path.read_text() + f"customProperties: [{json.dumps(more)}]\n"
    path.write_text(text)
    with pytest.raises(MeshError):
        guests.frame(BO)


@pytest.mark.parametrize(
    "mask",
    [
        Mask("salary", "generalise", to="-10"),
        Mask("salary", "generalise", to="0"),
        Mask("salary", "generalise", to="nan"),
        Mask("salary", "generalise", to="inf"),
        Mask("salary", "generalise", groups={"many": ("731337",)}),
        Mask("at", "generalise", to="second"),
        Mask("at", "generalise", groups={"then": ("2026",)}),
        Mask("at", "null"),
        Mask("email", "truncate", keep=-3),
        Mask("email", "truncate"),
        Mask("guest", "redact"),
        Mask("Email", "redact"),
        Mask("e\u0301mail", "redact"),
    ],
    ids=lambda mask: f"{mask.column} {mask.kind} {mask.to or mask.keep or list(mask.groups)}",
)
def test_a_mask_that_hides_nothing_is_refused(mask, guests):
    with pytest.raises(UsageError):
        guests.publish(policy=PortPolicy("guests", masks=(mask,)))
    assert not Catalogue([guests.root]).products()


@pytest.mark.parametrize("column", ["share", "note"])
def test_odd_values_are_masked_like_others(guests, column, monkeypatch):
    odd = {
        "share": [float("nan"), float("inf"), -0.0, -12.5, None],
        "note": ["", " ", "\0", "e\u0301", None],
    }[column]
    rows = pl.DataFrame({"guest": [f"g{n}" for n in range(5)], column: odd})
    monkeypatch.setitem(COLUMNS, "share", "DOUBLE")
    how = {
        "share": Mask("share", "generalise", OFFICERS, to="10"),
        "note": Mask("note", "encrypt", OFFICERS),
    }
    guests.publish(rows, PortPolicy("guests", masks=(how[column],)))
    assert guests.frame(OLGA).equals(rows, null_equal=True)
    seen = guests.frame(BO)[column].to_list()
    if column == "share":
        assert repr(seen) == "[nan, inf, -0.0, -20.0, None]"
    else:
        assert len(set(seen)) == 5
        assert {len(one) for one in seen if one} == {96}


def test_rows_that_were_in_memory_are_written_without_their_values(guests):
    """A pin and a recipe of an input name what was read, and hold nothing of it."""
    guests.publish(policy=POLICY)
    buffer = io.StringIO()
    json.dump(guests.port(OLGA).reading.scan.as_dict(), buffer)
    json.dump(guests.product.latest().as_dict(), buffer)
    assert not leaked(buffer.getvalue(), [*MASKED, *HIDDEN, *key_bytes()])


def test_a_key_says_nothing_of_itself():
    assert repr(Key(b"ann@victim.example")) == "Key(…)"
