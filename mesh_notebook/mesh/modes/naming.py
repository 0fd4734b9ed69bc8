"""The name of a row: what an event is about, and what a graph calls a node.

A row is named within its port by its key, `origin=EWR&day=2013-01-01`, as the fragment of the
port's URN. A semantic link points to a column, `urn:dmesh:…:profiles#user_id`; with `=` and the
value it is the name of the row that has this key, and of no other row where the key is wider.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from mesh_notebook.mesh.modes.lexical import lexical
from mesh_notebook.model.address import Address

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.reading import Reading
    from mesh_notebook.model.contract import Column

__all__ = ["column_iri", "escaped", "link_of", "port_urn", "row_name"]

# What a fragment may hold (RFC 3986), without the signs that part one key from the next.
_SAFE = "-._~:@"
_UNSAFE = r"[^A-Za-z0-9\-._~:@]"
_URN = re.compile(r"urn:dmesh:[^#]+#.+", re.DOTALL)


def port_urn(reading: Reading) -> str:
    return str(reading.product.address.with_port(reading.port))


def column_iri(urn: str, column: str) -> str:
    """Return the name of a port's column: what a semantic link points to."""
    return f"{urn}#{quote(column, safe=_SAFE)}"


def link_of(column: Column) -> str | None:
    """Return the name of the column of another port that this one means, or None."""
    link = column.link or ""
    if not _URN.fullmatch(link):
        return None  # an ontology somewhere, whose terms are no rows
    port, _, name = link.partition("#")
    return column_iri(str(Address.parse(port)), name)


def row_name(
    key: tuple[str, ...], schema: pl.Schema, field: Callable[[str], pl.Expr]
) -> pl.Expr | None:
    """Return the expression that names a row by its key; None where there is no key.

    Parameters
    ----------
    field : callable
        Returns the expression of a column.
    """
    import polars as pl

    parts: list[pl.Expr] = []
    for name in key:
        said = f"{'&' if parts else ''}{quote(name, safe=_SAFE)}"
        value = escaped(lexical(field(name), schema[name]))
        # A key that is null (which its contract forbids) has no `=`, so that it is no empty text.
        parts.append(pl.concat_str(pl.lit(f"{said}="), value).fill_null(said))
    return pl.concat_str(parts) if parts else None


def escaped(text: pl.Expr) -> pl.Expr:
    """Return text as it may stand in an IRI, percent-encoded where it must be."""
    import polars as pl

    return text.map_batches(_escape, return_dtype=pl.String, is_elementwise=True)


def _escape(texts: pl.Series) -> pl.Series:
    # Most keys are numbers, dates and plain words, which stay as they are.
    unsafe = texts.filter(texts.str.contains(_UNSAFE)).unique().to_list()
    if not unsafe:
        return texts
    return texts.replace(unsafe, [quote(text, safe=_SAFE) for text in unsafe])
