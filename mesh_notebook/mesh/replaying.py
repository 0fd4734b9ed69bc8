"""The clean process itself: load the module, open the inputs, call its functions, write frames.

`python -P -s -m mesh_notebook.mesh.replaying job.json`, started by `mesh_notebook.mesh.replay`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.engines import Engine, engine_of
from mesh_notebook.mesh.guard import Attempt, guard, parses_unseen, words_in
from mesh_notebook.mesh.inputs import EventWindow
from mesh_notebook.mesh.keys import VARIABLES as KEYS
from mesh_notebook.mesh.on_mocks import try_on_mocks
from mesh_notebook.mesh.outcomes import DONE
from mesh_notebook.mesh.s3 import VARIABLES

if TYPE_CHECKING:
    from types import ModuleType, TracebackType

    import polars as pl

    from mesh_notebook.mesh.ordering import Trials, Watch

__all__ = ["main"]

_FAILURE = "failure.json"
_ORDER = "order.json"
_DEPENDENCES = "dependences.json"
_FEW = 10_000  # rows whose texts are met
_HELD = (2, 4)  # of the ways in which rows are drawn
_PATIENCE = 3.0  # seconds of the processor that a function may be asked on other rows


def main(job_file: str) -> None:
    """Do the job: load the module, call its functions, write their frames."""
    os.environ.update(json.loads(sys.stdin.buffer.readline() or b"{}"))
    _end_with_parent()
    job = json.loads(Path(job_file).read_text("utf-8"))
    state = {"function": "", "transform": job["transform"]}
    faults: dict[str, Any] = {}
    sys.excepthook = lambda kind, error, trace: _record(state, error, trace)
    engine = engine_of(job["engine"], job["settings"], Path.cwd())
    rows = {name: _rows(given) for name, given in job["inputs"].items()}
    inputs = {name: _opened(engine, name, frame, job) for name, frame in rows.items()}
    repeats = bool(job["repeated"])
    trials = _trials(job, rows) if job["tried"] or repeats else None
    for name in (*VARIABLES, *KEYS):  # the inputs are open: what opened them is not the transform's
        os.environ.pop(name, None)
    files = [path for given in job["inputs"].values() for path in given["scan"]["paths"]]
    # Python talks to Spark's JVM over loopback.
    transform = Path(job["transform"])
    loopback, present = job["engine"] == "spark", job["present"]
    own = [str(Path.cwd() / "spark")] if loopback else []  # where the session keeps its files
    word = words_in(rows) if parses_unseen(transform.read_text("utf-8")) else ""
    attempts = guard(
        [*files, *own], Path.cwd(), transform, loopback=loopback, present=present, word=word
    )
    # What was reached for explains what failed after it.
    sys.excepthook = lambda kind, error, trace: _record(state, error, trace, attempts.first())
    engine.sealed()
    watch = _watch(job)
    met = _met(transform, rows) if job["watched"] else None  # as long as the process lives
    module = _followed(transform, job["sql"], watch)
    attempts.refuse()
    loading = len(watch.faults) if watch else 0
    schemas = {}
    for name in job["functions"]:
        state["function"] = name
        if watch:
            del watch.faults[loading:]  # what another port leaves to chance is not this one's
        made = _called(module, name, {**engine.given(), **inputs})
        if watch and (fault := watch.fault_of(made)):
            faults[name] = asdict(fault)
            Path(_ORDER).write_text(json.dumps(faults), "utf-8")
        frame = engine.gathered(made)
        attempts.refuse()
        _write(name, frame)
        schemas[name] = frame.schema
    if job["witness"]:
        _hear(job["witness"], {**engine.given(), **inputs})
    sound = [name for name in job["functions"] if name not in faults]
    tries = bool(job["tried"] and trials and watch and trials.needed(watch.turn))
    mocked = bool(job["mocked"])
    if repeats or tries or mocked:
        more = repeats + tries + mocked + bool(job["steps"])
        _end_after(_PATIENCE * len(schemas) * more)
    if mocked:
        # Loaded anew: what it kept of real rows is to be in no error's text.
        try_on_mocks(partial(_called, loaded(transform)), schemas, job["mocked"])
    if trials and repeats:
        _repeat(trials, watch, job, sound)
    if trials and watch and tries:
        _try(trials, watch, job, sound)
    engine.ended()
    del met
    if trials and job["steps"]:
        Path(DONE).touch()  # what cells do that are no part of the module is not its failure
        _hold_to_notebook(trials, job)


def _write(name: str, frame: pl.DataFrame) -> None:
    with Path(f"{name}.arrow").open("wb") as file:
        frame.write_ipc(file, compression="uncompressed")


def _hear(witness: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Run what tells of the transform's way, as far as it goes: the frames are made already."""
    path = Path("witness.py")
    path.write_text(witness["text"], "utf-8")
    with contextlib.suppress(Exception):
        module = loaded(path)
        for name in witness["functions"]:
            _write(name, _called(module, name, given).lazy().collect())


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""
    import threading

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # nothing more is sent: this returns when the pipe closes
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def loaded(path: Path) -> ModuleType:
    """Run a module from its text: no byte code of it is looked for, or left in the bundle."""
    from types import ModuleType

    module = ModuleType("transform")
    module.__file__ = str(path)
    sys.modules["transform"] = module  # as an import would: dataclasses look themselves up here
    exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(module))
    return module


