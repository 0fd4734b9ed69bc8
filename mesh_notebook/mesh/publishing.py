"""The one way in which a snapshot becomes true.

1. The bundle is kept as a release, and each port's rows as a version of its table. Nobody sees
   either: nothing points to them.
2. One receipt is created, whole and exclusively, as `publications/<next number>.json`. From then
   on every reader sees the new snapshot of every port, and until then none of any.

Whoever finds the number taken lost a race: the rules are held against the new latest, and the
next number is tried.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import DeployRefused, StoreError
from mesh_notebook.mesh.aside import aside, turn
from mesh_notebook.mesh.bundle import SPECIFICATION, Bundle
from mesh_notebook.mesh.earlier import oldest_of, settled
from mesh_notebook.mesh.evolution import (
    last_as_good,
    last_of_major,
    noting_left,
    refuse_changed_version,
    refuse_incompatible,
)
from mesh_notebook.mesh.identity import release_of
from mesh_notebook.mesh.outgoing import Outgoing
from mesh_notebook.mesh.place import Place, place_of
from mesh_notebook.mesh.published import PublishedProduct, publication_path
from mesh_notebook.mesh.standing import Standing, standing_of, told_by
from mesh_notebook.mesh.store import content_of
from mesh_notebook.mesh.verified import verified_at
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.model.product import major_of
from mesh_notebook.model.receipt import InputPin, PortSnapshot, Receipt
from mesh_notebook.model.time import iso

if TYPE_CHECKING:
    import polars as pl


__all__ = ["Publication", "publish", "refuse_changed_version"]

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Publication:
    """What `publish` did: the receipt that stands, and whether it stood before."""

    receipt: Receipt
    unchanged: bool


def publish(
    root: Place | Path | str,
    bundle: Bundle,
    frames: Mapping[str, pl.LazyFrame | pl.DataFrame],
    *,
    status: str,
    origin: Origin,
    inputs: tuple[InputPin, ...],
    slos: Mapping[str, dict[str, float]],
    engine: dict[str, str],
    principal: str,
    clock: Callable[[], datetime],
    interval: datetime | None = None,
    shapes: Mapping[str, dict[str, dict[str, Any]]] | None = None,
    progress: Callable[[str], None] = lambda step: None,
    measured: datetime | None = None,
    after: int | None = None,
    allowed: Mapping[str, str] | None = None,
    cut: str | None = None,
) -> Publication:
    """Publish one snapshot of a product: all of its ports, or nothing.

    Parameters
    ----------
    root : Place, Path or str
        The mesh root; made where there is none.
    frames : mapping
        By output port: the rows, checked before. Of a `log`, rows that the port has already are
        not added again, and rows of a known key correct it.
    slos, shapes : mapping
        By output port: what was measured, at the instant `measured`.
    clock : callable
        Returns the time, UTC. Processing times rise strictly: a clock that is behind the
        latest publication counts as a microsecond after it.
    interval : datetime, optional
        An instant in the interval that the rows are the picture of, for ports that have a picture
        per interval.
    after : int, optional
        The snapshot that must be the latest, 0 for none: else nothing is published.
    allowed : mapping, optional
        By output port: what was let pass on purpose, for the receipt.
    cut : str, optional
        To what window the inputs were cut besides what they are pinned to (see `Receipt`).

    Raises
    ------
    DeployRefused
        The version was published before with another specification or transform, would break
        consumers of its major version, or the folder is that of another product.
    StoreError
        The root cannot be written, or the latest publication is damaged.
    """
    address, place = bundle.product.address, place_of(root)
    published = PublishedProduct.at(place, address)
    with aside(place, address) as work:
        going = {
            port: Outgoing.of(frame, bundle.product, bundle.contract(port), port)
            for port, frame in frames.items()
        }
        draft = Receipt(
            snapshot=0,
            product=str(address),
            version=bundle.product.version,
            status=status,
            processing_time="",
            origin=origin,
            release=bundle.release,
            spec_digest=bundle.spec_digest,
            code_digest=bundle.code_digest,
            meaning=bundle.meaning,
            inputs=inputs,
            ports={
                port: one.draft(slos[port], (shapes or {}).get(port, {}), interval)
                for port, one in going.items()
            },
            engine=engine,
            principal=principal,
            allowed=dict(allowed or {}),
            cut=cut,
        )
        with ThreadPoolExecutor(1, "content") as pool, turn(place, address):
            contents = {port: pool.submit(content_of, one.stored) for port, one in going.items()}
            told = (bundle, draft, going, contents, pool, work, clock, progress, measured, after)
            return _Run(published, *told).publish()


@dataclass(frozen=True)
class _Run:
    """One publication under way; `contents` are hashed beside the writing, on another core.

    `known` says that its release was published before.
    """

    published: PublishedProduct
    bundle: Bundle
    draft: Receipt
    going: Mapping[str, Outgoing]
    contents: Mapping[str, Future[str]]
    pool: ThreadPoolExecutor
    work: Path
    clock: Callable[[], datetime]
    progress: Callable[[str], None]
    measured: datetime | None = None
    after: int | None = None
    known: bool = False

    def publish(self) -> Publication:
        while True:
            known = self.published.snapshots()
            latest = self.published.receipt(known[-1]) if known else None
            self._refuse_later(latest)
            refuse_changed_version(self.published, self.bundle)
            if made := self._of_release()._published(latest):
                return made

    def _published(self, latest: Receipt | None) -> Publication | None:
        """Publish after the latest publication; None where somebody else was first."""
        earlier = last_of_major(self.published, self.draft.version) if latest else None
        standing = standing_of(self.published, latest, earlier, self.draft)
        if earlier:
            refuse_incompatible(self.published, earlier, self.bundle)
            if told := told_by(self.draft, self.contents, earlier, standing):
                return Publication(told, unchanged=True)
        run = self._after(standing)
        if earlier and (told := told_by(self.draft, run.contents, earlier, standing)):
            return Publication(told, unchanged=True)
        run = run._keep_release()
        number = latest.snapshot + 1 if latest else 1
        base = last_as_good(run.published, run.draft.version, run.draft.origin, earlier)
        ports = {port: run._write(port, number, base, standing) for port in self.going}
        receipt = run._receipt(number, latest, base, noting_left(ports, earlier, base))
        self.progress(f"publish snapshot {number} of {self.published.name}")
        try:
            self._create(receipt)
        except FileExistsError:
            return None
        self.progress(f"snapshot {number} of {self.published.name} is published")
        return Publication(receipt, unchanged=False)

    def _of_release(self) -> _Run:
        """Have it be of the release that was published before, where that means the same."""
        told = release_of(self.published, self.bundle)
        if told is None:
            return self
        draft = replace(self.draft, release=told.release, code_digest=told.code_digest)
        return replace(self, draft=draft, known=True)

    def _refuse_later(self, latest: Receipt | None) -> None:
        number = latest.snapshot if latest else 0
        if self.after is None or number == self.after:
            return
        raise DeployRefused(
            f"snapshot {number} of {self.published.name} was published meanwhile, which the plan "
            "did not know of. Nothing was published.",
            next_step="%mesh plan shows what would be done now, and its id",
            snapshot=number,
        )

    def _after(self, standing: Mapping[str, Standing]) -> _Run:
        """Have the rows keep the values of those that stand and are the same."""
        going = {
            port: one.after(standing[port])
            if port in standing and self._version_held(port, standing) is None
            else one
            for port, one in self.going.items()
        }
        if all(one is self.going[port] for port, one in going.items()):
            return self
        contents = {
            port: self.contents[port]
            if one is self.going[port]
            else self.pool.submit(content_of, one.stored)
            for port, one in going.items()
        }
        return replace(self, going=going, contents=contents)

    def _version_held(self, port: str, standing: Mapping[str, Standing]) -> int | None:
        """Return the version of the port's table that holds these rows already, if one does."""
        picture = standing.get(port)
        if picture and self.going[port].is_held_by(picture, self.contents[port].result()):
            return picture.snapshot.delta_version
        return None

    def _keep_release(self) -> _Run:
        """Copy the bundle aside, then move it to its place in one step; return what it is of.

        A deployment that did not come to its end may have left it, from another text that means
        the same: what is kept is what the receipt tells.
        """
        release = self.published.folder / "releases" / self.draft.release
        copy = self.work / "release"
        if copy.is_dir() or (release / SPECIFICATION).exists():
            if copy.is_dir() or self.known:
                return self
            code = hashlib.sha256((release / "transform.py").read()).hexdigest()
            return replace(self, draft=replace(self.draft, code_digest=code))
        self.progress(f"keep the bundle as release {release.name}")
        try:
            self.bundle.copy_to(copy)
            release.keep(copy)
        except OSError as error:
            raise _unwritable(self.published, error) from None
        return self

    def _write(
        self, port: str, number: int, base: Receipt | None, standing: Mapping[str, Standing]
    ) -> PortSnapshot:
        going, draft = self.going[port], self.draft.ports[port]
        self.progress(f"write {self.published.name}/{port}: {going.stored.height:,} rows")
        table = self.published.table(port, major_of(self.draft.version))
        metadata = {
            "mesh.product": self.draft.product,
            "mesh.port": port,
            "mesh.snapshot": str(number),
            "mesh.writtenTime": iso(self.clock()),
        }
        before = base.ports.get(port) if base else None
        version = self._version_held(port, standing)
        written = going.write(table, draft, before, metadata, self.measured, version)
        return replace(written, widened=draft.kind == "log" and self._widened(port, base))

    def _widened(self, port: str, base: Receipt | None) -> bool:
        before = base.ports.get(port) if base else None
        if base is None or before is None:
            return False
        if before.widened or base.spec_digest == self.draft.spec_digest:
            return before.widened
        then = self.published.contract(base, port).columns
        return len(then) < len(self.going[port].contract.columns)

    def _receipt(
        self,
        number: int,
        latest: Receipt | None,
        base: Receipt | None,
        ports: dict[str, PortSnapshot],
    ) -> Receipt:
        # The time is taken last: what is not visible yet is not known yet.
        moment, behind = self.clock(), 0.0
        if latest:
            last = datetime.fromisoformat(latest.processing_time)
            behind = max((last - moment).total_seconds(), 0.0)
            moment = max(moment, last + _TICK)
        oldest = oldest_of(self.published) if latest else None
        verified = verified_at(self.published, latest, moment) if latest else None
        whole = {
            name: replace(
                port,
                content=self.contents[name].result(),
                slos=settled(port.slos, self.measured, moment, latest, oldest, verified),
            )
            for name, port in ports.items()
        }
        logged = any(port.kind == "log" for port in ports.values())
        stands_on = [base.origin] if base and logged else []
        return replace(
            self.draft,
            snapshot=number,
            processing_time=iso(moment),
            origin=worst([self.draft.origin, *stands_on]),
            ports=whole,
            clock_behind_s=behind,
        )

    def _create(self, receipt: Receipt) -> None:
        path = publication_path(self.published.folder, receipt.snapshot)
        text = json.dumps(receipt.as_dict(), indent=2, ensure_ascii=False)
        try:
            path.create(f"{text}\n".encode(), self.work)
        except FileExistsError:
            raise
        except OSError as error:
            raise _unwritable(self.published, error) from None


def _unwritable(published: PublishedProduct, error: OSError) -> StoreError:
    return StoreError(
        f"{published.folder} cannot be written: {error}",
        next_step="is the folder yours to write to, with room on its disk?",
        root=str(published.root),
    )
