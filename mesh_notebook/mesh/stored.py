"""Frames as a port stores them: instants in microseconds and UTC, signed integers, plain texts.

What is inferred, checked, measured and published are the rows as they are stored, so that what was
checked is what is read back. A value that storing would change is refused, and never cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_notebook.errors import ContractError
from mesh_notebook.mesh.dtypes import physical_type, polars_dtype
from mesh_notebook.mesh.measuring import measured

if TYPE_CHECKING:
    import polars as pl

__all__ = ["as_stored", "refuse_changed", "refuse_lost", "stored_dtype"]

# The years 1 to 9999, which Python, SQL and the readers of Delta know, in days and in seconds.
_DAYS = (-719_162, 2_932_896)
_SECONDS = (_DAYS[0] * 86_400, (_DAYS[1] + 1) * 86_400 - 1)
_TICKS = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}  # a second
_NS_IN_US = 1_000
_SHOWN = 40


def stored_dtype(dtype: pl.DataType) -> pl.DataType:
    """Return the dtype in which a port stores another; one that no port can hold, as it is."""
    try:
        return polars_dtype(physical_type(dtype))
    except ContractError:
        return dtype


def as_stored(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return a frame with each column of the type that it is stored in; nothing is read yet."""
    import polars as pl

    found = frame.collect_schema()
    wanted = {name: stored_dtype(dtype) for name, dtype in found.items()}
    changed = [pl.col(n).cast(dtype) for n, dtype in wanted.items() if dtype != found[n]]
    return frame.with_columns(changed) if changed else frame


# ---- values that no stored type holds ------------------------------------------------------------


@dataclass(frozen=True)
class _Loss:
    """One way for values of a column to be lost: how many are, and the first of them."""

    column: str
    what: str
    step: str
    values: pl.Expr
    lost: pl.Expr


def refuse_lost(frame: pl.LazyFrame, where: str) -> None:
    """Refuse instants that are finer than a microsecond, and days that no calendar year holds.

    Parameters
    ----------
    where : str
        What the message calls the frame.

    Raises
    ------
    ContractError
        With the count, an example and the expression that decides what becomes of them.
    """
    losses = [loss for name, dtype in frame.collect_schema().items() for loss in _of(name, dtype)]
    if not losses:
        return
    counted = [loss.lost.sum().alias(str(at)) for at, loss in enumerate(losses)]
    row = measured(frame, counted).row(0)
    for loss, count in zip(losses, row, strict=True):
        if count:
            raise _refusal(frame, where, loss, count)


def _of(name: str, dtype: pl.DataType) -> Iterator[_Loss]:
    import polars as pl

    for values, kind in _leaves(pl.col(name), dtype):
        ticks = values.to_physical()
        if isinstance(kind, pl.Datetime) and kind.time_unit == "ns":
            yield _Loss(
                name, "finer than a microsecond", _finer(name), values, ticks % _NS_IN_US != 0
            )
        elif isinstance(kind, (pl.Datetime, pl.Date)):
            least, most = _reach(kind)
            lost = ~ticks.is_between(least, most)
            yield _Loss(name, "outside of the years 1 to 9999", _beyond(name), values, lost)


def _leaves(values: pl.Expr, dtype: pl.DataType) -> Iterator[tuple[pl.Expr, pl.DataType]]:
    """Yield the plain values that a column holds at any depth, flat."""
    import polars as pl

    if isinstance(dtype, pl.List):
        yield from _leaves(values.explode(), dtype.inner)  # type: ignore[arg-type]
    elif isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _leaves(values.struct.field(field.name), field.dtype)  # type: ignore[arg-type]
    else:
        yield values, dtype


def _reach(dtype: pl.Datetime | pl.Date) -> tuple[int, int]:
    import polars as pl

    if isinstance(dtype, pl.Date):
        return _DAYS
    ticks = _TICKS[dtype.time_unit]
    return _SECONDS[0] * ticks, (_SECONDS[1] + 1) * ticks - 1


def _finer(name: str) -> str:
    return (
        f'cut them on purpose: .with_columns(pl.col("{name}").dt.truncate("1us")); '
        f'or keep a number: pl.col("{name}").dt.timestamp("ns")'
    )


def _beyond(name: str) -> str:
    column = f'pl.col("{name}")'
    return f"leave them out: .filter({column}.dt.year().is_between(1, 9999)), or make them null"


def _refusal(frame: pl.LazyFrame, where: str, loss: _Loss, count: int) -> ContractError:
    import polars as pl

    first = frame.select(loss.values.filter(loss.lost).head(1).cast(pl.String)).collect().item()
    said = "1 value is" if count == 1 else f"{count:,} values are"
    return ContractError(
        f"'{loss.column}' of {where} cannot be stored as it is: {said} {loss.what}; "
        f"for example {first!s:.{_SHOWN}}.",
        next_step=loss.step,
        column=loss.column,
        count=count,
    )


def refuse_changed(rows: pl.DataFrame, cast: pl.DataFrame, contract: str) -> None:
    """Refuse values that a contract's types would change: a fraction, or digits beyond a float's.

    Parameters
    ----------
    cast : DataFrame
        The same columns, cast to the types of the contract.
    """
    for values in rows:
        name, wanted = values.name, cast[values.name]
        if wanted.dtype == values.dtype:
            continue
        changed = values.ne_missing(wanted.cast(values.dtype, strict=False))
        if count := changed.sum():
            raise ContractError(
                f"{contract}.{name}: {wanted.dtype} cannot hold {count:,} of its values, which are "
                f"{values.dtype}; for example {values.filter(changed)[0]!s:.{_SHOWN}}.",
                next_step="cast the column in the transform, or mend its type in the contract",
                column=name,
                count=count,
            )
