"""The order of rows: what determines it, what depends on it, and how few rows show it."""

from mesh_notebook.mesh.ordering.constants import constants_in, constants_of
from mesh_notebook.mesh.ordering.order import Fault, decides
from mesh_notebook.mesh.ordering.repeating import asks_sets, repeated
from mesh_notebook.mesh.ordering.resampling import Demands, resampled
from mesh_notebook.mesh.ordering.scattering import another_order, duckdb_otherwise
from mesh_notebook.mesh.ordering.trials import Dependence, Rows, Trials
from mesh_notebook.mesh.ordering.watching import Watch, port, source, watch, watch_queries

__all__ = [
    "Demands",
    "Dependence",
    "Fault",
    "Rows",
    "Trials",
    "Watch",
    "another_order",
    "asks_sets",
    "constants_in",
    "constants_of",
    "decides",
    "duckdb_otherwise",
    "port",
    "repeated",
    "resampled",
    "source",
    "watch",
    "watch_queries",
]
