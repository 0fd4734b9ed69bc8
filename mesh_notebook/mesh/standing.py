"""What stands of a port, and what of it a new publication keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_notebook.errors import NoSnapshot, StoreError
from mesh_notebook.mesh.place import Place
from mesh_notebook.mesh.rows import kept
from mesh_notebook.mesh.scan import scan_of
from mesh_notebook.mesh.sealing import Protection
from mesh_notebook.mesh.veil import veil_of
from mesh_notebook.mesh.versions import read_version
from mesh_notebook.model.origin import worst
from mesh_notebook.model.policy import Mask
from mesh_notebook.model.product import major_of
from mesh_notebook.model.receipt import PortSnapshot, Receipt

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.contract import Contract

__all__ = ["Standing", "standing_of", "standing_values", "told_by"]


@dataclass(frozen=True)
class Standing:
    """The picture of a port that a publication takes the place of.

    Attributes
    ----------
    receipt : Receipt
        The publication that made it.
    table : Place
        What holds it.
    is_own : bool
        Whether that is the table that the publication writes to: it is of the same major version.
    """

    receipt: Receipt
    port: str
    table: Place
    is_own: bool

    @property
    def snapshot(self) -> PortSnapshot:
        return self.receipt.ports[self.port]

    @property
    def protection(self) -> Protection:
        return Protection.from_dict(self.snapshot.protection)


def standing_of(
    published: PublishedProduct, latest: Receipt | None, earlier: Receipt | None, draft: Receipt
) -> dict[str, Standing]:
    """Return by port the picture that a publication takes the place of.

    It is the last of the same major version, or where there is none yet, the last at all; of a
    picture of an interval, the last of that interval. What is of a worse origin is left aside:
    nothing of it may stay.

    Parameters
    ----------
    latest, earlier : Receipt or None
        The last publication, and the last of the same major version.
    """
    found = {}
    for port, going in draft.ports.items():
        receipt = earlier or latest
        if receipt and port in receipt.ports and going.interval:
            receipt = _picture(published, receipt.ports[port].intervals.get(going.interval))
        if receipt is None or port not in receipt.ports:
            continue
        if worst([receipt.origin, draft.origin]) is draft.origin:
            major = major_of(receipt.version)
            own = major == major_of(draft.version)
            found[port] = Standing(receipt, port, published.table(port, major), own)
    return found


def _picture(published: PublishedProduct, number: int | None) -> Receipt | None:
    if number is None:
        return None
    with suppress(StoreError, NoSnapshot):  # what is lost keeps nothing
        return published.receipt(number)
    return None


def told_by(
    draft: Receipt,
    contents: Mapping[str, Future[str]],
    earlier: Receipt,
    standing: Mapping[str, Standing],
) -> Receipt | None:
    """Return the publication beside which another one would change nothing but the time."""
    known = {one.receipt.snapshot: one.receipt for one in standing.values()}
    by = known.popitem()[1] if len(known) == 1 else earlier

    def told(receipt: Receipt) -> tuple[object, ...]:
        intervals = {name: port.interval for name, port in receipt.ports.items()}
        return receipt.spec_digest, receipt.code_digest, receipt.inputs, intervals

    # The contents come last, since they may not be known yet.
    same = told(by) == told(draft) and all(
        by.ports[port].content == content.result() for port, content in contents.items()
    )
    return by if same else None


def standing_values(
    rows: pl.DataFrame,
    stored: pl.DataFrame,
    standing: Standing,
    contract: Contract,
    protection: Protection,
    port: str,
    product: str,
) -> pl.DataFrame:
    """Return rows with the values of those that stand and are the same (see `mesh.rows`).

    What stands is compared as it was before it was protected. A column of which the table holds
    nothing but what its mask shows is compared as it is shown, where it is masked alike now, and is
    not looked at where it is not. Where no row is the same, the very frame is returned.

    Parameters
    ----------
    rows, stored : polars.DataFrame
        The new rows, as they are and as the table will hold them, in one order.
    protection : Protection
        How the new rows are protected.

    Raises
    ------
    StoreError, KeyMissing, polars.exceptions.PolarsError, OSError
        What stands cannot be read.
    """
    then = standing.protection
    hidden = [name for name in then.masks if name not in then.sealed]
    shown = [name for name in hidden if _shown_alike(name, then, protection)]
    unknown = set(hidden) - set(shown)
    version = read_version(standing.table, standing.snapshot.delta_version)
    if unknown & set(contract.key) or not version.plain:
        return rows
    veil = veil_of(None, [then], contract, product, port)
    picture = scan_of(version.files, contract, named=True, veil=veil).lazy()
    mine = rows.with_columns(_of(stored, shown)).drop(unknown)
    found = kept(mine, picture.select(mine.columns), contract.key)
    if found is mine:
        return rows
    return rows.with_columns(_of(found, (name for name in mine.columns if name not in hidden)))


def _of(frame: pl.DataFrame, names: Iterable[str]) -> list[pl.Series]:
    return [frame[name] for name in names]


def _shown_alike(column: str, then: Protection, now: Protection) -> bool:
    """Whether equal values of a masked column look equal, then and now."""
    if column not in now.masks:
        return False
    was, becomes = (Mask.from_dict(one.masks[column]) for one in (then, now))
    same = {**was.as_dict(), "except": None} == {**becomes.as_dict(), "except": None}
    return same and (not was.keyed or bool(was.key) or then.key == now.key)
