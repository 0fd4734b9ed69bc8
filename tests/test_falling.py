"""Rows that fall to none, or nearly: refused whoever deploys, unless it is said that they may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import Clock, contract, opener, published, write_bundle

import mesh_notebook
from mesh_notebook.deploy.deploying import Deployed, deploy
from mesh_notebook.deploy.falling import refuse_fallen
from mesh_notebook.deploy.planning import Options
from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.inputs import EventWindow, OpenedInput
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import InputPin
from mesh_notebook.surfaces import registered  # noqa: F401
from mesh_notebook.surfaces.panel import as_text
from mesh_notebook.surfaces.panels import panel_of

DAYS = [date(2026, month, 1) for month in range(1, 13)]


class Flights:
    """A product of flights as they come, deployed again and again."""

    def __init__(self, folder: Path, root: Any = None, **temporality: str) -> None:
        self.root, self.clock = root or folder / "mesh", Clock()
        made = contract(key=("airport",))
        made.raw["slaProperties"] = [
            {"id": "complete", "property": "completeness", "value": 0.9, "unit": "percent"}
        ]
        self.folder = write_bundle(
            folder / "flights",
            ports={"daily": made},
            transform="def daily(flights):\n    return flights\n",
            temporality=temporality or None,
        )
        self.bundle = Bundle(self.folder)

    def rows(self, many: int, month: int = 1) -> pl.DataFrame:
        schema = {"airport": pl.String, "day": pl.Date, "delay": pl.Float64}
        columns = {
            "airport": [f"A{n}" for n in range(many)],
            "day": [DAYS[month - 1]] * many,
            "delay": [float(n) for n in range(many)],
        }
        return pl.DataFrame(columns, schema=schema)

    def before(self, *counts: int, origin: Origin = Origin.LIVE, month: int | None = None) -> None:
        """Publish pictures of so many rows, of one month after the other or of one."""
        for number, many in enumerate(counts, 1):
            of = month or number
            moment = datetime(2026, of, 1, tzinfo=UTC)
            when = moment if self.bundle.product.output(None).temporality.get("interval") else None
            rows = self.rows(many, of)
            published(self.bundle, self.root, self.clock, origin=origin, interval=when, daily=rows)

    def deploy(self, many: int, **options: Any) -> Deployed:
        inputs = opener({"flights": self.rows(many)})
        told = {"principal": "ana", "clock": self.clock, "options": Options(**options)}
        return deploy(self.folder, self.root, inputs, **told)

    def held(self, many: int, month: int = 1, opened: Any = None, **options: Any) -> str:
        """Return what would be let pass, or raise: what `deploy` asks once it has the rows."""
        interval = datetime(2026, month, 1, tzinfo=UTC)
        given = Options(interval=interval, **options)
        product = self.bundle.product
        contracts = {"daily": self.bundle.contract("daily")}
        place = PublishedProduct.at(self.root, product.address)
        told = (product, contracts, {"daily": self.rows(many, month)}, place, Origin.LIVE, given)
        return refuse_fallen(*told, opened or {}).get("daily", "")

    def passes(self, many: int, month: int = 1) -> bool:
        try:
            return not self.held(many, month)
        except DeployRefused:
            return False


@pytest.fixture
def flights(tmp_path: Path) -> Flights:
    return Flights(tmp_path)


def test_rows_that_fall_to_none_are_not_published_day_after_day(flights):
    flights.before(3)
    for _ in range(2):
        with pytest.raises(DeployRefused, match="no rows, where 3 were usual") as told:
            flights.deploy(0)
        assert "--allow-empty" in told.value.next_step
    mesh = mesh_notebook.open(flights.root)
    assert mesh.port("airport-delays").rows() == 3
    assert len(mesh.history("airport-delays").receipts) == 1


def test_on_s3_rows_fall_as_in_a_folder(s3, tmp_path):
    flights = Flights(tmp_path, place_of(f"s3://{s3.name}/mesh"))
    flights.before(30, 30)
    assert not flights.passes(2)
    assert flights.passes(3)


def test_what_is_let_pass_is_in_the_receipt_and_in_what_is_shown(flights):
    flights.before(200)
    done = flights.deploy(0, allow_empty=True)
    assert done.receipt.allowed == {"daily": "no rows, where 200 were usual"}
    assert "completeness" not in done.receipt.ports["daily"].slos
    (verdict,) = done.slos["daily"]
    assert (verdict.kept, verdict.measured) == (None, "not known: no rows")
    shown = as_text(panel_of(done))
    assert "no rows, where 200 were usual" in shown
    assert "100" not in shown
    status = mesh_notebook.open(flights.root).status("airport-delays")
    assert status.ports[0].tracks[0].now.kept is None
    assert "was let pass: no rows" in as_text(panel_of(status))
    described = mesh_notebook.open(flights.root).describe("airport-delays", format="text")
    assert "not known: no rows" in described


def test_a_tenth_of_the_median_of_five_is_the_least_that_passes(flights):
    flights.before(1_000, 9, 100, 110, 90, 100)
    assert flights.passes(10)
    assert not flights.passes(9)
    with pytest.raises(DeployRefused, match="9 rows, where 100 were usual") as told:
        flights.held(9)
    assert told.value.facts["allow"] == "--allow-fewer"
    assert flights.held(9, allow_fewer=True) == "9 rows, where 100 were usual"
    with pytest.raises(DeployRefused):
        flights.held(0, allow_fewer=True)
    assert flights.held(9, allow_empty=True)


@pytest.mark.parametrize(
    ("before", "many", "passes"),
    [
        ([], 0, False),
        ([], 1, True),
        ([3], 1, True),
        ([0], 0, True),
        ([5, 0], 0, True),
        ([0, 0, 0, 0, 2], 0, False),
        ([2, 0, 0, 0, 0], 1, True),
    ],
)
def test_what_counts_as_a_fall(flights, before: Sequence[int], many: int, passes: bool):
    flights.before(*before)
    assert flights.passes(many) is passes


def test_what_was_made_up_says_nothing_of_what_is_usual(flights):
    flights.before(1_000, 1_000, origin=Origin.MOCK)
    assert flights.passes(5)
    assert not flights.passes(0)


def test_a_log_that_has_no_news_is_no_fall(tmp_path):
    log = Flights(tmp_path, kind="log")
    assert not log.passes(0)
    log.before(50)
    assert log.passes(0)
    assert log.passes(1)


@pytest.mark.parametrize(
    ("before", "month", "many", "passes"),
    [
        ([], 1, 0, False),
        ([100, 90], 3, 0, False),
        ([100, 90], 3, 8, False),
        ([100, 90], 3, 9, True),
        ([100, 0], 3, 0, True),
        ([100, 4, 100], 4, 1, True),
        ([100, 90], 1, 9, False),
        ([100, 90], 2, 9, True),
    ],
)
def test_a_picture_of_an_interval_is_held_to_those_before_it(
    tmp_path, before: Sequence[int], month: int, many: int, passes: bool
):
    monthly = Flights(tmp_path, interval="P1M")
    monthly.before(*before)
    assert monthly.passes(many, month) is passes


def test_an_interval_before_all_others_has_nothing_to_be_held_to(tmp_path):
    monthly = Flights(tmp_path, interval="P1M")
    monthly.before(100, month=6)
    assert monthly.passes(0, month=2)
    assert not monthly.passes(0, month=7)


def test_in_a_backfill_an_interval_without_events_is_ordinary(tmp_path):
    monthly = Flights(tmp_path, interval="P1M")
    monthly.before(100, 90)
    march = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    pin = InputPin("flights", "source", "flights", "", Origin.LIVE)

    def read(month: int) -> dict[str, OpenedInput]:
        window = EventWindow("day", *march)
        return {"flights": OpenedInput(monthly.rows(5, month), pin, window)}

    assert monthly.held(0, 3, read(2), backfill=march) == ""
    for opened, backfilled in ((read(3), march), (read(2), None), ({}, march)):
        with pytest.raises(DeployRefused):
            monthly.held(0, 3, opened, backfill=backfilled)


def test_a_plan_binds_a_deployment_to_what_it_lets_pass(flights):
    flights.before(200)
    mesh = mesh_notebook.open(flights.root)
    mesh.opener = lambda asker=None: opener({"flights": flights.rows(0)})
    plan = mesh.plan(flights.folder, allow_empty=True)
    assert "--allow-empty" in as_text(panel_of(plan))
    with pytest.raises(DeployRefused, match="not as planned any more: the options"):
        mesh.deploy(flights.folder, plan=plan.id)
    assert mesh.deploy(flights.folder, plan=plan.id, allow_empty=True).receipt.allowed
