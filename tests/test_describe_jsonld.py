"""The JSON-LD of a description: DPROD and DCAT terms that exist, held to our own SHACL shapes."""

from __future__ import annotations

import json
import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from contracts import contracts
from describing import delays_contract, described_of, opened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import RDF, RDFS, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS, PROV, SH, SKOS

from mesh_notebook.workspace.discovery.jsonld import jsonld

DPROD = Namespace("https://ekgf.github.io/dprod/")
DQV = Namespace("http://www.w3.org/ns/dqv#")
CSVW = Namespace("http://www.w3.org/ns/csvw#")
OURS = Namespace("urn:mesh-notebook:")
PRODUCT = URIRef("urn:dmesh:local:travel:airport-delays")
PORT = URIRef(f"{PRODUCT}:daily")
ROOT = Path(__file__).resolve().parent.parent
SHAPES = Graph().parse(
    data=(files("mesh_notebook.model") / "shapes" / "dprod.shacl.ttl").read_text(), format="turtle"
)
ONTOLOGY = Graph().parse(Path(__file__).parent / "dprod" / "dprod-ontology.ttl", format="turtle")


@pytest.fixture(scope="module")
def document(delays_as_published, tmp_path_factory) -> dict[str, Any]:
    """As it is described to somebody who may read the port."""
    root = shutil.copytree(delays_as_published, tmp_path_factory.mktemp("real") / "mesh")
    mesh = opened(root)
    mesh.grant(mesh.principal, "controller")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MESH_PURPOSE", "planning")
        return mesh.describe("airport-delays", "jsonld")


@pytest.fixture(scope="module")
def real(document) -> Graph:
    return parsed(json.dumps(document))


def parsed(text: str) -> Graph:
    return Graph().parse(data=text, format="json-ld")


def findings(graph: Graph) -> str:
    """Return what our shapes object to; empty where the graph conforms."""
    conforms, _, text = pyshacl.validate(graph, shacl_graph=SHAPES)
    return "" if conforms else text


def copied(graph: Graph) -> Graph:
    other = Graph()
    for triple in graph:
        other.add(triple)
    return other


def properties(constraint: URIRef, plain_path: bool = True) -> list[tuple[str, str, str]]:
    """Return what the shapes say of properties: the shape, the path, and the constraint's value."""
    found = []
    for shape in set(SHAPES.subjects(SH.property, None)):
        for said in SHAPES.objects(shape, SH.property):
            path, value = SHAPES.value(said, SH.path), SHAPES.value(said, constraint)
            if value is not None and isinstance(path, URIRef) and isinstance(shape, URIRef):
                found.append((str(shape), str(path), str(value)))
    return sorted(found)


def held_to(graph: Graph, shape: str) -> list[URIRef]:
    """Return the nodes of a graph that a shape is about."""
    node = URIRef(shape)
    nodes = [
        focus
        for kind in SHAPES.objects(node, SH.targetClass)
        for focus in graph.subjects(RDF.type, kind)
    ]
    for path in SHAPES.objects(node, SH.targetObjectsOf):
        nodes.extend(graph.objects(None, path))
    return sorted(nodes)


def short(case: tuple[str, ...]) -> str:
    return "-".join(re.split(r"[:/#]", part)[-1] for part in case[:2])


# ---- the shapes -------------------------------------------------------------------------------


def test_a_real_description_conforms(real):
    assert findings(real) == ""


def test_the_shapes_are_shapes():
    pyshacl.validate(Graph(), shacl_graph=SHAPES, meta_shacl=True)


def test_an_empty_product_does_not_conform():
    graph = Graph()
    graph.add((PRODUCT, RDF.type, DPROD.DataProduct))
    text = findings(graph)
    for path in ("outputPort", "purpose", "dataProductOwner", "lifecycleStatus"):
        assert path in text


