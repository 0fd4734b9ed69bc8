"""Run a bundle's transform in a clean process, on exactly the inputs it is given.

The process is isolated: no notebook, no caller's variables or environment, and nothing importable
but what is installed. `mesh_notebook.mesh.replaying` is its other half.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MeshError, UsageError
from mesh_notebook.mesh.engines import refuse_unknown
from mesh_notebook.mesh.guard import beside
from mesh_notebook.mesh.inputs import OpenedInput, ReplayInput
from mesh_notebook.mesh.keys import VARIABLES as KEYS
from mesh_notebook.mesh.keys import keys_folder
from mesh_notebook.mesh.ordering import Fault
from mesh_notebook.mesh.s3 import VARIABLES
from mesh_notebook.mesh.variation import OTHERWISE, PLAIN, Variation

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = [
    "Dependent",
    "ReplayFailed",
    "Started",
    "Twice",
    "Witness",
    "replay",
    "replay_twice",
    "started",
]

# What a process needs of its surroundings to start, find its libraries and print text.
_ENVIRONMENT = (
    *("PATH", "LC_CTYPE"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "POLARS_MAX_THREADS"),
    "JAVA_HOME",
)
_JOB = "job.json"
_FAILURE = "failure.json"
_ORDER = "order.json"
_DEPENDENCES = "dependences.json"
_LOG = "replay.log"
# A wait with a limit looks again and again, and so hears Ctrl-C; one without may not, as Polars has
# the system take up again what a signal interrupts.
_FOREVER = 10**9  # seconds


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
    reached : str
        What it reached for that is no input, as in `looks at late.txt`, if that is why.
    path : str
        The file or folder that it reached for, as it was written.
    """

    function: str
    line: int | None
    error_type: str
    detail: str
    reached: str
    path: str


def replay(
    transform: Path,
    functions: Sequence[str],
    inputs: Mapping[str, ReplayInput | OpenedInput | Scan | pl.LazyFrame | pl.DataFrame],
    workdir: Path,
    engine: str = "polars",
    master: str = "",
    *,
    variation: Variation = PLAIN,
) -> dict[str, Path]:
    """Call functions of a module in a clean process and return where their frames lie.

    Parameters
    ----------
    transform : Path
        The module, loaded by its path.
    functions : sequence of str
        Which of its functions to call; each is given the inputs that its parameters name.
    inputs : mapping
        By parameter name: what the function receives, as a Polars `LazyFrame`; on another engine
        as one of Narwhals over a frame of that engine.
    workdir : Path
        An existing folder for the job, its outputs and its log. The caller removes it.
    engine : str
        One of `mesh.engines.ENGINES`. Polars runs `transform.py`, the others `portable.py`.
    master : str
        Spark's master; all the processors of this machine if it is not given.
    variation : Variation
        What is otherwise in the process than in other ones.

    Returns
    -------
    dict
        By function: an Arrow IPC file, uncompressed.

    Raises
    ------
    ReplayFailed
        The module does not load, a function fails or returns no frame, or the process ends.
    UsageError, MissingExtra
        There is no such engine, or it cannot start here.
    """
    given = (transform, functions, inputs, workdir, engine, master)
    with started(*given, variation=variation) as one:
        return one.made()


@dataclass(frozen=True)
class Started:
    """A clean process at work.

    Attributes
    ----------
    process : subprocess.Popen
    workdir : Path
    functions : tuple of str
        What it was asked to call.
    """

    process: subprocess.Popen[bytes]
    workdir: Path
    functions: tuple[str, ...]

    def made(self) -> dict[str, Path]:
        """Wait for it, and return by function where its frame lies; raises `ReplayFailed`."""
        code = self.process.wait(_FOREVER)
        made = {name: self.workdir / f"{name}.arrow" for name in self.functions}
        if code != 0 or not all(path.exists() for path in made.values()):
            raise _failure(code, self.workdir)
        return made

    def told(self, functions: Sequence[str]) -> dict[str, Path]:
        """Return by function of a witness where its frame lies, if it was made."""
        made = {name: self.workdir / f"{name}.arrow" for name in functions}
        return {name: path for name, path in made.items() if path.exists()}

    def dependences(self) -> dict[str, Dependent]:
        """Return by function the rows of which another order makes it answer otherwise, if any."""
        record = self.workdir / _DEPENDENCES
        if not record.exists():
            return {}
        told: dict[str, dict[str, Any]] = json.loads(record.read_text("utf-8"))
        return {name: Dependent.from_dict(one, self.workdir) for name, one in told.items()}

    def faults(self) -> dict[str, Fault]:
        """Return by function the step whose answer the rows do not determine; where one is."""
        record = self.workdir / _ORDER
        if not record.exists():
            return {}
        told: dict[str, dict[str, Any]] = json.loads(record.read_text("utf-8"))
        return {name: Fault(**fault) for name, fault in told.items()}


@dataclass(frozen=True)
class Dependent:
    """Rows of the inputs' contracts of which another order makes a function answer otherwise.

    Attributes
    ----------
    said : str
        How the answers differ.
    ports : tuple of str
        The inputs whose rows lie otherwise; none where it is up to steps that keep no order.
    one, other : dict
        By input: the file of its rows, in the one order and in the other.
    """

    said: str
    ports: tuple[str, ...]
    one: Mapping[str, Path]
    other: Mapping[str, Path]

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], folder: Path) -> Dependent:
        """Read what the clean process wrote down."""
        sides = [{n: folder / path for n, path in told[side].items()} for side in ("one", "other")]
        return cls(told["said"], tuple(told["ports"]), *sides)


