"""What the JSON-LD is built of: its context, the names of things, and nodes without empty parts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

__all__ = ["CONTEXT", "about", "dated", "individual", "iri", "node", "refer"]

_AS_INSTANT = {"@type": "xsd:dateTime"}
CONTEXT: dict[str, Any] = {
    "dprod": "https://ekgf.github.io/dprod/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "dqv": "http://www.w3.org/ns/dqv#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "mesh": "urn:mesh-notebook:",
    "dct:date": _AS_INSTANT,
    "dct:issued": _AS_INSTANT,
    "dct:modified": _AS_INSTANT,
    "prov:generatedAtTime": _AS_INSTANT,
    "csvw:column": {"@container": "@list"},
    "mesh:interval": {"@type": "xsd:duration"},
    "mesh:topValues": {"@type": "@json"},
}
# RFC 3986, less the percent sign where it escapes nothing.
_SAFE = ":/?#[]@!$&'()*+,;=%"
_LOOSE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MOMENTS = {
    "xsd:date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "xsd:dateTime": re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?"),
}


def iri(text: str) -> str:
    """Return a text as an IRI, whatever stands in it."""
    return quote(_LOOSE_PERCENT.sub("%25", text), safe=_SAFE)


def about(urn: object, *parts: str, column: str = "") -> str:
    """Name a part of a thing: a column as its own fragment, all else after a slash.

    A column is named as semantic links name it, `urn:…:<product>:<port>#<column>`.
    """
    if column:
        return f"{iri(str(urn))}#{quote(column, safe='')}"
    return f"{iri(str(urn))}#/" + "/".join(quote(part, safe="") for part in parts)


def dated(text: str) -> str | dict[str, str]:
    """Return a date or an instant with its type; any other text as it is."""
    for kind, pattern in _MOMENTS.items():
        if pattern.fullmatch(text):
            return {"@value": text, "@type": kind}
    return text


def refer(name: object) -> dict[str, str]:
    return {"@id": iri(str(name))}


def individual(family: str, name: str, kind: str, label: str = "") -> dict[str, Any]:
    """Return one of our own named things, such as `urn:mesh-notebook:protocol:parquet`."""
    said = {"rdfs:label": label or name}
    return node(f"urn:mesh-notebook:{family}:{quote(name, safe='')}", kind, said)


def node(name: str, kind: str | Sequence[str], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a node, less what says nothing; without a name it is one that nobody refers to."""
    kept = {k: v for k, v in said.items() if v is not None and v != "" and v != [] and v != {}}
    return {**({"@id": name} if name else {}), "@type": kind, **kept}
