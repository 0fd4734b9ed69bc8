"""A plan refuses what a deployment would refuse, in the same words, before anything runs."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import contract, opener, put, write_bundle

import mesh_notebook
from mesh_notebook.deploy.schemas import reshaped
from mesh_notebook.errors import AccessDenied, DeployRefused, MeshError, SourceError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.seals import sealed
from mesh_notebook.model.document import parse_yaml, to_yaml
from mesh_notebook.model.lineage import DIRECT, InputField, Lineage, PortLineage
from mesh_notebook.model.policy import Access, Mask, PortPolicy

ADDRESS = "urn:dmesh:local:media:heard"
PLAYS = {"at": "TIMESTAMP_TZ", "user": "VARCHAR", "seconds": "BIGINT"}
ROWS = pl.DataFrame(
    {
        "at": [datetime(2026, 10, day, 8, tzinfo=UTC) for day in (1, 2)],
        "user": ["u1", "u2"],
        "seconds": [30, 45],
    }
)
SUMS = """import polars as pl


def heard(plays):
    return plays.group_by("user").agg(pl.col("seconds").sum().alias("s"))
"""
DAILY = SUMS.replace('"user"', '"at"')
LONG = """import polars as pl


def heard(plays):
    return plays.filter(pl.col("seconds") > 40).select("at", pl.col("seconds").alias("s"))
"""


class Mesh:
    """A bundle as an export seals it, made of a file that the tests write anew."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "mesh"
        self.open = mesh_notebook.open(self.root)
        self.write(ROWS)

    def write(self, rows: pl.DataFrame) -> None:
        rows.write_parquet(self.folder / "plays.parquet")

    def bundle(
        self,
        transform: str = SUMS,
        by: str = "user",
        how: str = "AGGREGATION",
        event_time: bool = False,
        **more: Any,
    ) -> None:
        columns = {by: PLAYS[by], "s": "BIGINT"}
        event = by if event_time else None
        made = contract(columns, id=f"{ADDRESS}:heard:1", event_time=event, key=(by,))
        told = {"ports": {"heard": made}, "inputs": ("plays",), "transform": transform, **more}
        folder = write_bundle(self.folder / "bundle", address=ADDRESS, **told)
        self.recipe(folder, {"kind": "source", "uri": "../plays.parquet"})
        (folder / "contracts" / "inputs").mkdir()
        given = contract(PLAYS, id="urn:dmesh:local:media:plays:plays:1", event_time=None)
        (folder / "contracts" / "inputs" / "plays.odcs.yaml").write_text(given.dumps())
        kind = DIRECT if how != "?" else ""
        fields = {
            by: (InputField("plays", by, kind, how.strip("?")),),
            "s": (InputField("plays", "seconds", kind, how.strip("?")),),
        }
        lineage = Lineage.of({"heard": PortLineage(fields)}, {"plays": "plays.parquet"})
        (folder / "lineage.json").write_text(json.dumps(lineage.as_dict()))
        names = ("transform.py", "lineage.json")
        files = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}
        (folder / "receipt.json").write_text(json.dumps(sealed({"files": files})))

    def recipe(self, folder: Path, recipe: dict[str, Any]) -> None:
        path = folder / "product.odps.yaml"
        product = parse_yaml(path.read_text(), "product")
        (port,) = product["inputPorts"]
        port["customProperties"] = [{"property": "input", "value": recipe}]
        path.write_text(to_yaml(product))

    def plan(self, **more: Any) -> Any:
        return self.open.plan(self.folder / "bundle", **more)

    def deploy(self, **more: Any) -> Any:
        return self.open.deploy(self.folder / "bundle", **more)

    def refused(self, **more: Any) -> MeshError:
        """Return why both refuse, which is the same."""
        with pytest.raises(MeshError) as caught:
            self.deploy(**more)
        try:
            plan = self.plan(**more)
            said = [error.message for error in plan.refusals]
            assert plan.failed
        except MeshError as error:
            said = [error.message]
        assert said == [caught.value.message]
        return caught.value


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    return Mesh(tmp_path)


# ---- columns -----------------------------------------------------------------------------------


