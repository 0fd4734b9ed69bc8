"""Who reads a product: the deployed products that were made of its ports, and of which columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.address import Address
from mesh_notebook.model.lineage import FILE, Lineage
from mesh_notebook.model.receipt import Receipt

__all__ = ["Consumer", "consumers_of", "lineage_in", "release_of"]


@dataclass(frozen=True)
class Consumer:
    """A deployed product that reads a port.

    Attributes
    ----------
    product : Address
    version : str
        The version of it that is deployed.
    port : str
        The port that it reads.
    major : str or None
        The major version that it keeps to; None where it takes the newest.
    reads : tuple of str or None
        The columns that its transform uses; None where that is not known, so it may be any.
    """

    product: Address
    version: str
    port: str
    major: str | None
    reads: tuple[str, ...] | None

    def uses(self, column: str) -> bool:
        """Whether it may be touched by what happens to a column; empty means the whole port."""
        return not column or self.reads is None or column in self.reads


def consumers_of(catalogue: Catalogue, address: Address) -> tuple[Consumer, ...]:
    """Return who reads a product's ports, by its newest publication.

    A product that is damaged cannot tell what it reads, and is left out: it is not served either.
    """
    found: list[Consumer] = []
    for published in catalogue.products():
        try:
            found += _reading(published, address)
        except MeshError:
            continue
    return tuple(sorted(found, key=lambda one: (str(one.product), one.port)))


def _reading(published: PublishedProduct, address: Address) -> Iterator[Consumer]:
    if published.address == address:
        return
    receipt = published.as_of(None)
    upstream = {p.name: Address.parse(p.where) for p in receipt.inputs if p.kind == "port"}
    used = {n: where for n, where in upstream.items() if replace(where, port=None) == address}
    if not used:
        return
    lineage = lineage_in(release_of(published, receipt))
    recipes = {port.name: port.recipe for port in published.product(receipt).inputs}
    for name, where in used.items():
        major = recipes.get(name, {}).get("major")
        reads = lineage.reads.get(name, ()) if lineage else None
        told = str(major) if major is not None else None
        yield Consumer(published.address, receipt.version, where.port or "", told, reads)


def release_of(published: PublishedProduct, receipt: Receipt) -> Path:
    """Return where the bundle of a publication can be read on this machine."""
    return Path((published.folder / "releases" / receipt.release).local())


def lineage_in(folder: Path) -> Lineage | None:
    """Return the column lineage that a bundle carries; None where there is none to be read."""
    try:
        return Lineage.from_dict(json.loads((folder / FILE).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
