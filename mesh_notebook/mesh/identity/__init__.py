"""What makes two transforms the same: what they mean, and not how they are written."""

from mesh_notebook.mesh.identity.beginnings import inlined, stands_alone
from mesh_notebook.mesh.identity.code import meaning_of, statement_said
from mesh_notebook.mesh.identity.queries import written_alike
from mesh_notebook.mesh.identity.releases import (
    changed_statement,
    is_of,
    release_of,
    same_transform,
)

__all__ = [
    "changed_statement",
    "inlined",
    "is_of",
    "meaning_of",
    "release_of",
    "same_transform",
    "stands_alone",
    "statement_said",
    "written_alike",
]
