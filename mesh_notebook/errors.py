"""The one tree of errors.

MeshError
├── UsageError            the call itself is wrong (a flag, a value, a name)
├── NotFound
│   ├── UnknownProduct    near misses by name
│   ├── UnknownPort
│   ├── UnknownName       a frame, column or view that does not exist
│   └── NoSnapshot        nothing published (yet), or not as early as asked
├── AmbiguousProduct      one short name, several addresses
├── SourceError           a file or database that cannot be read
├── SpecError             a product or contract that its standard refuses
├── ContractError         a frame that cannot be what its contract says
├── SqlError              a statement the engine refuses
├── ExportRefused         the notebook cannot be proved as a module
├── DeployRefused         the bundle may not be published
├── LoadRefused           a bundle that no cells of a notebook can say
├── AccessDenied          the port's policy, or a rule of the mesh, says no
├── KeyMissing            a key that sealed values want is not here, or may be read by others
├── StoreError            a root or a snapshot that cannot be read or written
│   └── Unreachable       storage that does not answer; nothing is known to be hurt
└── MissingExtra          an optional part that is not installed

KeyboardInterrupt
└── Stopped               somebody stopped what ran; no `except MeshError` keeps it going
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = [
    "AccessDenied",
    "AmbiguousProduct",
    "ContractError",
    "DeployRefused",
    "ExportRefused",
    "KeyMissing",
    "LoadRefused",
    "MeshError",
    "MissingExtra",
    "NoSnapshot",
    "NotFound",
    "SourceError",
    "SpecError",
    "SqlError",
    "Stopped",
    "StoreError",
    "UnknownName",
    "UnknownPort",
    "UnknownProduct",
    "Unreachable",
    "UsageError",
    "as_typed",
    "near",
]


_LINE = 2_000  # characters of a line of a message
# What a shell takes apart or reads otherwise, and what it does so even in double quotation marks.
_UNSAFE, _LIVE = re.compile(r"[^\w@%+=:,./-]", re.ASCII), re.compile(r'["$`\\!]')


class MeshError(Exception):
    """Something that the user can act on.

    Parameters
    ----------
    message : str
        What is wrong, in one or two sentences; may span lines where a picture
        (a caret under a statement, a table of counts) says more than words.
    next_step : str, optional
        What to do about it: a command, a flag, a name.
    **facts
        The facts behind the message, kept as attributes of the error.
    """

    def __init__(self, message: str, *, next_step: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.facts = facts
        for name, value in facts.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        whole = f"{self.message}\n→ {self.next_step}" if self.next_step else self.message
        # An engine's own words may quote a value of many megabytes.
        return "\n".join(
            f"{line:.{_LINE}}…" if len(line) > _LINE else line for line in whole.split("\n")
        )

    def _render_traceback_(self) -> list[str]:
        """Show a short paragraph in a notebook; MESH_DEBUG=1 shows the whole traceback."""
        if os.environ.get("MESH_DEBUG"):
            import traceback

            return traceback.format_exception(self)
        return [f"{type(self).__name__}: {self}"]


class AccessDenied(MeshError):
    """The policy of a port, or a rule of the mesh, forbids this read."""


class KeyMissing(MeshError):
    """A key is not here, or lies where others could read it."""


class UsageError(MeshError):
    """The call itself is wrong."""


class NotFound(MeshError):
    """What was named is not there."""


class UnknownProduct(NotFound):
    """No product of that name under any root."""


class UnknownPort(NotFound):
    """The product has no such output port."""


class UnknownName(NotFound):
    """No frame, view or column of that name."""


class NoSnapshot(NotFound):
    """Nothing was published, or nothing as early as asked."""


class AmbiguousProduct(MeshError):
    """One short name stands for several products."""


class SourceError(MeshError):
    """An operational source that cannot be read."""


class SpecError(MeshError):
    """A product or contract that its standard refuses."""


class ContractError(MeshError):
    """A frame that cannot be what its contract says."""


class SqlError(MeshError):
    """A statement that the engine refuses."""


class ExportRefused(MeshError):
    """The notebook cannot be proved as a module."""


class DeployRefused(MeshError):
    """The bundle may not be published."""


class LoadRefused(MeshError):
    """A bundle that no cells of a notebook can say."""


class VerificationFailed(MeshError):
    """A bundle is not as it was when it was proved."""


class StoreError(MeshError):
    """A root or a snapshot that cannot be read or written."""


class Unreachable(StoreError):
    """Storage that does not answer, so that nothing is known of what lies there."""


class MissingExtra(MeshError):
    """An optional part of the toolkit is not installed."""

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(
            f"{what} needs the '{extra}' extra, which is not installed.",
            next_step=f"pip install 'mesh-notebook[{extra}]'",
            extra=extra,
        )


class Stopped(KeyboardInterrupt):
    """Somebody stopped what ran (Ctrl-C); `came` says what it had written or published by then."""

    def __init__(self, came: str = "") -> None:
        super().__init__(came)
        self.came = came

    def __str__(self) -> str:
        return f"stopped; {self.came}." if self.came else "stopped."

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def as_typed(path: Path | str) -> str:
    """Return a path as a next step writes it, so that it can be typed: in quotation marks, if need
    be, and never as an option."""
    text = path if isinstance(path, str) else path.as_posix()
    text = f"./{text}" if text.startswith("-") else text
    if not _UNSAFE.search(text):
        return text
    return shlex.quote(text) if _LIVE.search(text) else f'"{text}"'


def near(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known names that a person may have meant by `name`, best first."""
    known = list(known)
    close = difflib.get_close_matches(name.lower(), [k.lower() for k in known], n=most, cutoff=0.5)
    by_lower = {k.lower(): k for k in reversed(known)}
    inside = [k for k in known if _holds(name.lower(), k.lower())]
    return list(dict.fromkeys([by_lower[c] for c in close] + inside))[:most]


def _holds(one: str, other: str) -> bool:
    # A letter or two stand in most names, and mean none of them.
    short, long = sorted((one, other), key=len)
    return len(short) > 2 and short in long
