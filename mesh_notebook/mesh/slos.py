"""What a frame keeps of its contract's `slaProperties`, measured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.drift import drift, moving, single
from mesh_notebook.mesh.earlier import Earlier
from mesh_notebook.mesh.lag import instants, lag_expr, microseconds, quantiles_of
from mesh_notebook.mesh.measuring import measured
from mesh_notebook.mesh.verdicts import SloVerdict, column_of, verdicts

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.shape import Shape
    from mesh_notebook.model.contract import Contract

__all__ = ["SloVerdict", "measure", "verdicts"]


def measure(
    frame: pl.LazyFrame,
    contract: Contract,
    now: datetime,
    earlier: Earlier | None = None,
    shape: Shape | None = None,
) -> dict[str, float]:
    """Measure a frame as its promises are about it, in one pass.

    Parameters
    ----------
    now : datetime
        When the rows become known: the time of publication, or now for a rehearsal.
    earlier : Earlier, optional
        The publications before; without it every row counts as new, and nothing has drifted. Of a
        log, whose frame holds what is added, give it without its newest event.
    shape : dict, optional
        The frame's statistical shape, for its drift.

    Returns
    -------
    dict
        `rows`; `completeness`, the share of cells of the contract's columns that hold a value
        (0 to 1; of no rows it is not known, and left out), and `completeness.<column>` of a
        contract in which that is promised; `snapshot_age_s`, 0 at publication, which is when this
        is called; `drift` and `drift.<column>`, 0 to 1 (see `mesh.drift`). Where the contract names
        an event time, also: `newest_event`, when the newest event that has happened by `now` did,
        in seconds since 1970; `freshness_s` and `oldest_event_s`, the age in seconds of the newest
        and the oldest; `lag_p50_s` and `lag_p95_s` (see `mesh.lag`). A day counts from its first
        instant, UTC; only for lag, from its last.
    """
    import polars as pl

    schema = frame.collect_schema()
    names = [column.name for column in contract.columns if column.name in schema]
    counts = [pl.col(name).count().alias(f"held {name}") for name in names]
    event = contract.event_time if contract.event_time in names else None
    times = _times(event, schema[event], now, earlier) if event else []
    row = measured(frame, [pl.len().alias("number of rows"), *counts, *times])
    told = {column.name: column[0] for column in row}
    held = {name: told[f"held {name}"] for name in names}
    return {
        **_counted(told["number of rows"], held, contract),
        "snapshot_age_s": 0.0,
        **(_timed(told, now) if times else {}),
        **(_drifted(shape, earlier, contract) if shape and earlier else {}),
    }


def _drifted(shape: Shape, earlier: Earlier, contract: Contract) -> dict[str, float]:
    return drift(shape, earlier.shapes, moving(contract), single(contract))


def _counted(rows: int, held: dict[str, int], contract: Contract) -> dict[str, float]:
    measured = {"rows": float(rows)}
    if not rows or not held:
        return measured
    measured["completeness"] = sum(held.values()) / (rows * len(held))
    for slo in contract.slos:
        if slo.property == "completeness" and (name := column_of(slo)) in held:
            measured[f"completeness.{name}"] = held[name] / rows
    return measured


def _times(event: str, dtype: pl.DataType, now: datetime, earlier: Earlier | None) -> list[pl.Expr]:
    import polars as pl

    begun = instants(pl.col(event), dtype)
    new = lag_expr(event, dtype, now, earlier.newest_event if earlier else None)
    if begun is None or new is None:
        return []
    # An event planned for tomorrow says nothing about how fresh the data is.
    happened = begun.filter(begun <= microseconds(now))
    return [happened.max().alias("newest"), happened.min().alias("oldest"), new]


def _timed(told: dict[str, Any], now: datetime) -> dict[str, float]:
    if told["newest"] is None:
        return {}
    newest, oldest = (_instant(told[end]) for end in ("newest", "oldest"))
    return {
        "newest_event": newest.timestamp(),
        "freshness_s": (now - newest).total_seconds(),
        "oldest_event_s": (now - oldest).total_seconds(),
        **quantiles_of(told["new"], now),
    }


def _instant(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
