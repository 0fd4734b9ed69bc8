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
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.engines import refuse_unknown
from mesh_notebook.mesh.guard import beside
from mesh_notebook.mesh.inputs import OpenedInput, ReplayInput
from mesh_notebook.mesh.keys import VARIABLES as KEYS
from mesh_notebook.mesh.keys import keys_folder
from mesh_notebook.mesh.on_mocks import keep_mocks, unfit_in
from mesh_notebook.mesh.outcomes import (
    LOG,
    Dependent,
    ReplayFailed,
    Started,
    Twice,
    Witness,
    parted_on,
    rows_in,
)
from mesh_notebook.mesh.s3 import VARIABLES
from mesh_notebook.mesh.unsliced import Step, left_out_in
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
    "rows_in",
    "started",
]

# What a process needs of its surroundings to start, find its libraries and print text.
_ENVIRONMENT = (
    *("PATH", "LC_CTYPE"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "POLARS_MAX_THREADS"),
    "JAVA_HOME",
)
_JOB = "job.json"


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


def replay_twice(
    transform: Path,
    functions: Sequence[str],
    inputs: Mapping[str, ReplayInput],
    workdir: Path,
    sql: str = "",
    witness: Witness | None = None,
    keys: Sequence[Sequence[str]] = (),
    mocks: Mapping[str, bytes] | None = None,
    steps: Sequence[Step] = (),
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
    mocks : mapping, optional
        By input: a Parquet file of mock rows, on which the plain process tries the functions last.
    steps : sequence of Step
        All that the notebook ran, which the plain process holds the functions to, on other rows.
    """
    folders = [workdir / "plain", workdir / "otherwise"]
    for folder in folders:
        folder.mkdir()
    with (
        started(
            *(transform, functions, inputs, folders[0]),
            witness=witness,
            repeated=True,
            mocks=mocks,
            steps=steps,
        ) as plain,
        started(
            *(transform, functions, inputs, folders[1]),
            variation=OTHERWISE,
            sql=sql,
            keys=keys,
            tried=True,
            repeated=True,
        ) as other,
    ):
        made = plain.made()
        told = plain.told(witness.functions) if witness else {}
        unfit = unfit_in(plain.workdir)
        try:
            otherwise = other.made()
            parted = {n: one for n in functions if (one := parted_on(plain, other, n))}
            more = (other.faults(), told, other.dependences(), unfit, parted)
            return Twice(made, otherwise, "", *more, left_out_in(plain.workdir))
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
    mocks: Mapping[str, bytes] | None = None,
    repeated: bool = False,
    steps: Sequence[Step] = (),
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
    mocks : mapping, optional
        By input: a Parquet file of mock rows, on which it tries the functions last.
    repeated : bool
        Whether it leaves what functions make of other rows, to be compared.
    steps : sequence of Step
        All that the notebook ran, if it is to hold the functions to it on other rows.
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
        "mocked": keep_mocks(mocks, workdir) if mocks else [],
        "repeated": repeated,
        "steps": [asdict(step) for step in steps],
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
    with (workdir / LOG).open("wb") as log:
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
