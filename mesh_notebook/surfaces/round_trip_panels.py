"""What `mesh load` and `mesh diff` show: a notebook from a bundle, and which side has changed."""

from __future__ import annotations

from mesh_notebook.surfaces.panel import Badge, Panel
from mesh_notebook.surfaces.panels import from_here, panel_of
from mesh_notebook.workspace.loading import Loaded

__all__: list[str] = []


@panel_of.register
def _(loaded: Loaded) -> Panel:
    path = from_here(loaded.path)
    facts = [
        ("notebook", path),
        ("cells", str(loaded.cells)),
        ("inputs", ", ".join(loaded.inputs)),
        ("ports", ", ".join(loaded.ports)),
    ]
    if loaded.edited:
        facts.append(("module", "as it was edited since its export"))
    return Panel(
        f"{loaded.product} is a notebook again",
        (Badge("loaded", "good"),),
        "Nothing of it has run yet.",
        facts,
        next_step=f"open {path} in Jupyter (jupyter lab {path}), and run all of its cells",
    )
