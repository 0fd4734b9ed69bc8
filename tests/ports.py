"""A port for tests of its modes: published frame by frame, opened as a user opens it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from bundles import Clock, contract, write_bundle

import mesh_notebook
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.dtypes import logical_type, polars_dtype
from mesh_notebook.mesh.publishing import publish
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.workspace.port import Port

__all__ = ["ADDRESS", "TYPES", "PublishedPort", "frame_of", "typed_contract"]

ADDRESS = "urn:dmesh:local:travel:visits"
# Every physical type that a snapshot holds, and nested ones.
TYPES = {
    "n": "BIGINT",
    "at": "TIMESTAMP_TZ",
    "day": "DATE",
    "text": "VARCHAR",
    "flag": "BOOLEAN",
    "tiny": "TINYINT",
    "small": "SMALLINT",
    "whole": "INTEGER",
    "single": "FLOAT",
    "double": "DOUBLE",
    "price": "DECIMAL(38,10)",
    "blob": "BLOB",
    "many": "DOUBLE[]",
    "pair": 'STRUCT("a b" VARCHAR, t TIMESTAMP_TZ, bs BLOB[])',
    "nest": "STRUCT(x BIGINT, d DECIMAL(9,2))[]",
}


def typed_contract(
    columns: Mapping[str, str] = TYPES,
    key: tuple[str, ...] = ("n",),
    event_time: str | None = "at",
    **properties: dict[str, Any],
) -> Contract:
    """Return a contract of port `visits` with these physical types."""
    logical = {name: {"logicalType": logical_type(polars_dtype(t))} for name, t in columns.items()}
    given = {name: {**logical[name], **properties.get(name, {})} for name in columns}
    return contract(columns, id=f"{ADDRESS}:visits:1", event_time=event_time, key=key, **given)


def frame_of(made: Contract, rows: Mapping[str, list[Any]]) -> pl.DataFrame:
    """Return a frame with the contract's types."""
    types = {c.name: polars_dtype(c.physical_type) for c in made.columns}
    return pl.DataFrame(dict(rows), schema=types)


class PublishedPort:
    """A product of one port, `visits`, with one snapshot for each frame."""

    def __init__(self, folder: Path, made: Contract) -> None:
        self.folder, self.root = folder, folder / "mesh"
        self.clock = Clock(step=timedelta(hours=1))
        self.renew(made)

    def renew(self, made: Contract, version: str = "1.0.0") -> PublishedPort:
        """Go on with another contract."""
        self.contract = made
        written = write_bundle(
            self.folder / f"bundle-{version}",
            address=ADDRESS,
            version=version,
            ports={"visits": made},
            inputs=(),
        )
        self.bundle = Bundle(written)
        return self

    def publish(
        self, *frames: pl.DataFrame, origin: Origin = Origin.LIVE, status: str = "active"
    ) -> PublishedPort:
        for frame in frames:
            self.receipt: Receipt = publish(
                self.root,
                self.bundle,
                {"visits": frame},
                status=status,
                origin=origin,
                inputs=(),
                slos={"visits": {}},
                engine={},
                principal="ana",
                clock=self.clock,
            ).receipt
        return self

    def port(self, **window: Any) -> Port:
        mesh = mesh_notebook.open(self.root, principal="bo")
        mesh.clock = self.clock
        return mesh.port("visits", **window)

    def forget(self, *snapshots: int) -> PublishedPort:
        """Remove publications, as retention does."""
        for snapshot in snapshots:
            path = self.root / "travel" / "visits" / "publications" / f"{snapshot:012}.json"
            shutil.move(path, self.folder / path.name)
        return self
