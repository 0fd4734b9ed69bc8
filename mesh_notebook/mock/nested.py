"""Makers of values that hold others: lists, structs, and bytes that hold a text.

What is within is made by the rules of its own property, and is never null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.mock.hints import Hints, refuse, refuse_long
from mesh_notebook.mock.noise import again
from mesh_notebook.mock.texts import Use
from mesh_notebook.mock.values import Listed, Maker
from mesh_notebook.model.column import Column

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mock.limits import Limits
    from mesh_notebook.mock.noise import Floats, Integers

__all__ = ["Bytes", "as_text", "list_maker", "struct_maker"]

_Make = Callable[["Limits", Hints, Use], Maker]
_MOST = 1 << 31


@dataclass(frozen=True)
class Joined:
    """Structs, of a maker for each field."""

    fields: Mapping[str, Maker]

    @property
    def capacity(self) -> int:
        return _MOST if all(maker.capacity for maker in self.fields.values()) else 0

    def nth(self, index: Integers) -> pl.Series:
        from mesh_notebook.mock.noise import unit

        return self.draw(unit(index, 0))

    def draw(self, draws: Floats) -> pl.Series:
        import polars as pl

        made = [maker.draw(again(draws, n)).alias(n) for n, maker in self.fields.items()]
        return pl.DataFrame(made).to_struct("")


@dataclass(frozen=True)
class Bytes:
    """The bytes of another maker's texts."""

    inner: Maker

    @property
    def capacity(self) -> int:
        return self.inner.capacity

    def nth(self, index: Integers) -> pl.Series:
        import polars as pl

        return self.inner.nth(index).cast(pl.Binary)

    def draw(self, draws: Floats) -> pl.Series:
        import polars as pl

        return self.inner.draw(draws).cast(pl.Binary)


def as_text(limits: Limits) -> Limits:
    """Return the demands on a column of bytes as demands on the texts in it."""
    import polars as pl

    text = Column({**limits.column.raw, "logicalType": "string", "physicalType": "VARCHAR"})
    return replace(limits, column=text, dtype=pl.String())


def list_maker(limits: Limits, hints: Hints, use: Use, make: _Make) -> Maker:
    """Return the maker of a column of lists."""
    import polars as pl

    assert isinstance(limits.dtype, pl.List)
    item = limits.column.items or Column({"name": limits.name}, limits.column.dialect)
    inner = _within(item, limits.dtype.inner)
    options = limits.column.options
    least = int(options.get("minItems", 0))
    most = int(options.get("maxItems", max(least, 3)))
    refuse_long(limits.name, "list", least, "its minItems")
    plain = Hints(limits.name, {k: v for k, v in hints.given.items() if k != "nulls"})
    single = make(inner, plain, Use(use.identity, False, False))
    made = Listed(single, least, most, bool(options.get("uniqueItems")))
    if least > most or made.capacity == 0:
        refuse(limits.name, "no list keeps its limits", "widen minItems, maxItems or its values")
    return made


def struct_maker(limits: Limits, hints: Hints, use: Use, make: _Make) -> Maker:
    """Return the maker of a column of structs; a field's rules are those of its property."""
    import polars as pl

    assert isinstance(limits.dtype, pl.Struct)
    said = {part.name.lower(): part for part in limits.column.parts}
    fields: dict[str, Maker] = {}
    for field in limits.dtype.fields:
        part = said.get(field.name.lower()) or Column({"name": field.name}, limits.column.dialect)
        own = Use(f"{use.identity}#{field.name}", False, False)
        fields[field.name] = make(_within(part, field.dtype), Hints.of(part), own)
    return Joined(fields)


def _within(part: Column, dtype: Any) -> Limits:
    """Return the demands on what is within another value, whose type is known from there."""
    from mesh_notebook.mesh.dtypes import logical_type, physical_type
    from mesh_notebook.mock.limits import limits_of

    raw = dict(part.raw)
    raw.setdefault("logicalType", logical_type(dtype))
    if not raw.get("physicalType"):
        raw["physicalType"] = physical_type(dtype)
    return limits_of(Column(raw, part.dialect), 1, dtype)
