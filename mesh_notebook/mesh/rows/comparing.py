"""Whether two frames are equal: columns and dtypes in order, rows as a multiset.

When two rows are the same, `mesh.rows.tolerance` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mesh_notebook.mesh.rows.pairing import OTHER, paired, unpaired
from mesh_notebook.mesh.rows.tolerance import holds_floats, same

if TYPE_CHECKING:
    import polars as pl

__all__ = ["difference"]

_COUNT, _ROW, _SAME = "count of this row\0", "number of this row\0", " is the same\0"
_SHOWN = 3


def difference(
    notebook: pl.DataFrame, replayed: pl.DataFrame, key: Sequence[str] = ()
) -> str | None:
    """Say how two frames differ, down to the first differing rows; None where they are equal.

    Parameters
    ----------
    key : sequence of str
        Columns that identify a row, so that a differing row is told from a missing one.
    """
    if shape := _shape(notebook, replayed):
        return shape
    if not notebook.columns:
        return None
    ours, theirs = _unlike(*_left_over(notebook, replayed))
    if ours.is_empty() and theirs.is_empty():
        return None
    said = [f"the notebook has {notebook.height:,} rows, the clean process {replayed.height:,}"]
    return "\n".join([*said, *_rows(ours, theirs, key)])


def _shape(notebook: pl.DataFrame, replayed: pl.DataFrame) -> str | None:
    if notebook.columns != replayed.columns:
        return (
            f"the notebook has the columns {notebook.columns}, the clean process {replayed.columns}"
        )
    theirs = replayed.schema  # which each look at it makes anew
    for name, dtype in notebook.schema.items():
        other = theirs[name]
        if dtype != other:
            return f"column '{name}' is {dtype} in the notebook, {other} in the clean process"
    return None


def _left_over(notebook: pl.DataFrame, replayed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that each frame has more often than the other, as often as it has more."""
    import polars as pl

    sides = [notebook.with_columns(**{_COUNT: 1}), replayed.with_columns(**{_COUNT: -1})]
    counted = (
        pl.concat(sides)
        .group_by(notebook.columns, maintain_order=True)
        .agg(pl.col(_COUNT).sum())
        .filter(pl.col(_COUNT) != 0)
    )
    times = pl.int_ranges(pl.col(_COUNT).abs())
    repeated = counted.with_columns(times.alias(_ROW)).explode(_ROW)
    ours = repeated.filter(pl.col(_COUNT) > 0).select(notebook.columns)
    return ours, repeated.filter(pl.col(_COUNT) < 0).select(notebook.columns)


def _unlike(ours: pl.DataFrame, theirs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that differ in more than noise from each of the other frame."""
    if any(map(holds_floats, ours.dtypes)):
        return unpaired(ours, theirs, paired(ours, theirs))
    return ours, theirs


# ---- what a person is told ---------------------------------------------------------------------


def _rows(ours: pl.DataFrame, theirs: pl.DataFrame, key: Sequence[str]) -> Iterator[str]:
    if key and set(key) <= set(ours.columns) and (cells := list(_cells(ours, theirs, key))):
        yield from cells
        return
    for rows, where in ((ours, "only in the notebook"), (theirs, "only in the clean process")):
        for row in rows.head(_SHOWN).to_dicts():
            yield f"  {where}: {_said(row)}"
        if rows.height > _SHOWN:
            yield f"  … and {rows.height - _SHOWN:,} more {where}"


def _cells(ours: pl.DataFrame, theirs: pl.DataFrame, key: Sequence[str]) -> Iterator[str]:
    """Yield, for rows that both sides have by their key, the first cells that differ."""
    import polars as pl

    both = ours.join(theirs, on=list(key), how="inner", nulls_equal=True, suffix=OTHER)
    others = {name: dtype for name, dtype in ours.schema.items() if name not in key}
    alike = [
        same(pl.col(name), pl.col(f"{name}{OTHER}"), dtype).alias(f"{name}{_SAME}")
        for name, dtype in others.items()
    ]
    for row in both.head(_SHOWN).with_columns(alike).to_dicts():
        for name in others:
            if not row[f"{name}{_SAME}"]:
                where = _said({k: row[k] for k in key})
                here, then = _value(row[name]), _value(row[f"{name}{OTHER}"])
                yield f"  {where}: {name} is {here} in the notebook, {then} in the clean process"


def _said(row: dict[str, object]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in row.items())


def _value(value: object) -> str:
    from datetime import date

    return value.isoformat() if isinstance(value, date) else repr(value)
