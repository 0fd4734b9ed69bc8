"""A description as JSON-LD, in the terms of DPROD and DCAT.

The context stands in the document, so that nothing is fetched to read it. What DPROD and DCAT have
no term for is said with PROV (lineage), DQV (what was measured), CSVW (columns), ODRL (policies)
and SKOS (what a column means); what none of them can say stands under `urn:mesh-notebook:`. The
document is held to `model/shapes/dprod.shacl.ttl`: it conforms where the product has an owner and a
purpose.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from mesh_notebook.workspace.discovery import words
from mesh_notebook.workspace.discovery.columns import contract_node
from mesh_notebook.workspace.discovery.described import Described, PortCard, Upstream
from mesh_notebook.workspace.discovery.iris import (
    CONTEXT,
    about,
    dated,
    individual,
    iri,
    node,
    refer,
)
from mesh_notebook.workspace.discovery.json import plain
from mesh_notebook.workspace.discovery.measurements import measurement_nodes
from mesh_notebook.workspace.discovery.odrl import policy_node

__all__ = ["jsonld"]

# By mode: what it is called, and its media type (IANA), if it is bytes at all.
_MODES = {
    "sql": ("SQL view", ""),
    "polars": ("Polars lazy frame", ""),
    "arrow": ("Arrow stream", "application/vnd.apache.arrow.stream"),
    "parquet": ("Parquet file", "application/vnd.apache.parquet"),
    "csv": ("CSV file", "text/csv"),
    "json": ("JSON, one object a line", "application/x-ndjson"),
    "ndjson": ("JSON, one object a line", "application/x-ndjson"),
    "events": ("event log of CloudEvents", "application/cloudevents+json"),
    "graph": ("graph of rows and semantic links", "application/ld+json"),
}
_MEDIA = "https://www.iana.org/assignments/media-types/"
_FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"
_FREQUENCIES = {
    "PT1H": "HOURLY",
    "P1D": "DAILY",
    "P7D": "WEEKLY",
    "P1W": "WEEKLY",
    "P1M": "MONTHLY",
    "P3M": "QUARTERLY",
    "P1Y": "ANNUAL",
}


def jsonld(described: Described) -> dict[str, Any]:
    """Return a description as a JSON-LD document with its own context and one flat graph."""
    graph = [_product(described)]
    for card in described.ports:
        graph += [
            _service(card, described),
            _dataset(card, described),
            *(_distribution(card, mode, described) for mode in _modes(card)),
            policy_node(card),
            contract_node(card),
            *measurement_nodes(card, described),
        ]
    graph += [_upstream_node(u) for u in described.upstream]
    made: dict[str, Any] = plain({"@context": CONTEXT, "@graph": [n for n in graph if n]})
    return made


def _product(described: Described) -> dict[str, Any]:
    product, receipt = described.product, described.receipt
    urn = str(product.address)
    return node(
        urn,
        "dprod:DataProduct",
        {
            "dct:identifier": urn,
            "dct:title": product.name,
            "dct:description": product.purpose,
            "dprod:purpose": product.purpose,
            "dprod:dataProductOwner": _owner(described),
            "dprod:domain": node(
                iri(f"urn:dmesh:{product.address.tenant}:{product.address.domain}"),
                "skos:Concept",
                {"rdfs:label": product.domain},
            ),
            "dprod:lifecycleStatus": individual(
                "status", receipt.status, "dprod:DataProductLifecycleStatus"
            ),
            "dcat:version": product.version,
            "dcat:keyword": list(product.tags),
            "dct:issued": described.first,
            "dct:modified": receipt.processing_time,
            "dct:accessRights": node(
                "",
                "dct:RightsStatement",
                {"rdfs:label": " ".join(words.access_in_words(described))},
            ),
            "dcat:contactPoint": [_contact(c.name, c.url) for c in described.people.channels],
            "foaf:page": [_page(d.kind, d.url) for d in described.people.documents],
            "mesh:origin": individual("origin", receipt.origin.value, "skos:Concept"),
            "dprod:outputPort": [refer(card.address) for card in described.ports],
            "dprod:outputDataset": [
                refer(about(card.address, "dataset")) for card in described.ports
            ],
            "dprod:inputPort": [
                refer(u.pin.where) for u in described.upstream if u.pin.kind == "port"
            ],
            "dprod:inputDataset": [refer(_read(u)) for u in described.upstream],
            "dcat:hasVersion": [
                node(about(urn, "release", r.name), "dcat:Resource", {"dcat:version": r.version})
                for r in described.releases
            ],
        },
    )


def _owner(described: Described) -> dict[str, Any]:
    owner = described.product.owner
    if not owner:
        return {}
    members = [node("", "foaf:Person", {"foaf:name": m.name}) for m in described.people.members]
    types = ["prov:Agent", "prov:Organization", "foaf:Group"]
    return node(
        about(described.product.address, "owner"),
        types,
        {"foaf:name": owner, "foaf:member": members},
    )


def _contact(name: str, url: str) -> dict[str, Any]:
    where = "vcard:hasEmail" if url.startswith("mailto:") else "vcard:hasURL"
    return node("", "vcard:Kind", {"vcard:fn": name, where: refer(url) if ":" in url else {}})


def _page(kind: str, url: str) -> dict[str, Any]:
    absolute = ":" in url.split("/", 1)[0]
    return node(
        iri(url) if absolute else "", "foaf:Document", {"dct:title": kind, "dct:identifier": url}
    )


def _service(card: PortCard, described: Described) -> dict[str, Any]:
    urn = str(card.address)
    return node(
        urn,
        "dcat:DataService",
        {
            "dct:identifier": urn,
            "dct:title": card.name,
            "dct:description": card.port.description,
            "dcat:version": card.port.version,
            "dct:conformsTo": refer(card.contract.id),
            "dcat:servesDataset": refer(about(urn, "dataset")),
            "dcat:endpointURL": refer(_place(described)),
            "dprod:isAccessServiceOf": [
                refer(about(urn, "distribution", mode)) for mode in _modes(card)
            ],
            "dprod:protocol": [
                individual("protocol", mode, "dprod:Protocol", _title(mode))
                for mode in _modes(card)
            ],
            "dprod:securitySchemaType": _security(card),
            "dct:isRequiredBy": [refer(c.address) for c in card.consumers],
            "odrl:hasPolicy": refer(about(urn, "policy")),
        },
    )


def _security(card: PortCard) -> dict[str, Any]:
    kind = "dprod:SecuritySchemaType"
    if card.policy is None or card.policy:
        return individual("security", "port-policy", kind, "the port's policy")
    return individual("security", "storage-permissions", kind, "permissions of the storage")


def _place(described: Described) -> str:
    """Return the root as a URL: a bucket is one, and a folder becomes one."""
    root = described.root
    return root if "://" in root else Path(root).absolute().as_uri()


def _modes(card: PortCard) -> tuple[str, ...]:
    """Return the port's modes; a port that states none is read as the files that it is kept in."""
    return card.port.modes or ("parquet",)


