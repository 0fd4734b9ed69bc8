"""What a snapshot shows that none of those before it did: told, and never a reason to refuse."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.model.seen import LARGE, MOST_LISTED, seen_of

if TYPE_CHECKING:
    from mesh_notebook.model.contract import Contract

__all__ = ["News", "news_of", "shape_seen"]

_SHOWN = 6
_EXACT = 50_000  # values up to which a shape knows for certain that none comes twice


@dataclass(frozen=True)
class News:
    """One thing that was not seen of a column before.

    Attributes
    ----------
    now, before : str
        What is seen now, and what was until now, in words.
    """

    column: str
    now: str
    before: str


def news_of(
    shape: Mapping[str, Mapping[str, Any]],
    before: Sequence[Mapping[str, Mapping[str, Any]]],
    moving: Collection[str] = (),
) -> tuple[News, ...]:
    """Return what a shape shows that none of the shapes before it did, by column.

    Values that are new to a list, numbers below the least or above the greatest, nulls where none
    were, and values that come again where none did. What no shape before tells of is no news.

    Parameters
    ----------
    before : sequence of shapes
        Those of the last snapshots (see `mesh.shape`).
    moving : collection of str
        Columns whose values move by nature: of these, only nulls and repeats are news.
    """
    return tuple(
        News(name, *said)
        for name, now in shape.items()
        for said in _column(now, [e[name] for e in before if _held(e.get(name))], name in moving)
    )


def shape_seen(contract: Contract) -> dict[str, dict[str, Any]]:
    """Return what a contract says was seen, as a shape says it."""
    return {c.name: _as_shape(seen_of(c.raw), c.required) for c in contract.columns}


def _as_shape(seen: Mapping[str, Any], required: bool) -> dict[str, Any]:
    names = {"minimum": "min", "maximum": "max", "values": "values"}
    shape = {names[k]: v for k, v in seen.items() if k in names}
    shape |= {"nulls": 0.0} if required or seen.get("required") else {}
    shape |= {"unique": True, "distinct": LARGE} if seen.get("unique") else {}
    return {"distinct": 1, **shape} if shape else {}


def _held(column: Mapping[str, Any] | None) -> bool:
    """Whether a shape tells of values of a column."""
    return column is not None and bool(column.get("distinct"))


def _column(
    now: Mapping[str, Any], before: Sequence[Mapping[str, Any]], moves: bool
) -> Iterator[tuple[str, str]]:
    if not before or "distinct" not in now:
        return
    if now["nulls"] and all(then.get("nulls") == 0 for then in before):
        yield f"{now['nulls']:.2%} are null", "none were"
    many = all(then.get("unique") and LARGE <= then["distinct"] <= _EXACT for then in before)
    if many and now["distinct"] > 1 and not now.get("unique"):
        yield "values come again", "none did"
    if not moves:
        yield from _limits(now, before)
        yield from _values(now, before)


def _limits(
    now: Mapping[str, Any], before: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    from mesh_notebook.mesh.rows import same_number

    for name, end, sign in (("min", "down to", -1), ("max", "up to", 1)):
        found, *known = (_numbers(shape.get(name)) for shape in (now, *before))
        numbers = [number for one in known for number in one]
        for number in found if numbers else ():
            last = max(numbers) if sign > 0 else min(numbers)
            if (number - last) * sign > 0 and not same_number(number, last):
                yield f"{end} {_figure(number)}", f"{end} {_figure(last)}"


def _numbers(value: object) -> list[float]:
    """Return a limit that is a number, and none that is a time, or not there."""
    return [value] if isinstance(value, int | float) else []


def _values(
    now: Mapping[str, Any], before: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    lists = [then["values"] for then in before if then.get("values")]
    if not lists or len(lists) < len(before):
        return  # of one that is not listed, nobody knows what it held
    known = set().union(*lists)
    said = f"{len(known)} different values"
    if "values" not in now:
        if now["distinct"] > MOST_LISTED:
            yield f"{now['distinct']:,} different values", said
        return
    if new := [value for value in now["values"] if value not in known]:
        more = f", and {len(new) - _SHOWN} more" if len(new) > _SHOWN else ""
        yield f"new: {', '.join(new[:_SHOWN])}{more}", said


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
