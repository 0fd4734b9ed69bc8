"""What stands of a port, and what of it a new publication keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mesh_notebook.errors import NoSnapshot, StoreError
from mesh_notebook.mesh.place import Place
from mesh_notebook.mesh.rows import holds_floats, kept
from mesh_notebook.mesh.scan import Scan, columns_of
from mesh_notebook.mesh.sealing import Protection, sealed_name
from mesh_notebook.mesh.veil import Veil, veil_of
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

# Of how many times as many rows only those are read whose key is published again.
_MANY = 2


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
    seen = _Seen.of(standing.protection, protection, contract, rows)
    version = read_version(standing.table, standing.snapshot.delta_version)
    if seen.unknown & set(contract.key) or not version.plain:
        return rows
    veil = veil_of(None, [standing.protection], contract, product, port)
    picture = seen.picture(version.files, veil, contract)
    if standing.snapshot.count > _MANY * rows.height and seen.by_key:
        few = stored.lazy().select(contract.key)
        picture = picture.join(few, on=list(contract.key), how="semi", nulls_equal=True)
    if veil:
        picture = replace(veil, opened=seen.opened).over(picture)
    mine = seen.alike(rows, stored)
    found = kept(mine, picture.select(mine.columns), contract.key)
    if found is mine:
        return rows
    return rows.with_columns(found[name] for name in seen.floats)


@dataclass(frozen=True)
class _Seen:
    """How the columns of two protected pictures are compared; values are opened only if they must.

    Attributes
    ----------
    shown : tuple of str
        As they are shown: nothing else is kept of them, or they are tokens.
    sealed : tuple of str
        As they are sealed, alike then and now.
    opened : tuple of str
        By their values, which were sealed then.
    unknown : frozenset of str
        Not at all.
    floats : tuple of str
        What may keep a stored value.
    by_key : bool
        Whether rows of one key are known to be so as they lie in the table.
    """

    shown: tuple[str, ...]
    sealed: tuple[str, ...]
    opened: tuple[str, ...]
    unknown: frozenset[str]
    floats: tuple[str, ...]
    by_key: bool

    @classmethod
    def of(cls, then: Protection, now: Protection, contract: Contract, rows: pl.DataFrame) -> _Seen:
        hidden = {name for name in then.masks if name not in then.sealed}
        alike = {name for name in then.masks if _shown_alike(name, then, now)}
        shown = {n for n in alike if n in hidden or then.shows_alike(n)}
        floats = {name for name, dtype in rows.schema.items() if holds_floats(dtype)}
        rest = [name for name in then.sealed if name not in shown]
        sealed = [n for n in rest if then == now and n not in floats and n not in contract.key]
        masked = {*then.masks, *now.masks}
        return cls(
            tuple(shown),
            tuple(sealed),
            tuple(name for name in rest if name not in sealed),
            frozenset(hidden - shown),
            tuple(floats - hidden),
            bool(contract.key) and not (set(contract.key) & masked - alike),
        )

    def picture(self, files: Sequence[str], veil: Veil | None, contract: Contract) -> pl.LazyFrame:
        """Return what lies in the files, with the sealed values where they are compared as such."""
        import polars as pl

        beside = tuple((sealed_name(name), "BLOB") for name in self.sealed)
        columns = (*(veil.stored if veil else columns_of(contract)), *beside)
        every = dict(columns)
        picture = Scan("parquet", tuple(files), schema=tuple(every.items())).lazy()
        return picture.with_columns(pl.col(sealed_name(name)).alias(name) for name in self.sealed)

    def alike(self, rows: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
        """Return new rows as they are compared."""
        shown = [stored[name] for name in self.shown]
        sealed = [stored[sealed_name(name)].alias(name) for name in self.sealed]
        return rows.with_columns(*shown, *sealed).drop(self.unknown)


def _shown_alike(column: str, then: Protection, now: Protection) -> bool:
    """Whether equal values of a masked column look equal, then and now."""
    if column not in now.masks:
        return False
    was, becomes = (Mask.from_dict(one.masks[column]) for one in (then, now))
    same = {**was.as_dict(), "except": None} == {**becomes.as_dict(), "except": None}
    return same and (not was.keyed or bool(was.key) or then.key == now.key)
