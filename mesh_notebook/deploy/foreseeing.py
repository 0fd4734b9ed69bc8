"""What a deployment would be refused for once its rows are there, as far as it shows before.

A plan runs nothing. But where a port takes its event times from an input, that input says which
intervals its rows may be of, and the text of the transform whether they all come through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from mesh_notebook.deploy.schemas import refuse_passed_on, refuse_reshaped
from mesh_notebook.deploy.times_kept import keeps_times, queried_as_it_is
from mesh_notebook.deploy.views import sealed_lineage
from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh.intervals import interval_between, refuse_unsaid
from mesh_notebook.mesh.seals import sealed_rows
from mesh_notebook.model.lineage import DIRECT

if TYPE_CHECKING:
    from mesh_notebook.deploy.planning import Options
    from mesh_notebook.deploy.preparing import Prepared

__all__ = ["Foreseen", "foreseen"]


@dataclass(frozen=True)
class Foreseen:
    """What will bar a deployment, and what may: of that only a run can tell."""

    refusals: tuple[DeployRefused, ...]
    notes: tuple[str, ...]


def foreseen(prepared: Prepared, options: Options) -> Foreseen:
    """Foresee what running a bundle on its inputs would be refused for."""
    refusals: list[DeployRefused] = []
    notes: list[str] = []
    for found in prepared.reshaped:
        if found.used:
            continue  # which is refused already
        try:
            refuse_reshaped(found, probably=True)
            refuse_passed_on(found, prepared.made)
        except DeployRefused as error:
            refusals.append(error)
        else:
            notes.append(f"the input '{found.input}' is not as it was proved: {found.said()}")
    notes += _of_no_rows(prepared, options)
    for port in prepared.made.contracts if not options.backfill else ():
        try:
            notes += _of_interval(prepared, port, options.interval)
        except DeployRefused as error:
            refusals.append(error)
    return Foreseen(tuple(refusals), tuple(notes))


def _of_no_rows(prepared: Prepared, options: Options) -> Iterator[str]:
    """Yield which ports had no rows when the product was exported, and may have none still."""
    if prepared.standing or options.allow_empty:
        return
    rows = sealed_rows(prepared.made.bundle.folder)
    for port in prepared.made.contracts:
        if rows.get(port) == 0:
            yield (
                f"{port} had 0 rows when it was exported: a first publication of no rows is "
                "refused without --allow-empty"
            )


def _of_interval(prepared: Prepared, port: str, given: datetime | None) -> Iterator[str]:
    """Yield what is doubtful of a port's interval; raises `DeployRefused` where it is certain."""
    contract = prepared.made.contracts[port]
    length = str(prepared.made.product.output(port).temporality.get("interval") or "")
    if not length:
        return
    refuse_unsaid(contract, length, given)
    times = _event_times(prepared, port)
    if times is None:
        return
    try:
        interval_between(times.first, times.last, contract, length, given)
    except DeployRefused as error:
        apart = given is not None and _is_apart(times.first, times.last, length, given)
        if times.kept or (apart and times.as_they_are):
            raise
        yield f"{times.said}: {error.message} Running it will tell."


def _is_apart(first: date | datetime, last: date | datetime, length: str, given: datetime) -> bool:
    """Whether no event at all lies in the interval that is meant."""
    from mesh_notebook.mesh.intervals import instant
    from mesh_notebook.model.time import interval_around

    start, end = interval_around(given, length)
    return instant(last) < start or instant(first) >= end


@dataclass(frozen=True)
class _Times:
    """The event times of an input, of which a port has its own.

    Attributes
    ----------
    as_they_are : bool
        Whether each of the port's is one of these.
    kept : bool
        Whether each of these is one of the port's, too.
    """

    first: date | datetime
    last: date | datetime
    as_they_are: bool
    kept: bool
    said: str


def _event_times(prepared: Prepared, port: str) -> _Times | None:
    """Return the event times that a port's come from; None where it is not known from which."""
    made, lineage = prepared.made, sealed_lineage(prepared.made.bundle)
    event = made.contracts[port].event_time
    told = lineage.ports.get(port) if lineage else None
    fields = [one for one in told.fields.get(event or "", ()) if one.type == DIRECT] if told else []
    extremes = _extremes(prepared, fields[0].input, fields[0].field) if len(fields) == 1 else None
    if extremes is None:
        return None
    (one,) = fields
    code = (made.bundle.transform.read_text("utf-8"), made.functions[port], one.field)
    # That rows are added up hides what else is done: there the text must show it.
    kept = keeps_times(*code)
    plain = one.subtype == "IDENTITY" or queried_as_it_is(*code)
    plain = plain or (one.subtype == "AGGREGATION" and kept)
    said = f"{one.input}.{one.field}, of which '{port}' has its event times"
    return _Times(*extremes, plain, plain and kept, said)


def _extremes(
    prepared: Prepared, name: str, column: str
) -> tuple[date | datetime, date | datetime] | None:
    import polars as pl

    given = prepared.opened.get(name)
    if given is None:
        return None
    frame = given.data.lazy()
    if given.window:
        frame = given.window.cut(frame)
    dtype = frame.collect_schema().get(column)
    if not isinstance(dtype, pl.Date) and not (isinstance(dtype, pl.Datetime) and dtype.time_zone):
        return None
    value = pl.col(column)
    try:
        row = frame.select(value.min().alias("first"), value.max().alias("last")).collect().row(0)
    except (pl.exceptions.PolarsError, OSError):  # the deployment will say it
        return None
    return None if None in row else row