@dataclass(frozen=True)
class Twice:
    """What two clean processes made that differ in all that no input says.

    Attributes
    ----------
    made, otherwise : dict
        By function: where its frame lies. The second is empty where that process failed.
    failure : str
        Why it failed.
    faults : dict
        By function: the step whose answer the rows do not determine.
    witnessed : dict
        By function of the witness: where its frame lies, if it came so far.
    dependences : dict
        By function: rows like those at hand, of which another order makes it answer otherwise.
    """

    made: dict[str, Path]
    otherwise: dict[str, Path]
    failure: str = ""
    faults: Mapping[str, Fault] = field(default_factory=dict)
    witnessed: Mapping[str, Path] = field(default_factory=dict)
    dependences: Mapping[str, Dependent] = field(default_factory=dict)


@dataclass(frozen=True)
class Witness:
    """A module that is run after the transform, in the same process, for what it tells.

    It is loaded anew, and whether it fails is no matter.
    """

    text: str
    functions: tuple[str, ...]


def replay_twice(
    transform: Path,
    functions: Sequence[str],
    inputs: Mapping[str, ReplayInput],
    workdir: Path,
    sql: str = "",
    witness: Witness | None = None,
    keys: Sequence[Sequence[str]] = (),
) -> Twice:
    """Replay in two processes at the same time; raises `ReplayFailed` where the plain one fails.

    Parameters
    ----------
    sql : str
        The module's function that runs SQL, where steps are watched.
    witness : Witness, optional
        What the plain process runs besides.
    keys : sequence
        What was said to be a key of what the functions make.
    """
    folders = [workdir / "plain", workdir / "otherwise"]
    for folder in folders:
        folder.mkdir()
    with (
        started(transform, functions, inputs, folders[0], witness=witness) as plain,
        started(
            *(transform, functions, inputs, folders[1]),
            variation=OTHERWISE,
            sql=sql,
            keys=keys,
            tried=True,
        ) as other,
    ):
        made = plain.made()
        told = plain.told(witness.functions) if witness else {}
        try:
            otherwise = other.made()
            return Twice(made, otherwise, "", other.faults(), told, other.dependences())
        except ReplayFailed as failed:
            return Twice(made, {}, str(failed), other.faults(), told)


@contextlib.contextmanager
def started(
    transform: Path,
    functions: Sequence[str],
    inputs: Mapping[str, ReplayInput | OpenedInput | Scan | pl.LazyFrame | pl.DataFrame],
    workdir: Path,
    engine: str = "polars",
    master: str = "",
    *,
    variation: Variation = PLAIN,
    sql: str = "",
    witness: Witness | None = None,
    keys: Sequence[Sequence[str]] = (),
    tried: bool = False,
) -> Iterator[Started]:
    """Start a clean process, as `replay` does; it ends with the block, whatever it has done.

    Parameters
    ----------
    variation : Variation
        What is otherwise in it than in other ones.
    sql : str
        The module's function that runs SQL, where steps are watched.
    witness : Witness, optional
        What it runs after the transform.
    keys : sequence
        What was said to be a key of what the functions make.
    tried : bool
        Whether it asks the functions on other rows of the same contracts, too, in several orders.
    """
    refuse_unknown(engine)
    if engine == "spark":
        from mesh_notebook.mesh.engines.on_spark import LOCAL, refuse_without_spark

        refuse_without_spark()
        master = master or LOCAL
    for name in (*functions, *inputs):
        if not name.isidentifier():
            raise UsageError(f"'{name}' is not a Python name.", name=name)
    workdir = workdir.resolve()
    given = {name: _described(name, one, workdir) for name, one in inputs.items()}
    job = {
        "transform": str(transform.resolve()),
        "functions": list(functions),
        "inputs": given,
        "engine": engine,
        "settings": {"master": master},
        "threads": variation.threads,
        "watched": variation.order,
        "sql": sql,
        "present": beside(),
        "witness": asdict(witness) if witness else None,
        "keys": [list(key) for key in keys if key],
        "tried": tried,
    }
    (workdir / _JOB).write_text(json.dumps(job), "utf-8")
    with _process(workdir, _credentials(given), variation) as process:
        yield Started(process, workdir, tuple(functions))


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
    told = {"scan": scan.as_dict(), "window": given.window and given.window.as_dict()}
    if isinstance(given, ReplayInput):
        told |= {"ordered": given.ordered, "demands": given.demands}
    return told


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


@contextlib.contextmanager
def _process(
    workdir: Path, credentials: Mapping[str, str], variation: Variation
) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**_environment(workdir), **variation.environment()}
    # What `-I` asks for but that Python's variables be ignored: there is none here but the seed of
    # its hashes, without which the order of a set would be another one each time.
    command = [sys.executable, "-P", "-s", "-m", "mesh_notebook.mesh.replaying", _JOB]
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
            yield process
        finally:
            # All that it started, too: Spark's JVM is of its group, and would end a moment later.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()


def _environment(workdir: Path) -> dict[str, str]:
    """Return the surroundings of the clean process, with folders of its own for what it leaves."""
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    home, scratch = workdir / "home", workdir / "tmp"
    looks = home / ".config" / "matplotlib"
    for folder in (looks, scratch):
        folder.mkdir(parents=True, exist_ok=True)
    # The same on every machine, whatever a notebook set: what a transform reads must be an input.
    return {
        **kept,
        "TZ": "UTC",
        "HOME": str(home),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch)),
        "MPLCONFIGDIR": str(looks),
        "MPLBACKEND": "agg",
    }


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
        facts |= {"reached": "", "path": ""}
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
