"""One port's part of a publication: its rows, and how they get into its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import DeployRefused, KeyMissing, StoreError
from mesh_notebook.mesh.disclosure import lag_told, without_erased
from mesh_notebook.mesh.intervals import interval_of_rows
from mesh_notebook.mesh.log import News, extend, folded, news_of, picture_of
from mesh_notebook.mesh.place import Place
from mesh_notebook.mesh.rows import holds_floats
from mesh_notebook.mesh.sealing import Protection, arranged, protected
from mesh_notebook.mesh.standing import Standing, standing_values
from mesh_notebook.mesh.store import conformed, first_line, write_snapshot
from mesh_notebook.mesh.veil import raw_picture
from mesh_notebook.mesh.versions import read_version
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import KINDS, Product
from mesh_notebook.model.receipt import PortSnapshot

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["Outgoing"]


@dataclass(frozen=True)
class Outgoing:
    """The rows of one port under way.

    Attributes
    ----------
    rows : polars.DataFrame
        As they are.
    arranged, stored : polars.DataFrame
        As they are and as the table holds them, both in the order of the table; without those of
        subjects that were erased.
    """

    product: Product
    contract: Contract
    policy: PortPolicy
    rows: pl.DataFrame
    arranged: pl.DataFrame
    stored: pl.DataFrame

    @classmethod
    def of(
        cls, frame: pl.LazyFrame | pl.DataFrame, product: Product, contract: Contract, port: str
    ) -> Outgoing:
        """Have the rows conform to their contract, and be protected as the port's policy says."""
        policy, rows = PortPolicy.of(product, port), conformed(frame, contract)
        return cls._arranged(rows, product, contract, policy)

    @classmethod
    def _arranged(
        cls, rows: pl.DataFrame, product: Product, contract: Contract, policy: PortPolicy
    ) -> Outgoing:
        both = arranged(rows, policy, contract, str(product.address))
        return cls(product, contract, policy, rows, *both)

    @property
    def port(self) -> str:
        return self.policy.port

    @property
    def _temporality(self) -> Mapping[str, Any]:
        return self.product.output(self.port).temporality

    @property
    def _hides_rows(self) -> bool:
        """Whether there are rows of which the log of the table is to tell no value."""
        return bool(self.policy.rows) or self.policy.closed

    @property
    def protection(self) -> Protection:
        """How the rows are protected, by which key too."""
        return Protection.of(self.policy, self.contract, str(self.product.address))

    def after(self, standing: Standing) -> Outgoing:
        """Have the rows keep the stored values of those that stand and are the same."""
        import polars as pl

        if self.rows.is_empty() or not any(map(holds_floats, self.rows.dtypes)):
            return self
        told = (self.contract, self.protection, self.port, str(self.product.address))
        try:
            rows = standing_values(self.arranged, self.stored, standing, *told)
        except (StoreError, KeyMissing, pl.exceptions.PolarsError, OSError):
            # What cannot be read cannot be kept; and it is no bar to what may mend it.
            return self
        if rows is self.arranged:
            return self
        return self._arranged(rows, self.product, self.contract, self.policy)

    def draft(
        self, slos: dict[str, float], shape: dict[str, dict[str, Any]], interval: datetime | None
    ) -> PortSnapshot:
        """Return what the receipt will say of the port, but for where its rows lie, and of what
        content they are.
        """
        temporality = self._temporality
        kind, length = str(temporality.get("kind", "snapshot")), temporality.get("interval")
        if kind not in KINDS:
            raise DeployRefused(
                f"the port '{self.port}' is of the kind '{kind}', which is none.",
                next_step=f"one of {', '.join(KINDS)}",
            )
        of = interval_of_rows(self.rows, self.contract, str(length), interval) if length else ""
        return PortSnapshot(
            *(-1, self.stored.height, "", slos, kind),
            interval=of,
            shape=shape,
            protection=self.protection.as_dict(),
        )

    def is_held_by(self, standing: Standing, content: str) -> bool:
        """Whether a picture may stand for these rows: it holds them, protected as they are."""
        kinds = {standing.snapshot.kind, str(self._temporality.get("kind", "snapshot"))}
        same = content == standing.snapshot.content and self.protection == standing.protection
        # Whether its files are whole is only seen at once where they lie in a folder.
        near = standing.is_own and standing.table.folder is not None
        if not (near and same and kinds == {"snapshot"}):
            return False
        try:
            return read_version(standing.table, standing.snapshot.delta_version).plain
        except StoreError:
            return False

    def write(
        self,
        table: Place,
        draft: PortSnapshot,
        before: PortSnapshot | None,
        metadata: dict[str, str],
        measured: datetime | None,
        version: int | None = None,
    ) -> PortSnapshot:
        """Write the next version of the table; return the draft with what came of it.

        Parameters
        ----------
        before : PortSnapshot, optional
            What was published last of the same major version.
        version : int, optional
            Of a snapshot: the version of the table that holds these rows already.
        """
        if draft.kind == "log":
            return self._extended(table, draft, before, metadata, measured)
        if version is None:
            version = write_snapshot(table, self.stored, self.contract, metadata, self._hides_rows)
        pictures = dict(before.intervals) if before else {}
        if draft.interval:
            pictures[draft.interval] = int(metadata["mesh.snapshot"])
        return replace(draft, delta_version=version, intervals=pictures)

    def _extended(
        self,
        table: Place,
        draft: PortSnapshot,
        before: PortSnapshot | None,
        metadata: dict[str, str],
        measured: datetime | None,
    ) -> PortSnapshot:
        protection = Protection.from_dict(draft.protection)
        if before is None or Protection.from_dict(before.protection) == protection:
            version, news = self._appended(table, protection, before, metadata)
            rows = (before.count if before else 0) + news.rows.height - news.corrected
        else:
            version, news, rows = self._protected_anew(table, before, metadata)
        # A log's lag is that of what it adds, however much else the frame holds.
        lag = {}
        if measured:
            lag = lag_told(
                news.rows, self.policy, self.contract, str(self.product.address), measured
            )
        return replace(
            draft,
            delta_version=version,
            slos={**draft.slos, **lag},
            rows=rows,
            added=news.rows.height,
            corrected=news.corrected,
        )

    def _appended(
        self,
        table: Place,
        protection: Protection,
        before: PortSnapshot | None,
        metadata: dict[str, str],
    ) -> tuple[int, News]:
        base = before.delta_version if before else None
        picture = picture_of(table, base, self.contract, protection.columns)
        news = self._news(self.stored, picture, table)
        return extend(table, base, news, self.contract, metadata, self._hides_rows), news

    def _protected_anew(
        self, table: Place, before: PortSnapshot, metadata: dict[str, str]
    ) -> tuple[int, News, int]:
        """Write the whole picture: no reader is to find the rows of before as they lay.

        Rows that were named by who was erased since have no name any more, and are left out.
        """
        address, subject = str(self.product.address), self.policy.subject
        picture = raw_picture(table, before, self.contract, self.port, address)
        if picture is not None and subject in self.contract.key:
            picture = picture.drop_nulls(subject)
        rows = without_erased(self.rows, subject, address) if subject else self.rows
        news = self._news(rows, picture, table)
        whole = folded(picture, news, self.contract)
        anew = protected(whole, self.policy, self.contract, address)
        version = write_snapshot(table, anew, self.contract, metadata, self._hides_rows)
        return version, news, anew.height

    def _news(self, rows: pl.DataFrame, picture: pl.LazyFrame | None, table: Place) -> News:
        import polars as pl

        try:
            return news_of(rows, picture, self.contract)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise table.unreachable(error) or StoreError(
                f"what was published of the log '{self.port}' cannot be read: {first_line(error)}",
                next_step="restore its files from a backup",
                table=str(table),
            ) from None
