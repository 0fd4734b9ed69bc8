"""What a deployment would write: each port's rows, and what they go on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh_notebook.deploy.preparing import Prepared
from mesh_notebook.mesh.disclosure import told_receipt
from mesh_notebook.mesh.evolution import last_as_good
from mesh_notebook.model.policy import Asker
from mesh_notebook.model.product import major_of
from mesh_notebook.model.receipt import PortSnapshot, Receipt
from mesh_notebook.model.time import interval_around, say_interval

__all__ = ["ToWrite", "writes_of"]


@dataclass(frozen=True)
class ToWrite:
    """A port of the snapshot that would be published.

    `rows` is how many it shows now; None where it shows none yet, and where it is `hidden` by a
    policy from who asks.
    """

    port: str
    table: str
    kind: str
    rows: int | None
    hidden: bool = False


def writes_of(prepared: Prepared, moment: datetime | None, asker: Asker | str) -> list[ToWrite]:
    """Return what a publication would write, port by port, as it may be told to who asks.

    Parameters
    ----------
    moment : datetime, optional
        One in the interval that is meant.
    """
    version, standing = prepared.made.product.version, prepared.standing
    own = standing if standing and major_of(standing.version) == major_of(version) else None
    base = last_as_good(prepared.published, version, prepared.origin) if own else None
    now = told_receipt(prepared.published, own, asker) if own else None
    found = []
    for port in prepared.made.product.outputs:
        shown = now.ports.get(port.name) if now else None
        table = f"ports/{port.name}/v{major_of(version)}"
        kind = _kind(port.temporality, own, base)
        kind += _again(port.temporality, base.ports.get(port.name) if base else None, moment)
        rows = shown.rows if shown else None
        found.append(ToWrite(port.name, table, kind, rows, bool(shown) and rows is None))
    return found


def _kind(time: Mapping[str, Any], last: Receipt | None, base: Receipt | None) -> str:
    """Say how rows are written, and where they do not go on from the last publication."""
    is_log, length = time.get("kind") == "log", time.get("interval")
    if not (is_log or length):
        return "the whole picture"
    said = "added to the log" if is_log else f"the picture of one {length}"
    if last is None or (base and base.snapshot == last.snapshot):
        return said
    goes_on = f"goes on from snapshot {base.snapshot}" if base else "begins anew"
    what = "the log" if is_log else "it"
    return f"{said}: {what} {goes_on}, since snapshot {last.snapshot} is of {last.origin} data"


def _again(time: Mapping[str, Any], before: PortSnapshot | None, moment: datetime | None) -> str:
    """Say that the interval has a picture already, which stays as it was known then."""
    length = time.get("interval")
    if before is None or moment is None or not length:
        return ""
    stands = before.intervals.get(say_interval(interval_around(moment, str(length))))
    return f", again: snapshot {stands} stays as it was known" if stands else ""
