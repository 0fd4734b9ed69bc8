"""What one publication changed: the rows in which two pictures of a port differ.

Only the files that one picture has and the other has not are read, for in the others there is
nothing to find. A row that has its key in both counts as changed where a value is not the same, as
`mesh.rows` says for the whole product. A row without a key is known by its text alone: there a
publication sees to it that what is the same keeps the text that it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.modes.lexical import json_text
from mesh_notebook.mesh.modes.naming import row_name
from mesh_notebook.mesh.modes.streaming import schema_of, to_its_end
from mesh_notebook.mesh.modes.text import as_ndjson
from mesh_notebook.mesh.rows import holds_floats, same

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.reading import Reading

__all__ = ["Changes", "difference"]


@dataclass(frozen=True)
class Changes:
    """Rows that came, changed or went, in an order that is the same for ever.

    Attributes
    ----------
    rows : polars.DataFrame
        `row`, a struct of the port's columns; `name`, the row's name by its key, or where the
        port has no key its JSON; `copy`, which of several equal rows it is, counted from 0.
    reading : Reading
        The picture whose contract describes them.
    """

    rows: pl.DataFrame
    reading: Reading


def difference(old: Reading | None, new: Reading) -> tuple[Changes, Changes]:
    """Return the rows that vanished from one picture to the next, and those that are new in it.

    A changed row of a port with a key is new under its key; without a key the old row vanished
    and another is new. Without an `old` picture everything is new.
    """
    import polars as pl

    schema = schema_of(new)
    if old is not None and not _comparable(old, new):
        return _anew(old, new)
    before, after = _unshared(old, new)
    plan = _Keyed(new, schema) if new.contract.key else _Keyless(new, schema)
    with to_its_end(new):
        changed = plan.between(_aligned(before, schema), after)
        gone, came = pl.collect_all(changed, engine="streaming")  # faster, and in less memory
    return Changes(gone, new), Changes(came, new)


def _comparable(old: Reading, new: Reading) -> bool:
    """Whether the pictures have one schema, save for columns that were added, and one key."""
    before, after = schema_of(old), schema_of(new)
    same = all(after.get(name) == dtype for name, dtype in before.items())
    return same and old.contract.key == new.contract.key


def _unshared(old: Reading | None, new: Reading) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    if old is None:
        return new.frame.head(0), new.frame
    if not _file_by_file(old, new):
        return old.frame, new.frame
    before, after = set(old.scan.paths), set(new.scan.paths)
    return old.only(sorted(before - after)), new.only(sorted(after - before))


def _file_by_file(old: Reading, new: Reading) -> bool:
    """Whether a file that both pictures have shows the same rows in both."""
    # A correction may move a log's event out of the window: the window then hides the correction,
    # and only the whole pictures show that the row is gone.
    moving = new.receipt.ports[new.port].kind == "log" and new.window.bounded
    named = "delta" in (old.scan.format, new.scan.format)  # its one path is the whole table
    return old.product.policies == new.product.policies and not moving and not named


def _aligned(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    import polars as pl

    found = frame.collect_schema()
    return frame.select(
        pl.col(name) if name in found else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    )


def _anew(old: Reading, new: Reading) -> tuple[Changes, Changes]:
    """Of two pictures that cannot be compared: every row is new, and what has no heir is gone."""
    _, everything = difference(None, new)
    _, before = difference(None, old)
    gone = before.rows.join(everything.rows, on=["name", "copy"], how="anti")
    return Changes(gone, old), everything


@dataclass(frozen=True)
class _Keyed:
    reading: Reading
    schema: pl.Schema

    def between(self, before: pl.LazyFrame, after: pl.LazyFrame) -> list[pl.LazyFrame]:
        """Return what went and what came, each named and in order."""
        old, new = self._marked(before), self._marked(after)
        key = [name for name in new.collect_schema() if name.startswith("key ")]
        marks = [name for name in new.collect_schema() if name != "row"]
        gone = old.join(new, on=key, how="anti", nulls_equal=True)
        came = new.join(old, on=marks, how="anti", nulls_equal=True)
        if any(map(holds_floats, self.schema.dtypes())):
            alike = self._alike(came, old, key).select(marks)
            came = came.join(alike, on=marks, how="anti", nulls_equal=True)
        return [self._named(gone), self._named(came)]

    def _alike(self, came: pl.LazyFrame, old: pl.LazyFrame, key: list[str]) -> pl.LazyFrame:
        """Return those of the rows that came which differ by noise from that of the same key."""
        import polars as pl

        before = old.select(*key, pl.col("row").alias("row before"))
        one, other = pl.col("row").struct, pl.col("row before").struct
        both = came.join(before, on=key, how="inner", nulls_equal=True)
        return both.filter(
            same(one.field(name), other.field(name), dtype) for name, dtype in self.schema.items()
        )

    def _marked(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        import polars as pl

        key = set(self.reading.contract.key)
        marks = [
            mark.alias(f"{'key' if name in key else 'value'} {at} {name}")
            for name, dtype in self.schema.items()
            for at, mark in enumerate(_marks(pl.col(name), dtype))
        ]
        return frame.select(pl.struct(pl.all()).alias("row"), *marks)

    def _named(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        import polars as pl

        def field(name: str) -> pl.Expr:
            return pl.col("row").struct.field(name)

        name: Any = row_name(self.reading.contract.key, self.schema, field)
        copy = pl.lit(0, pl.Int64).alias("copy")
        return frame.select("row", name.alias("name"), copy).sort("name")


@dataclass(frozen=True)
class _Keyless:
    reading: Reading
    schema: pl.Schema

    def between(self, before: pl.LazyFrame, after: pl.LazyFrame) -> list[pl.LazyFrame]:
        """Return what went and what came: of equal rows, as many as there are more or fewer."""
        old, new = self._counted(before), self._counted(after)
        same = ["name", "copy"]
        return [
            one.join(other, on=same, how="anti").sort(same)
            for one, other in ((old, new), (new, old))
        ]

    def _counted(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        import polars as pl

        named = frame.select(pl.struct(pl.all()).alias("row"), as_ndjson(self.schema).alias("name"))
        return named.with_columns(copy=pl.int_range(pl.len(), dtype=pl.Int64).over("name"))


def _marks(value: pl.Expr, dtype: pl.DataType) -> list[pl.Expr]:
    """Return what two values have in common where, and only where, they have the same bits."""
    import polars as pl

    if isinstance(dtype, pl.List | pl.Struct):
        return [json_text(value, dtype)]
    if dtype.is_float():
        return [value, 1 / value < 0]  # 0.0 equals -0.0, and has other bits
    return [value]
