"""The law of policies: whatever was published under whichever policies, each reader sees at any
time exactly what the policy of now lets them see of what was known then.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listeners import ADDRESS, ANALYST, NOBODY, OFFICER, ROWS, Listeners

from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh.keys import key_of
from mesh_notebook.model.policy import Mask, PortPolicy, Principal, RowFilter

pytestmark = pytest.mark.law

EMAILS = st.sampled_from(["ann@example.org", "ben@example.org", "", None])
AGES = st.sampled_from([7, 18, 31, None])
COUNTRIES = st.sampled_from(["DE", "FR", None])
EXEMPT = st.sampled_from([(), ("privacy-officer",), ("privacy-officer", "analyst")])


@st.composite
def batches(draw: st.DrawFn) -> pl.DataFrame:
    users = draw(st.lists(st.sampled_from(["u1", "u2", "u3"]), min_size=1, unique=True))
    rows = [(u, draw(EMAILS), draw(AGES), draw(COUNTRIES), ROWS["day"][0], 1.0) for u in users]
    return pl.DataFrame(rows, schema=ROWS.schema, orient="row")


@st.composite
def policies(draw: st.DrawFn) -> PortPolicy:
    masks = []
    if kind := draw(st.sampled_from(["", "redact", "truncate", "tokenise"])):
        masks.append(Mask("email", kind, draw(EXEMPT), keep=1 if kind == "truncate" else 0))
    if kind := draw(st.sampled_from(["", "null", "generalise"])):
        masks.append(Mask("age", kind, draw(EXEMPT), to="10" if kind == "generalise" else ""))
    wheres = draw(st.lists(st.sampled_from(["country = 'DE'", "age >= 18"]), unique=True))
    rows = tuple(RowFilter(where, draw(EXEMPT)) for where in wheres)
    return PortPolicy("listeners", masks=tuple(masks), rows=rows)


@dataclass
class Known:
    """What the naive model remembers of one publication."""

    moment: str
    rows: dict[str, dict[str, Any]]
    policy: PortPolicy


def is_sealed(mask: Mask, policy: PortPolicy) -> bool:
    return bool(mask.exempt) or any(mask.column in rule.where for rule in policy.rows)


def passes(where: str, row: dict[str, Any]) -> bool:
    if "country" in where:
        return row["country"] == "DE"
    return row["age"] is not None and row["age"] >= 18


def masked(mask: Mask, value: Any) -> Any:
    if mask.kind == "redact":
        return "***"
    if mask.kind == "null" or value is None:
        return None
    if mask.kind == "truncate":
        return value[:1]
    if mask.kind == "generalise":
        return value // 10 * 10
    secret = key_of(ADDRESS).derived("tokenise", mask.column)
    return hmac.new(secret, value.encode(), "sha256").hexdigest()[:32]


def how(mask: Mask) -> tuple[Any, ...]:
    return mask.kind, mask.to, mask.keep


def shown(column: str, value: Any, known: Known, now: PortPolicy, who: Principal) -> Any:
    stored, mask = known.policy.mask(column), now.mask(column)
    if mask is None or who.is_one_of(mask.exempt):
        if stored is None or is_sealed(stored, known.policy):
            return value
        return masked(stored, value)
    if stored is None:
        return None
    if how(stored) == how(mask) or stored.kind in ("redact", "null"):
        return masked(stored, value)
    return None


def is_true(where: str, row: dict[str, Any], known: Known) -> bool:
    """Whether a filter lets a row pass; where what it looks at was not kept, none does."""
    looked_at = "country" if "country" in where else "age"
    stored = known.policy.mask(looked_at)
    kept = stored is None or is_sealed(stored, known.policy)
    return kept and passes(where, row)


def expected(known: Known, now: PortPolicy, who: Principal) -> list[tuple[Any, ...]]:
    filters = [rule.where for rule in now.rows if not who.is_one_of(rule.exempt)]
    return sorted(
        (
            row["user"],
            shown("email", row["email"], known, now, who),
            shown("age", row["age"], known, now, who),
            row["country"],
        )
        for row in known.rows.values()
        if all(is_true(where, row, known) for where in filters)
    )


def lost(before: PortPolicy) -> bool:
    """Whether a log of this policy keeps values only as they are masked."""
    return any(not is_sealed(mask, before) for mask in before.masks)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(["snapshot", "log"]),
    told=st.lists(st.tuples(batches(), policies()), min_size=1, max_size=4),
)
def test_each_reader_sees_what_the_policy_of_now_shows_of_what_was_known_then(
    tmp_path_factory, kind, told
):
    listeners, known = Listeners(tmp_path_factory.mktemp("law"), kind=kind), []
    for batch, policy in told:
        try:
            receipt = listeners.publish(batch, policy=policy)
        except DeployRefused:
            before = known[-1].policy
            assert kind == "log"
            assert lost(before)
            assert policy != before
            break
        rows = {row["user"]: row for row in batch.to_dicts()}
        if kind == "log" and known:
            rows = {**known[-1].rows, **rows}
        known.append(Known(receipt.processing_time, rows, policy))
    now = known[-1].policy
    for one in known:
        for who in (NOBODY, ANALYST, OFFICER):
            seen = listeners.read(who, None, None, one.moment).frame.collect()
            found = seen.select("user", "email", "age", "country").rows()
            assert sorted(found) == expected(one, now, who), (who, one.policy, now)
