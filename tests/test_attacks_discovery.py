"""What the discovery port, receipts and contracts tell of values that a port hides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from bundles import contract, deployed, write_bundle
from test_attacks import ADDRESS, COLUMNS, HIDDEN, MASKED, POLICY, ROWS, Guests, leaked, text_of

import mesh_notebook
from mesh_notebook.model.policy import PortPolicy

pytestmark = pytest.mark.attacks

TRANSFORM = "def guests(rows):\n    return rows\n"


class Deployed(Guests):
    """The same product, deployed: checked, measured, and its shape kept."""

    def deploy(self, rows: pl.DataFrame = ROWS, policy: PortPolicy | None = None) -> Any:
        self.minor += 1
        key = ("guest",)
        told = contract(COLUMNS, id=f"{ADDRESS}:guests:1", key=key, event_time="at")
        made = write_bundle(
            self.folder / "bundle",
            address=ADDRESS,
            version=f"1.{self.minor}.0",
            ports={"guests": told},
            inputs=("rows",),
            transform=TRANSFORM,
            temporality=self.temporality,
            policies=[policy] if policy else [],
        )
        return deployed(made, self.root, self.clock, rows=rows).receipt

    @property
    def mesh(self) -> Any:
        mesh = mesh_notebook.open(self.root, principal="bo")
        mesh.clock = lambda: datetime(2027, 1, 1, tzinfo=UTC)
        return mesh


@pytest.fixture(params=["snapshot", "log"])
def guests(tmp_path, request):
    return Deployed(tmp_path, request.param)


def told(guests: Deployed) -> dict[str, str]:
    """Return all that discovery tells somebody without a role."""
    mesh = guests.mesh
    formats = ("text", "html", "json", "jsonld", "markdown")
    receipts = guests.product.folder / "publications"
    return {
        **{f"describe as {form}": text_of(mesh.describe("guests", form)) for form in formats},
        "status": repr(mesh.status("guests")),
        "history": repr(mesh.history("guests")),
        "search": repr(mesh.search("guests")),
        "the receipts": "".join((receipts / n).read().decode() for n in receipts.entries()),
    }


SAYS = ["describe as json", "status", "history", "search", "the receipts"]
SAYS += [f"describe as {form}" for form in ("text", "html", "jsonld", "markdown")]


@pytest.mark.parametrize("where", SAYS)
def test_nothing_that_discovery_says_holds_a_hidden_value(where, guests):
    guests.deploy(policy=POLICY)
    assert not leaked(told(guests)[where], MASKED + HIDDEN)


def test_it_would_say_some_of_what_is_not_hidden(guests):
    guests.deploy()
    said = told(guests)
    assert leaked(said["the receipts"], MASKED + HIDDEN)
    assert leaked(said["describe as json"], MASKED + HIDDEN)


def test_a_shape_of_before_the_mask_is_told_no_more(guests):
    guests.deploy()
    guests.deploy(policy=POLICY)
    said = told(guests)
    assert not leaked([said[where] for where in SAYS if "describe" in where], MASKED + HIDDEN)


def measured(guests: Deployed, minute: int, policy: PortPolicy | None) -> str:
    """Return what is measured of one guest that came at such a minute, as it is published."""
    one = ROWS.head(1).with_columns(at=pl.lit(datetime(2026, 3, 1, 9, minute, tzinfo=UTC)))
    one = one.with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
    port = guests.deploy(one, policy).ports["guests"]
    return json.dumps([port.slos, port.shape], sort_keys=True, default=str)


@pytest.mark.parametrize("before", [None, POLICY])
@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_no_measurement_is_finer_than_the_mask(tmp_path, kind, before):
    def twice(policy: PortPolicy | None) -> set[str]:
        said = set()
        for minute in (5, 55):
            made = Deployed(tmp_path / f"{kind}{minute}{bool(policy)}", kind)
            made.folder.mkdir(exist_ok=True)
            made.deploy(ROWS.tail(1), policy and before)
            said.add(measured(made, minute, policy))
        return said

    assert len(twice(None)) == 2
    assert len(twice(POLICY)) == 1


@pytest.mark.parametrize("count", [1, 3])
def test_the_count_of_rows_is_kept_in_receipts_and_told_to_those_who_see_all(guests, count):
    """Who reads the files of a mesh sees it: a limit, not a promise."""
    guests.deploy(ROWS.head(count), POLICY)
    assert guests.product.latest().ports["guests"].rows == count
    (told,) = guests.mesh.history("guests").receipts
    assert told.ports["guests"].rows is None
