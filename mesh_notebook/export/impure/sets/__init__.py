"""The order of sets: that of texts and objects is another one in each process."""

from mesh_notebook.export.impure.sets.uses import orders_of_sets

__all__ = ["orders_of_sets"]
