"""A plan says before anything happens what a deployment changes, and for whom."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import COLUMNS, contract, write_bundle

import mesh_notebook
from mesh_notebook.errors import DeployRefused, UsageError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.changes import guessed_renames
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.address import Address
from mesh_notebook.model.document import parse_yaml, to_yaml
from mesh_notebook.model.policy import Mask, PortPolicy

ADDRESS = "urn:dmesh:local:travel:airport-delays"
SAME = "def daily(flights):\n    return flights\n"
ROWS = pl.DataFrame({"airport": ["JFK", "EWR"], "day": [date(2026, 1, 1)] * 2, "delay": [9.0, 1.0]})


class Mesh:
    """A mesh in a folder, with a product `airport-delays` made of a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "mesh"
        self.open = mesh_notebook.open(self.root)
        self.write(ROWS)

    def write(self, rows: pl.DataFrame) -> None:
        rows.write_parquet(self.folder / "flights.parquet")

    def bundle(
        self, version: str = "1.0.0", columns=COLUMNS, transform: str = SAME, more=(), **told: Any
    ) -> Path:
        made = contract(columns, id=f"{ADDRESS}:daily:{version[0]}", **dict(more))
        ports = told.pop("ports", {"daily": made})
        folder = self.folder / f"b{version}"
        write_bundle(folder, version=version, ports=ports, transform=transform, **told)
        recipe = {"kind": "source", "uri": "../flights.parquet"}
        return self.reading(folder, {"flights": recipe})

    def reading(self, folder: Path, recipes: dict[str, dict[str, Any]]) -> Path:
        path = folder / "product.odps.yaml"
        product = parse_yaml(path.read_text(), "product")
        for port in product["inputPorts"]:
            port["customProperties"] = [{"property": "input", "value": recipes[port["name"]]}]
        path.write_text(to_yaml(product))
        return folder

    def consumer(self, name: str, reads: list[str] | None, major: str = "1") -> Path:
        """Deploy a product that is made of `airport-delays`, and uses these columns of it."""
        address = f"urn:dmesh:local:travel:{name}"
        folder = write_bundle(
            self.folder / name,
            address=address,
            ports={"worst": contract({"n": "BIGINT"}, id=f"{address}:worst:1", event_time=None)},
            inputs=("daily",),
            transform="import polars as pl\n\n\ndef worst(daily):\n    "
            "return daily.select(n=pl.len().cast(pl.Int64))\n",
        )
        recipe = {"kind": "port", "address": f"{ADDRESS}:daily", "major": major}
        self.reading(folder, {"daily": recipe})
        if reads is not None:
            told = {"format": "mesh-notebook lineage 1", "outputs": {}, "reads": {"daily": reads}}
            (folder / "lineage.json").write_text(json.dumps(told))
        self.open.deploy(folder)
        return folder


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    return Mesh(tmp_path)


def files(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in sorted(folder.rglob("*")) if p.is_file()}


def said(plan: Any) -> dict[str, str]:
    return {change.said: change.level for change in plan.changes}


# ---- what is planned ---------------------------------------------------------------------------


def test_a_first_plan_says_what_will_be_written_and_writes_nothing(mesh):
    bundle = mesh.bundle()
    before = files(mesh.folder)
    plan = mesh.open.plan(bundle)
    assert files(mesh.folder) == before
    assert not mesh.root.exists()
    assert (plan.before, plan.version, plan.snapshot, plan.fits) == ("", "1.0.0", 1, True)
    assert [(one.port, one.table, one.rows) for one in plan.writes] == [
        ("daily", "ports/daily/v1", None)
    ]
    assert [pin.name for pin in plan.inputs] == ["flights"]
    assert plan.refusals == ()


def test_a_deployment_does_what_was_planned(mesh):
    bundle = mesh.bundle()
    plan = mesh.open.plan(bundle)
    done = mesh.open.deploy(bundle, plan=plan.id)
    assert done.receipt.snapshot == plan.snapshot
    again = mesh.open.plan(bundle)
    assert again.stands
    assert again.changes == ()
    assert again.writes[0].rows == 2


