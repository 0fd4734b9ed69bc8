"""Groups, pivots and aggregates."""

import polars as pl


def by_key(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.group_by("customer").agg(
        pl.len().alias("orders"),
        pl.col("quantity").sum().alias("total"),
        pl.col("quantity").mean().alias("mean"),
        pl.col("quantity").count().alias("known"),
        pl.col("price").max().alias("dearest"),
        pl.col("price").min().alias("cheapest"),
        pl.col("paid").sum().alias("paid"),
    )


def by_expression(orders: pl.LazyFrame) -> pl.LazyFrame:
    year = pl.col("day").dt.year().alias("year")
    return orders.group_by(year, "rush").agg(pl.col("id").max().alias("last"), n=pl.len())


def conditional(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.group_by("customer").agg(
        pl.col("quantity").filter(pl.col("rush")).sum().alias("rushed"),
        (pl.col("quantity") > 0).sum().alias("positive"),
        pl.col("rush").any().alias("any"),
        pl.col("rush").all().alias("all"),
    )


def distinct(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.group_by("rush").agg(
        pl.col("customer").n_unique().alias("customers"),
        pl.col("customer").null_count().alias("unknown"),
        pl.col("pack").std().alias("spread"),
        pl.col("pack").median().alias("middle"),
    )


def whole_frame(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.select(pl.col("quantity").sum(), pl.col("customer").n_unique(), n=pl.len())


def nothing(orders: pl.LazyFrame) -> pl.LazyFrame:
    none = orders.filter(pl.col("id") > 1000)
    return none.select(
        pl.col("quantity").sum(), pl.col("customer").n_unique(), pl.col("price").mean(), n=pl.len()
    )


def pivoted(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.pivot(
        "customer",
        on_columns=["a", "b", "zz"],
        index="rush",
        values="quantity",
        aggregate_function="sum",
    )


def pivoted_mean(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.pivot(
        "rush", on_columns=[True, False], index="customer", values="pack", aggregate_function="mean"
    )


def unpivoted(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.unpivot(
        ["quantity", "pack"], index="id", variable_name="what", value_name="number"
    )


def two_steps(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    per_customer = orders.group_by("customer").agg(pl.col("quantity").sum().alias("total"))
    return (
        per_customer.join(customers, on="customer")
        .group_by("country")
        .agg(pl.col("total").max(), pl.col("customer").count().alias("customers"))
        .sort("country")
    )