def test_a_column_that_was_renamed_upstream_is_asked_about_before_anything_runs(mesh):
    mesh.bundle()
    assert mesh.plan().refusals == ()
    mesh.write(ROWS.rename({"seconds": "duration_s"}))
    error = mesh.refused()
    assert "`seconds` is gone, `duration_s` is new: renamed?" in error.message
    assert 'plays = plays.rename({"duration_s": "seconds"})' in error.next_step
    assert not mesh.root.exists()


def test_a_column_that_is_gone_counts_only_where_the_transform_uses_it(mesh):
    mesh.bundle()
    mesh.write(ROWS.drop("at").with_columns(device=pl.lit("tv")))
    plan = mesh.plan()
    assert plan.refusals == ()
    assert any("`at` is gone; `device` is new" in note for note in plan.notes)
    assert mesh.deploy().receipt.snapshot == 1


def test_where_lineage_knows_nothing_the_text_says_what_a_transform_names(mesh):
    pandas = """import polars as pl


def heard(plays):
    df = plays.collect().to_pandas()
    sums = df.groupby("user", as_index=False)["seconds"].sum()
    return pl.from_pandas(sums.rename(columns={"seconds": "s"}))
"""
    mesh.bundle(pandas, how="?")
    mesh.write(ROWS.rename({"seconds": "length"}))
    (refusal,) = mesh.plan().refusals
    with pytest.raises(DeployRefused) as caught:
        mesh.deploy()
    assert refusal.message in caught.value.message
    assert caught.value.next_step == refusal.next_step
    with pytest.raises(DeployRefused, match="`seconds` is gone, `length` is new: renamed"):
        mesh.open.run(mesh.folder / "bundle")
    mesh.write(ROWS.drop("at"))
    assert mesh.plan().refusals == ()
    mesh.deploy()


def test_a_number_with_a_fraction_is_no_bar_and_is_told(mesh):
    mesh.bundle(SUMS.replace(".sum()", ".sum().cast(pl.Int64)"))
    mesh.write(ROWS.with_columns(pl.col("seconds").cast(pl.Float64)))
    plan = mesh.plan()
    assert any("`seconds` was BIGINT and is DOUBLE" in note for note in plan.notes)
    assert plan.refusals == ()
    mesh.deploy()


def test_nothing_is_known_of_the_columns_of_a_bundle_that_was_written_by_hand(tmp_path):
    bundle = Bundle(write_bundle(tmp_path / "bundle"))
    (port,) = bundle.product.inputs
    given = opener({"flights": pl.DataFrame({"x": [1]})})(port, bundle.folder)
    assert reshaped(port, given, bundle) is None


# ---- what is not there, or may not be had ------------------------------------------------------


def test_a_source_that_is_gone_stops_a_plan_as_it_stops_a_deployment(mesh):
    mesh.bundle()
    (mesh.folder / "plays.parquet").unlink()
    assert isinstance(mesh.refused(), SourceError)


def test_a_role_that_is_missing_stops_both_with_who_can_help(mesh, tmp_path):
    made = contract(PLAYS, id="urn:dmesh:local:media:plays:plays:1", event_time=None)
    policy = PortPolicy("plays", Access(roles=("analyst",)))
    put(mesh.root, ROWS, made)
    bundle = write_bundle(
        tmp_path / "up",
        address="urn:dmesh:local:media:plays",
        version="1.0.1",
        ports={"plays": made},
        inputs=(),
        policies=(policy,),
    )
    from bundles import Clock, published

    published(bundle, mesh.root, Clock(datetime.now(UTC)), plays=ROWS)
    mesh.bundle()
    recipe = {"kind": "port", "address": "urn:dmesh:local:media:plays:plays", "major": "1"}
    mesh.recipe(mesh.folder / "bundle", recipe)
    error = mesh.refused(principal="bo")
    assert isinstance(error, AccessDenied)
    assert "%mesh grant bo analyst" in error.next_step


