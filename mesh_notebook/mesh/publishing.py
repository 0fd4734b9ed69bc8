"""The one way in which a snapshot becomes true.

1. The bundle is kept as a release, and each port's rows as a version of its table. Nobody sees
   either: nothing points to them.
2. One receipt is created, whole and exclusively, as `publications/<next number>.json`. From then
   on every reader sees the new snapshot of every port, and until then none of any.

Whoever finds the number taken lost a race: the rules are held against the new latest, and the
next number is tried.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from mesh_notebook.errors import DeployRefused, StoreError
from mesh_notebook.mesh.aside import aside, create_whole, flush_folder
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.earlier import oldest_of, settled
from mesh_notebook.mesh.published import PublishedProduct, publication_path
from mesh_notebook.mesh.store import conformed, content_of, write_snapshot
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import InputPin, PortSnapshot, Receipt
from mesh_notebook.model.time import iso

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.shape import Shape

__all__ = ["Publication", "publish", "refuse_changed_version"]

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Publication:
    """What `publish` did: the receipt that stands, and whether it stood before."""

    receipt: Receipt
    unchanged: bool


def publish(
    root: Path,
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
    progress: Callable[[str], None] = lambda step: None,
    shapes: Mapping[str, Shape] = MappingProxyType({}),
    measured: datetime | None = None,
) -> Publication:
    """Publish one snapshot of a product: all of its ports, or nothing.

    Parameters
    ----------
    root : Path
        The mesh root; made where there is none.
    frames : mapping
        By output port: the rows, checked before.
    slos : mapping
        By output port: what was measured, at the instant `measured`.
    clock : callable
        Returns the time, UTC. Processing times rise strictly: a clock that is behind the
        latest publication counts as a microsecond after it.
    shapes : mapping
        By output port: its statistical shape (see `mesh.shape`).

    Raises
    ------
    DeployRefused
        The version was published before with another specification or transform, or the
        folder is that of another product.
    StoreError
        The root cannot be written, or the latest publication is damaged.
    """
    address = bundle.product.address
    published = PublishedProduct(root / address.domain / address.product)
    with aside(root, address) as work:
        rows = {port: conformed(frame, bundle.contract(port)) for port, frame in frames.items()}
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
            inputs=inputs,
            ports={
                port: PortSnapshot(
                    -1, f.height, content_of(f), slos[port], shape=shapes.get(port, {})
                )
                for port, f in rows.items()
            },
            engine=engine,
            principal=principal,
        )
        return _Run(published, bundle, draft, rows, work, clock, progress, measured).publish()


@dataclass(frozen=True)
class _Run:
    """One publication under way."""

    published: PublishedProduct
    bundle: Bundle
    draft: Receipt
    rows: Mapping[str, pl.DataFrame]
    work: Path
    clock: Callable[[], datetime]
    progress: Callable[[str], None]
    measured: datetime | None = None

    def publish(self) -> Publication:
        while True:
            known = self.published.snapshots()
            latest = self.published.receipt(known[-1]) if known else None
            refuse_changed_version(self.published, self.bundle)
            if latest and _same(latest, self.draft):
                return Publication(latest, unchanged=True)
            self._keep_release()
            number = latest.snapshot + 1 if latest else 1
            versions = {port: self._write(port, number) for port in self.rows}
            receipt = self._receipt(number, latest, versions)
            self.progress(f"publish snapshot {number} of {self.published.name}")
            try:
                self._create(receipt)
            except FileExistsError:
                continue
            self.progress(f"snapshot {number} of {self.published.name} is published")
            return Publication(receipt, unchanged=False)

    def _keep_release(self) -> None:
        """Copy the bundle aside, then move it to its place in one step."""
        release = self.published.folder / "releases" / self.draft.release
        if release.is_dir():
            return
        self.progress(f"keep the bundle as release {release.name}")
        copy = self.work / "release"
        try:
            shutil.copytree(self.bundle.folder, copy, ignore=_not_kept)
            if Bundle(copy).release != release.name:
                raise DeployRefused(
                    f"{self.bundle.folder} was changed while it was deployed.",
                    next_step="deploy it again",
                )
            _flush_tree(copy)
            release.parent.mkdir(parents=True, exist_ok=True)
            self._move(copy, release)
            flush_folder(release.parent)
        except OSError as error:
            raise _unwritable(self.published, error) from None

    def _move(self, copy: Path, release: Path) -> None:
        try:
            copy.rename(release)
        except OSError:
            # Somebody else keeps the same release at this moment: theirs is as good.
            if not release.is_dir():
                raise

    def _write(self, port: str, number: int) -> int:
        self.progress(f"write {self.published.name}/{port}: {self.rows[port].height:,} rows")
        table = self.published.table(port)
        metadata = {
            "mesh.product": self.draft.product,
            "mesh.port": port,
            "mesh.snapshot": str(number),
            "mesh.writtenTime": iso(self.clock()),
        }
        return write_snapshot(table, self.rows[port], self.bundle.contract(port), metadata)

    def _receipt(self, number: int, latest: Receipt | None, versions: dict[str, int]) -> Receipt:
        # The time is taken last: what is not visible yet is not known yet.
        moment = self.clock()
        if latest:
            moment = max(moment, datetime.fromisoformat(latest.processing_time) + _TICK)
        oldest = oldest_of(self.published) if latest else None
        ports = {
            port: replace(
                snapshot,
                delta_version=versions[port],
                slos=settled(snapshot.slos, self.measured, moment, latest, oldest),
            )
            for port, snapshot in self.draft.ports.items()
        }
        return replace(self.draft, snapshot=number, processing_time=iso(moment), ports=ports)

    def _create(self, receipt: Receipt) -> None:
        path = publication_path(self.published.folder, receipt.snapshot)
        text = json.dumps(receipt.as_dict(), indent=2, ensure_ascii=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            create_whole(path, f"{text}\n", self.work)
        except FileExistsError:
            raise
        except OSError as error:
            raise _unwritable(self.published, error) from None


def refuse_changed_version(published: PublishedProduct, bundle: Bundle) -> None:
    """Raise `DeployRefused` where a publication stands that forbids this bundle.

    That is one of the same version with another specification, contract or transform, or one of
    another product in the same folder.
    """
    address, version = str(bundle.product.address), bundle.product.version
    snapshots = published.snapshots()
    if snapshots and (standing := published.latest().product) != address:
        raise DeployRefused(
            f"{published.folder} is the home of {standing}, not of {address}.",
            next_step="give the product another name or domain, or deploy to another root",
            standing=standing,
        )
    others = {
        path.name
        for path in (published.folder / "releases").glob("*")
        if path.name.rpartition("-")[0] == version and path.name != bundle.release
    }
    # A release that nothing points to was left by a deployment that did not come to its end.
    for snapshot in reversed(snapshots) if others else ():
        receipt = published.receipt(snapshot)
        if receipt.release in others:
            raise _changed(receipt, bundle)


def _changed(earlier: Receipt, bundle: Bundle) -> DeployRefused:
    pairs = {
        "specification": (earlier.spec_digest, bundle.spec_digest),
        "transform": (earlier.code_digest, bundle.code_digest),
    }
    differs = [what for what, (then, now) in pairs.items() if then != now]
    version = bundle.product.version
    return DeployRefused(
        f"version {version} of {bundle.product.name} was published before (snapshot "
        f"{earlier.snapshot}) with another {' and another '.join(differs)}.",
        next_step=f"raise the version in the notebook (%mesh product {bundle.product.name} "
        f"--version {_raised(version)}) and export again",
        version=version,
        differs=differs,
        snapshot=earlier.snapshot,
    )


def _raised(version: str) -> str:
    head, dot, last = version.rpartition(".")
    return f"{head}{dot}{int(last) + 1}" if last.isdecimal() else f"{version}.1"


def _same(latest: Receipt, draft: Receipt) -> bool:
    """Whether publishing would change nothing but the time."""

    def told(receipt: Receipt) -> tuple[object, ...]:
        contents = {port: snapshot.content for port, snapshot in receipt.ports.items()}
        return receipt.spec_digest, receipt.code_digest, receipt.inputs, contents

    return told(latest) == told(draft)


def _not_kept(folder: str, names: list[str]) -> list[str]:
    """Name what a release leaves out: hidden files, caches, and links, which lead elsewhere."""
    return [
        name
        for name in names
        if name.startswith((".", "__pycache__")) or os.path.islink(os.path.join(folder, name))
    ]


def _flush_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            flush_folder(path)


def _unwritable(published: PublishedProduct, error: OSError) -> StoreError:
    return StoreError(
        f"{published.folder} cannot be written: {error}",
        next_step="is the folder yours to write to, with room on its disk?",
        root=str(published.root),
    )
