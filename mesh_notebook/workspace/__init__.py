"""The one object a user holds, and what it is made of."""

from __future__ import annotations

from mesh_notebook.workspace.workspace import Workspace

__all__ = ["Workspace"]
