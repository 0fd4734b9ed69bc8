"""Mocks that break one rule of their contract, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mesh_notebook.errors import ContractError, UsageError
from mesh_notebook.mesh.checks import check
from mesh_notebook.mock.from_contract import breakable_rules, mock
from mesh_notebook.model.contract import Contract
from tests.contracts import column, contract_of, contracts

SYNTHETIC = Path(__file__).parent.parent / "synthetic"
DEMO = [
    Contract.loads(path.read_text("utf-8"), path.name)
    for path in sorted(SYNTHETIC.glob("*.odcs.yaml"))
]
EVERY_KIND = contract_of(
    column("id", required=True, primaryKey=True),
    column("mail", unique=True, logicalTypeOptions={"minLength": 8, "maxLength": 60}),
    column("age", "INTEGER", required=True, logicalTypeOptions={"minimum": 13, "maximum": 99}),
    column("size", "DOUBLE", logicalTypeOptions={"exclusiveMinimum": 0, "exclusiveMaximum": 9}),
    column("pack", "SMALLINT", logicalTypeOptions={"multipleOf": 6}),
    column("code", logicalTypeOptions={"pattern": "^[A-Z]{3}$"}),
    column(
        "tier",
        quality=[
            {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["a", "b"]}}
        ],
    ),
    column(
        "city",
        quality=[
            {"metric": "nullValues", "mustBeLessThan": 5, "unit": "percent", "id": "few-nulls"},
        ],
    ),
    column(
        "note",
        quality=[{"metric": "missingValues", "mustBe": 0, "arguments": {"missingValues": ["n/a"]}}],
    ),
    column("token", quality=[{"metric": "duplicateValues", "mustBe": 0}]),
    column("price", "DECIMAL(9,2)", logicalTypeOptions={"minimum": 0.5}),
    column("day", "DATE", logicalTypeOptions={"minimum": "2026-01-01"}),
    column("at", "TIMESTAMP_TZ", logicalTypeOptions={"maximum": "2026-06-30T00:00:00Z"}),
    column("seen", "TIMESTAMP_TZ"),
    column("yes", "BOOLEAN"),
    quality=[{"metric": "rowCount", "mustBeBetween": [10, 5_000]}],
)


def failures(contract: Contract, rule: str, rows: int = 400, seed: int = 3) -> list[str]:
    frame = mock(contract, rows, seed, breaking=rule)
    return [result.rule.id for result in check(frame.lazy(), contract).failures]


@pytest.mark.parametrize("rule", breakable_rules(EVERY_KIND))
def test_a_broken_rule_is_the_only_one_that_fails(rule: str) -> None:
    assert failures(EVERY_KIND, rule) == [rule]


@pytest.mark.parametrize("contract", DEMO, ids=lambda contract: contract.name)
def test_each_breakable_rule_of_the_demo_fails_alone(contract: Contract) -> None:
    for rule in breakable_rules(contract):
        assert failures(contract, rule) == [rule]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(contracts(), st.integers(2, 150), st.data())
def test_any_breakable_rule_of_any_contract_fails_alone(
    contract: Contract, rows: int, data: st.DataObject
) -> None:
    try:
        mock(contract, rows, 1)
    except ContractError:
        assume(False)
    known = breakable_rules(contract)
    assume(known)
    rule = data.draw(st.sampled_from(known))
    try:
        found = failures(contract, rule, rows, 1)
    except UsageError as error:  # a rule that tolerates some rows takes more than those to break
        assume("too few" not in error.message)
        raise
    assert found == [rule]


def test_rules_of_every_kind_can_be_broken() -> None:
    known = set(breakable_rules(EVERY_KIND))
    expected = {
        "table.key",
        "id.required",
        "id.type",
        "mail.unique",
        "mail.minLength",
        "mail.maxLength",
        "age.required",
        "age.type",
        "age.minimum",
        "age.maximum",
        "size.exclusiveMinimum",
        "size.exclusiveMaximum",
        "pack.multipleOf",
        "code.pattern",
        "tier.enum",
        "city.few-nulls",
        "note.missingValues",
        "token.duplicateValues",
        "price.minimum",
        "day.minimum",
        "at.maximum",
        "seen.type",
        "yes.type",
        "table.rowCount",
    }
    assert expected <= known


def test_one_row_in_a_hundred_is_touched() -> None:
    whole, broken = mock(EVERY_KIND, 1_000, 3), mock(EVERY_KIND, 1_000, 3, breaking="age.maximum")
    assert (whole["age"] != broken["age"]).sum() == 10
    assert whole.drop("age").equals(broken.drop("age"))


def test_a_rule_that_is_not_there_is_refused_with_near_misses() -> None:
    with pytest.raises(UsageError, match=r"no rule 'age\.maximun'") as caught:
        mock(EVERY_KIND, 10, 1, breaking="age.maximun")
    assert "age.maximum" in caught.value.next_step


def test_two_rules_that_say_the_same_cannot_be_broken_apart() -> None:
    contract = contract_of(column("id", required=True, unique=True, primaryKey=True))
    with pytest.raises(UsageError, match=r"'id\.unique' would break with it"):
        mock(contract, 10, 1, breaking="table.key")


def test_a_rule_in_sql_cannot_be_broken_and_says_so() -> None:
    plays = DEMO[0]
    with pytest.raises(UsageError, match="'one-category' cannot be broken alone"):
        mock(plays, 10, 1, breaking="one-category")


def test_nothing_can_be_broken_in_no_rows() -> None:
    with pytest.raises(UsageError, match="too few"):
        mock(EVERY_KIND, 0, 1, breaking="age.maximum")
    with pytest.raises(UsageError, match="too few"):
        mock(EVERY_KIND, 1, 1, breaking="table.key")


def test_a_number_of_rows_is_not_broken_by_more_than_memory_holds() -> None:
    tall = {"metric": "rowCount", "mustBeLessThan": 10**12, "id": "size"}
    with pytest.raises(UsageError, match="too tall"):
        mock(contract_of(column("a"), quality=[tall]), 10, 1, breaking="size")


def test_lengths_that_nothing_keeps_are_refused_and_cannot_be_broken() -> None:
    contract = contract_of(column("a", logicalTypeOptions={"minLength": 10, "maxLength": 2}))
    assert not {"a.minLength", "a.maxLength"} & set(breakable_rules(contract))
    with pytest.raises(ContractError, match="at least 10 and at most 2"):
        mock(contract, 5, 1)
