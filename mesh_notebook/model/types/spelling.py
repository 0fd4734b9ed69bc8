"""One type as it is spelled, `NUMBER(10,2)` or `ARRAY<STRUCT<a INT>>`, read as what stores it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from mesh_notebook.model.types.names import DECIMALS, EVERYWHERE, FORMATS, GENERIC, PLATFORMS

__all__ = ["Spelled", "spelled"]

_NAME_AND_SIZE = re.compile(r"([^()<>\[\]]*)(?:\(([^()]*)\) *([A-Z ]*))?", re.IGNORECASE)
# `varchar[15]` of a text is no list of 15 texts.
_SIZE_IN_BRACKETS = re.compile(r"^([A-Za-z0-9_ ]+)\[(\d+)\]$")
_HOLDS_TYPES = re.compile(r"[<\[]|\( *[A-Za-z_\"`]")
_DECIMAL_NAMES = {
    *("DECIMAL", "NUMERIC", "NUMBER", "DEC", "BIGNUMERIC", "BIGDECIMAL", "BIG DECIMAL"),
    *("DECIMALTYPE", "DECIMAL.DECIMAL", "DECIMAL128", "DECFLOAT"),
}
_WRAPPED = tuple(
    (re.compile(pattern, re.IGNORECASE), meant)
    for pattern, meant in (
        (r"^(?:optional|union)\[(.*?)(?:, *none)?\]$", r"\1"),
        (r"^(?:nullable|lowcardinality)\((.*)\)$", r"\1"),
        (r" *\| *none$|^none *\| *", ""),
        (r"^datetime64\[[^\]]*\]$", "DATETIME64"),
        (r"\b(?:list|sequence|set|tuple)\[([^\[\]]+?)(?:, *\.\.\.)?\]", r"ARRAY<\1>"),
        (r"\b(?:dict|mapping)\[([^\[\]]+)\]", r"MAP<\1>"),
        (r"^repeated (.+)$", r"ARRAY<\1>"),
        (r"^interval\b.*$", "INTERVAL"),
        (r" +(?:not null|null|unsigned zerofill|collate .*)$", ""),
    )
)
_MOST_DIGITS = 38  # of a decimal in Delta and in Polars
_WITHOUT_DIGITS = (38, 9)
_SINGLE = 24  # the most bits of a float's mantissa that a single float holds
_DEEPEST = 20  # types within each other
# Dialects that parse a nested type, tried in turn where the contract names none.
_PARSERS = ("duckdb", "databricks", "bigquery", "trino", "snowflake", "clickhouse", "postgres")
_FORMAT_OF = {name: form for form, names in FORMATS.items() for name in names}


@dataclass(frozen=True)
class Spelled:
    """A type that was read.

    Attributes
    ----------
    physical : str
        The type in which a port stores it.
    format : str
        What a text of the type is: `uuid`, `json`, `local-time`, `duration`; empty for any text.
    length : int or None
        The most characters of a text.
    """

    physical: str
    format: str = ""
    length: int | None = None


@cache
def spelled(physical: str, dialect: str = "", logical: str = "") -> Spelled | None:
    """Return what stores a type as some platform spells it; None where nobody is known to.

    Parameters
    ----------
    dialect : str
        The platform, as sqlglot calls it; empty where it is not known.
    logical : str
        The logical type beside it, which tells a whole `NUMBER(38,0)` from a decimal.
    """
    text = _unwrapped(" ".join(physical.split()))
    if logical and logical.lower() not in ("array", "object"):
        text = _SIZE_IN_BRACKETS.sub(r"\1(\2)", text)
    if _HOLDS_TYPES.search(text) and (nested := _nested(text, dialect)):
        return nested
    match = _NAME_AND_SIZE.fullmatch(text)
    if match is None:
        return None
    name = " ".join(f"{match[1]} {match[3] or ''}".upper().split())
    return _plain(name, _sizes(match[2]), dialect, logical.lower())


def _unwrapped(text: str) -> str:
    """Return a type without what says only that it may be null, or that it is Python's or Avro's.

    `Optional[str]`, `Nullable(String)`, `list[int]`, `repeated string`, `datetime64[ns]`.
    """
    for pattern, meant in _WRAPPED:
        text = pattern.sub(meant, text)
    return text.strip()


def _sizes(text: str | None) -> list[int]:
    """Return the numbers in the parentheses of a type; `max` and `*` are the most there can be."""
    words = re.split(r"[,\s]+", text.strip().lower()) if text else []
    words = [str(_MOST_DIGITS) if word == "*" else word for word in words]
    return [int(word) for word in words if re.fullmatch(r"-?\d{1,9}", word)]


def _plain(name: str, sizes: list[int], dialect: str, logical: str) -> Spelled | None:
    if name in _DECIMAL_NAMES and name not in PLATFORMS.get(dialect, {}):
        return Spelled(_decimal(name, sizes, dialect, logical))
    stored = PLATFORMS.get(dialect, {}).get(name) or EVERYWHERE.get(name)
    if stored is None:
        return None
    if name == "TINYINT" and sizes == [1] and logical == "boolean":
        stored = "BOOLEAN"  # so MySQL keeps a boolean
    if name == "FLOAT" and len(sizes) == 1:
        stored = "FLOAT" if sizes[0] <= _SINGLE else "DOUBLE"
    if name == "DATE" and dialect == "oracle" and logical == "timestamp":
        stored = "TIMESTAMP_NTZ"  # Oracle's date has a time of day
    if name in ("BIT", "VARBIT") and sizes and sizes[0] > 1:
        stored = "VARCHAR"  # a string of bits
    length = sizes[0] if stored == "VARCHAR" and sizes and name not in _FORMAT_OF else None
    return Spelled(stored, _FORMAT_OF.get(name, "") if stored == "VARCHAR" else "", length)


def _decimal(name: str, sizes: list[int], dialect: str, logical: str) -> str:
    if not sizes and logical == "integer":
        return "BIGINT"
    precision, scale = _digits(sizes, dialect)
    if name == "NUMBER" and scale == 0 and logical == "integer":
        return "BIGINT"  # so Snowflake and Oracle spell whole numbers
    return f"DECIMAL({precision},{scale})"


def _digits(sizes: list[int], dialect: str) -> tuple[int, int]:
    """Return precision and scale, within what a decimal here can hold."""
    if not sizes:
        return DECIMALS.get(dialect, _WITHOUT_DIGITS)
    scale = max(sizes[1], 0) if len(sizes) > 1 else 0
    precision = min(max(sizes[0], scale, 1), _MOST_DIGITS)
    return precision, min(scale, precision)


# ---- types within types --------------------------------------------------------------------------


def _nested(text: str, dialect: str) -> Spelled | None:
    """Return a list, a struct or a map, read by sqlglot's own parser of types."""
    if max(text.count("<"), text.count("["), text.count("(")) > _DEEPEST:
        return None
    for one in dict.fromkeys((dialect, *_PARSERS)):
        parsed = _parsed(text, one) if one else None
        if parsed is not None and (stored := _stored(parsed, one)):
            return Spelled(stored)
    return None


