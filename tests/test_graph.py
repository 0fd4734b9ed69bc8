"""The graph: what an RDF library reads from a port's JSON-LD."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import rdflib
from ports import ADDRESS, PublishedPort, frame_of, typed_contract
from rdflib import RDF, XSD, Literal, URIRef
from rdflib.namespace import DCTERMS, PROV

from mesh_notebook.errors import UsageError

PORT = f"{ADDRESS}:visits"
PEOPLE = "urn:dmesh:local:people:persons:persons"
LINKED = {
    "authoritativeDefinitions": [{"type": "ontology", "url": f"{PEOPLE}#person id"}],
}
CONTRACT = typed_contract(
    {
        "no": "INTEGER",
        "who": "VARCHAR",
        "at": "TIMESTAMP_TZ",
        "paid": "DECIMAL(9,2)",
        "share": "DOUBLE",
        "blob": "BLOB",
        "ok": "BOOLEAN",
        "friends": "VARCHAR[]",
        "steps": "BIGINT[]",
        "a:b c": "DATE",
        "type": "BIGINT",
    },
    key=("who", "no"),
    who={"logicalType": "string", **LINKED},
    friends=LINKED,
)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = {
    "no": [1, 2],
    "who": ["bö/&=#1", "x"],
    "at": [NOON, None],
    "paid": [Decimal("0.10"), None],
    "share": [0.1, float("-inf")],
    "blob": [b"\xff", None],
    "ok": [True, None],
    "friends": [["x", None, "y z"], []],
    "steps": [[2**60 + 1, None], None],
    "a:b c": [NOON.date(), None],
    "type": [2**62 + 1, None],
}


def port_column(name: str) -> URIRef:
    return URIRef(f"{PORT}#{name}")


@pytest.fixture
def port(tmp_path: Path):
    made = PublishedPort(tmp_path, CONTRACT)
    return made.publish(frame_of(CONTRACT, ROWS)).port()


def graph_of(document: dict) -> rdflib.Graph:
    return rdflib.Graph().parse(data=json.dumps(document), format="json-ld")


def test_rows_are_nodes_and_links_are_edges(port):
    graph = graph_of(port.graph())
    row = URIRef(f"{PORT}#who=b%C3%B6%2F%26%3D%231&no=1")
    assert set(graph.predicate_objects(row)) == {
        (RDF.type, URIRef(PORT)),
        (port_column("no"), Literal("1", datatype=XSD.int)),
        (port_column("who"), URIRef(f"{PEOPLE}#person%20id=b%C3%B6%2F%26%3D%231")),
        (port_column("at"), Literal("2026-03-01T12:00:00.000000Z", datatype=XSD.dateTime)),
        (port_column("paid"), Literal("0.10", datatype=XSD.decimal)),
        (port_column("share"), Literal("0.1", datatype=XSD.double)),
        (port_column("blob"), Literal("/w==", datatype=XSD.base64Binary)),
        (port_column("ok"), Literal("true", datatype=XSD.boolean)),
        (port_column("friends"), URIRef(f"{PEOPLE}#person%20id=x")),
        (port_column("friends"), URIRef(f"{PEOPLE}#person%20id=y%20z")),
        (port_column("steps"), Literal("[1152921504606846977,null]", datatype=RDF.JSON)),
        (port_column("a:b%20c"), Literal("2026-03-01", datatype=XSD.date)),
        (port_column("type"), Literal("4611686018427387905", datatype=XSD.long)),
    }


def test_a_null_is_no_statement(port):
    row = URIRef(f"{PORT}#who=x&no=2")
    assert set(graph_of(port.graph()).predicate_objects(row)) == {
        (RDF.type, URIRef(PORT)),
        (port_column("no"), Literal("2", datatype=XSD.int)),
        (port_column("who"), URIRef(f"{PEOPLE}#person%20id=x")),
        (port_column("share"), Literal("-INF", datatype=XSD.double)),
    }


def test_the_port_is_a_node_that_says_origin_and_snapshot(port):
    graph, node, receipt = graph_of(port.graph(limit=0)), URIRef(PORT), port.reading.receipt
    assert set(graph) == {
        (node, DCTERMS.provenance, Literal("live")),
        (node, DCTERMS.type, Literal("active")),
        (node, DCTERMS.hasVersion, Literal("1")),
        (node, DCTERMS.conformsTo, URIRef(f"{PORT}:1")),
        (node, PROV.generatedAtTime, Literal(receipt.processing_time, datatype=XSD.dateTime)),
    }


def test_an_edge_leads_to_the_row_of_the_linked_product(tmp_path, port):
    people = PublishedPort(
        tmp_path / "people", typed_contract({"person id": "VARCHAR"}, ("person id",), None)
    ).publish(frame_of(typed_contract({"person id": "VARCHAR"}, (), None), {"person id": ["x"]}))
    theirs = json.dumps(people.port().graph()).replace(PORT, PEOPLE)
    graph = graph_of(port.graph()).parse(data=theirs, format="json-ld")
    found = graph.query(f"SELECT ?visit WHERE {{ ?visit <{PORT}#who> ?who . ?who a <{PEOPLE}> }}")
    assert [str(row.visit) for row in found] == [f"{PORT}#who=x&no=2"]


def test_without_a_key_every_row_is_a_node_without_a_name(tmp_path):
    made = typed_contract({"n": "BIGINT"}, (), None)
    port = PublishedPort(tmp_path, made).publish(frame_of(made, {"n": [7, 7, 8]})).port()
    graph = graph_of(port.graph())
    nodes = list(graph.subjects(RDF.type, URIRef(PORT)))
    assert len(nodes) == 3
    assert all(isinstance(node, rdflib.BNode) for node in nodes)


def test_a_limit_is_of_rows(port):
    assert len(port.graph(limit=1)["@graph"]) == 2
    with pytest.raises(UsageError):
        port.graph(limit=-1)
