"""`portable.py`: the transform in Narwhals, which DuckDB and Spark run with Polars' meaning."""

from mesh_notebook.export.portable.functions import portable_of
from mesh_notebook.export.portable.proving import proved
from mesh_notebook.export.portable.refusals import NotPortable, Portable

__all__ = ["NotPortable", "Portable", "portable_of", "proved"]
