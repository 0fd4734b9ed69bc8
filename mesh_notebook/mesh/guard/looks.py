"""The functions of `os` that look at a path without an audit event: `os.stat` and its like."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

__all__ = ["wrap_looks"]

_NAMES = ("stat", "lstat", "access", "readlink", "statvfs", "pathconf")
# Written in C where Python is newer, and then they call no function of `os`.
_PATH_NAMES = ("exists", "lexists", "isfile", "isdir", "islink", "isjunction", "ismount")
_FAMILIES = ("supports_dir_fd", "supports_fd", "supports_follow_symlinks", "supports_effective_ids")


def wrap_looks(look: Callable[..., None], always: tuple[str, ...]) -> None:
    """Have each of them ask first.

    Parameters
    ----------
    look : callable
        Given the path, and `peeks=True`; raises what the function is to raise.
    always : tuple of str
        How paths begin of which nobody needs to ask. Libraries are imported from there, by
        thousands of such looks.
    """
    native = sys.modules.get("posix") or sys.modules.get("nt")
    for name in _NAMES:
        real = getattr(os, name, None)
        if real is not None:
            asking = _asking(real, look, always)
            _stand_in(real, asking)
            for module in (os, native):
                if module is not None and hasattr(module, name):
                    setattr(module, name, asking)
    for name in _PATH_NAMES:
        real = getattr(os.path, name, None)
        if isinstance(real, BuiltinFunctionType):
            setattr(os.path, name, _telling(_asking(real, look, always)))


def _asking(
    real: Callable[..., Any], look: Callable[..., None], always: tuple[str, ...]
) -> Callable[..., Any]:
    @functools.wraps(real)
    def asking(path: Any, *arguments: Any, **options: Any) -> Any:
        known = type(path) is str and path.startswith(always) and ".." not in path
        if not known and options.get("dir_fd") is None:
            look(path, peeks=True)
        return real(path, *arguments, **options)

    return asking


def _telling(asking: Callable[..., Any]) -> Callable[..., bool]:
    """Answer that nothing is there, as these functions do, where a look is refused."""

    @functools.wraps(asking)
    def telling(path: Any) -> bool:
        try:
            return bool(asking(path))
        except FileNotFoundError:
            return False

    return telling


def _stand_in(real: Callable[..., Any], asking: Callable[..., Any]) -> None:
    """Let `os.stat in os.supports_dir_fd` stay true."""
    for family in _FAMILIES:
        known = getattr(os, family, None)
        if known is not None and real in known:
            known.add(asking)
