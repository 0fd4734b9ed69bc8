"""The Arrow stream: record batches as they are computed, for any library that speaks Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mesh_notebook.mesh.modes.streaming import parts, schema_of

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from mesh_notebook.mesh.reading import Reading

__all__ = ["stream"]


def stream(reading: Reading) -> pa.RecordBatchReader:
    """Return the rows as a stream of Arrow record batches, none of which is made before its time.

    Its schema carries what the port says of itself as metadata: origin, snapshot, contract.
    """
    import polars as pl
    import pyarrow as pa

    from mesh_notebook.mesh.modes.files import told

    empty = pl.DataFrame(schema=schema_of(reading))
    schema = pa.schema(_table(empty).schema, metadata=told(reading))
    return pa.RecordBatchReader.from_batches(schema, _batches(reading, schema))


def _batches(reading: Reading, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for part in parts(reading, reading.frame):
        yield from _table(part).cast(schema).to_batches()


def _table(frame: pl.DataFrame) -> pa.Table:
    import polars as pl

    # Plain text and lists: not every reader knows Arrow's views yet.
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
