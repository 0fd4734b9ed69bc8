"""Instants and windows: UTC, half-open, never naive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from mesh_notebook.errors import UsageError

__all__ = [
    "Window",
    "as_instant",
    "checked_interval",
    "duration",
    "interval_around",
    "interval_of",
    "iso",
    "said",
    "say_duration",
    "say_interval",
]

_MONTH = re.compile(r"\d{4}-\d{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_SHORT_DURATION = re.compile(r"(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]+)")
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 604_800),
    **dict.fromkeys(("y", "yr", "year", "years"), 31_557_600),  # Julian year, 365.25 days
}
_LONGEST = 10_000 * _UNITS["years"]
_HELP = "write 2026-10-04, 2026-10, 2026-10-04T12:00:00Z, yesterday, or P7D for seven days ago"


def as_instant(value: str | date | datetime, now: datetime) -> datetime:
    """Return the UTC instant that `value` means.

    Parameters
    ----------
    value
        A date (its midnight), a datetime with an offset, a month `2026-10` (its first
        midnight), `now`, `today`, `yesterday`, or an ISO 8601 duration counted back from `now`.
    now : datetime
        The clock's reading, UTC.

    Raises
    ------
    UsageError
        The text is not understood, or the time has no offset.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise UsageError(
                f"{value.isoformat()} has no time zone, so it is not one instant.",
                next_step=f"say UTC: {value.isoformat()}Z",
            )
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    return _parsed(value.strip(), now)


def _parsed(text: str, now: datetime) -> datetime:
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    words = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if text.lower() in words:
        return words[text.lower()]
    if _ISO_DURATION.fullmatch(text) and text != "P":
        return _back(now, text)
    try:
        if _MONTH.fullmatch(text):
            return datetime.combine(date.fromisoformat(f"{text}-01"), time(), UTC)
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"'{text}' is not a time.", next_step=_HELP, value=text) from None
    return as_instant(moment, now)


def _back(now: datetime, text: str) -> datetime:
    try:
        return now.astimezone(UTC) - timedelta(seconds=duration(text))
    except OverflowError:
        raise UsageError(
            f"'{text}' ago is before the year 1.", next_step=_HELP, value=text
        ) from None


def duration(text: str) -> float:
    """Return the seconds in `P1DT2H`, `36h`, `1d` or `15 min`.

    Raises
    ------
    UsageError
        The text is not understood, or means more than 10,000 years.
    """
    seconds = _seconds(text)
    if seconds > _LONGEST:
        raise UsageError(
            f"'{text}' is longer than 10,000 years.",
            next_step="write 15min, 36h, 1d, 2w or P1DT2H",
            value=text,
        )
    return seconds


def _seconds(text: str) -> float:
    if (match := _ISO_DURATION.fullmatch(text)) and any(match.groups()):
        # Floats, which end at infinity, where timedelta overflows.
        parts = {unit: float(value) for unit, value in match.groupdict().items() if value}
        return sum(value * _UNITS[unit] for unit, value in parts.items())
    match = _SHORT_DURATION.fullmatch(text.strip().lower())
    if match and match["unit"] in _UNITS:
        return float(match["value"]) * _UNITS[match["unit"]]
    raise UsageError(
        f"'{text}' is not a duration.", next_step="write 15min, 36h, 1d, 2w or P1DT2H", value=text
    )


def say_duration(seconds: float) -> str:
    """Return seconds as people say them: `90 s`, `36 h`, `13.2 years`."""
    for limit, size, unit in (
        (120, 1, "s"),
        (7_200, 60, "min"),
        (172_800, 3_600, "h"),
        (63_115_200, 86_400, "days"),
    ):
        if abs(seconds) < limit:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 31_557_600:.1f} years"


def iso(moment: datetime) -> str:
    """Return `moment` in UTC with microseconds and a Z, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def said(moment: datetime | None) -> str | None:
    """Return an instant as `iso` writes it; None where there is none."""
    return None if moment is None else iso(moment)


@dataclass(frozen=True)
class Window:
    """Which event times (`[start, end)`), as known when; None leaves that side open."""

    start: datetime | None = None
    end: datetime | None = None
    as_of: datetime | None = None

    def __post_init__(self) -> None:
        if self.start and self.end and self.end <= self.start:
            raise UsageError(
                f"the window ends ({iso(self.end)}) before or when it starts ({iso(self.start)}).",
                next_step="give --from before --to; --to itself is not included",
            )

    @classmethod
    def of(
        cls,
        start: str | date | datetime | None,
        end: str | date | datetime | None,
        as_of: str | date | datetime | None,
        now: datetime,
    ) -> Window:
        """Make a window from what a person wrote."""
        given = (None if v is None else as_instant(v, now) for v in (start, end, as_of))
        return cls(*given)

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether an interval, half-open too, has an instant in the window."""
        before = self.start is not None and end <= self.start
        after = self.end is not None and start >= self.end
        return not (before or after)

    @property
    def bounded(self) -> bool:
        """Whether event time is limited on either side."""
        return self.start is not None or self.end is not None


# Intervals that follow the calendar: of other lengths one could not say where the first begins.
_INTERVALS = {"PT1H": "hour", "P1D": "day", "P1W": "week", "P1M": "month", "P1Y": "year"}


def checked_interval(length: str) -> str:
    """Return the ISO 8601 duration of an interval of the calendar, given so or by its name.

    Raises
    ------
    UsageError
        It is none of `PT1H`, `P1D`, `P1W` (from Monday), `P1M`, `P1Y`; `hour`, `day`, `week`,
        `month`, `year`.
    """
    for iso_length, name in _INTERVALS.items():
        if length.upper() == iso_length or length.lower() == name:
            return iso_length
    known = ", ".join([*_INTERVALS, *_INTERVALS.values()])
    raise UsageError(
        f"'{length}' is no interval of the calendar.", next_step=f"one of {known}", value=length
    )


def interval_around(moment: datetime, length: str) -> tuple[datetime, datetime]:
    """Return the interval of the calendar (UTC) that an instant lies in, half-open.

    Parameters
    ----------
    length : str
        As `checked_interval` takes it.

    Raises
    ------
    UsageError
        The length is another one, or the interval would end after the year 9999.
    """
    unit = _INTERVALS[checked_interval(length)]
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    starts = {
        "hour": hour,
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "year": day.replace(month=1, day=1),
    }
    # Longer than the longest of its kind, and shorter than two: what follows begins in between.
    beyond = {"hour": 1.0, "day": 24.0, "week": 168.0, "month": 32 * 24.0, "year": 367 * 24.0}
    start = starts[unit]
    try:
        after = start + timedelta(hours=beyond[unit])
    except OverflowError:
        raise UsageError(
            f"the {unit} of {iso(moment)} ends after the year 9999.",
            next_step="is this event time a stand-in for none? Make it null, or leave the row out",
        ) from None
    ends = {"month": after.replace(day=1), "year": after.replace(month=1, day=1)}
    return start, ends.get(unit, after)


def interval_of(text: str) -> tuple[datetime, datetime]:
    """Return the interval that `say_interval` wrote."""
    start, _, end = text.partition("/")
    return datetime.fromisoformat(start), datetime.fromisoformat(end)


def say_interval(interval: tuple[datetime, datetime]) -> str:
    """Return an interval as ISO 8601 writes it: `start/end`."""
    return "/".join(moment.isoformat().replace("+00:00", "Z") for moment in interval)
