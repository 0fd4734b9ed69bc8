"""Reading an output port: every read, whoever asks and however, passes here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.dtypes import column_dtype, physical_type
from mesh_notebook.mesh.inputs import EventWindow
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.product import Product
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Reading", "read_port"]


@dataclass(frozen=True)
class Reading:
    """What one read of a port gives, and what of.

    Attributes
    ----------
    scan : Scan
        The snapshot's files: all of its rows.
    frame : polars.LazyFrame
        The rows that were asked for: those of the scan whose event time is in the window.
    receipt, product, contract
        As they were published with the snapshot.
    window : Window
        What was asked.
    principal : str
        Who asked.
    """

    scan: Scan
    frame: pl.LazyFrame
    receipt: Receipt
    product: Product
    contract: Contract
    port: str
    window: Window
    principal: str

    @property
    def window_filter(self) -> EventWindow | None:
        """How `frame` was cut out of `scan`; None where nothing was."""
        return _event_window(self.contract, self.port, self.window)

    def only(self, paths: Sequence[str]) -> pl.LazyFrame:
        """Return those rows of `frame` that lie in these files of the scan."""
        if not paths:
            return self.frame.head(0)
        part = replace(self.scan, paths=tuple(paths)).lazy()
        cut = self.window_filter
        return cut.cut(part) if cut else part


def read_port(
    published: PublishedProduct, port: str | None, window: Window, principal: str
) -> Reading:
    """Read one output port of a product.

    Parameters
    ----------
    port : str or None
        None means the only one there is.
    window : Window
        `as_of` picks the snapshot by its processing time; `start` and `end` (half-open) pick
        rows of it by their event time, where a date counts as its midnight UTC.
    principal : str
        Who asks.

    Raises
    ------
    UnknownPort, NoSnapshot
        There is no such port, or was no snapshot by then.
    UsageError
        Event times are asked of a port whose contract names no event time.
    StoreError
        The snapshot is damaged.
    """
    receipt = published.as_of(window.as_of)
    product = published.product(receipt)
    name = product.output(port).name
    contract = published.contract(receipt, name)
    scan = _scan(published.files(receipt, name), contract)
    cut = _event_window(contract, name, window)
    frame = cut.cut(scan.lazy()) if cut else scan.lazy()
    return Reading(scan, frame, receipt, product, contract, name, window, principal)


def _scan(files: list[str], contract: Contract) -> Scan:
    if files:
        return Scan("parquet", tuple(files))
    # A snapshot without rows has no files either, so the contract says its types.
    types = tuple((c.name, physical_type(column_dtype(c))) for c in contract.columns)
    return Scan("parquet", (), schema=types)


def _event_window(contract: Contract, port: str, window: Window) -> EventWindow | None:
    if not window.bounded:
        return None
    if contract.event_time is None:
        raise UsageError(
            f"'{port}' has no event time, so it cannot be cut by one.",
            next_step="leave out --from and --to; --as-of picks a snapshot",
            port=port,
        )
    return EventWindow(contract.event_time, window.start, window.end)
