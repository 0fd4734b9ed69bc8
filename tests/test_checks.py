"""A frame held to its contract: what is counted, and what is never passed over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from mesh_notebook.mesh.checks import CheckReport, RuleResult, check
from mesh_notebook.model.contract import Contract


def contract(*columns: dict[str, Any], quality: list[dict[str, Any]] | None = None) -> Contract:
    table: dict[str, Any] = {"name": "my table", "properties": list(columns)}
    if quality:
        table["quality"] = quality
    return Contract(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "urn:test",
            "version": "1.0.0",
            "status": "draft",
            "schema": [table],
        }
    ).checked()


def column(name: str = "a", logical: str = "integer", **fields: Any) -> dict[str, Any]:
    return {"name": name, "logicalType": logical, **fields}


def one(frame: pl.DataFrame, *columns: dict[str, Any], **more: Any) -> RuleResult:
    (result,) = check(frame.lazy(), contract(*columns, **more)).results
    return result


def by_id(report: CheckReport) -> dict[str, RuleResult]:
    return {result.rule.id: result for result in report.results}


A = pl.DataFrame({"a": [1, 2, 2, None]})


@pytest.mark.parametrize(
    ("fields", "checked", "failed"),
    [
        ({"required": True}, 4, 1),
        ({"unique": True}, 3, 2),
        ({"logicalTypeOptions": {"minimum": 2}}, 3, 1),
        ({"logicalTypeOptions": {"maximum": 1}}, 3, 2),
        ({"logicalTypeOptions": {"exclusiveMinimum": 1}}, 3, 1),
        ({"logicalTypeOptions": {"exclusiveMaximum": 2}}, 3, 2),
        ({"logicalTypeOptions": {"multipleOf": 2}}, 3, 1),
        ({"logicalTypeOptions": {"minimum": 1, "maximum": 2}}, 3, 0),
    ],
)
def test_rules_of_a_column_count_the_rows_that_break_them(
    fields: dict[str, Any], checked: int, failed: int
) -> None:
    report = check(A.lazy(), contract(column(**fields)))
    assert {r.checked if r.rule.kind != "required" else 4 for r in report.results} == {checked}
    assert sum(r.failed for r in report.results) == failed
    assert report.passed is (failed == 0)


@pytest.mark.parametrize(
    ("options", "failed"),
    [({"minLength": 2}, 1), ({"maxLength": 2}, 1), ({"pattern": "^[a-z]+$"}, 1)],
)
def test_texts_are_held_to_length_and_pattern(options: dict[str, Any], failed: int) -> None:
    frame = pl.DataFrame({"a": ["x", "yy", "ZZZ", None]})
    assert one(frame, column("a", "string", logicalTypeOptions=options)).failed == failed


@pytest.mark.parametrize(
    ("values", "logical", "minimum"),
    [
        ([date(2013, 1, 1), date(2013, 1, 2)], "date", "2013-01-02"),
        (
            [datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC)],
            "timestamp",
            "2013-01-01T12:00:00Z",
        ),
        ([Decimal("1.10"), Decimal("1.30")], "number", 1.2),
        ([1.1, 1.3], "number", 1.2),
    ],
)
def test_limits_hold_for_every_type_that_has_an_order(
    values: list[Any], logical: str, minimum: Any
) -> None:
    result = one(
        pl.DataFrame({"a": values}), column("a", logical, logicalTypeOptions={"minimum": minimum})
    )
    assert (result.failed, result.decided) == (1, True)
    assert result.example


def test_a_range_that_was_met_exactly_holds_for_decimals() -> None:
    frame = pl.DataFrame({"a": [Decimal("1.10"), Decimal("2.50")]})
    options = {"minimum": 1.1, "maximum": 2.5}
    assert check(frame.lazy(), contract(column("a", "number", logicalTypeOptions=options))).passed


@pytest.mark.parametrize(
    ("values", "allowed", "failed"),
    [
        (["EWR", "JFK", None, "XXX"], ["EWR", "JFK"], 1),
        ([1, 2, 3], [1, 2], 1),
        ([1.5, 2.5], [1.5], 1),
        (["1", "2"], [1, 2], 0),
        ([date(2013, 1, 1)], ["2013-01-01"], 0),
        ([True, False], [True], 1),
    ],
)
def test_enumerations_hold_for_every_type(
    values: list[Any], allowed: list[Any], failed: int
) -> None:
    rule = {"metric": "invalidValues", "arguments": {"validValues": allowed}, "mustBe": 0}
    frame = pl.DataFrame({"a": values})
    assert one(frame, column("a", "string", quality=[rule])).failed == failed


def test_a_repeated_key_counts_its_rows_and_shows_one() -> None:
    key = [
        column("origin", "string", primaryKey=True, primaryKeyPosition=1),
        column("day", "date", primaryKey=True, primaryKeyPosition=2),
    ]
    days = [date(2013, 1, d) for d in (1, 1, 2)]
    frame = pl.DataFrame({"origin": ["EWR", "EWR", "EWR"], "day": days})
    result = by_id(check(frame.lazy(), contract(*key)))["table.key"]
    assert (result.failed, result.passed) == (2, False)
    assert result.example == "origin=EWR, day=2013-01-01"


def test_a_value_of_a_personal_column_is_not_shown() -> None:
    frame = pl.DataFrame({"id": [1], "email": ["ann@example.org"]})
    personal = column(
        "email", "string", classification="personal", logicalTypeOptions={"maxLength": 3}
    )
    report = check(frame.lazy(), contract(column("id", primaryKey=True), personal))
    result = by_id(report)["email.maxLength"]
    assert result.example == "id=1, email=(personal)"


def test_missing_and_extra_columns_are_results_of_their_own() -> None:
    report = check(
        pl.LazyFrame({"orign": ["EWR"], "b": [1]}),
        contract(column("origin", "string", required=True), column("b")),
    )
    results = by_id(report)
    assert "it has orign" in results["origin.missing"].note
    assert "no column 'orign'" in results["orign.extra"].note
    assert not results["origin.required"].decided
    assert not report.passed


@pytest.mark.parametrize(
    ("values", "physical", "passed"),
    [
        (pl.Series([1], dtype=pl.Int64), "BIGINT", True),
        (pl.Series([1], dtype=pl.Int64), "long", True),
        (pl.Series([1], dtype=pl.Int64), "INTEGER", False),
        (pl.Series(["a"]), "TEXT", True),
        (pl.Series(["a"]), "VARCHAR(20)", True),
        (pl.Series([datetime(2013, 1, 1, tzinfo=UTC)]), "TIMESTAMP WITH TIME ZONE", True),
        (pl.Series([datetime(2013, 1, 1)]), "TIMESTAMP WITH TIME ZONE", False),
        (pl.Series([Decimal("1.5")], dtype=pl.Decimal(10, 2)), "decimal(10, 2)", True),
        (pl.Series([Decimal("1.5")], dtype=pl.Decimal(10, 2)), "DECIMAL(10,3)", False),
        (pl.Series([[1]]), "BIGINT[]", True),
        (pl.Series([{"x": 1}]), 'STRUCT("x" BIGINT)', True),
        (pl.Series([{"x": 1}]), 'STRUCT("y" BIGINT)', False),
    ],
)
def test_types_are_compared_by_what_they_mean(
    values: pl.Series, physical: str, passed: bool
) -> None:
    result = one(pl.DataFrame({"a": values}), column("a", "string", physicalType=physical))
    assert (result.passed, result.decided) == (passed, True)
    assert bool(result.note) is not passed


def test_an_unknown_type_is_not_passed_in_silence() -> None:
    result = one(A, column("a", physicalType="GEOGRAPHY"))
    assert (result.passed, result.decided) == (False, False)
    assert "not checked" in result.note


@pytest.mark.parametrize(
    ("rule", "passed"),
    [
        ({"metric": "nullValues", "mustBe": 1}, True),
        ({"metric": "nullValues", "mustBe": 0}, False),
        ({"metric": "nullValues", "mustNotBe": 1}, False),
        ({"metric": "nullValues", "unit": "percent", "mustBeLessThan": 26}, True),
        ({"metric": "nullValues", "unit": "percent", "mustBeLessThan": 25}, False),
        ({"metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": 25}, True),
        ({"metric": "duplicateValues", "mustBeGreaterThan": 1}, True),
        ({"metric": "duplicateValues", "mustBeGreaterOrEqualTo": 3}, False),
        ({"metric": "nullValues", "mustBeBetween": [1, 2]}, True),
        ({"metric": "nullValues", "mustNotBeBetween": [1, 2]}, False),
        (
            {"metric": "missingValues", "arguments": {"missingValues": [None, 1]}, "mustBe": 2},
            True,
        ),
        ({"metric": "missingValues", "arguments": {"missingValues": ["1"]}, "mustBe": 1}, True),
        (
            {"metric": "invalidValues", "arguments": {"pattern": "^1$"}, "mustBeLessThan": 3},
            True,
        ),
    ],
)
def test_metrics_are_measured_and_held_to_their_operator(
    rule: dict[str, Any], passed: bool
) -> None:
    result = one(A, column(quality=[rule]))
    assert (result.passed, result.decided) == (passed, True)
    assert "must" in result.note


def test_rules_of_the_table_are_held_too() -> None:
    pair = {
        "metric": "duplicateValues",
        "arguments": {"properties": ["a", "b"]},
        "mustBe": 0,
        "name": "pair",
    }
    frame = pl.LazyFrame({"a": [1, 1], "b": [1, 1]})
    report = check(
        frame,
        contract(
            column("a"),
            column("b"),
            quality=[{"metric": "rowCount", "mustBeGreaterThan": 2, "name": "rows"}, pair],
        ),
    )
    results = by_id(report)
    assert results["rows"].note == "rows 2, must be greater than 2"
    assert results["pair"].failed == 2


def test_a_rule_about_columns_that_are_not_there_is_not_passed_over() -> None:
    pair = {"metric": "duplicateValues", "arguments": {"properties": ["a", "zz"]}, "mustBe": 0}
    result = one(A, column(), quality=[pair])
    assert "no column zz" in result.note
    assert not result.passed


@pytest.mark.parametrize(
    ("query", "passed"),
    [
        ("SELECT count(*) FROM {object} WHERE {property} > 1", True),
        ("SELECT count(*) FROM ${table} WHERE ${column} > 1", True),
        ('SELECT count("my col") FROM "my table"', False),
    ],
)
def test_sql_rules_run_with_their_placeholders_filled(query: str, passed: bool) -> None:
    rule = {"type": "sql", "query": query, "mustBe": 2}
    frame = pl.DataFrame({"my col": [1, 2, 3]})
    result = one(frame, column("my col", quality=[rule]))
    assert (result.passed, result.decided) == (passed, True)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nope FROM {object}",
        "SELECT * FROM {object}",
        "SELECT 'text'",
        "SELECT count(*) FROM {elsewhere}",
        "SELECT count(*) FROM read_csv('/etc/passwd')",
        "DROP VIEW {object}",
    ],
)
def test_a_sql_rule_that_gives_no_number_is_not_passed(query: str) -> None:
    result = one(A, column(quality=[{"type": "sql", "query": query, "mustBe": 0}]))
    assert (result.passed, result.decided) == (False, False)
    assert result.note.startswith("not checked")


def test_a_rule_for_another_engine_is_not_passed_in_silence() -> None:
    rule = {"type": "custom", "engine": "soda", "implementation": "checks", "name": "theirs"}
    result = one(A, column(quality=[rule]))
    assert (result.passed, result.decided) == (False, False)


def test_prose_is_reported_and_holds_nothing_up() -> None:
    report = check(A.lazy(), contract(column(quality=[{"type": "text", "description": "nice"}])))
    assert report.passed
    assert report.results[0].note.startswith("not checked")
    assert not report.results[0].decided


def test_a_rule_that_does_not_fit_its_column_spoils_no_other() -> None:
    frame = pl.DataFrame({"a": ["x"], "b": [1]})
    report = check(
        frame.lazy(),
        contract(
            column("a", "integer", logicalTypeOptions={"minimum": 1}),
            column("b", "integer", logicalTypeOptions={"minimum": 2}),
        ),
    )
    results = by_id(report)
    assert not results["a.minimum"].decided
    assert results["b.minimum"].failed == 1


def test_an_empty_frame_breaks_no_rule_of_its_rows() -> None:
    report = check(
        A.clear().lazy(),
        contract(column(required=True, unique=True, logicalTypeOptions={"minimum": 3})),
    )
    assert (report.rows, report.passed) == (0, True)


def test_columns_that_no_rule_needs_are_not_read() -> None:
    trap = pl.col("a").map_batches(lambda s: 1 / 0, return_dtype=pl.Int64)
    frame = pl.LazyFrame({"a": [1], "b": [1]}).with_columns(a=trap)
    assert check(frame, contract(column("a"), column("b", required=True))).passed


def test_twenty_rules_are_checked_on_every_row() -> None:
    n = 100_000
    frame = pl.select(k=pl.int_range(n), **{f"c{i}": pl.int_range(n) % 1000 for i in range(9)})
    columns = [
        column(f"c{i}", required=True, logicalTypeOptions={"minimum": 0, "maximum": 998})
        for i in range(9)
    ]
    checked = contract(column("k", primaryKey=True), *columns)
    report = check(frame.lazy(), checked)
    assert len(report.results) > 20
    assert {r.failed for r in report.failures} == {100}
