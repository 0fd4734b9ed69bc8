"""Finding and reading what others publish."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import AmbiguousProduct, MeshError, NotFound, StoreError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.disclosure import told_read, told_receipt, told_receipts
from mesh_notebook.mesh.reading import Reading
from mesh_notebook.mesh.slos import verdicts
from mesh_notebook.mesh.verified import verified_at
from mesh_notebook.workspace.discovery.describing import aged
from mesh_notebook.workspace.discovery.majors import newer_major
from mesh_notebook.workspace.inputs import Handle
from mesh_notebook.workspace.port import Port, refuse_cursor
from mesh_notebook.workspace.results import (
    Delivered,
    History,
    Hits,
    InputCard,
    Rows,
)

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.policy import Asker

__all__ = ["card", "deliver", "history", "search", "write_whole"]

HEAD = 10
GLANCE = 5, 20  # rows, and columns, of a port on its card


def search(catalogue: Catalogue, words: str, asker: Asker | str) -> Hits:
    """Find products whose names, purposes, tags or columns hold every word."""
    found = tuple(
        (p.product(r), told_receipt(p, r, asker))
        for p in catalogue.search(words)
        for r in (p.latest(),)
    )
    return Hits(words, found, tuple(catalogue.roots))


def history(catalogue: Catalogue, text: str, asker: Asker | str) -> History:
    """List a product's snapshots, newest first."""
    published, _ = catalogue.resolve(text)
    receipts = [published.receipt(number) for number in published.snapshots()]
    told = told_receipts(published, receipts, asker)
    return History(published.product(receipts[-1]), tuple(reversed(told)))


def card(handle: Handle, now: datetime, catalogue: Catalogue) -> InputCard:
    """Say what an input is: its columns with their meaning, and promises as they stand now."""
    from mesh_notebook.mesh.dtypes import physical_type

    meaning = {c.name: c.meaning for c in handle.contract.columns} if handle.contract else {}
    schema = handle.frame.collect_schema()
    columns = tuple((n, _say(physical_type, t), meaning.get(n, "")) for n, t in schema.items())
    slos: tuple[Any, ...] = ()
    newer = ""
    if reading := handle.reading:
        snapshot = told_read(reading).ports[reading.port]
        verified = None
        with contextlib.suppress(
            NotFound, StoreError, AmbiguousProduct
        ):  # it was read all the same
            published = catalogue.resolve(handle.pin.where)[0]
            newer = newer_major(published, reading.receipt)
            verified = verified_at(published, reading.receipt, now)
        measured = aged(snapshot.slos, reading.receipt, now, verified)
        slos = tuple(verdicts(measured, reading.contract))
    rows, head = _glance(handle) if handle.kind == "port" else (None, None)
    return InputCard(handle, columns, slos, newer, rows, head)


def _glance(handle: Handle) -> tuple[int | None, pl.DataFrame | None]:
    """Count the rows of a port, and take the first: its files say how many there are."""
    import polars as pl

    names = list(handle.frame.collect_schema())[: GLANCE[1]]
    try:
        head = handle.frame.head(GLANCE[0]).select(names).collect()
        return int(handle.frame.select(pl.len()).collect().item()), head
    except (MeshError, pl.exceptions.PolarsError, OSError):
        return None, None  # the rows are gone since, or their key; the card says all the rest


def _say(physical_type: Any, dtype: pl.DataType) -> str:
    from mesh_notebook.errors import ContractError

    try:
        return str(physical_type(dtype))
    except ContractError:  # a source may hold types that no snapshot can
        return str(dtype)


def deliver(
    port: Port, format: str | None, out: Path | None, since: str | None
) -> Rows | Delivered | str | bytes:
    """Hand a read over: the first rows, text, bytes, or a file written whole or not at all."""
    if out is not None:
        return port.write(out, format, since)
    if format in (None, "table"):
        refuse_cursor(since)
        return _rows(port.reading)
    return port.encoded(format, since)


def _rows(reading: Reading) -> Rows:
    import polars as pl

    head, rows = pl.collect_all([reading.frame.head(HEAD), reading.frame.select(pl.len())])
    told = (reading.product.name, reading.port, told_read(reading), head, rows.item())
    return Rows(*told, reading.origin, reading.intervals)


def write_whole(content: str | bytes, out: Path) -> None:
    """Write a file whole, in place of an earlier one, or not at all."""
    from mesh_notebook.mesh.modes.files import whole

    with whole(out) as aside:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
