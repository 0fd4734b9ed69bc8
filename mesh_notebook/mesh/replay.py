"""Run a bundle's transform in a clean process, on exactly the inputs it is given.

The process is isolated (`python -I`): no notebook, no caller's variables or environment, and
nothing importable but what is installed. `python -I -m mesh_notebook.mesh.replay job.json` is
its other half.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MeshError, UsageError
from mesh_notebook.mesh.guard import guard
from mesh_notebook.mesh.inputs import EventWindow, OpenedInput, ReplayInput
from mesh_notebook.mesh.keys import VARIABLES as KEYS
from mesh_notebook.mesh.keys import keys_folder
from mesh_notebook.mesh.s3 import VARIABLES

if TYPE_CHECKING:
    from types import ModuleType, TracebackType

    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = ["ReplayFailed", "replay"]

# What a process needs of its surroundings to start, find its libraries and print text.
_ENVIRONMENT = (
    *("PATH", "LC_CTYPE", "TMPDIR", "TEMP", "TMP"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "POLARS_MAX_THREADS"),
)
_JOB = "job.json"
_FAILURE = "failure.json"
_LOG = "replay.log"


class ReplayFailed(MeshError):
    """The transform did not run through in a clean process.

    Attributes
    ----------
    function : str
        The function of the transform that failed; empty where the module did not load.
    line : int or None
        The line of the transform.
    error_type : str
        The name of the error's class.
    detail : str
        The traceback, the transform's own lines only.
    """

    function: str
    line: int | None
    error_type: str
    detail: str


def replay(
    transform: Path,
    functions: Sequence[str],
    inputs: Mapping[str, ReplayInput | OpenedInput | Scan | pl.LazyFrame | pl.DataFrame],
    workdir: Path,
) -> dict[str, Path]:
    """Call functions of a module in a clean process and return where their frames lie.

    Parameters
    ----------
    transform : Path
        The module, loaded by its path.
    functions : sequence of str
        Which of its functions to call; each is given the inputs that its parameters name.
    inputs : mapping
        By parameter name: what the function receives, as a Polars `LazyFrame`.
    workdir : Path
        An existing folder for the job, its outputs and its log. The caller removes it.

    Returns
    -------
    dict
        By function: an Arrow IPC file, uncompressed.

    Raises
    ------
    ReplayFailed
        The module does not load, a function fails or returns no frame, or the process ends.
    """
    for name in (*functions, *inputs):
        if not name.isidentifier():
            raise UsageError(f"'{name}' is not a Python name.", name=name)
    workdir = workdir.resolve()
    given = {name: _described(name, one, workdir) for name, one in inputs.items()}
    job = {
        "transform": str(transform.resolve()),
        "functions": list(functions),
        "inputs": given,
    }
    (workdir / _JOB).write_text(json.dumps(job), "utf-8")
    code = _run(workdir, _credentials(given))
    made = {name: workdir / f"{name}.arrow" for name in functions}
    if code != 0 or not all(path.exists() for path in made.values()):
        raise _failure(code, workdir)
    return made


def _described(name: str, given: Any, workdir: Path) -> dict[str, Any]:
    """Return where the child finds an input; a frame that lies in memory is written out."""
    from mesh_notebook.mesh.scan import Scan

    if not isinstance(given, ReplayInput | OpenedInput):
        given = ReplayInput(given)
    if isinstance(given.data, Scan):
        scan = given.data
    else:
        path = workdir / f"input-{name}.arrow"
        given.data.lazy().collect().write_ipc(path, compression="uncompressed")
        scan = Scan("ipc", (str(path),))
    return {"scan": scan.as_dict(), "window": given.window and given.window.as_dict()}


def _credentials(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return what the child needs to reach inputs that lie elsewhere, and to open sealed ones."""
    scans = [given["scan"] for given in inputs.values()]
    remote = any("://" in path for scan in scans for path in scan["paths"])
    wanted = VARIABLES if remote else ()
    given = {name: os.environ[name] for name in wanted if name in os.environ}
    if any(scan.get("veil") and scan["veil"]["opened"] for scan in scans):
        # The child has another home, and so would look for the keys elsewhere.
        given |= {name: os.environ[name] for name in KEYS if name in os.environ}
        given["MESH_KEYS"] = str(keys_folder())
    return given


