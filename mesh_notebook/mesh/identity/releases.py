"""Which release a bundle is of: the same documents, and a transform that means the same.

A receipt says what its transform means. Where that is not what the bundle's means, the release
that was kept is asked: an older version of this package wrote no meaning, or told it otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.errors import SpecError, StoreError, Unreachable
from mesh_notebook.mesh.identity.differing import first_difference

if TYPE_CHECKING:
    from mesh_notebook.mesh.bundle import Bundle
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.receipt import Receipt

__all__ = ["changed_statement", "is_of", "release_of", "same_transform"]


def is_of(published: PublishedProduct, receipt: Receipt, bundle: Bundle) -> bool:
    """Return whether a publication was made with what a bundle means."""
    return bundle.is_specified_by(receipt.spec_digest) and same_transform(
        published, receipt, bundle
    )


def same_transform(published: PublishedProduct, receipt: Receipt, bundle: Bundle) -> bool:
    """Return whether the transform of a publication means what a bundle's does."""
    if receipt.code_digest == bundle.code_digest or receipt.meaning == bundle.meaning:
        return True
    kept = _kept(published, receipt)
    return kept is not None and kept.meaning == bundle.meaning


def release_of(published: PublishedProduct, bundle: Bundle) -> Receipt | None:
    """Return the last publication of the release that a bundle is; None where there is none."""
    for receipt in published.of_version(bundle.product.version):
        if is_of(published, receipt, bundle):
            return receipt
    return None


def changed_statement(published: PublishedProduct, receipt: Receipt, bundle: Bundle) -> str:
    """Say the first statement in which a bundle's transform is not that of a publication.

    Nothing is said where the release cannot be read, or no statement tells.
    """
    kept = _kept(published, receipt)
    if kept is None:
        return ""
    return first_difference(kept.transform.read_bytes(), bundle.transform.read_bytes())


def _kept(published: PublishedProduct, receipt: Receipt) -> Bundle | None:
    """Return the bundle that a publication was made with; None where it is damaged."""
    try:
        kept = published.release(receipt)
        kept.transform  # noqa: B018  -- raises where there is none
    except Unreachable:
        raise
    except (StoreError, SpecError):
        return None
    return kept