def test_a_key_that_is_missing_stops_the_plan(mesh, monkeypatch):
    masked = PortPolicy("heard", masks=(Mask("user", "tokenise", ("officer",)),))
    mesh.bundle(policies=(masked,))
    mesh.deploy()
    mesh.write(ROWS.with_columns(seconds=pl.lit(7)))
    monkeypatch.setenv("MESH_KEYS", str(mesh.folder / "elsewhere"))
    assert "key" in mesh.refused().message


# ---- intervals ---------------------------------------------------------------------------------

MONTHS = {"kind": "snapshot", "interval": "P1M"}
NOVEMBER = ROWS.head(1).with_columns(at=pl.lit(datetime(2026, 11, 1, 8, tzinfo=UTC)))


def test_an_interval_that_nothing_says_is_asked_for_by_the_plan(mesh):
    mesh.bundle(temporality=MONTHS)
    assert "--interval 2026-10" in mesh.refused().next_step
    assert mesh.plan(interval="2026-10").refusals == ()


def test_rows_of_two_months_are_refused_by_the_plan(mesh):
    mesh.bundle(DAILY, by="at", event_time=True, temporality=MONTHS)
    assert mesh.plan().refusals == ()
    mesh.write(pl.concat([ROWS, NOVEMBER.cast(dict(ROWS.schema))]))
    assert "in more than one" in mesh.refused().message


def test_rows_of_another_month_than_is_meant_are_refused_by_the_plan(mesh):
    mesh.bundle(LONG, by="at", how="IDENTITY", event_time=True, temporality=MONTHS)
    assert "not only in 2026-09" in mesh.refused(interval="2026-09").message
    assert mesh.plan(interval="2026-10").refusals == ()


def test_what_a_filter_may_leave_out_is_only_doubted(mesh):
    mesh.bundle(LONG, by="at", how="IDENTITY", event_time=True, temporality=MONTHS)
    mesh.write(pl.concat([ROWS, NOVEMBER.cast(dict(ROWS.schema))]))
    plan = mesh.plan()
    assert plan.refusals == ()
    assert any("plays.at" in note and "Running it will tell" in note for note in plan.notes)
    assert mesh.deploy().receipt.ports["heard"].rows == 1


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        ('.group_by("at").agg(pl.len())', True),
        ('.group_by(pl.col("at"), "user").agg(pl.len())', True),
        ('.sort("at").select("at", "seconds")', True),
        ('.group_by("user").agg(pl.col("at").max())', False),
        ('.with_columns(pl.col("at").dt.truncate("1y")).group_by("at").agg(pl.len())', False),
        ('.with_columns(at=pl.col("day").cast(pl.Date)).group_by("at").agg(pl.len())', False),
        ('.with_columns(x=pl.col("n") * 2).group_by("at").agg(pl.len())', True),
        ('.filter(pl.col("seconds") > 1)', False),
        (".head(1)", False),
        ('.join(plays, on="at")', False),
        ('.group_by("at").agg(pl.len()) if True else plays', False),
        (".pipe(print)", False),
    ],
)
def test_only_steps_that_are_known_to_keep_each_time_count(step, kept):
    from mesh_notebook.deploy.times_kept import keeps_times

    module = f"import polars as pl\n\n\ndef heard(plays):\n    return plays{step}\n"
    assert keeps_times(module, "heard", "at") is kept


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("SELECT at, sum(seconds) AS s FROM plays GROUP BY at", True),
        ("SELECT at, sum(seconds) AS s FROM plays GROUP BY ALL", True),
        ("SELECT at, sum(seconds) AS s FROM plays GROUP BY 1", True),
        ("SELECT at, seconds FROM plays ORDER BY at", True),
        ("SELECT at, seconds FROM plays WHERE seconds > 40", False),
        ("SELECT max(at) AS at FROM plays", False),
        ("SELECT at FROM plays LIMIT 1", False),
        ("SELECT at FROM plays JOIN users USING (user)", False),
        ("SELECT at FROM (SELECT * FROM plays WHERE seconds > 1)", False),
    ],
)
def test_of_queries_those_that_leave_nothing_out_count(query, kept):
    from mesh_notebook.deploy.times_kept import keeps_times

    module = f"def heard(plays):\n    return _sql({query!r}, plays=plays)\n"
    assert keeps_times(module, "heard", "at") is kept
