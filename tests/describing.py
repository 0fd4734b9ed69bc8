"""A mesh worth describing: a product with all that the standards can say of it, and its reader."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from bundles import COLUMNS, START, Clock, contract, write_bundle

import mesh_notebook
from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.slos import verdicts
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import to_yaml
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.product import Product
from mesh_notebook.model.receipt import InputPin, PortSnapshot, Receipt
from mesh_notebook.workspace import Workspace
from mesh_notebook.workspace.discovery.described import Described, PortCard, Promise, Upstream
from mesh_notebook.workspace.discovery.describing import releases_of
from mesh_notebook.workspace.discovery.people import people_of

DELAYS = "urn:dmesh:local:travel:airport-delays"
SOURCE = InputPin("flights", "source", "flights.parquet", "f" * 64, Origin.LIVE)
FLIGHTS = pl.DataFrame(
    {
        "airport": ["ZRH", "GVA", "ZRH", "BSL"],
        "day": [date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)],
        "delay": [5.0, 12.0, None, 40.0],
        "agent": ["Ada", "Bo", "Ada", "Cy"],
    }
)
TRANSFORM = "def daily(flights):\n    return flights\n"

SHAPE = {
    "airport": {"nulls": 0.0, "distinct": 3, "top": [["ZRH", 0.5], ["GVA", 0.25], ["BSL", 0.25]]},
    "agent": {"nulls": 0.0, "distinct": 3, "top": [["Ada", 0.5]]},  # as none should be written
    "day": {
        "nulls": 0.0,
        "distinct": 3,
        "min": "2026-01-01",
        "max": "2026-01-03",
        "quantiles": ["2026-01-01", "2026-01-01", "2026-01-02", "2026-01-02", "2026-01-03"],
    },
    "delay": {
        "nulls": 0.25,
        "distinct": 4,
        "min": 5.0,
        "max": 40.0,
        "quantiles": [5.0, 6.0, 12.0, 26.0, 38.0],
        "mean": 19.0,
        "std": 18.5,
    },
}
SAID_OF_THE_PRODUCT: dict[str, Any] = {
    "team": {
        "name": "punctuality",
        "members": [
            {"username": "ana@acme.example", "name": "Ana", "role": "owner"},
            {"username": "old@acme.example", "dateOut": "2020-01-01"},
        ],
    },
    "support": [{"channel": "delays-help", "url": "mailto:delays@acme.example", "tool": "email"}],
    "authoritativeDefinitions": [
        {"type": "videoTutorial", "url": "https://acme.example/delays", "description": "A tour"}
    ],
}
POLICY = {
    "port": "daily",
    "access": {"roles": ["controller"], "purposes": ["planning"], "standIn": True},
}
SAID_OF_THE_CONTRACT: dict[str, Any] = {
    "roles": [{"role": "analyst", "access": "read", "firstLevelApprovers": "Ana"}],
    "slaProperties": [
        {"property": "freshness", "value": 1, "unit": "d"},
        {"property": "completeness", "value": 1},
    ],
    "description": {"purpose": "One row for each airport and day"},
}


def delays_contract(address: str = DELAYS, **said: Any) -> Contract:
    """Return a contract that uses what a contract can say of a column."""
    made = contract(
        {**COLUMNS, "agent": "VARCHAR"},
        id=f"{address}:daily:1",
        key=("airport", "day"),
        airport={
            "description": "The airport's code",
            "authoritativeDefinitions": [
                {"type": "ontology", "url": "urn:dmesh:local:geography:airports:places#code"}
            ],
            "quality": [
                {
                    "metric": "invalidValues",
                    "mustBe": 0,
                    "arguments": {"validValues": ["ZRH", "GVA", "BSL"]},
                }
            ],
        },
        agent={"description": "Who reported it", "classification": "personal"},
        delay={
            "description": "Mean minutes late",
            "logicalTypeOptions": {"minimum": 0, "maximum": 600},
            "quality": [{"id": "few", "metric": "nullValues", "mustBeLessThan": 50}],
        },
    )
    return Contract({**made.raw, **SAID_OF_THE_CONTRACT, **said}).checked()


def write_delays(
    folder: Path, *, version: str = "1.0.0", address: str = DELAYS, **said: Any
) -> Path:
    """Write the bundle of a product that says all that ODPS lets it say."""
    bundle = write_bundle(
        folder,
        address=address,
        version=version,
        ports={"daily": delays_contract(address)},
        tags=("delays", "punctuality"),
        transform=TRANSFORM,
    )
    path = bundle / "product.odps.yaml"
    product = {**yaml.safe_load(path.read_text()), **SAID_OF_THE_PRODUCT, **said}
    product.setdefault("customProperties", []).append({"property": "policies", "value": [POLICY]})
    product["outputPorts"][0]["description"] = "One row for each airport and day"
    product["outputPorts"][0]["customProperties"] = [
        {"property": "outputModes", "value": ["sql", "polars", "parquet", "events"]},
        {
            "property": "temporality",
            "value": {"kind": "snapshot", "eventTime": "day", "interval": "P1Y"},
        },
    ]
    path.write_text(to_yaml({k: v for k, v in product.items() if v is not None}))
    return bundle


def published_from(
    bundle: Path, root: Path, clock: Clock, pin: InputPin, frame: pl.DataFrame = FLIGHTS
) -> None:
    deploy(bundle, root, lambda port, _: OpenedInput(frame, pin), principal="ana", clock=clock)


def with_shape(root: Path, shape: dict[str, Any] = SHAPE) -> None:
    """Write a statistical shape into every receipt, as a publication does."""
    for path in root.glob("*/*/publications/*.json"):
        receipt = json.loads(path.read_text())
        for port in receipt["ports"].values():
            port["shape"] = shape
        path.write_text(json.dumps(receipt))


def publish_delays(folder: Path) -> None:
    """Publish the product three times, in two releases, and a reader of its second snapshot."""
    root, clock = folder / "mesh", Clock()
    bundle = write_delays(folder / "bundle")
    # Other rows, so another pin: what was made of the same ones is not made again.
    published_from(bundle, root, clock, replace(SOURCE, version="e" * 64), FLIGHTS.head(3))
    published_from(bundle, root, clock, SOURCE)
    reader = write_bundle(folder / "reader", address="urn:dmesh:local:travel:late-airports")
    read = InputPin("flights", "port", f"{DELAYS}:daily", "2", Origin.LIVE)
    published_from(reader, root, clock, read)
    published_from(write_delays(folder / "next", version="1.1.0"), root, clock, SOURCE)
    with_shape(root)


def opened(root: Path) -> Workspace:
    """Open a mesh a quarter of an hour after its first publication."""
    mesh = mesh_notebook.open(root)
    mesh.clock = Clock(START + timedelta(minutes=15))
    return mesh


def described_of(made: Contract, shape: dict[str, Any], **said: Any) -> Described:
    """Return a description of a product with one port, as `describe` would of a published one."""
    product = Product(
        {
            "id": "urn:dmesh:acme:test:people",
            "name": "people",
            "version": "1.0.0",
            "status": "draft",
            "description": {"purpose": "Who is who"},
            "team": {"name": "registry"},
            "outputPorts": [{"name": "rows", "version": "1.0.0", "contractId": made.id}],
            **said,
        }
    )
    snapshot = PortSnapshot(1, 10, slos={"rows": 10.0, "completeness": 1.0}, shape=shape)
    when = "2026-01-01T00:00:00.000000Z"
    receipt = Receipt(
        1, "urn:dmesh:acme:test:people", "1.0.0", "draft", when, Origin.MOCK, "1.0.0-abc", "", "",
        (InputPin("raw", "source", "a file.csv", "0" * 64, Origin.MOCK),), {"rows": snapshot},
    )  # fmt: skip
    slos = tuple(Promise(v, v) for v in verdicts(snapshot.slos, made))
    port = product.output(None)
    card = PortCard(product.address.with_port("rows"), port, made, snapshot, slos)
    return Described(
        product, receipt, (card,), people_of(product, {"rows": made}),
        (Upstream(receipt.inputs[0]),), tuple(releases_of([receipt])), "people", "/some/root",
        START, 1, 1, 0, when,
    )  # fmt: skip
