"""What a statement does to names and libraries though its text names none of them."""

from mesh_notebook.export.unseen.libraries import in_use
from mesh_notebook.export.unseen.namespaces import names_reached
from mesh_notebook.export.unseen.running import Running, owe_rows
from mesh_notebook.export.unseen.telling import TOLD

__all__ = ["TOLD", "Running", "in_use", "names_reached", "owe_rows"]
