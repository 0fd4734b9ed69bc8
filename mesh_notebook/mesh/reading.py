"""Reading an output port: every read, whoever asks and however, passes here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mesh_notebook.errors import StoreError, UsageError
from mesh_notebook.mesh.access import asked, enforce
from mesh_notebook.mesh.filtering import filtered, late_filters
from mesh_notebook.mesh.inputs import EventWindow
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.scan import Scan, columns_of, scan_of
from mesh_notebook.mesh.sealing import Protection
from mesh_notebook.mesh.veil import veil_of
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.model.policy import Asker, Principal
from mesh_notebook.model.product import Product, major_of
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window, interval_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Reading", "raw_rows", "read_port"]


@dataclass(frozen=True)
class Reading:
    """What one read of a port gives, and what of.

    Attributes
    ----------
    scan : Scan
        The files that hold the rows; of a window, perhaps with others besides.
    frame : polars.LazyFrame
        The rows that were asked for: those of the scan whose event time is in the window.
    receipt, product
        The publication that was the latest at the instant of the question.
    contract : Contract
        The newest of the same major version: a column that was added since is null.
    window : Window
        What was asked.
    decision : Decision
        What the port's policy made of it: it is the same in every mode.
    pictures : tuple of Receipt
        The publications that the rows are of: `receipt` alone, unless each publication of the
        port is the picture of one interval.
    """

    scan: Scan
    frame: pl.LazyFrame
    receipt: Receipt
    product: Product
    contract: Contract
    port: str
    window: Window
    decision: Decision
    pictures: tuple[Receipt, ...] = ()

    @property
    def principal(self) -> Principal:
        """Who asked, with the roles that it had."""
        return self.decision.principal

    @property
    def window_filter(self) -> EventWindow | None:
        """How `frame` was cut out of `scan`; None where nothing was."""
        return _event_window(self.contract, self.window)

    @property
    def origin(self) -> Origin:
        """The worst origin of the publications that were read."""
        return worst(receipt.origin for receipt in (self.receipt, *self.pictures))

    @property
    def intervals(self) -> tuple[str, ...]:
        """Of a port with a picture per interval: which intervals were read."""
        return tuple(i for r in self.pictures if (i := r.ports[self.port].interval))

    @property
    def kind(self) -> str:
        """`snapshot` or `log`."""
        return self.receipt.ports[self.port].kind

    def only(self, paths: Sequence[str]) -> pl.LazyFrame:
        """Return those rows of `frame` that lie in these files of the scan."""
        if not paths:
            return self.frame.head(0)
        part = replace(self.scan, paths=tuple(paths)).lazy()
        cut = self.window_filter
        return cut.cut(part) if cut else part


def read_port(
    published: PublishedProduct,
    port: str | None,
    window: Window,
    principal: Principal | Asker | str,
    major: str | None = None,
) -> Reading:
    """Read one output port of a product, as its policy lets this principal.

    Parameters
    ----------
    port : str or None
        None means the only one there is.
    window : Window
        `as_of` picks the snapshot by its processing time; `start` and `end` (half-open) pick
        rows of it by their event time, where a date counts as its midnight UTC. Where each
        publication is the picture of one interval, they pick the intervals that they touch; without
        them the newest interval is read.
    principal : Principal, Asker or str
        Who asks (see `mesh.grants.principal_of`).
    major : str, optional
        The major version to read; None means the newest that there was.

    Raises
    ------
    UnknownPort, NoSnapshot
        There is no such port, or was no snapshot by then.
    AccessDenied
        The policy of the port, or a rule of the mesh, forbids it.
    KeyMissing
        Sealed values may be seen, and their key is not here.
    UsageError
        Event times are asked of a port whose contract names no event time.
    StoreError
        The snapshot is damaged.
    """
    found = asked(published, port, window, principal, major)
    enforce(found)
    receipt, product, name, decision = found.receipt, found.product, found.port, found.decision
    alike = _newest_alike(published, receipt, found.now)
    contract, added = _contract(published, receipt, name, alike)
    cut = _event_window(contract, window)
    if window.bounded and cut is None and not receipt.ports[name].interval:
        raise UsageError(
            f"'{name}' has no event time, so it cannot be cut by one.",
            next_step="leave out --from and --to; --as-of picks a snapshot",
            port=name,
        )
    pictures = _pictures(published, receipt, name, window)
    added = added or any(picture.spec_digest != receipt.spec_digest for picture in pictures)
    scan = _scan(published, pictures, name, contract, cut, added, decision, receipt.product)
    frame = cut.cut(scan.lazy()) if cut else scan.lazy()
    return Reading(scan, frame, receipt, product, contract, name, window, decision, pictures)


def raw_rows(published: PublishedProduct, receipt: Receipt, port: str) -> pl.LazyFrame:
    """Return the rows as they are, all of them, for what answers in their stead and shows none.

    Raises
    ------
    KeyMissing
        Sealed values are among them, and their key is not here.
    """
    contract, _ = _contract(published, receipt, port, receipt)
    pictures = _pictures(published, receipt, port, Window())
    added = any(picture.spec_digest != receipt.spec_digest for picture in pictures)
    told = (published, pictures, port, contract, None, added, None, receipt.product)
    return _scan(*told).lazy()


def _newest_alike(published: PublishedProduct, receipt: Receipt, now: Receipt) -> Receipt:
    """Return the last publication of the same major version."""
    major = major_of(receipt.version)
    return now if major_of(now.version) == major else published.as_of(None, major)


def _contract(
    published: PublishedProduct, receipt: Receipt, port: str, now: Receipt
) -> tuple[Contract, bool]:
    """Return the newest contract of the port's major version, and whether it has more columns."""
    then = published.contract(receipt, port)
    if now.spec_digest == receipt.spec_digest or port not in now.ports:
        return then, False
    if major_of(now.version) != major_of(receipt.version):
        return then, False
    newest_one = published.contract(now, port)
    return newest_one, [c.name for c in newest_one.columns] != [c.name for c in then.columns]


