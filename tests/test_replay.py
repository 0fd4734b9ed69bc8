"""The clean process: what it is given, what it gives back, and how it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from mesh_notebook.errors import ContractError, UsageError
from mesh_notebook.mesh.inputs import EventWindow, OpenedInput, ReplayInput
from mesh_notebook.mesh.replay import ReplayFailed, replay
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import InputPin

PLAYS = pl.DataFrame({"listener": ["a", "b", "a"], "minutes": [3, 4, 5]})


def module(folder: Path, text: str) -> Path:
    path = folder / "transform.py"
    path.write_text(text)
    return path


def workdir(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    return folder


def run(tmp_path: Path, text: str, *functions: str, **inputs: object) -> dict[str, pl.DataFrame]:
    made = replay(module(tmp_path, text), functions, inputs, workdir(tmp_path))
    return {name: pl.read_ipc(path) for name, path in made.items()}


def test_a_function_receives_the_inputs_its_parameters_name(tmp_path):
    text = """
import polars as pl

def total(plays):
    return plays.group_by("listener").agg(pl.col("minutes").sum()).sort("listener")

def both(plays, users):
    assert isinstance(users, pl.LazyFrame)
    return plays.join(users, on="listener").sort("minutes").collect()
"""
    users = pl.LazyFrame({"listener": ["a"], "age": [31]})
    made = run(tmp_path, text, "total", "both", plays=PLAYS, users=users)
    assert made["total"].rows() == [("a", 8), ("b", 4)]
    assert made["both"].rows() == [("a", 3, 31), ("a", 5, 31)]


def test_a_scan_is_read_again_by_the_clean_process(tmp_path):
    PLAYS.write_parquet(tmp_path / "plays.parquet")
    scan = Scan("parquet", (str(tmp_path / "plays.parquet"),))
    made = run(tmp_path, "def same(plays):\n    return plays", "same", plays=scan)
    assert made["same"].equals(PLAYS)
    assert not list(workdir(tmp_path).glob("input-*"))


def test_every_type_of_a_snapshot_survives_the_trip(tmp_path):
    moment = datetime(2026, 10, 4, 12, 30, 0, 123456, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "i": pl.Series([1, None], dtype=pl.Int8),
            "u": pl.Series([1, None], dtype=pl.UInt64),
            "f": [1.5, float("nan")],
            "s": ["é", None],
            "d": [date(2026, 1, 1), None],
            "t": [moment, None],
            "l": [["x"], []],
            "st": [{"a": 1}, {"a": None}],
            "b": [True, None],
            "dec": pl.Series(["1.50", None]).cast(pl.Decimal(10, 2)),
            "c": pl.Series(["x", None], dtype=pl.Categorical),
        }
    )
    made = run(tmp_path, "def same(x):\n    return x", "same", x=frame)["same"]
    assert made.schema == frame.schema
    assert made.equals(frame)


def test_a_window_cuts_the_input_half_open(tmp_path):
    days = pl.DataFrame({"day": [date(2026, 1, n) for n in range(1, 6)]})
    window = EventWindow(
        "day", datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 4, 6, tzinfo=UTC)
    )
    pin = InputPin("days", "port", "urn:dmesh:local:a:days:days", "3", Origin.LIVE)
    text = "def same(days):\n    return days"
    for given in (ReplayInput(days, window), OpenedInput(days, pin, window)):
        made = run(tmp_path, text, "same", days=given)["same"]
        assert [d.day for d in made["day"]] == [2, 3, 4]


def test_the_process_sees_neither_the_callers_environment_nor_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MESH_SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "lying_near.py").write_text("x = 1")
    text = """
import os, sys, importlib.util
import polars as pl

def seen():
    loaded = [m for m in sys.modules if m.startswith("mesh_notebook.")]
    return pl.DataFrame({
        "secret": ["MESH_SECRET" in os.environ],
        "beside": [importlib.util.find_spec("lying_near") is not None],
        "above": [any(m.split(".")[1] in ("workspace", "surfaces") for m in loaded)],
        "ipython": ["IPython" in sys.modules],
    })
