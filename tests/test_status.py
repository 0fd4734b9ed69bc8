"""The status of one product, and of a whole mesh, for people and for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import contract, opener, write_bundle
from typer.testing import CliRunner

from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.mesh.retention import retain
from mesh_notebook.surfaces import registered  # noqa: F401
from mesh_notebook.surfaces.as_json import json_of
from mesh_notebook.surfaces.panel import as_text
from mesh_notebook.surfaces.panels import panel_of
from mesh_notebook.workspace import Workspace

MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)
FRESH = {"id": "fresh", "property": "freshness", "value": 1, "unit": "d"}
DAILY = {"id": "interval", "property": "frequency", "value": 25, "unit": "h"}
EVENTS = {"id": "e", "property": "freshness", "value": 2, "unit": "d", "element": "daily.day"}
ROWS = pl.DataFrame({"airport": ["JFK"], "day": [date(2026, 3, 1)], "delay": [9.0]})


class Mesh:
    """A mesh whose clock stands still until it is set."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.now = folder, folder / "mesh", MONDAY
        self.open = Workspace([self.root], "bo", clock=self.clock)

    def clock(self) -> datetime:
        return self.now

    def after(self, **time: float) -> Mesh:
        self.now += timedelta(**time)
        return self

    def deploy(self, name: str, *slos: dict[str, Any], rows: pl.DataFrame = ROWS) -> Any:
        address = f"urn:dmesh:local:travel:{name}"
        made = contract(id=f"{address}:daily:1")
        made.raw["slaProperties"] = list(slos)
        bundle = write_bundle(
            self.folder / name,
            address=address,
            ports={"daily": made},
            transform="def daily(flights):\n    return flights\n",
        )
        told = (bundle, self.root, opener({"flights": rows}))
        return deploy(*told, principal="ana", clock=self.clock)

    def kept(self, name: str) -> dict[str, bool | None]:
        (port,) = self.open.status(name).ports
        return {track.now.name: track.now.kept for track in port.tracks}


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    return Mesh(tmp_path)


def shown(answer: Any) -> str:
    return " ".join(as_text(panel_of(answer)).split())


def test_freshness_counts_from_the_last_time_that_nothing_new_was_found(mesh):
    mesh.deploy("delays", FRESH, DAILY)
    assert mesh.after(days=2).kept("delays") == {"freshness": False, "interval": False}
    assert mesh.deploy("delays", FRESH, DAILY).unchanged
    assert mesh.after(hours=20).kept("delays") == {"freshness": True, "interval": True}
    status = mesh.open.status("delays")
    assert "found unchanged 20 h ago" in shown(status)
    assert json_of(status)["snapshots"][-1]["verified"] == "2026-03-04T06:00:00.000000Z"
    (fresh, _) = mesh.after(hours=5).open.status("delays").ports[0].tracks
    assert (fresh.now.kept, fresh.since) == (False, "2026-03-05T06:00:00.000000Z")
    # The next publication comes an hour after that, and not after three days.
    mesh.deploy("delays", FRESH, DAILY, rows=ROWS.with_columns(delay=pl.lit(1.0)))
    assert mesh.kept("delays") == {"freshness": True, "interval": True}


def test_events_are_no_fresher_for_being_looked_at_and_the_advice_says_so(mesh):
    mesh.deploy("delays", EVENTS)
    late = mesh.after(days=3).open.status("delays")
    assert "once its inputs have newer events: %mesh deploy DIR" in shown(late)
    mesh.deploy("delays", EVENTS)
    assert mesh.kept("delays") == {"freshness.day": False}
    said = shown(mesh.open.status("delays"))
    assert "its inputs have nothing newer. %mesh lineage delays" in said
    assert "%mesh deploy DIR" not in said


def test_what_was_let_go_is_not_said_to_come_back_by_deploying(mesh):
    kept = {"id": "retention", "property": "retention", "value": 30, "unit": "d"}
    slos = (kept, FRESH)
    for day in range(3):
        rows = ROWS.with_columns(day=pl.lit(date(2026, 3, 1 + day)))
        mesh.after(days=1).deploy("delays", *slos, rows=rows)
        mesh.deploy("delays", *slos, rows=rows)
    published, _ = mesh.open.catalogue.resolve("delays")
    retain(mesh.open.catalogue, published, keep=1, older_than=None, now=mesh.now)
    mesh.deploy("delays", *slos)
    assert mesh.kept("delays") == {"retention": False, "freshness": True}
    assert "promise less" in shown(mesh.open.status("delays"))
    noted = (mesh.root / "travel" / "delays" / "verified").iterdir()
    assert [path.name[:12] for path in noted] == ["000000000003"], (
        "what was noted of others is gone with them"
    )


def test_a_mesh_is_told_product_by_product_the_broken_ones_first(mesh):
    mesh.deploy("arrivals", FRESH)
    mesh.deploy("silent")
    mesh.after(days=2).deploy("late", FRESH)
    found = mesh.open.status()
    assert [one.product.name for one in found.products] == ["arrivals", "late", "silent"]
    said = shown(found)
    assert "status of 3 products [1 broken]" in said
    assert "daily: freshness" in said
    assert "no promises" in said
    told = json_of(found)
    assert told["broken"] == [
        {
            "product": "urn:dmesh:local:travel:arrivals",
            "port": "daily",
            "promise": "freshness",
            "broken_since": "2026-03-03T06:00:00.000000Z",
        }
    ]


def test_a_product_that_cannot_be_read_is_named_beside_the_others(mesh):
    mesh.deploy("arrivals", FRESH)
    mesh.deploy("late", FRESH)
    (mesh.root / "travel/late/publications/000000000001.json").write_text("{")
    found = mesh.open.status(check=True)
    assert [one.product.name for one in found.products] == ["arrivals"]
    assert [address for address, _ in found.unread] == ["urn:dmesh:local:travel:late"]
    assert found.failed


def test_a_shell_ends_with_exit_code_1_where_a_promise_is_broken(mesh):
    from mesh_notebook.surfaces.cli import app

    def code(*words: str) -> int:
        return CliRunner().invoke(app, ["--root", str(mesh.root), "status", *words]).exit_code

    mesh.deploy("lasting", {**FRESH, "value": 9_000})
    assert [code(), code("lasting", "--check"), code("--check")] == [0, 0, 0]
    mesh.deploy("delays", FRESH)  # in the past of the clock that a shell has
    assert [code(), code("delays"), code("lasting", "--check")] == [0, 0, 0]
    assert [code("delays", "--check"), code("--check"), code("--check", "--json")] == [1, 1, 1]


def test_an_empty_mesh_passes_no_check(tmp_path):
    command = [sys.executable, "-m", "mesh_notebook", "--root", str(tmp_path / "none"), "status"]
    plain = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (plain.returncode, "MESH_ROOTS" in plain.stdout) == (0, True)
    checked = subprocess.run([*command, "--check", "--json"], capture_output=True, check=False)
    assert (checked.returncode, json.loads(checked.stdout)["products"]) == (1, [])
