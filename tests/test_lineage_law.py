# ruff: noqa: E501 (a pipeline reads best on few lines)
"""What lineage says may be more than the truth, and is never less: values are changed to see."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from mesh_notebook.export.sql_steps import sql_helper
from mesh_notebook.mesh.lineage.running import lineage_of
from mesh_notebook.model.lineage import PortLineage

pytestmark = pytest.mark.proofs

TABLES = {
    "plays": {
        "user": pl.Int64,
        "title": pl.String,
        "minutes": pl.Float64,
        "day": pl.Date,
        "device": pl.String,
        "tags": pl.List(pl.String),
    },
    "users": {
        "user": pl.Int64,
        "country": pl.String,
        "age": pl.Int64,
        "since": pl.Date,
        "plan": pl.String,
    },
}
ROWS = 60

PIPELINES = {
    "filter": 'return plays.filter(pl.col("minutes") > 3).select("title", "day")',
    "join": 'return plays.join(users, on="user").select("title", "country", x=pl.col("minutes") * 2)',
    "anti": 'return plays.join(users.filter(pl.col("age") > 40), on="user", how="anti")',
    "left": 'return plays.join(users, on="user", how="left").select("minutes", "age")',
    "group": 'return plays.join(users, on="user").group_by("country").agg(t=pl.col("minutes").sum())',
    "window": 'return plays.select("title", r=pl.col("minutes").rank("dense").over("user"))',
    "top": 'return plays.sort("minutes", "user", "title", "day").head(5).select("title")',
    "unique": 'return plays.unique(["user"], keep="first", maintain_order=True).select("user", "title")',
    "asof": 'return plays.sort("day").join_asof(users.sort("since"), left_on="day", '
    'right_on="since", by="user").select("title", "plan")',
    "explode": 'return plays.explode("tags").group_by("tags").len()',
    "unpivot": 'return plays.unpivot(["title", "device"], index="user")',
    "concat": 'return pl.concat([plays.select("user"), users.select("user")])',
    "when": 'return plays.select(k=pl.when(pl.col("device") == "a").then("title").otherwise(pl.lit("-")))',
    "dates": 'return plays.group_by(pl.col("day").dt.truncate("1mo")).agg(pl.col("user").n_unique())',
    "struct": 'return plays.select(pl.struct("user", "title").alias("s"), n=pl.len())',
    "cumulative": 'return plays.sort("day", maintain_order=True).select("user", c=pl.col("minutes").cum_sum())',
    "collected": 'top = plays.filter(pl.col("minutes") > 3).collect()\n'
    '    return top.lazy().group_by("title").len()',
    "columns": 'wide = plays.select("minutes").collect()\n'
    "    return wide.with_columns(x=wide.to_series()).lazy()",
    "pandas": 'frame = plays.select("title", "minutes").collect().to_pandas()\n'
    '    frame["twice"] = frame["minutes"] * 2\n'
    "    return pl.from_pandas(frame).lazy()",
    "branch": 'n = plays.select(pl.len()).collect().item()\n'
    '    return users.select("country") if n > 10 else users.select("age")',
    "item": 'most = plays.select(pl.col("minutes").max()).collect().item()\n'
    '    return users.select("age", more=pl.lit(most))',
    "chosen": 'names = users.select("plan").unique().sort("plan").collect()\n'
    '    return plays.select(pl.lit(names["plan"].str.join("").item()).alias("p"), "title")',
    "pivot": 'return plays.collect().pivot("device", index="user", values="minutes", '
    'aggregate_function="sum").lazy()',
    "types": 'frame = plays.collect()\n'
    '    if isinstance(frame, pl.DataFrame):\n'
    '        return frame.lazy().select("title", "minutes")\n'
    '    return plays.select("user")',
    "tried": 'try:\n'
    '        first = plays.select("minutes").collect().row(0)[0]\n'
    '    except IndexError:\n'
    '        first = 0.0\n'
    '    return users.select("age", "country").filter(pl.col("age") > first)',
    "udf": 'return plays.map_batches(lambda f: f.with_columns(pl.col("title") + f["device"])).select("title")',
    "sql group": 'made = _sql("""SELECT u.country AS land, sum(p.minutes) AS total FROM plays p '
    'JOIN users u USING ("user") WHERE p.day > DATE \'2026-01-10\' GROUP BY ALL""", plays=plays, users=users)\n'
    "    return made.lazy()",
    "sql exists": 'return _sql("""SELECT title, minutes FROM plays p WHERE EXISTS (SELECT 1 FROM users u '
    'WHERE u."user" = p."user" AND u.age > 40)""", plays=plays, users=users).lazy()',
    "sql window": 'return _sql("""WITH c AS MATERIALIZED (SELECT *, row_number() OVER (PARTITION BY "user" '
    'ORDER BY minutes, title, day, device) AS n FROM plays) SELECT "user", title FROM c WHERE n = 1""", '
    "plays=plays).lazy()",
    "sql qualify": 'return _sql("""SELECT title FROM plays QUALIFY rank() OVER (ORDER BY minutes DESC) < 4""", '
    "plays=plays).lazy()",
    "sql star": 'return _sql("SELECT * EXCLUDE (tags, device) FROM plays ORDER BY minutes LIMIT 7", '
    "plays=plays).lazy()",
    "sql scalar": 'return _sql("""SELECT country, (SELECT max(minutes) FROM plays p WHERE p."user" = u."user") '
    'AS m FROM users u""", plays=plays, users=users).lazy()',
    "sql union": 'return _sql("""SELECT title AS x FROM plays UNION SELECT country FROM users -- all""", '
    "plays=plays, users=users).lazy()",
    "sql then frame": 'daily = _sql("SELECT day, minutes, title FROM plays ORDER BY minutes, title, day", plays=plays)\n'
    '    return daily.lazy().head(5).select("title")',
    "frame then sql": 'some = plays.filter(pl.col("device") == "a")\n'
    '    return _sql("SELECT count(*) AS n, max(title) AS s FROM kept", kept=some).lazy()',
    "sql cross": 'return _sql("SELECT count(*) AS n FROM plays, users WHERE age > 50", plays=plays, users=users).lazy()',
    "sql pivot": "return _sql(\"PIVOT plays ON device IN ('a', 'b') USING sum(minutes) GROUP BY \\\"user\\\"\", "
    "plays=plays).lazy()",
    "sql lateral": 'return _sql("""SELECT u.country, t.n FROM users u, LATERAL (SELECT count(*) AS n FROM plays p '
    'WHERE p."user" = u."user" AND p.minutes > u.age / 10) t""", plays=plays, users=users).lazy()',
    "sql asof": 'return _sql("""SELECT p.title, u.plan FROM plays p ASOF JOIN users u ON p."user" = u."user" '
    'AND p.day >= u.since""", plays=plays, users=users).lazy()',
    "sql except": 'return _sql("""SELECT "user" FROM plays EXCEPT SELECT "user" FROM users WHERE plan = \'x\'""", '
    "plays=plays, users=users).lazy()",
}  # fmt: skip


