"""Strings, dates, lists, choices, numbers and casts, row by row."""

from datetime import date

import polars as pl


def choices(orders: pl.LazyFrame) -> pl.LazyFrame:
    size = (
        pl.when(pl.col("quantity") > 5)
        .then(pl.lit("large"))
        .when(pl.col("quantity") < 0)
        .then(pl.lit("returned"))
        .otherwise(pl.lit("small"))
    )
    return orders.select("id", size.alias("size"), pl.coalesce("pack", "id").alias("either"))


def whole_division(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.select(
        "id",
        (pl.col("quantity") // pl.col("pack")).alias("by_pack"),
        (pl.col("quantity") % pl.col("pack")).alias("rest"),
        (pl.col("quantity") // 3).alias("thirds"),
        (pl.col("quantity") % -3).alias("rest_of_thirds"),
        (pl.col("quantity") / pl.col("pack")).alias("exact"),
    )


def floats(orders: pl.LazyFrame) -> pl.LazyFrame:
    price = pl.col("price")
    return orders.select(
        "id",
        price.round(2).alias("rounded"),
        price.floor().alias("floor"),
        price.is_nan().alias("nan"),
        price.fill_nan(0.0).alias("filled"),
        (price / price).alias("one"),
        (1 / price).alias("inverse"),
        (price > 1).alias("more"),
    )


def decimals(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.select(
        "id",
        (pl.col("paid") + pl.col("paid")).alias("twice"),
        pl.col("paid").cast(pl.Float64).alias("f"),
    )


def casts(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.select(
        pl.col("id").cast(pl.Int32),
        pl.col("quantity").cast(pl.Float64).alias("float"),
        pl.col("pack").cast(pl.String).alias("text"),
        pl.col("quantity").clip(-5, 5).alias("held"),
        pl.col("day").cast(pl.String).alias("spelled"),
    )


def whole_of_floats(orders: pl.LazyFrame) -> pl.LazyFrame:
    usual = orders.filter(pl.col("price").is_finite())
    return usual.select("id", pl.col("price").cast(pl.Int64), pl.col("rush").cast(pl.Int64))


def texts(customers: pl.LazyFrame) -> pl.LazyFrame:
    name = pl.col("name").str.strip_chars()
    return customers.select(
        name.alias("name"),
        name.str.len_chars().alias("length"),
        name.str.slice(0, 3).alias("short"),
        name.str.starts_with("Ä").alias("umlaut"),
        name.str.contains("^[A-Z][a-z]+").alias("plain"),
        (pl.col("country") + "-" + pl.col("customer")).alias("code"),
    )


def titles(posts: pl.LazyFrame) -> pl.LazyFrame:
    return posts.select(
        "post",
        pl.col("title").str.replace_all("-", "/").alias("slashes"),
        pl.col("title").str.pad_start(12, ".").alias("padded"),
        pl.col("title").str.split("-").alias("parts"),
    )


def upper(customers: pl.LazyFrame) -> pl.LazyFrame:
    """Stays: the engines do not agree on the capitals of ß."""
    return customers.select(pl.col("name").str.to_uppercase())


def tags(posts: pl.LazyFrame) -> pl.LazyFrame:
    return posts.select("post", "tags").explode("tags").group_by("tags").agg(pl.len())


def lists(posts: pl.LazyFrame) -> pl.LazyFrame:
    return posts.select(
        "post",
        pl.col("scores").list.len().alias("n"),
        pl.col("scores").list.max().alias("best"),
        pl.col("tags").list.contains("x").alias("has_x"),
    )


def calendar(orders: pl.LazyFrame) -> pl.LazyFrame:
    day = pl.col("day")
    return orders.select(
        "id",
        day.dt.weekday().alias("weekday"),
        day.dt.ordinal_day().alias("ordinal"),
        day.dt.truncate("1mo").alias("month"),
        day.dt.offset_by("1mo").alias("next"),
        day.dt.strftime("%d.%m.%Y").alias("german"),
        day.is_between(date(2026, 1, 1), date(2026, 3, 1)).alias("quarter"),
    )


def written(posts: pl.LazyFrame) -> pl.LazyFrame:
    when = pl.col("written").str.to_date("%Y-%m-%d")
    return posts.select("post", when.alias("when"), (when > date(2020, 1, 1)).alias("recent"))


def hours(readings: pl.LazyFrame) -> pl.LazyFrame:
    hour = pl.col("at").dt.truncate("1h").alias("hour")
    return readings.group_by(hour).agg(pl.len(), pl.col("steps").sum(), pl.col("value").max())


def berlin(readings: pl.LazyFrame) -> pl.LazyFrame:
    """Stays: the engines keep no zone with a column."""
    local = pl.col("at").dt.convert_time_zone("Europe/Berlin")
    return readings.group_by(local.dt.date().alias("day")).agg(pl.len())
