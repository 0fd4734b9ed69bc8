"""Mesh Notebook: from a blank notebook to a deployed data product.

Importing this package imports no frame library and no IPython; what is heavy is imported where
it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from mesh_notebook.workspace import Workspace

__all__ = ["load_ipython_extension", "open", "unload_ipython_extension"]
__version__ = "0.1.0"


def open(
    root: str | Path | Sequence[str | Path] | None = None, principal: str | None = None
) -> Workspace:
    """Open a mesh without a notebook: the object that `%load_ext` binds as `mesh`.

    Parameters
    ----------
    root
        One mesh root or several; the first is written to. By default `MESH_ROOTS` (separated
        as PATH is), else `.mesh` in the current folder.
    principal
        Who asks; by default the user of this process.
    """
    from mesh_notebook.workspace import Workspace

    return Workspace.open(root, principal)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add `%mesh`, `%%mesh` and the object `mesh` to a shell (`%load_ext mesh_notebook`)."""
    from mesh_notebook.surfaces import magics

    magics.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Remove what `load_ipython_extension` added, and restore what it covered."""
    from mesh_notebook.surfaces import magics

    magics.unload(shell)
