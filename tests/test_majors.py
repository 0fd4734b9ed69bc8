"""Two major versions of one product, served beside each other until consumers have moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from bundles import COLUMNS, Clock, contract, deployed, write_bundle

import mesh_notebook
from mesh_notebook.errors import NoSnapshot, StoreError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.model.document import parse_yaml, to_yaml
from mesh_notebook.model.policy import Mask, PortPolicy
from mesh_notebook.model.time import Window

WIDE = {**COLUMNS, "carrier": "VARCHAR"}
SAME = "def daily(flights):\n    return flights\n"


def flights(*delays: float, **more: str) -> pl.DataFrame:
    many = len(delays)
    frame = pl.DataFrame(
        {"airport": ["JFK"] * many, "day": [date(2026, 1, 1)] * many, "delay": [*delays]}
    )
    return frame.with_columns(**{name: pl.lit(value) for name, value in more.items()})


class Versions:
    """A product whose version 2 calls the delay `late`, which breaks who reads version 1."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "mesh"
        self.clock = Clock(datetime(2026, 1, 2, tzinfo=UTC))

    def one(self, delay: float, version: str = "1.0.0", policies=()) -> int:
        return self._deploy(version, COLUMNS, flights(delay), policies)

    def two(self, delay: float, version: str = "2.0.0", policies=()) -> int:
        frame = flights(delay).rename({"delay": "late"})
        columns = {"airport": "VARCHAR", "day": "DATE", "late": "DOUBLE"}
        return self._deploy(version, columns, frame, policies)

    def _deploy(self, version: str, columns: dict, frame: pl.DataFrame, policies) -> int:
        address = "urn:dmesh:local:travel:airport-delays"
        made = contract(columns, id=f"{address}:daily:{version[0]}")
        bundle = write_bundle(
            self.folder / f"v{version}",
            version=version,
            ports={"daily": made},
            transform=SAME,
            policies=policies,
        )
        return deployed(bundle, self.root, self.clock, flights=frame).receipt.snapshot

    def read(self, major: str | None = None, as_of: datetime | None = None) -> pl.DataFrame:
        published, _ = Catalogue([self.root]).resolve("airport-delays")
        window = Window(as_of=as_of)
        return read_port(published, "daily", window, "bo", major).frame.collect()

    def consumer(self, name: str = "late", major: str | None = "1") -> Path:
        column = "delay" if major != "2" else "late"
        columns = {"airport": "VARCHAR", "day": "DATE", column: "DOUBLE"}
        bundle = write_bundle(
            self.folder / name,
            address=f"urn:dmesh:local:travel:{name}",
            ports={"worst": contract(columns, id=f"urn:dmesh:local:travel:{name}:worst:1")},
            inputs=(),
            transform="def worst(daily):\n    return daily\n",
        )
        path = bundle / "product.odps.yaml"
        product = parse_yaml(path.read_text(), "product")
        of = "urn:dmesh:local:travel:airport-delays:daily"
        recipe = {"kind": "port", "address": of, "major": major}
        product["inputPorts"] = [
            {
                "name": "daily",
                "version": "1.0.0",
                "contractId": f"{of}:1",
                "customProperties": [{"property": "input", "value": recipe}],
            }
        ]
        path.write_text(to_yaml(product))
        return bundle


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path)


def test_what_is_connected_names_its_major_and_keeps_to_it(versions):
    versions.one(10.0)
    mesh = mesh_notebook.open(versions.root)
    mesh.connect("airport-delays", name="daily")
    assert mesh.inputs["daily"].handle.recipe["major"] == "1"
    versions.two(20.0)
    again = mesh.use("daily", "live").collect()
    assert again["delay"].to_list() == [10.0]


def test_a_consumer_of_the_old_major_keeps_reading_it(versions):
    versions.one(10.0)
    mesh = mesh_notebook.open(versions.root)
    bundle = versions.consumer()
    mesh.deploy(bundle)
    versions.two(20.0)
    versions.one(11.0, "1.0.1")
    mesh.deploy(bundle)
    assert mesh.port("late").lazy().collect()["delay"].to_list() == [11.0]


def test_both_majors_are_published_and_do_not_disturb_one_another(versions):
    assert [versions.one(10.0), versions.two(20.0), versions.one(11.0, "1.1.0")] == [1, 2, 3]
    assert versions.read("1")["delay"].to_list() == [11.0]
    assert versions.read("2")["late"].to_list() == [20.0]
    assert versions.read()["late"].to_list() == [20.0], "the newest major is what is meant"
    versions.two(21.0, "2.0.0")
    assert versions.read("1")["delay"].to_list() == [11.0]
    assert versions.read("2")["late"].to_list() == [21.0]


def test_the_same_bundle_of_the_old_major_is_unchanged_also_beside_a_newer_one(versions):
    versions.one(10.0)
    versions.two(20.0)
    assert versions.one(10.0) == 1


def test_an_instant_means_the_major_of_then_and_an_unknown_major_is_an_error(versions):
    versions.one(10.0)
    then = versions.clock.now + timedelta(seconds=1)
    versions.two(20.0)
    assert "delay" in versions.read(as_of=then).columns
    with pytest.raises(NoSnapshot, match="major version 2"):
        versions.read("2", then)
    with pytest.raises(NoSnapshot, match="major version 7"):
        versions.read("7")


MASK = PortPolicy("daily", masks=(Mask("airport", "redact"),))


def test_the_policy_of_now_holds_for_both_majors(versions):
    versions.one(10.0)
    versions.two(20.0, policies=(MASK,))
    assert versions.read("1")["airport"].to_list() == [None]
    assert versions.read("2")["airport"].to_list() != ["JFK"]


def test_a_later_publication_of_the_old_major_loosens_nothing(versions):
    versions.one(10.0)
    versions.two(20.0, policies=(MASK,))
    versions.one(11.0, "1.0.1")
    assert versions.read("2")["airport"].to_list() != ["JFK"]
    assert versions.read("1")["airport"].to_list() != ["JFK"]


def test_the_old_major_is_not_let_go_while_a_consumer_stands_on_it(versions):
    versions.one(10.0)
    mesh = mesh_notebook.open(versions.root)
    mesh.deploy(versions.consumer())
    versions.two(20.0)
    with pytest.raises(StoreError, match="late, snapshot 1"):
        mesh.retain("airport-delays", keep=1)
    assert versions.read("1")["delay"].to_list() == [10.0]


def test_status_describe_and_connect_tell_of_the_other_major_and_who_reads_it(versions):
    from mesh_notebook.surfaces import registered  # noqa: F401
    from mesh_notebook.surfaces.panel import as_text
    from mesh_notebook.surfaces.panels import panel_of

    versions.one(10.0)
    mesh = mesh_notebook.open(versions.root)
    mesh.connect("airport-delays", name="daily")
    mesh.deploy(versions.consumer())
    versions.two(20.0)
    says = "The older major version 1 is served beside it (1.0.0, snapshot 1): read by late."
    assert mesh.status("airport-delays").majors == (says,)
    assert says in mesh.describe("airport-delays", "text").replace("\n", " ")
    card = as_text(panel_of(mesh.inputs["daily"]))
    assert "version 2.0.0 is served beside it" in card
