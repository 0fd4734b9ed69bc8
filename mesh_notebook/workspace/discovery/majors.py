"""Major versions that are served beside each other, and who still reads which."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_notebook.errors import NotFound, StoreError
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.product import major_of, rank_of
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.workspace.discovery.described import Consumer

__all__ = ["majors_beside", "newer_major"]


def newer_major(published: PublishedProduct, receipt: Receipt) -> str:
    """Return the version of a newer major that is published; empty where there is none."""
    if published.majors()[:1] in ([], [own := major_of(receipt.version)]):
        return ""
    current = published.as_of(None)
    return current.version if rank_of(major_of(current.version)) > rank_of(own) else ""


def majors_beside(
    published: PublishedProduct, receipt: Receipt, consumers: Sequence[Consumer]
) -> tuple[str, ...]:
    """Say which other major versions are served, by a sentence each."""
    said = []
    for major in published.majors():
        if major == major_of(receipt.version):
            continue
        try:
            last = published.as_of(None, major)
        except (NotFound, StoreError):  # a release that never came to be one, or is hurt
            continue
        readers = sorted({c.address.product for c in consumers if _reads(published, c, major)})
        who = f"read by {', '.join(readers)}" if readers else "read by nobody in this mesh"
        kind = "newer" if rank_of(major) > rank_of(major_of(receipt.version)) else "older"
        said.append(
            f"The {kind} major version {major} is served beside it ({last.version}, snapshot "
            f"{last.snapshot}): {who}."
        )
    return tuple(said)


def _reads(published: PublishedProduct, consumer: Consumer, major: str) -> bool:
    number = consumer.snapshot.partition(",")[0]  # of a sample, how it was chosen follows
    if not number.isdecimal():
        return False
    try:
        return major_of(published.receipt(int(number)).version) == major
    except (NotFound, StoreError):
        return False
