"""The guard: an audit hook, wraps of what no audit event tells of, and one verdict for both."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, NoReturn

from mesh_notebook.mesh.guard.attempts import Attempt, Attempts, NotAnInput
from mesh_notebook.mesh.guard.looks import wrap_looks
from mesh_notebook.mesh.guard.modules import note_missing
from mesh_notebook.mesh.guard.moments import CLOCK, parses_unseen, wrap_parsers
from mesh_notebook.mesh.guard.natives import wrap_readers
from mesh_notebook.mesh.guard.reach import Reach, absolute_paths
from mesh_notebook.mesh.guard.stack import asker

__all__ = ["Guard", "guard"]

_RECORD = "attempts.jsonl"
# The events that tell of a path, and where it stands in what they are given.
_LOOKS = ("os.remove", "os.rmdir", "os.rename", "os.link", "os.truncate", "os.getxattr", "os.chdir")
_LISTS = ("os.listdir", "os.scandir")
_PROGRAMS = {
    "subprocess.Popen": 0,
    "os.system": 0,
    "os.exec": 0,
    "os.posix_spawn": 0,
    "os.spawn": 1,
    "os.startfile": 0,
    "pty.spawn": 0,
}
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def guard(
    inputs: Iterable[str],
    workdir: Path,
    own: Path,
    *,
    loopback: bool = False,
    present: Collection[str] = (),
    word: str = "",
) -> Attempts:
    """From now on, and for good, refuse this process what is no input.

    Parameters
    ----------
    inputs : iterable of str
        The files that were declared.
    workdir : Path
        Where the process may write, and read what it wrote.
    own : Path
        The transform. What it asks for is written down, and a library that looks about for itself
        is told that nothing is there.
    loopback : bool
        Whether it may talk to other processes of this machine: an engine of its own is one.
    present : collection of str
        The modules that lie beside the notebook, and so on no other machine.
    word : str
        One that an input holds, and for which NumPy reads the clock where it parses days.

    Returns
    -------
    Attempts
        What the transform reached for, so far.
    """
    import tempfile

    text = own.read_text("utf-8")
    attempts = Attempts(workdir / _RECORD)
    workdir = workdir.resolve()
    scratch = [Path.home(), Path(tempfile.gettempdir())]
    folders = [workdir, *(f for f in scratch if f.is_relative_to(workdir))]
    reach = Reach([*inputs, str(own)], folders, absolute_paths(text))
    made = Guard(reach, attempts, str(own), text, loopback)
    wrap_looks(made.look, reach.always)
    wrap_readers(made.look, made.refuse)
    wrap_parsers(made.refuse, text)
    if word and (line := parses_unseen(text)):
        attempts.add(Attempt(f"{CLOCK} '{word}' in its data", "", line))
    note_missing(attempts, str(own), present)
    sys.addaudithook(made.hook)
    return attempts


class Guard:
    """The verdict on what a process reaches for.

    Parameters
    ----------
    own, text : str
        The transform's file, and what stands in it.
    """

    def __init__(
        self, reach: Reach, attempts: Attempts, own: str, text: str, loopback: bool
    ) -> None:
        self._reach = reach
        self._attempts = attempts
        self._own = own
        self._text = text
        self._loopback = loopback
        self._judging = threading.local()  # what it asks itself is nobody's asking
        self._events: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._opens,
            "sqlite3.connect": self._connects,
            "os.mkdir": lambda given: self._writes(given[0]),
            "tempfile.mkdtemp": lambda given: self._reach.freshen(given[0]),
            "tempfile.mkstemp": lambda given: self._reach.freshen(given[0]),
            **dict.fromkeys(_LOOKS, lambda given: self._looks(given[0])),
            **dict.fromkeys(_LISTS, lambda given: self._looks(given[0] or os.curdir, lists=True)),
            **{name: self._runs(place) for name, place in _PROGRAMS.items()},
            **{name: self._asks_network(name) for name in _NETWORK},
        }

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        act = self._events.get(event)
        if act is not None:
            self._judged(act, arguments)

    def look(self, path: object, *, peeks: bool = False) -> None:
        """Let a look at a path pass, or raise `NotAnInput`.

        Parameters
        ----------
        peeks : bool
            Nothing of what stands there is read, only whether it does.
        """
        self._judged(self._looks, path, peeks=peeks)

    def refuse(self, what: str) -> None:
        """Refuse what is no path; a library that asks for itself hears that it is not there."""
        asks = asker(self._own)
        attempt = Attempt(what, "", asks.line)
        if not asks.is_transform:
            raise NotAnInput(attempt)
        self._record(attempt)

    def _judged(self, act: Callable[..., None], *arguments: Any, **options: Any) -> None:
        if getattr(self._judging, "now", False):
            return
        self._judging.now = True
        try:
            act(*arguments, **options)
        finally:
            self._judging.now = False

    def _looks(self, path: object, *, lists: bool = False, peeks: bool = False) -> None:
        said = _path(path)
        reach, real = self._reach, os.path.realpath(said)
        if not said or reach.is_free(real) or reach.is_made(real, lists):
            return
        if reach.is_folder(real) and not lists:
            return
        asks = asker(self._own, peeks=peeks)
        said = reach.shown(said)
        if not asks.is_transform or (asks.by_library and reach.is_setting(real)):
            if peeks or reach.is_own(real):
                return
            raise NotAnInput(Attempt(f"reads {said}", said, None))
        what = "lists the files of" if lists else "looks at" if peeks else "reads"
        before_writing = real if peeks and asks.by_library and reach.is_own(real) else ""
        self._record(Attempt(f"{what} {said}", said, asks.line), before_writing)

    def _record(self, attempt: Attempt, place: str = "") -> NoReturn:
        self._attempts.add(attempt, place)
        raise NotAnInput(attempt)

    def _opens(self, given: tuple[Any, ...]) -> None:
        path, _, flags = given
        makes = flags & (os.O_TRUNC | os.O_EXCL)
        if makes or flags & os.O_WRONLY:
            self._writes(path)
            note = self._attempts.made if makes else self._reach.extend
            note(os.path.realpath(_path(path)))
        else:
            self._looks(path)

    def _writes(self, path: object) -> None:
        if not self._reach.is_own(os.path.realpath(_path(path))):
            self._looks(path)

    def _connects(self, given: tuple[Any, ...]) -> None:
        path = given[0]
        if isinstance(path, str):
            bare, _, query = path.removeprefix("file:").partition("?")
            if bare in ("", ":memory:") or "mode=memory" in query:
                return
            path = bare if path.startswith("file:") else path
        self._looks(path)

    def _runs(self, place: int) -> Callable[[tuple[Any, ...]], None]:
        def runs(given: tuple[Any, ...]) -> None:
            program = _first_word(given[place])
            asks = asker(self._own)
            attempt = Attempt(f"runs another program, {program}", "", asks.line)
            # A library counts processors, or fonts, with programs that the transform never names.
            if asks.is_transform and not (asks.by_library and program not in self._text):
                self._record(attempt)
            raise NotAnInput(attempt)

        return runs

    def _asks_network(self, event: str) -> Callable[[tuple[Any, ...]], None]:
        def asks(given: tuple[Any, ...]) -> None:
            address = (
                given[0] if event in ("socket.getaddrinfo", "socket.gethostbyname") else given[1]
            )
            if not self._stays_here(address):
                self.refuse("reads the network")

        return asks

    def _stays_here(self, address: object) -> bool:
        """Return whether an address is of this machine, or a socket that the run made."""
        if isinstance(address, str | bytes) and os.path.isabs(os.fsdecode(address)):
            return self._reach.is_own(os.path.realpath(os.fsdecode(address)))
        host = address[0] if isinstance(address, tuple) else address
        return self._loopback and host in _LOOPBACK


def _path(path: object) -> str:
    """Return a path as text; none for a descriptor, which something that was allowed has opened.

    Nor for what only stands where a file's name would: `<string>`.
    """
    if not isinstance(path, str | bytes | os.PathLike):
        return ""
    said = os.fsdecode(path)
    return "" if "\0" in said or (said.startswith("<") and said.endswith(">")) else said


def _first_word(command: object) -> str:
    first = command[0] if isinstance(command, list | tuple) and command else command
    said = os.fsdecode(first) if isinstance(first, str | bytes | os.PathLike) else str(first)
    return os.path.basename((said.split() or [""])[0])
