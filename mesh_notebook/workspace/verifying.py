"""`mesh verify`: the inputs of a bundle, opened as they were when it was proved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import VerificationFailed
from mesh_notebook.model.document import set_custom
from mesh_notebook.model.product import InputPort
from mesh_notebook.workspace.running import master_of

if TYPE_CHECKING:
    from mesh_notebook.deploy.verifying import Verified
    from mesh_notebook.mesh.inputs import OpenedInput
    from mesh_notebook.model.policy import Asker
    from mesh_notebook.model.receipt import InputPin
    from mesh_notebook.workspace.session import Session

__all__ = ["verify"]


def verify(
    session: Session,
    folder: str | Path,
    engine: str,
    master: str | None,
    asker: Asker,
    environ: Mapping[str, str] = os.environ,
) -> Verified:
    """Verify a bundle; raise `VerificationFailed` with every finding."""
    from mesh_notebook.deploy.verifying import verify as verify_bundle

    def as_it_was(port: InputPort, bundle: Path, pin: InputPin) -> OpenedInput:
        return _as_it_was(session, asker, port, bundle, pin)

    found = verify_bundle(
        session.base / folder,
        as_it_was,
        engine=engine,
        master=master_of(engine, master, environ),
        progress=session.progress,
    )
    if found.passed:
        return found
    on = "" if engine == "polars" else f" on {engine}"
    lines = "".join(f"\n  {finding}" for finding in found.findings)
    raise VerificationFailed(
        f"{found.product} is not as it was proved{on}:{lines}",
        next_step="take the bundle from where it was exported, or export it again",
        findings=found.findings,
    )


def _as_it_was(
    session: Session, asker: Asker, port: InputPort, bundle: Path, pin: InputPin
) -> OpenedInput:
    """Open an input; of a published port, the snapshot that was pinned."""
    opener = session.opener(asker)
    if pin.snapshot is None or pin.kind != "port":
        return opener(port, bundle)
    published, _ = session.catalogue.resolve(pin.where)
    then = published.receipt(pin.snapshot).processing_time
    raw = deepcopy(port.raw)
    set_custom(raw, "input", {**port.recipe, "as_of": then})
    return opener(InputPort(raw), bundle)
