"""How real a frame is: the worst origin of the inputs that went into it, never better than true."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MeshError
from mesh_notebook.model.origin import Origin, worst

if TYPE_CHECKING:
    from mesh_notebook.workspace.session import Session

__all__ = ["origin_of", "why_unknown"]

_VERB = re.compile(r"_magic\('mesh'|\bmesh\.")
_ELSEWHERE = re.compile(r"\b(?:import|from) mesh_notebook\b")


def origin_of(session: Session, frame: Any) -> Origin:
    """Return the worst origin of what a frame touched.

    Where all that the session ever bound is live, nothing need be traced. Where the record
    cannot tell, the frame may have touched everything.
    """
    from mesh_notebook.workspace.frames import is_frame, named

    if handle := session.handle_of(frame):
        return handle.origin
    suspect = _worst_of_all(session)
    if suspect is Origin.LIVE:
        return suspect
    try:
        name, value = named(frame, session.namespace)
    except MeshError:
        if is_frame(frame):
            return suspect  # it has no name, so no statement accounts for it
        raise
    if handle := session.handle_of(value):
        return handle.origin
    bound = session.trace.inputs_of(name, session.namespace)
    if bound is None:
        return suspect
    return worst(s.event.payload["input"].origin for s in bound if s.event)


def why_unknown(session: Session) -> str:
    """Return why nobody can tell what this notebook has bound; empty where it is known."""
    record = session.record
    before = record.cells[: record.taken_over]
    if any(_VERB.search(cell.code) for cell in before):
        return "the extension was loaded again, and what it bound before that is not known"
    if any(_ELSEWHERE.search(cell.code) for cell in record.cells):
        return "a cell imports mesh_notebook, and what it binds there is not known"
    return ""


def _worst_of_all(session: Session) -> Origin:
    """Return the worst origin that anything in the session can have."""
    return Origin.MOCK if why_unknown(session) else worst(session.touched)
