"""Mocks from a contract alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from mesh_notebook.errors import ContractError, UsageError
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.dtypes import column_dtype
from mesh_notebook.mock import limits
from mesh_notebook.mock.from_contract import mock
from mesh_notebook.model.contract import Contract
from tests.contracts import column, contract_of, contracts, hinted

SYNTHETIC = Path(__file__).parent.parent / "synthetic"
PROFILES = Contract.loads((SYNTHETIC / "user-profiles.odcs.yaml").read_text("utf-8"))
PLAYS = Contract.loads((SYNTHETIC / "podcast-plays.odcs.yaml").read_text("utf-8"))
USERS = "urn:dmesh:acme:users:user-profiles:profiles#user_id"
laws = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def one(name: str = "x", physical: str = "VARCHAR", rows: int = 500, **more: Any) -> pl.Series:
    """Return the one column of a mock."""
    return mock(contract_of(column(name, physical, **more)), rows, 1)[name]


def broken_rules(frame: pl.DataFrame, contract: Contract) -> list[str]:
    return [result.rule.id for result in check(frame.lazy(), contract).failures]


# ---- laws -----------------------------------------------------------------------------------


@laws
@given(contracts(), st.integers(0, 120), st.integers(-5, 2**70))
def test_a_mock_keeps_every_rule_of_its_contract(contract: Contract, rows: int, seed: int) -> None:
    try:
        frame = mock(contract, rows, seed)
    except ContractError as error:
        assume(getattr(error, "room", rows) >= rows)  # too few values for so many keys: no mock
        raise
    assert frame.schema == {c.name: column_dtype(c) for c in contract.columns}
    assert frame.height == rows
    assert broken_rules(frame, contract) == []


@laws
@given(contracts(), st.integers(0, 60), st.integers(0, 99))
def test_the_rows_of_a_short_mock_begin_a_longer_one(
    contract: Contract, rows: int, seed: int
) -> None:
    # A rule on the number of nulls is about the whole frame.
    assume(all(rule.kind != "nullValues" for rule in contract.rules))
    try:
        longer = mock(contract, rows + 40, seed)
    except ContractError:
        assume(False)
    assert mock(contract, rows, seed).equals(longer.head(rows))


@laws
@given(st.integers(1, 400), st.integers(1, 5_000), st.integers(0, 9))
@example(1, 1, 0)
def test_every_key_of_a_mock_is_among_the_keys_of_its_upstream(
    population: int, rows: int, seed: int
) -> None:
    users = mock(PROFILES, population, seed + 1)["user_id"]
    plays = mock(PLAYS, rows, seed, {USERS: population})["user_id"]
    assert plays.drop_nulls().is_in(users.implode()).all()


# ---- same seed, same bytes ------------------------------------------------------------------

_PRINT_HASH = """
import hashlib, io, sys
from pathlib import Path
from mesh_notebook.mock.from_contract import mock
from mesh_notebook.model.contract import Contract
for path in sys.argv[1:]:
    frame = mock(Contract.loads(Path(path).read_text("utf-8")), 5_000, 42)
    for write in (frame.write_ipc, frame.write_parquet):
        write(buffer := io.BytesIO())
        print(hashlib.sha256(buffer.getvalue()).hexdigest())
