"""What a refused deployment leaves: nothing in the mesh, and the rejected rows for its maker."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from bundles import Clock, contract, deployed, opener, write_bundle

import mesh_notebook
from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.errors import AccessDenied, DeployRefused, NotFound
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.rejects import MOST, rejections
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import Mask, PortPolicy, Principal, RowFilter
from mesh_notebook.model.product import InputPort


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mesh"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    late = contract(delay={"logicalTypeOptions": {"maximum": 100}})
    transform = "def daily(flights):\n    return flights\n"
    return write_bundle(tmp_path / "airport-delays", ports={"daily": late}, transform=transform)


def flights(*delays: float) -> pl.DataFrame:
    days = [date(2026, 1, 1)] * len(delays)
    return pl.DataFrame({"airport": ["JFK"] * len(delays), "day": days, "delay": [*delays]})


def refused(bundle: Path, root: Path, *delays: float) -> DeployRefused:
    with pytest.raises(DeployRefused) as told:
        deployed(bundle, root, Clock(), flights=flights(*delays))
    return told.value


def test_a_refusal_keeps_exactly_the_rows_that_break_the_rule(root, bundle):
    error = refused(bundle, root, 5.0, 500.0, 50.0, 900.0)
    assert "2 rejected rows are kept" in str(error)
    assert "mesh rejects airport-delays" in error.next_step
    answer = mesh_notebook.open(root).rejects("airport-delays")
    assert answer.rows["delay"].to_list() == [500.0, 900.0]
    (broken,) = answer.shown
    assert answer.rows["_rule"].to_list() == [broken.rule] * 2
    assert (broken.failed, broken.checked, broken.kept) == (2, 4, 2)


def test_rejected_rows_lie_where_only_their_maker_reads_and_never_in_the_mesh(root, bundle, cache):
    refused(bundle, root, 500.0)
    for path in (cache / "rejects").rglob("*"):
        open_to = stat.S_IMODE(path.stat().st_mode) & 0o077
        assert not open_to or not path.is_dir() or path.parent == cache / "rejects"
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [path for path in root.rglob("*") if path.is_file() and path.name != "lock"]


def test_no_more_rows_are_kept_than_can_be_looked_at_and_the_count_is_told(root, bundle):
    refused(bundle, root, *[500.0] * (MOST + 7))
    ((one,),) = (kept.broken for kept in rejections())
    assert (one.kept, one.failed) == (MOST, MOST + 7)


def test_a_later_success_removes_them(root, bundle):
    refused(bundle, root, 500.0)
    deployed(bundle, root, Clock(), flights=flights(5.0))
    with pytest.raises(NotFound, match="no rejected rows"):
        mesh_notebook.open(root).rejects("airport-delays")


def test_they_are_written_to_a_file_and_removed_when_asked(root, bundle, tmp_path):
    refused(bundle, root, 500.0, 600.0)
    mesh = mesh_notebook.open(root)
    mesh.rejects(str(bundle), out=tmp_path / "rows.csv")
    assert pl.read_csv(tmp_path / "rows.csv")["delay"].to_list() == [500.0, 600.0]
    assert mesh.rejects("airport-delays", clear=True).cleared == 1
    assert rejections() == []


def test_a_rule_of_the_whole_is_told_and_no_row_is_blamed(root, tmp_path):
    few = contract()
    few.table["quality"] = [{"type": "library", "metric": "rowCount", "mustBeGreaterThan": 5}]
    transform = "def daily(flights):\n    return flights\n"
    bundle = write_bundle(tmp_path / "few", ports={"daily": few}, transform=transform)
    refused(bundle, root, 1.0)
    ((one,),) = (kept.broken for kept in rejections())
    assert (one.kept, one.file) == (0, "")
    assert "no single row breaks it" in one.note


def test_the_last_refusals_are_listed_newest_first(root, bundle):
    clock = Clock()
    for delay in (500.0, 600.0):
        with pytest.raises(DeployRefused):
            deployed(bundle, root, clock, flights=flights(delay))
    answer = mesh_notebook.open(root).rejects("airport-delays")
    assert len(answer.refusals) == 2
    assert answer.rows["delay"].to_list() == [600.0]


def test_rejected_rows_are_shown_to_who_deployed_and_to_who_would_see_all_of_them(root, bundle):
    late = contract(delay={"logicalTypeOptions": {"maximum": 100}})
    hide = PortPolicy(
        "daily",
        masks=(Mask("airport", "redact", ("officer", "auditor")),),
        rows=(RowFilter("delay < 50", ("officer",)),),
    )
    kept = "def daily(flights):\n    return flights\n"
    write_bundle(bundle, ports={"daily": late}, transform=kept, policies=[hide])
    refused(bundle, root, 5.0, 500.0)

    def seen(principal: str) -> list[float]:
        return mesh_notebook.open(root, principal).rejects("airport-delays").rows["delay"].to_list()

    assert seen("ana") == [500.0]
    for who, role in (("olga", "officer"), ("aude", "auditor")):
        mesh_notebook.open(root, "ana").grant(who, role)
    assert seen("olga") == [500.0]
    for who in ("bo", "aude"):
        with pytest.raises(AccessDenied, match="those of ana, who deployed") as told:
            seen(who)
        assert "500" not in str(told.value)
    assert mesh_notebook.open(root, "bo").rejects("airport-delays", clear=True).cleared == 1


def test_what_was_read_under_a_role_is_shown_to_others_with_that_role_alone(root, bundle):
    hidden = Mask("airport", "redact", ("officer",))
    late = contract(delay={"logicalTypeOptions": {"maximum": 100}})
    passed_on = PortPolicy("daily", masks=(hidden,))  # as a product of what is hidden has to
    kept = "def daily(flights):\n    return flights\n"
    write_bundle(bundle, ports={"daily": late}, transform=kept, policies=[passed_on])
    policy = PortPolicy("up", masks=(hidden,))
    officer = Decision(policy, Principal("ana", roles=frozenset({"officer"})))

    def under_a_role(port: InputPort, folder: Path) -> OpenedInput:
        given = opener({"flights": flights(500.0)})(port, folder)
        return replace(given, decision=officer)

    with pytest.raises(DeployRefused):
        deploy(bundle, root, under_a_role, principal="ana", clock=Clock())
    with pytest.raises(AccessDenied):
        mesh_notebook.open(root, "bo").rejects("airport-delays")
    mesh_notebook.open(root, "ana").grant("bo", "officer")
    assert mesh_notebook.open(root, "bo").rejects("airport-delays").rows.height == 1


def test_rejects_of_which_it_is_not_known_whose_they_are_are_nobodys(root, bundle, cache):
    refused(bundle, root, 500.0)
    (record,) = (cache / "rejects").rglob("rejects.json")
    raw = json.loads(record.read_text())
    record.write_text(json.dumps({k: v for k, v in raw.items() if k not in ("principal", "takes")}))
    with pytest.raises(AccessDenied, match="those of somebody"):
        mesh_notebook.open(root, "ana").rejects("airport-delays")


def test_rejects_is_a_verb_of_the_shell_too(root, bundle, capsys, monkeypatch):
    from mesh_notebook.surfaces import cli

    refused(bundle, root, 500.0)
    monkeypatch.setattr("sys.argv", ["mesh", "--root", str(root), "rejects", "airport-delays"])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert not done.value.code
    assert "500.0" in capsys.readouterr().out
