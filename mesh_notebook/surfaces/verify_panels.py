"""What `mesh verify` shows: what was held to the receipt."""

from __future__ import annotations

from mesh_notebook.deploy.verifying import Verified
from mesh_notebook.surfaces.panel import Badge, Panel, Table
from mesh_notebook.surfaces.panels import panel_of

__all__: list[str] = []


@panel_of.register
def _(found: Verified) -> Panel:
    rows = [[pin.name, pin.kind, pin.where, pin.version[:24]] for pin in found.inputs]
    facts = [
        ("files", f"{found.files} as sealed"),
        ("rows", ", ".join(f"{port} {n:,}" for port, n in found.rows.items()) + " made again"),
    ]
    if found.other_versions:
        said = "; ".join(f"{name} {was}" for name, was in found.other_versions.items())
        facts.append(("versions", said))
    on = "" if found.engine == "polars" else f", on {found.engine} too"
    return Panel(
        f"{found.product} is as it was proved{on}",
        (Badge("verified", "good"),),
        "",
        facts,
        [Table(["input", "kind", "of", "version"], rows, title="inputs, as they were")],
    )
