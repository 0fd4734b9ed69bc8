"""Run a notebook headless with a line per cell, then say what stands in its mesh.

`python -m mesh_notebook.surfaces.demo NOTEBOOK` is what `make demo` and Binder call.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesh_notebook.mesh.slos import SloVerdict
from mesh_notebook.mesh.verdicts import say_completeness
from mesh_notebook.surfaces.panel import Badge, Panel, Table, as_text
from mesh_notebook.surfaces.panels import origin_badge, status_badge
from mesh_notebook.workspace.discovery.describing import describe

__all__ = ["main"]


def main(path: Path) -> int:
    """Execute a notebook in a fresh kernel; return 0, or 1 with the cell that failed."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    read: Any = nbformat.read
    notebook = read(path, as_version=4)
    lines = _Lines(notebook)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lines.begins,
        on_cell_executed=lines.ends,
    )
    print(f"{path.name}: {lines.total} cells")
    try:
        # A kernel has little to say on stderr, and nothing that a cell's own output lacks.
        client.execute(stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        print(f"\nThe notebook stopped:\n{error}", file=sys.stderr)
        return 1
    print()
    print(as_text(summary(path.parent), color=sys.stdout.isatty()))
    return 0


class _Lines:
    """Prints what each code cell does and how long it took."""

    def __init__(self, notebook: Any) -> None:
        self.code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        self.total = len(self.code)
        self.started = 0.0

    def begins(self, cell: Any, cell_index: int) -> None:
        self.started = time.monotonic()
        if cell_index in self.code:
            number = self.code.index(cell_index) + 1
            line = next((ln for ln in cell.source.splitlines() if ln.strip()), "")
            print(f"  [{number:>2}/{self.total}] {line[:70]:<70}", end="", flush=True)

    def ends(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        if cell_index in self.code:
            mark = "✓" if execute_reply["content"]["status"] == "ok" else "✗"
            print(f" {mark} {time.monotonic() - self.started:5.1f} s", flush=True)


def summary(folder: Path) -> Panel:
    """Return what is published in the mesh beside a notebook."""
    import mesh_notebook

    # The kernel ran beside the notebook: there, not here, is the default root.
    mesh = mesh_notebook.open(None if os.environ.get("MESH_ROOTS") else folder / ".mesh")
    now = datetime.now(UTC)
    rows: list[tuple[str | Badge, ...]] = []
    for product, receipt in mesh.search().found:
        for port in describe(mesh.catalogue, str(product.address), now, mesh.asker()).ports:
            slos = receipt.ports[port.name].slos
            slos = slos if port.rows is None else slos | {"rows": float(port.rows)}
            rows.append(
                (
                    f"{product.name}/{port.name}",
                    str(receipt.snapshot),
                    port.snapshot.said_rows,
                    origin_badge(receipt.origin),
                    status_badge(receipt.status),
                    say_completeness(slos),
                    _promises(port.slos),
                )
            )
    headers = ("deployed", "snapshot", "rows", "origin", "status", "complete", "SLOs")
    return Panel("what the mesh holds now", tables=(Table(headers, rows, (1, 2, 5)),))


def _promises(verdicts: Sequence[SloVerdict]) -> str:
    words = {True: "kept", False: "BROKEN", None: "not measured"}
    return ", ".join(f"{v.slo.property} {words[v.kept]}" for v in verdicts) or "none promised"


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
