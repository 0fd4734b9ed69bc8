"""Who asks for a file: the transform, or a library for itself."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

__all__ = ["Asker", "asker", "importer"]

_HERE = str(Path(__file__).parent)
_PACKAGE = str(Path(__file__).parents[2])
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_IMPORTS = "<frozen importlib"
# They look so as to do what they are asked to, and nobody learns what they saw.
_QUIET: dict[str, set[str]] = {
    "os": {"makedirs"},
    "posixpath": {"realpath", "_joinrealpath"},
    "ntpath": {"realpath", "_getfinalpathname_nonstrict", "_readlink_deep"},
    "pathlib": {"mkdir", "resolve", "touch"},
    "shutil": {"rmtree", "_rmtree_safe_fd", "_rmtree_unsafe"},
    "tempfile": {"_get_default_tempdir", "_candidate_tempdir_list", "cleanup", "_cleanup"},
}
# Python's own that run programs to learn about the machine, and do without.
_CURIOUS = tuple(f"{os.sep}{name}" for name in ("platform.py", f"ctypes{os.sep}util.py", "uuid.py"))


@dataclass(frozen=True)
class Asker:
    """Who asks.

    Attributes
    ----------
    is_transform : bool
        The transform's own code asks, or has it asked, as far as can be told.
    line : int or None
        The transform's line.
    by_library : bool
        Code that looks about for itself stands between the transform and the question.
    """

    is_transform: bool
    line: int | None = None
    by_library: bool = False


def asker(own: str, *, peeks: bool = False) -> Asker:
    """Return who asks, from the frames on the stack.

    A library that is just being imported asks for itself. The import system does not: where it
    looks is Python's own, or a folder that the transform named.

    Parameters
    ----------
    own : str
        The transform's file.
    peeks : bool
        Whether something stands there is asked, and nothing read.
    """
    frame: FrameType | None = sys._getframe(1)
    by_library, only_imports = False, True
    while frame is not None:
        name = frame.f_code.co_filename
        if name == own:
            return Asker(True, frame.f_lineno, by_library)
        if not name.startswith(_HERE):
            imports = name.startswith(_IMPORTS)
            only_imports = only_imports and imports
            if (imports and not only_imports) or _is_quiet(frame, peeks):
                return Asker(False)
            if name.startswith(_PACKAGE) and not by_library:
                return Asker(False)  # what reads an input for the transform
            by_library = by_library or _is_library(name)
        frame = frame.f_back
    return Asker(True, None, by_library)


def _is_library(file: str) -> bool:
    return any(part in file for part in _INSTALLED) or file.endswith(_CURIOUS)


def _is_quiet(frame: FrameType, peeks: bool) -> bool:
    file, function = frame.f_code.co_filename, frame.f_code.co_name
    name = os.path.basename(file).removeprefix("<frozen ").removesuffix(">").removesuffix(".py")
    known = _QUIET.get(name) or _QUIET.get(os.path.basename(os.path.dirname(file)), set())
    copies = peeks and name == "shutil" and function.startswith(("copy", "move"))
    quiet = (function in known or copies) and not _is_library(file)
    return quiet and not frame.f_locals.get("strict")  # `resolve(strict=True)` tells


def importer(own: str) -> int | None:
    """Return the transform's line, if it imports itself what is just being looked for."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not (name.startswith((_IMPORTS, _HERE)) or f"{os.sep}importlib{os.sep}" in name):
            return frame.f_lineno if name == own else None
        frame = frame.f_back
    return None
