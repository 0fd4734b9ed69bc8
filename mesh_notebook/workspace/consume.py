"""Finding and reading what others publish."""

from __future__ import annotations

import contextlib
import os
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import StoreError, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import Reading
from mesh_notebook.mesh.slos import verdicts
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.workspace.inputs import Handle
from mesh_notebook.workspace.results import (
    Delivered,
    Described,
    History,
    Hits,
    InputCard,
    PortCard,
    Rows,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = ["as_json", "card", "deliver", "describe", "history", "search"]

HEAD = 10
_ENDINGS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "json",
    ".arrow": "arrow",
}


def search(catalogue: Catalogue, words: str) -> Hits:
    """Find products whose names, purposes, tags or columns hold every word."""
    found = tuple((p.product(r), r) for p in catalogue.search(words) for r in (p.latest(),))
    return Hits(words, found, tuple(catalogue.roots))


def describe(catalogue: Catalogue, text: str, now: datetime) -> Described:
    """Describe a product, or one port of it, at its latest snapshot."""
    published, port = catalogue.resolve(text)
    receipt = published.latest()
    product = published.product(receipt)
    names = [product.output(port).name] if port else [p.name for p in product.outputs]
    cards = tuple(_port_card(published, receipt, name, now) for name in names)
    return Described(product, receipt, cards)


def _port_card(published: PublishedProduct, receipt: Receipt, name: str, now: datetime) -> PortCard:
    port = published.product(receipt).output(name)
    contract = published.contract(receipt, name)
    snapshot = receipt.ports[name]
    slos = tuple(verdicts(aged(snapshot.slos, receipt, now), contract))
    return PortCard(name, port.version, contract, snapshot.rows, slos, port.modes)


def aged(slos: dict[str, float], receipt: Receipt, now: datetime) -> dict[str, float]:
    """Return what was measured at publication as it stands now: what ages has aged since."""
    published = datetime.fromisoformat(receipt.processing_time)
    since = max((now - published).total_seconds(), 0.0)
    return {k: v + since if k in ("freshness_s", "snapshot_age_s") else v for k, v in slos.items()}


def as_json(described: Described) -> dict[str, Any]:
    """Return a description as JSON-able values: the standards' own documents, and the receipt."""
    return {
        "product": described.product.raw,
        "contracts": {port.name: port.contract.raw for port in described.ports},
        "slos": {
            port.name: [
                {
                    "property": v.slo.property,
                    "promised": v.promised,
                    "measured": v.measured,
                    "kept": v.kept,
                }
                for v in port.slos
            ]
            for port in described.ports
        },
        "snapshot": described.receipt.as_dict(),
    }


def history(catalogue: Catalogue, text: str) -> History:
    """List a product's snapshots, newest first."""
    published, _ = catalogue.resolve(text)
    receipts = tuple(published.receipt(n) for n in reversed(published.snapshots()))
    return History(published.product(receipts[0]), receipts)


def card(handle: Handle, now: datetime) -> InputCard:
    """Say what an input is: its columns with their meaning, and promises as they stand now."""
    from mesh_notebook.mesh.dtypes import physical_type

    meaning = {c.name: c.meaning for c in handle.contract.columns} if handle.contract else {}
    schema = handle.frame.collect_schema()
    columns = tuple((n, _say(physical_type, t), meaning.get(n, "")) for n, t in schema.items())
    slos: tuple[Any, ...] = ()
    if reading := handle.reading:
        measured = aged(reading.receipt.ports[reading.port].slos, reading.receipt, now)
        slos = tuple(verdicts(measured, reading.contract))
    return InputCard(handle, columns, slos)


def _say(physical_type: Any, dtype: pl.DataType) -> str:
    from mesh_notebook.errors import ContractError

    try:
        return str(physical_type(dtype))
    except ContractError:  # a source may hold types that no snapshot can
        return str(dtype)


def deliver(
    reading: Reading, format: str | None, out: Path | None
) -> Rows | Delivered | str | bytes:
    """Hand a read over: the first rows, text, bytes, or a file written whole or not at all."""
    format = format or (_ENDINGS.get(out.suffix.lower()) if out else "table")
    if out is None:
        if format == "table":
            return _rows(reading)
        return _encoded(reading.frame.collect(), format or "")
    if format in (None, "table"):
        raise UsageError(
            f"{out} does not say which format to write.",
            next_step="add --format parquet, csv, json or arrow",
        )
    frame = reading.frame.collect()
    _write(_encoded(frame, format), out)
    return Delivered(reading.product.name, reading.port, reading.receipt, out, frame.height)


def _rows(reading: Reading) -> Rows:
    import polars as pl

    head, rows = pl.collect_all([reading.frame.head(HEAD), reading.frame.select(pl.len())])
    return Rows(reading.product.name, reading.port, reading.receipt, head, rows.item())


def _encoded(frame: pl.DataFrame, format: str) -> str | bytes:
    import io

    if format == "csv":
        return frame.write_csv()
    if format == "json":  # one object a line, so that any size streams
        return frame.write_ndjson()
    buffer = io.BytesIO()
    if format == "parquet":
        frame.write_parquet(buffer)
    elif format == "arrow":
        frame.write_ipc(buffer)
    else:
        raise UsageError(
            f"'{format}' is not a format.", next_step="one of table, parquet, csv, json, arrow"
        )
    return buffer.getvalue()


def _write(content: str | bytes, out: Path) -> None:
    aside = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    try:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(aside, out)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise StoreError(
            f"{out} cannot be written: {error.strerror}.",
            next_step="name a file in a folder that exists and that you may write to",
            path=str(out),
        ) from None
