"""`mesh lineage`: what a product, a port or a column comes from, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import MeshError, UnknownName, UsageError, near
from mesh_notebook.mesh.bundle import SPECIFICATION, Bundle
from mesh_notebook.mesh.consumers import lineage_in, release_of
from mesh_notebook.model.address import Address
from mesh_notebook.model.lineage import Lineage
from mesh_notebook.model.time import iso

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mesh_notebook.model.receipt import Receipt
    from mesh_notebook.workspace.session import Session

__all__ = ["Edge", "Traced", "traced"]

_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACET = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json"
_PRODUCER = "urn:mesh-notebook"


@dataclass(frozen=True, order=True)
class Edge:
    """Something that is made of something: `product/port`, with `.column` where columns were asked.

    `how` is OpenLineage's word, where it is known.
    """

    source: str
    target: str
    how: str = ""


@dataclass(frozen=True)
class Traced:
    """What leads to `of`, and what comes of it.

    Attributes
    ----------
    untold : tuple of str
        Products that were published without column lineage, where columns were asked.
    """

    of: str
    upstream: tuple[Edge, ...]
    downstream: tuple[Edge, ...]
    untold: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Made:
    """A product, published or a bundle: what its ports are made of."""

    address: Address
    inputs: Mapping[str, str]
    ports: tuple[str, ...]
    lineage: Lineage | None
    receipt: Receipt | None = None


def traced(workspace: Session, what: str, format: str | None) -> Traced | dict[str, Any]:
    """Trace a product, a port or a column, both ways, through the mesh."""
    mesh = list(_mesh(workspace))
    if (workspace.base / what / SPECIFICATION).is_file():
        made, port, column = _of_bundle(workspace.base / what), None, None
        mesh = [one for one in mesh if one.address != made.address] + [made]
    else:
        made, port, column = _named(workspace, what, mesh)
    if format == "openlineage":
        return _event(made, workspace.clock())
    found = _trace(mesh, made, port, column)
    if format != "json":
        return found
    edges = {side: [vars(e) for e in getattr(found, side)] for side in ("upstream", "downstream")}
    return {"of": found.of, **edges, "untold": list(found.untold)}


def _mesh(workspace: Session) -> Iterator[_Made]:
    for published in workspace.catalogue.products():
        try:
            receipt = published.as_of(None)
        except MeshError:  # it is hurt: what it is made of cannot be told
            continue
        inputs = {pin.name: pin.where for pin in receipt.inputs}
        lineage = lineage_in(release_of(published, receipt))
        yield _Made(published.address, inputs, tuple(receipt.ports), lineage, receipt)


def _of_bundle(folder: Path) -> _Made:
    product = Bundle(folder).product
    recipes = {port.name: port.recipe for port in product.inputs}
    inputs = {n: str(r.get("address") or r.get("uri") or n) for n, r in recipes.items()}
    ports = tuple(port.name for port in product.outputs)
    return _Made(product.address, inputs, ports, lineage_in(folder))


def _named(
    workspace: Session, what: str, mesh: Iterable[_Made]
) -> tuple[_Made, str | None, str | None]:
    name, _, column = what.partition(".")
    published, port = workspace.catalogue.resolve(name)
    made = next(one for one in mesh if one.address == published.address)
    if not column:
        return made, port, None
    if port is None and len(made.ports) > 1:
        raise UsageError(
            f"{name} has several ports, so '{column}' could be of any.",
            next_step=f"write {name}/{made.ports[0]}.{column}",
        )
    port = port or made.ports[0]
    receipt = published.as_of(None)
    known = [c.name for c in published.contract(receipt, port).columns]
    if column not in known:
        raise UnknownName(
            f"{name} has no column '{column}'.",
            next_step=f"it has {', '.join(near(column, known) or known)}",
        )
    return made, port, column


def _trace(mesh: list[_Made], made: _Made, port: str | None, column: str | None) -> Traced:
    edges = sorted({e for one in mesh for e in (_columns(one) if column else _ports(one))})
    ports = [port] if port else list(made.ports)
    suffix = f".{column}" if column else ""
    starts = {f"{_short(str(made.address.with_port(p)))}{suffix}" for p in ports}
    up = _reached(edges, starts, lambda e: (e.target, e.source))
    down = _reached(edges, starts, lambda e: (e.source, e.target))
    untold = tuple(one.address.product for one in mesh if column and one.lineage is None)
    of = next(iter(starts)) if len(starts) == 1 else made.address.product
    return Traced(of, up, down, untold)


def _reached(edges: list[Edge], starts: set[str], ends: Any) -> tuple[Edge, ...]:
    found: list[Edge] = []
    known, waiting = set(starts), set(starts)
    while waiting:
        step = [edge for edge in edges if ends(edge)[0] in waiting]
        found += [edge for edge in step if edge not in found]
        waiting = {ends(edge)[1] for edge in step} - known
        known |= waiting
    return tuple(found)


def _ports(made: _Made) -> Iterator[Edge]:
    for port in made.ports:
        used = made.inputs
        if made.lineage and port in made.lineage.ports:
            own = made.lineage.ports[port]
            every = (*own.dataset, *(f for fields in own.fields.values() for f in fields))
            names = {one.input for one in every}
            used = {name: where for name, where in made.inputs.items() if name in names}
        for where in used.values():
            yield Edge(_short(where), _short(str(made.address.with_port(port))))


def _columns(made: _Made) -> Iterator[Edge]:
    if made.lineage is None:
        return
    for port, own in made.lineage.ports.items():
        target = _short(str(made.address.with_port(port)))
        for column, fields in own.fields.items():
            for one in (*fields, *own.dataset):
                where = made.inputs.get(one.input) or made.lineage.datasets[one.input]
                how = (one.subtype or one.type).lower().replace("_", " ")
                yield Edge(f"{_short(where)}.{one.field}", f"{target}.{column}", how)


def _short(where: str) -> str:
    return Address.parse(where).short if where.startswith("urn:dmesh:") else where


def _event(made: _Made, now: datetime) -> dict[str, Any]:
    """Return what made the product as an OpenLineage run event."""
    import uuid

    told = made.lineage.as_dict()["outputs"] if made.lineage else {}
    name, namespace = str(made.address), "dmesh"
    seed = f"{name} {made.receipt.snapshot if made.receipt else 'bundle'}"
    outputs = [
        {
            "namespace": namespace,
            "name": str(made.address.with_port(port)),
            "facets": {"columnLineage": _facet(told[port])} if port in told else {},
        }
        for port in made.ports
    ]
    return {
        "eventType": "COMPLETE",
        "eventTime": made.receipt.processing_time if made.receipt else iso(now),
        "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, seed))},
        "job": {"namespace": namespace, "name": name},
        "inputs": [{"namespace": namespace, "name": where} for where in made.inputs.values()],
        "outputs": outputs,
        "producer": _PRODUCER,
        "schemaURL": _SCHEMA,
    }


def _facet(port: Mapping[str, Any]) -> dict[str, Any]:
    """Return a port's lineage as the standard's facet: one namespace for all datasets."""

    def plain(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**one, "namespace": "dmesh"} for one in fields]

    fields = {c: {"inputFields": plain(one["inputFields"])} for c, one in port["fields"].items()}
    return {
        "_producer": _PRODUCER,
        "_schemaURL": _FACET,
        "fields": fields,
        "dataset": plain(port["dataset"]),
    }
