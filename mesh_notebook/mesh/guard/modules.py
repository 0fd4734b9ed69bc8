"""Modules that the notebook has and no other machine: those that lie beside it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from mesh_notebook.mesh.guard.attempts import Attempt, Attempts
from mesh_notebook.mesh.guard.stack import importer

__all__ = ["beside", "lies_beside", "note_missing"]


def beside() -> list[str]:
    """Return the modules of this process that are not installed with its Python."""
    installed = ("site-packages", "dist-packages", sys.prefix, sys.base_prefix)
    files = {
        name: getattr(module, "__file__", None)
        for name, module in [*sys.modules.items()]
        if "." not in name and not name.startswith("__")
    }
    return [n for n, file in files.items() if file and not any(part in file for part in installed)]


def lies_beside(name: str) -> bool:
    """Return whether a notebook that imports a module finds it in its own folder."""
    root = name.partition(".")[0]
    return Path(f"{root}.py").is_file() or Path(root, "__init__.py").is_file()


def note_missing(attempts: Attempts, own: str, present: Collection[str]) -> None:
    """Write down what the transform imports in vain, and the notebook did not.

    Parameters
    ----------
    own : str
        The transform's file.
    present : collection of str
        What the notebook found beside it.
    """
    sys.meta_path.append(_Missing(attempts, own, frozenset(present)))


class _Missing(MetaPathFinder):
    """Asked last, for what no other finder found."""

    def __init__(self, attempts: Attempts, own: str, present: Collection[str]) -> None:
        self._attempts = attempts
        self._own = own
        self._present = present

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        asks = importer(self._own) if name in self._present else None
        if asks is not None:
            self._attempts.add(Attempt(f"imports {name}", "", asks, name))
        return None
