"""`mesh deploy --backfill`: the intervals that lie behind, for this mesh and this principal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.deploy.backfilling import Backfilled, backfill
from mesh_notebook.errors import UsageError
from mesh_notebook.model.time import as_instant

if TYPE_CHECKING:
    from mesh_notebook.workspace.session import Session, Time

__all__ = ["filled"]


def filled(
    workspace: Session, folder: str | Path, window: tuple[Time, Time], interval: Time
) -> Backfilled:
    """Publish each interval from one time to another; raises `UsageError` without both."""
    if interval is not None:
        raise UsageError(
            "--interval and --backfill both say of when the rows are.", next_step="give one of them"
        )
    start, end = window
    if start is None or end is None:
        raise UsageError("a backfill has two ends.", next_step="--backfill 2026-01 2026-07")
    now = workspace.clock()
    done = backfill(
        workspace.base / folder,
        workspace.roots[0],
        workspace.opener(),
        (as_instant(start, now), as_instant(end, now)),
        principal=workspace.principal,
        clock=workspace.clock,
        progress=workspace.progress,
    )
    workspace.taken["deploy"] = f"{done.product.name}, {len(done.published):,} intervals"
    return done
