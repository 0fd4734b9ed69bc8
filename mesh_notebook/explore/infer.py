"""A contract read off a frame: what is true of all of its rows, in one pass over them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any

from mesh_notebook.explore.personal import looks_personal, personal_by_name, samples
from mesh_notebook.explore.refusals import (
    check_columns,
    check_event_time,
    check_key,
    check_key_values,
)
from mesh_notebook.mesh.dtypes import logical_type, physical_type
from mesh_notebook.mesh.measuring import figures
from mesh_notebook.model.contract import ODCS_VERSION, Contract
from mesh_notebook.model.document import set_custom
from mesh_notebook.model.seen import LARGE, free, keep_no_values, keep_seen, may_be_listed

if TYPE_CHECKING:
    import polars as pl

__all__ = ["described", "infer", "without_values"]

_DIGITS = 6  # significant, of an inferred limit


@dataclass(frozen=True)
class _Seen:
    """What all rows of a column say."""

    name: str
    dtype: pl.DataType
    rows: int
    nulls: int
    distinct: int | None
    least: Any
    most: Any
    longest: int | None
    looks_personal: bool

    @property
    def required(self) -> bool:
        return self.rows > 0 and self.nulls == 0

    @property
    def unique(self) -> bool:
        """Whether no value came twice, in so many rows that it may not be chance."""
        return self.different and self.rows >= LARGE

    @property
    def different(self) -> bool:
        """Whether no value came twice."""
        several = self.rows > 1 and self.required
        return self.may_be_unique and several and self.distinct == self.rows

    @property
    def may_be_unique(self) -> bool:
        dtype = self.dtype
        return not (dtype.is_temporal() or dtype.is_float() or dtype.is_nested())


def infer(
    frame: pl.LazyFrame,
    *,
    name: str,
    contract_id: str,
    version: str,
    domain: str,
    key: tuple[str, ...],
    event_time: str | None,
    status: str,
) -> Contract:
    """Read the contract of an output port off its frame.

    Demanded are the types, the key, and that no value is missing: of the key, of the event time,
    and of columns that were never null in a large frame (see `model.seen.LARGE`).

    What else is true of all rows is *seen*, and nothing is held to it: columns that were never
    null, columns without repeats in a large frame, least and greatest numbers, the earliest of
    dates and instants (time goes on, so no latest), and lists of few short texts. Of columns that
    look like personal data no value is written down.

    Raises
    ------
    ContractError
        The key repeats, is null or is not there; the event time is not a date or a UTC
        instant; a column has a name or a type that no snapshot can hold.
    """
    schema = dict(frame.collect_schema())
    check_columns(schema)
    check_key(key, schema)
    check_event_time(event_time, schema, frame)
    check_key_values(frame, key, event_time, schema)
    return described(
        frame,
        name=name,
        contract_id=contract_id,
        version=version,
        domain=domain,
        key=key,
        event_time=event_time,
        status=status,
    )


def described(
    frame: pl.LazyFrame,
    *,
    name: str,
    contract_id: str,
    version: str,
    domain: str,
    key: tuple[str, ...],
    event_time: str | None,
    status: str,
) -> Contract:
    """Read a contract off a frame that was found fit to have one (see `infer`)."""
    schema = dict(frame.collect_schema())
    seen = _seen(frame, schema)
    personal = _personal(seen)
    values = _enumerations(frame, [s for s in seen if s.name not in personal])
    properties = [
        _property(s, key, event_time, s.name in personal, values.get(s.name)) for s in seen
    ]
    table: dict[str, Any] = {"name": name, "logicalType": "object", "physicalType": "table"}
    table["properties"] = properties
    if event_time:
        set_custom(table, "eventTime", event_time)
    raw = {
        "apiVersion": ODCS_VERSION,
        "kind": "DataContract",
        "id": contract_id,
        "name": name,
        "version": version,
        "status": status,
        "domain": domain,
        "schema": [table],
    }
    return Contract(
        {k: v for k, v in raw.items() if v != ""}, f"the contract of '{name}'"
    ).checked()


def _seen(frame: pl.LazyFrame, schema: dict[str, pl.DataType]) -> list[_Seen]:
    import polars as pl

    wanted = [expr for at, (n, d) in enumerate(schema.items()) for expr in _measures(at, n, d)]
    row = figures(frame, [pl.len().alias("rows"), *wanted])
    return [
        _Seen(
            name,
            dtype,
            row["rows"],
            row[f"{at} nulls"],
            row.get(f"{at} distinct"),
            row.get(f"{at} least"),
            row.get(f"{at} most"),
            row.get(f"{at} longest"),
            looks_personal(row.get(f"{at} personal") or {}),
        )
        for at, (name, dtype) in enumerate(schema.items())
    ]


def _measures(at: int, name: str, dtype: pl.DataType) -> Iterator[pl.Expr]:
    import polars as pl

    column = pl.col(name)
    yield column.null_count().alias(f"{at} nulls")
    if dtype.is_nested():
        return
    if not dtype.is_float():
        yield column.n_unique().alias(f"{at} distinct")
    if dtype.is_numeric() or isinstance(dtype, (pl.Date, pl.Datetime)):
        yield column.min().alias(f"{at} least")
        yield column.max().alias(f"{at} most")
    if _is_text(dtype):
        yield column.cast(pl.String).str.len_chars().max().alias(f"{at} longest")
        yield samples(name).alias(f"{at} personal")


def _is_text(dtype: pl.DataType) -> bool:
    import polars as pl

    return isinstance(dtype, (pl.String, pl.Categorical, pl.Enum))


def _personal(seen: list[_Seen]) -> set[str]:
    found = {s.name for s in seen if s.looks_personal or personal_by_name(s.name)}
    # Beside an e-mail address, a plain `name` is a person's; beside a tail number it is not.
    return found | {s.name for s in seen if found and s.name.lower() == "name"}


def _enumerations(frame: pl.LazyFrame, seen: list[_Seen]) -> dict[str, list[str]]:
    import polars as pl

    few = [
        s.name
        for s in seen
        if _is_text(s.dtype) and may_be_listed(s.distinct or 0, s.rows, s.longest or 0)
    ]
    texts = [pl.col(name).cast(pl.String).drop_nulls().unique().sort().implode() for name in few]
    if not texts:
        return {}
    return {name: values for name, values in figures(frame, texts).items() if not free(values)}


def without_values(contract: Contract, columns: Collection[str]) -> Contract:
    """Return a contract less what inference told of the values of some columns.

    Limits and lists are read off the rows, and everybody reads a contract: of a column that a
    policy hides they would tell what the policy does not.
    """
    raw = contract.edited()
    for found in raw["schema"][0]["properties"]:
        if found["name"] in columns:
            keep_no_values(found)
    return Contract(raw, contract.where)


def _property(
    seen: _Seen,
    key: tuple[str, ...],
    event_time: str | None,
    personal: bool,
    values: list[str] | None,
) -> dict[str, Any]:
    raw: dict[str, Any] = {"name": seen.name, **_typed(seen.dtype)}
    identifies = seen.name in key or seen.name == event_time
    if identifies or (seen.required and seen.rows >= LARGE):
        raw["required"] = True
    if key == (seen.name,) and seen.may_be_unique:
        raw["unique"] = True
    if seen.name in key:
        raw |= {"primaryKey": True, "primaryKeyPosition": key.index(seen.name) + 1}
    if personal:
        raw |= {"classification": "personal", "tags": ["personal"]}
    told = _kept_of(seen, key, [] if personal else values or [], personal)
    keep_seen(raw, {name: value for name, value in told.items() if name not in raw})
    return raw


def _kept_of(
    seen: _Seen, key: tuple[str, ...], values: list[str], personal: bool
) -> dict[str, Any]:
    """Return what was seen of a column; of one that looks personal, no value."""
    told: dict[str, Any] = {}
    if seen.required:
        told["required"] = True
    if seen.different and key != (seen.name,):
        told["unique" if seen.unique else "different"] = True
    if not personal:
        told |= _range(seen, key)
    if values:
        told["values"] = values
    return told


def _typed(dtype: Any) -> dict[str, Any]:
    import polars as pl

    raw: dict[str, Any] = {
        "logicalType": logical_type(dtype),
        "physicalType": physical_type(dtype),
    }
    if isinstance(dtype, (pl.List, pl.Array)):
        raw["items"] = {"name": "item", **_typed(dtype.inner)}
    if isinstance(dtype, pl.Struct):
        raw["properties"] = [{"name": f.name, **_typed(f.dtype)} for f in dtype.fields]
    return raw


def _range(seen: _Seen, key: tuple[str, ...]) -> dict[str, Any]:
    """Return the limits that hold, but none of an identifier: its next value lies beyond."""
    identifies = seen.unique or key == (seen.name,)
    least, most = _plain(seen.least, ROUND_FLOOR), _plain(seen.most, ROUND_CEILING)
    if least is None or most is None or (identifies and not seen.dtype.is_temporal()):
        return {}
    if seen.dtype.is_temporal():
        return {"minimum": least}
    return {"minimum": least, "maximum": most}


def _plain(value: Any, outward: str) -> Any:
    """Return a limit as YAML and JSON can say it, or None where they cannot."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, float):
        return _rounded(value, outward) if math.isfinite(value) else None
    return value


def _rounded(value: float, outward: str) -> float:
    """Round a limit to six digits, away from the values: what has fewer is said as it is."""
    with localcontext(Context()):  # the notebook may have set a precision of its own
        exact = Decimal(repr(float(value)))
        if exact == exact.to_integral_value():
            return value
        return float(exact.quantize(Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1), outward))
