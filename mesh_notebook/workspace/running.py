"""`mesh run`: a bundle on an engine; its rows are shown, or written to files of the user's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.deploy.running import Ran
    from mesh_notebook.model.policy import Asker
    from mesh_notebook.workspace.session import Session

__all__ = ["MASTER", "master_of", "run"]

MASTER = "MESH_SPARK_MASTER"
_FORMATS = ("parquet", "csv", "ndjson", "arrow")


def run(
    session: Session,
    folder: str | Path,
    engine: str,
    master: str | None,
    format: str | None,
    out: str | Path | None,
    rows: int,
    asker: Asker,
    environ: Mapping[str, str] = os.environ,
) -> Ran:
    """Run a bundle, and write what it makes where `out` says."""
    from mesh_notebook.deploy.running import run as run_bundle
    from mesh_notebook.mesh.modes.files import whole

    if rows < 1:
        raise UsageError(f"{rows} rows cannot be shown.", next_step="give --rows 1 or more")
    if format and not out:
        raise UsageError(f"nothing says where to write {format}.", next_step="add --out FILE")
    master = master_of(engine, master, environ)
    target = session.base / out if out else None
    written = _format(format, target) if target else ""
    ran = run_bundle(
        session.base / folder,
        session.opener(asker),
        engine=engine,
        master=master,
        rows=rows,
        progress=session.progress,
    )
    if target is None:
        return ran
    files = _targets(list(ran.frames), target, written)
    session.progress(f"write {', '.join(path.name for path in files.values())}")
    # All are written before the first of them takes its name.
    with ExitStack() as stack:
        for port, path in files.items():
            _write(ran.frames[port], stack.enter_context(whole(path)), written)
    return replace(ran, files=tuple(files.values()))


def master_of(engine: str, master: str | None, environ: Mapping[str, str]) -> str:
    """Return which Spark is meant; empty for the one on this machine."""
    if master and engine != "spark":
        raise UsageError(f"{engine} has no master.", next_step="add --engine spark")
    return master or environ.get(MASTER, "")


def _format(format: str | None, target: Path) -> str:
    from mesh_notebook.mesh.modes.files import format_of

    # A folder's name says nothing.
    return format_of(format or (None if target.suffix else "parquet"), target, _FORMATS)


def _targets(ports: list[str], target: Path, format: str) -> dict[str, Path]:
    """Return by port the file to write: `target` itself, or one for each port in that folder."""
    if len(ports) == 1 and target.suffix:
        return {ports[0]: target}
    if target.suffix:
        raise UsageError(
            f"{target.name} is one file, and there are {len(ports)} output ports.",
            next_step="name a folder: --out rows --format parquet",
        )
    target.mkdir(parents=True, exist_ok=True)
    return {port: target / f"{port}.{format}" for port in ports}


def _write(frame: pl.DataFrame, path: Path, format: str) -> None:
    from polars import CompatLevel

    from mesh_notebook.mesh.modes.text import sink_csv, sink_ndjson

    if format == "parquet":
        frame.write_parquet(path)
    elif format == "arrow":
        frame.write_ipc(path, compat_level=CompatLevel.oldest())
    else:
        {"csv": sink_csv, "ndjson": sink_ndjson}[format](frame.lazy(), path)
