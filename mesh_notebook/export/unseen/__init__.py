"""What a statement does to names and libraries though its text names none of them."""

from mesh_notebook.export.unseen.libraries import (
    IN_USE,
    enters,
    in_use,
    libraries_reached,
    only_looks_set,
)
from mesh_notebook.export.unseen.namespaces import names_reached, names_written, own_modules
from mesh_notebook.export.unseen.telling import TOLD, connected, redirects, tells

__all__ = [
    "IN_USE",
    "TOLD",
    "connected",
    "enters",
    "in_use",
    "libraries_reached",
    "names_reached",
    "names_written",
    "only_looks_set",
    "own_modules",
    "redirects",
    "tells",
]
