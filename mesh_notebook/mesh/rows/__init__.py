"""Rows: when two are the same, which are, and what of those published before is kept."""

from mesh_notebook.mesh.rows.comparing import difference
from mesh_notebook.mesh.rows.keeping import kept
from mesh_notebook.mesh.rows.tolerance import (
    ABSOLUTE,
    REL,
    REL_32,
    holds_floats,
    same,
    same_number,
)

__all__ = [
    "ABSOLUTE",
    "REL",
    "REL_32",
    "difference",
    "holds_floats",
    "kept",
    "same",
    "same_number",
]