def test_a_document_without_a_product_does_not_conform(real):
    assert "no data product is described" in findings(Graph())
    real = copied(real)
    real.remove((None, RDF.type, DPROD.DataProduct))
    assert findings(real)


def test_a_correct_protocol_conforms(real):
    graph = copied(real)
    protocol = URIRef("https://acme.example/protocols/https")
    graph.add((protocol, RDF.type, DPROD.Protocol))
    graph.add((protocol, RDFS.label, Literal("HTTPS", lang="en")))
    graph.add((PORT, DPROD.protocol, protocol))
    assert findings(graph) == ""


def test_a_protocol_that_is_a_word_does_not_conform(real):
    graph = copied(real)
    graph.add((PORT, DPROD.protocol, Literal("https")))
    assert findings(graph)


@pytest.mark.parametrize("case", properties(SH.minCount), ids=short)
def test_each_required_property_that_is_missing_is_found(real, case):
    shape, path, _ = case
    graph = copied(real)
    focus = held_to(graph, shape)[0]
    assert (focus, URIRef(path), None) in graph
    graph.remove((focus, URIRef(path), None))
    assert path in findings(graph) or short(case).split("-")[1] in findings(graph)


@pytest.mark.parametrize("case", properties(SH.datatype), ids=short)
def test_each_wrong_datatype_is_found(real, case):
    shape, path, datatype = case
    graph = copied(real)
    wrong = XSD.integer if datatype != str(XSD.integer) else XSD.string
    graph.set((held_to(graph, shape)[0], URIRef(path), Literal("12", datatype=wrong)))
    assert findings(graph)


@pytest.mark.parametrize("case", properties(SH["class"]), ids=short)
def test_each_reference_to_a_thing_of_another_kind_is_found(real, case):
    shape, path, _ = case
    graph = copied(real)
    graph.add((held_to(graph, shape)[0], URIRef(path), URIRef("https://acme.example/a-sandwich")))
    assert findings(graph)


def test_a_product_without_an_owner_is_found():
    assert "dataProductOwner" in findings(
        parsed(json.dumps(jsonld(described_of(delays_contract(), {}, team={}))))
    )


# ---- the terms --------------------------------------------------------------------------------


def test_every_term_of_dprod_that_is_used_exists(real):
    known = set(ONTOLOGY.subjects(RDF.type, None))
    used = {term for triple in real for term in triple if str(term).startswith(str(DPROD))}
    assert used
    assert used <= known
    sources = [*(ROOT / "mesh_notebook/workspace/discovery").glob("*.py")]
    texts = [p.read_text() for p in sources] + [SHAPES.serialize(format="turtle")]
    named = {name for text in texts for name in re.findall(r"\bdprod:(\w+)", text)}
    assert {DPROD[name] for name in named} <= known


def test_every_property_of_dprod_has_the_subjects_and_objects_that_the_ontology_says(real):
    for subject, path, value in real:
        domain, range_ = ONTOLOGY.value(path, RDFS.domain), ONTOLOGY.value(path, RDFS.range)
        if domain is not None:
            assert (subject, RDF.type, domain) in real, path
        # An upstream's port is described by the upstream, and only named here.
        if range_ is not None and range_ != XSD.string and path != DPROD.inputPort:
            assert (value, RDF.type, range_) in real, path


def test_nothing_is_fetched_to_read_the_context(document):
    assert isinstance(document["@context"], dict)
    assert "@import" not in json.dumps(document["@context"])
    assert all(isinstance(node, dict) for node in document["@graph"])


def test_names_are_iris(real):
    for term in {term for triple in real for term in triple if isinstance(term, URIRef)}:
        assert re.fullmatch(r"[a-z][a-z0-9+.-]*:[^\s<>\"{}|\\^`]+", str(term)), term
    real.serialize(format="turtle")


# ---- what it says -----------------------------------------------------------------------------


