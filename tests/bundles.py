"""Small bundles and meshes for the tests of what is stored, published and read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from mesh_notebook.deploy.deploying import Deployed, deploy
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.publishing import publish
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.address import Address, python_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import to_yaml
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import InputPort
from mesh_notebook.model.receipt import InputPin, Receipt

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = {"airport": "VARCHAR", "day": "DATE", "delay": "DOUBLE"}
TRANSFORM = """
import polars as pl


def daily(flights):
    return flights.group_by("airport", "day").agg(pl.col("delay").mean())
"""
LOGICAL = {"VARCHAR": "string", "DATE": "date", "DOUBLE": "number", "BIGINT": "integer"}


class Clock:
    """A clock that moves a minute each time it is read."""

    def __init__(self, now: datetime = START, step: timedelta = timedelta(minutes=1)) -> None:
        self.now, self.step = now, step

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


def contract(
    columns: Mapping[str, str] = COLUMNS,
    *,
    id: str = "urn:dmesh:local:travel:airport-delays:daily:1",
    event_time: str | None = "day",
    key: tuple[str, ...] = (),
    **properties: dict[str, Any],
) -> Contract:
    """Make a contract; `properties` adds to the ODCS property of a column."""
    table: dict[str, Any] = {
        "name": id.split(":")[5],
        "logicalType": "object",
        "properties": [
            {
                "name": name,
                "logicalType": LOGICAL.get(physical, "timestamp"),
                "physicalType": physical,
                **(
                    {"primaryKey": True, "primaryKeyPosition": key.index(name) + 1}
                    if name in key
                    else {}
                ),
                **properties.get(name, {}),
            }
            for name, physical in columns.items()
        ],
    }
    if event_time:
        table["customProperties"] = [{"property": "eventTime", "value": event_time}]
    raw = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": id,
        "name": table["name"],
        "version": "1.0.0",
        "status": "active",
        "schema": [table],
    }
    return Contract(raw).checked()


def write_bundle(
    folder: Path,
    *,
    address: str = "urn:dmesh:local:travel:airport-delays",
    version: str = "1.0.0",
    status: str = "active",
    purpose: str = "How late planes leave.",
    tags: tuple[str, ...] = (),
    ports: Mapping[str, Contract] | None = None,
    inputs: tuple[str, ...] = ("flights",),
    transform: str = TRANSFORM,
    temporality: Mapping[str, Any] | None = None,
    policies: Sequence[PortPolicy] = (),
) -> Path:
    """Write a bundle, in place of an earlier one; of one port, `daily`, if `ports` is not given."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "contracts").mkdir(parents=True)
    told = [{"property": "temporality", "value": dict(temporality or {})}]
    ports = ports or {"daily": contract(id=f"{address}:daily:1")}
    product = {
        "apiVersion": "v1.0.0",
        "kind": "DataProduct",
        "id": address,
        "name": address.split(":")[4],
        "version": version,
        "status": status,
        "domain": address.split(":")[3],
        "tenant": address.split(":")[2],
        "description": {"purpose": purpose},
        **({"tags": list(tags)} if tags else {}),
        **_policies(policies),
        "inputPorts": [
            {"name": name, "version": "1.0.0", "contractId": f"urn:source:{name}"}
            for name in inputs
        ],
        "outputPorts": [
            {
                "name": name,
                "version": version,
                "contractId": made.id,
                **({"customProperties": told} if temporality else {}),
            }
            for name, made in ports.items()
        ],
    }
    (folder / "product.odps.yaml").write_text(to_yaml(product))
    for name, made in ports.items():
        (folder / "contracts" / f"{name}.odcs.yaml").write_text(made.dumps())
    (folder / "transform.py").write_text(transform)
    return folder


def _policies(policies: Sequence[PortPolicy]) -> dict[str, Any]:
    if not policies:
        return {}
    value = [policy.as_dict() for policy in policies]
    return {"customProperties": [{"property": "policies", "value": value}]}


def opener(
    frames: Mapping[str, Any], origin: Origin = Origin.LIVE
) -> Callable[[InputPort, Path], OpenedInput]:
    """Return an opener of inputs that gives these frames, or scans, pinned by what they hold."""

    def open_input(port: InputPort, bundle: Path) -> OpenedInput:
        data = frames[port.name]
        version = data.fingerprint() if isinstance(data, Scan) else str(data.hash_rows().sum())
        return OpenedInput(data, InputPin(port.name, "source", port.name, version, origin))

    return open_input


def published(
    bundle: Path | Bundle,
    root: Any,
    clock: Callable[[], datetime],
    *,
    origin: Origin = Origin.LIVE,
    interval: datetime | None = None,
    progress: Callable[[str], None] = lambda step: None,
    **frames: pl.DataFrame,
) -> Receipt:
    """Publish frames by port, as a deployment does once the transform has run."""
    made = bundle if isinstance(bundle, Bundle) else Bundle(bundle)
    version = str(hash(tuple(frame.hash_rows().sum() for frame in frames.values())))
    done = publish(
        root,
        made,
        frames,
        status=made.product.status,
        origin=origin,
        inputs=(InputPin("rows", "source", "rows", version, origin),),
        slos={port: {} for port in frames},
        engine={},
        principal="ana",
        clock=clock,
        interval=interval,
        progress=progress,
    )
    return done.receipt


def deployed(bundle: Path, root: Path, clock: Callable[[], datetime], **frames: Any) -> Deployed:
    """Deploy a bundle on live frames."""
    return deploy(bundle, root, opener(frames), principal="ana", clock=clock)


def put(
    root: Path,
    frame: pl.DataFrame,
    made: Contract,
    *,
    origin: Origin = Origin.LIVE,
    version: str = "1.0.0",
    clock: Callable[[], datetime] | None = None,
) -> Receipt:
    """Publish a frame as the one port of a product, without a transform that is run."""
    address = Address.parse(made.id)
    status = "active" if origin is Origin.LIVE else "draft"
    product, port = str(address).rpartition(":")[0], str(address.port)
    with tempfile.TemporaryDirectory() as folder:
        bundle = write_bundle(
            Path(folder) / "bundle",
            address=product,
            version=version,
            status=status,
            ports={port: made},
            inputs=("raw",),
            transform=f"def {python_name(port)}(raw):\n    return raw\n",
        )
        return publish(
            root,
            Bundle(bundle),
            {port: frame},
            status=status,
            origin=origin,
            inputs=(InputPin("raw", "source", "raw.csv", "0" * 64, origin),),
            slos={port: {}},
            engine={},
            principal="ana",
            clock=clock or (lambda: datetime.now(UTC)),
        ).receipt
