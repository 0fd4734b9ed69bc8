"""`mesh run`: a bundle on each engine, nothing published; and what ends when it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mesh_notebook.errors import DeployRefused, UsageError
from mesh_notebook.export.comparing import difference

ENGINES = ("polars", "duckdb", "spark")
MESH = [sys.executable, "-c", "from mesh_notebook.surfaces.cli import main; main()"]


@pytest.fixture
def bundle(shell: Any, tmp_path: Path) -> Path:
    """An export with a frame step and an SQL step, of a source with nulls and decimals."""
    rows = ["origin,day,delay", "JFK,2026-01-01,5", "JFK,2026-01-02,-7", ",2026-01-02,8"]
    (tmp_path / "flights.csv").write_text("\n".join(rows) + "\n")
    shell.run("import polars as pl")
    shell.run("%mesh source flights flights.csv")
    shell.run("%mesh product delays --domain travel --owner travel")
    shell.run(
        "%%mesh sql daily\nSELECT origin, sum(delay) // 2 AS half, avg(delay) AS mean, "
        "max(day) AS last FROM flights GROUP BY origin ORDER BY half DESC"
    )
    shell.run("late = flights.filter(pl.col('delay') > 0).group_by('day').agg(pl.len().alias('n'))")
    shell.run("%mesh output daily daily")
    shell.run("%mesh output late late")
    shell.run("%mesh export bundle")
    return tmp_path / "bundle"


def mesh(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [*MESH, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def test_every_engine_gives_the_same_rows_and_publishes_nothing(
    shell: Any, bundle: Path, java: None
) -> None:
    first, *others = (shell.mesh.run("bundle", engine) for engine in ENGINES)
    for other in others:
        assert list(other.frames) == ["daily", "late"]
        for port, frame in first.frames.items():
            assert frame.schema == other.frames[port].schema
            assert difference(frame, other.frames[port]) is None
    assert not list(shell.mesh.base.glob(".mesh/**/publications/*"))


def test_what_a_run_shows_is_its_rows_its_verdict_and_its_time(shell: Any, bundle: Path) -> None:
    shown = shell.shown(shell.run("%mesh run bundle --engine duckdb --rows 1"))["text/plain"]
    assert "delays on duckdb" in shown
    assert "daily 2, late 2" in shown
    assert "s in a clean process" in shown
    assert "Nothing was published" in shown


def test_a_run_is_written_whole_to_files_of_ones_own(shell: Any, bundle: Path) -> None:
    ran = shell.run("%mesh run bundle --engine duckdb --out rows --format csv")
    assert [path.name for path in ran.files] == ["daily.csv", "late.csv"]
    assert pl.read_csv(ran.files[1]).height == 2
    with pytest.raises(UsageError, match="one file, and there are 2 output ports"):
        shell.mesh.run("bundle", "duckdb", out="rows.csv")


def test_what_cannot_go_to_an_engine_is_refused_with_the_expression(
    shell: Any, bundle: Path
) -> None:
    query = "SELECT max(origin) AS origin, max(jaccard(origin, 'JFK')) AS alike FROM flights"
    shell.run(f"%%mesh sql daily\n{query}")
    shell.run("%mesh output daily daily")
    exported = shell.run("%mesh export bundle")
    assert exported.portable.verdicts["spark"] == "refused"
    with pytest.raises(DeployRefused, match=r"(?i)jaccard\(origin"):
        shell.mesh.run("bundle", "spark")
    assert shell.mesh.run("bundle", "duckdb").frames["daily"]["origin"].to_list() == ["JFK"]


def test_an_unknown_engine_and_a_master_without_spark_are_refused(shell: Any, bundle: Path) -> None:
    with pytest.raises(UsageError, match="one of polars, duckdb, spark"):
        shell.mesh.run("bundle", "flink")
    with pytest.raises(UsageError, match="duckdb has no master"):
        shell.mesh.run("bundle", "duckdb", master="spark://127.0.0.1:7077")


def test_without_java_a_run_on_spark_says_what_to_install(
    shell: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UsageError, match="Spark needs Java"):
        shell.mesh.run("bundle", "spark")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_however_a_run_ends_no_jvm_is_left(bundle: Path, java: None, how: signal.Signals) -> None:
    command = [*MESH, "run", "bundle"]
    mine = f"{tempfile.gettempdir()}/mesh-run-{os.getuid()}-"
    process = subprocess.Popen([*command, "--engine", "spark"], cwd=bundle.parent)
    work = f"{mine}{process.pid}-"
    _until(lambda: any("java" in Path(c).name for c, _ in _at_work(work)), "a JVM starts")
    process.send_signal(how)
    process.wait(30)
    _until(lambda: not _at_work(work), "its processes end")
    left = list(Path(tempfile.gettempdir()).glob(f"{Path(work).name}*"))
    assert not left or how is signal.SIGKILL
    mesh("run", "bundle", "--engine", "duckdb", cwd=bundle.parent)
    assert not list(Path(tempfile.gettempdir()).glob(f"{Path(work).name}*"))


def _at_work(folder: str) -> list[tuple[str, int]]:
    """Return program and number of each process whose folder is that of the run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd").startswith(folder):
                found.append((os.readlink(entry / "exe"), int(entry.name)))
        except OSError:  # it ended, or is another user's
            continue
    return found


def _until(true: Any, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)
