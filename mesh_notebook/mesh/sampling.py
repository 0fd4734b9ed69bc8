"""A sample that is the same each time: rows chosen by a hash of their key.

Neither the order of the rows nor the files that they lie in has a say, and a later snapshot
with the same keys gives the same rows of them. Polars keeps its hash the same within one
version of Polars; receipts and bundles name the version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Sample", "sample"]

_SEEDS = 1 << 64
_HASH = "__mesh_hash"


@dataclass(frozen=True)
class Sample:
    """Some rows of a frame.

    Attributes
    ----------
    frame : polars.DataFrame
        With the columns and types of the whole, in the order of the hash.
    of : int
        How many rows the whole has.
    method : str
        How they were chosen, as one says it: `by hash of play_id`.
    """

    frame: pl.DataFrame
    of: int
    method: str


def sample(frame: pl.LazyFrame, key: Sequence[str], rows: int, seed: int) -> Sample:
    """Choose `rows` rows: those whose hash is least.

    Two passes, each of which holds no more than the sample: the first reads the key's columns
    and finds the hash up to which rows are taken, the second reads these rows.

    Parameters
    ----------
    key : sequence of str
        The columns that tell rows apart; none means the whole row.
    seed : int
        Any whole number; another one chooses other rows.
    """
    import polars as pl

    schema = frame.collect_schema()
    number = _hash(schema, tuple(key) or tuple(schema), seed)
    least = frame.select(number.alias(_HASH)).bottom_k(rows, by=_HASH).max()
    limit, count = pl.collect_all([least, frame.select(pl.len())], engine="streaming")
    taken = frame.with_columns(number.alias(_HASH))
    if (most := limit.item()) is not None:
        taken = taken.filter(pl.col(_HASH) <= most)
    made = taken.collect(engine="streaming").sort(_HASH).head(rows).drop(_HASH)
    return Sample(made, count.item(), f"by hash of {', '.join(key) or 'the whole row'}")


def _hash(schema: pl.Schema, names: Sequence[str], seed: int) -> pl.Expr:
    import polars as pl

    # A category is hashed by its number, which depends on where it was met first.
    texts = [n for n in names if isinstance(schema[n], pl.Categorical | pl.Enum)]
    columns = [pl.col(n).cast(pl.String) if n in texts else pl.col(n) for n in names]
    return pl.struct(columns).hash(seed % _SEEDS)
