"""Instants are UTC and never naive; windows are half-open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_notebook.errors import UsageError
from mesh_notebook.model.time import Window, as_instant, duration, iso

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    min_value=datetime(900, 1, 2), max_value=datetime(2200, 1, 1), timezones=zones
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-10-04", datetime(2026, 10, 4, tzinfo=UTC)),
        ("2026-10", datetime(2026, 10, 1, tzinfo=UTC)),
        ("2026-10-04T12:00:00Z", datetime(2026, 10, 4, 12, tzinfo=UTC)),
        ("2026-10-04T14:00:00+02:00", datetime(2026, 10, 4, 12, tzinfo=UTC)),
        ("today", datetime(2026, 11, 22, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 21, tzinfo=UTC)),
        ("now", NOW),
        ("P7D", NOW - timedelta(days=7)),
        ("PT36H", NOW - timedelta(hours=36)),
    ],
)
def test_what_people_write_is_understood(text, meant):
    assert as_instant(text, NOW) == meant


@pytest.mark.parametrize("text", ["2026-13", "2026-02-30", "soon", "", "P", "12:00"])
def test_what_is_no_time_is_refused_with_examples(text):
    with pytest.raises(UsageError, match="write 2026-10-04"):
        as_instant(text, NOW)


def test_a_naive_time_is_refused_with_the_fix():
    with pytest.raises(UsageError, match="2026-10-04T12:00:00Z"):
        as_instant("2026-10-04T12:00:00", NOW)


@given(moments)
def test_an_instant_written_down_is_read_back_as_the_same_instant(moment):
    assert as_instant(iso(moment), NOW) == moment


@given(moments, moments)
def test_the_order_of_texts_is_the_order_of_instants(one, other):
    assert (iso(one) < iso(other)) == (one < other)


@given(st.dates(), moments)
def test_a_date_is_its_midnight(day, now):
    assert as_instant(day, now) == as_instant(day.isoformat(), now)
    assert as_instant(day, now).astimezone(UTC).date() == date(day.year, day.month, day.day)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15min", 900), ("36h", 129_600), ("1d", 86_400), ("2w", 1_209_600), ("P1DT2H", 93_600)],
)
def test_durations_are_seconds(text, seconds):
    assert duration(text) == seconds


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(UsageError, match="ends"):
        Window.of("2026-10-04", "2026-10-04", None, NOW)


@pytest.mark.parametrize(
    "text", ["P999999999D", "P9000Y", "PT99999999999999S", "P" + "9" * 400 + "D"]
)
def test_a_time_before_all_time_is_refused(text):
    with pytest.raises(UsageError):
        as_instant(text, NOW)


def test_the_year_before_the_first_is_refused_with_examples():
    with pytest.raises(UsageError, match="write 2026-10-04"):
        as_instant("P1000000D", NOW)


@pytest.mark.parametrize("text", ["P4000000D", "10001y", "9" * 400 + "d", "P" + "9" * 400 + "W"])
def test_a_duration_beyond_ten_thousand_years_is_refused(text):
    with pytest.raises(UsageError, match="10,000 years"):
        duration(text)


def test_long_durations_within_reason_are_exact():
    assert duration("P1W2DT3H4M5S") == 788_645
    assert duration("10000y") == 10_000 * 31_557_600
