"""`mesh lineage`: both ways through a mesh, by port and by column."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from mesh_notebook.errors import UnknownName

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def notebook(shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A product made of a file, exported and deployed from a real notebook."""
    frame = pl.DataFrame(
        {"origin": ["JFK", "LGA"], "day": [date(2026, 1, 1)] * 2, "delay": [1.0, 2.0], "x": [1, 2]}
    )
    frame.write_csv(tmp_path / "flights.csv")
    monkeypatch.chdir(tmp_path)
    shell.run("import polars as pl")
    return shell


def test_columns_are_traced_to_the_source_and_nothing_else(notebook):
    for line in (
        "%mesh product delays --domain travel --owner ops --purpose Delays",
        "%mesh source flights flights.csv",
        "worst = flights.filter(pl.col('delay') > 0).group_by('origin').agg(pl.col('delay').max())",
        "%mesh output worst worst --key origin",
        "%mesh export bundle",
        "%mesh deploy bundle",
    ):
        notebook.run(line)
    found = notebook.run("%mesh lineage delays/worst.delay")
    assert {edge.source.rpartition(".")[2] for edge in found.upstream} == {"delay", "origin"}
    assert found.downstream == ()
    shown = notebook.shown(found)
    html = shown["text/html"]
    picture = base64.b64decode(html.partition("image/svg+xml;base64,")[2].partition('"')[0])
    names = {text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text")}
    assert {"delays/worst.delay", "../flights.csv.delay"} <= names, names
    assert "<svg" not in html, "a notebook that is not trusted yet would show its words in a heap"
    assert "delays/worst.delay" in shown["text/plain"]
    event = notebook.run("%mesh lineage delays --format openlineage")
    facet = event["outputs"][0]["facets"]["columnLineage"]
    assert set(facet["fields"]) == {"origin", "delay"}
    assert notebook.run("%mesh lineage bundle --format json")["upstream"]
    with pytest.raises(UnknownName, match="delay"):
        notebook.run("%mesh lineage delays/worst.delaay")


def test_downstream_names_what_is_made_of_a_column(notebook):
    test_columns_are_traced_to_the_source_and_nothing_else(notebook)
    for line in (
        "%mesh product worst-of-all --domain travel --owner ops --purpose Worst",
        "%mesh connect delays --as delays",
        "one = delays.select(pl.col('delay').max())",
        "%mesh output one one",
        "%mesh export other",
        "%mesh deploy other",
    ):
        notebook.run(line)
    found = notebook.run("%mesh lineage delays/worst.delay")
    assert {edge.target for edge in found.downstream} == {"worst-of-all/one.delay"}
    assert notebook.run("%mesh lineage delays/worst.origin").downstream == ()
