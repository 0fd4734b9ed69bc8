"""What came of clean processes: the frames that they made, or why they made none."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.on_mocks import Unfit
from mesh_notebook.mesh.ordering import Fault
from mesh_notebook.mesh.unsliced import LeftOut

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "DONE",
    "LOG",
    "Dependent",
    "ReplayFailed",
    "Started",
    "Twice",
    "Witness",
    "parted_on",
    "rows_in",
]

LOG = "replay.log"
DONE = "done"  # the file that says that what follows is beside the job
_FAILURE = "failure.json"
_ORDER = "order.json"
_DEPENDENCES = "dependences.json"
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
        failed = code != 0 and not (self.workdir / DONE).exists()
        if failed or not all(path.exists() for path in made.values()):
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
    each_time : bool
        Whether it answers otherwise each time, on the same rows in the same process.
    """

    said: str
    ports: tuple[str, ...]
    one: Mapping[str, Path]
    other: Mapping[str, Path]
    each_time: bool = False

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], folder: Path) -> Dependent:
        """Read what the clean process wrote down."""
        one, other = (
            {name: folder / path for name, path in told[side].items()} for side in ("one", "other")
        )
        return cls(told["said"], tuple(told["ports"]), one, other)


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
    unfit : dict
        By function: how it fares on mocks and on no rows, where it does not keep its columns.
    parted : dict
        By function: rows like those at hand, on which the two processes answer otherwise.
    left_out : dict
        By function: what the module lacks on other rows of all that the notebook ran.
    """

    made: dict[str, Path]
    otherwise: dict[str, Path]
    failure: str = ""
    faults: Mapping[str, Fault] = field(default_factory=dict)
    witnessed: Mapping[str, Path] = field(default_factory=dict)
    dependences: Mapping[str, Dependent] = field(default_factory=dict)
    unfit: Mapping[str, Unfit] = field(default_factory=dict)
    parted: Mapping[str, Dependent] = field(default_factory=dict)
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)


def parted_on(one: Started, other: Started, name: str) -> Dependent | None:
    """Return other rows on which a function answers otherwise in another process, if there are."""
    from mesh_notebook.mesh.rows import difference

    for told in sorted(one.workdir.glob(f"{name}-each-*.txt")):
        rows = _rows_beside(told, one.workdir)
        return Dependent(told.read_text("utf-8"), (), rows, rows, each_time=True)
    for made in sorted(one.workdir.glob(f"{name}-made-*.arrow")):
        there = other.workdir / made.name
        said = difference(rows_in(made), rows_in(there)) if there.exists() else None
        if said is not None:
            rows = _rows_beside(made, one.workdir)
            return Dependent(said, (), rows, rows)
    return None


def _rows_beside(path: Path, folder: Path) -> dict[str, Path]:
    """Return by input the file of the rows of which a trial told."""
    start = re.sub("-(made|each)-", "-rows-", path.stem) + "-"
    return {p.stem.removeprefix(start): p for p in folder.glob(f"{start}*.arrow")}


@dataclass(frozen=True)
class Witness:
    """A module that is run after the transform, in the same process, for what it tells.

    It is loaded anew, and whether it fails is no matter.
    """

    text: str
    functions: tuple[str, ...]


def _failure(code: int, workdir: Path) -> ReplayFailed:
    log = (workdir / LOG).read_text("utf-8", "replace")
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


def rows_in(path: Path) -> pl.DataFrame:
    """Return the rows that a clean process left in a file, which may go then.

    The folder of temporary files is the user's: its name may be that of a glob, which is none.
    """
    import polars as pl

    return pl.scan_ipc(path, glob=False, hive_partitioning=False).collect()
