"""Who deploys: a product is made again only under the view of its inputs that it was proved on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from bundles import Clock, contract, published, write_bundle
from typer.testing import CliRunner

import mesh_notebook
from mesh_notebook.errors import AccessDenied, DeployRefused
from mesh_notebook.mesh.keys import made_key
from mesh_notebook.mesh.seals import sealed
from mesh_notebook.model.policy import Access, Mask, PortPolicy, RowFilter
from mesh_notebook.surfaces import cli
from mesh_notebook.surfaces.panel import as_text
from mesh_notebook.surfaces.panels import panel_of

USERS = "urn:dmesh:local:music:users"
COLUMNS = {"uid": "VARCHAR", "country": "VARCHAR", "minutes": "DOUBLE"}
ROWS = pl.DataFrame(
    {"uid": ["u1", "u2", "u3"], "country": ["DE", "FR", "DE"], "minutes": [1.0, 2.0, 3.0]}
)
TOKEN = Mask("uid", "tokenise", ("officer",))
TOKENISED = {"uid": {"mask": "tokenise"}}
KNOWN = """
def known(users):
    return users.filter(users_known()).select("uid", "minutes")


def users_known():
    import polars as pl

    return pl.col("uid").is_in(["u1", "u2"])
"""
OUT = contract(
    {"uid": "VARCHAR", "minutes": "DOUBLE"},
    id="urn:dmesh:local:music:known:known:1",
    event_time=None,
)


# What is made of hidden values is hidden itself: that is not what is tried here.
CARRIED = PortPolicy("known", Access(("officer",), ("research",)), (TOKEN,))


class Mesh:
    """`users`, under a policy, and a bundle `known` that was proved on some view of it."""

    def __init__(self, folder: Path, root: Any = None) -> None:
        self.folder, self.root, self.clock = folder, root or folder / "mesh", Clock()
        self.version = 0
        made_key(USERS)
        self.as_("root").grant("olga", "officer")

    def put(self, *masks: Mask, **policy: Any) -> Mesh:
        self.version += 1
        bundle = write_bundle(
            self.folder / "users",
            address=USERS,
            version=f"1.{self.version}.0",
            ports={"users": contract(COLUMNS, id=f"{USERS}:users:1", event_time=None)},
            inputs=(),
            policies=[PortPolicy("users", masks=masks, **policy)],
        )
        published(bundle, self.root, self.clock, users=ROWS)
        return self

    def proved(self, view: Mapping[str, Any] | None, **recipe: Any) -> Path:
        """Write the bundle of a product that was proved on a view of `users`."""
        folder = write_bundle(
            self.folder / "known",
            address="urn:dmesh:local:music:known",
            ports={"known": OUT},
            inputs=("users",),
            transform=KNOWN,
            policies=[CARRIED],
        )
        path = folder / "product.odps.yaml"
        raw = yaml.safe_load(path.read_text())
        value = {"kind": "port", "address": f"{USERS}:users", "major": "1", **recipe}
        value |= {} if view is None else {"view": dict(view)}
        raw["inputPorts"][0]["customProperties"] = [{"property": "input", "value": value}]
        path.write_text(yaml.safe_dump(raw))
        return folder

    def as_(self, principal: str):
        return mesh_notebook.open(self.root, principal)

    def barred(self, principal: str = "sam", **how: Any) -> list[DeployRefused]:
        """Return what a plan says that bars who would deploy."""
        return list(self.as_(principal).plan(self.folder / "known", **how).refusals)


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    return Mesh(tmp_path)


@pytest.fixture(params=["folder", "s3"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Mesh:
    root = f"s3://{request.getfixturevalue('s3').name}/mesh" if request.param == "s3" else None
    return Mesh(tmp_path, root)


def test_who_sees_tokens_does_not_deploy_what_was_proved_on_values(either):
    bundle = either.put(TOKEN).proved({"roles": ["officer"]})
    olga, sam = either.as_("olga"), either.as_("sam")
    first = olga.deploy(bundle)
    assert first.receipt.ports["known"].rows == 2
    told = list(sam.plan(bundle).refusals)
    for verb in (sam.deploy, sam.run):
        with pytest.raises(DeployRefused) as refused:
            verb(bundle)
        told.append(refused.value)
    for one in told:
        assert "uid is masked (tokenise), and was not" in one.message
        assert "%mesh grant sam officer" in one.next_step
        assert "--principal" in one.next_step
        assert one.facts["roles"] == ("officer",)
    assert len(told) == 3
    sam.grant("sam", "officer")
    again = sam.deploy(bundle)
    assert again.unchanged
    assert again.receipt.snapshot == first.receipt.snapshot
    assert again.receipt.ports["known"].content == first.receipt.ports["known"].content


def test_a_backfill_is_held_to_the_view_too(mesh):
    bundle = mesh.put(TOKEN).proved({})
    path = bundle / "product.odps.yaml"
    raw = yaml.safe_load(path.read_text())
    time = {"property": "temporality", "value": {"kind": "log"}}
    raw["outputPorts"][0]["customProperties"] = [time]
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(DeployRefused, match="uid is masked"):
        mesh.as_("sam").deploy(bundle, backfill=("2026-01-01", "2026-02-01"))


def test_a_principal_is_named_on_the_command_line_and_in_the_plan(mesh, monkeypatch, capsys):
    bundle = mesh.put(TOKEN).proved({})
    plan = mesh.as_("sam").plan(bundle, principal="olga")
    assert not plan.refusals
    assert "--principal olga" in as_text(panel_of(plan))
    words = ["mesh", "--root", str(mesh.root), "--principal", "sam", "deploy", str(bundle)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "mesh grant sam officer" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*words, "--principal", "olga", "--plan", plan.id])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert mesh.as_("sam").history("known").receipts[0].principal == "olga"


FILTER = RowFilter("country = 'DE'", ("auditor",))
HIDDEN = {"rows": ["country = 'DE'"]}


@pytest.mark.parametrize(
    ("policy", "proved", "who", "said", "step"),
    [
        ([TOKEN], TOKENISED, "olga", "uid is not masked, and was", "leave the role officer aside"),
        ([FILTER], {}, "sam", "only rows where country = 'DE', and showed all", "the role auditor"),
        (
            [TOKEN, FILTER],
            {},
            "sam",
            "uid is masked",
            "the role officer and the role auditor: %mesh grant sam officer and %mesh grant sam",
        ),
        ([Mask("uid", "redact")], {}, "olga", "changed since, for everybody", "%mesh export"),
        ([Mask("uid", "redact")], TOKENISED, "sam", "was masked by tokenise", "prove it again"),
        ([], TOKENISED, "sam", "uid was masked by tokenise, and is not masked", "prove it again"),
        ([RowFilter("minutes > 1")], {}, "sam", "changed since, for everybody", "prove it again"),
        ([], HIDDEN, "sam", "shows all rows, and showed only those", "prove it again"),
    ],
)
def test_another_view_is_told_with_what_would_give_the_one_of_the_proof(
    mesh, policy, proved, who, said, step
):
    masks = [one for one in policy if isinstance(one, Mask)]
    rows = tuple(one for one in policy if isinstance(one, RowFilter))
    view = proved if proved == HIDDEN or not proved else {"masks": proved}
    mesh.put(*masks, rows=rows).proved(view)
    (told,) = mesh.barred(who)
    assert said in told.message
    assert step in told.next_step


@pytest.mark.parametrize(
    ("policy", "proved", "who"),
    [
        ([TOKEN], {"masks": TOKENISED}, "sam"),
        ([TOKEN], {"roles": ["officer"]}, "olga"),
        ([TOKEN], {"roles": ["auditor"]}, "olga"),
        ([Mask("uid", "tokenise", ("auditor",))], {"masks": TOKENISED}, "olga"),
        ([TOKEN], None, "sam"),
        ([], {}, "sam"),
    ],
)
def test_the_same_view_of_another_person_or_role_is_no_reason_to_refuse(mesh, policy, proved, who):
    mesh.put(*policy).proved(proved)
    assert mesh.barred(who) == []


def test_a_mask_of_a_column_that_the_transform_does_not_use_makes_no_difference(mesh):
    bundle = mesh.put(Mask("country", "redact", ("officer",))).proved({})
    assert len(mesh.barred()) == 1
    lineage = {"format": "mesh-notebook lineage 1", "outputs": {}, "reads": {"users": ["uid"]}}
    (bundle / "lineage.json").write_text(json.dumps(lineage))
    assert len(mesh.barred()) == 1, "what is not sealed with the transform tells nothing of it"
    files = {name: _digest(bundle / name) for name in ("lineage.json", "transform.py")}
    (bundle / "receipt.json").write_text(json.dumps(sealed({"files": files})))
    assert mesh.barred() == []
    mesh.proved({}, mode="sample", rows=2, seed=0)
    (bundle / "lineage.json").write_text(json.dumps(lineage))
    files["transform.py"] = _digest(bundle / "transform.py")
    (bundle / "receipt.json").write_text(json.dumps(sealed({"files": files})))
    assert any("country is masked" in one.message for one in mesh.barred())


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_roles_may_be_left_aside_for_a_deployment(mesh, monkeypatch):
    mesh.put(TOKEN).proved({"masks": TOKENISED})
    assert len(mesh.barred("olga")) == 1
    monkeypatch.setenv("MESH_ROLES", "")
    assert mesh.barred("olga") == []


def test_the_purpose_of_a_connection_is_that_of_each_deployment(mesh):
    mesh.put(access=Access(purposes=("research",)))
    mesh.proved({"purpose": "research"})
    with pytest.raises(AccessDenied, match="research") as told:
        mesh.barred()
    assert "--purpose" in told.value.next_step
    assert mesh.barred(purpose="research") == []
    mesh.proved({"purpose": "research"}, purpose="research")
    assert mesh.barred() == []
    with pytest.raises(AccessDenied):
        mesh.barred(purpose="sales")


def test_why_and_read_decide_alike_for_who_has_a_role(mesh):
    mesh.put(TOKEN, rows=(FILTER,), access=Access(purposes=("research",)))
    olga = mesh.as_("olga")
    told = olga.why("users", purpose="research").decision
    assert (told.allowed, told.mask("uid"), len(told.filters)) == (True, None, 1)
    assert told == olga.port("users", purpose="research").reading.decision
    assert told.said()[0] == "olga asks as officer, for research"
    assert not olga.why("users").decision.allowed
    with pytest.raises(AccessDenied):
        olga.port("users")
    mesh.put()
    assert olga.why("users").decision.said() == ("no policy is set: everybody reads everything",)


def test_why_decides_for_another_as_a_read_in_their_name_does(mesh):
    mesh.put(TOKEN, rows=(FILTER,), access=Access(purposes=("research",)))
    bo = mesh.as_("bo")
    for who in ("olga", "bo", ""):
        for purpose in ("research", "sales", ""):
            told = bo.why("users", principal=who, purpose=purpose).decision
            assert told.allowed == (purpose == "research")
            if told.allowed:
                assert told == bo.port("users", principal=who, purpose=purpose).reading.decision
                continue
            with pytest.raises(AccessDenied, match=told.principal.name) as denied:
                bo.port("users", principal=who, purpose=purpose)
            assert denied.value.reasons == told.refusals
    assert bo.why("users", principal="olga").decision.principal.roles == {"officer"}
    told = CliRunner().invoke(
        cli.app,
        ["--root", str(mesh.root), "why", "users", "--principal", "olga", "--purpose", "research"],
    )
    assert "uid: as it is, since olga is officer" in told.output
    assert "for olga" in told.output


def test_a_notebook_writes_the_view_that_it_saw_into_the_recipe(shell, tmp_path):
    mesh = Mesh(tmp_path, tmp_path / ".mesh")
    mesh.put(TOKEN, rows=(FILTER,), access=Access(purposes=("research",)))
    shell.mesh.principal = "olga"
    shell.run("import polars as pl")
    shell.run("%mesh connect users --purpose research")
    shell.run("known = users.filter(pl.col('uid') == 'u1').select('uid', 'minutes').collect()")
    shell.run("%mesh product known --domain music")
    shell.run("%mesh output known known --key uid")
    shell.run("%mesh protect known.uid --with tokenise --except officer")
    shell.run("%mesh protect known --roles officer --purposes research")
    shell.run("%mesh export known")
    raw = yaml.safe_load((tmp_path / "known" / "product.odps.yaml").read_text())
    ((recipe,),) = [[p["value"] for p in i["customProperties"]] for i in raw["inputPorts"]]
    assert recipe["purpose"] == "research"
    assert recipe["view"] == {
        "roles": ["officer"],
        "purpose": "research",
        "rows": ["country = 'DE'"],
    }
    assert not mesh.barred("olga")
    assert "uid is masked" in mesh.barred("sam")[0].message
    with pytest.raises(DeployRefused, match="uid is masked"):
        mesh.as_("sam").verify(tmp_path / "known")
    assert mesh.as_("sam").verify(tmp_path / "known", principal="olga").passed


def test_who_may_not_read_an_input_at_all_is_told_which_role_it_takes(mesh):
    mesh.put(access=Access(roles=("officer",))).proved({"roles": ["officer"]})
    with pytest.raises(AccessDenied, match="one of the roles officer") as told:
        mesh.barred()
    assert "%mesh grant sam officer" in told.value.next_step
    assert mesh.barred(principal="olga") == []