def _run(workdir: Path, credentials: Mapping[str, str]) -> int:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # The same on every machine, whatever a notebook set: what a transform reads must be an input.
    environment = {**kept, "TZ": "UTC", "HOME": str(workdir)}
    command = [sys.executable, "-I", "-m", "mesh_notebook.mesh.replay", _JOB]
    with (workdir / _LOG).open("wb") as log:
        # A session of its own: Ctrl-C reaches this process, which then ends the child.
        process = subprocess.Popen(
            command,
            cwd=workdir,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _tell(process, credentials)
            return process.wait()
        finally:
            process.kill()
            process.wait()
            if process.stdin:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()


def _tell(process: subprocess.Popen[bytes], credentials: Mapping[str, str]) -> None:
    # Not in its environment, which the system keeps for the transform to look up.
    with contextlib.suppress(BrokenPipeError):  # it ended at once, and its log says why
        assert process.stdin is not None
        process.stdin.write(json.dumps(credentials).encode() + b"\n")
        process.stdin.flush()


def _failure(code: int, workdir: Path) -> ReplayFailed:
    log = (workdir / _LOG).read_text("utf-8", "replace")
    record = workdir / _FAILURE
    if record.exists():
        facts = json.loads(record.read_text("utf-8"))
    else:
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        reason = f"the process {ended} before every frame was made"
        facts = {"function": "", "line": None, "error_type": "", "detail": log[-2_000:].strip()}
        facts["reason"] = reason
    where = f"{facts['function']}()" if facts["function"] else "transform.py"
    line = f", line {facts['line']}" if facts["line"] else ""
    kind = facts["error_type"] if facts["error_type"] not in ("", "UsageError") else ""
    said = f"{kind}: {facts['reason']}" if kind else facts["reason"]
    return ReplayFailed(
        f"{where} failed in a clean process{line}: {said}",
        next_step="what it needs must be in the module itself, or come through its parameters",
        log=log,
        **facts,
    )


# The child's half ------------------------------------------------------------------------


def main(job_file: str) -> None:
    """Do the job: load the module, call its functions, write their frames."""
    os.environ.update(json.loads(sys.stdin.buffer.readline() or b"{}"))
    _end_with_parent()
    job = json.loads(Path(job_file).read_text("utf-8"))
    state = {"function": "", "transform": job["transform"]}
    sys.excepthook = lambda kind, error, trace: _record(state, error, trace)
    inputs = {name: _opened(given) for name, given in job["inputs"].items()}
    for name in (*VARIABLES, *KEYS):  # the inputs are open: what opened them is not the transform's
        os.environ.pop(name, None)
    files = [path for given in job["inputs"].values() for path in given["scan"]["paths"]]
    guard([*files, job["transform"]], Path.cwd())
    module = _load(Path(job["transform"]))
    for name in job["functions"]:
        state["function"] = name
        _call(module, name, inputs).write_ipc(f"{name}.arrow", compression="uncompressed")


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""
    import threading

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # nothing more is sent: this returns when the pipe closes
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _load(path: Path) -> ModuleType:
    """Run a module from its text: no byte code of it is looked for, or left in the bundle."""
    from types import ModuleType

    module = ModuleType("transform")
    module.__file__ = str(path)
    sys.modules["transform"] = module  # as an import would: dataclasses look themselves up here
    exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(module))
    return module


def _opened(given: dict[str, Any]) -> pl.LazyFrame:
    from mesh_notebook.mesh.scan import Scan

    frame = Scan.from_dict(given["scan"]).lazy()
    return EventWindow.from_dict(given["window"]).cut(frame) if given["window"] else frame


def _call(module: ModuleType, name: str, inputs: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    import inspect

    import polars as pl

    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"the module defines no function '{name}'")
    parameters = inspect.signature(function).parameters
    if unknown := [parameter for parameter in parameters if parameter not in inputs]:
        known = ", ".join(inputs) or "none"
        raise UsageError(f"no input is named '{unknown[0]}'; the inputs are: {known}")
    frame = function(**{parameter: inputs[parameter] for parameter in parameters})
    if not isinstance(frame, pl.LazyFrame | pl.DataFrame):
        raise UsageError(f"it returned {type(frame).__name__}, not a Polars frame")
    return frame.lazy().collect()


def _record(state: Mapping[str, str], error: BaseException, trace: TracebackType | None) -> None:
    """Write down what failed, and where in the transform, for the process that waits."""
    import traceback

    own = [f for f in traceback.extract_tb(trace) if f.filename == state["transform"]]
    line = own[-1].lineno if own else getattr(error, "lineno", None)
    reason = str(error).strip() or type(error).__name__
    quoted = [f"  line {f.lineno}, in {f.name}\n    {f.line}" for f in own]
    facts = {
        "function": state["function"],
        "line": line,
        "error_type": type(error).__name__,
        "reason": reason,
        "detail": "\n".join([*quoted, f"{type(error).__name__}: {reason}"]),
    }
    Path(_FAILURE).write_text(json.dumps(facts), "utf-8")
    sys.__excepthook__(type(error), error, trace)


if __name__ == "__main__":
    main(sys.argv[1])
