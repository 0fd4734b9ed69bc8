"""What was measured of a port, as nodes of the JSON-LD: DQV, a measurement for each figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_notebook.mesh.slos import SloVerdict
from mesh_notebook.model.time import iso
from mesh_notebook.workspace.discovery.described import Described, PortCard
from mesh_notebook.workspace.discovery.iris import about, dated, individual, node, refer

__all__ = ["measurement_nodes"]

_QUANTILES = ("p5", "p25", "p50", "p75", "p95")
_FIGURES = ("nulls", "distinct", "min", "max", "mean", "std")


def measurement_nodes(card: PortCard, described: Described) -> Iterator[dict[str, Any]]:
    """Give what was measured at publication, the promises, and how they stand."""
    urn, when = card.address, described.receipt.processing_time
    dataset = about(urn, "dataset")
    for metric, value in card.snapshot.slos.items():
        yield _measurement(about(urn, "measured", metric), dataset, metric, value, when)
    for one in card.columns:
        yield from _column(card, one.column.name, one.shape, when)
    for number, promise in enumerate(card.promises, 1):
        yield _promise(card, number, promise.now, iso(described.moment))


def _measurement(name: str, of: str, metric: str, value: Any, when: str) -> dict[str, Any]:
    return node(
        name,
        "dqv:QualityMeasurement",
        {
            "dqv:isMeasurementOf": individual("metric", metric, "dqv:Metric"),
            "dqv:computedOn": refer(of),
            "dqv:value": value,
            "prov:generatedAtTime": when,
        },
    )


def _column(
    card: PortCard, name: str, shape: Mapping[str, Any], when: str
) -> Iterator[dict[str, Any]]:
    figures = {key: shape[key] for key in _FIGURES if shape.get(key) is not None}
    figures.update(zip(_QUANTILES, shape.get("quantiles") or (), strict=False))
    of = about(card.address, column=name)
    for metric, value in figures.items():
        said = dated(value) if isinstance(value, str) else value
        yield _measurement(about(card.address, "measured", metric, name), of, metric, said, when)
    if top := shape.get("top"):
        yield {"@id": of, "mesh:topValues": top}


def _promise(card: PortCard, number: int, verdict: SloVerdict, when: str) -> dict[str, Any]:
    return node(
        about(card.address, "promise", str(number)),
        "dqv:QualityPolicy",
        {
            "dct:title": verdict.slo.property,
            "dct:description": verdict.promised,
            "dqv:computedOn": refer(about(card.address, "dataset")),
            "mesh:measured": verdict.measured,
            "mesh:kept": verdict.kept,
            "dct:date": when,
        },
    )