@pytest.mark.parametrize("other", ["bundle", "product as it is published", "inputs", "options"])
def test_what_is_not_as_it_was_planned_is_named_and_nothing_is_published(mesh, other):
    mesh.open.deploy(mesh.bundle())
    bundle = mesh.bundle("1.0.1", transform=f"{SAME}\nx = 1\n")
    plan = mesh.open.plan(bundle)
    engine: dict[str, Any] = {}
    if other == "bundle":
        (bundle / "transform.py").write_text(f"{SAME}\nx = 2\n")
    elif other == "inputs":
        mesh.write(ROWS.head(1))
    elif other == "options":
        engine = {"engine": "duckdb"}
    else:
        mesh.open.deploy(mesh.bundle("1.0.2", transform=f"{SAME}\nx = 3\n"))
        bundle = mesh.bundle("1.0.3", transform=f"{SAME}\nx = 4\n")
        plan = mesh.open.plan(bundle)
        mesh.open.deploy(mesh.bundle("1.0.2", transform=f"{SAME}\nx = 3\n"))
        mesh.write(ROWS.reverse().head(1))
        mesh.open.deploy(mesh.bundle("1.0.2", transform=f"{SAME}\nx = 3\n"))
        mesh.write(ROWS)
    published = PublishedProduct.at(mesh.root, Address.parse(ADDRESS))
    before = published.snapshots()
    with pytest.raises(DeployRefused, match=f"not as planned any more: the {other}"):
        mesh.open.deploy(bundle, plan=plan.id, **engine)
    assert published.snapshots() == before


def test_the_id_of_no_plan_is_refused(mesh):
    with pytest.raises(DeployRefused, match="'nothing' is the id of no plan"):
        mesh.open.deploy(mesh.bundle(), plan="nothing")


@pytest.mark.parametrize("step", ["refuse_other_plan", "check"])
def test_a_publication_that_comes_between_is_not_overtaken(mesh, monkeypatch, step):
    from mesh_notebook.deploy import deploying

    mesh.open.deploy(mesh.bundle())
    bundle = mesh.bundle("1.0.1", transform=f"{SAME}\nx = 1\n")
    plan = mesh.open.plan(bundle)
    does = getattr(deploying, step)

    def does_after_another(*told: Any) -> Any:
        made = does(*told)
        monkeypatch.setattr(deploying, step, does)
        mesh.open.deploy(mesh.bundle("1.0.2", transform=f"{SAME}\nx = 2\n"))
        return made

    monkeypatch.setattr(deploying, step, does_after_another)
    with pytest.raises(DeployRefused, match=r"snapshot 2 .* was published meanwhile"):
        mesh.open.deploy(bundle, plan=plan.id)


# ---- classes of change -------------------------------------------------------------------------

LATE = {"airport": "VARCHAR", "day": "DATE", "delay_minutes": "DOUBLE"}
MASKED = PortPolicy("daily", masks=(Mask("airport", "redact"),))


