"""Sources cut to a window of event time, and the picture of a month that a database gives."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from postgres import Database

from mesh_notebook.errors import DeployRefused, SourceError, UnknownName, UsageError
from mesh_notebook.mesh.sources import Asked, World, open_source

PLAYS = """CREATE TABLE plays AS SELECT * FROM (VALUES
    (1, timestamptz '2026-09-30 23:59+00', 1.50::numeric(6, 2)),
    (2, timestamptz '2026-10-01 00:00+00', 2.25),
    (3, timestamptz '2026-10-31 23:59+00', 4.00),
    (4, timestamptz '2026-11-01 00:00+00', 8.00)) AS t (id, at, paid)"""
BETWEEN = "SELECT id, paid FROM plays WHERE at >= :from AND at < :to ORDER BY id"


def ids(frame: Any) -> list[int]:
    return sorted(frame.lazy().collect()["id"].to_list())


def test_a_query_is_read_with_its_limits_bound_and_without_loss(postgres: Database, tmp_path: Path):
    postgres.run(PLAYS)
    world = World(tmp_path)
    limits = {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"}
    found = open_source(Asked(postgres.url, query=BETWEEN, **limits), world).lazy().collect()
    assert found.to_dict(as_series=False)["id"] == [2, 3]
    assert found.schema["paid"] == pl.Decimal(38, 9)
    assert ids(open_source(Asked(postgres.url, query=BETWEEN), world)) == [1, 2, 3, 4]
    types = "SELECT 1::int2 AS a, '{1,2}'::int[] AS b, '7'::uuid::text AS c, now()::date AS d"
    types = types.replace("'7'::uuid::text", "'x'::varchar(3)")
    schema = open_source(Asked(postgres.url, query=types), world).lazy().collect_schema()
    assert list(schema.values()) == [pl.Int16(), pl.List(pl.Int32), pl.String(), pl.Date()]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("DELETE FROM plays", "no SELECT"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT * FROM plays WHERE id = :id", "parameter :id"),
        ("SELECT id, id FROM plays", "two columns named 'id'"),
        ("SELECT * FROM nothing", "nothing"),
    ],
)
def test_what_is_no_query_is_refused(postgres: Database, tmp_path: Path, query, said):
    postgres.run(PLAYS)
    with pytest.raises((UsageError, SourceError), match=said):
        open_source(Asked(postgres.url, query=query), World(tmp_path))
    assert len(postgres.run("SELECT * FROM plays")) == 4


def test_a_table_is_cut_by_the_server_and_a_file_where_it_is_read(shell, postgres, tmp_path):
    postgres.run(PLAYS)
    window = "--event-time at --from 2026-10 --to 2026-11"
    shell.run(f"%mesh source plays {postgres.url}#plays {window}")
    assert ids(shell.names["plays"]) == [2, 3]
    assert shell.mesh.inputs["plays"].handle.window is None
    days = [f"{n},2026-{m}-01T00:00:00Z" for n, m in enumerate(("09", "10", "11"))]
    (tmp_path / "plays.csv").write_text("\n".join(["id,at", *days]) + "\n")
    shell.run(f"%mesh source file plays.csv {window}")
    assert ids(shell.names["file"]) == [1]
    with pytest.raises(UsageError) as caught:
        shell.run("%mesh source file plays.csv --from 2026-10")
    assert "--event-time COLUMN" in caught.value.next_step
    with pytest.raises(UnknownName, match="'moment'"):
        shell.run(f"%mesh source plays {postgres.url}#plays --event-time moment --from 2026-10")


def test_each_month_of_a_database_is_a_picture_of_its_own(shell, postgres):
    """The state of a table at the end of each month, whenever its rows came about."""
    postgres.run("CREATE TABLE users (id int, joined date, plan text)")
    postgres.run("INSERT INTO users VALUES (1, '2020-01-01', 'free'), (2, '2026-10-09', 'free')")
    shell.run("import polars as pl")
    shell.run(f"%mesh source users {postgres.url}#users")
    shell.run("profiles = users.select('id', 'joined', 'plan')")
    shell.run("%mesh product profiles --domain media --owner media-data")
    shell.run("%mesh output profiles profiles --key id --interval month")
    shell.run("%mesh export bundle")
    with pytest.raises(DeployRefused, match="nothing in its rows says of which"):
        shell.run("%mesh deploy bundle")
    october = shell.run("%mesh deploy bundle --interval 2026-10").receipt
    postgres.run("UPDATE users SET plan = 'paid' WHERE id = 1", "DELETE FROM users WHERE id = 2")
    shell.run("%mesh deploy bundle --interval 2026-11")

    def plans(*window: str, **more: Any) -> list[str]:
        rows = shell.mesh.port("profiles", None, *window, **more).lazy().collect()
        return sorted(rows["plan"].to_list())

    assert plans() == ["paid"]
    assert plans("2026-10", "2026-11") == ["free", "free"]
    # October anew, from what there is now: the first picture of it stays as it was known.
    plan = shell.run("%mesh plan bundle --interval 2026-10")
    assert f"again: snapshot {october.snapshot} stays as it was known" in plan.writes[0].kind
    shell.run("%mesh deploy bundle --interval 2026-10")
    assert plans("2026-10", "2026-11") == ["paid"]
    then = datetime.fromisoformat(october.processing_time).astimezone(UTC)
    assert plans("2026-10", "2026-11", as_of=then) == ["free", "free"]


@pytest.mark.parametrize("how", ["query", "column", "file"])
def test_a_deployment_of_a_month_reads_that_month_of_its_source(shell, postgres, tmp_path, how):
    postgres.run(PLAYS)
    window = "--from 2026-09 --to 2026-10"  # while it is explored
    if how == "query":
        query = BETWEEN.replace("id, paid", "id, at")
        shell.run(f'%mesh source plays {postgres.url} --query "{query}" {window}')
    elif how == "column":
        shell.run(f"%mesh source plays {postgres.url}#plays --event-time at {window}")
    else:
        world = World(tmp_path)
        open_source(f"{postgres.url}#plays", world).lazy().collect().write_parquet("plays.parquet")
        shell.run(f"%mesh source plays plays.parquet --event-time at {window}")
    shell.run("heard = plays.select('id', 'at')")
    shell.run("%mesh product heard --domain media --owner media-data")
    shell.run("%mesh output heard heard --key id --event-time at --interval month")
    shell.run("%mesh export bundle")
    plan = shell.run("%mesh plan bundle --interval 2026-11")
    assert plan.refusals == ()
    november = shell.run(f"%mesh deploy bundle --interval 2026-11 --plan {plan.id}").receipt
    assert november.cut.startswith("2026-11-01")
    october = shell.run("%mesh deploy bundle --interval 2026-10").receipt
    assert (november.ports["heard"].rows, october.ports["heard"].rows) == (1, 2)
    assert shell.run("%mesh deploy bundle --interval 2026-11").unchanged
    # August has no plays, which is ordinary in a backfill.
    assert shell.run("%mesh deploy bundle --backfill 2026-08 2026-12").standing == 2
    assert ids(shell.mesh.port("heard", None, "2026-09", "2026-12").lazy()) == [1, 2, 3, 4]
    cells = shell.run("%mesh load bundle --out again.ipynb")
    text = Path("again.ipynb").read_text()
    assert cells
    assert "--from 2026-09-01T00:00:00.000000Z" in text
