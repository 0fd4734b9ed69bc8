"""Policies follow the data: what an output owes to the inputs that it is made of.

Who reads an input in the clear, and makes an output of it, takes its values to where the input's
policy does not hold. So the output carries at least that policy, or is declassified on purpose.
"""

from mesh_notebook.mesh.inheritance.carrying import (
    Uncarried,
    kept_by_roles,
    said_once,
    told_of,
    uncarried_in,
)
from mesh_notebook.mesh.inheritance.groups import smallest_in
from mesh_notebook.mesh.inheritance.obligations import Obligation, Upstream, obligations
from mesh_notebook.mesh.inheritance.others import Others, replayed

__all__ = [
    "Obligation",
    "Others",
    "Uncarried",
    "Upstream",
    "kept_by_roles",
    "obligations",
    "replayed",
    "said_once",
    "smallest_in",
    "told_of",
    "uncarried_in",
]
