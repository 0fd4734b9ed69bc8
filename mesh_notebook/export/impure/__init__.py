"""What answers otherwise tomorrow, elsewhere or by chance, where a kept statement asks for it."""

from mesh_notebook.export.impure.found import Impurity, impurities, unsteady_in
from mesh_notebook.export.impure.queries import unsteady_in_query

__all__ = ["Impurity", "impurities", "unsteady_in", "unsteady_in_query"]
