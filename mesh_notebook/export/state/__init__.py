"""What values hold, told so that two processes, or two moments, can be compared."""

from mesh_notebook.export.state.glimpse import glimpse, is_scalar
from mesh_notebook.export.state.sameness import parting, same
from mesh_notebook.export.state.settings import SETTINGS, generators, reached, setting
from mesh_notebook.export.state.telling import told_of
from mesh_notebook.export.state.widgets import is_widget
from mesh_notebook.export.state.witness import Witness

__all__ = [
    "SETTINGS",
    "Witness",
    "generators",
    "glimpse",
    "is_scalar",
    "is_widget",
    "parting",
    "reached",
    "same",
    "setting",
    "told_of",
]
