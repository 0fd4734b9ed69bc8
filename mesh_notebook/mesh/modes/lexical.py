"""Values as text: one spelling of each value, in CSV, NDJSON, events and graphs alike.

The spellings are those of XML Schema (W3C XSD 1.1, part 2): `INF` and `NaN`, instants with a `Z`,
binary as base64. A float is the shortest text that reads back as the same number. In JSON, numbers
and booleans are JSON's own, save the floats that JSON cannot say and decimals, which a reader
might take for floats: those are strings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["json_object", "json_text", "lexical", "text_shape", "typed"]

_DAY = "%Y-%m-%d"
_MICROSECONDS = "%Y-%m-%dT%H:%M:%S%.6f"
_ANY_FRACTION = "%Y-%m-%dT%H:%M:%S%.f"


def lexical(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return values as text; a null stays a null, lists and structs become JSON."""
    import polars as pl

    if isinstance(dtype, pl.List | pl.Struct):
        return pl.when(value.is_not_null()).then(json_text(value, dtype))
    if isinstance(dtype, pl.Binary):
        return value.bin.encode("base64")
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime(_zoned(_MICROSECONDS, dtype))
    if dtype.is_float():
        signed = pl.when(value > 0).then(pl.lit("INF")).otherwise(pl.lit("-INF"))
        return pl.when(value.is_infinite()).then(signed).otherwise(value.cast(pl.String))
    return value if isinstance(dtype, pl.String) else value.cast(pl.String)


def json_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return values as JSON; a null is the text `null`."""
    import polars as pl

    if isinstance(dtype, pl.List):
        inner = value.list.eval(json_text(pl.element(), dtype.inner))  # type: ignore[arg-type]
        text = pl.concat_str(pl.lit("["), inner.list.join(","), pl.lit("]"))
    elif isinstance(dtype, pl.Struct):
        fields = [(f.name, value.struct.field(f.name), f.dtype) for f in dtype.fields]
        text = pl.when(value.is_not_null()).then(json_object(fields))  # type: ignore[arg-type]
    elif isinstance(dtype, pl.String):
        # Polars escapes text well, but only within an object: {"s":…}
        text = pl.struct(value.alias("s")).struct.json_encode()
        return text.str.strip_prefix('{"s":').str.strip_suffix("}")
    elif isinstance(dtype, pl.Boolean) or dtype.is_integer():
        text = value.cast(pl.String)
    elif dtype.is_float():
        text = lexical(value, dtype)
        text = pl.when(value.is_finite()).then(text).otherwise(_quoted(text))
    else:
        text = _quoted(lexical(value, dtype))
    return text.fill_null("null")


def json_object(fields: list[tuple[str, pl.Expr, pl.DataType]]) -> pl.Expr:
    """Return one JSON object a row, of fields given by name, value and type."""
    import polars as pl

    parts: list[pl.Expr] = []
    for name, value, dtype in fields:
        key = json.dumps(name, ensure_ascii=False)
        parts += [pl.lit(f"{',' if parts else '{'}{key}:"), json_text(value, dtype)]
    return pl.concat_str(*parts, pl.lit("}"))


def _quoted(text: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.concat_str(pl.lit('"'), text, pl.lit('"'))


def _zoned(layout: str, dtype: pl.Datetime) -> str:
    return f"{layout}Z" if dtype.time_zone else layout


def text_shape(dtype: pl.DataType) -> pl.DataType:
    """Return the type with text in place of every value: how JSON is read before it is typed."""
    import polars as pl

    if isinstance(dtype, pl.List):
        return pl.List(text_shape(dtype.inner))  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct):
        return pl.Struct({f.name: text_shape(f.dtype) for f in dtype.fields})  # type: ignore[arg-type]
    return pl.String()


def typed(text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return what `lexical` and `json_text` wrote, of type `text_shape(dtype)`, as values again.

    Evaluating it raises a Polars error where a text is no value of the type.
    """
    import polars as pl

    if isinstance(dtype, pl.List):
        inner = typed(pl.element(), dtype.inner)  # type: ignore[arg-type]
        return text.list.eval(inner).cast(dtype)
    if isinstance(dtype, pl.Struct):
        fields = [typed(text.struct.field(f.name), f.dtype).alias(f.name) for f in dtype.fields]  # type: ignore[arg-type]
        return pl.when(text.is_not_null()).then(pl.struct(fields))
    if isinstance(dtype, pl.Boolean):
        known = {"true": True, "false": False, None: None}
        return text.replace_strict(known, return_dtype=pl.Boolean)
    if isinstance(dtype, pl.Binary):
        return text.str.decode("base64")
    if isinstance(dtype, pl.Date):
        return text.str.to_date(_DAY)
    if isinstance(dtype, pl.Datetime):
        layout = _zoned(_ANY_FRACTION, dtype)
        return text.str.to_datetime(layout, time_unit="us", time_zone=dtype.time_zone)
    return text if isinstance(dtype, pl.String) else text.cast(dtype)