"""
    assert run(tmp_path, text, "seen")["seen"].row(0) == (False, False, False, False)


def test_a_failing_function_is_named_with_its_line_and_error(tmp_path):
    text = (
        "import polars as pl\n\ndef daily(plays):\n    y = 1\n    return plays.join(late, on='x')\n"
    )
    with pytest.raises(ReplayFailed) as failed:
        run(tmp_path, text, "daily", plays=PLAYS)
    error = failed.value
    assert (error.function, error.line, error.error_type) == ("daily", 5, "NameError")
    assert "late" in str(error)
    assert "line 5, in daily" in error.detail
    assert "replay.py" not in error.detail


def test_a_failure_in_a_helper_names_the_helpers_line_and_the_output(tmp_path):
    text = "def helper():\n    return 1 / 0\n\ndef daily():\n    return helper()\n"
    with pytest.raises(ReplayFailed) as failed:
        run(tmp_path, text, "daily")
    assert (failed.value.function, failed.value.line) == ("daily", 2)


def test_an_error_inside_the_engine_names_the_function(tmp_path):
    text = "def daily(plays):\n    return plays.select('nope')\n"
    with pytest.raises(ReplayFailed, match="ColumnNotFoundError") as failed:
        run(tmp_path, text, "daily", plays=PLAYS)
    assert failed.value.function == "daily"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def daily(:\n", "SyntaxError"),
        ("import no_such_module\n", "no_such_module"),
        ("other = 1\n", "defines no function 'daily'"),
        ("def daily(missing):\n    return missing\n", "no input is named 'missing'"),
        ("def daily():\n    return 7\n", "returned int"),
        ("import sys\ndef daily():\n    sys.exit(0)\n", "exit code 0"),
        ("import os\ndef daily():\n    os.kill(os.getpid(), 9)\n", "signal 9"),
    ],
)
def test_a_module_that_cannot_run_says_why(tmp_path, text, says):
    with pytest.raises(ReplayFailed, match=says):
        run(tmp_path, text, "daily", plays=PLAYS)


def test_what_the_transform_prints_is_kept_and_fills_no_pipe(tmp_path):
    text = "def daily(plays):\n    print('x' * 1_000_000)\n    return plays.head(1)\n"
    assert run(tmp_path, text, "daily", plays=PLAYS)["daily"].rows() == [("a", 3)]


def test_a_name_that_is_no_python_name_is_refused(tmp_path):
    with pytest.raises(UsageError, match="not a Python name"):
        run(tmp_path, "", "../daily")


def test_an_event_time_that_is_a_number_is_refused_and_an_iso_text_is_the_time_it_writes():
    window = EventWindow("day", datetime(2026, 1, 2, tzinfo=UTC))
    with pytest.raises(ContractError, match="cannot be an event time"):
        window.cut(pl.LazyFrame({"day": [20260101]}))
    days = pl.LazyFrame({"day": ["2026-01-01", "2026-01-02", "2026-01-03T10:00:00Z"]})
    assert window.cut(days).collect()["day"].to_list() == ["2026-01-02", "2026-01-03T10:00:00Z"]


SLOW = """
import os, pathlib, time
def daily():
    pathlib.Path("started").write_text(str(os.getpid()))
    time.sleep(60)
"""
# It has Polars, as a notebook has: that makes the system take up again what Ctrl-C interrupts.
PARENT = """
import pathlib, sys
import polars
from mesh_notebook.mesh.replay import replay
replay(pathlib.Path(sys.argv[1]), ["daily"], {}, pathlib.Path(sys.argv[2]))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_process_ends_with_the_one_that_started_it(tmp_path, how):
    work = workdir(tmp_path)
    command = [sys.executable, "-c", PARENT, module(tmp_path, SLOW), work]
    parent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    child = int(wait_for(lambda: (work / "started").exists() and (work / "started").read_text()))
    parent.send_signal(how)
    assert parent.wait(20) != 0
    assert wait_for(lambda: not alive(child))


def wait_for(condition, seconds: float = 20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to pass in time")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that ended but was not yet collected by init still has a number.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_the_job_is_plain_json_that_a_person_can_read(tmp_path):
    run(tmp_path, "def same(x):\n    return x", "same", x=PLAYS)
    job = json.loads((workdir(tmp_path) / "job.json").read_text())
    assert job["functions"] == ["same"]
