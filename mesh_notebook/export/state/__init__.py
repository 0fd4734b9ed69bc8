"""What values hold, told so that two processes, or two moments, can be compared."""

from mesh_notebook.export.state.glimpse import glimpse, is_scalar
from mesh_notebook.export.state.replaced import LIBRARY, found_in
from mesh_notebook.export.state.sameness import parting, reordered, same
from mesh_notebook.export.state.settings import SETTINGS, beside, reached, setting
from mesh_notebook.export.state.spaces import holds_names
from mesh_notebook.export.state.telling import told_of
from mesh_notebook.export.state.widgets import is_widget
from mesh_notebook.export.state.witness import Witness

__all__ = [
    "LIBRARY",
    "SETTINGS",
    "Witness",
    "beside",
    "found_in",
    "glimpse",
    "holds_names",
    "is_scalar",
    "is_widget",
    "parting",
    "reached",
    "reordered",
    "same",
    "setting",
    "told_of",
]
