"""`%mesh erase`: one subject, from one port or from everywhere, by who may."""

from mesh_notebook.workspace.erasing.everywhere import ErasedEverywhere, Outcome, erase_everywhere
from mesh_notebook.workspace.erasing.subject import Erased, erase

__all__ = ["Erased", "ErasedEverywhere", "Outcome", "erase", "erase_everywhere"]
