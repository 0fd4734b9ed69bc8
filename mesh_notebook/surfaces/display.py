"""How results look in IPython: formatters that come with the extension and go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.formatters import DisplayFormatter

    from mesh_notebook.workspace import Workspace

__all__ = ["SHOWN", "Formatters"]

# By name, so that nothing is imported before it is shown; a test holds the list against the panels.
_FRAME = ("polars.lazyframe.frame", "LazyFrame")
SHOWN = (
    *(
        ("mesh_notebook.workspace.results", name)
        for name in (
            *("Agreed", "Checked", "ContractView", "Delivered", "History", "Hits", "InputCard"),
            *("ProductView", "Rows", "Standing"),
        )
    ),
    ("mesh_notebook.workspace.contract_files", "ContractFile"),
    ("mesh_notebook.workspace.discovery.described", "Described"),
    ("mesh_notebook.workspace.discovery.described", "DescriptionFile"),
    ("mesh_notebook.workspace.port", "Port"),
    *(("mesh_notebook.workspace.governing", name) for name in ("Decisions", "Grants", "MeshRules")),
    *(("mesh_notebook.workspace.keeping", name) for name in ("MeshStandings", "Standings")),
    ("mesh_notebook.workspace.erasing.everywhere", "ErasedEverywhere"),
    ("mesh_notebook.workspace.erasing.subject", "Erased"),
    ("mesh_notebook.workspace.protecting", "NewKey"),
    ("mesh_notebook.workspace.protecting", "Protected"),
    ("mesh_notebook.workspace.protecting", "Why"),
    ("mesh_notebook.workspace.diffing", "Differing"),
    ("mesh_notebook.workspace.loading", "Loaded"),
    ("mesh_notebook.workspace.rehearsing", "Rehearsed"),
    ("mesh_notebook.workspace.rejecting", "Rejected"),
    ("mesh_notebook.workspace.tracing_back", "Traced"),
    ("mesh_notebook.workspace.handles", "Input"),
    ("mesh_notebook.workspace.handles", "Inputs"),
    ("mesh_notebook.workspace.workspace", "Workspace"),
    ("mesh_notebook.surfaces.verbs", "Help"),
    ("mesh_notebook.explore.profile", "Profile"),
    ("mesh_notebook.export.exporting", "Exported"),
    ("mesh_notebook.deploy.backfilling", "Backfilled"),
    ("mesh_notebook.deploy.deploying", "Deployed"),
    ("mesh_notebook.deploy.planning", "Plan"),
    ("mesh_notebook.deploy.running", "Ran"),
    ("mesh_notebook.deploy.verifying", "Verified"),
    ("mesh_notebook.mesh.asking", "Answer"),
    ("mesh_notebook.mesh.retention", "Retained"),
)


@dataclass
class Formatters:
    """The display of our results, and of the frames that are inputs, in one shell."""

    formatter: DisplayFormatter
    workspace: Workspace
    covered: Any = None

    def enter(self) -> None:
        for name in SHOWN:
            self._bundles.for_type_by_name(*name, self.bundle)
        self.covered = self._bundles.for_type_by_name(*_FRAME, self.bundle)

    def leave(self) -> None:
        for name in (*SHOWN, _FRAME):
            self._bundles.pop(".".join(name), None)
        if self.covered is not None:
            self._bundles.for_type_by_name(*_FRAME, self.covered)

    def bundle(self, value: Any, include: Any = None, exclude: Any = None) -> dict[str, str] | None:
        """Return the MIME bundle of a result; None leaves the object to its own display."""
        from mesh_notebook.surfaces import registered  # noqa: F401
        from mesh_notebook.surfaces.panel import as_html, as_text
        from mesh_notebook.surfaces.panels import panel_of

        if type(value).__name__ == "LazyFrame":
            handle = self.workspace.handle_of(value)
            if handle is None:
                return None
            value = self.workspace.card(handle)
        panel = panel_of(value)
        return {"text/plain": as_text(panel), "text/html": as_html(panel)}

    @property
    def _bundles(self) -> Any:
        return self.formatter.mimebundle_formatter
