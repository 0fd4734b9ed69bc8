"""Who has which role, who therefore asks, and the log of what was decided."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import COLUMNS, Clock, contract, put

import mesh_notebook
from mesh_notebook.errors import StoreError, UsageError
from mesh_notebook.mesh import decisions as logging
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.decisions import Decision, decisions, log
from mesh_notebook.mesh.grants import grants_of, principal_of, roles_of
from mesh_notebook.mesh.place import Folder, place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.policy import Principal
from mesh_notebook.surfaces import registered  # noqa: F401
from mesh_notebook.surfaces.panels import panel_of
from mesh_notebook.workspace import Workspace

FLIGHTS = pl.DataFrame({"airport": ["JFK"], "day": [date(2026, 1, 1)], "delay": [10.0]})


def opened(root: Any) -> Workspace:
    mesh = mesh_notebook.open(root, principal="olga")
    mesh.clock = Clock()
    return mesh


@pytest.fixture
def mesh(tmp_path: Path) -> Workspace:
    return opened(tmp_path / "mesh")


@pytest.fixture
def root(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "mesh")


def product(root: Any) -> PublishedProduct:
    put(root, FLIGHTS, contract(COLUMNS, id="urn:dmesh:local:travel:delays:daily:1"))
    return Catalogue([root]).resolve("delays")[0]


def decision(**told: Any) -> Decision:
    usual: dict[str, Any] = {
        "principal": "ana",
        "roles": ("analyst",),
        "purpose": "research",
        "at": "2026-01-01T12:00:00.000000Z",
        "product": "urn:dmesh:local:travel:delays",
        "port": "daily",
        "window": {"from": "2026-01-01T00:00:00.000000Z"},
        "snapshot": 1,
        "version": "1.0.0",
        "mode": "sql",
        "decision": "allow",
        "rules": ("only rows where airport = 'JFK'",),
    }
    return Decision(**{**usual, **told})


# ---- grants ---------------------------------------------------------------------------------


def test_a_role_is_granted_shown_and_taken_away(mesh, root):
    mesh.grant("ana", "analyst")
    shown = mesh.grant("ana", "privacy-officer")
    assert [(g.principal, g.role, g.by) for g in shown.grants] == [
        ("ana", "analyst", "olga"),
        ("ana", "privacy-officer", "olga"),
    ]
    assert shown.done == "ana has the role privacy-officer"
    assert roles_of(root, "ana") == {"analyst", "privacy-officer"}
    mesh.grant("ana", "analyst", revoke=True)
    assert roles_of(root, "ana") == {"privacy-officer"}
    mesh.grant("ana", "analyst")
    assert roles_of(root, "ana") == {"analyst", "privacy-officer"}


def test_nobody_has_a_role_before_it_is_granted(mesh, root):
    assert mesh.grant().grants == ()
    assert roles_of(root, "ana") == frozenset()
    assert not root.path.exists()


def test_what_is_granted_is_not_granted_again(mesh, root):
    mesh.grant("ana", "analyst")
    mesh.grant("ana", "analyst")
    assert (root / "grants").entries() == ["000000000001.json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ana",), "takes a principal and a role"),
        ((None, None, True), "takes a principal and a role"),
        (("ana", "privacy officer"), "cannot be a role"),
        (("", "analyst"), "takes a principal and a role"),
        (("a b", "analyst"), "cannot be a principal"),
        (("ana\n", "analyst"), "cannot be a principal"),
        (("ana", "auditor", True), "they have analyst"),
        (("anna", "analyst", True), "did you mean ana"),
    ],
)
def test_what_cannot_be_granted_is_told_and_writes_nothing(words, said, mesh, root):
    mesh.grant("ana", "analyst")
    with pytest.raises(UsageError) as refused:
        mesh.grant(*words)
    assert said in str(refused.value)
    assert refused.value.next_step
    assert (root / "grants").entries() == ["000000000001.json"]


@pytest.mark.parametrize("entry", ["", "[]", '{"action": "give", "principal": "a", "role": "b"}'])
def test_grants_that_are_damaged_are_no_grants(entry, mesh, root):
    mesh.grant("ana", "analyst")
    (root.path / "grants" / "000000000001.json").write_text(entry)
    with pytest.raises(StoreError, match="damaged"):
        roles_of(root, "ana")


GRANTER = """
import sys
import mesh_notebook
mesh = mesh_notebook.open(sys.argv[1], principal=sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for n in range(5):
    mesh.grant(f"user-{n}", f"role-{sys.argv[2]}")
"""


def test_processes_that_grant_at_once_lose_nothing(root):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", GRANTER, str(root), str(who)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for who in range(4)
    ]
    for process in started:
        process.stdout.readline()
    for process in started:
        process.communicate(b"go\n")
    assert [process.returncode for process in started] == [0] * 4
    granted = {(g.principal, g.role, g.by) for g in grants_of(root)}
    assert granted == {(f"user-{n}", f"role-{who}", str(who)) for n in range(5) for who in range(4)}
    assert (root / "grants").entries() == [f"{n:012}.json" for n in range(1, 21)]


# ---- who asks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "roles"),
    [
        ({}, {"analyst", "auditor"}),
        ({"MESH_ROLES": "auditor"}, {"auditor"}),
        ({"MESH_ROLES": " auditor , analyst"}, {"analyst", "auditor"}),
        ({"MESH_ROLES": ""}, set()),
        ({"MESH_ROLES": "auditor,privacy-officer"}, {"auditor"}),
    ],
)
def test_who_asks_may_leave_roles_aside_and_never_add_one(environ, roles, mesh, root):
    mesh.grant("ana", "analyst")
    mesh.grant("ana", "auditor")
    assert principal_of(root, "ana", environ).roles == roles


def test_a_principal_keeps_only_roles_that_the_mesh_granted(mesh, root):
    mesh.grant("ana", "analyst")
    claimed = Principal("ana", "research", frozenset({"analyst", "privacy-officer"}))
    assert principal_of(root, claimed, {}) == Principal("ana", "research", frozenset({"analyst"}))
    assert principal_of(root, Principal("bo", roles=claimed.roles), {}).roles == frozenset()
    once = principal_of(root, "ana", {"MESH_ROLES": ""})
    assert principal_of(root, once, {}) == once


def test_the_purpose_is_that_of_the_asker_or_else_of_the_environment(root):
    environ = {"MESH_PURPOSE": "billing"}
    assert principal_of(root, "ana", environ).purpose == "billing"
    assert principal_of(root, Principal("ana", "research"), environ).purpose == "research"
    assert principal_of(root, "ana", {}).purpose == ""


# ---- decisions ------------------------------------------------------------------------------


def test_a_decision_is_read_back_as_it_was_logged_newest_first(root):
    published = product(root)
    first, second = decision(), decision(decision="deny", snapshot=0, rules=("for analysts only",))
    log(published, first)
    log(published, second)
    assert decisions(published, 10) == [second, first]
    assert decisions(published, 1) == [second]


def test_what_cannot_be_logged_with_the_product_is_logged_with_the_user(root, tmp_path):
    # The folder is a file: to whom may write anywhere, it cannot be forbidden otherwise.
    published = product(root)
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    log(published, decision(), environ)
    _replace_by_file(root.path / "travel" / "delays" / "decisions")
    log(published, decision(principal="bo"), environ)
    (kept,) = (tmp_path / "state" / "mesh-notebook" / "decisions").rglob("delays/*.json")
    assert json.loads(kept.read_text())["principal"] == "bo"
    assert [one.principal for one in decisions(published, 5, environ)] == ["bo"]
    folder = tmp_path / "state" / "mesh-notebook" / "decisions"
    assert folder.stat().st_mode & 0o077 == 0


def test_meshes_with_a_product_of_one_name_have_logs_of_their_own(root, tmp_path):
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    published, other = product(root), product(Folder(tmp_path / "other"))
    _replace_by_file(root.path / "travel" / "delays" / "decisions")
    log(published, decision(), environ)
    assert decisions(other, 5, environ) == []


def test_a_decision_that_can_be_logged_nowhere_is_an_error(root, tmp_path):
    published = product(root)
    (tmp_path / "state").write_text("")
    _replace_by_file(root.path / "travel" / "delays" / "decisions")
    with pytest.raises(StoreError, match="what is not logged is not read") as refused:
        log(published, decision(), {"XDG_STATE_HOME": str(tmp_path / "state")})
    assert "XDG_STATE_HOME" in refused.value.next_step


def test_what_holds_for_several_columns_alike_is_shown_once(root, mesh):
    rules = (
        "rows: only those where a = 1",
        "b: tokenise",
        "c: null",
        "d: tokenise",
        "for ads only",
    )
    log(product(root), decision(rules=rules))
    shown = panel_of(mesh.decisions("delays/daily"))
    assert shown.tables[0].rows[0][-1] == (
        "rows: only those where a = 1; b, d: tokenise; c: null; for ads only"
    )
    assert shown.tables[0].rows[0][-2].startswith("snapshot 1, sql")


def test_a_damaged_decision_is_not_skipped(root):
    published = product(root)
    log(published, decision())
    (file,) = (root.path / "travel" / "delays" / "decisions").iterdir()
    file.write_text("{}")
    with pytest.raises(StoreError, match=file.name):
        decisions(published, 5)


def test_logging_a_decision_leaves_no_work_behind(root):
    published = product(root)
    for _ in range(5):
        log(published, decision())
    assert [path for path in (root.path / ".aside").iterdir() if path.is_dir()] == []


def _replace_by_file(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("")


# ---- the doors ------------------------------------------------------------------------------


def test_grants_and_decisions_are_shown_in_a_notebook(shell, tmp_path):
    published = product(place_of(tmp_path / ".mesh"))
    assert "nobody has asked" in shell.shown(shell.run("%mesh decisions delays"))["text/plain"]
    log(published, decision())
    log(published, decision(decision="deny", purpose="", snapshot=0))
    shown = shell.shown(shell.run("%mesh grant ana privacy-officer"))["text/plain"]
    assert "privacy-officer" in shown
    assert (
        "%mesh grant NAME ROLE"
        in shell.shown(shell.run("%mesh grant ana privacy-officer --revoke"))["text/plain"]
    )
    table = shell.shown(shell.run("%mesh decisions delays"))
    for word in ("ana", "research", "deny", "allow", "airport = 'JFK'"):
        assert word in " ".join(table["text/plain"].split())
    assert len(shell.run("%mesh decisions delays --last 1").decisions) == 1
    assert len(shell.run("%mesh decisions delays/daily").decisions) == 2
    with pytest.raises(UsageError, match="--last 1 or more"):
        shell.run("%mesh decisions delays --last 0")


def test_grants_are_made_from_a_shell(tmp_path):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        mesh = [Path(sys.executable).parent / "mesh", "--root", "mesh", "--principal", "olga"]
        return subprocess.run([*mesh, *words], cwd=tmp_path, capture_output=True, text=True)

    assert "ana has the role analyst" in run("grant", "ana", "analyst").stdout
    assert "olga" in run("grant").stdout
    refused = run("grant", "ana", "auditor", "--revoke")
    assert refused.returncode == 1
    assert "they have analyst" in refused.stderr


def test_grants_and_decisions_stand_on_s3_as_in_a_folder(s3, tmp_path):
    mesh = opened(f"{s3.url}/mesh")
    mesh.grant("ana", "analyst")
    mesh.grant("ana", "auditor")
    mesh.grant("ana", "auditor", revoke=True)
    place = place_of(f"{s3.url}/mesh")
    assert principal_of(place, "ana", {}).roles == {"analyst"}
    published = product(place)
    log(published, decision())
    assert decisions(published, 5) == [decision()]
    assert [key for key in s3.keys() if key.startswith("mesh/travel/delays/decisions/")]  # noqa: SIM118
    assert mesh.decisions("delays").decisions == (decision(),)


def test_what_s3_does_not_take_is_logged_with_the_user(s3, tmp_path, monkeypatch):
    published = product(place_of(f"{s3.url}/mesh"))

    def refuse(*_: Any) -> None:
        raise StoreError("403 Forbidden")

    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    monkeypatch.setattr("mesh_notebook.mesh.s3.Bucket.create", refuse)
    log(published, decision(), environ)
    assert decisions(published, 5, environ) == [decision()]


def test_names_of_decisions_are_in_the_order_of_time(root, monkeypatch):
    published = product(root)
    for day in (3, 1, 2):
        monkeypatch.setattr(logging, "datetime", _At(datetime(2026, 1, day, tzinfo=UTC)))
        log(published, decision(snapshot=day))
    assert [one.snapshot for one in decisions(published, 5)] == [3, 2, 1]


class _At:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self, _: Any) -> datetime:
        return self.moment
