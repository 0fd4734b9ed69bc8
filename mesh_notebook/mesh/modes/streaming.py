"""Rows as they are computed: part by part, and with one paragraph where their files give out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mesh_notebook.errors import StoreError

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.reading import Reading

__all__ = ["parts", "schema_of", "to_its_end"]

_ROWS = 50_000  # of a part


def parts(reading: Reading, frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Return a frame made of a reading, part by part, in order, computed as it is asked for."""
    with to_its_end(reading):
        yield from frame.collect_batches(chunk_size=_ROWS, maintain_order=True, lazy=True)


def schema_of(reading: Reading) -> pl.Schema:
    """Return the columns of a reading and their types."""
    with to_its_end(reading):
        return reading.frame.collect_schema()


@contextmanager
def to_its_end(reading: Reading) -> Iterator[None]:
    """Turn what goes wrong while a port's files are read into a `StoreError`."""
    from polars.exceptions import PolarsError

    try:
        yield
    except (OSError, PolarsError) as error:
        raise StoreError(
            f"{reading.product.name}/{reading.port} cannot be read to its end: "
            f"{str(error).splitlines()[0]}",
            next_step="was its data moved or removed meanwhile? read it again",
            snapshot=reading.receipt.snapshot,
        ) from None
