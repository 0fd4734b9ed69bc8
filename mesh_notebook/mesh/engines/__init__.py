"""The engines on which an exported transform runs: Polars, DuckDB, Spark."""
