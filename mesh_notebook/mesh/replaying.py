"""The clean process itself: load the module, open the inputs, call its functions, write frames.

`python -P -s -m mesh_notebook.mesh.replaying job.json`, started by `mesh_notebook.mesh.replay`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.engines import Engine, engine_of
from mesh_notebook.mesh.guard import Attempt, guard
from mesh_notebook.mesh.inputs import EventWindow
from mesh_notebook.mesh.keys import VARIABLES as KEYS
from mesh_notebook.mesh.s3 import VARIABLES

if TYPE_CHECKING:
    from types import ModuleType, TracebackType

    import polars as pl

    from mesh_notebook.mesh.ordering import Watch

__all__ = ["main"]

_FAILURE = "failure.json"
_ORDER = "order.json"


def main(job_file: str) -> None:
    """Do the job: load the module, call its functions, write their frames."""
    os.environ.update(json.loads(sys.stdin.buffer.readline() or b"{}"))
    _end_with_parent()
    job = json.loads(Path(job_file).read_text("utf-8"))
    state = {"function": "", "transform": job["transform"]}
    faults: dict[str, Any] = {}
    sys.excepthook = lambda kind, error, trace: _record(state, error, trace)
    engine = engine_of(job["engine"], job["settings"], Path.cwd())
    inputs = {
        name: _opened(engine, name, {**given, "keys": job["keys"]}, job["watched"])
        for name, given in job["inputs"].items()
    }
    for name in (*VARIABLES, *KEYS):  # the inputs are open: what opened them is not the transform's
        os.environ.pop(name, None)
    files = [path for given in job["inputs"].values() for path in given["scan"]["paths"]]
    # Python talks to Spark's JVM over loopback.
    transform = Path(job["transform"])
    loopback, present = job["engine"] == "spark", job["present"]
    own = [str(Path.cwd() / "spark")] if loopback else []  # where the session keeps its files
    attempts = guard([*files, *own], Path.cwd(), transform, loopback=loopback, present=present)
    # What was reached for explains what failed after it.
    sys.excepthook = lambda kind, error, trace: _record(state, error, trace, attempts.first())
    engine.sealed()
    watch = _watch(job)
    module = loaded(transform)
    attempts.refuse()
    if watch and job["sql"]:
        from mesh_notebook.mesh.ordering import watch_queries

        watch_queries(module, job["sql"])
    loading = len(watch.faults) if watch else 0
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
    if job["witness"]:
        _hear(job["witness"], {**engine.given(), **inputs})
    engine.ended()


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


def _opened(engine: Engine, name: str, given: dict[str, Any], watched: bool) -> Any:
    from mesh_notebook.mesh.scan import Scan

    scan = Scan.from_dict(given["scan"])
    frame = scan.lazy()
    cut = EventWindow.from_dict(given["window"]).cut(frame) if given["window"] else frame
    return engine.opened(name, scan, _as_it_lies(name, cut, given) if watched else cut)


def _as_it_lies(name: str, frame: Any, given: Mapping[str, Any]) -> Any:
    """Return an input that says what is known of its rows' order; a port's rows in another one."""
    from mesh_notebook.mesh.ordering import another_order, port, source

    if given.get("ordered", True):
        return source(frame, given["keys"])
    return port(another_order(frame), name, frozenset(given.get("key", ())))


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
