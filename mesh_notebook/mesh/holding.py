"""Whether a port's rows, as they are now, hold a value in a column, masked as it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.mesh.keys import key_of
from mesh_notebook.mesh.masking import plain, unplain
from mesh_notebook.mesh.pseudonyms import keys_of
from mesh_notebook.mesh.reading import raw_rows
from mesh_notebook.mesh.vault import Vault

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.policy import Mask, PortPolicy
    from mesh_notebook.model.receipt import Receipt

__all__ = ["holds"]


def holds(
    published: PublishedProduct,
    receipt: Receipt,
    port: str,
    policy: PortPolicy,
    column: str,
    value: str,
) -> bool:
    """Return whether a value, in the words of `masking.plain`, is in the newest picture.

    Its tokens count, too. What a mask shows that many values share (a band, a region) does not.

    Raises
    ------
    KeyMissing
        Without the key nobody can tell.
    """
    rows = raw_rows(published, receipt, port).select(column).collect()[column]
    texts = plain(rows)
    wanted = [value]
    mask = policy.mask(column)
    if mask and mask.keyed:
        wanted += _tokens(rows, mask, value, str(published.address))
    return bool(texts.is_in(wanted).any())


def _tokens(rows: pl.Series, mask: Mask, value: str, product: str) -> list[str]:
    import polars as pl

    try:
        given = unplain(pl.Series(mask.column, [value]), rows.dtype)
    except pl.exceptions.PolarsError:  # no value of that type is written so
        return []
    key = key_of(mask.key or product)
    own = keys_of(mask.key, [value]) if mask.key else None
    subjects = None if own is None else plain(given)
    vault = Vault(key, mask.column if mask.key else "", subjects, own or {})
    return plain(vault.masked(given, mask, key if mask.key else None)).to_list()
