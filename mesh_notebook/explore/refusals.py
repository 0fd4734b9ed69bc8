"""Why a frame cannot be an output port as declared: the count, an example, the fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, near
from mesh_notebook.mesh.dtypes import physical_type
from mesh_notebook.mesh.measuring import figures

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "check_columns",
    "check_event_time",
    "check_key",
    "check_key_values",
    "plain_name",
]

_NOT_IN_A_NAME = set(" ,;{}()\n\t=")  # Parquet and Delta refuse these in a column's name


def check_columns(schema: Mapping[str, pl.DataType]) -> None:
    """Refuse what no snapshot can hold: a name, two names, a type."""
    if not schema:
        raise ContractError("the frame has no columns.", next_step="select at least one")
    lowered: dict[str, str] = {}
    for name, dtype in schema.items():
        _check_name(name)
        if other := lowered.get(name.lower()):
            raise ContractError(
                f"'{other}' and '{name}' are one name to SQL, which knows no upper case.",
                next_step=f'rename one: .rename({{"{name}": "{name}_2"}})',
                column=name,
            )
        lowered[name.lower()] = name
        _check_dtype(name, dtype)


def _check_name(name: str) -> None:
    from mesh_notebook.mesh.sealing import is_own

    if not name.strip():
        raise ContractError(
            "a column has no name.", next_step='name it: .rename({"": "label"})', column=name
        )
    if is_own(name):
        raise ContractError(
            f"'{name}' cannot name a stored column: the store needs one of that name itself.",
            next_step=f'rename it: .rename({{"{name}": "{name.strip("_")}"}})',
            column=name,
        )
    if bad := sorted(_NOT_IN_A_NAME & set(name)):
        plain = plain_name(name)
        raise ContractError(
            f"'{name}' cannot name a stored column: it holds {', '.join(map(repr, bad))}.",
            next_step=f'in SQL: … AS {plain}; in Polars: .rename({{"{name}": "{plain}"}})',
            column=name,
        )


def plain_name(name: str) -> str:
    """Return a column's name with `_` for what Parquet and Delta refuse in one."""
    if not _NOT_IN_A_NAME & set(name):
        return name
    return "_".join("".join(" " if c in _NOT_IN_A_NAME else c for c in name).split()) or "column"


def _check_dtype(name: str, dtype: pl.DataType) -> None:
    import polars as pl

    if isinstance(dtype, pl.Null):
        raise ContractError(
            f"'{name}' holds nothing but nulls, so it has no type.",
            next_step=f'say which: .with_columns(pl.col("{name}").cast(pl.String))',
            column=name,
        )
    try:
        physical = physical_type(dtype)
    except ContractError as error:
        raise ContractError(
            f"'{name}' is {dtype}, which cannot be part of a contract.",
            next_step=_remedy(name, dtype) or error.next_step,
            column=name,
        ) from None
    if "TIMESTAMP_NTZ" in physical:
        raise ContractError(
            f"'{name}' holds times without a time zone, which are no instants.",
            next_step=f'say UTC: .with_columns(pl.col("{name}").dt.replace_time_zone("UTC")); '
            f"in SQL: {name} AT TIME ZONE 'UTC' AS {name}",
            column=name,
        )


# What makes a column of a type that no port holds one that a port does, without loss.
_REMEDIES = {
    "Duration": "cast(pl.Int64)",
    "Time": 'dt.to_string("%H:%M:%S%.9f")',
    "Array": "arr.to_list()",
    "Int128": "cast(pl.Decimal(38, 0))",
    "UInt128": "cast(pl.Decimal(38, 0))",
    "Float16": "cast(pl.Float32)",
}


def _remedy(name: str, dtype: pl.DataType) -> str:
    cast = _REMEDIES.get(type(dtype).__name__)
    return f'.with_columns(pl.col("{name}").{cast})' if cast else ""


def _no_column(name: str, what: str, schema: Mapping[str, Any]) -> ContractError:
    close = near(name, schema)
    return ContractError(
        f"the {what} names '{name}', which the frame has not.",
        next_step=f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(schema)}",
        column=name,
        near=close,
    )


def check_key(key: tuple[str, ...], schema: Mapping[str, pl.DataType]) -> None:
    """Refuse a key that names a column twice, or one that is not there or cannot be compared."""
    for name in key:
        if name not in schema:
            raise _no_column(name, "key", schema)
        if key.count(name) > 1:
            raise ContractError(f"the key names '{name}' twice.", next_step="name it once")
        if schema[name].is_nested():
            raise ContractError(
                f"'{name}' is {schema[name]}, which cannot be part of a key.",
                next_step="take a column of plain values",
                column=name,
            )


