"""Which paths a clean process may look at."""

from __future__ import annotations

import ast
import os
import sys
import sysconfig
import zoneinfo
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["Reach", "absolute_paths"]

_PACKAGE = Path(__file__).parents[2]
# What a machine tells of itself and every one has: libraries, time zones, processors, fonts.
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/opt", "/proc", "/sys", "/dev", "/run/systemd", "/System"),
    *("/Library/Fonts", "/var/cache/fontconfig"),
    *(
        f"/etc/{name}"
        for name in (
            *("localtime", "timezone", "zoneinfo", "mime.types", "httpd", "apache", "apache2"),
            *(
                "ssl",
                "pki",
                "ca-certificates",
                "fonts",
                "locale.alias",
                "ld.so.cache",
                "ld.so.conf",
            ),
            *("nsswitch.conf", "hosts", "host.conf", "resolv.conf", "passwd", "group", "services"),
            *("os-release", "debian_version", "alternatives"),
        )
    ),
)
# Everywhere the same, though a transform may write them out.
_NO_FILES = frozenset(f"/dev/{name}" for name in ("null", "zero", "stdin", "stdout", "stderr"))
# Below a home: how a library looks, and never what it computes.
_SETTINGS = tuple(
    os.path.join(*name.split("/"))
    for name in (
        *(".config", ".fonts", ".fonts.conf", ".local/share/fonts", ".matplotlib"),
        *(
            ".cache/matplotlib",
            ".cache/fontconfig",
            ".ipython",
            ".jupyter",
            ".netrc",
            "_netrc",
            "Library/Fonts",
        ),
    )
)


class Reach:
    """What is an input, Python's own, or made by the run itself.

    Parameters
    ----------
    inputs : iterable of str
        The files that were declared, and folders of which nobody asks.
    folders : sequence of Path
        Those of the process: where it works, and, in there, its home and its temporary folder.
        What is in them now is none of the transform's.
    spelled : iterable of str
        The absolute paths that the transform's text holds: what it names is not asked for by a
        library.
    """

    def __init__(
        self, inputs: Iterable[str], folders: Sequence[Path], spelled: Iterable[str]
    ) -> None:
        python = [*sys.path, *sysconfig.get_paths().values(), *zoneinfo.TZPATH, str(_PACKAGE)]
        machine = [sys.prefix, sys.base_prefix, *_SYSTEM]
        self._inputs = _real(inputs)
        self._python, self._machine = _real(python), _real(machine)
        self._folders = _real(str(folder) for folder in folders)
        self._spelled = _real(spelled)
        work, home, scratch = (*map(str, folders), "", "")[:3]
        self._named = {"~": home, "$TMPDIR": scratch, "": work}
        self._before = {entry.path for one in self._folders for entry in os.scandir(one)}
        self._fresh: set[str] = set()  # temporary folders and files of the run
        self._extended: set[str] = set()  # files that may have been there before, elsewhere
        known = _beginnings(python, self._folders)
        self.always = (*known, *_beginnings(machine, [*self._spelled, *self._folders]))

    def is_free(self, real: str) -> bool:
        """Return whether a path is an input, or Python's own."""
        if _within(real, self._inputs) or real in _NO_FILES:
            return True
        if self.is_own(real):
            return False
        named = _within(real, self._spelled)
        return _within(real, self._python) or (not named and _within(real, self._machine))

    def is_own(self, real: str) -> bool:
        """Return whether a path is in a folder of the process."""
        return _within(real, self._folders)

    def is_folder(self, real: str) -> bool:
        """Return whether a path is such a folder itself, or one around it."""
        return any(_within(one, (real,)) for one in self._folders)

    def is_made(self, real: str, listed: bool) -> bool:
        """Return whether the run itself decides what stands at a path.

        Of what a folder holds only that is true which is listed of a temporary one: any other may
        have been there before, in the notebook.
        """
        if _within(real, self._fresh):
            return True
        if listed or not self.is_own(real) or real in self._extended or not os.path.lexists(real):
            return False
        return not _within(real, self._before - {*self._folders})

    def is_setting(self, real: str) -> bool:
        """Return whether a path is one of a library's settings, below a home."""
        known = [os.path.join(one, name) for one in self._folders for name in _SETTINGS]
        return _within(real, known) and not _within(real, self._spelled)

    def shown(self, said: str) -> str:
        """Return a path as the notebook knows it: this process has a home of its own."""
        if not os.path.isabs(said):
            return said
        for name, folder in self._named.items():
            if _within(said, (folder,)):
                return os.path.join(name, os.path.relpath(said, folder))
        return said

    def freshen(self, path: str) -> None:
        """Note a temporary file or folder that nothing else can have made."""
        self._fresh.add(os.path.realpath(path))

    def extend(self, real: str) -> None:
        """Note a file that is written to as it is, and made only if it is not there."""
        if not os.path.lexists(real):
            self._extended.add(real)


def _real(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple({os.path.realpath(path) for path in paths if path})


def _within(real: str, roots: Iterable[str]) -> bool:
    return any(real == root or real.startswith(f"{root.rstrip(os.sep)}{os.sep}") for root in roots)


def _beginnings(roots: Iterable[str], apart: Iterable[str]) -> list[str]:
    """Return how paths begin that lie in roots, but for roots that hold what is set apart."""
    whole = {*_real(roots), *(root for root in roots if os.path.isabs(root))}
    return [f"{one}{os.sep}" for one in whole if not any(_within(path, (one,)) for path in apart)]


def absolute_paths(text: str) -> set[str]:
    """Return the absolute paths among the constants of a module, but for the root itself."""
    found = {
        os.path.normpath(os.path.expanduser(node.value))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(("/", "~"))
        and "\n" not in node.value
        and "\0" not in node.value
    }
    return {path for path in found if os.path.isabs(path) and path.strip(os.sep)}
