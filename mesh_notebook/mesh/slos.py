"""Promises measured: what a frame keeps of its contract's `slaProperties`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from mesh_notebook.errors import UsageError
from mesh_notebook.model.contract import Slo
from mesh_notebook.model.time import duration, say_duration

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["SloVerdict", "measure", "verdicts"]


@dataclass(frozen=True)
class SloVerdict:
    """One promise, and whether it is kept; `kept` is None where nothing was measured."""

    slo: Slo
    promised: str
    measured: str
    kept: bool | None


def measure(frame: pl.LazyFrame, contract: Contract, now: datetime) -> dict[str, float]:
    """Measure a frame as its promises are about it, in one pass.

    Returns
    -------
    dict
        `rows`; `completeness`, the share of cells of the contract's columns that hold a value
        (0 to 1; 1 of no cells at all); `snapshot_age_s`, 0 at publication, which is when this
        is called; and, where the contract names an event time,
        `freshness_s`, the age in seconds of the newest event that has happened by `now`.
        Of a contract whose completeness is promised of one column, `completeness.<column>`.
        A day counts from its first instant, UTC.
    """
    import polars as pl

    schema = frame.collect_schema()
    names = [column.name for column in contract.columns if column.name in schema]
    counts = [pl.col(name).count().alias(f"held {name}") for name in names]
    event = contract.event_time if contract.event_time in names else None
    newest = [_newest(event, schema[event], now).alias("newest event")] if event else []
    wanted = [pl.len().alias("number of rows"), *counts, *newest]
    row = frame.select(wanted).collect().row(0, named=True)
    rows = row["number of rows"]
    held = {name: row[f"held {name}"] for name in names}
    complete = _share(sum(held.values()), rows * len(names))
    measured = {"rows": float(rows), "completeness": complete, "snapshot_age_s": 0.0}
    for slo in contract.slos:
        if slo.property == "completeness" and (name := _column_of(slo)) in held:
            measured[f"completeness.{name}"] = _share(held[name], rows)
    if event and (moment := row["newest event"]) is not None:
        measured["freshness_s"] = (now - _instant(moment)).total_seconds()
    return measured


def _newest(name: str, dtype: pl.DataType, now: datetime) -> pl.Expr:
    # An event planned for tomorrow says nothing about how fresh the data is.
    import polars as pl

    column = pl.col(name)
    if isinstance(dtype, pl.Date):
        return column.filter(column <= now.date()).max()
    if isinstance(dtype, pl.Datetime):
        # A naive time is taken for UTC; an instant of another zone is the same instant.
        here = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        instant = here if dtype.time_zone else here.dt.replace_time_zone("UTC")
        return instant.filter(instant <= pl.lit(now.astimezone(UTC))).max()
    return pl.lit(None)


def _instant(moment: date | datetime) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _column_of(slo: Slo) -> str:
    """Return the column that a promise is about: `listeners.age` and `age` both say `age`."""
    return slo.element.rpartition(".")[2]


def verdicts(measured: Mapping[str, float], contract: Contract) -> list[SloVerdict]:
    """Hold what was measured to each promise of the contract, in the contract's order."""
    return [_VERDICTS.get(slo.property, _unmeasured)(slo, measured) for slo in contract.slos]


def _unmeasured(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    return SloVerdict(slo, _as_written(slo), "", None)


def _as_written(slo: Slo) -> str:
    return f"{slo.value} {slo.unit}".strip()


def _freshness(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    promised = _seconds(slo)
    if promised is None:
        return _unmeasured(slo, measured)
    # With an element the promise is about its events, without one about the snapshot.
    of, said = ("freshness_s", "newest event") if slo.element else ("snapshot_age_s", "published")
    age = measured.get(of)
    if age is None:
        return SloVerdict(slo, f"at most {say_duration(promised)}", "", None)
    since = f"{said} {say_duration(age)} ago" if abs(age) >= 1 else f"{said} now"
    return SloVerdict(slo, f"at most {say_duration(promised)}", since, age <= promised)


def _seconds(slo: Slo) -> float | None:
    text = str(slo.value).strip()
    try:
        return duration(text if not slo.unit or text.startswith("P") else f"{text}{slo.unit}")
    except UsageError:
        return None


def _completeness(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    promised = _promised_share(slo)
    share = measured.get(f"completeness.{_column_of(slo)}", measured.get("completeness"))
    if promised is None or share is None:
        return _unmeasured(slo, measured)
    return SloVerdict(
        slo, f"at least {_percent(promised)}", _percent(share, promised), share >= promised
    )


def _promised_share(slo: Slo) -> float | None:
    text = str(slo.value).strip()
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return None
    in_percent = text.endswith("%") or slo.unit.lower() in ("percent", "%", "pct")
    share = number / 100 if in_percent or number > 1 else number
    return share if 0 <= share <= 1 else None


def _percent(share: float, against: float | None = None) -> str:
    """Say a share so that what misses its promise never reads as if it kept it."""
    digits = 2
    while against is not None and digits < 10 and _rounds_up(share, against, digits):
        digits += 2
    return f"{100 * share:.{digits}f}".rstrip("0").rstrip(".") + " %"


def _rounds_up(share: float, against: float, digits: int) -> bool:
    return share < against and round(100 * share, digits) >= 100 * against


def _rows(slo: Slo, measured: Mapping[str, float]) -> SloVerdict:
    try:
        promised = float(str(slo.value))
    except ValueError:
        return _unmeasured(slo, measured)
    rows = measured.get("rows")
    if rows is None:
        return SloVerdict(slo, f"at least {promised:,.0f} rows", "", None)
    return SloVerdict(slo, f"at least {promised:,.0f} rows", f"{rows:,.0f} rows", rows >= promised)


_VERDICTS: dict[str, Callable[[Slo, Mapping[str, float]], SloVerdict]] = {
    "freshness": _freshness,
    "completeness": _completeness,
    "rows": _rows,
}
