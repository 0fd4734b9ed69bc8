"""A description as JSON: keys that stay, and the standards' own documents beside them.

Of the product: `address`, `name`, `domain`, `purpose`, `owner`, `team`, `tags`, `version`,
`status`, `origin`, `told_at`, `ports`, `lineage`, `access`, `documents`, `releases`, `snapshots`;
`product` and `contracts` are the ODPS and ODCS documents, `snapshot` is the receipt.

Of each port: `address`, `name`, `description`, `kind`, `modes`, `rows`, `key`, `event_time`,
`interval`, `covers`, `news` (`column`, `now`, `before`: what no snapshot before showed), `rules`,
`policies` (in words), `stand_in` (whether there is a synthetic one), `columns`, `promises`. Of each
column: `name`, `type`, `logical_type`, `meaning`, `required`, `unique`, `key`, `personal`, `link`,
`rules`, `mask`, `shape` (null where none was measured or may be told; else as `mesh.shape` measures
it). Times are ISO 8601, UTC; shares lie between 0 and 1; what is not known is null.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import date
from typing import Any

from mesh_notebook.mesh.slos import SloVerdict
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import iso
from mesh_notebook.workspace.discovery import words
from mesh_notebook.workspace.discovery.described import ColumnCard, Described, PortCard, Promise

__all__ = ["json", "plain"]


def json(described: Described) -> dict[str, Any]:
    """Return a description as values that JSON can say, under the keys named above."""
    product, receipt = described.product, described.receipt
    said = {
        "address": str(product.address),
        "name": product.name,
        "domain": product.domain,
        "purpose": product.purpose,
        "owner": product.owner,
        "team": [asdict(member) for member in described.people.members],
        "tags": list(product.tags),
        "version": product.version,
        "status": receipt.status,
        "origin": receipt.origin.value,
        "told_at": iso(described.moment),
        "ports": [_port(card) for card in described.ports],
        "lineage": _lineage(described),
        "access": _access(described),
        "documents": [asdict(document) for document in described.people.documents],
        "releases": [asdict(release) for release in described.releases],
        "snapshots": _snapshots(described),
        "product": product.raw,
        "contracts": {card.name: card.contract.raw for card in described.ports},
        "snapshot": _receipt(receipt),
    }
    made: dict[str, Any] = plain(said)
    return made


def _port(card: PortCard) -> dict[str, Any]:
    return {
        "address": str(card.address),
        "name": card.name,
        "description": card.port.description,
        "kind": card.kind,
        "modes": list(card.port.modes),
        "rows": card.rows,
        "key": list(card.contract.key),
        "event_time": card.event_time,
        "interval": card.interval or None,
        "covers": words.span(card) or None,
        "news": [asdict(one) for one in card.news],
        "rules": words.table_rules(card.contract),
        "policies": list(words.policies_in_words(card.policy)),
        "stand_in": bool(card.policy and card.policy.access.stand_in),
        "columns": [_column(one) for one in card.columns],
        "promises": [_promise(promise) for promise in card.promises],
    }


def _column(one: ColumnCard) -> dict[str, Any]:
    column = one.column
    return {
        "name": column.name,
        "type": words.type_of(column),
        "logical_type": column.logical_type,
        "meaning": column.meaning,
        "required": column.required,
        "unique": column.unique,
        "key": one.key,
        "personal": column.personal,
        "link": column.link,
        "rules": words.rules_of(one),
        "mask": one.mask.kind if one.mask else None,
        "shape": one.shape or None,
    }


def _promise(promise: Promise) -> dict[str, Any]:
    slo = promise.now.slo
    return {
        "property": slo.property,
        "value": slo.value,
        "unit": slo.unit,
        "element": slo.element,
        "promised": promise.now.promised,
        "now": _verdict(promise.now),
        "at_publication": _verdict(promise.at_publication),
    }


def _verdict(verdict: SloVerdict) -> dict[str, Any]:
    return {"measured": verdict.measured or None, "kept": verdict.kept}


def _lineage(described: Described) -> dict[str, Any]:
    return {
        "upstream": [{**asdict(u.pin), "latest": u.latest} for u in described.upstream],
        "downstream": [
            {**asdict(c), "address": str(c.address), "origin": c.origin.value}
            for c in described.consumers
        ],
        "unread": list(described.unread),
    }


def _access(described: Described) -> dict[str, Any]:
    return {
        "said": list(words.access_in_words(described)),
        "root": described.root,
        "roles": [asdict(role) for role in described.people.roles],
        "channels": [asdict(channel) for channel in described.people.channels],
        "connect": dict(described.lines),
    }


def _snapshots(described: Described) -> dict[str, Any]:
    return {
        "count": described.snapshots,
        "first": described.first or None,
        "last": described.receipt.processing_time,
        "looked_back": described.told,
        "damaged": described.damaged,
    }


def _receipt(receipt: Receipt) -> dict[str, Any]:
    """Return the receipt, less the shapes, which stand at the columns."""
    said = receipt.as_dict()
    for port in said["ports"].values():
        port.pop("shape")
    return said


def plain(value: Any) -> Any:
    """Return a value as JSON can say it: dates as ISO text, and numbers that are none by name."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
