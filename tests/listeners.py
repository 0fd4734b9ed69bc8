"""A product with something to hide, for the tests of policies: `listeners`, and who asks of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from bundles import Clock, contract, published, write_bundle

from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.grants import grant
from mesh_notebook.mesh.keys import made_key
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import Reading, read_port
from mesh_notebook.model.policy import Mask, PortPolicy, Principal
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window

ADDRESS = "urn:dmesh:local:music:listeners"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
COLUMNS = {
    "user": "VARCHAR",
    "email": "VARCHAR",
    "age": "BIGINT",
    "country": "VARCHAR",
    "day": "DATE",
    "minutes": "DOUBLE",
}
OFFICER = Principal("olga", roles=frozenset({"privacy-officer"}))
ANALYST = Principal("ana", roles=frozenset({"analyst"}))
NOBODY = Principal("bo")

ROWS = pl.DataFrame(
    {
        "user": ["u1", "u2", "u3", "u4"],
        "email": ["ann@example.org", "ben@example.org", None, "dee@example.org"],
        "age": [31, 45, 17, None],
        "country": ["DE", "FR", "DE", "IT"],
        "day": [date(2026, 3, n) for n in (1, 2, 3, 4)],
        "minutes": [10.0, 20.5, 30.0, 0.0],
    }
)


def mask(column: str, kind: str, *exempt: str, **how: Any) -> Mask:
    return Mask(column, kind, exempt or ("privacy-officer",), **how)


def policy(*masks: Mask, **more: Any) -> PortPolicy:
    return PortPolicy("listeners", masks=masks, **more)


class Listeners:
    """A product of one port, `listeners`, published under ever other policies."""

    def __init__(self, folder: Path, root: Any = None, kind: str = "snapshot") -> None:
        self.folder, self.kind = folder, kind
        self.root = root or folder / "mesh"
        self.clock = Clock(datetime(2026, 6, 1, tzinfo=UTC), timedelta(hours=1))
        self.minor = 0
        made_key(ADDRESS)
        for who in (OFFICER, ANALYST):
            for role in who.roles:
                grant(place_of(self.root), who.name, role, "ola", NOW)

    def publish(self, rows: pl.DataFrame = ROWS, policy: PortPolicy | None = None) -> Receipt:
        """Publish rows, under the policy if one is given, else under the one of before."""
        if policy is not None or not self.minor:
            self.minor += 1
            self.made = write_bundle(
                self.folder / "bundle",
                address=ADDRESS,
                version=f"1.{self.minor}.0",
                ports={"listeners": contract(COLUMNS, id=f"{ADDRESS}:listeners:1", key=("user",))},
                inputs=(),
                temporality={"kind": self.kind},
                policies=[policy] if policy else [],
            )
        return published(self.made, self.root, self.clock, listeners=rows)

    @property
    def product(self) -> PublishedProduct:
        return Catalogue([self.root]).resolve("listeners")[0]

    def read(self, principal: Principal = NOBODY, *window: Any) -> Reading:
        start, end, as_of = (*window, None, None, None)[:3]
        return read_port(self.product, None, Window.of(start, end, as_of, NOW), principal)

    def rows(self, principal: Principal = NOBODY, *window: Any) -> pl.DataFrame:
        """Return what one sees, by user where that is to be seen."""
        return self.read(principal, *window).frame.collect().sort("day")
