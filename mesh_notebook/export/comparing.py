"""The comparison of a proof: that of `mesh.rows`, by which all rows are compared."""

from __future__ import annotations

from mesh_notebook.mesh.rows import ABSOLUTE, REL, REL_32, difference

__all__ = ["ABSOLUTE", "REL", "REL_32", "difference"]
