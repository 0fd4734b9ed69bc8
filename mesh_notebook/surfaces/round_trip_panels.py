"""What `mesh load` and `mesh diff` show: a notebook from a bundle, and which side has changed."""

from __future__ import annotations

from mesh_notebook.errors import as_typed
from mesh_notebook.export.differing import Change
from mesh_notebook.surfaces.panel import Badge, Panel, Table
from mesh_notebook.surfaces.panels import from_here, panel_of
from mesh_notebook.workspace.diffing import Differing
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
        next_step=f"open {path} in Jupyter (jupyter lab {as_typed(path)}), and run all of its "
        "cells",
    )


@panel_of.register
def _(found: Differing) -> Panel:
    facts = [(side, said) for side, said in found.verdicts.items()]
    if found.others:
        facts.append(("other files", ", ".join(found.others)))
    table = Table(
        ["side", "where", "what", "as exported", "now"],
        [_row(change) for change in found.changes],
        title="statements that changed",
    )
    return Panel(
        f"{found.product}: {found.verdict}",
        (_badge(found),),
        "",
        facts,
        [table] if found.changes else [],
        next_step=found.next_step,
    )


def _badge(found: Differing) -> Badge:
    if found.conflicts:
        return Badge("conflict", "bad")
    return Badge("differs", "warn") if found.differs else Badge("the same", "good")


def _row(change: Change) -> list[str]:
    what = f"{change.how}, a conflict" if change.conflict else change.how
    old, new = change.old, change.new
    return [change.side, change.where, what, old.text if old else "", new.text if new else ""]
