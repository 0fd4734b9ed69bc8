"""Where a notebook stands on the path, told from what it did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mesh_notebook.errors import as_typed
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.workspace.exporting import run_again
from mesh_notebook.workspace.results import Standing, Step

if TYPE_CHECKING:
    from mesh_notebook.workspace.drafts import PortDraft
    from mesh_notebook.workspace.inputs import Handle
    from mesh_notebook.workspace.session import Session

__all__ = ["BROKEN", "standing"]

BROKEN = "rules are broken"


def standing(workspace: Session) -> Standing:
    """Return the steps of the path, done or not, and the next sensible one."""
    handles = list(workspace.handles.values())
    steps = (
        _inputs("mock", [h for h in handles if h.mode is Origin.MOCK]),
        _inputs("connect", [h for h in handles if h.mode is not Origin.MOCK]),
        Step("explore", "explore" in workspace.taken, workspace.taken.get("explore", "")),
        _bootstrap(workspace),
        Step("deploy", "deploy" in workspace.taken, workspace.taken.get("deploy", "")),
    )
    touched = [h.origin for h in handles] + [p.origin for p in workspace.draft.ports.values()]
    return Standing(steps, _next(workspace), worst(touched) if touched else None)


def _inputs(name: str, handles: Sequence[Handle]) -> Step:
    said = [f"{h.name} ({_short(h)})" if _short(h) else h.name for h in handles]
    return Step(name, bool(said), ", ".join(said))


def _short(handle: Handle) -> str:
    """Say which rows an input has: how they were made or chosen, or up to where a log was read."""
    if handle.note:
        return f"a sample: {handle.note}" if handle.mode is Origin.SAMPLE else handle.note
    return "" if handle.origin is Origin.LIVE else f"its product is {handle.origin}"


def _bootstrap(workspace: Session) -> Step:
    taken, ports = workspace.taken, list(workspace.draft.ports)
    facts = []
    if ports:
        facts.append(f"output {', '.join(map(_port, workspace.draft.ports.values()))}")
    if "check" in taken:
        facts.append(taken["check"])
    if "export" in taken:
        facts.append(f"exported {taken['export']}")
    return Step("bootstrap", "export" in taken, "; ".join(facts))


def _port(port: PortDraft) -> str:
    return port.port if port.origin is Origin.LIVE else f"{port.port} ({port.origin})"


def _next(workspace: Session) -> str:
    taken, draft = workspace.taken, workspace.draft
    if not draft.ports and (again := run_again(workspace)):
        return again
    if not (workspace.handles or draft.ports or "explore" in taken):
        return "%mesh search WORDS, then %mesh connect PRODUCT; or %mesh source NAME PATH"
    if not draft.ports and "explore" not in taken:
        return f"%%mesh sql NAME, a query over {', '.join(list(workspace.handles)[:3])}"
    if draft.name is None and "export" not in taken:
        return "%mesh product NAME --domain DOMAIN --owner TEAM --purpose SENTENCE"
    if not draft.ports:
        return "%mesh output PORT FRAME --key COLUMNS --event-time COLUMN"
    if "deploy" in taken:
        return f"%mesh history {taken['deploy'].partition(',')[0]}"
    if "export" in taken:
        return f"%mesh deploy {as_typed(taken['export'])}"
    if taken.get("check") == BROKEN:
        return "mend the frame, or the contract (%%mesh contract PORT), then %mesh check"
    return f"%mesh export products/{draft.name}" if "check" in taken else "%mesh check"
