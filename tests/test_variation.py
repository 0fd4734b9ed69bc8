"""The two proofs run in processes that differ; what comes of it is told as what it is."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from conftest import Shell

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.varying import what_tells
from mesh_notebook.mesh.inputs import ReplayInput
from mesh_notebook.mesh.replay import replay_twice

pytestmark = pytest.mark.proofs

TELLS = """\
import json
import os
import time

import duckdb
import polars as pl

KEPT = "SELECT current_setting('preserve_insertion_order')"


def told(days):
    connection = duckdb.connect()
    facts = {
        "hash": hash("a"),
        "zone": time.localtime(0).tm_hour,
        "locale": os.environ.get("LC_ALL"),
        "polars": pl.thread_pool_size(),
        "duckdb": connection.execute("SELECT current_setting('threads')").fetchone()[0],
        "kept": connection.execute(KEPT).fetchone()[0],
        "rows": days.collect()["day"].to_list(),
    }
    return pl.DataFrame({"told": [json.dumps(facts)]})
"""
DAYS = pl.LazyFrame({"day": list(range(30))})


def module(folder: Path, text: str) -> Path:
    path = folder / "transform.py"
    path.write_text(text)
    return path


def facts(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(pl.read_ipc(path).item())
    return told


def test_the_processes_differ_in_all_that_no_input_says(tmp_path: Path) -> None:
    given = {"days": ReplayInput(DAYS, ordered=False)}
    twice = replay_twice(module(tmp_path, TELLS), ["told"], given, tmp_path)
    here, there = facts(twice.made["told"]), facts(twice.otherwise["told"])
    assert [name for name in here if here[name] == there[name]] == []
    assert here["rows"] == sorted(there["rows"]) != there["rows"]


def test_each_of_them_is_the_same_every_time_and_a_files_rows_lie_as_they_do(
    tmp_path: Path,
) -> None:
    given = {"days": ReplayInput(DAYS)}
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(replay_twice(module(tmp_path, TELLS), ["told"], given, tmp_path / name))
    for made in ([run.made for run in runs], [run.otherwise for run in runs]):
        assert facts(made[0]["told"]) == facts(made[1]["told"])
    assert facts(runs[0].otherwise["told"])["rows"] == list(range(30))


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("order", "days.collect()['day'].to_list()[0]"),
        ("machine", "__import__('time').localtime(0).tm_hour"),
        ("chance", "hash('a') % 1_000_003"),
        ("each time", "__import__('time').time_ns()"),
    ],
)
def test_a_difference_is_told_as_order_chance_or_machine(
    tmp_path: Path, kind: str, made: str
) -> None:
    text = (
        f"import polars as pl\n\n\ndef daily(days):\n    return pl.DataFrame({{'x': [{made}]}})\n"
    )
    draft = SimpleNamespace(replayed=ReplayInput(DAYS, ordered=False))
    plan = SimpleNamespace(inputs={"days": draft}, sql="")
    found, _ = what_tells(SimpleNamespace(text=text, plan=plan), SimpleNamespace(port="daily"))  # type: ignore[arg-type]
    assert found == kind


def test_a_tie_on_few_rows_is_refused_with_its_cell_and_exported_once_it_is_broken(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "plays.csv").write_text("id,day,n\n1,1,4\n2,1,4\n3,2,4\n4,2,5\n")
    shell.run("import polars as pl")
    shell.run("%mesh product plays --domain media")
    shell.run("%mesh source plays plays.csv")
    shell.run("best = plays.top_k(2, by='n')")
    shell.run("%mesh output daily best --key id")
    with pytest.raises(ExportRefused) as caught:
        shell.run("%mesh export bundle")
    assert (caught.value.facts["cell"], caught.value.facts["name"]) == (5, "best")
    assert "rows may tie in n" in str(caught.value)
    shell.run("best = plays.top_k(2, by=['n', 'id'])")
    shell.run("%mesh output daily best --key id")
    assert shell.run("%mesh export bundle").rows == {"daily": 2}


def test_what_is_taken_of_rows_by_hand_is_told_as_their_order(shell: Shell, tmp_path: Path) -> None:
    """No step of a library's is to blame: a list of plain values is."""
    (tmp_path / "plays.csv").write_text("id,day\n" + "".join(f"{n},{n % 7}\n" for n in range(40)))
    shell.run("import polars as pl")
    shell.run("%mesh product plays --domain media")
    shell.run("%mesh source plays plays.csv")
    shell.run("days = plays.unique(['day', 'id']).collect()['id'].to_list()")
    shell.run("out = plays.filter(pl.col('id') == days[0])")
    shell.run("%mesh output daily out --key id")
    with pytest.raises(ExportRefused, match="the order of rows that have none") as caught:
        shell.run("%mesh export bundle")
    assert "no cell shows" not in str(caught.value)