def _watch(job: Mapping[str, Any]) -> Watch | None:
    """Follow the order of rows from now on, if this process is to; and keep to its threads."""
    if job["threads"] or job["watched"]:
        from mesh_notebook.mesh.ordering import duckdb_otherwise

        duckdb_otherwise(job["threads"], ordered=not job["watched"])
    if not job["watched"]:
        return None
    from mesh_notebook.mesh.ordering import watch

    return watch(Path(job["transform"]).read_text("utf-8"))


def _met(transform: Path, rows: Mapping[str, pl.LazyFrame]) -> pl.Series | None:
    """Meet the inputs' texts in another order than the transform: Polars numbers them as met."""
    if "physical" not in transform.read_text("utf-8"):
        return None
    import polars as pl

    found: set[str] = set()
    for frame in rows.values():
        few = frame.select(pl.col(pl.String, pl.Categorical).cast(pl.String)).head(_FEW).collect()
        found.update(text for column in few for text in column.drop_nulls())
    return pl.Series(["", *sorted(found, reverse=True)], dtype=pl.Categorical)


def _followed(transform: Path, sql: str, watch: Watch | None) -> ModuleType:
    """Run a module, and follow what its function for SQL makes, if it has one."""
    module = loaded(transform)
    if watch and sql:
        from mesh_notebook.mesh.ordering import watch_queries

        watch_queries(module, sql, watch)
    return module


def _rows(given: Mapping[str, Any]) -> pl.LazyFrame:
    from mesh_notebook.mesh.scan import Scan

    frame = Scan.from_dict(given["scan"]).lazy()
    return EventWindow.from_dict(given["window"]).cut(frame) if given["window"] else frame


def _opened(engine: Engine, name: str, frame: pl.LazyFrame, job: Mapping[str, Any]) -> Any:
    from mesh_notebook.mesh.scan import Scan

    given = job["inputs"][name]
    scan = Scan.from_dict(given["scan"])
    return engine.opened(name, scan, _as_it_lies(name, frame, job) if job["watched"] else frame)


def _as_it_lies(name: str, frame: Any, job: Mapping[str, Any]) -> Any:
    """Return an input that says what is known of its rows' order; a port's rows in another one."""
    from mesh_notebook.mesh.ordering import another_order, port, source

    given = job["inputs"][name]
    if given.get("ordered", True):
        return source(frame, job["keys"])
    return port(another_order(frame), name, frozenset(given["demands"]["key"]))


# ---- whether the order of rows has a say ---------------------------------------------------------


def _trials(job: Mapping[str, Any], rows: Mapping[str, pl.LazyFrame]) -> Trials:
    from mesh_notebook.mesh.ordering import Demands, Rows, Trials

    given = job["inputs"].items()
    return Trials(
        [
            Rows(n, rows[n], one.get("ordered", True), Demands.from_dict(one.get("demands", {})))
            for n, one in given
        ]
    )


def _try(trials: Trials, watch: Watch, job: Mapping[str, Any], functions: Sequence[str]) -> None:
    """Ask the functions on other rows, in several orders; what they made is written already."""
    from mesh_notebook.mesh.ordering import constants_of

    found, text = {}, Path(job["transform"]).read_text("utf-8")
    for name in functions:
        act = partial(_once, Path(job["transform"]), job["sql"], watch, name)
        if (told := trials.dependence(act, watch.turn, constants_of(text, name))) is not None:
            sides = {"one": told.one, "other": told.other}
            paths = {side: _kept(f"{name}-{side}", frames) for side, frames in sides.items()}
            found[name] = {"said": told.said, "ports": told.ports, **paths}
            Path(_DEPENDENCES).write_text(json.dumps(found), "utf-8")


