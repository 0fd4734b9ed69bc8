"""A product as it stands in a mesh: its publications, and what each of them holds.

    <root>/<domain>/<product>/
      publications/000000000001.json   one receipt each: the point at which it became true
      releases/<version>-<digest>/     the bundle as it was deployed
      ports/<port>/                    a Delta table; a receipt says which version is its own

Everything else in the folder is of no account to a reader.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from mesh_notebook.errors import NoSnapshot, SpecError, StoreError, UsageError
from mesh_notebook.mesh.bundle import Bundle, inside
from mesh_notebook.mesh.store import files_of
from mesh_notebook.model.address import Address, checked_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.product import DEFAULT_TENANT, Product
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import iso

__all__ = ["PublishedProduct", "publication_path"]

_PUBLICATION = re.compile(r"(\d{12})\.json")
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*")
# How many snapshots are tried to tell which still read, when one does not.
_NEIGHBOURS = 20
T = TypeVar("T")


def publication_path(folder: Path, snapshot: int) -> Path:
    """Return the file whose existence makes a snapshot of the product in `folder` true."""
    return folder / "publications" / f"{snapshot:012}.json"


@dataclass(frozen=True)
class PublishedProduct:
    """A product's folder, read as far as it is asked: opening it lists one folder.

    Every method that meets damage raises `StoreError`, which names the snapshot that is hurt
    and those that still read.
    """

    folder: Path
    # What was read of a release, which never changes.
    _releases: dict[Path, Bundle] = field(default_factory=dict, repr=False, compare=False)

    @property
    def root(self) -> Path:
        """The mesh root, out of which nothing is read."""
        return self.folder.parent.parent

    @property
    def address(self) -> Address:
        """The product's URN; where its latest publication is hurt, as its folders tell it."""
        try:
            return Address.parse(self._receipt(self.snapshots()[-1]).product)
        except (StoreError, UsageError, IndexError):
            return Address(DEFAULT_TENANT, self.folder.parent.name, self.folder.name)

    @property
    def name(self) -> str:
        return self.folder.name

    def snapshots(self) -> list[int]:
        """Return the numbers of the product's publications, oldest first."""
        try:
            names = [path.name for path in (self.folder / "publications").iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot be read: {error.strerror}.",
                next_step="ask who owns the folder for the right to read it",
            ) from None
        return sorted(int(match[1]) for name in names if (match := _PUBLICATION.fullmatch(name)))

    def receipt(self, snapshot: int) -> Receipt:
        """Return one publication; raises `NoSnapshot` where there is none of that number."""
        if not publication_path(self.folder, snapshot).exists():
            known = self.snapshots()
            raise NoSnapshot(
                f"{self.name} has no snapshot {snapshot}.",
                next_step=f"it has {_say(known)}" if known else "deploy the product",
                snapshot=snapshot,
            )
        return self._held(snapshot, lambda: self._receipt(snapshot))

    def latest(self) -> Receipt:
        """Return the last publication; raises `NoSnapshot` where there is none."""
        return self.receipt(self._known()[-1])

    def as_of(self, instant: datetime | None) -> Receipt:
        """Return what was the latest publication at an instant; None means now."""
        known = self._known()
        if instant is None:
            return self.receipt(known[-1])
        moment = iso(instant)
        try:
            place = bisect_right(known, moment, key=lambda n: self._receipt(n).processing_time)
        except StoreError:
            place = self._place_despite_damage(known, moment)
        if place == 0:
            first = self.receipt(known[0])
            raise NoSnapshot(
                f"{self.name} had no snapshot yet at {moment}.",
                next_step=f"its first is {first.snapshot}, published {first.processing_time}",
                first=first.processing_time,
            )
        return self.receipt(known[place - 1])

    def _place_despite_damage(self, known: list[int], moment: str) -> int:
        """Return how many publications there were at `moment`, where that is certain.

        A hurt publication does not tell its time. It lies between those of its neighbours, so
        it was there at the time of the next one, and was not yet there at that of the last.
        """
        times = [self._time_of(n) for n in known]
        place = max((n for n, time in enumerate(times, 1) if time and time <= moment), default=0)
        exact = place > 0 and times[place - 1] == moment
        if not exact and place < len(known) and times[place] is None:
            self.receipt(known[place])  # raises: it may have been the latest then
        return place

    def _time_of(self, snapshot: int) -> str | None:
        try:
            return self._receipt(snapshot).processing_time
        except StoreError:
            return None

    def product(self, receipt: Receipt) -> Product:
        """Return the specification as it was published."""
        return self._held(receipt.snapshot, lambda: self._bundle(receipt).product)

    def contract(self, receipt: Receipt, port: str) -> Contract:
        """Return the contract of an output port as it was published."""
        name = self.product(receipt).output(port).name
        return self._held(receipt.snapshot, lambda: self._bundle(receipt).contract(name))

    def files(self, receipt: Receipt, port: str) -> list[str]:
        """Return the Parquet files, absolute, that hold a port's snapshot; none for no rows."""
        return self._held(receipt.snapshot, lambda: self._files(receipt, port))

    def table(self, port: str) -> Path:
        """Return the folder of a port's Delta table."""
        return self.folder / "ports" / checked_name(port, "port")

    def _known(self) -> list[int]:
        if known := self.snapshots():
            return known
        raise NoSnapshot(
            f"nothing was published of {self.name} yet.", next_step="%mesh deploy publishes it"
        )

    def _receipt(self, snapshot: int) -> Receipt:
        path = inside(publication_path(self.folder, snapshot), self.root)
        try:
            receipt = Receipt.from_dict(json.loads(path.read_text("utf-8")))
        except OSError as error:
            raise StoreError(f"{path.name} cannot be read: {error.strerror}.") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise StoreError(f"the publication {path.name} holds no receipt.") from None
        if receipt.snapshot != snapshot:
            raise StoreError(f"the publication {path.name} is that of {receipt.snapshot}.")
        return receipt

    def _bundle(self, receipt: Receipt) -> Bundle:
        if not _RELEASE.fullmatch(receipt.release):
            raise StoreError(f"'{receipt.release}' is no release.")
        folder = self.folder / "releases" / receipt.release
        if folder not in self._releases:
            self._releases[folder] = Bundle(folder, within=self.root, proof=receipt.spec_digest)
        return self._releases[folder]

    def _files(self, receipt: Receipt, port: str) -> list[str]:
        table = inside(self.table(port), self.root)
        if port not in receipt.ports:
            raise StoreError(f"its receipt says nothing of the port '{port}'.")
        return files_of(table, receipt.ports[port].delta_version)

    def _held(self, snapshot: int, read: Callable[[], T]) -> T:
        """Return what `read` gives; where it meets damage, say what is hurt and what is not."""
        try:
            return read()
        except (StoreError, SpecError) as error:
            still = [n for n in self._neighbours(snapshot) if self._reads(n)]
            raise StoreError(
                f"snapshot {snapshot} of {self.name} is damaged: {error.message}",
                next_step=self._instead(still),
                snapshot=snapshot,
                readable=still,
            ) from None

    def _instead(self, still: list[int]) -> str:
        if not still:
            return f"restore {self.folder} from a backup, or deploy the product anew"
        moment = self._receipt(still[-1]).processing_time
        return f"{_say(still)} still reads: --as-of {moment}"

    def _neighbours(self, snapshot: int) -> list[int]:
        others = [n for n in self.snapshots() if n != snapshot]
        return sorted(sorted(others, key=lambda n: abs(n - snapshot))[:_NEIGHBOURS])

    def _reads(self, snapshot: int) -> bool:
        """Whether a snapshot's receipt, specification, contracts and files are all there."""
        try:
            receipt = self._receipt(snapshot)
            bundle = self._bundle(receipt)
            for port in bundle.product.outputs:
                bundle.contract(port.name)
                self._files(receipt, port.name)
        except (StoreError, SpecError):
            return False
        return True


def _say(snapshots: Iterable[int]) -> str:
    *most, last = [str(n) for n in snapshots]
    if not most:
        return f"snapshot {last}"
    return f"snapshots {', '.join(most)} and {last}"
