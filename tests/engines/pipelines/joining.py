"""Joins of all kinds, as-of joins and unions."""

import polars as pl


def inner(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    return orders.join(customers, on="customer", suffix="_customer")


def left(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    names = customers.rename({"customer": "code", "id": "number"})
    return orders.join(names, left_on="customer", right_on="code", how="left")


def right(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    slim = orders.select("customer", "quantity")
    return slim.join(customers, on="customer", how="right")


def full(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    slim = orders.select("customer", "quantity")
    return slim.join(customers.drop("id"), on="customer", how="full")


def full_coalesced(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    slim = orders.select("customer", "quantity")
    return slim.join(customers.drop("id"), on="customer", how="full", coalesce=True)


def semi_and_anti(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    germans = customers.filter(pl.col("country") == "DE")
    known = orders.join(germans, on="customer", how="semi").select("id", kind=pl.lit("german"))
    others = orders.join(customers, on="customer", how="anti").select("id", kind=pl.lit("unknown"))
    return pl.concat([known, others])


def cross(customers: pl.LazyFrame) -> pl.LazyFrame:
    names = customers.select("customer")
    countries = customers.select("country").drop_nulls().unique()
    return names.join(countries, how="cross")


def as_of(trades: pl.LazyFrame, quotes: pl.LazyFrame) -> pl.LazyFrame:
    prices = quotes.unique(["symbol", "time"], keep="none").sort("time")
    return trades.join_asof(prices, on="time", by="symbol")


def union(orders: pl.LazyFrame) -> pl.LazyFrame:
    bought = orders.filter(pl.col("quantity") > 0).select("id", "quantity", kind=pl.lit("bought"))
    returned = orders.filter(pl.col("quantity") < 0).select(
        "id", "quantity", kind=pl.lit("returned")
    )
    return pl.concat([bought, returned])


def diagonal_union(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    return pl.concat(
        [orders.select("id", "customer"), customers.select("id", "name")], how="diagonal"
    )
