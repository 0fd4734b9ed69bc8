"""What was published, what would be, and what it is made of, as JSON."""

from __future__ import annotations

from typing import Any

from mesh_notebook.deploy.planning import Plan
from mesh_notebook.deploy.verifying import Verified
from mesh_notebook.surfaces.as_json.shapes import promise, publication, shape_of
from mesh_notebook.workspace.diffing import Differing
from mesh_notebook.workspace.keeping import MeshStandings, Standings, Track
from mesh_notebook.workspace.rejecting import Rejected
from mesh_notebook.workspace.results import Delivered, History
from mesh_notebook.workspace.tracing_back import Traced

__all__: list[str] = []


@shape_of.register
def _(history: History) -> Any:
    snapshots = [
        {
            **publication(one),
            "rows": {name: port.rows for name, port in one.ports.items()},
            "inputs": one.inputs,
            "principal": one.principal,
            "clock_behind_s": one.clock_behind_s,
        }
        for one in history.receipts
    ]
    return {"product": str(history.product.address), "snapshots": snapshots}


@shape_of.register
def _(done: Delivered) -> Any:
    return {
        "product": done.product,
        "port": done.port,
        **publication(done.receipt),
        "origin": done.origin,
        "path": done.path,
        "what": done.what,
        "rows": done.rows,
        "cursor": done.cursor or None,
    }


@shape_of.register
def _(standings: Standings) -> Any:
    ports = [
        {"port": one.port, "promises": [_track(track) for track in one.tracks]}
        for one in standings.ports
    ]
    last = standings.receipts[-1].snapshot
    return {
        "product": str(standings.product.address),
        "snapshots": [
            {
                **publication(receipt),
                "verified": standings.verified if receipt.snapshot == last else None,
            }
            for receipt in standings.receipts
        ],
        "hurt": standings.hurt,
        "majors": standings.majors,
        "damaged": [{"port": port, "why": why} for port, why in standings.damaged],
        "ports": ports,
    }


@shape_of.register
def _(mesh: MeshStandings) -> Any:
    return {
        "roots": mesh.roots,
        "products": [shape_of(one) for one in mesh.products],
        "broken": [
            {
                "product": str(one.product.address),
                "port": port.port,
                "promise": track.now.name,
                "broken_since": track.since or None,
            }
            for one in mesh.products
            for port, track in one.broken
        ],
        "unread": [{"product": address, "why": reason} for address, reason in mesh.unread],
    }


def _track(track: Track) -> dict[str, Any]:
    points = [
        {"snapshot": one.snapshot, "time": one.time, "value": one.value, "kept": one.kept}
        for one in track.points
    ]
    return {**promise(track.now), "broken_since": track.since or None, "points": points}


@shape_of.register
def _(traced: Traced) -> Any:
    return {
        "of": traced.of,
        "upstream": traced.upstream,
        "downstream": traced.downstream,
        "untold": traced.untold,
    }


@shape_of.register
def _(rejected: Rejected) -> Any:
    return {
        "product": rejected.product,
        "refusals": [
            {"version": one.version, "time": one.time, "broken": one.broken}
            for one in rejected.refusals
        ],
        "shown": rejected.shown,
        "rows": rejected.rows.to_dicts(),
        "out": rejected.out,
        "cleared": rejected.cleared,
    }


@shape_of.register
def _(plan: Plan) -> Any:
    return plan.as_dict()


@shape_of.register
def _(verified: Verified) -> Any:
    return {
        "product": verified.product,
        "engine": verified.engine,
        "passed": verified.passed,
        "findings": verified.findings,
        "rows": verified.rows,
        "files": verified.files,
        "inputs": verified.inputs,
        "other_versions": verified.other_versions,
    }


@shape_of.register
def _(differing: Differing) -> Any:
    return {
        "product": differing.product,
        "folder": differing.folder,
        "differs": differing.differs,
        "sides": differing.sides,
        "changes": differing.changes,
        "laid_out": differing.laid_out,
        "others": differing.others,
    }
