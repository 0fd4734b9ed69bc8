"""Operational sources: what a person points at, opened and found readable, or refused."""

from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.opening import open_source

__all__ = ["Asked", "World", "open_source"]