def _module(body: str) -> str:
    helper = sql_helper("_sql", pandas=False)
    return f"import polars as pl\nimport duckdb\n{helper}\ndef made(plays, users):\n    {body}\n"


def _table(name: str, seed: int) -> pl.DataFrame:
    """Make rows that meet each other: few keys, some nulls."""
    import random
    from datetime import date, timedelta

    dice = random.Random(f"{name} {seed}")
    makes = {
        "user": lambda: dice.choice([*range(12), None]),
        "minutes": lambda: dice.choice([None, dice.randrange(90) / 4]),
        "age": lambda: dice.randrange(18, 80),
        "tags": lambda: dice.sample("xyz", dice.randrange(3)),
        "day": lambda: date(2026, 1, 1) + timedelta(dice.randrange(30)),
        "since": lambda: date(2026, 1, 1) + timedelta(dice.randrange(30)),
    }
    schema = TABLES[name]
    columns = {
        column: [makes.get(column, lambda: dice.choice("abcd"))() for _ in range(ROWS)]
        for column in schema
    }
    return pl.DataFrame(columns, schema=schema)


def _run(text: str, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    module = ModuleType("made")
    exec(compile(text, "made.py", "exec"), vars(module))
    return module.made(**{name: table.lazy() for name, table in tables.items()}).lazy().collect()


def _told(text: str, names: list[str]) -> PortLineage:
    schemas = {name: pl.Schema(schema) for name, schema in TABLES.items()}
    with tempfile.TemporaryDirectory() as folder:
        columns = {"made": ("made", tuple(names))}
        return lineage_of(text, columns, schemas, {"made": tuple(TABLES)}, Path(folder))["made"]


def _multiset(frame: pl.DataFrame) -> list[str]:
    return sorted(str(row) for row in frame.rows())


@pytest.mark.parametrize("name", PIPELINES)
def test_what_lineage_leaves_out_has_no_say(name: str) -> None:
    text = _module(PIPELINES[name])
    told = _told(text, _run(text, {table: _table(table, 0) for table in TABLES}).columns)
    for seed in range(4):
        tables = {table: _table(table, seed) for table in TABLES}
        before = _run(text, tables)
        rows = {(one.input, one.field) for one in told.dataset}
        for table in TABLES:
            other = _table(table, seed + 1_000)
            for column in TABLES[table]:
                changed = {**tables, table: tables[table].with_columns(other[column])}
                try:
                    after = _run(text, changed)
                except pl.exceptions.PolarsError:
                    after = None
                for made in before.columns:
                    made_of = {(one.input, one.field) for one in told.fields[made]} | rows
                    if (table, column) in made_of:
                        continue
                    assert after is not None, (made, table, column)
                    assert made in after.columns, (made, table, column)
                    assert _multiset(after.select(made)) == _multiset(before.select(made)), (
                        f"{made} changes with {table}.{column}"
                    )


EXACT = {
    "filter": {"plays": {"title", "day", "minutes"}, "users": set()},
    "group": {"plays": {"user", "minutes"}, "users": {"user", "country"}},
    "collected": {"plays": {"title", "minutes"}, "users": set()},
    "pandas": {"plays": {"title", "minutes"}, "users": set()},
    "sql group": {"plays": {"user", "minutes", "day"}, "users": {"user", "country"}},
    "sql scalar": {"plays": {"user", "minutes"}, "users": {"user", "country"}},
    "frame then sql": {"plays": {"title", "device"}, "users": set()},
}


@pytest.mark.parametrize("name", EXACT)
def test_lineage_says_no_more_than_the_truth_where_the_plan_tells_it(name: str) -> None:
    text = _module(PIPELINES[name])
    columns = _run(text, {table: _table(table, 1) for table in TABLES}).columns
    told = _told(text, columns)
    every = (*told.dataset, *(one for fields in told.fields.values() for one in fields))
    assert {n: {f.field for f in every if f.input == n} for n in TABLES} == EXACT[name]


def test_code_that_looks_at_values_and_decides_may_read_everything() -> None:
    told = _told(_module(PIPELINES["branch"]), ["country"])
    assert {one.field for one in told.dataset if one.input == "users"} == set(TABLES["users"])
