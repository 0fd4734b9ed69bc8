"""Listeners that are measured as a deployment measures them, and all that is said of them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from bundles import contract, write_bundle
from listeners import ADDRESS, COLUMNS, Listeners

import mesh_notebook
from mesh_notebook.deploy.gates import Measured
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.publishing import publish
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import Access, PortPolicy, RowFilter
from mesh_notebook.surfaces.display import Formatters

STAND_IN = Access(roles=("analyst",), stand_in=True)
GERMANS = RowFilter("country = 'DE'", ("privacy-officer",))
COUNTRIES = [("DE", 6), ("FR", 3), ("IT", 1)]
# 1,000 listeners; what is in capitals or beyond 900 must not be seen where it is masked or hidden.
ROWS = pl.DataFrame(
    {
        "user": [f"u{n}" for n in range(1_000)],
        "email": [None if n % 8 == 0 else f"SECRET{n}@example.org" for n in range(1_000)],
        "age": [7_000_000 + n % 60 for n in range(1_000)],
        "country": [c for n in range(100) for c, many in COUNTRIES for _ in range(many)],
        "day": [date(2026, 1, 1) + timedelta(n % 90) for n in range(1_000)],
        "minutes": [None if n % 4 == 0 else (n % 97) ** 1.5 for n in range(1_000)],
    }
)


def shown(value: Any) -> str:
    """Return what a notebook shows of a result."""
    return "\n".join((Formatters(None, None).bundle(value) or {}).values())  # type: ignore[arg-type]


class Published(Listeners):
    """The listeners, published as a deployment publishes them: measured, too."""

    def publish(self, rows: pl.DataFrame = ROWS, policy: PortPolicy | None = None) -> Any:
        if policy is not None or not self.minor:
            self.minor += 1
            made = contract(
                COLUMNS,
                id=f"{ADDRESS}:listeners:1",
                key=("user",),
            )
            promised = [
                {"property": "freshness", "value": 1, "unit": "d", "element": "listeners.day"},
                {"property": "lag_p95", "value": 1, "unit": "d"},
            ]
            self.made = write_bundle(
                self.folder / "bundle",
                address=ADDRESS,
                version=f"1.{self.minor}.0",
                ports={"listeners": type(made)({**made.raw, "slaProperties": promised})},
                inputs=(),
                temporality={"kind": self.kind},
                policies=[policy] if policy else [],
            )
        bundle = Bundle(self.made)
        contracts = {"listeners": bundle.contract("listeners")}
        there = PublishedProduct.at(place_of(self.root), bundle.product.address)
        now = self.clock()
        told = Measured.of({"listeners": rows}, bundle.product, contracts, there, Origin.LIVE, now)
        return publish(
            *(self.root, bundle, {"listeners": rows}),
            status="active",
            origin=Origin.LIVE,
            inputs=(),
            slos=told.slos,
            shapes=told.shapes,
            engine={},
            principal="ana",
            clock=self.clock,
            measured=now,
        ).receipt

    @property
    def mesh(self) -> Any:
        mesh = mesh_notebook.open(self.root)
        mesh.clock = lambda: datetime(2026, 6, 2, tzinfo=UTC)
        return mesh

    def said(self) -> str:
        """Return all that anybody may read of the port without reading a row."""
        mesh, formats = self.mesh, ("text", "html", "markdown", "json", "jsonld")
        described = [mesh.describe("listeners", format) for format in formats]
        seen = [d if isinstance(d, str) else json.dumps(d, default=str) for d in described]
        seen += [shown(mesh.describe("listeners")), shown(mesh.status("listeners"))]
        return "\n".join([*seen, repr(mesh.status("listeners")), shown(mesh.history("listeners"))])

    def receipts(self) -> str:
        return "\n".join(p.read_text() for p in self.root.glob("*/*/publications/*.json"))


def contract_of(listeners: Published) -> Any:
    return Bundle(listeners.made).contract("listeners")


def shape(receipt: Any) -> Any:
    return receipt.ports["listeners"].shape


def slos(receipt: Any) -> Any:
    return receipt.ports["listeners"].slos
