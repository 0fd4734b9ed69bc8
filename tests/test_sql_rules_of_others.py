"""Rules in the SQL of another platform: translated, or told with the reason; never a failure."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from contracts import column, contract_of

from mesh_notebook.mesh.checks import CheckReport, check
from mesh_notebook.model.contract import Contract

ROWS = pl.LazyFrame({"id": [1, 2, 3], "note": ["a", None, "c"]})


def held(server: str, *rules: dict[str, Any]) -> CheckReport:
    raw = contract_of(column("id", "BIGINT"), column("note", "VARCHAR")).edited()
    raw["servers"] = [{"server": "theirs", "type": server}] if server else []
    raw["schema"][0] |= {"quality": list(rules), "physicalName": "shop.public.orders_v1"}
    return check(ROWS, Contract(raw))


def sql(query: str, must_be: int = 1) -> dict[str, Any]:
    return {"type": "sql", "query": query, "mustBe": must_be}


@pytest.mark.parametrize(
    ("server", "query"),
    [
        ("snowflake", "SELECT COUNT_IF(note IS NULL) FROM shop.public.orders_v1"),
        ("bigquery", "SELECT COUNTIF(SAFE_CAST(id AS INT64) > 2) FROM `${table}`"),
        ("bigquery", "SELECT COUNTIF(id > 2) FROM ${object}"),
        ("sqlserver", "SELECT TOP 1 COUNT(*) FROM [orders_v1] WHERE ISNULL(note, '') = ''"),
        ("oracle", "SELECT COUNT(*) FROM orders_v1 WHERE NVL(note, 'z') = 'z'"),
        ("mysql", "SELECT COUNT(*) FROM `orders_v1` WHERE IFNULL(note, 'z') = 'z'"),
        ("databricks", "SELECT count_if(note IS NULL) FROM {object}"),
        ("", "WITH o AS (SELECT * FROM {object}) SELECT count(*) FROM o WHERE note IS NULL"),
    ],
)
def test_a_query_of_another_platform_is_run_over_the_frame(server, query):
    (result,) = [r for r in held(server, sql(query)).results if r.rule.kind == "sql"]
    assert (result.passed, result.decided) == (True, True), result.note
    broken = held(server, sql(query, must_be=7))
    assert [r.rule.kind for r in broken.failures] == ["sql"]


@pytest.mark.parametrize(
    ("server", "rule", "why"),
    [
        ("snowflake", sql("SELECT SYSTEM$TYPEOF(id) FROM {object}"), "not checked: "),
        ("trino", sql("SELECT COUNT( FROM {object}"), "no trino that sqlglot reads"),
        ("duckdb", sql("SELECT count(*) FROM payments"), "it reads 'payments'"),
        ("duckdb", sql("SELECT count(*) FROM read_parquet('s3://b/a')"), "Cannot access"),
        ("bigquery", sql("SELECT COUNT(*) FROM `${project}.x.y`"), "${project} has nothing"),
        ("", sql("SELECT count(*) FROM {object} WHERE id <=> 3 =>"), "DuckDB says"),
        (
            "",
            {"type": "custom", "engine": "soda", "implementation": "x"},
            "known here, but to soda",
        ),
        ("", {"type": "library", "metric": "freshness", "mustBe": 1}, "'freshness' are not known"),
    ],
)
def test_what_cannot_be_checked_here_is_a_warning_with_the_reason(server, rule, why):
    report = held(server, rule)
    assert report.passed
    (warning,) = report.warnings
    assert why in warning.note
    assert not warning.passed


@pytest.mark.parametrize(
    "query", ["SELECT nope FROM {object}", "SELECT * FROM {object}", "SELECT count(*) FROM {gone}"]
)
def test_a_rule_of_ours_that_is_wrong_in_itself_still_fails(query):
    assert not held("duckdb", sql(query)).passed
