"""What several ports begin with, written once: a function of the module that they call."""

from mesh_notebook.export.beginnings.handing import Beginning, says
from mesh_notebook.export.beginnings.reading import begins, call_of, said_in
from mesh_notebook.export.beginnings.writing import shared

__all__ = ["Beginning", "begins", "call_of", "said_in", "says", "shared"]