@pytest.mark.parametrize(
    ("level", "changed", "words"),
    [
        ("none", {}, ""),
        ("patch", {"transform": f"{SAME}\nx = 1\n"}, "transform.py makes it otherwise"),
        ("patch", {"purpose": "Lateness."}, "its purpose was How late"),
        ("patch", {"more": {"delay": {"description": "min"}}}, "the meaning of 'delay' was none"),
        ("minor", {"columns": {**COLUMNS, "carrier": "VARCHAR"}}, "the column 'carrier', VARCHAR"),
        ("minor", {"more": {"delay": {"required": True}}}, "'delay' holds no nulls any more"),
        ("minor", {"policies": (MASKED,)}, "airport is redacted"),
        (
            "minor",
            {"more": {"delay": {"logicalTypeOptions": {"minimum": 0}}}},
            "delay.minimum 0",
        ),
        ("breaking", {"columns": LATE}, "the column 'delay' is gone"),
        ("breaking", {"columns": {**COLUMNS, "delay": "BIGINT"}}, "was DOUBLE and becomes BIGINT"),
        ("breaking", {"ports": {"other": contract(id=f"{ADDRESS}:other:1")}}, "it is gone"),
        (
            "breaking",
            {
                "columns": {**COLUMNS, "carrier": "VARCHAR"},
                "more": {"carrier": {"required": True}},
            },
            "is required, and earlier rows have none",
        ),
        ("breaking", {"temporality": {"kind": "log"}}, "its kind was snapshot and becomes log"),
    ],
)
def test_a_change_has_its_class_and_asks_for_its_version(mesh, level, changed, words):
    mesh.open.deploy(mesh.bundle())
    if "ports" in changed:
        changed = {**changed, "transform": SAME.replace("daily", "other")}
    plan = mesh.open.plan(mesh.bundle(**changed))
    least = {"none": "1.0.0", "patch": "1.0.1", "minor": "1.1.0", "breaking": "2.0.0"}[level]
    assert plan.level == level
    assert plan.least == least
    assert any(words in one for one in said(plan)) or not words
    assert plan.fits == (level == "none")
    assert bool(plan.refusals) == (level != "none")
    assert mesh.open.plan(mesh.bundle(least, **changed)).refusals == ()


def test_a_version_that_hides_a_change_is_refused_with_the_one_that_fits(mesh):
    mesh.open.deploy(mesh.bundle())
    wide = {**COLUMNS, "carrier": "VARCHAR"}
    hidden = mesh.bundle("1.0.1", wide)
    with pytest.raises(DeployRefused, match="is a minor change") as caught:
        mesh.open.deploy(hidden)
    assert "--version 1.1.0" in str(caught.value)


def test_a_release_that_was_never_published_excuses_no_version(mesh):
    mesh.open.deploy(mesh.bundle())
    hidden = mesh.bundle("1.0.1", {**COLUMNS, "carrier": "VARCHAR"})
    # As a deployment leaves it that was killed before its publication.
    left = mesh.root / "travel" / "airport-delays" / "releases" / Bundle(hidden).release
    shutil.copytree(hidden, left)
    with pytest.raises(DeployRefused, match="is a minor change"):
        mesh.open.deploy(hidden)


def test_to_go_back_to_an_earlier_version_needs_no_new_one(mesh):
    first = mesh.bundle()
    mesh.open.deploy(first)
    mesh.open.deploy(mesh.bundle("1.0.1", transform=f"{SAME}\nx = 1\n"))
    assert mesh.open.plan(first).refusals == ()
    assert mesh.open.deploy(first).receipt.snapshot == 3


# ---- renames -----------------------------------------------------------------------------------


def test_a_rename_is_guessed_and_asked_and_an_answer_is_taken(mesh):
    mesh.open.deploy(mesh.bundle())
    bundle = mesh.bundle("2.0.0", LATE)
    plan = mesh.open.plan(bundle)
    assert plan.guesses == (("daily", "delay", "delay_minutes"),)
    answered = mesh.open.plan(bundle, renamed="daily.delay=delay_minutes")
    assert answered.guesses == ()
    assert "the column 'delay' is called 'delay_minutes'" in said(answered)
    assert not any("is gone" in one for one in said(answered))


def test_columns_of_other_types_or_names_are_no_rename():
    old, new = contract({"delay": "DOUBLE"}, event_time=None), {"delays": "VARCHAR", "x": "DOUBLE"}
    assert list(guessed_renames(old, contract(new, event_time=None))) == []


@pytest.mark.parametrize("word", ["delay", "delay=", "=late"])
def test_an_answer_that_says_nothing_is_an_error(mesh, word):
    with pytest.raises(UsageError, match="what it is called now"):
        mesh.open.plan(mesh.bundle(), renamed=word)


