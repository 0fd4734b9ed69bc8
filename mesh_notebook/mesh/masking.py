"""What a mask makes of a column's values, and which masks fit which columns."""

from __future__ import annotations

import hmac
from math import inf
from typing import TYPE_CHECKING

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.rows import same

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Column, Contract
    from mesh_notebook.model.policy import Mask

__all__ = ["MARK", "keyless", "plain", "refuse_unfit", "token", "unplain"]

# What stands in place of a text that is redacted, also of one that is not there.
MARK = "***"
_BANDS = "bands\0"
_TOKEN = 32  # hexadecimal digits: 128 bits
_UNITS = ("hour", "day", "month", "quarter", "year")


def keyless(values: pl.Series, mask: Mask) -> pl.Series:
    """Return what a mask that needs no key shows of the values, of the same type.

    A band is shown by its least value; where that is none of the type's, by null.
    """
    import polars as pl

    if mask.kind == "redact":
        return pl.Series(values.name, [MARK], dtype=pl.String).new_from_index(0, len(values))
    if mask.kind == "null":
        return pl.Series(values.name, [None], dtype=values.dtype).new_from_index(0, len(values))
    if mask.kind == "truncate":
        return values.str.slice(0, mask.keep)
    if mask.groups:
        region_of = {place: region for region, places in mask.groups.items() for place in places}
        return values.replace_strict(region_of, default=None, return_dtype=pl.String)
    if values.dtype.is_temporal():
        every = {"hour": "1h", "day": "1d", "month": "1mo", "quarter": "1q", "year": "1y"}
        return values.dt.truncate(every[mask.to])
    if values.dtype.is_integer():  # exactly: a float has no room for 64 bits
        whole, wide = pl.col(values.name).cast(pl.Int128), pl.lit(int(float(mask.to)), pl.Int128)
        band = (whole // wide * wide).cast(values.dtype, strict=False)
        return values.to_frame().select(band).to_series()
    return _banded(values, float(mask.to))


def _banded(values: pl.Series, width: float) -> pl.Series:
    """Return the least value of each number's band; noise below that value is still in the band."""
    import polars as pl

    bands = (values / width).alias(_BANDS)
    number, nearest = pl.col(values.name), pl.col(_BANDS).round()
    at_its_edge = same(number, (nearest * width).cast(values.dtype, strict=False), values.dtype)
    band = pl.when(at_its_edge).then(nearest).otherwise(pl.col(_BANDS).floor()) * width
    rows = pl.DataFrame([values, bands])
    return rows.select(band.cast(values.dtype, strict=False).alias(values.name)).to_series()


def plain(values: pl.Series) -> pl.Series:
    """Return values as text that `unplain` reads back exactly; null stays null."""
    import polars as pl

    if values.dtype == pl.Binary:
        return values.bin.encode("hex")
    return (values.to_physical() if values.dtype.is_temporal() else values).cast(pl.String)


def unplain(texts: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Read back what `plain` wrote."""
    import polars as pl

    if dtype == pl.Binary:
        return texts.str.decode("hex")
    if dtype == pl.Boolean:
        return texts == "true"
    if dtype.is_temporal():
        return texts.cast(pl.Series([], dtype=dtype).to_physical().dtype).cast(dtype)
    return texts.cast(dtype)


def token(key: bytes, text: str) -> str:
    """Return a text's pseudonym under a key: HMAC-SHA-256, 128 bits of it, hexadecimal."""
    return hmac.digest(key, text.encode(), "sha256").hex()[:_TOKEN]


def refuse_unfit(mask: Mask, contract: Contract) -> None:
    """Raise `UsageError` where a mask does not fit its column: it keeps the column's type."""
    from mesh_notebook.mesh.dtypes import column_dtype

    if mask.column not in {column.name for column in contract.columns}:
        raise UsageError(
            f"'{contract.name}' has no column '{mask.column}' to protect.",
            next_step=f"it has: {', '.join(column.name for column in contract.columns)}",
            column=mask.column,
        )
    column = contract.column(mask.column)
    if (why := _unfit(mask, column, column_dtype(column), contract)) is not None:
        raise UsageError(
            f"{contract.name}.{mask.column} cannot be masked by {mask.kind}: {why[0]}.",
            next_step=why[1],
            column=mask.column,
        )


def _unfit(
    mask: Mask, column: Column, dtype: pl.DataType, contract: Contract
) -> tuple[str, str] | None:
    import polars as pl

    text = dtype == pl.String
    if dtype.is_nested() and mask.kind != "null":
        return "it holds lists or structures", "--with null"
    if column.name in contract.key and not mask.keyed:
        return "it is of the key, so that equal values must stay equal", "--with tokenise"
    if column.name == contract.event_time and not (mask.kind == "generalise" and mask.to):
        return "windows are cut by it", "--with generalise --to day"
    if mask.kind in ("redact", "truncate", "encrypt") and not text:
        return "that makes a text, and the column holds none", "--with null, or generalise"
    if mask.kind == "truncate" and mask.keep < 1:
        return "it does not say how much is kept", "--with truncate --keep 2"
    if mask.kind == "tokenise" and not (text or dtype == pl.Int64):
        return "a token is a text or a whole number of 64 bits", "make it VARCHAR or BIGINT"
    if mask.kind == "generalise":
        return _ungeneralised(mask, dtype)
    return None


def _ungeneralised(mask: Mask, dtype: pl.DataType) -> tuple[str, str] | None:
    import polars as pl

    if mask.groups and dtype != pl.String:
        return "only texts are grouped by region", "--to"
    if dtype == pl.String:
        return None if mask.groups else ("it does not say which places are a region", "--groups")
    if dtype.is_temporal():
        units = _UNITS if isinstance(dtype, pl.Datetime) else _UNITS[1:]
        return None if mask.to in units else ("it does not say to which unit", f"--to {units[0]}")
    try:
        wide = 0 < float(mask.to) < inf
    except ValueError:
        wide = False
    if not dtype.is_numeric() or not wide:
        return "it does not say how wide a band is", "--with generalise --to 10"
    if dtype.is_integer() and not float(mask.to).is_integer():
        return "a band of whole numbers is a whole number wide", "--with generalise --to 10"
    return None
