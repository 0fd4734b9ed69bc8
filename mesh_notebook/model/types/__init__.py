"""The types of a contract, however a platform spells them, as the types in which a port is stored.

`stored_as` reads one column; what it gives is DuckDB's spelling, as `mesh/dtypes.py` reads it.
"""

from mesh_notebook.model.types.spelling import Spelled, spelled
from mesh_notebook.model.types.stored import UnknownType, is_known, stored_as

__all__ = ["Spelled", "UnknownType", "is_known", "spelled", "stored_as"]