def _parsed(text: str, dialect: str) -> Any:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        found = exp.DataType.build(text, dialect=dialect)
    except (SqlglotError, RecursionError, ValueError):
        return None
    kinds = exp.DataType.Type
    holds = (kinds.ARRAY, kinds.LIST, kinds.MAP, kinds.STRUCT, kinds.OBJECT, kinds.NESTED)
    return found if found.this in holds and found.expressions else None


def _stored(parsed: Any, dialect: str) -> str | None:
    """Return what stores a parsed type; None where a part of it is not known."""
    from sqlglot import exp

    kinds = exp.DataType.Type
    if parsed.this in (kinds.ARRAY, kinds.LIST):
        inner = [_stored(one, dialect) for one in parsed.expressions[:1]]
        return f"{inner[0]}[]" if inner and inner[0] else None
    if parsed.this == kinds.MAP and len(parsed.expressions) == 2:
        key, value = (_stored(one, dialect) for one in parsed.expressions)
        return f'STRUCT("key" {key}, "value" {value})[]' if key and value else None
    if parsed.this in (kinds.STRUCT, kinds.OBJECT, kinds.NESTED) and parsed.expressions:
        return _struct(parsed, dialect)
    text = parsed.sql(dialect)
    if text.upper() in GENERIC:
        return None
    found = spelled(text, dialect) if not parsed.args.get("nested") else None
    return found.physical if found else None


def _struct(parsed: Any, dialect: str) -> str | None:
    from sqlglot import exp

    fields = []
    for field in parsed.expressions:
        kind = field.args.get("kind")
        stored = _stored(kind, dialect) if kind is not None else None
        if stored is None or not field.name:
            return None
        fields.append(f"{exp.to_identifier(field.name, quoted=True).sql('duckdb')} {stored}")
    return f"STRUCT({', '.join(fields)})"
