"""What a snapshot shows that none of those before it did."""

from mesh_notebook.mesh.seen.news import News, news_of, shape_seen
from mesh_notebook.mesh.seen.telling import news_told, or_strict

__all__ = ["News", "news_of", "news_told", "or_strict", "shape_seen"]
