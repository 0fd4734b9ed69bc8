"""The one object a user holds: `mesh` in a notebook, or what `mesh_notebook.open()` returns.

Each verb imports the part that does it, so that loading the extension costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.workspace.development import Development
from mesh_notebook.workspace.exploration import Exploration
from mesh_notebook.workspace.operation import Operation

if TYPE_CHECKING:
    from mesh_notebook.workspace import results

__all__ = ["Workspace"]


class Workspace(Exploration, Development, Operation):
    """The verbs that walk the path of a data product."""

    def path(self) -> results.Standing:
        """Say where the notebook stands on the path, and the next sensible step."""
        from mesh_notebook.workspace.standing import standing

        return standing(self)
