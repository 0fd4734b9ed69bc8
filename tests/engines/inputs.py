"""The inputs of the pipelines: few rows, and everything in them that engines see differently."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl

NAN, INF = float("nan"), float("inf")
# The hours around both changes of the clocks in Berlin, 2026-03-29 and 2026-10-25.
_SPRING, _AUTUMN = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)


def orders() -> pl.LazyFrame:
    """Orders with keys that are null or unknown, negative numbers, NaN, decimals, and no ties."""
    return pl.LazyFrame(
        {
            "id": list(range(1, 15)),
            "customer": [
                "a",
                "b",
                "b",
                None,
                "ghost",
                "a",
                "c",
                "ß",
                "a",
                "b",
                "c",
                None,
                "ä",
                "a",
            ],
            "quantity": [3, -7, 7, None, 0, -3, 2**40, 5, -1, 8, None, 4, -8, 1],
            "pack": [2, 2, -2, 3, 0, 4, 7, None, 4, -3, 2, 0, 3, 1],
            "price": [
                1.5,
                2.675,
                NAN,
                None,
                -0.0,
                0.0,
                INF,
                2.5,
                0.125,
                -1.5,
                3.5,
                NAN,
                99.99,
                0.5,
            ],
            "paid": [
                *(
                    Decimal(text) if text else None
                    for text in ("1.25", "2.50", "-3.75", "", "0.00")
                ),
                *(
                    Decimal(text) if text else None
                    for text in ("10.05", "99.99", "", "-0.01", "7.10")
                ),
                *(Decimal(text) if text else None for text in ("1.00", "2.00", "3.00", "4.00")),
            ],
            "rush": [
                True,
                False,
                None,
                True,
                False,
                False,
                True,
                None,
                True,
                True,
                False,
                None,
                True,
                False,
            ],
            "day": [
                date(2026, 1, 31),
                date(2026, 2, 28),
                None,
                date(1969, 12, 31),
                date(2024, 2, 29),
            ]
            + [date(2026, 1, 1) + timedelta(days=17 * i) for i in range(9)],
        },
        schema_overrides={"paid": pl.Decimal(12, 2)},
    )


def customers() -> pl.LazyFrame:
    """Customers of whom one never ordered, and one has no name that is a key."""
    return pl.LazyFrame(
        {
            "customer": ["a", "b", "c", "ß", "ä", "never", None],
            "name": ["  Ada ", "Bea\u00a0", "", None, "Änne", "Straße 7", "nobody"],
            "country": ["DE", "FR", "DE", None, "AT", "DE", "FR"],
            "id": [10, 20, 30, 40, 50, 60, 70],
        }
    )


def readings() -> pl.LazyFrame:
    """Readings of sensors every quarter of an hour over both changes of the clocks."""
    moments = [start + timedelta(minutes=15 * i) for start in (_SPRING, _AUTUMN) for i in range(24)]
    return pl.LazyFrame(
        {
            "sensor": [("north", "south", None)[i % 3] for i in range(48)],
            "at": moments,
            "value": [
                None if i % 7 == 3 else NAN if i % 11 == 5 else i * 0.25 - 3 for i in range(48)
            ],
            "steps": [None if i % 5 == 4 else (i * 37) % 19 - 9 for i in range(48)],
        }
    ).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))


def quotes() -> pl.LazyFrame:
    """Prices that hold from a moment on; one is null, which holds as well."""
    start = datetime(2026, 5, 1, 9, tzinfo=UTC)
    return pl.LazyFrame(
        {
            "symbol": ["X", "X", "X", "Y", "Y", None],
            "time": [start + timedelta(minutes=m) for m in (0, 5, 10, 1, 20, 2)],
            "bid": [10.0, None, 10.5, 20.0, 21.25, 1.0],
        }
    )


def trades() -> pl.LazyFrame:
    """Trades before, at and after the quotes, with equal ones among them."""
    start = datetime(2026, 5, 1, 8, 59, tzinfo=UTC)
    return pl.LazyFrame(
        {
            "symbol": ["X", "X", "X", "X", "X", "Y", "Y", "Z", None],
            "time": [start + timedelta(minutes=m) for m in (0, 1, 7, 7, 30, 1, 40, 5, 9)],
            "size": [1, 2, 3, 3, 5, 6, 7, 8, 9],
        }
    ).sort("time")


def posts() -> pl.LazyFrame:
    """Texts in several scripts, with lists that are empty, null, or hold nulls."""
    return pl.LazyFrame(
        {
            "post": [1, 2, 3, 4, 5, 6],
            "title": ["naïve café", "日本語 text", "  plain  ", "", None, "a-b-c 100%"],
            "tags": [["x", "y"], ["x", None], [], None, ["ü", "x"], ["z"]],
            "scores": [[3, -1, 2], [5], [], None, [7, 7], [0, None, 4]],
            "written": ["2026-01-31", "2024-02-29", "1999-12-31", "2026-03-29", None, "2026-10-25"],
        }
    )


INPUTS = {
    "orders": orders,
    "customers": customers,
    "readings": readings,
    "quotes": quotes,
    "trades": trades,
    "posts": posts,
}
