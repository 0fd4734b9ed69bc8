"""What values hold, told so that two processes can compare it."""

from mesh_notebook.export.state.sameness import parting, same
from mesh_notebook.export.state.telling import told_of
from mesh_notebook.export.state.widgets import is_widget
from mesh_notebook.export.state.witness import Witness

__all__ = ["Witness", "is_widget", "parting", "same", "told_of"]
