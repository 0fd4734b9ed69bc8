"""What a pandas frame holds that no port keeps: refused, with the line that mends it.

A port has columns of one type each, named by texts, and no index. pandas is known by what its
objects say of themselves, so that nothing here imports it.
"""

from __future__ import annotations

import sys
from typing import Any

from mesh_notebook.errors import ContractError
from mesh_notebook.explore.from_pandas.labels import check_index, check_labels, left_over, unfit
from mesh_notebook.explore.from_pandas.renaming import listed, renamed_by
from mesh_notebook.explore.from_pandas.values import Column, check_values, unread

__all__ = ["as_frame", "in_pandas", "is_pandas", "listed"]
__all__ += ["refuse_unkept", "renamed_by", "unfit", "unread"]


def is_pandas(value: object) -> bool:
    """Return whether a value is a frame of pandas, or of what builds on it."""
    kind = getattr(sys.modules.get("pandas"), "DataFrame", None)
    return kind is not None and isinstance(value, kind)


def refuse_unkept(name: str, frame: Any) -> None:
    """Refuse a pandas frame of which a port would lose or change something.

    Raises
    ------
    ContractError
        It has an index that means something, labels that are no texts or not unique, or a column
        of more than one type, or of a type that no port holds. The next step is a line of Python.
    """
    check_labels(name, frame)
    check_index(name, frame)
    for column in frame.columns:
        check_values(Column(name, column, frame[column]))


def as_frame(name: str, value: Any) -> str:
    """Return the line that makes a frame of what is none yet: a series, an array; else nothing."""
    module, kind = type(value).__module__.partition(".")[0], type(value).__name__
    if (module, kind) == ("polars", "Series"):
        return f"{name} = {name}.to_frame()"
    if (module, kind) == ("pandas", "Series"):
        label = value.name if isinstance(value.name, str) else "value"
        if value.index.nlevels == 1 and value.index.name is None and left_over(value.index):
            return f'{name} = {name}.to_frame("{label}")'
        return f'{name} = {name}.reset_index(name="{label}")'
    if (module, kind) == ("numpy", "ndarray"):
        return f"{name} = pl.DataFrame({name})"
    return ""


def in_pandas(name: str, error: ContractError) -> ContractError:
    """Return the refusal of a key or an event time with its next step as pandas says it."""
    facts, column = error.facts, error.facts.get("column")
    step = error.next_step
    if "dtype" in facts:
        step = f'{name}["{column}"] = pd.to_datetime({name}["{column}"], utc=True)'
    elif "count" in facts and column:
        step = f'{name} = {name}.dropna(subset=["{column}"])  # or take another column'
    elif step.startswith("say which: .with_columns"):  # nothing but nulls
        step = f'{name}["{column}"] = {name}["{column}"].astype("string")'
    elif ".with_columns(" in step and column:
        step = f'{name}["{column}"] = {name}["{column}"].map(str, na_action="ignore")'
    elif "key" in facts and not step.startswith("add a column"):
        step = f"{name} = {name}.drop_duplicates({list(facts['key'])!r})  # or aggregate to one row"
    return ContractError(error.message, next_step=step, **facts)
