"""A subject's identifier is joinable across products and erasable in each, or in all of them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from bundles import Clock, contract, published, write_bundle

import mesh_notebook
from mesh_notebook.errors import KeyMissing, MeshError, UsageError
from mesh_notebook.mesh.keys import key_of, keys_folder, made_key
from mesh_notebook.mesh.masking import token
from mesh_notebook.model.policy import Access, Mask, PortPolicy, RowFilter
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.surfaces import cli

KEPT = ("officer",)
ANYBODY = Access()


class Mesh:
    """Products of one port each, all of rows of people, in one mesh."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.clock = folder, folder / "mesh", Clock()
        self.version: dict[str, int] = {}
        mesh_notebook.open(self.root).grant("olga", "officer")

    def put(
        self,
        name: str,
        *people: object,
        column: str = "uid",
        key: str = "",
        erasable: bool = True,
        masked: bool = True,
        masks: tuple[Mask, ...] = (),
        access: Access = ANYBODY,
        rows: tuple[RowFilter, ...] = (),
        kind: str = "snapshot",
        erasers: tuple[str, ...] = (),
        **more: object,
    ) -> Receipt:
        """Publish a product of these people, one row each."""
        address = f"urn:dmesh:local:music:{name}"
        number = self.version[name] = self.version.get(name, 0) + 1
        physical = "BIGINT" if isinstance(people[0], int) else "VARCHAR"
        made = contract(
            {column: physical, "n": "BIGINT"},
            id=f"{address}:{name}:1",
            event_time=None,
            key=(column,),
            **more,
        )
        made_key(address)
        if masked and not masks:
            masks = (Mask(column, "tokenise", KEPT, key=key),)
        subject = column if masked and erasable else ""
        policy = PortPolicy(name, access, masks, rows, subject, erasers=erasers)
        bundle = write_bundle(
            self.folder / name,
            address=address,
            version=f"1.{number}.0",
            ports={name: made},
            inputs=(),
            policies=[policy] if policy else [],
            temporality={"kind": kind},
        )
        frame = pl.DataFrame({column: list(people), "n": range(len(people))})
        return published(bundle, self.root, self.clock, **{name: frame})

    def seen(self, name: str, who: str = "bo", **how: object) -> pl.DataFrame:
        return mesh_notebook.open(self.root, who).port(name, **how).lazy().collect().sort("n")

    def token(self, name: str, n: int = 0, **how: object) -> object:
        return self.seen(name, **how).row(n)[0]

    def erase(self, *words: str, **how: object):
        return mesh_notebook.open(self.root, "olga").erase(*words, **how)


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    mesh_notebook.open(tmp_path / "mesh").key("new", "people")
    return Mesh(tmp_path)


def test_a_new_key_is_its_owners_alone_and_never_overwritten(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["mesh", "key", "new", "people"])
    with pytest.raises(SystemExit):
        cli.main()
    path = keys_folder() / "people.key"
    assert path.name in capsys.readouterr().out
    for file in (path, path.with_suffix(".subjects")):
        assert file.stat().st_mode & 0o777 == 0o600
    was = path.read_bytes()
    with pytest.raises(UsageError, match="already"):
        mesh_notebook.open(tmp_path).key("new", "people")
    assert path.read_bytes() == was


@pytest.mark.parametrize("people", [("u1", "u2"), (17, 18)])
def test_tokens_join_across_products_that_are_erasable_or_not(mesh, people):
    mesh.put("users", *people, key="people")
    mesh.put("plays", *people, column="listener", key="people", erasable=False)
    mesh.put("bills", *reversed(people), key="people")
    tokens = mesh.seen("users")["uid"].to_list()
    assert mesh.seen("plays")["listener"].to_list() == tokens
    assert mesh.seen("bills")["uid"].to_list() == tokens[::-1]
    assert not set(tokens) & set(people)
    assert mesh.seen("users", "olga")["uid"].to_list() == [*people]


def test_who_is_erased_has_no_value_and_a_token_that_nothing_new_bears(mesh):
    mesh.put("users", "u1", "u2", key="people")
    mesh.put("plays", "u1", "u2", key="people")
    first, second = mesh.seen("users")["uid"]
    done = mesh.erase("users", "u1")
    assert (done.shared, done.remade) == (("people",), ())
    assert mesh.seen("users", "olga")["uid"].to_list() == [None, "u2"]
    assert mesh.seen("users")["uid"].to_list() == [first, second]
    for name, left in (("users", ["u2"]), ("plays", ["u1", "u2"])):
        mesh.put(name, "u1", "u2", key="people")
        now = mesh.seen(name)["uid"].to_list()
        assert first not in now
        assert second in now
        assert mesh.seen(name, "olga")["uid"].to_list() == left
    mesh.put("new", "u1", key="people", erasable=False)
    assert mesh.token("new") == mesh.token("plays") != first


