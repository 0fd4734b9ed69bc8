"""A product as it stands in a mesh: its publications, and what each of them holds.

    <root>/<domain>/<product>/
      publications/000000000001.json   one receipt each: the point at which it became true
      publications/from-000000000001.json   the first snapshot that retention kept
      releases/<version>-<digest>/     the bundle as it was deployed
      ports/<port>/v<major>/           a Delta table; a receipt says which version is its own

Everything else in the folder is of no account to a reader.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mesh_notebook.errors import NoSnapshot, SpecError, StoreError, Unreachable, UsageError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.place import Place, inside, place_of
from mesh_notebook.mesh.versions import Version, read_version
from mesh_notebook.model.address import Address, checked_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.product import DEFAULT_TENANT, Product, major_of, rank_of
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import iso

if TYPE_CHECKING:
    from mesh_notebook.mesh.inputs import EventWindow

__all__ = ["PublishedProduct", "horizon_path", "publication_path"]

_PUBLICATION = re.compile(r"(\d{12})\.json")
_HORIZON = re.compile(r"from-(\d{12})\.json")
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*")
# How many snapshots are tried to tell which still read, when one does not.
_NEIGHBOURS = 20
T = TypeVar("T")


def publication_path(folder: Place, snapshot: int) -> Place:
    """Return the file whose existence makes a snapshot of the product in `folder` true."""
    return folder / "publications" / f"{snapshot:012}.json"


def horizon_path(folder: Place, snapshot: int) -> Place:
    """Return the file whose existence makes a snapshot the first that is readable."""
    return folder / "publications" / f"from-{snapshot:012}.json"


def _numbers(pattern: re.Pattern[str], names: list[str]) -> list[int]:
    return sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name)))


@dataclass(frozen=True)
class PublishedProduct:
    """A product's folder, read as far as it is asked: opening it lists one folder.

    Every method that meets damage raises `StoreError`, which names the snapshot that is hurt
    and those that still read.
    """

    root: Place
    domain: str
    name: str
    # What was read of a release, which never changes.
    _releases: dict[str, Bundle] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def at(cls, root: Place | Path | str, address: Address) -> PublishedProduct:
        """Return where a product stands in a mesh, or would."""
        return cls(place_of(root), address.domain, address.product)

    @property
    def folder(self) -> Place:
        """`<root>/<domain>/<product>`."""
        return self.root / self.domain / self.name

    @property
    def address(self) -> Address:
        """The product's URN; where its latest publication is hurt, as its folders tell it."""
        try:
            return Address.parse(self._receipt(self.snapshots()[-1]).product)
        except Unreachable:
            raise
        except (StoreError, UsageError, IndexError, FileNotFoundError):
            return Address(DEFAULT_TENANT, self.domain, self.name)

    def snapshots(self) -> list[int]:
        """Return the numbers of the publications that retention kept, oldest first."""
        names = (self.folder / "publications").entries()
        first = max(_numbers(_HORIZON, names), default=0)
        return [number for number in _numbers(_PUBLICATION, names) if number >= first]

    def all_snapshots(self) -> list[int]:
        """Return the numbers of the publications, those before the horizon too."""
        return _numbers(_PUBLICATION, (self.folder / "publications").entries())

    def receipt(self, snapshot: int) -> Receipt:
        """Return one publication; raises `NoSnapshot` where there is none of that number."""
        try:
            return self._held(snapshot, lambda: self._receipt(snapshot))
        except FileNotFoundError:
            known = self.snapshots()
            raise NoSnapshot(
                f"{self.name} has no snapshot {snapshot}.",
                next_step=f"it has {_say(known)}" if known else "deploy the product",
                snapshot=snapshot,
            ) from None

    def latest(self) -> Receipt:
        """Return the last publication; raises `NoSnapshot` where there is none."""
        return self.receipt(self._known()[-1])

    def majors(self) -> list[str]:
        """Return the major versions that there are releases of, the newest first."""
        names = (self.folder / "releases").folders()
        found = {major_of(name.rpartition("-")[0]) for name in names}
        return sorted(found, key=rank_of, reverse=True)

    def as_of(self, instant: datetime | None, major: str | None = None) -> Receipt:
        """Return what was the latest publication at an instant; None means now.

        Parameters
        ----------
        major : str, optional
            Of which major version. None means the newest that there was: an old one is served
            beside it, and a later publication of the old one does not take its place.
        """
        found = self._last(instant)
        majors = self.majors()
        if major == major_of(found.version) or (
            major is None and majors[:1] in ([], [major_of(found.version)])
        ):
            return found
        return self._of_major(found, major)

    def _of_major(self, last: Receipt, major: str | None) -> Receipt:
        """Return the last publication of a major version, up to a publication."""
        best: Receipt | None = None
        for number in reversed([n for n in self.snapshots() if n <= last.snapshot]):
            try:
                receipt = last if number == last.snapshot else self._receipt(number)
            except Unreachable:
                raise
            except (StoreError, FileNotFoundError):
                continue
            of = major_of(receipt.version)
            if of == major:
                return receipt
            if major is None and (best is None or rank_of(of) > rank_of(major_of(best.version))):
                best = receipt
                if of == self.majors()[0]:
                    break
        if best is None:
            known = ", ".join(self.majors())
            raise NoSnapshot(
                f"{self.name} has no snapshot of the major version {major} any more, or had none "
                "yet.",
                next_step=f"its major versions are {known}: connect anew to read another",
                major=major,
            )
        return best

    def _last(self, instant: datetime | None) -> Receipt:
        known = self._known()
        if instant is None:
            return self.receipt(known[-1])
        moment = iso(instant)
        try:
            place = bisect_right(known, moment, key=lambda n: self._receipt(n).processing_time)
        except Unreachable:
            raise
        except StoreError:
            place = self._place_despite_damage(known, moment)
        except FileNotFoundError:  # retention took one away between the list and the look
            return self._last(instant)
        if place == 0:
            raise self._too_early(self.receipt(known[0]), moment)
        return self.receipt(known[place - 1])

    def _too_early(self, first: Receipt, moment: str) -> NoSnapshot:
        """Say which snapshot is the first that there is, or still is."""
        had = "has no snapshot of" if first.snapshot > 1 else "had no snapshot yet at"
        still = "the first that retention kept" if first.snapshot > 1 else "its first"
        return NoSnapshot(
            f"{self.name} {had} {moment}.",
            next_step=f"{still} is {first.snapshot}, published {first.processing_time}",
            first=first.processing_time,
        )

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
        except (StoreError, FileNotFoundError):
            return None

    def of_version(self, version: str) -> Iterator[Receipt]:
        """Yield the last publication of each release of a version, the newest first."""
        names = (self.folder / "releases").folders()
        # A release that nothing points to was left by a deployment that did not come to its end.
        left = {name for name in names if name.rpartition("-")[0] == version}
        for snapshot in reversed(self.snapshots()) if left else ():
            receipt = self.receipt(snapshot)
            if receipt.release in left:
                left.discard(receipt.release)
                yield receipt
            if not left:
                return

    def release(self, receipt: Receipt) -> Bundle:
        """Return the bundle that a publication was made with, as it was kept."""
        return self._held(receipt.snapshot, lambda: self._bundle(receipt))

    def product(self, receipt: Receipt) -> Product:
        """Return the specification as it was published."""
        return self._held(receipt.snapshot, lambda: self._bundle(receipt).product)

    def contract(self, receipt: Receipt, port: str) -> Contract:
        """Return the contract of an output port as it was published."""
        name = self.product(receipt).output(port).name
        return self._held(receipt.snapshot, lambda: self._bundle(receipt).contract(name))

    def files(self, receipt: Receipt, port: str) -> list[str]:
        """Return the Parquet files, paths or URLs, of a port's snapshot; none for no rows."""
        return self.version(receipt, port).files

    def version(
        self,
        receipt: Receipt,
        port: str,
        window: EventWindow | None = None,
        shown: Sequence[int] = (),
    ) -> Version:
        """Return what a port's snapshot is made of (see `read_version`)."""
        return self._held(receipt.snapshot, lambda: self._version(receipt, port, window, shown))

    def table(self, port: str, major: str) -> Place:
        """Return the folder of a port's Delta table: each major version has one of its own."""
        return self.folder / "ports" / checked_name(port, "port") / f"v{checked_name(major)}"

    def _known(self) -> list[int]:
        if known := self.snapshots():
            return known
        raise NoSnapshot(
            f"nothing was published of {self.name} yet.", next_step="%mesh deploy publishes it"
        )

    def _receipt(self, snapshot: int) -> Receipt:
        path = publication_path(self.folder, snapshot)
        try:
            receipt = Receipt.from_dict(json.loads(path.read()))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise StoreError(f"the publication {path.name} holds no receipt.") from None
        if receipt.snapshot != snapshot:
            raise StoreError(f"the publication {path.name} is that of {receipt.snapshot}.")
        return receipt

    def _bundle(self, receipt: Receipt) -> Bundle:
        if not _RELEASE.fullmatch(receipt.release):
            raise StoreError(f"'{receipt.release}' is no release.")
        if receipt.release not in self._releases:
            folder = (self.folder / "releases" / receipt.release).local()
            self._releases[receipt.release] = Bundle(
                folder, within=self.root.folder, proof=receipt.spec_digest
            )
        return self._releases[receipt.release]

    def _version(
        self,
        receipt: Receipt,
        port: str,
        window: EventWindow | None = None,
        shown: Sequence[int] = (),
    ) -> Version:
        if port not in receipt.ports:
            raise StoreError(f"its receipt says nothing of the port '{port}'.")
        table = self.table(port, major_of(receipt.version))
        if table.folder and self.root.folder:
            inside(table.folder, self.root.folder)
        return read_version(table, receipt.ports[port].delta_version, window, shown)

    def _held(self, snapshot: int, read: Callable[[], T]) -> T:
        """Return what `read` gives; where it meets damage, say what is hurt and what is not."""
        try:
            return read()
        except Unreachable:
            raise  # which says nothing of this snapshot, nor of its neighbours
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
                self._version(receipt, port.name)
        except (StoreError, SpecError, FileNotFoundError):
            return False
        return True


def _say(snapshots: Iterable[int]) -> str:
    *most, last = [str(n) for n in snapshots]
    if not most:
        return f"snapshot {last}"
    return f"snapshots {', '.join(most)} and {last}"
