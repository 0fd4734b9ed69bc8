"""What a transform reached for that is none of its inputs."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mesh_notebook.errors import as_typed

__all__ = ["Attempt", "Attempts", "NotAnInput"]


@dataclass(frozen=True)
class Attempt:
    """One thing that was reached for.

    Attributes
    ----------
    what : str
        What the transform does: `looks at late.txt`.
    path : str
        The file or folder as it was written; empty where it is none.
    line : int or None
        The line of the transform that asked; None in a thread of a library's own.
    module : str
        A module that the notebook imported, and that is not installed.
    """

    what: str
    path: str
    line: int | None
    module: str = ""

    def error(self) -> OSError | ImportError:
        """Return what refuses it."""
        if self.module:
            return ModuleNotFoundError(f"No module named '{self.module}'", name=self.module)
        return NotAnInput(self)


class NotAnInput(FileNotFoundError):
    """A transform reached for something that is none of its inputs.

    For the code that asks it is a file that is not there, as it would be on another machine.
    """

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(errno.ENOENT, os.strerror(errno.ENOENT))
        self.attempt = attempt

    def __str__(self) -> str:
        declare = f"; %mesh source NAME {as_typed(self.attempt.path)} declares it"
        return f"it {self.attempt.what}, which is no input{declare if self.attempt.path else ''}"


class Attempts:
    """The attempts of one process and of those that it forks, in a file, so that none is lost."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_WRONLY, 0o600)
        self._told: set[Attempt] = set()
        self._pending: set[str] = set()

    def add(self, attempt: Attempt, place: str = "") -> None:
        """Write an attempt down.

        Parameters
        ----------
        place : str
            Where a library looked before it writes, perhaps: if it does, this was no attempt.
        """
        if attempt not in self._told:
            self._told.add(attempt)
            self._pending.add(place)
            self._write({**asdict(attempt), "place": place})

    def made(self, place: str) -> None:
        """Note that a file was made anew, whatever stood there."""
        if place in self._pending:
            self._pending.remove(place)
            self._write({"made": place})

    def _write(self, line: Mapping[str, object]) -> None:
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")

    def first(self) -> Attempt | None:
        """Return what was reached for first, if anything was."""
        lines = [json.loads(line) for line in self._file.read_bytes().splitlines()]
        made = {line["made"] for line in lines if "made" in line}
        for line in lines:
            if "what" in line and line.pop("place") not in made:
                return Attempt(**line)
        return None

    def refuse(self) -> None:
        """Raise what refuses the first attempt, if there was any, whatever became of it."""
        if attempt := self.first():
            raise attempt.error()