def check_event_time(
    name: str | None, schema: Mapping[str, pl.DataType], frame: pl.LazyFrame
) -> None:
    """Refuse an event time that is not a date or a UTC instant, with the cast that makes it one."""
    import polars as pl

    if name is None:
        return
    if name not in schema:
        raise _no_column(name, "event time", schema)
    dtype = schema[name]
    if isinstance(dtype, pl.Date) or (isinstance(dtype, pl.Datetime) and dtype.time_zone == "UTC"):
        return
    values = frame.select(pl.col(name).drop_nulls().head(1)).collect()
    example = f", for example {values.item()!r}" if values.height else ""
    raise ContractError(
        f"the event time '{name}' is {dtype}, not a date or a UTC instant{example}.",
        next_step=f".with_columns({_cast_to_time(name, dtype)}){_as_days(name, dtype)}",
        column=name,
        dtype=str(dtype),
    )


def _cast_to_time(name: str, dtype: pl.DataType) -> str:
    import polars as pl

    column = f'pl.col("{name}")'
    if isinstance(dtype, pl.Datetime):
        return f'{column}.dt.convert_time_zone("UTC")'
    if isinstance(dtype, pl.String):
        return f'{column}.str.to_datetime(time_zone="UTC")'
    if dtype.is_integer():
        return f'pl.from_epoch("{name}", time_unit="s").dt.replace_time_zone("UTC")'
    return f"{column}.cast(pl.Date)"


def _as_days(name: str, dtype: pl.DataType) -> str:
    import polars as pl

    text = isinstance(dtype, pl.String)
    return f', or as days: .with_columns(pl.col("{name}").str.to_date())' if text else ""


def check_key_values(
    frame: pl.LazyFrame,
    key: tuple[str, ...],
    event_time: str | None,
    schema: Mapping[str, pl.DataType],
) -> None:
    """Refuse nulls in the key or the event time, and rows that share a key."""
    import polars as pl

    names = list(dict.fromkeys([*key, *([event_time] if event_time else [])]))
    if not names:
        return
    counts = [pl.col(name).null_count().alias(f"null {name}") for name in names]
    repeats = [_repeats(key).alias("repeats")] if key else []
    row = frame.select(pl.len().alias("rows"), *counts, *repeats).collect().row(0, named=True)
    for name in names:
        if row[f"null {name}"]:
            what = "key" if name in key else "event time"
            raise _nulls(frame, name, what, row[f"null {name}"], row["rows"], key)
    if key and row["repeats"]:
        raise _duplicates(frame, key, schema, row["rows"], row["repeats"])


def _repeats(key: tuple[str, ...]) -> pl.Expr:
    import polars as pl

    # Rows that could go, and the key would be one.
    return pl.len() - _value(key).n_unique()


def _value(key: tuple[str, ...]) -> pl.Expr:
    import polars as pl

    return pl.col(key[0]) if len(key) == 1 else pl.struct(key)


def _nulls(
    frame: pl.LazyFrame, name: str, what: str, count: int, rows: int, key: tuple[str, ...]
) -> ContractError:
    import polars as pl

    first = frame.filter(pl.col(name).is_null()).head(1).collect()
    shown = first.select(key) if any(n != name for n in key) else first
    return ContractError(
        f"the {what} '{name}' is null in {count:,} of {rows:,} rows; "
        f"for example where {_said(shown)}.",
        next_step=f'drop them: .filter(pl.col("{name}").is_not_null()), or take another column',
        column=name,
        count=count,
        example=first.row(0, named=True),
    )


def _said(first: pl.DataFrame) -> str:
    named = [f"{k}={v!s:.40}" for k, v in first.row(0, named=True).items() if v is not None]
    return ", ".join(named[:4]) or "all of it is null"


def _duplicates(
    frame: pl.LazyFrame,
    key: tuple[str, ...],
    schema: Mapping[str, pl.DataType],
    rows: int,
    repeats: int,
) -> ContractError:
    import polars as pl

    groups = frame.group_by(key).agg(pl.len().alias("how often"))
    first = groups.filter(pl.col("how often") > 1).sort("how often", *key, descending=True).head(1)
    worst = first.collect()
    often = worst["how often"].item()
    example = worst.drop("how often")
    return ContractError(
        f"{', '.join(key)} is no key: {repeats:,} of {rows:,} rows repeat the key of another; "
        f"for example {_said(example)} stands {often:,} times.",
        next_step=_fix(frame, key, schema),
        key=key,
        count=repeats,
        example=example.row(0, named=True),
    )


def _fix(frame: pl.LazyFrame, key: tuple[str, ...], schema: Mapping[str, pl.DataType]) -> str:
    """Name a column that, added to the key, makes it one; else say how to drop the repeats."""
    import polars as pl

    others = [n for n, d in schema.items() if n not in key and not (d.is_nested() or d.is_float())]
    tried = [_repeats((*key, n)).alias(n) for n in others if n != "rows"]
    row = figures(frame, tried) if tried else {}
    nulls = figures(frame, (pl.col(name).null_count() for name in row)) if row else {}
    whole = [name for name in row if row[name] == 0 and nulls[name] == 0]
    if whole:
        return f"add a column: --key {','.join((*key, whole[0]))}"
    subset = ", ".join(f'"{n}"' for n in key)
    one = f'.unique([{subset}], keep="first", maintain_order=True)'
    return f"{one}, or aggregate to one row each: GROUP BY {', '.join(key)}"
