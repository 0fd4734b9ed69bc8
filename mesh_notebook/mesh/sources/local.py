"""Sources on this machine: read where they lie, for their files are the user's own."""

from __future__ import annotations

from dataclasses import replace

from mesh_notebook.errors import SourceError
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sources.asked import Asked, World
from mesh_notebook.mesh.sources.files import folders_of, found
from mesh_notebook.mesh.sources.hive import with_folders
from mesh_notebook.mesh.sources.tables import scan_of, stamp_of

__all__ = ["opened"]


def opened(asked: Asked, world: World) -> Scan:
    """Open a file, a glob, a folder, or the table or sheet after `#`."""
    files, part = found(asked.uri, world.base)
    paths = [str(path) for path in files]
    before = stamp_of(paths)
    scan = scan_of(files, part, asked, world)
    scan = with_folders(scan, folders_of(files, asked.uri, world.base), asked.uri)
    if stamp_of(paths) != before:
        raise SourceError(
            f"'{asked.uri}' was written to while it was read.",
            next_step="open it again when nothing writes to it, or open a copy",
            uri=asked.uri,
        )
    return replace(scan, stamp=before) if scan.paths == tuple(paths) else scan
