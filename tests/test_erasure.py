"""Erasing one subject: its values are gone from all snapshots, and everybody else's are not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listeners import ADDRESS, NOBODY, OFFICER, ROWS, Listeners, mask, policy

from mesh_notebook.errors import KeyMissing
from mesh_notebook.mesh.erasure import Subjects

ERASABLE = policy(mask("user", "tokenise"), mask("email", "redact"), subject="user")


@pytest.fixture(params=["snapshot", "log"])
def listeners(tmp_path: Path, request: pytest.FixtureRequest) -> Listeners:
    made = Listeners(tmp_path, kind=request.param)
    made.publish(policy=ERASABLE)
    return made


def test_the_erased_are_null_in_old_snapshots_and_the_others_are_as_they_were(listeners):
    assert listeners.rows(OFFICER).equals(ROWS)
    before = listeners.rows(NOBODY)
    assert Subjects(ADDRESS, "user").erase("u1")
    now = listeners.rows(OFFICER)
    assert now.row(0)[:2] == (None, None)
    assert now[1:].equals(ROWS[1:])
    assert listeners.rows(NOBODY).equals(before)


def test_a_token_of_the_erased_cannot_be_made_again(listeners):
    token = listeners.rows(NOBODY)["user"][0]
    Subjects(ADDRESS, "user").erase("u1")
    other = Listeners(listeners.folder / "other")
    other.publish(ROWS, policy=ERASABLE)
    assert token not in other.rows(NOBODY)["user"]


def test_who_was_erased_stays_out_of_what_is_published_later(listeners):
    Subjects(ADDRESS, "user").erase("u1")
    listeners.publish(ROWS.with_columns(minutes=pl.lit(1.0)))
    users = listeners.rows(OFFICER)["user"].drop_nulls().to_list()
    assert users == ["u2", "u3", "u4"]


def test_nothing_of_the_destroyed_key_is_left_in_the_file(listeners):
    store = Subjects(ADDRESS, "user")
    with sqlite3.connect(store.path) as con:
        salts = dict(con.execute("SELECT reference, salt FROM subjects").fetchall())
    Subjects(ADDRESS, "user").erase("u1")
    left = store.path.read_bytes()
    gone = [salt for reference, salt in salts.items() if reference not in store.by_reference()]
    assert len(gone) == 1
    assert gone[0] not in left
    assert not [p for p in store.path.parent.iterdir() if p.name.startswith(store.path.name + "-")]


def test_keys_of_subjects_that_others_can_read_are_refused(listeners):
    path = Subjects(ADDRESS, "user").path
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(KeyMissing, match="open to others"):
        listeners.read(OFFICER).frame.collect()


def test_rows_of_nobody_are_sealed_too(tmp_path):
    listeners = Listeners(tmp_path)
    nobody = ROWS.with_columns(user=pl.Series([None, "u2", "u3", "u4"]))
    listeners.publish(nobody, policy=ERASABLE)
    assert listeners.rows(OFFICER).equals(nobody)


@settings(max_examples=25, deadline=None)
@given(
    users=st.lists(st.text(max_size=5), min_size=1, max_size=8),
    data=st.data(),
)
def test_erasing_some_leaves_exactly_the_others(tmp_path_factory, users, data):
    listeners = Listeners(tmp_path_factory.mktemp("law"))
    many = len(users)
    rows = pl.DataFrame(
        {
            "user": users,
            "email": [f"{n}@example.org" for n in range(many)],
            "age": range(many),
            "country": ["DE"] * many,
            "day": [ROWS["day"][0]] * many,
            "minutes": [1.0] * many,
        },
        schema=ROWS.schema,
    )
    store = Subjects(ADDRESS, "user")
    gone_before = {name for name, subject in store.known(set(users)).items() if subject is None}
    listeners.publish(rows, policy=ERASABLE)
    erased = data.draw(st.sets(st.sampled_from(sorted(set(users)))))
    for user in erased:
        assert Subjects(ADDRESS, "user").erase(user) is (user not in gone_before)
    seen = listeners.read(OFFICER).frame.collect()
    left = rows.filter(~pl.col("user").is_in(list(gone_before)))
    assert seen.height == left.height
    expected = left.select(
        pl.when(~pl.col("user").is_in(list(erased))).then(pl.col("email")).alias("email")
    )
    assert sorted(seen["email"], key=str) == sorted(expected["email"], key=str)
