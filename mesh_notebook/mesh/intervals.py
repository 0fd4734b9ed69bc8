"""Ports with a picture per interval: "the user profiles of October"."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from mesh_notebook.errors import DeployRefused
from mesh_notebook.model.time import interval_around, say_interval

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["interval_of_rows"]


def interval_of_rows(
    rows: pl.DataFrame, contract: Contract, length: str, given: datetime | None
) -> str:
    """Return the interval that rows are the picture of, as `start/end`.

    Parameters
    ----------
    length : str
        `P1M`, as the port declares it.
    given : datetime or None
        An instant in the interval that the publisher means. Where the rows have event times these
        say it, and must agree.

    Raises
    ------
    DeployRefused
        Nothing says the interval, or rows lie in several, or outside of the given one.
    """
    spans = _spans(rows, contract, length)
    if given is not None:
        wanted = interval_around(given, length)
        spans = spans or [wanted]
        if spans[0] != wanted or len(spans) > 1:
            raise _several(contract, length, spans, f"not only in {say_interval(wanted)}")
    if not spans:
        raise DeployRefused(
            f"each publication of '{contract.name}' is the picture of one interval ({length}), and "
            "nothing in its rows says of which.",
            next_step="deploy it with --interval, for example --interval 2026-10",
        )
    if len(spans) > 1:
        raise _several(contract, length, spans, "in more than one")
    return say_interval(spans[0])


def _spans(rows: pl.DataFrame, contract: Contract, length: str) -> list[tuple[datetime, datetime]]:
    """Return the intervals of the earliest and of the latest event, which may be the same."""
    name = contract.event_time
    if name is None or rows.is_empty():
        return []
    if missing := rows[name].null_count():
        raise DeployRefused(
            f"{missing:,} rows of '{contract.name}' have no {name}, so they are in no interval.",
            next_step=f"fill {name}, or leave these rows out",
            column=name,
        )
    extremes = (rows[name].min(), rows[name].max())
    found = [interval_around(_instant(moment), length) for moment in extremes]  # type: ignore[arg-type]
    return sorted(set(found))


def _instant(moment: date | datetime) -> datetime:
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time(), UTC)


def _several(
    contract: Contract, length: str, spans: list[tuple[datetime, datetime]], where: str
) -> DeployRefused:
    said = " to ".join(say_interval(span) for span in spans)
    return DeployRefused(
        f"each publication of '{contract.name}' is the picture of one interval ({length}), but its "
        f"rows lie {where}: {said}.",
        next_step="publish one interval at a time: cut the inputs by --from and --to",
        intervals=[say_interval(span) for span in spans],
    )
