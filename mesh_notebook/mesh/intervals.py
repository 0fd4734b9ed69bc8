"""Ports with a picture per interval: "the user profiles of October"."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from mesh_notebook.errors import DeployRefused
from mesh_notebook.model.time import interval_around, say_interval

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["instant", "interval_between", "interval_of_rows", "refuse_unsaid"]


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
    refuse_unsaid(contract, length, given)
    if extremes := _extremes(rows, contract):
        return interval_between(*extremes, contract, length, given)
    if given is None:
        raise _unsaid(contract, length)
    return say_interval(interval_around(given, length))


def refuse_unsaid(contract: Contract, length: str, given: datetime | None) -> None:
    """Raise `DeployRefused` where neither the rows nor the publisher say of which interval."""
    if contract.event_time is None and given is None:
        raise _unsaid(contract, length)


def _unsaid(contract: Contract, length: str) -> DeployRefused:
    return DeployRefused(
        f"each publication of '{contract.name}' is the picture of one interval ({length}), and "
        "nothing in its rows says of which.",
        next_step="deploy it with --interval, for example --interval 2026-10",
    )


def interval_between(
    first: date | datetime,
    last: date | datetime,
    contract: Contract,
    length: str,
    given: datetime | None,
) -> str:
    """Return the interval that holds the first and the last event of rows, as `start/end`.

    Raises
    ------
    DeployRefused
        They lie in several, or outside of the given one.
    """
    spans = sorted({interval_around(instant(moment), length) for moment in (first, last)})
    if given is not None and spans != [wanted := interval_around(given, length)]:
        raise _several(contract, length, spans, f"not only in {say_interval(wanted)}")
    if len(spans) > 1:
        raise _several(contract, length, spans, "in more than one")
    return say_interval(spans[0])


def _extremes(
    rows: pl.DataFrame, contract: Contract
) -> tuple[date | datetime, date | datetime] | None:
    """Return the earliest and the latest event; None where rows have none."""
    name = contract.event_time
    if name is None or rows.is_empty():
        return None
    if missing := rows[name].null_count():
        raise DeployRefused(
            f"{missing:,} rows of '{contract.name}' have no {name}, so they are in no interval.",
            next_step=f"fill {name}, or leave these rows out",
            column=name,
        )
    return rows[name].min(), rows[name].max()  # type: ignore[return-value]


def instant(moment: date | datetime) -> datetime:
    """Return an event time as an instant: of a day, its first."""
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
        next_step="publish one interval at a time: cut the inputs by --from and --to (a source by "
        "--event-time COLUMN, too). A picture of how all stood, whenever it came about, is "
        "declared without --event-time, and deployed with --interval",
        intervals=[say_interval(span) for span in spans],
    )
