"""Windows, ranks, running sums, shifts, and sorting with nulls."""

import polars as pl


def share(orders: pl.LazyFrame) -> pl.LazyFrame:
    total = pl.col("pack").sum().over("customer")
    return orders.with_columns(total.alias("total"), (pl.col("pack") / total).alias("share"))


def ranks(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.with_columns(
        pl.col("pack").rank("dense").alias("dense"),
        pl.col("pack").rank("min", descending=True).over("rush").alias("least"),
        pl.col("price").rank().alias("average"),
    )


def top(orders: pl.LazyFrame) -> pl.LazyFrame:
    totals = orders.group_by("customer").agg(pl.col("quantity").sum())
    return totals.sort("quantity", "customer", descending=[True, False]).head(3)


def running(orders: pl.LazyFrame) -> pl.LazyFrame:
    daily = orders.group_by("customer", "day").agg(pl.col("quantity").sum())
    return daily.sort("day").with_columns(
        pl.col("quantity").cum_sum().over("customer").alias("so_far"),
        pl.col("quantity").shift(1).over("customer").alias("before"),
        pl.col("quantity").diff().over("customer").alias("change"),
    )


def filled(readings: pl.LazyFrame) -> pl.LazyFrame:
    steps = readings.group_by("at").agg(pl.col("steps").sum(), pl.col("value").min())
    return steps.sort("at").with_columns(
        pl.col("value").forward_fill().alias("last"),
        pl.col("value").fill_null(0.0).alias("zero"),
        pl.col("steps").rolling_mean(3).alias("smooth"),
    )


def latest(readings: pl.LazyFrame) -> pl.LazyFrame:
    known = readings.drop_nulls(["sensor"]).unique(["sensor", "at"], keep="none")
    return known.sort("at").unique("sensor", keep="last", maintain_order=True)


def numbered(orders: pl.LazyFrame) -> pl.LazyFrame:
    days = orders.select("day").unique().sort("day")
    return days.with_row_index("number")


def doubles(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.filter(pl.col("pack").is_duplicated()).select("id", "pack")