def test_a_port_names_its_modes_as_protocols_and_its_dataset_has_them_as_distributions(real):
    protocols = set(real.objects(PORT, DPROD.protocol))
    assert OURS["protocol:events"] in protocols
    (dataset,) = real.objects(PRODUCT, DPROD.outputDataset)
    formats = {str(real.value(d, DCTERMS.title)) for d in real.objects(dataset, DCAT.distribution)}
    assert len(formats) == len(protocols) == 4
    assert "Parquet file" in formats


def test_a_column_means_what_another_products_column_is(real):
    column = URIRef(f"{PORT}#airport")
    meant = URIRef("urn:dmesh:local:geography:airports:places#code")
    assert (column, SKOS.exactMatch, meant) in real
    assert (column, CSVW.datatype, XSD.string) in real


def test_columns_stand_in_their_order(real):
    (schema,) = real.subjects(RDF.type, CSVW.Schema)
    columns = real.collection(real.value(schema, CSVW.column))
    names = [str(real.value(c, CSVW.name)) for c in columns]
    assert names == ["airport", "day", "delay", "agent"]


def test_what_was_measured_is_a_measurement_of_the_dataset_or_of_a_column(real):
    said = {
        (str(real.value(m, DQV.computedOn)), str(real.value(m, DQV.isMeasurementOf))): real.value(
            m, DQV.value
        )
        for m in real.subjects(RDF.type, DQV.QualityMeasurement)
    }
    assert said[f"{PORT}#/dataset", str(OURS["metric:completeness"])].toPython() == 15 / 16
    assert said[f"{PORT}#delay", str(OURS["metric:p50"])].toPython() == 12
    assert said[f"{PORT}#day", str(OURS["metric:max"])].datatype == XSD.date
    assert not [of for of, _ in said if of == f"{PORT}#agent" and "min" in _]


def test_lineage_is_told_both_ways(real, delays):
    (dataset,) = real.objects(PRODUCT, DPROD.outputDataset)
    (source,) = real.objects(dataset, PROV.wasDerivedFrom)
    assert str(real.value(source, DCTERMS.identifier)) == "flights.parquet"
    assert (PORT, DCTERMS.isRequiredBy, URIRef("urn:dmesh:local:travel:late-airports")) in real
    reader = parsed(json.dumps(delays.describe("late-airports", "jsonld")))
    (read,) = reader.objects(None, PROV.wasDerivedFrom)
    assert (read, PROV.specializationOf, dataset) in reader


def test_an_interval_is_a_frequency_and_a_period(real):
    (dataset,) = real.objects(PRODUCT, DPROD.outputDataset)
    assert str(real.value(dataset, DCTERMS.accrualPeriodicity)).endswith("frequency/ANNUAL")
    period = real.value(dataset, DCTERMS.temporal)
    start = Literal("2026-01-01T00:00:00Z", datatype=XSD.dateTime)
    assert real.value(period, DCAT.startDate) == start


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contracts(), st.text(min_size=1).filter(str.strip))
def test_whatever_the_contract_its_description_conforms(contract, words):
    said = {"description": {"purpose": words}, "tags": [words], "team": {"name": words}}
    graph = parsed(json.dumps(jsonld(described_of(contract, {}, **said))))
    assert findings(graph) == ""


@pytest.mark.parametrize("name", ["a b", "größe", "x#y", "a/b", "50%", "<tag>", 'quo"te'])
def test_a_column_of_any_name_has_an_iri_of_its_own(name):
    from contracts import column, contract_of

    made = contract_of(column(name, "DOUBLE"), column("plain"))
    graph = parsed(json.dumps(jsonld(described_of(made, {name: {"nulls": 0.5, "distinct": 1}}))))
    assert findings(graph) == ""
    assert len(set(graph.subjects(RDF.type, CSVW.Column))) == 2
    assert not [s for s in graph.subjects(RDF.type, CSVW.Column) if isinstance(s, BNode)]
    graph.serialize(format="turtle")
