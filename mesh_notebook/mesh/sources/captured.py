"""A captured file as a scan that speaks of its source, and not of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.tables import scan_of

__all__ = ["scan_captured"]


def scan_captured(
    files: Sequence[Path], part: str | None, asked: Asked, world: World, state: str
) -> Scan:
    """Return the scan of captured files; `state` is what the source itself called what was read."""
    try:
        return replace(scan_of(files, part, asked, world), state=state)
    except SourceError as error:
        raise _spoken(error, files, asked.uri) from None


def _spoken(error: SourceError, files: Sequence[Path], uri: str) -> SourceError:
    said, step = error.message, error.next_step
    for text in (t for path in files for t in (str(path), path.name)):
        said, step = said.replace(text, uri), step.replace(text, uri)
    return SourceError(said, next_step=step, **{**error.facts, "path": uri})
