"""Where a notebook stands on the path, told from what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.model.origin import worst
from mesh_notebook.workspace.results import Standing, Step

if TYPE_CHECKING:
    from mesh_notebook.workspace.session import Session

__all__ = ["BROKEN", "standing"]

BROKEN = "rules are broken"


def standing(workspace: Session) -> Standing:
    """Return the steps of the path, done or not, and the next sensible one."""
    inputs = list(workspace.inputs.values())
    steps = (
        _inputs("mock", workspace, {"mock"}),
        _inputs("connect", workspace, {"port", "source"}),
        Step("explore", "explore" in workspace.taken, workspace.taken.get("explore", "")),
        _bootstrap(workspace),
        Step("deploy", "deploy" in workspace.taken, workspace.taken.get("deploy", "")),
    )
    origin = worst(h.origin for h in inputs) if inputs else None
    return Standing(steps, _next(workspace), origin)


def _inputs(name: str, workspace: Session, kinds: set[str]) -> Step:
    names = [h.name for h in workspace.inputs.values() if h.kind in kinds]
    return Step(name, bool(names), ", ".join(names))


def _bootstrap(workspace: Session) -> Step:
    taken, ports = workspace.taken, list(workspace.draft.ports)
    facts = []
    if ports:
        facts.append(f"output {', '.join(ports)}")
    if "check" in taken:
        facts.append(taken["check"])
    if "export" in taken:
        facts.append(f"exported {taken['export']}")
    return Step("bootstrap", "export" in taken, "; ".join(facts))


def _next(workspace: Session) -> str:
    taken, draft = workspace.taken, workspace.draft
    if not (workspace.inputs or draft.ports or "explore" in taken):
        return "%mesh search WORDS, then %mesh connect PRODUCT; or %mesh source NAME PATH"
    if not draft.ports and "explore" not in taken:
        return f"%%mesh sql NAME, a query over {', '.join(list(workspace.inputs)[:3])}"
    if draft.name is None and "export" not in taken:
        return "%mesh product NAME --domain DOMAIN --owner TEAM --purpose SENTENCE"
    if not draft.ports:
        return "%mesh output PORT FRAME --key COLUMNS --event-time COLUMN"
    if "deploy" in taken:
        return f"%mesh history {taken['deploy'].partition(',')[0]}"
    if "export" in taken:
        return f"%mesh deploy {taken['export']}"
    if taken.get("check") == BROKEN:
        return "mend the frame, or the contract (%%mesh contract PORT), then %mesh check"
    return f"%mesh export products/{draft.name}" if "check" in taken else "%mesh check"
