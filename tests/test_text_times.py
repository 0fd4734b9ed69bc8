"""A source whose times are texts, or have no zone, is cut by them as a database's own are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mesh_notebook.errors import ContractError

TIMES = ["2026-09-30 23:59:59", "2026-10-01", "2026-10-31T23:59:59.5Z", "2026-11-01 00:00"]


def database(folder: Path, declared: str) -> None:
    with closing(sqlite3.connect(folder / "app.db")) as con, con:
        con.execute(f"CREATE TABLE plays (id INTEGER, at {declared})")
        con.executemany("INSERT INTO plays VALUES (?, ?)", list(enumerate(TIMES, 1)))


def test_texts_that_are_iso_times_cut_a_table_of_sqlite_and_a_csv(
    shell: Any, tmp_path: Path
) -> None:
    database(tmp_path, "TEXT")
    lines = "".join(f"{n},{time}\n" for n, time in enumerate(TIMES, 1))
    (tmp_path / "plays.csv").write_text(f"id,at\n{lines}")
    for where in ("app.db#plays", "plays.csv"):
        shell.run(f"%mesh source some {where} --event-time at --from 2026-10 --to 2026-11")
        assert shell.names["some"].collect()["id"].to_list() == [2, 3], where


def test_a_month_of_a_table_of_sqlite_is_published_and_the_next_one_too(
    shell: Any, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as con, con:
        con.execute("CREATE TABLE plays (id INTEGER, at DATETIME)")
        rows = [(n, f"2026-{n:02}-{day} 10:00:00") for n in (9, 10, 11) for day in (11, 22)]
        con.executemany("INSERT INTO plays VALUES (?, ?)", rows)
    shell.run("import polars as pl")
    shell.run("%mesh source plays app.db#plays --event-time at --from 2026-10 --to 2026-11")
    shell.run("utc = plays.with_columns(pl.col('at').dt.replace_time_zone('UTC'))")
    shell.run("%mesh output plays utc --key at --event-time at --interval month")
    shell.run("%mesh export monthly")
    for month in ("2026-10", "2026-11"):
        done = shell.run(f"%mesh deploy monthly --interval {month}")
        assert done.receipt.ports["plays"].rows == 2
        text = shell.shown(done)["text/plain"]
        assert f"{month}-01 to " in text
    history = shell.shown(shell.run("%mesh history monthly"))["text/plain"]
    assert "2026-10-01 to 2026-11-01" in history
    assert "2026-11-01 to 2026-12-01" in history


@pytest.mark.parametrize("window", ["", " --from 2026-10 --to 2026-11"])
def test_texts_that_are_no_times_are_refused_with_what_to_do_below(
    shell: Any, tmp_path: Path, window: str
) -> None:
    (tmp_path / "plays.csv").write_text("id,at\n1,02.09.2026\n2,13.10.2026\n")
    with pytest.raises(ContractError, match=r"'02\.09\.2026'") as caught:
        shell.run(f"%mesh source plays plays.csv --event-time at{window}")
    assert '.str.to_date("%d.%m.%Y")' in caught.value.next_step
    with pytest.raises(ContractError, match="names 'att', which the source has not"):
        shell.run(f"%mesh source plays plays.csv --event-time att{window}")
    shell.run("import polars as pl")
    shell.run("%mesh source plays plays.csv")
    shell.run('days = plays.with_columns(pl.col("at").str.to_date("%d.%m.%Y"))')
    assert shell.run("%mesh output days days --event-time at").rows == 2


def test_a_plan_notes_that_a_first_publication_would_have_no_rows(
    shell: Any, tmp_path: Path
) -> None:
    (tmp_path / "plays.csv").write_text("id,n\n1,2\n2,3\n")
    shell.run("import polars as pl")
    shell.run("%mesh source plays plays.csv")
    shell.run("none = plays.filter(pl.col('n') > 9)")
    shell.run("%mesh output none none --key id")
    shell.run("%mesh export empty")
    said = "none had 0 rows when it was exported"
    assert said in shell.shown(shell.run("%mesh plan empty"))["text/plain"]
    assert said not in shell.shown(shell.run("%mesh plan empty --allow-empty"))["text/plain"]
