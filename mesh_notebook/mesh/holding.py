"""Whether a port holds a value in a column, as far as who asks may tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.errors import AccessDenied
from mesh_notebook.mesh.keys import key_of
from mesh_notebook.mesh.masking import plain, unplain
from mesh_notebook.mesh.pseudonyms import keys_of
from mesh_notebook.mesh.reading import Reading, read_port
from mesh_notebook.mesh.vault import Vault
from mesh_notebook.model.time import Window

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.policy import Asker, Mask

__all__ = ["holds"]


def holds(published: PublishedProduct, port: str, column: str, value: str, asker: Asker) -> bool:
    """Return whether a value, in the words of `masking.plain`, is in what a read shows now.

    It is read through the port, and told by its token where that is what the port shows: who holds
    the key can tell whose a token is.

    Raises
    ------
    AccessDenied
        The policy hides from who asks what would tell.
    KeyMissing
        Only a key that is not here could tell.
    """
    reading = read_port(published, port, Window(), asker)
    rows = reading.frame.select(column).collect()[column]
    mask = reading.decision.mask(column)
    wanted = _tokens(rows, mask, value, reading) if mask else [value]
    if plain(rows).is_in(wanted).any():
        return True
    if mask and mask.key and mask.exempt:  # it may bear a token of before it was forgotten
        raise _untold(reading, column, f"it is masked by {mask.kind}")
    if reading.decision.filters:
        raise _untold(reading, column, "some rows are hidden")
    return False


def _tokens(rows: pl.Series, mask: Mask, value: str, reading: Reading) -> list[str]:
    import polars as pl

    subject = reading.decision.policy.subject
    if not mask.keyed or (subject and not mask.key):  # else it is under its subject's own key
        raise _untold(reading, mask.column, f"it is masked by {mask.kind}")
    try:
        given = unplain(pl.Series(mask.column, [value]), rows.dtype)
    except pl.exceptions.PolarsError:  # no value of that type is written so
        return []
    key = key_of(mask.key or reading.receipt.product)
    own = keys_of(mask.key, [value]) if mask.key else None
    vault = Vault(key, reading.port, None if own is None else plain(given), own or {})
    return plain(vault.masked(given, mask, key if mask.key else None)).to_list()


def _untold(reading: Reading, column: str, why: str) -> AccessDenied:
    who = reading.principal.name
    return AccessDenied(
        f"whether {column} holds it cannot be told to {who}: {why}.",
        next_step="erase as who may see it: mesh --principal NAME erase …",
        column=column,
    )
