"""Browse a mesh with the mouse: type, pick, read the card, copy the line that connects.

The widget binds nothing. A connection is a line in a cell, so that the notebook stays the whole
truth about itself and can be run again.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from mesh_notebook.surfaces import descriptions  # noqa: F401  registers its panels
from mesh_notebook.surfaces.panel import as_html
from mesh_notebook.surfaces.panels import panel_of

if TYPE_CHECKING:
    from mesh_notebook.workspace import Workspace

__all__ = ["browser"]

_MANY = 8


def browser(workspace: Workspace, words: str = "") -> Any:
    """Return an ipywidgets box over the mesh: a search, its hits, and the card of one.

    Parameters
    ----------
    words : str
        What to search for at first; nothing lists every product.
    """
    import ipywidgets as widgets

    search = widgets.Text(
        value=words, placeholder="words in names, purposes, columns", description="search"
    )
    hits = widgets.Select(description="products", rows=_MANY)
    card = widgets.HTML()

    def fill(_: object = None) -> None:
        found = workspace.search(search.value).found
        hits.options = [(f"{p.name} · {p.domain} · {r.origin}", str(p.address)) for p, r in found]
        hits.index = 0 if found else None  # a list picks nothing by itself
        show()

    def show(_: object = None) -> None:
        if hits.value is None:
            words = escape(search.value)
            card.value = f"nothing holds '{words}'" if words else "the mesh is empty"
        else:
            card.value = as_html(panel_of(workspace.describe(hits.value)))

    search.observe(fill, names="value")
    hits.observe(show, names="value")
    fill()
    # Wide enough for `product · domain · origin`; the card has what is left.
    for part in (search, hits):
        part.layout.width = "auto"
    left = widgets.VBox([search, hits], layout=widgets.Layout(flex="0 0 26em"))
    return widgets.HBox([left, card])
