"""What a port shows of its rows, and to whom: masks, row filters, access and keys."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from listeners import ADDRESS, ANALYST, NOBODY, NOW, OFFICER, ROWS, Listeners, mask, policy

from mesh_notebook.errors import AccessDenied, KeyMissing, UsageError
from mesh_notebook.mesh.asking import ask
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.decisions import decisions
from mesh_notebook.mesh.keys import key_of, made_key
from mesh_notebook.mesh.masking import keyless
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.question import Question
from mesh_notebook.mesh.rulebook import push_rule
from mesh_notebook.mesh.scan import Scan, attach, connect_duckdb
from mesh_notebook.model.policy import Access, PortPolicy, Principal, RowFilter

GERMANS = RowFilter("country = 'DE'", ("privacy-officer",))


@pytest.fixture(params=["snapshot", "log"])
def listeners(tmp_path: Path, request: pytest.FixtureRequest) -> Listeners:
    return Listeners(tmp_path, kind=request.param)


def sql(reading, query: str) -> pl.DataFrame:
    with connect_duckdb() as con:
        attach(con, "listeners", reading.scan, reading.frame)
        return con.sql(query).pl()


# ---- masks --------------------------------------------------------------------------------------

MASKS = {
    "redact": (mask("email", "redact"), ["***"] * 4),
    "null": (mask("minutes", "null"), [None] * 4),
    "truncate": (mask("email", "truncate", keep=2), ["an", "be", None, "de"]),
    "a band": (mask("age", "generalise", to="10"), [30, 40, 10, None]),
    "a region": (
        mask("country", "generalise", groups={"north": ("DE",), "south": ("IT", "FR")}),
        ["north", "south", "north", "south"],
    ),
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_masked_column_is_seen_so_by_all_but_the_exempt(listeners, kind):
    masked, expected = MASKS[kind]
    listeners.publish(policy=policy(masked))
    seen = listeners.rows(NOBODY)
    assert seen[masked.column].to_list() == expected
    assert seen.schema == ROWS.schema
    assert seen.drop(masked.column).equals(ROWS.drop(masked.column))
    assert listeners.rows(OFFICER).equals(ROWS)


@pytest.mark.parametrize(
    ("dtype", "values", "bands"),
    [
        (pl.Int64, [2**53 + 11, -(2**53) - 11, None], [2**53 + 8, -(2**53) - 18, None]),
        (pl.Int8, [-128, -1, 127], [None, -10, 120]),  # -130 has no room
        (pl.Float64, [1.5, -0.1, None], [0.0, -10.0, None]),
    ],
)
def test_a_band_is_exact_and_of_the_columns_type(dtype, values, bands):
    shown = keyless(pl.Series("n", values, dtype=dtype), mask("n", "generalise", to="10"))
    assert shown.dtype == dtype
    assert shown.to_list() == bands


@pytest.mark.parametrize("kind", ["tokenise", "encrypt"])
def test_tokens_are_equal_where_values_are_and_an_exempt_role_sees_the_values(listeners, kind):
    twice = ROWS.with_columns(email=pl.lit("ann@example.org"))
    listeners.publish(twice, policy=policy(mask("email", kind), mask("user", kind)))
    seen = listeners.rows(NOBODY)
    assert seen["email"].n_unique() == 1
    assert seen["user"].n_unique() == 4
    assert not set(seen["email"]) & set(twice["email"])
    assert listeners.rows(OFFICER).equals(twice)


def test_a_whole_number_has_a_whole_number_for_a_token(listeners):
    listeners.publish(policy=policy(mask("age", "tokenise")))
    seen = listeners.rows(NOBODY)
    assert seen.schema == ROWS.schema
    assert seen["age"].null_count() == 1
    assert seen["age"].n_unique() == 4
    assert not set(seen["age"].drop_nulls()) & set(ROWS["age"])


def test_every_engine_and_mode_sees_the_same(listeners):
    listeners.publish(policy=policy(mask("email", "redact"), mask("age", "generalise", to="10")))
    for principal in (NOBODY, OFFICER):
        reading = listeners.read(principal)
        expected = listeners.rows(principal)
        assert sql(reading, "SELECT * FROM listeners ORDER BY day").equals(expected)
        again = Scan.from_dict(json.loads(json.dumps(reading.scan.as_dict()))).lazy().collect()
        assert again.sort("day").equals(expected)


def test_a_log_is_corrected_through_its_masks(tmp_path):
    log = Listeners(tmp_path, kind="log")
    log.publish(policy=policy(mask("email", "redact"), mask("user", "tokenise")))
    corrected = ROWS.head(2).with_columns(email=pl.lit("new@example.org"))
    receipt = log.publish(pl.concat([corrected, ROWS.tail(2)]))
    assert (receipt.ports["listeners"].added, receipt.ports["listeners"].corrected) == (2, 2)
    assert log.rows(OFFICER)["email"].to_list()[:2] == ["new@example.org"] * 2
    assert log.rows(NOBODY)["email"].to_list() == ["***"] * 4
    first = log.product.receipt(1).processing_time
    assert log.rows(OFFICER, None, None, first).equals(ROWS)


# ---- the policy of now holds for what was published before ---------------------------------------


def test_what_is_masked_since_is_not_seen_in_earlier_snapshots_either(listeners):
    first = listeners.publish()
    listeners.publish(policy=policy(mask("email", "tokenise")))
    seen = listeners.rows(NOBODY, None, None, first.processing_time)
    assert seen["email"].to_list() == [None] * 4
    assert seen.drop("email").equals(ROWS.drop("email"))
    assert listeners.rows(OFFICER, None, None, first.processing_time).equals(ROWS)


def test_a_row_that_is_filtered_since_is_not_seen_in_earlier_snapshots_either(listeners):
    first = listeners.publish()
    listeners.publish(policy=policy(rows=(GERMANS,)))
    reading = listeners.read(NOBODY, None, None, first.processing_time)
    assert reading.frame.collect()["user"].sort().to_list() == ["u1", "u3"]
    assert sql(reading, "SELECT count(*) AS n FROM listeners")["n"].item() == 2
    assert listeners.rows(OFFICER, None, None, first.processing_time).equals(ROWS)


def test_a_log_whose_policy_changes_is_protected_anew_from_its_first_row_on(tmp_path):
    log = Listeners(tmp_path, kind="log")
    log.publish(ROWS.head(2), policy=policy(mask("email", "redact")))
    log.publish(ROWS.tail(2), policy=policy(mask("email", "tokenise"), rows=(GERMANS,)))
    assert log.rows(OFFICER).equals(ROWS)
    seen = log.rows(NOBODY)
    assert seen["user"].to_list() == ["u1", "u3"]
    assert "***" not in seen["email"].to_list()


# ---- row filters ---------------------------------------------------------------------------------


def test_a_row_filter_hides_rows_from_all_but_the_exempt(listeners):
    listeners.publish(policy=policy(mask("country", "redact"), rows=(GERMANS,)))
    reading = listeners.read(NOBODY)
    assert reading.frame.collect()["user"].sort().to_list() == ["u1", "u3"]
    assert sql(reading, "SELECT count(*) AS n FROM listeners")["n"].item() == 2
    assert listeners.rows(OFFICER).equals(ROWS)


def test_several_filters_hold_together_each_with_roles_of_its_own(listeners):
    adults = RowFilter("age >= 18", ("analyst", "privacy-officer"))
    listeners.publish(policy=policy(rows=(GERMANS, adults)))
    assert listeners.rows(NOBODY)["user"].to_list() == ["u1"]
    assert listeners.rows(ANALYST)["user"].to_list() == ["u1", "u3"]
    assert listeners.rows(OFFICER).equals(ROWS)


def test_a_correction_moves_a_row_out_of_sight(tmp_path):
    log = Listeners(tmp_path, kind="log")
    log.publish(policy=policy(mask("country", "redact"), rows=(GERMANS,)))
    log.publish(ROWS.head(1).with_columns(country=pl.lit("FR")))
    assert log.rows(NOBODY)["user"].to_list() == ["u3"]
    assert log.rows(OFFICER)["country"].to_list() == ["FR", "FR", "DE", "IT"]


@pytest.mark.parametrize(
    "where",
    [
        "contry = 'DE'",
        "country",
        "1/0 = (SELECT 1)",
        "country = 'DE'; DROP TABLE x",
        "random() > 1",
    ],
)
def test_what_is_no_row_filter_is_refused_and_nothing_is_published(tmp_path, where):
    listeners = Listeners(tmp_path)
    with pytest.raises(UsageError, match="is no row filter"):
        listeners.publish(policy=policy(rows=(RowFilter(where),)))
    assert not Catalogue([listeners.root]).products()


# ---- access --------------------------------------------------------------------------------------


def test_a_port_is_read_by_its_roles_and_for_its_purposes_alone(listeners):
    listeners.publish(policy=policy(access=Access(("analyst",), ("research",), stand_in=True)))
    allowed = replace(ANALYST, purpose="research")
    assert listeners.rows(allowed).equals(ROWS)
    for other in (NOBODY, ANALYST, replace(ANALYST, purpose="ads"), Principal("x", "research")):
        with pytest.raises(AccessDenied, match=f"{other.name} may not read") as denied:
            listeners.read(other)
        assert "--mode mock" in denied.value.next_step


def test_a_policy_that_is_not_understood_lets_nobody_in(tmp_path):
    listeners = Listeners(tmp_path)
    listeners.publish(policy=policy(mask("email", "redact")))
    spec = next((tmp_path / "bundle").glob("product.odps.yaml"))
    spec.write_text(spec.read_text().replace("masks:", "masques:").replace("1.1.0", "1.2.0"))
    with pytest.raises(Exception, match="masques"):
        listeners.publish()


# ---- keys ----------------------------------------------------------------------------------------


def test_a_key_that_others_can_read_is_no_key(keys):
    path = made_key(ADDRESS)
    assert path is not None
    assert os.stat(path).st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(KeyMissing, match="open to others") as refused:
        key_of(ADDRESS)
    assert f"chmod 600 {path}" in refused.value.next_step
    assert path.read_text().strip() not in str(refused.value)


def test_who_may_see_more_and_has_no_key_is_told_so(listeners, monkeypatch, tmp_path):
    listeners.publish(policy=policy(mask("email", "tokenise")))
    monkeypatch.setenv("MESH_KEYS", str(tmp_path / "nowhere"))
    assert listeners.rows(NOBODY).height == 4
    with pytest.raises(KeyMissing, match="is not here"):
        listeners.read(OFFICER)


def test_another_key_opens_nothing(listeners, monkeypatch, tmp_path):
    listeners.publish(policy=policy(mask("email", "redact")))
    monkeypatch.setenv("MESH_KEYS", str(tmp_path / "others"))
    made_key(ADDRESS)
    with pytest.raises(KeyMissing, match="not the one"):
        listeners.rows(OFFICER)


def test_the_key_may_come_from_the_environment(listeners, monkeypatch, tmp_path):
    monkeypatch.setenv("MESH_KEYS", str(tmp_path / "nowhere"))
    monkeypatch.setenv("MESH_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    listeners.publish(policy=policy(mask("email", "redact")))
    assert listeners.rows(OFFICER).equals(ROWS)


def test_no_port_policy_is_an_empty_one():
    assert not PortPolicy("listeners")


# ---- rules of the mesh, and the log --------------------------------------------------------------

NO_ADS = """package mesh
deny contains "no ads on personal data" if {
    input.principal.purpose == "ads"
    some column in input.columns
    column.personal
}
"""


def test_a_rule_of_the_mesh_forbids_what_a_policy_would_allow_and_never_the_other_way(tmp_path):
    listeners = Listeners(tmp_path)
    listeners.publish()
    open_to_none = policy(access=Access(("nobody-has-it",)))
    push_rule(
        place_of(listeners.root), "calm", NO_ADS.replace("column.personal", "true"), "ola", NOW
    )
    with pytest.raises(AccessDenied, match="no ads on personal data"):
        listeners.read(replace(ANALYST, purpose="ads"))
    assert listeners.rows(ANALYST).equals(ROWS)
    listeners.publish(policy=open_to_none)
    with pytest.raises(AccessDenied, match="nobody-has-it"):
        listeners.read(ANALYST)


def test_each_decision_is_kept_without_a_row_in_it(tmp_path):
    listeners = Listeners(tmp_path)
    first = listeners.publish()
    listeners.publish(policy=policy(mask("email", "redact"), rows=(GERMANS,)))
    listeners.read(ANALYST, None, None, first.processing_time)
    listeners.publish(policy=policy(access=Access(("x",))))
    with pytest.raises(AccessDenied):
        listeners.read(NOBODY)
    denied, allowed = decisions(listeners.product, 10)
    assert (denied.principal, denied.decision, denied.snapshot) == ("bo", "deny", 0)
    assert (allowed.principal, allowed.roles, allowed.snapshot) == ("ana", ("analyst",), 1)
    assert "email: redact (but for privacy-officer)" in allowed.rules
    kept = b"".join(p.read_bytes() for p in listeners.root.rglob("decisions/*.json"))
    assert b"example.org" not in kept


def test_that_a_private_port_was_asked_is_kept_as_an_answer_and_not_as_a_refusal(private_root):
    found = Catalogue([private_root]).resolve("podcasts")[0]
    ask(found, None, Question("count"), "ana", lambda: NOW)
    [kept] = decisions(found, 10)
    assert (kept.principal, kept.mode, kept.decision) == ("ana", "ask", "allow")
    assert not [line for line in kept.rules if line.startswith("refused")]


def test_of_a_port_without_a_policy_nothing_is_decided_and_nothing_is_kept(tmp_path):
    listeners = Listeners(tmp_path)
    listeners.publish()
    listeners.read(NOBODY)
    assert decisions(listeners.product, 10) == []


def test_a_role_is_granted_and_not_claimed(tmp_path, monkeypatch):
    listeners = Listeners(tmp_path)
    listeners.publish(policy=policy(mask("email", "redact")))
    bo = Principal("bo", roles=frozenset({"privacy-officer"}))
    assert listeners.rows(bo)["email"].to_list() == ["***"] * 4
    monkeypatch.setenv("MESH_ROLES", "")
    assert listeners.rows(OFFICER)["email"].to_list() == ["***"] * 4


# ---- on storage that speaks S3 -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_on_s3_a_policy_holds_as_it_does_in_a_folder(tmp_path, s3, kind):
    listeners = Listeners(tmp_path, root=f"{s3.url}/mesh", kind=kind)
    first = listeners.publish()
    listeners.publish(policy=policy(mask("email", "redact"), rows=(GERMANS,)))
    for moment in (None, first.processing_time):
        seen = listeners.read(NOBODY, None, None, moment).frame.collect()
        assert seen["user"].sort().to_list() == ["u1", "u3"]
        assert not set(seen["email"].drop_nulls()) - {"***"}
        assert listeners.rows(OFFICER, None, None, moment).equals(ROWS)
    listeners.publish(policy=policy(access=Access(("x",))))
    with pytest.raises(AccessDenied):
        listeners.read(NOBODY)
    assert decisions(listeners.product, 1)[0].decision == "deny"
