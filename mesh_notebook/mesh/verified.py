"""When a publication was found to be unchanged: who reads it knows that it is as fresh as that.

A deployment that finds nothing new publishes nothing. Where a promise counts it, what it found is
noted beside the publications, by a file whose name says all: `verified/<snapshot>-<time>.json`.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mesh_notebook.mesh.aside import aside
from mesh_notebook.model.time import iso

if TYPE_CHECKING:
    from mesh_notebook.mesh.place import Place
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.receipt import Receipt

__all__ = ["counts_verified", "forget_verified", "note_verified", "verified_at"]

_NOTE = re.compile(r"(\d{12})-(\d{8}T\d{6}\.\d{6})Z\.json")
_WRITTEN = "%Y%m%dT%H%M%S.%f"
_MOST = 400  # a year of days, and some
_COUNTED = ("freshness", "frequency", "interval")


def counts_verified(contract: Contract) -> bool:
    """Whether a promise of a contract is kept by what is published as well as by looking again."""
    return any(slo.property in _COUNTED for slo in contract.slos)


def note_verified(
    published: PublishedProduct, receipt: Receipt, moment: datetime, principal: str
) -> None:
    """Note that a deployment at an instant would have published what stands.

    Raises
    ------
    StoreError, OSError
        It cannot be noted.
    """
    folder, at = _folder(published), moment.astimezone(UTC)
    told = {"snapshot": receipt.snapshot, "verified": iso(at), "principal": principal}
    content = f"{json.dumps(told)}\n".encode()
    with aside(published.root, published.address) as work:
        try:
            (folder / f"{receipt.snapshot:012}-{at.strftime(_WRITTEN)}Z.json").create(content, work)
        except FileExistsError:  # by another one, in the very same microsecond
            return
    for name in sorted(folder.entries())[:-_MOST]:
        (folder / name).remove()


def verified_at(
    published: PublishedProduct, receipt: Receipt, now: datetime | None = None
) -> datetime | None:
    """Return when a publication was last found unchanged, by an instant; None where never since."""
    found = [
        moment
        for snapshot, moment in _notes(published)
        if snapshot == receipt.snapshot and (now is None or moment <= now)
    ]
    last = max(found, default=None)
    return last if last and last > datetime.fromisoformat(receipt.processing_time) else None


def forget_verified(published: PublishedProduct, kept: set[int]) -> None:
    """Take away what was noted of snapshots that are not kept."""
    folder = _folder(published)
    for name in folder.entries():
        match = _NOTE.fullmatch(name)
        if match and int(match[1]) not in kept:
            (folder / name).remove()


def _folder(published: PublishedProduct) -> Place:
    return published.folder / "verified"


def _notes(published: PublishedProduct) -> list[tuple[int, datetime]]:
    matches = (_NOTE.fullmatch(name) for name in _folder(published).entries())
    return [
        (int(m[1]), datetime.strptime(m[2], _WRITTEN).replace(tzinfo=UTC)) for m in matches if m
    ]
