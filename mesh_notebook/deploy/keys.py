"""The key that a product's policies take: made with its first protected publication, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import KeyMissing
from mesh_notebook.mesh.keys import made_key
from mesh_notebook.mesh.sealing import Protection, fingerprint
from mesh_notebook.model.policy import PortPolicy

if TYPE_CHECKING:
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.product import Product

__all__ = ["ready_key", "refuse_other_key"]


def ready_key(
    published: PublishedProduct, product: Product, contracts: Mapping[str, Contract]
) -> Path | None:
    """Have the key that a product's policies take; return its file where it was made now.

    Raises
    ------
    KeyMissing
        As `refuse_other_key`.
    """
    if not _takes_key(product, contracts) or refuse_other_key(published, product, contracts):
        return None
    return made_key(str(product.address))


def refuse_other_key(
    published: PublishedProduct, product: Product, contracts: Mapping[str, Contract]
) -> bool:
    """Return whether snapshots were sealed before, with the key that is here.

    Raises
    ------
    KeyMissing
        Snapshots were sealed before, and the key is not here, or is another one: what is published
        now would not join with what was.
    """
    if not _takes_key(product, contracts):
        return False
    name = str(product.address)
    for snapshot in reversed(published.snapshots()):
        ports = published.receipt(snapshot).ports.values()
        if known := {p for port in ports if (p := port.protection.get("key"))}:
            if fingerprint(name) not in known:
                raise KeyMissing(
                    f"the key of {product.name} that is here is not the one that snapshot "
                    f"{snapshot} was sealed with.",
                    next_step="bring the key that it was published with: MESH_KEYS, or MESH_KEY",
                )
            return True
    return False


def _takes_key(product: Product, contracts: Mapping[str, Contract]) -> bool:
    policies = [PortPolicy.of(product, port) for port in contracts]
    return any(Protection.of(p, contracts[p.port]).takes_key for p in policies)