def _pictures(
    published: PublishedProduct, receipt: Receipt, port: str, window: Window
) -> tuple[Receipt, ...]:
    known = receipt.ports[port].intervals
    if not known:
        return (receipt,)
    if window.bounded:
        wanted = [i for i in known if window.touches(*interval_of(i))]
    else:
        wanted = [max(known, key=lambda interval: interval_of(interval)[0])]
    snapshots = sorted(known[interval] for interval in wanted)
    return tuple(receipt if n == receipt.snapshot else published.receipt(n) for n in snapshots)


def _scan(
    published: PublishedProduct,
    pictures: tuple[Receipt, ...],
    port: str,
    contract: Contract,
    cut: EventWindow | None,
    added: bool,
    decision: Decision | None,
    product: str,
) -> Scan:
    protections = [Protection.from_dict(r.ports[port].protection) for r in pictures]
    filters = decision.filters if decision else ()
    shown = [protection.places(filters) for protection in protections]
    veil = veil_of(decision, protections, contract, product, port)
    # What the log says of the files is of event times as everybody sees them.
    opened = veil is not None and contract.event_time in veil.opened
    versions = [
        published.version(receipt, port, None if opened else cut, places)
        for receipt, places in zip(pictures, shown, strict=True)
    ]
    late = [where for p in protections for where in late_filters(filters, p)]
    if not all(version.plain for version in versions):
        return _by_delta(published, pictures, port, contract, held=bool(veil or late))
    widened = added or len(pictures) > 1 or any(r.ports[port].widened for r in pictures)
    files = [file for v in versions for file in v.files]
    scan = scan_of(files, contract, named=widened, veil=veil)
    return filtered(scan, late, protections, contract) if late else scan


def _by_delta(
    published: PublishedProduct,
    pictures: tuple[Receipt, ...],
    port: str,
    contract: Contract,
    held: bool,
) -> Scan:
    """Return the scan of a table that its files alone do not tell; no writer of ours makes one."""
    if held or len(pictures) > 1:
        raise StoreError(
            f"the table of '{port}' was changed by another writer, so that its policy cannot be "
            "held to it.",
            next_step="deploy the product again",
            port=port,
        )
    receipt = pictures[0]
    table = published.table(port, major_of(receipt.version)).uri
    version = receipt.ports[port].delta_version
    return Scan("delta", (table,), schema=columns_of(contract), version=version)


def _event_window(contract: Contract, window: Window) -> EventWindow | None:
    if not window.bounded or contract.event_time is None:
        return None
    return EventWindow(contract.event_time, window.start, window.end)