def _title(mode: str) -> str:
    return _MODES.get(mode, (mode, ""))[0]


def _dataset(card: PortCard, described: Described) -> dict[str, Any]:
    urn, receipt = str(card.address), described.receipt
    personal = any(column.personal for column in card.contract.columns)
    return node(
        about(urn, "dataset"),
        ["dcat:Dataset", "prov:Entity"],
        {
            "dct:identifier": f"{urn}, snapshot {receipt.snapshot}",
            "dct:title": f"{described.product.name}/{card.name}",
            "dct:description": card.port.description,
            "dcat:version": str(receipt.snapshot),
            "dct:conformsTo": refer(card.contract.id),
            "dct:issued": described.first,
            "dct:modified": receipt.processing_time,
            "prov:generatedAtTime": receipt.processing_time,
            "dct:temporal": _period(card),
            "dct:accrualPeriodicity": _frequency(card.interval),
            "dprod:informationSensitivityClassification": individual(
                "sensitivity", "personal", "dprod:InformationSensitivityClassification"
            )
            if personal
            else {},
            "dcat:distribution": [refer(about(urn, "distribution", m)) for m in _modes(card)],
            "prov:wasDerivedFrom": [refer(_read(u)) for u in described.upstream],
            "mesh:kind": individual("kind", card.kind, "skos:Concept"),
            "mesh:eventTime": refer(about(urn, column=card.event_time)) if card.event_time else {},
        },
    )


def _period(card: PortCard) -> dict[str, Any]:
    if card.covered is None:
        return {}
    start, end = map(dated, card.covered)
    return node("", "dct:PeriodOfTime", {"dcat:startDate": start, "dcat:endDate": end})


def _frequency(interval: str) -> dict[str, Any]:
    if not interval:
        return {}
    known = _FREQUENCIES.get(interval)
    said = {"rdfs:label": f"every {interval}", "mesh:interval": interval}
    return node(f"{_FREQUENCY}{known}" if known else "", "dct:Frequency", said)


def _distribution(card: PortCard, mode: str, described: Described) -> dict[str, Any]:
    urn = str(card.address)
    media = _MODES.get(mode, ("", ""))[1]
    return node(
        about(urn, "distribution", mode),
        "dcat:Distribution",
        {
            "dct:title": _title(mode),
            "dct:conformsTo": refer(card.contract.id),
            "dcat:mediaType": refer(f"{_MEDIA}{media}") if media else {},
            "dcat:accessURL": refer(_place(described)),
            "dcat:accessService": refer(urn),
            "dprod:isDistributionOf": refer(about(urn, "dataset")),
        },
    )


def _read(upstream: Upstream) -> str:
    """Return what names the very data that was read: an upstream's snapshot, a file of a hash."""
    pin = upstream.pin
    if pin.kind == "port":
        return about(pin.where, "snapshot", pin.version)
    return about(f"urn:mesh-notebook:{pin.kind}:{quote(pin.where, safe='')}", pin.version)


def _upstream_node(upstream: Upstream) -> dict[str, Any]:
    pin = upstream.pin
    of = {"prov:specializationOf": refer(about(pin.where, "dataset"))} if pin.kind == "port" else {}
    return node(
        _read(upstream),
        ["dcat:Dataset", "prov:Entity"],
        {
            "dct:title": pin.name,
            "dct:identifier": pin.where,
            "dcat:version": pin.version,
            "mesh:origin": individual("origin", pin.origin.value, "skos:Concept"),
            **of,
        },
    )
