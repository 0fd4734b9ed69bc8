"""Run a bundle on an engine, and look at what it makes: nothing is published."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.deploy.schemas import explained
from mesh_notebook.deploy.validating import Validated
from mesh_notebook.deploy.views import refuse_other_view
from mesh_notebook.errors import ContractError, DeployRefused
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.checks import CheckReport, check
from mesh_notebook.mesh.engines import refuse_unknown
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.replay import ReplayFailed, replay, rows_in
from mesh_notebook.mesh.store import conformed
from mesh_notebook.mesh.stored import as_stored, refuse_lost
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.product import InputPort
from mesh_notebook.model.receipt import Receipt

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PORTABLE", "Ran", "made_by", "module_for", "run", "stored_by"]

PORTABLE = "portable.py"
_PREFIX = "mesh-run-"


@dataclass(frozen=True)
class Ran:
    """What a run made, and where.

    Attributes
    ----------
    frames : dict
        By output port: its rows, of the types of its contract.
    checks : dict
        By output port: how its rows fare against the contract.
    seconds : float
        How long the clean process took, its start included.
    origin : Origin
        The worst of the inputs.
    rows : int
        How many rows of each port are to be shown.
    files : tuple of Path
        What was written of it.
    """

    product: str
    engine: str
    frames: dict[str, pl.DataFrame]
    checks: dict[str, CheckReport]
    seconds: float
    origin: Origin
    rows: int
    files: tuple[Path, ...] = ()


def run(
    bundle: Path,
    open_input: Callable[[InputPort, Path], OpenedInput],
    *,
    engine: str = "polars",
    master: str = "",
    rows: int = 10,
    progress: Callable[[str], None] = lambda step: None,
) -> Ran:
    """Run a bundle's transform on its inputs, and hold it to its contracts; publish nothing.

    Parameters
    ----------
    open_input : callable
        Opens an input port of the bundle in that folder, and pins what it opened.
    engine : str
        One of `mesh.engines.ENGINES`.
    master : str
        Of Spark: the cluster, `spark://host:port`; this machine if it is not given.

    Raises
    ------
    SpecError
        The specification or a contract is missing or not valid.
    DeployRefused
        The product does not go to that engine, or its transform fails there; or an input shows
        something else than was proved.
    UsageError, MissingExtra
        There is no such engine, or it cannot start here.
    """
    refuse_unknown(engine)
    progress("validate the bundle")
    made = Validated.of(Bundle(bundle))
    module_for(made, engine)
    opened = {}
    for port in made.product.inputs:
        progress(f"open the input {port.name}")
        opened[port.name] = open_input(port, bundle)
        refuse_other_view(port, opened[port.name], made.bundle)
    progress(f"run it on {engine} in a clean process")
    with _transient() as work:
        began = time.monotonic()
        frames = made_by(made, opened, work, engine, master)
        seconds = time.monotonic() - began
        progress("check the contracts")
        checks = {port: check(frame.lazy(), made.contracts[port]) for port, frame in frames.items()}
    origin = Receipt.origin_of(tuple(given.pin for given in opened.values()))
    return Ran(made.product.name, engine, frames, checks, seconds, origin, rows)


def made_by(
    made: Validated, opened: Mapping[str, OpenedInput], work: Path, engine: str, master: str = ""
) -> dict[str, pl.DataFrame]:
    """Return by output port what an engine makes, in the types of the contracts.

    Raises
    ------
    DeployRefused
        The product does not go to that engine, or its transform fails there.
    """

    module = module_for(made, engine)
    try:
        paths = replay(module, list(made.functions.values()), opened, work, engine, master)
    except ReplayFailed as error:
        what = f"{module.name} of {made.product.name} does not run on {engine} on these inputs"
        raise _failed(what, error, made, opened) from None
    # In memory, since the folder goes.
    return {
        port: conformed(rows_in(paths[name]), made.contracts[port])
        for port, name in made.functions.items()
    }


def _failed(
    what: str, error: ReplayFailed, made: Validated, opened: Mapping[str, OpenedInput]
) -> DeployRefused:
    """Return the refusal that says why a transform failed, and which input has changed since."""
    why, step = explained(made, opened)
    return DeployRefused(
        f"{what}: {error.message}{why}",
        next_step=step or error.next_step,
        function=error.function,
        line=error.line,
        error_type=error.error_type,
        detail=error.detail,
    )


def stored_by(
    made: Validated, opened: Mapping[str, OpenedInput], work: Path, engine: str, master: str = ""
) -> dict[str, pl.LazyFrame]:
    """Return by output port what an engine makes, in the types of the store.

    Raises
    ------
    DeployRefused
        As `made_by`; or storing would lose or change something of the rows.
    """
    import polars as pl

    if engine != "polars":
        frames = made_by(made, opened, work, engine, master)
        return {port: frame.lazy() for port, frame in frames.items()}
    try:
        paths = replay(made.bundle.transform, list(made.functions.values()), opened, work)
    except ReplayFailed as error:
        what = f"the transform of {made.product.name} does not run on these inputs, so nothing was "
        raise _failed(f"{what}published", error, made, opened) from None
    scans = {n: pl.scan_ipc(paths[name], glob=False) for n, name in made.functions.items()}
    # As they are stored: what is checked, measured and rejected is what would be read back.
    return {port: _stored(frame, f"{made.product.name}/{port}") for port, frame in scans.items()}


def _stored(frame: pl.LazyFrame, port: str) -> pl.LazyFrame:
    try:
        refuse_lost(frame, port)
    except ContractError as error:
        raise DeployRefused(
            f"{error.message[:-1]}, so nothing was published.",
            next_step=error.next_step,
            **error.facts,
        ) from None
    return as_stored(frame)


def module_for(made: Validated, engine: str) -> Path:
    """Return the module that an engine runs, or raise `DeployRefused` where there is none."""
    if engine == "polars":
        return made.bundle.transform
    path = made.bundle.folder / PORTABLE
    said = made.bundle.refused_by(engine)
    if path.is_file() and not said:
        return path
    raise DeployRefused(
        f"{made.product.name} does not go to {engine}: {'; '.join(said) or f'no {PORTABLE}'}.",
        next_step="run it on polars, or write that expression otherwise and export again",
        engine=engine,
        expressions=said,
    )


@contextmanager
def _transient() -> Iterator[Path]:
    """Give a folder that goes with the run; those of runs that were killed go with the next."""
    mine = f"{_PREFIX}{os.getuid() if hasattr(os, 'getuid') else 0}-"
    for old in Path(tempfile.gettempdir()).glob(f"{mine}*"):
        if not _lives(old.name.removeprefix(mine).partition("-")[0]):
            shutil.rmtree(old, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{mine}{os.getpid()}-")
    try:
        yield Path(folder)
    finally:
        # A JVM that is just ending may still remove files of its own in there.
        shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: str) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, ValueError):
            return False
    return True
