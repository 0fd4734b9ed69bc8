"""What stands around a product in its mesh: whom it reads, who reads it, who is called alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from mesh_notebook.errors import MeshError, NoSnapshot, NotFound, StoreError, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.address import Address
from mesh_notebook.model.receipt import InputPin, Receipt
from mesh_notebook.workspace.discovery.described import Consumer, Upstream

__all__ = ["consumers_of", "short_name", "upstream_of"]


def upstream_of(pin: InputPin, catalogue: Catalogue, as_of: datetime | None) -> Upstream:
    """Return an input and, of a port of this mesh, the last snapshot that its product has."""
    if pin.kind != "port":
        return Upstream(pin)
    try:
        published, _ = catalogue.resolve(pin.where)
        return Upstream(pin, published.as_of(as_of).snapshot)
    except MeshError:  # not in this mesh, or hurt there: the input itself is known all the same
        return Upstream(pin)


def consumers_of(
    address: Address, others: Sequence[PublishedProduct], as_of: datetime | None
) -> tuple[list[Consumer], tuple[str, ...]]:
    """Return who reads a product's ports, as their last publications say, and who cannot be asked.

    Parameters
    ----------
    address : Address
        Of the product that is read.
    others : sequence of PublishedProduct
        The rest of the mesh.
    as_of : datetime or None
        Which publication is the last one: that by then; None means now.
    """
    consumers: list[Consumer] = []
    unread: list[str] = []
    for other in others:
        try:
            receipt = other.as_of(as_of)
        except NoSnapshot:  # it did not exist yet
            continue
        except (StoreError, NotFound):
            unread.append(str(other.address))
            continue
        consumers.extend(_reads(other.address, receipt, address))
    return consumers, tuple(unread)


def _reads(reader: Address, receipt: Receipt, address: Address) -> Iterator[Consumer]:
    for pin in receipt.inputs:
        port = _port_of(pin, address)
        if port:
            yield Consumer(
                reader, port, pin.version, receipt.processing_time, receipt.status, pin.origin
            )


def _port_of(pin: InputPin, address: Address) -> str | None:
    if pin.kind != "port":
        return None
    try:
        found = Address.parse(pin.where)
    except UsageError:
        return None
    port = found.port
    return port if port and address.with_port(port) == found else None


def short_name(address: Address, others: Sequence[Address]) -> str:
    """Return the shortest name that means one product among others."""
    alike = [other for other in others if other.product == address.product]
    if not alike:
        return address.product
    if all(other.domain != address.domain for other in alike):
        return f"{address.domain}/{address.product}"
    return str(address)
