"""A journal: numbered entries, each a file that is created whole and never changed.

It is how grants, budgets and erasures are kept: two who write at once both get their entry, in one
order for all, in a folder and on S3 alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mesh_notebook.errors import StoreError
from mesh_notebook.mesh.aside import aside
from mesh_notebook.mesh.place import Place

__all__ = ["Journal"]

_ATTEMPTS = 100


class Journal:
    """Entries (JSON mappings) under one folder of a mesh, oldest first."""

    def __init__(self, root: Place, *path: str) -> None:
        self.root, self.folder = root, root
        for name in path:
            self.folder = self.folder / name

    def entries(self) -> list[dict[str, Any]]:
        """Return all entries; raises `StoreError` where one is damaged: nothing is skipped."""
        return [self._entry(name) for name in self._names()]

    def _names(self) -> list[str]:
        return [name for name in self.folder.entries() if name.endswith(".json")]

    def _entry(self, name: str) -> dict[str, Any]:
        try:
            entry = json.loads((self.folder / name).read())
        except (FileNotFoundError, ValueError):
            entry = None
        if not isinstance(entry, dict):
            raise StoreError(
                f"the entry {name} of {self.folder} is damaged.",
                next_step="restore it from a backup: without it nobody knows what holds",
                where=str(self.folder),
            )
        return entry

    def append(self, make: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> dict[str, Any]:
        """Add the entry that `make` returns, given all entries before it.

        Where somebody else adds one at the same moment, `make` is asked again with theirs.
        """
        with aside(self.root) as work:
            for _ in range(_ATTEMPTS):
                names = self._names()
                entry = make([self._entry(name) for name in names])
                number = int(names[-1].removesuffix(".json")) + 1 if names else 1
                content = json.dumps(entry, ensure_ascii=False, indent=2).encode()
                try:
                    (self.folder / f"{number:012}.json").create(content + b"\n", work)
                except FileExistsError:
                    continue
                except OSError as error:
                    raise StoreError(
                        f"{self.folder} cannot be written: {error.strerror or error}.",
                        next_step="it takes the right to write to the mesh",
                        where=str(self.folder),
                    ) from None
                return entry
        raise StoreError(f"{self.folder} is written by others all the time.", next_step="try again")
