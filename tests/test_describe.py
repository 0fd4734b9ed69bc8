"""Describing a product: what its discovery port says, of which moment, in which format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bundles import Clock, write_bundle
from describing import DELAYS, FLIGHTS, SOURCE, published_from, with_shape, write_delays

import mesh_notebook
from mesh_notebook.errors import NoSnapshot, StoreError, UnknownPort, UsageError
from mesh_notebook.surfaces.verbs import find
from mesh_notebook.workspace.discovery import describing
from mesh_notebook.workspace.discovery.formats import FORMATS

MESH = Path(sys.executable).parent / "mesh"
# What every format must say, however it looks.
SAID = (
    "airport-delays",
    "How late planes leave.",
    "punctuality",
    "Ana",
    "urn:dmesh:local:travel:airport-delays",
    "One row for each airport and day",
    "events",
    "airport",
    "Mean minutes late",
    "freshness",
    "93.75 %",
    "flights.parquet",
    "late-airports",
    "analyst",
    "may be read by controller",
    "may be read for planning",
    "has a synthetic stand-in",
    "delays@acme.example",
    "https://acme.example/delays",
    "1.0.0",
    "1.1.0",
)


@pytest.fixture
def mesh(delays):
    return delays


def shown(made: object) -> str:
    return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False)


# ---- what is said -----------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["text", "html", "json", "markdown"])
@pytest.mark.parametrize("fact", SAID)
def test_each_format_says_all_that_is_known(mesh, format, fact):
    assert fact in shown(mesh.describe("airport-delays", format))


@pytest.mark.parametrize("format", FORMATS)
def test_no_format_shows_a_value_of_a_personal_column(mesh, format):
    said = shown(mesh.describe("airport-delays", format))
    assert "Who reported it" in said
    assert "Ada" not in said


def test_a_promise_is_told_as_it_stands_now_and_as_it_was_at_publication(mesh):
    freshness, completeness = mesh.describe("airport-delays").ports[0].promises
    assert freshness.at_publication.measured == "published now"
    assert "ago" in freshness.now.measured
    assert (completeness.now.kept, completeness.at_publication.kept) == (False, False)


def test_a_promise_that_grew_too_old_is_broken_now_though_it_was_kept_then(mesh):
    mesh.clock.now = mesh.clock.now.replace(year=2027)
    promise = mesh.describe("airport-delays").ports[0].promises[0]
    assert (promise.now.kept, promise.at_publication.kept) == (False, True)


def test_whom_a_product_is_read_by_is_found_in_the_mesh(mesh):
    (reader,) = mesh.describe("airport-delays").consumers
    assert (reader.address.short, reader.port, reader.snapshot) == ("late-airports", "daily", "2")


def test_an_input_that_went_on_says_how_far(mesh):
    (read,) = mesh.describe("late-airports").upstream
    assert (read.pin.version, read.latest) == ("2", 3)
    assert "snapshot 2 (the last is 3)" in mesh.describe("late-airports", "text")


def test_releases_say_which_snapshots_they_published(mesh):
    releases = mesh.describe("airport-delays").releases
    assert [(r.version, r.first, r.last, r.count) for r in releases] == [
        ("1.1.0", 3, 3, 1),
        ("1.0.0", 1, 2, 2),
    ]


def test_a_shape_that_was_not_measured_is_said_to_be_so(tmp_path, monkeypatch):
    root = tmp_path / "mesh"
    published_from(write_delays(tmp_path / "bundle"), root, Clock(), SOURCE)
    with_shape(root, {})
    mesh = mesh_notebook.open(root, "cleo")
    mesh.grant("cleo", "controller")
    monkeypatch.setenv("MESH_PURPOSE", "planning")
    for format in ("text", "html", "markdown"):
        assert "not measured" in mesh.describe("airport-delays", format)
    assert mesh.describe("airport-delays", "json")["ports"][0]["columns"][0]["shape"] is None


def test_a_product_that_says_little_is_described_without_invention(tmp_path):
    root = tmp_path / "mesh"
    bundle = write_bundle(tmp_path / "b", purpose="", inputs=("flights",))
    published_from(bundle, root, Clock(), SOURCE, FLIGHTS.drop("agent"))
    text = mesh_notebook.open(root).describe("airport-delays", "text")
    for honest in (
        "nobody named",
        "Neither a role nor a channel",
        f"Whoever may read the folder {root}",
        "none stated",
        "it has no SLOs",
        "No product of this mesh reads it",
        "name no documents",
    ):
        assert honest in " ".join(text.split())


def test_what_cannot_be_read_is_said_and_not_passed_over(mesh):
    (root,) = mesh.roots
    (root / "travel/late-airports/publications/000000000001.json").write_text("{}")
    (root / "travel/airport-delays/publications/000000000001.json").write_text("{}")
    described = mesh.describe("airport-delays")
    assert described.unread == ("urn:dmesh:local:travel:late-airports",)
    assert (described.snapshots, described.damaged) == (3, 1)
    assert "cannot be read" in mesh.describe("airport-delays", "html")


def test_of_many_snapshots_only_the_last_are_looked_at_and_it_says_so(mesh, monkeypatch):
    monkeypatch.setattr(describing, "LOOK_BACK", 2)
    described = mesh.describe("airport-delays")
    assert [(r.version, r.count) for r in described.releases] == [("1.1.0", 1), ("1.0.0", 1)]
    assert "of the last 2 of 3 snapshots" in mesh.describe("airport-delays", "text")


def test_a_name_that_two_products_bear_is_told_with_its_domain(mesh, tmp_path):
    other = write_delays(tmp_path / "other", address="urn:dmesh:local:trains:airport-delays")
    published_from(other, mesh.roots[0], Clock(), SOURCE)
    lines = dict(mesh.describe("travel/airport-delays").lines)
    assert lines["notebook"] == "%mesh connect travel/airport-delays"


# ---- as of when -------------------------------------------------------------------------------


def test_a_product_is_described_as_it_was_known_then(mesh):
    first = mesh.describe("airport-delays", as_of="2026-01-01T00:05:00Z")
    assert (first.receipt.snapshot, first.product.version) == (1, "1.0.0")
    assert (first.snapshots, first.consumers, len(first.releases)) == (1, (), 1)
    assert first.ports[0].promises[0].now.measured == "published 60 s ago"


def test_before_the_first_snapshot_there_is_nothing_to_describe(mesh):
    with pytest.raises(NoSnapshot, match="its first is 1"):
        mesh.describe("airport-delays", as_of="2025-12-31")


def test_one_port_is_described_by_its_name_and_an_unknown_one_refused(mesh):
    assert [p.name for p in mesh.describe("airport-delays/daily").ports] == ["daily"]
    with pytest.raises(UnknownPort):
        mesh.describe("airport-delays/dayly")


# ---- formats and files ------------------------------------------------------------------------


def test_the_verb_offers_exactly_the_formats_that_there_are():
    (argument,) = (a for a in find("describe").arguments if a.name == "format")
    assert argument.choices == tuple(FORMATS)


def test_the_keys_of_the_json_stay(mesh):
    said = mesh.describe("airport-delays", "json")
    port = said["ports"][0]
    assert list(said) == [
        *("address", "name", "domain", "purpose", "owner", "team", "tags", "version", "status"),
        *("origin", "told_at", "ports", "lineage", "access", "documents", "releases"),
        *("snapshots", "product", "contracts", "snapshot"),
    ]
    assert list(port) == [
        *("address", "name", "description", "kind", "modes", "rows", "key", "event_time"),
        *("interval", "covers", "news", "rules", "policies", "stand_in", "columns", "promises"),
    ]
    assert list(port["columns"][0]) == [
        *("name", "type", "logical_type", "meaning", "required", "unique", "key", "personal"),
        *("link", "rules", "mask", "shape"),
    ]
    assert list(port["promises"][0]) == [
        *("property", "value", "unit", "element", "promised", "now", "at_publication"),
    ]
    assert list(said["lineage"]) == ["upstream", "downstream", "unread"]
    assert list(said["access"]) == ["said", "root", "roles", "channels", "connect"]
    assert list(said["snapshots"]) == ["count", "first", "last", "looked_back", "damaged"]


def test_the_keys_of_the_json_are_documented(mesh):
    from mesh_notebook.workspace.discovery import json as format

    said = mesh.describe("airport-delays", "json")
    for key in (*said, *said["ports"][0], *said["ports"][0]["columns"][0]):
        assert f"`{key}`" in format.__doc__


def test_json_holds_no_number_that_is_none(mesh):
    from mesh_notebook.workspace.discovery.json import plain

    assert plain([float("inf"), float("nan"), 1.5]) == ["Infinity", "NaN", 1.5]
    json.dumps(mesh.describe("airport-delays", json=True), allow_nan=False)


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("card.html", "<!doctype html>"),
        ("card.md", "# airport-delays"),
        ("card.txt", "airport-delays"),
        ("card.json", "{"),
        ("card.jsonld", '{\n  "@context"'),
    ],
)
def test_the_ending_of_the_file_says_the_format(mesh, tmp_path, name, begins):
    done = mesh.describe("airport-delays", out=tmp_path / name)
    assert (tmp_path / name).read_text().startswith(begins)
    assert done.path.name == name


def test_a_file_is_written_whole_or_not_at_all(mesh, tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        mesh.describe("airport-delays", out=tmp_path / "nowhere" / "card.html")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "card.html").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        mesh.describe("airport-delays", out=tmp_path / "out" / "card.html")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["card.html"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"format": "yaml"}, "text, html, json, jsonld, markdown"),
        ({"format": "jsnold"}, "did you mean jsonld"),
        ({"format": "html", "json": True}, "give one of them"),
        ({"out": "card.pdf"}, "add --format"),
    ],
)
def test_a_format_that_is_none_is_refused_before_anything_is_read(tmp_path, given, named):
    with pytest.raises(UsageError, match=named):
        mesh_notebook.open(tmp_path / "nowhere").describe("airport-delays", **given)


def test_the_command_line_gives_each_format(mesh, tmp_path):
    def run(*words: str) -> str:
        environment = {k: v for k, v in os.environ.items() if k != "MESH_DEBUG"}
        command = [MESH, "--root", str(mesh.roots[0]), "describe", "airport-delays", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert run().startswith("airport-delays\n")
    assert json.loads(run("--format", "jsonld"))["@context"]["dprod"]
    assert json.loads(run("--json"))["name"] == "airport-delays"
    assert "wrote card.html" in run("--as-of", "2026-01-01T00:04:00Z", "--out", "card.html")
    assert "1.1.0" not in (tmp_path / "card.html").read_text()


def test_a_notebook_shows_a_card_and_the_same_in_text(published, shell):
    bundle = shell.shown(shell.run("%mesh describe airport-delays"))
    assert '<article class="mesh-card">' in bundle["text/html"]
    assert "output port daily" in bundle["text/plain"]
    named = shell.run("%mesh describe airport-delays --format markdown")
    assert named.startswith("# airport-delays")
    assert shell.run("%mesh describe airport-delays --json")["address"] == (
        DELAYS.replace("travel", "analytics")
    )


def test_the_browser_shows_the_card_too(published, shell):
    box = shell.run("%mesh browse airport-delays")
    assert "mesh-card" in box.children[1].value
