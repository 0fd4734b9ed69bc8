"""What one input gives to a transform: rows, perhaps cut to a window of event time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError
from mesh_notebook.model.column import LIMITS
from mesh_notebook.model.contract import Contract, Rule
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.receipt import InputPin
from mesh_notebook.model.time import iso

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = ["EventWindow", "OpenedInput", "ReplayInput"]


@dataclass(frozen=True)
class EventWindow:
    """The event times `[start, end)` of one column, UTC; None leaves that side open.

    A date stands for its midnight: 2026-10-04 is inside a window that starts at that midnight,
    and outside one that starts at noon. Rows without an event time are in no window.
    """

    column: str
    start: datetime | None = None
    end: datetime | None = None

    def cut(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return the rows whose event time lies in the window."""
        import polars as pl

        if self.start is None and self.end is None:
            return frame
        dtype = frame.collect_schema()[self.column]
        column = pl.col(self.column)
        if self.start is not None:
            frame = frame.filter(column >= _limit(self.start, dtype, self.column))
        if self.end is not None:
            frame = frame.filter(column < _limit(self.end, dtype, self.column))
        return frame

    def overlaps(self, least: date | datetime, most: date | datetime, slack: timedelta) -> bool:
        """Whether events between two of them may lie in the window; instants give or take."""
        first, last = (_instant(moment) for moment in (least, most))
        slack = slack if isinstance(least, datetime) else timedelta(0)
        # As differences, since a sum would lead out of what can be counted at the year 9999.
        before = self.start is not None and last - self.start < -slack
        after = self.end is not None and first - self.end >= slack
        return not (before or after)

    def as_dict(self) -> dict[str, str | None]:
        """Return the window as JSON-able values."""
        limits = {k: getattr(self, k) and iso(getattr(self, k)) for k in ("start", "end")}
        return {"column": self.column, **limits}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> EventWindow:
        """Read back what `as_dict` gave."""
        limits = {k: raw[k] and datetime.fromisoformat(raw[k]) for k in ("start", "end")}
        return cls(raw["column"], **limits)


def _instant(moment: date | datetime) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _limit(moment: datetime, dtype: pl.DataType, column: str) -> pl.Expr:
    """Return the limit in the column's own type, so that file statistics can skip rows."""
    import polars as pl

    if isinstance(dtype, pl.Date):
        return pl.lit(_first_midnight(moment))
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return pl.lit(moment, dtype=pl.Datetime("us", "UTC"))
    raise ContractError(
        f"'{column}' holds {dtype}, which cannot be an event time.",
        next_step="an event time is a date or a UTC instant",
        column=column,
    )


def _first_midnight(moment: datetime) -> date:
    day = moment.date()
    return (
        day
        if moment == datetime(day.year, day.month, day.day, tzinfo=moment.tzinfo)
        else (day + timedelta(days=1))
    )


@dataclass(frozen=True)
class ReplayInput:
    """The rows that one parameter of a transform receives.

    Attributes
    ----------
    ordered : bool
        Whether the order of the rows is a part of the input, as that of a file is, and not of a
        port.
    key : tuple of str
        The columns that identify a row, where something holds the rows to it.
    contract : Contract, optional
        What else the rows of a port are held to.
    """

    data: Scan | pl.LazyFrame | pl.DataFrame
    window: EventWindow | None = None
    ordered: bool = True
    key: tuple[str, ...] = ()
    contract: Contract | None = None

    @property
    def demands(self) -> dict[str, Any]:
        """What the rows are held to besides the values of each column, as JSON-able values."""
        if self.contract is None:
            return {"key": list(self.key)}
        unique = [column.name for column in self.contract.columns if column.unique]
        rules = self.contract.rules
        shut = {rule.column for rule in rules if rule.kind not in _OF_ANY}
        linked = {column.name for column in self.contract.columns if column.link}
        free = [c.name for c in self.contract.columns if c.name not in shut | linked]
        more = any(_says_more(rule) for rule in rules)
        text = self.contract.dumps() if more else ""
        return {"key": list(self.key), "unique": unique, "open": free, "contract": text}


_OF_ANY = {"key", "type", "required", "unique"}
_OF_VALUES = {"key", "type", "required", "unique", "enum", "text", *LIMITS}


def _says_more(rule: Rule) -> bool:
    """Return whether a rule is of more than one value of a row."""
    return rule.kind not in _OF_VALUES and not rule.promised


@dataclass(frozen=True)
class OpenedInput:
    """An input port, opened: its rows, and the pin that names exactly these rows.

    Of an upstream port, `decision` says what its policy made of who opened it. `cut` says that a
    source gave an interval alone, whether it is cut by `window` or was by itself.
    """

    data: Scan | pl.LazyFrame | pl.DataFrame
    pin: InputPin
    window: EventWindow | None = None
    decision: Decision | None = None
    cut: bool = False
