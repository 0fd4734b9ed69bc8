"""What one input gives to a transform: rows, perhaps cut to a window of event time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, near
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
    and outside one that starts at noon. Rows without an event time are in no window. A time
    without a zone is taken as UTC, and a text as the time that it writes in ISO 8601.
    """

    column: str
    start: datetime | None = None
    end: datetime | None = None

    def cut(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return the rows whose event time lies in the window."""

        if self.start is None and self.end is None:
            return frame
        dtype = frame.collect_schema()[self.column]
        column = _in_time(self.column, dtype)
        if self.start is not None:
            frame = frame.filter(column >= _limit(self.start, dtype, self.column))
        if self.end is not None:
            frame = frame.filter(column < _limit(self.end, dtype, self.column))
        return frame

    def refuse_unread(self, frame: pl.LazyFrame) -> None:
        """Raise `ContractError` where there is no such column, or a text of it is no time.

        It reads the column, where that holds texts.
        """
        import polars as pl

        schema = frame.collect_schema()
        dtype = schema.get(self.column)
        if dtype is None:
            close = near(self.column, schema)
            raise ContractError(
                f"the event time names '{self.column}', which the source has not.",
                next_step=f"did you mean {', '.join(close) or ', '.join(schema)}?",
                column=self.column,
                near=close,
            )
        if not isinstance(dtype, pl.String):
            return
        text = pl.col(self.column)
        lost = text.is_not_null() & _in_time(self.column, dtype).is_null()
        found = frame.select(text.filter(lost).head(1)).collect()
        if found.height:
            raise ContractError(
                f"'{self.column}' holds texts, and not all are times as ISO 8601 writes them, "
                f"for example {found.item()!r}: it cannot be the event time of the source.",
                next_step="leave out --event-time, --from and --to, and say below it how the texts "
                f'are read: .with_columns(pl.col("{self.column}").str.to_date("%d.%m.%Y"))',
                column=self.column,
            )

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


_FORMS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")


def _in_time(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as times; a text that writes none as null."""
    import polars as pl

    if not isinstance(dtype, pl.String):
        return pl.col(column)
    plain = pl.col(column).str.replace("T", " ", literal=True)
    plain = plain.str.replace(r"(Z|\+00:?00)$", "").str.strip_chars()
    read = (plain.str.strptime(pl.Datetime("us"), form, strict=False) for form in _FORMS)
    return pl.coalesce(*read)


def _limit(moment: datetime, dtype: pl.DataType, column: str) -> pl.Expr:
    """Return the limit in the column's own type, so that file statistics can skip rows."""
    import polars as pl

    if isinstance(dtype, pl.Date):
        return pl.lit(_first_midnight(moment))
    if isinstance(dtype, pl.String) or (isinstance(dtype, pl.Datetime) and not dtype.time_zone):
        return pl.lit(moment.astimezone(UTC).replace(tzinfo=None), dtype=pl.Datetime("us"))
    if isinstance(dtype, pl.Datetime):
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