def test_in_a_log_nobody_has_two_tokens_and_the_erased_none(mesh):
    for name, erasable in (("users", True), ("plays", False)):
        mesh.put(name, "u1", "u2", key="people", erasable=erasable, kind="log")
    first, second = mesh.seen("plays")["uid"]
    mesh.erase("users", "u1")
    told = mesh.put("plays", "u1", "u2", "u3", key="people", erasable=False, kind="log")
    assert (told.ports["plays"].rows, told.ports["plays"].added) == (3, 1)
    assert mesh.seen("plays", "olga")["uid"].to_list() == ["u1", "u2", "u3"]
    now = mesh.seen("plays")["uid"].to_list()
    assert first not in now
    assert now[1] == second
    told = mesh.put("users", "u1", "u2", "u3", key="people", kind="log")
    assert (told.ports["users"].rows, told.ports["users"].added) == (2, 1)
    assert mesh.seen("users", "olga")["uid"].to_list() == ["u2", "u3"]
    assert mesh.seen("users")["uid"].to_list() == now[1:]
    again = mesh.put("users", "u4", key="people", kind="log").ports["users"]
    assert (again.rows, again.added) == (3, 1)


def test_nothing_that_is_left_makes_the_token_of_the_erased_again(mesh):
    mesh.put("users", "u1", key="people")
    told = mesh.token("users")
    register = keys_folder() / "people.subjects"
    with closing(sqlite3.connect(register)) as store:
        ((reference, salt),) = store.execute("SELECT reference, salt FROM subjects").fetchall()
    mesh.erase("users", "u1")
    assert token(key_of("people").derived("tokenise"), "u1") != told
    left = b"".join(file.read_bytes() for file in keys_folder().iterdir())
    assert reference not in left
    assert salt not in left


def test_a_key_without_its_register_makes_no_tokens_that_join_with_none(mesh):
    mesh.put("users", "u1", key="people")
    os.remove(keys_folder() / "people.subjects")
    with pytest.raises(KeyMissing, match="not its register"):
        mesh.put("plays", "u1", key="people")


def test_a_key_of_before_keeps_its_tokens_and_says_what_it_cannot_forget(mesh):
    made_key("old")
    mesh.put("plays", "u1", "u2", key="old", erasable=False)
    before = mesh.seen("plays")["uid"].to_list()
    mesh.put("users", "u1", "u2", key="old")
    assert mesh.seen("users")["uid"].to_list() == before
    assert mesh.erase("users", "u1").remade == ("old",)
    mesh.put("plays", "u1", "u2", key="old", erasable=False)
    now = mesh.seen("plays")["uid"].to_list()
    assert (now[0] != before[0], now[1]) == (True, before[1])


def told(done) -> dict[str, bool]:
    return {f"{one.product}.{one.column}": one.erased for one in done.outcomes}


def test_erased_everywhere_it_is_said_of_each_product_what_became_of_the_subject(mesh):
    mesh.put("users", "u1", "u2", key="people")
    mesh.put("plays", "u1", column="listener", key="people")
    mesh.put("bills", "u1", "u3", key="people", erasable=False)
    mesh.put("mails", "u1", masked=False)
    mesh.put("others", "u2", key="people")
    mesh.put("orders", "u9", column="order")
    done = mesh.erase("u1", everywhere=True)
    assert told(done) == {
        "users.uid": True,
        "plays.listener": True,
        "bills.uid": False,
        "mails.uid": False,
    }
    assert done.failed
    assert all("--erasable uid" in one.said for one in done.outcomes if not one.erased)
    assert mesh.seen("users", "olga")["uid"].to_list() == [None, "u2"]
    assert mesh.seen("plays", "olga")["listener"].to_list() == [None]


def test_subjects_that_are_called_otherwise_are_not_taken_for_one(mesh):
    mesh.put("users", 17)
    mesh.put("orders", 17, column="order")
    with pytest.raises(UsageError, match="may be two"):
        mesh.erase("17", everywhere=True)
    assert told(mesh.erase("users", "17", everywhere=True)) == {"users.uid": True}
    assert mesh.seen("orders", "olga")["order"].to_list() == [17]


def test_a_semantic_link_says_that_two_columns_mean_one_subject(mesh):
    mesh.put("users", "u1")
    urn = "urn:dmesh:local:music:users:users#uid"
    link = {"authoritativeDefinitions": [{"type": "ontology", "url": urn}]}
    mesh.put("plays", "u1", column="listener", listener=link)
    assert told(mesh.erase("u1", everywhere=True)) == {
        "users.uid": True,
        "plays.listener": True,
    }


def test_a_product_whose_key_is_not_here_is_told_and_the_others_are_erased(mesh):
    mesh.put("users", "u1", key="people")
    mesh.put("plays", "u1", key="people")
    (keys_folder() / "urn.dmesh.local.music.plays.key").unlink()
    done = mesh.erase("users", "u1", everywhere=True)
    assert told(done) == {"users.uid": True, "plays.uid": False}