def _repeat(
    trials: Trials, watch: Watch | None, job: Mapping[str, Any], functions: Sequence[str]
) -> None:
    """Write down what the functions make of other rows, for another process to make as well."""
    from mesh_notebook.mesh.ordering import asks_sets, constants_of, repeated

    if watch:
        watch.turn.to(None)
    text = Path(job["transform"]).read_text("utf-8")
    for name in functions:
        act = partial(_once, Path(job["transform"]), job["sql"], watch, name)
        found = repeated(trials, act, constants_of(text, name), sets=asks_sets(text))
        for number, rows, frame, said in found:
            _kept(f"{name}-rows-{number}", rows)
            if said is None:
                _write(f"{name}-made-{number}", frame)
            else:
                Path(f"{name}-each-{number}.txt").write_text(said, "utf-8")


def _hold_to_notebook(trials: Trials, job: Mapping[str, Any]) -> None:
    """Hold the functions to all that the notebook ran, on other rows."""
    from mesh_notebook.mesh.ordering import constants_in
    from mesh_notebook.mesh.unsliced import Step, compared

    steps = [Step.from_dict(told) for told in job["steps"]]
    constants = constants_in([step.text for step in steps])
    act = partial(_once, Path(job["transform"]), "", None)
    compared(steps, act, [trials.rows(number, constants) for number in _HELD])


def _once(
    transform: Path, sql: str, watch: Watch | None, name: str, given: Mapping[str, Any]
) -> pl.DataFrame | None:
    """Return what a function makes in a module that is loaded anew; None where it fails."""
    with contextlib.suppress(Exception, SystemExit):
        frame: pl.DataFrame = _called(_followed(transform, sql, watch), name, given).lazy()
        return frame.lazy().collect()
    return None


def _kept(name: str, frames: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    for given, frame in frames.items():
        _write(f"{name}-{given}", frame)
    return {given: f"{name}-{given}.arrow" for given in frames}


def _end_after(seconds: float) -> None:
    """End this process, which has done its job, where a loop does not end on other rows.

    Parameters
    ----------
    seconds
        Of the processor; so a busy machine does not make the answer another one.
    """
    import threading
    import time

    began, started = time.process_time(), time.monotonic()

    def watch() -> None:
        while time.process_time() - began < seconds:
            if time.monotonic() - started > 10 * seconds:
                break
            time.sleep(0.05)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _called(module: ModuleType, name: str, given: Mapping[str, Any]) -> Any:
    import inspect

    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"the module defines no function '{name}'")
    parameters = inspect.signature(function).parameters
    wanted = [name for name, one in parameters.items() if one.default is one.empty]
    if unknown := [parameter for parameter in wanted if parameter not in given]:
        known = ", ".join(given) or "none"
        raise UsageError(f"no input is named '{unknown[0]}'; the inputs are: {known}")
    return function(**{name: given[name] for name in parameters if name in given})


def _record(
    state: Mapping[str, str],
    error: BaseException,
    trace: TracebackType | None,
    attempt: Attempt | None = None,
) -> None:
    """Write down what failed, and where in the transform, for the process that waits."""
    import traceback

    error = attempt.error() if attempt else error

    own = [f for f in traceback.extract_tb(trace) if f.filename == state["transform"]]
    line = own[-1].lineno if own else getattr(error, "lineno", None)
    line = attempt.line or line if attempt else line
    reason = str(error).strip() or type(error).__name__
    quoted = [f"  line {f.lineno}, in {f.name}\n    {f.line}" for f in own]
    facts = {
        "function": state["function"],
        "line": line,
        "error_type": type(error).__name__,
        "reached": attempt.what if attempt and not attempt.module else "",
        "path": attempt.path if attempt else "",
        "reason": reason,
        "detail": "\n".join([*quoted, f"{type(error).__name__}: {reason}"]),
    }
    Path(_FAILURE).write_text(json.dumps(facts), "utf-8")
    sys.__excepthook__(type(error), error, trace)


if __name__ == "__main__":
    main(sys.argv[1])
