"""A description as a panel: it brings a text and a card of its own."""

from __future__ import annotations

from mesh_notebook.surfaces.panel import Panel
from mesh_notebook.surfaces.panels import origin_badge, panel_of, status_badge
from mesh_notebook.workspace.discovery.described import Described, DescriptionFile
from mesh_notebook.workspace.discovery.html import card
from mesh_notebook.workspace.discovery.text import text

__all__: list[str] = []


@panel_of.register
def _(described: Described) -> Panel:
    receipt = described.receipt
    badges = (origin_badge(receipt.origin), status_badge(receipt.status))
    return Panel(
        described.product.name,
        badges,
        described.product.purpose,
        own_text=lambda color: text(described, color),
        own_html=lambda: card(described),
    )


@panel_of.register
def _(done: DescriptionFile) -> Panel:
    described = f"{done.product.name}, snapshot {done.receipt.snapshot}"
    facts = (("describes", described), ("format", done.format))
    return Panel(f"wrote {done.path.name}", (origin_badge(done.receipt.origin),), facts=facts)