# ---- who is hurt -------------------------------------------------------------------------------


def test_only_consumers_that_use_a_column_are_hurt_by_what_happens_to_it(mesh):
    mesh.open.deploy(mesh.bundle())
    mesh.consumer("late", ["delay"])
    mesh.consumer("places", ["airport"])
    mesh.consumer("unknown", None)
    plan = mesh.open.plan(mesh.bundle("2.0.0", LATE))
    assert {c.product.product for c in plan.consumers} == {"late", "places", "unknown"}
    hurt = {one.consumer.product.product: one.stays for one in plan.hurt}
    assert hurt == {"late": True, "unknown": True}
    text = shown(plan)
    assert "stays on version 1" in text
    assert "not touched" in text


def test_a_guarantee_that_is_let_go_is_breaking_where_a_consumer_relies_on_it(mesh):
    sure = {"delay": {"required": True, "logicalTypeOptions": {"maximum": 10}}}
    mesh.open.deploy(mesh.bundle(more=sure))
    loose = {"delay": {"logicalTypeOptions": {"maximum": 20}}}
    assert mesh.open.plan(mesh.bundle("1.1.0", more=loose)).level == "minor"
    mesh.consumer("places", ["airport"])
    assert mesh.open.plan(mesh.bundle("1.1.0", more=loose)).level == "minor"
    mesh.consumer("late", ["delay"])
    plan = mesh.open.plan(mesh.bundle("1.1.0", more=loose))
    assert plan.level == "breaking"
    assert [one.consumer.product.product for one in plan.hurt] == ["late"]
    with pytest.raises(DeployRefused, match="is breaking"):
        mesh.open.deploy(mesh.bundle("1.1.0", more=loose))
    tight = {"delay": {"required": True, "logicalTypeOptions": {"maximum": 5}}}
    assert mesh.open.plan(mesh.bundle("1.1.0", more=tight)).level == "minor"


# ---- options, and the surfaces -----------------------------------------------------------------


def test_an_engine_that_cannot_take_it_is_said_in_the_plan(mesh):
    plan = mesh.open.plan(mesh.bundle(), engine="duckdb")
    assert "does not go to duckdb" in plan.refusals[0].message


def test_an_interval_of_a_product_without_intervals_is_refused_by_plan_and_deploy(mesh):
    bundle = mesh.bundle()
    for do in (mesh.open.plan, mesh.open.deploy):
        with pytest.raises(UsageError, match="no port of airport-delays is the picture"):
            do(bundle, interval="2026-10")
    assert not mesh.root.exists()


def test_a_product_is_deployed_as_another_engine_computes_it(shell, tmp_path):
    (tmp_path / "flights.csv").write_text("day,delay\n2026-01-01,3\n2026-01-02,5\n")
    shell.run("import polars as pl")
    shell.run("%mesh product delays --domain travel --owner ops")
    shell.run("%mesh source flights flights.csv")
    shell.run("late = flights.filter(pl.col('delay') > 4)")
    shell.run("%mesh output late late --key day")
    shell.run("%mesh export bundle")
    plan = shell.run("%mesh plan bundle --engine duckdb")
    done = shell.run(f"%mesh deploy bundle --engine duckdb --plan {plan.id}")
    assert done.receipt.engine["computed on"] == "duckdb"
    assert done.receipt.ports["late"].rows == 1
    assert shell.run("%mesh deploy bundle").unchanged


def test_a_plan_is_written_for_programs(mesh, capsys):
    found = mesh.open.plan(mesh.bundle(), format="json")
    assert json.loads(json.dumps(found))["changes"] == []
    assert set(found) >= {"id", "level", "least", "hurt", "writes", "inputs", "refusals"}


def shown(plan: Any) -> str:
    from mesh_notebook.surfaces import registered  # noqa: F401
    from mesh_notebook.surfaces.panel import as_text
    from mesh_notebook.surfaces.panels import panel_of

    return as_text(panel_of(plan))
