"""A contract read off a frame, refused where it cannot be, and overridden by its developer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from mesh_notebook.errors import ContractError, SpecError, UnknownName
from mesh_notebook.explore.infer import infer
from mesh_notebook.explore.overrides import merge
from mesh_notebook.mesh.checks import check
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.seen import LARGE, demanded, seen_of

DAILY = pl.DataFrame(
    {
        "origin": ["EWR", "JFK"] * 20,
        "day": [date(2013, 1, 1 + n // 2) for n in range(40)],
        "flights": [n % 7 for n in range(40)],
        "delay": [None, *(n / 2 for n in range(39))],
    }
)


def inferred(
    frame: pl.DataFrame, key: tuple[str, ...] = (), event_time: str | None = None
) -> Contract:
    return infer(
        frame.lazy(),
        name="daily",
        contract_id="urn:test",
        version="1.0.0",
        domain="flights",
        key=key,
        event_time=event_time,
        status="draft",
    )


def refused(frame: pl.DataFrame, key: tuple[str, ...] = (), event: str | None = None) -> Any:
    with pytest.raises(ContractError) as caught:
        inferred(frame, key, event)
    assert caught.value.next_step
    return caught.value


def seen(contract: Contract, name: str) -> dict[str, Any]:
    return seen_of(contract.column(name).raw)


def test_types_the_key_and_the_event_time_are_demanded_and_all_else_was_seen() -> None:
    contract = inferred(DAILY, ("origin", "day"), "day")
    assert contract.key == ("origin", "day")
    assert contract.event_time == "day"
    assert [c.required for c in contract.columns] == [True, True, False, False]
    assert [c.physical_type for c in contract.columns] == ["VARCHAR", "DATE", "BIGINT", "DOUBLE"]
    assert {rule.kind for rule in contract.rules} == {"key", "type", "required"}
    assert seen(contract, "origin") == {"values": ["EWR", "JFK"]}
    assert seen(contract, "flights") == {"required": True, "minimum": 0, "maximum": 6}
    assert seen(contract, "delay") == {"minimum": 0.0, "maximum": 19.0}
    assert seen(contract, "day") == {"minimum": "2013-01-01"}


@pytest.mark.parametrize(("rows", "demanded"), [(LARGE - 1, False), (LARGE, True)])
def test_a_column_is_required_where_it_was_never_null_in_a_large_frame(
    rows: int, demanded: bool
) -> None:
    frame = pl.DataFrame({"id": range(rows), "n": [1] * rows, "gap": [None, *([1] * (rows - 1))]})
    contract = inferred(frame, ("id",))
    assert [c.required for c in contract.columns] == [True, demanded, False]
    assert ("required" in seen(contract, "n")) is not demanded


@pytest.mark.parametrize("rows", [2, LARGE - 1])
def test_few_rows_make_no_column_unique(rows: int) -> None:
    frame = pl.DataFrame({"id": range(rows), "code": [f"c{n}" for n in range(rows)]})
    contract = inferred(frame, ("id",))
    assert not contract.column("code").unique
    assert "unique" not in seen(contract, "code")
    assert not demanded(contract).column("code").unique


def test_a_new_value_a_higher_amount_and_a_null_break_nothing_that_was_inferred() -> None:
    contract = inferred(DAILY, ("origin", "day"), "day")
    row = {"origin": ["LGA"], "day": [date(2012, 12, 31)], "flights": [None], "delay": [-7.5]}
    grown = pl.concat([DAILY, pl.DataFrame(row, DAILY.schema)])
    assert check(grown.lazy(), contract).passed


def test_what_was_seen_is_demanded_of_the_columns_that_are_named() -> None:
    contract = demanded(inferred(DAILY, ("origin", "day"), "day"), ("origin", "flights"))
    assert contract.column("origin").values == ["EWR", "JFK"]
    assert contract.column("flights").options == {"minimum": 0, "maximum": 6}
    assert contract.column("flights").required
    assert seen(contract, "flights") == {}
    assert seen(contract, "delay") == {"minimum": 0.0, "maximum": 19.0}
    assert contract.checked().column("delay").options == {}


def test_a_column_that_is_not_there_cannot_be_strict() -> None:
    with pytest.raises(UnknownName, match="orign") as caught:
        demanded(inferred(DAILY), ("orign",))
    assert "origin" in caught.value.next_step


def test_a_frame_keeps_the_contract_that_was_inferred_from_it() -> None:
    frame = DAILY.with_columns(
        at=pl.lit(datetime(2013, 1, 1, 6, tzinfo=UTC)),
        price=pl.Series([Decimal("1.10"), Decimal("2.35")] * 20),
        small=pl.lit(1, dtype=pl.UInt8),
        tags=pl.Series([["a"], []] * 20),
        place=pl.Series([{"lat": 1.5}] * 40),
        kind=pl.Series(["x", None] * 20, dtype=pl.Categorical),
        flag=pl.lit(True),
        odd=pl.Series([float("nan"), float("inf")] * 20),
    )
    contract = inferred(frame, ("origin", "day"), "day")
    for held in (contract, demanded(contract)):
        report = check(frame.lazy(), held)
        assert report.passed, report.failures


def test_a_key_is_unique_and_an_identifier_has_no_range() -> None:
    frame = pl.DataFrame({"id": range(LARGE), "code": range(LARGE), "n": [1] * LARGE})
    contract = inferred(frame, ("id",))
    assert contract.column("id").unique
    assert seen(contract, "id") == {}
    assert seen(contract, "code") == {"unique": True}
    assert seen(contract, "n") == {"minimum": 1, "maximum": 1}


def test_limits_of_fractions_leave_room_for_the_last_bits_of_a_mean() -> None:
    frame = pl.DataFrame({"x": [-3.1948529411764706, 1e-9, 93.01287553648069]})
    limits = {k: v for k, v in seen(inferred(frame), "x").items() if k != "required"}
    assert limits == {"minimum": -3.19486, "maximum": 93.0129}
    assert check(frame.lazy(), demanded(inferred(frame))).passed


def test_an_empty_frame_gives_types_and_nothing_that_was_not_seen() -> None:
    contract = inferred(DAILY.clear(), ("origin", "day"), "day")
    assert [c.required for c in contract.columns] == [True, True, False, False]
    assert not any(seen(contract, c.name) for c in contract.columns)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("comment", ["a long remark of six words", "ok"] * 20),
        ("word", [f"w{n % 35}" for n in range(40)]),
        ("blank", ["", "x"] * 20),
    ],
)
def test_free_texts_are_not_enumerated(name: str, values: list[str]) -> None:
    frame = DAILY.with_columns(pl.Series(name, values))
    assert "values" not in seen(inferred(frame), name)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("user_email", ["value-1", "value-2"]),
        ("phoneNumber", ["value-1", "value-2"]),
        ("first_name", ["Ann", "Bob"]),
        ("birth_date", [date(1990, 1, 1), date(1991, 1, 1)]),
        ("ip_address", ["value-1", "value-2"]),
        ("contact", ["ann@example.org", "bob@example.com"]),
        ("reach", ["+49 40 1234567", "+1 202 555 0101"]),
        ("host", ["192.0.2.1", "192.0.2.2"]),
        ("account", ["DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19"]),
    ],
)
def test_personal_data_is_found_by_name_or_content_and_no_value_written_down(
    name: str, values: list[Any]
) -> None:
    frame = DAILY.with_columns(pl.Series(name, values * 20))
    contract = inferred(frame)
    column = contract.column(name)
    assert column.personal
    assert "personal" in column.raw["tags"]
    assert seen(contract, name) == {"required": True}
    assert not any(str(value) in contract.dumps() for value in values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("name", ["Newark Liberty Intl", "La Guardia"]),
        ("tailnum", ["N10156", "N102UW"]),
        ("day_text", ["2013-01-01", "2013-01-02"]),
        ("tzone", ["America/New_York", "America/Chicago"]),
        ("ship_zip", ["01234", "20095"]),
        ("score", ["1.2", "3.4"]),
    ],
)
def test_other_data_is_not_taken_for_personal(name: str, values: list[str]) -> None:
    assert not inferred(DAILY.with_columns(pl.Series(name, values * 20))).column(name).personal


def test_a_name_beside_an_email_is_a_persons() -> None:
    frame = DAILY.with_columns(name=pl.lit("Ann"), email=pl.lit("x"))
    assert inferred(frame).column("name").personal


def test_a_repeated_key_is_refused_with_the_count_an_example_and_the_fix() -> None:
    error = refused(DAILY, ("origin",))
    assert "38 of 40 rows" in error.message
    assert "stands 20 times" in error.message
    assert error.count == 38
    assert error.next_step == "add a column: --key origin,day"


def test_a_key_that_no_column_mends_says_how_to_aggregate() -> None:
    error = refused(pl.DataFrame({"a": [1, 1], "x": [0.5, 0.5]}), ("a",))
    assert "GROUP BY a" in error.next_step
    assert error.example == {"a": 1}


def test_a_null_in_the_key_is_refused_with_the_count_and_an_example() -> None:
    error = refused(pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", "z"]}), ("a",))
    assert "'a' is null in 1 of 3 rows" in error.message
    assert "b=y" in error.message


def test_a_missing_column_names_near_ones() -> None:
    assert refused(DAILY, ("orign",)).next_step == "did you mean origin?"
    assert refused(DAILY, ("origin", "day"), "dya").near[0] == "day"


@pytest.mark.parametrize(
    ("values", "said", "fix"),
    [
        ([datetime(2013, 1, 1)], "without a time zone", '.dt.replace_time_zone("UTC")'),
        (["2013-01-01"], "'2013-01-01'", ".str.to_date()"),
        ([2013], "Int64", "from_epoch"),
        ([True], "Boolean", "cast"),
    ],
)
def test_an_event_time_that_is_no_date_or_instant_is_refused_with_the_fix(
    values: list[Any], said: str, fix: str
) -> None:
    error = refused(pl.DataFrame({"at": values}), (), "at")
    assert said in error.message
    assert fix in error.next_step


def test_the_fix_for_an_event_time_of_another_zone_works() -> None:
    frame = pl.DataFrame({"at": [datetime(2013, 1, 1, tzinfo=UTC)]})
    there = frame.with_columns(pl.col("at").dt.convert_time_zone("Asia/Tokyo"))
    error = refused(there, (), "at")
    mended = eval(f"there{error.next_step}", {"there": there, "pl": pl})
    assert inferred(mended, (), "at").event_time == "at"


def test_a_null_event_time_is_refused() -> None:
    error = refused(pl.DataFrame({"at": [date(2013, 1, 1), None], "id": [1, 2]}), ("id",), "at")
    assert "event time 'at' is null in 1 of 2 rows" in error.message
    assert "id=2" in error.message


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pl.DataFrame({"at": [datetime(2013, 1, 1)]}), "without a time zone"),
        (pl.DataFrame({"l": [[datetime(2013, 1, 1)]]}), "without a time zone"),
        (pl.DataFrame({"d": [timedelta(1)]}), "cannot be part of a contract"),
        (pl.DataFrame({"n": [None]}), "nothing but nulls"),
        (pl.DataFrame({"": [1]}), "no name"),
        (pl.DataFrame({"a": [1], "A": [1]}), "one name to SQL"),
        (pl.DataFrame({"count(*)": [1]}), "cannot name a stored column"),
        (pl.DataFrame({"_rows": [1]}), "cannot name a stored column"),
        (pl.DataFrame({"_sealed_b": [1]}), "the store needs one of that name"),
        (pl.DataFrame(), "no columns"),
    ],
)
def test_what_no_snapshot_can_hold_is_refused(frame: pl.DataFrame, said: str) -> None:
    assert said in refused(frame).message


def test_a_list_cannot_be_part_of_a_key() -> None:
    assert "cannot be part of a key" in refused(pl.DataFrame({"l": [[1]]}), ("l",)).message


def test_columns_are_overridden_by_name_and_the_rest_stands() -> None:
    contract = demanded(inferred(DAILY, ("origin", "day"), "day"))
    changed = merge(
        contract,
        {
            "description": {"purpose": "Delays by day."},
            "properties": {
                "flights": {
                    "description": "Departures that day.",
                    "logicalTypeOptions": {"maximum": 500},
                },
                "delay": {"logicalTypeOptions": None},
            },
        },
    )
    assert changed.purpose == "Delays by day."
    assert changed.column("flights").meaning == "Departures that day."
    assert changed.column("flights").options == {"minimum": 0, "maximum": 500}
    assert changed.column("delay").options == {}
    assert changed.column("origin").values == ["EWR", "JFK"]
    assert contract.column("flights").options["maximum"] == 6


@pytest.mark.parametrize(
    "overrides",
    [
        {"properties": {"flights": {"businessName": "Departures"}}},
        {"properties": [{"name": "flights", "businessName": "Departures"}]},
        {
            "schema": [
                {"name": "daily", "properties": [{"name": "flights", "businessName": "Departures"}]}
            ]
        },
        {"schema": {"properties": {"flights": {"businessName": "Departures"}}}},
        {"schema": {"daily": {"properties": {"flights": {"businessName": "Departures"}}}}},
    ],
)
def test_columns_may_stand_wherever_odcs_or_a_person_puts_them(overrides: dict[str, Any]) -> None:
    changed = merge(inferred(DAILY, ("origin", "day"), "day"), overrides)
    assert changed.column("flights").raw["businessName"] == "Departures"
    assert [c.name for c in changed.columns] == DAILY.columns
    assert changed.event_time == "day"


def test_an_enumeration_is_replaced_not_doubled() -> None:
    values = {
        "metric": "invalidValues",
        "mustBe": 0,
        "arguments": {"validValues": ["EWR", "JFK", "LGA"]},
    }
    strict = demanded(inferred(DAILY))
    changed = merge(strict, {"properties": {"origin": {"quality": [values]}}})
    assert changed.column("origin").values == ["EWR", "JFK", "LGA"]
    assert len(changed.column("origin").raw["quality"]) == 1


def test_a_rule_of_another_name_is_added_and_an_empty_list_clears() -> None:
    contract = demanded(inferred(DAILY))
    rule = {"name": "late", "type": "sql", "query": "SELECT count(*) FROM {object}", "mustBe": 40}
    more = merge(contract, {"properties": {"origin": {"quality": [rule]}}})
    assert [r.kind for r in more.column("origin").rules()] == ["type", "required", "enum", "sql"]
    none = merge(contract, {"properties": {"origin": {"quality": []}}})
    assert none.column("origin").values is None


def test_the_event_time_survives_other_custom_properties() -> None:
    contract = inferred(DAILY, ("origin", "day"), "day")
    changed = merge(
        contract, {"schema": {"customProperties": [{"property": "grain", "value": "day"}]}}
    )
    assert changed.event_time == "day"
    assert changed.table["customProperties"][-1]["value"] == "day"


def test_an_override_of_an_unknown_column_names_near_ones() -> None:
    with pytest.raises(UnknownName) as caught:
        merge(inferred(DAILY), {"properties": {"orign": {"description": "x"}}})
    assert "origin" in caught.value.next_step


@pytest.mark.parametrize(
    "overrides",
    [
        {"nonsense": 1},
        {"properties": {"origin": {"logicalType": "word"}}},
        {"properties": {"origin": "text"}},
        {"properties": ["origin"]},
        {"schema": [{"name": "weekly"}]},
        {"schema": "daily"},
    ],
)
def test_an_override_that_makes_no_valid_contract_is_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        merge(inferred(DAILY), overrides)