"""


def hashes() -> list[str]:
    paths = [str(path) for path in sorted(SYNTHETIC.glob("*.odcs.yaml"))]
    command = [sys.executable, "-c", _PRINT_HASH, *paths]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_two_processes_make_the_same_bytes_of_the_same_seed() -> None:
    first = hashes()
    assert len(set(first)) == 4
    assert first == hashes()


def test_another_seed_makes_other_rows_and_the_same_keys() -> None:
    first, second = mock(PROFILES, 100, 1), mock(PROFILES, 100, 2)
    assert not first.equals(second)
    assert first["user_id"].equals(second["user_id"])


def test_a_new_column_changes_none_of_the_others() -> None:
    document = PLAYS.edited()
    document["schema"][0]["properties"].insert(2, column("city"))
    wider = mock(Contract(document), 300, 5)
    assert wider.drop("city").equals(mock(PLAYS, 300, 5))


# ---- keys -----------------------------------------------------------------------------------


def test_plays_join_to_the_profiles_of_their_listeners() -> None:
    users = mock(PROFILES, 200, 7)
    plays = mock(PLAYS, 5_000, 8, {USERS: 200})
    joined = plays.join(users, on="user_id", how="semi")
    assert joined.height > 0.95 * plays.height


def test_some_keys_are_drawn_far_more_often_than_others() -> None:
    plays = mock(PLAYS, 20_000, 8, {USERS: 500})
    counts = plays["user_id"].drop_nulls().value_counts()["count"].sort(descending=True)
    assert counts.len() > 450
    assert counts[0] > 4 * counts.median()


def test_a_link_with_a_major_version_means_the_same_column() -> None:
    mine = contract_of(column("user_id", primaryKey=True), product="users")
    link = {"type": "ontology", "url": "urn:dmesh:acme:test:users:rows:1#user_id"}
    theirs = contract_of(column("who", authoritativeDefinitions=[link]), product="visits")
    who = mock(theirs, 100, 1, {link["url"]: 10})["who"].drop_nulls()
    assert who.is_in(mock(mine, 10, 9)["user_id"].implode()).all()


def test_a_key_of_two_columns_repeats_neither_pair_nor_day() -> None:
    contract = contract_of(
        column("country", primaryKey=True, quality=[_enum("DE", "FR", "SE")]),
        column(
            "day",
            "DATE",
            primaryKey=True,
            logicalTypeOptions={"minimum": "2026-10-01", "maximum": "2026-10-31"},
        ),
    )
    assert mock(contract, 93, 1).n_unique() == 93
    with pytest.raises(ContractError, match="room for 93"):
        mock(contract, 94, 1)


def test_a_key_keeps_its_pattern_and_its_lengths() -> None:
    key = one("sku", primaryKey=True, logicalTypeOptions={"pattern": "^[A-Z]{3}-[0-9]{3}$"})
    assert key.str.contains("^[A-Z]{3}-[0-9]{3}$").all()
    assert key.n_unique() == 500
    short = one("user_id", primaryKey=True, logicalTypeOptions={"maxLength": 6})
    assert short.str.len_chars().max() == 6
    assert short.n_unique() == 500


def test_more_keys_than_a_pattern_has_are_refused_with_the_column() -> None:
    with pytest.raises(ContractError, match=r"'?sku.*room for 100") as caught:
        one("sku", primaryKey=True, logicalTypeOptions={"pattern": "^[0-9]{2}$"})
    assert caught.value.column == "sku"


# ---- realistic values -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("email", r"^[a-z.]+\d+@example\.(com|org|net)$"),
        ("uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
        ("uri", r"^https://[a-z]+\.example\.[a-z]+/"),
        ("ipv4", r"^\d+\.\d+\.\d+\.\d+$"),
        ("ipv6", "^2001:db8:"),
        ("hostname", r"\.example\."),
    ],
)
def test_a_format_gives_texts_of_that_format(kind: str, pattern: str) -> None:
    values = one(required=True, logicalTypeOptions={"format": kind})
    assert values.str.contains(pattern).all()
    assert values.n_unique() > 100


def test_an_unknown_format_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ContractError, match=r"'x'.*'isbn' is not known") as caught:
        one(logicalTypeOptions={"format": "isbn"})
    assert "email" in caught.value.next_step


def test_names_and_cities_look_like_names_and_cities() -> None:
    assert one("first_name").drop_nulls().str.contains("^[A-Z][a-z]+$").all()
    assert one("country", logicalTypeOptions={"pattern": "^[A-Z]{2}$"}).n_unique() > 100
    assert one("age", "INTEGER").drop_nulls().is_between(13, 95).all()


def test_a_hint_names_the_faker_method_and_the_locale() -> None:
    german = one(customProperties=hinted({"faker": "city", "locale": "de_DE"}))
    assert german.n_unique() > 100
    with pytest.raises(ContractError, match="no method 'frist_name'") as caught:
        one(customProperties=hinted({"faker": "frist_name"}))
    assert "first_name" in caught.value.next_step


def test_nulls_stand_only_where_they_may() -> None:
    assert one("city", rows=5_000).null_count() > 0
    assert one("city", rows=5_000, required=True).null_count() == 0
    assert one("a", customProperties=hinted({"nulls": 0.5})).null_count() == pytest.approx(
        250, abs=60
    )


# ---- hints ----------------------------------------------------------------------------------


def test_weights_give_values_their_shares() -> None:
    shares = one(rows=4_000, required=True, customProperties=hinted({"weights": {"a": 3, "b": 1}}))
    assert (shares == "a").mean() == pytest.approx(0.75, abs=0.04)


def test_a_lognormal_hint_has_the_mean_it_names() -> None:
    hints = hinted({"distribution": "lognormal", "mean": 40, "sigma": 0.6})
    values = one("n", "DOUBLE", rows=20_000, required=True, customProperties=hints)
    assert values.mean() == pytest.approx(40, rel=0.05)


def test_a_time_comes_after_the_one_it_follows() -> None:
    lag = {"after": "begun", "lag": {"distribution": "exponential", "mean": "2h"}}
    contract = contract_of(
        column("ended", "TIMESTAMP_TZ", required=True, customProperties=hinted(lag)),
        column("begun", "TIMESTAMP_TZ", required=True),
    )
    lags = mock(contract, 5_000, 1).select((pl.col("ended") - pl.col("begun")).dt.total_seconds())
    assert lags.min().item() >= 0
    assert lags.mean().item() == pytest.approx(7_200, rel=0.1)


def test_a_column_from_another_is_a_function_of_it() -> None:
    contract = contract_of(
        column("country", required=True),
        column("region", required=True, customProperties=hinted({"from": "country"})),
    )
    pairs = mock(contract, 2_000, 1).unique()
    assert pairs.height == pairs["country"].n_unique() > 50


def test_a_trait_of_a_key_correlates_two_products() -> None:
    users = mock(PROFILES, 800, 1)
    plays = mock(PLAYS, 8_000, 2, {USERS: 800}).join(users, on="user_id")
    born = dict(plays.group_by("category").agg(pl.col("birth_year").mean()).iter_rows())
    assert born["gaming"] > born["news"] + 15


def test_most_plays_start_in_the_evening() -> None:
    hours = mock(PLAYS, 10_000, 1)["started_at"].dt.hour().value_counts().sort("count")
    assert hours["started_at"][-1] in (19, 20, 21)


def test_an_unknown_hint_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ContractError, match="no hint 'wieghts'") as caught:
        one(customProperties=hinted({"wieghts": [1]}))
    assert "weights" in caught.value.next_step
    assert "lognormal" not in caught.value.next_step


@pytest.mark.parametrize(
    "hints",
    [
        {"weights": {"a": -1}},
        {"weights": {"a": float("inf")}},
        {"weights": {"a": 10**400}},
        {"weights": "a"},
        {"nulls": 2},
        {"zipf": "steep"},
        {"distribution": "gauss"},
        {"between": [1]},
        {"hours": [1, 2]},
        {"choices": 0},
        {"after": "x"},
        {"after": "nobody"},
        {"trait": {"of": "x"}},
        {"lag": "soon"},
        {"faker": "binary"},
        {"faker": "seed_instance"},
        {"locale": "xx_XX", "faker": "city"},
        {"pattern": "("},
        {"pattern": "(?=a)b"},
        {"values": {"a": 1}},
        {"nulls": 0.1, "values": []},
    ],
)
def test_a_hint_that_makes_no_sense_is_refused_with_the_next_step(hints: dict[str, Any]) -> None:
    with pytest.raises((ContractError, UsageError)) as caught:
        one(customProperties=hinted(hints))
    assert caught.value.next_step


# ---- what cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("physical", "options"),
    [
        ("INTEGER", {"minimum": 5, "maximum": 4}),
        ("INTEGER", {"exclusiveMinimum": 4, "maximum": 4}),
        ("INTEGER", {"minimum": 7, "maximum": 8, "multipleOf": 5}),
        ("TINYINT", {"minimum": 1_000}),
        ("DATE", {"minimum": "2026-02-01", "maximum": "2026-01-01"}),
        ("VARCHAR", {"pattern": "^[a-z]{3}$", "minLength": 4}),
        ("VARCHAR", {"pattern": "(?<=a)b"}),
        ("VARCHAR", {"minLength": 10, "maxLength": 2}),
    ],
)
def test_limits_that_nothing_keeps_are_refused_with_the_column(
    physical: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ContractError, match="column 'x' cannot be mocked"):
        one("x", physical, logicalTypeOptions=options)


@pytest.mark.parametrize(
    ("physical", "options"),
    [
        ("VARCHAR", {"minLength": 10**8}),
        ("VARCHAR", {"pattern": "[a-z]{100000}"}),
        ("VARCHAR", {"pattern": "([a-z]{1000}-){100}"}),
        ("VARCHAR", {"pattern": "(a?){4000}"}),
        ("BIGINT[]", {"minItems": 10**8}),
    ],
)
def test_values_longer_than_a_mock_makes_are_refused_at_once(
    physical: str, options: dict[str, Any]
) -> None:
    begun = time.process_time()
    with pytest.raises(ContractError, match="column 'x' cannot be mocked"):
        one("x", physical, logicalTypeOptions=options)
    assert time.process_time() - begun < 6


def test_the_type_of_nested_objects_is_read_once_not_at_each_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain: dict[str, Any] = {"name": "leaf", "logicalType": "integer"}
    for level in range(12):
        chain = {"name": f"o{level}", "logicalType": "object", "properties": [chain]}
    read: list[Any] = []
    monkeypatch.setattr(limits, "column_dtype", lambda c: read.append(c) or column_dtype(c))
    mock(contract_of(chain), 20, 1)
    assert len(read) < 5


def test_negative_rows_are_refused_and_no_rows_are_a_frame_of_the_right_types() -> None:
    with pytest.raises(UsageError):
        mock(PROFILES, -1, 1)
    empty = mock(PLAYS, 0, 1)
    assert empty.height == 0
    assert empty.schema == mock(PLAYS, 3, 1).schema


@pytest.mark.parametrize("rows", [100_000_001, 99_999_999_999_999])
def test_more_rows_than_memory_holds_are_refused_before_any_is_made(rows: int) -> None:
    with pytest.raises(UsageError, match="too tall") as caught:
        mock(PROFILES, rows, 1)
    assert "at most 100,000,000 rows" in caught.value.next_step


def test_a_contract_of_two_tables_is_refused_with_their_names() -> None:
    raw = contract_of(column("a")).edited()
    raw["schema"].append({"name": "more", "properties": [{"name": "b", "logicalType": "string"}]})
    with pytest.raises(ContractError, match=r"2 tables \(rows, more\)") as caught:
        mock(Contract(raw).checked(), 1, 1)
    assert caught.value.next_step == "%mesh mock FILE --table rows mocks that one"


def test_hints_that_go_round_in_a_circle_are_refused() -> None:
    contract = contract_of(
        column("a", customProperties=hinted({"from": "b"})),
        column("b", customProperties=hinted({"from": "a"})),
    )
    with pytest.raises(ContractError, match="circle"):
        mock(contract, 1, 1)


def _enum(*values: object) -> dict[str, Any]:
    return {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": list(values)}}


def test_the_contracts_of_the_demo_keep_their_own_rules() -> None:
    for contract, populations in ((PROFILES, {}), (PLAYS, {USERS: 300})):
        assert broken_rules(mock(contract, 3_000, 7, populations), contract) == []


def test_a_mock_is_known_by_its_rows() -> None:
    # A change here changes every mock that anybody has made: say so in the changelog.
    digest = hashlib.sha256(mock(PROFILES, 3, 1)["user_id"].str.join(",").item().encode())
    assert digest.hexdigest()[:8] == "9a02949a"


def test_a_pattern_that_only_the_checker_can_run_is_kept_by_hinted_values() -> None:
    options = {"pattern": r"^\p{L}+$"}
    with pytest.raises(ContractError, match="cannot be turned around") as caught:
        one("x", logicalTypeOptions=options)
    assert "hint" in caught.value.next_step
    values = one("x", logicalTypeOptions=options, customProperties=hinted({"values": ["å", "ß"]}))
    assert set(values.drop_nulls()) == {"å", "ß"}
