"""Columns that are named by values of an input, as those of a pivot are.

Everybody reads the names of columns: no mask and no role hides them. So a name that is a value of
a masked column is owed for by itself, and is never told in a message, which says how many there
are, and of which column.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from mesh_notebook.mesh.inheritance.obligations import Obligation, Upstream
from mesh_notebook.mesh.inputs import OpenedInput, ReplayInput

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Named", "named_by_values"]

Given = Mapping[str, "ReplayInput | OpenedInput"]
Named = Mapping[Obligation, frozenset[str]]
# A shorter value may be part of a name by accident.
_SHORT = 3


def named_by_values(
    columns: Iterable[str], text: str, inputs: Given, upstreams: Mapping[str, Upstream]
) -> Named:
    """Return what is owed for names of columns, and by which columns.

    Parameters
    ----------
    columns
        The output's.
    text
        The transform's: a name that it spells is no news of the rows, and neither is an input's.
    """
    if not any(given.clear for given in upstreams.values()):
        return {}
    schemas = {name: given.data.lazy().collect_schema() for name, given in inputs.items()}
    spelled = {*_spelled(text), *(column for schema in schemas.values() for column in schema)}
    left = {column for column in columns if column not in spelled}
    found: dict[Obligation, frozenset[str]] = {}
    for name, given in upstreams.items():
        masked = {mask.column: mask for mask in given.clear if mask.column in schemas[name]}
        if not left or not masked:
            continue
        others = [column for column in schemas[name] if given.decision.policy.mask(column) is None]
        free = {one for column in others for one in _named(left, _texts(inputs[name], column))}
        for column, mask in masked.items():
            named = frozenset(_named(left - free, _texts(inputs[name], column)))
            if named:
                found[_owed(name, given, named, mask.column)] = named
                left -= named
    return found


def _owed(name: str, given: Upstream, named: frozenset[str], column: str) -> Obligation:
    mask = given.decision.policy.mask(column)
    assert mask is not None
    many = f"{len(named)} columns" if len(named) > 1 else "a column"
    rule = f"{many}, by {column} of {given.name}: {mask.said()}"
    return Obligation("named", "", f"{given.where}#{column}", rule, mask.exempt, input=name)


def _texts(given: ReplayInput | OpenedInput, column: str) -> pl.Series | None:
    """Return the values of a column as a name would say them; None of what names no column."""
    import polars as pl

    frame = given.window.cut(given.data.lazy()) if given.window else given.data.lazy()
    values = frame.select(pl.col(column).unique().drop_nulls()).collect().to_series()
    if values.dtype.is_nested():
        return None
    return values.cast(pl.String, strict=False).drop_nulls().str.to_lowercase()


def _named(names: Iterable[str], values: pl.Series | None) -> Iterator[str]:
    """Yield the names that are one of the values, or hold one of those that are no accident."""
    import polars as pl

    if values is None:
        return
    long = values.filter(values.str.len_chars() >= _SHORT).alias("value").to_frame()
    whole = set(values)
    for name in names:
        low = name.lower()
        held = pl.lit(low).str.contains(pl.col("value"), literal=True).any()
        if low in whole or long.select(held).item():
            yield name


def _spelled(text: str) -> set[str]:
    """Return the names that code says: words of its texts, its keywords and its identifiers."""
    tree = ast.parse(text)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(words)) if id(node) not in said:
                found |= {words, *re.findall(r"\w+", words)}
            case ast.keyword(arg=str(name)) | ast.Name(id=name) | ast.Attribute(attr=name):
                found.add(name)
    return found
