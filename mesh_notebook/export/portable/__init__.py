"""`portable.py`: the transform in Narwhals, which DuckDB and Spark run with Polars' meaning."""

from mesh_notebook.export.portable.functions import portable_of
from mesh_notebook.export.portable.proving import PROVED, proved, refuse_unready
from mesh_notebook.export.portable.refusals import NotPortable, Portable

__all__ = ["PROVED", "NotPortable", "Portable", "portable_of", "proved", "refuse_unready"]
