"""Who may see what, and what was decided, as JSON."""

from __future__ import annotations

from typing import Any

from mesh_notebook.surfaces.as_json.shapes import shape_of
from mesh_notebook.workspace.governing import Decisions, Grants, MeshRules
from mesh_notebook.workspace.protecting import Why

__all__: list[str] = []


@shape_of.register
def _(why: Why) -> Any:
    decision, asks = why.decision, why.decision.principal
    return {
        "product": why.product,
        "port": why.port,
        "snapshot": why.receipt.snapshot,
        "principal": asks.name,
        "purpose": asks.purpose,
        "roles": asks.roles,
        "own": why.own,
        "policies": decision.policy.said(),
        "says": decision.said(),
        "forbidden": decision.forbidden,
        "mock": why.mock,
    }


@shape_of.register
def _(decisions: Decisions) -> Any:
    return {"product": decisions.product, "decisions": decisions.decisions}


@shape_of.register
def _(grants: Grants) -> Any:
    return {"root": str(grants.root), "grants": grants.grants, "done": grants.done or None}


@shape_of.register
def _(rules: MeshRules) -> Any:
    return {
        "root": str(rules.root),
        "rules": rules.rules,
        "caches": rules.caches,
        "entries": rules.entries,
        "done": rules.done or None,
    }
