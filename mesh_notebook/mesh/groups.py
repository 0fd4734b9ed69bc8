"""The groups of a private answer: those that the policy names, whatever the data has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SpecError
from mesh_notebook.model.policy import Privacy

if TYPE_CHECKING:
    import polars as pl

__all__ = ["groups_of"]


def groups_of(by: tuple[str, ...], privacy: Privacy, schema: pl.Schema) -> pl.DataFrame:
    """Return the groups that an answer has: each with each of the columns' public values.

    Raises
    ------
    SpecError
        The policy names values that the column cannot hold.
    """
    import polars as pl

    if not by:
        return pl.DataFrame({"": [0]})
    columns = [_public(c, privacy.keys[c], schema[c]).to_frame() for c in by]
    return reduce(lambda left, right: left.join(right, how="cross"), columns)


def _public(column: str, values: Iterable[Any], dtype: pl.DataType) -> pl.Series:
    """Return a column's public values in its own type, each once: no row is in two groups."""
    import polars as pl
    from polars.exceptions import PolarsError

    dtype = _kind(dtype)
    try:
        typed = [_typed(value, dtype) for value in values]
        return pl.Series(column, typed, dtype=dtype, strict=True).unique(maintain_order=True)
    except (TypeError, ValueError, ArithmeticError, PolarsError):
        raise SpecError(
            f"the port's privacy policy cannot hold: its values of {column} are no {dtype}.",
            next_step="write them as the column has them, text in quotes, and deploy",
            column=column,
        ) from None


def _typed(value: Any, dtype: pl.DataType) -> Any:
    import polars as pl

    if value is None:
        return None
    # A document has dates as such, or as text where it went through JSON.
    if dtype == pl.Date and isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(dtype, pl.Datetime):
        instant = datetime.fromisoformat(str(value))
        return instant.replace(tzinfo=instant.tzinfo or UTC) if dtype.time_zone else instant
    if isinstance(dtype, pl.Decimal) and isinstance(value, (int, float, str)):
        return Decimal(str(value))
    return value


def _kind(dtype: pl.DataType) -> pl.DataType:
    import polars as pl

    return pl.String() if isinstance(dtype, (pl.Categorical, pl.Enum)) else dtype
