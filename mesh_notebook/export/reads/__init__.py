"""Reads of files in a notebook's own code: of a declared file, they are that input."""

from mesh_notebook.export.reads.advice import advice
from mesh_notebook.export.reads.declared import declared_as
from mesh_notebook.export.reads.inputs import as_inputs

__all__ = ["advice", "as_inputs", "declared_as"]