def test_what_the_policy_hides_from_who_erases_is_not_told_and_not_passed_over(mesh):
    mesh.put("users", "u1", key="people", erasers=("dpo",))
    mesh.put("bills", "u1", "u3", key="people", erasable=False)
    mesh.put("mails", "u2", masked=False, access=Access(roles=("postman",)))
    mesh.put("calls", "u2", masked=False, rows=(RowFilter("n > 5"),))
    mesh.put("notes", "u2", masks=(Mask("uid", "encrypt"),), erasable=False)
    bo = mesh_notebook.open(mesh.root, "bo")
    bo.grant("bo", "dpo")
    done = bo.erase("users", "u1", everywhere=True)
    assert told(done) == {
        "users.uid": True,
        "bills.uid": False,
        "mails.uid": False,
        "calls.uid": False,
    }
    said = {one.product: one.said for one in done.outcomes}
    assert "--erasable uid" in said["bills"]
    assert "one of the roles postman" in said["mails"]
    assert "some rows are hidden" in said["calls"]
    with pytest.raises(UsageError, match="who its subjects"):
        bo.erase("bills", "u1", everywhere=True)
    again = told(bo.erase("users", "u1", everywhere=True))
    assert again == {"bills.uid": False, "mails.uid": False, "calls.uid": False}


def test_nobody_everywhere_is_an_error_and_a_job_sees_who_keeps_it(mesh, monkeypatch, capsys):
    mesh.put("users", "u1", key="people")
    mesh.put("mails", "u1", masked=False)
    with pytest.raises(UsageError, match="no product"):
        mesh.erase("nobody", everywhere=True)
    words = ["mesh", "--root", str(mesh.root), "erase", "--everywhere", "u1"]
    monkeypatch.setattr("sys.argv", ["mesh", "--principal", "olga", *words[1:]])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert "users/users" in out
    assert "mails/mails" in out


def refusal(mesh: Mesh, who: str, *words: str, **how: object) -> str:
    with pytest.raises(MeshError) as refused:
        mesh_notebook.open(mesh.root, who).erase(*words, **how)
    return str(refused.value)


def test_who_may_not_erase_is_told_which_role_it_takes_and_not_whom_a_product_holds(mesh):
    mesh.put("users", "u1", key="people", erasers=("dpo",))
    there, not_there = refusal(mesh, "bo", "users", "u1"), refusal(mesh, "bo", "users", "u2")
    assert there == not_there
    assert "it takes dpo, or ana, who deployed it" in there
    assert "%mesh grant bo dpo" in there
    assert "takes dpo" in refusal(mesh, "olga", "users", "u1"), "who sees it may not erase it"
    everywhere = {refusal(mesh, "bo", name, everywhere=True) for name in ("u1", "u2")}
    assert len(everywhere) == 1
    assert mesh.seen("users", "olga")["uid"].to_list() == ["u1"]
    assert mesh_notebook.open(mesh.root, "ana").erase("users", "u1").port == "users"


def test_where_no_role_is_named_who_sees_the_subject_may_erase_it(mesh):
    mesh.put("users", "u1")
    assert "takes officer, or ana" in refusal(mesh, "bo", "users", "u1")
    assert mesh.erase("users", "u1").port == "users"


def test_everywhere_says_of_what_one_may_not_erase_from_only_that_it_was_not_asked(mesh):
    mesh.put("users", "u1", "u2", key="people")
    mesh.put("plays", "u1", key="people", erasers=("dpo",))
    said = []
    for subject in ("u1", "u2"):
        done = mesh.erase("users", subject, everywhere=True)
        assert told(done) == {"users.uid": True, "plays.uid": False}
        said += [one.said for one in done.outcomes if one.product == "plays"]
    assert set(said) == {"not asked: it takes dpo, or ana, who deployed it"}
    assert mesh.seen("plays", "olga")["uid"].to_list() == ["u1"]


def test_a_notebook_protects_a_subject_that_joins_and_can_be_erased(shell, tmp_path):
    (tmp_path / "people.csv").write_text("uid,email\nu1,a@b.org\nu2,c@d.org\n")
    shell.run("%mesh source raw people.csv")
    shell.run("people = raw.collect()")
    shell.run("%mesh output people people --key uid")
    shell.run("%mesh protect people.uid --with tokenise --except officer --key people")
    shown = shell.run("%mesh protect people --erasable uid")
    assert shown.policy.subject == "uid"
    with pytest.raises(UsageError, match="does not tell which email"):
        shell.run("%mesh protect people.email --with tokenise --key people")


def policy_said(shell) -> tuple[str, ...]:
    return shell.run("%mesh protect people").policy.said()


def test_one_line_makes_a_column_joinable_and_erasable(shell, tmp_path):
    (tmp_path / "people.csv").write_text("uid\nu1\n")
    shell.run("%mesh source raw people.csv")
    shell.run("people = raw.collect()")
    shell.run("%mesh output people people --key uid")
    line = "%mesh protect people.uid --with tokenise --key people --erasable uid"
    policy = shell.run(line).policy
    assert (policy.subject, policy.masks[0].key) == ("uid", "people")
    assert shell.run("%mesh protect people --erasers dpo").policy.erasers == ("dpo",)
    assert "erased from all snapshots by dpo" in " ".join(
        shell.run("%mesh protect people").policy.said()
    )
