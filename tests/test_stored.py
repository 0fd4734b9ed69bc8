"""A contract holds of the rows as they are stored: declared, checked and deployed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from bundles import Clock, contract, deployed, write_bundle
from conftest import Shell

from mesh_notebook import open as open_mesh
from mesh_notebook.errors import ContractError, DeployRefused
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.store import conformed
from mesh_notebook.mesh.stored import as_stored
from mesh_notebook.workspace import Workspace

BERLIN = pl.Datetime("us", "Europe/Berlin")


@pytest.fixture
def mesh(tmp_path: Path) -> Workspace:
    return open_mesh(tmp_path)


def instants(*ticks: int, unit: str = "ns", zone: str | None = "UTC") -> pl.DataFrame:
    return pl.DataFrame({"t": pl.Series(ticks).cast(pl.Datetime(unit, zone))})  # type: ignore[arg-type]


def test_keys_that_would_be_one_when_they_are_stored_are_refused_where_they_are_declared(
    mesh: Workspace,
) -> None:
    mesh.namespace["df"] = instants(1_700_000_000_000_000_001, 1_700_000_000_000_000_002)
    with pytest.raises(ContractError, match="2 values are finer than a microsecond") as raised:
        mesh.output("port", "df", key="t")
    assert '.dt.truncate("1us")' in raised.value.next_step
    mesh.namespace["df"] = mesh.namespace["df"].with_columns(pl.col("t").dt.truncate("1us"))
    with pytest.raises(ContractError, match="is no key"):
        mesh.output("port", "df", key="t")


@pytest.mark.parametrize(
    "frame",
    [
        instants(-62_135_596_800_001, unit="ms"),
        instants(253_402_300_800_000_000, unit="us", zone="Europe/Berlin"),
        pl.DataFrame({"t": pl.Series([2_932_897], dtype=pl.Int32).cast(pl.Date)}),
        instants(2**62, unit="us").select(t=pl.concat_list(pl.struct("t"))),
    ],
)
def test_days_that_no_year_holds_are_refused(mesh: Workspace, frame: pl.DataFrame) -> None:
    mesh.namespace["df"] = frame
    with pytest.raises(ContractError, match="outside of the years 1 to 9999"):
        mesh.output("port", "df")


def test_what_is_refused_at_any_depth_is_told_by_its_column(mesh: Workspace) -> None:
    mesh.namespace["df"] = instants(1, 1_000).select(deep=pl.concat_list(pl.struct("t")))
    with pytest.raises(ContractError, match=r"'deep' of `df` .* 1 value is finer"):
        mesh.output("port", "df")


def test_the_limits_of_a_column_in_a_named_zone_are_checked(mesh: Workspace) -> None:
    times = pl.Series("t", [datetime(2025, 7, 1), datetime(2025, 12, 1)])
    mesh.namespace["df"] = pl.DataFrame({"t": times.dt.replace_time_zone("Europe/Berlin")})
    mesh.output("port", "df", key="t", event_time="t", strict=True)
    checked = mesh.check()
    assert checked.passed
    assert "t.minimum" in {result.rule.id for result in checked.reports[0].results}
    assert mesh.draft.port("port").frame.collect()["t"][0] == datetime(2025, 6, 30, 22, tzinfo=UTC)


def test_a_rule_is_held_against_what_is_stored(mesh: Workspace) -> None:
    held = contract({"t": "TIMESTAMP_TZ"}, event_time=None, t={"unique": True})
    for frame in (instants(1_000, 2_000), instants(1, 2, unit="us").cast(BERLIN)):
        assert check(frame.lazy(), held).passed
    assert not check(instants(1_000, 1_001).lazy(), held).passed


def test_a_deployment_whose_rows_storing_would_change_publishes_nothing(tmp_path: Path) -> None:
    held = contract({"t": "TIMESTAMP_TZ"}, event_time=None)
    transform = "def daily(flights):\n    return flights\n"
    bundle = write_bundle(tmp_path / "bundle", ports={"daily": held}, transform=transform)
    with pytest.raises(DeployRefused, match="1 value is finer than a microsecond"):
        deployed(bundle, tmp_path / "mesh", Clock(), flights=instants(1_000, 1_001))
    assert not list((tmp_path / "mesh").rglob("publications/*.json"))
    deployed(bundle, tmp_path / "mesh", Clock(), flights=instants(1_000, 2_000))


@pytest.mark.parametrize(
    ("logical", "values"),
    [("integer", [1.0, 1.5]), ("number", [2**53 + 1, 1]), ("date", [datetime(2026, 1, 1, 5)])],
)
def test_a_type_of_a_contract_that_would_change_a_value_is_refused(
    logical: str, values: list[object]
) -> None:
    raw = contract({"x": "BIGINT"}, event_time=None).edited()
    raw["schema"][0]["properties"][0] = {"name": "x", "logicalType": logical}
    held = type(contract())(raw)
    with pytest.raises(ContractError, match="cannot hold 1 of its values"):
        conformed(pl.DataFrame({"x": values}), held)
    fits = date(2026, 1, 1) if logical == "date" else 1
    assert conformed(pl.DataFrame({"x": [fits]}), held).height == 1


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (pl.Series([1_001]).cast(pl.Duration("ns")), 1_001),
        (pl.Series([1]).cast(pl.Time), "00:00:00.000000001"),
        (pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)), [1, 2]),
        (pl.Series([2**100], dtype=pl.Int128), 2**100),
        (pl.Series([1.5], dtype=pl.Float16), 1.5),
    ],
    ids=lambda one: str(getattr(one, "dtype", "")),
)
def test_a_type_that_no_port_holds_is_refused_with_one_that_keeps_the_value(
    mesh: Workspace, values: pl.Series, kept: object
) -> None:
    names = mesh.namespace
    names.update(df=pl.DataFrame({"x": values}), pl=pl)
    with pytest.raises(ContractError, match="cannot be part of a contract") as raised:
        mesh.output("port", "df")
    exec(f"df = df{raised.value.next_step}", names)  # type: ignore[arg-type]
    mesh.output("port", "df")
    assert mesh.draft.port("port").frame.collect()["x"].to_list() == [kept]


def test_a_frame_of_many_types_is_read_back_as_it_was_checked(shell: Shell) -> None:
    shell.run("import polars as pl, datetime as dt")
    shell.run(
        """df = pl.DataFrame({
    "at": pl.Series([0, 10**15]).cast(pl.Datetime("us", "Europe/Berlin")),
    "ns": pl.Series([1_000, 2_000]).cast(pl.Datetime("ns", "UTC")),
    "u64": pl.Series([0, 2**64 - 1], dtype=pl.UInt64),
    "kind": pl.Series(["a", "b"], dtype=pl.Categorical),
    "dec": pl.Series(["0.1", "0.12"]).cast(pl.Decimal(38, 20)),
    "list": [[dt.datetime(2020, 1, 1, tzinfo=dt.UTC)], []],
    "bytes": [b"\\xff", None],
}).with_columns(all=pl.struct("kind", "u64", "at"))"""
    )
    shell.run("%mesh product many --domain lab --owner me --purpose types")
    shell.run("%mesh output port df --key at --event-time at")
    assert shell.run("%mesh check").passed
    shell.run("%mesh export bundle")
    shell.run("%mesh deploy bundle")
    shell.run("%mesh connect many --as back")
    checked = shell.mesh.draft.port("port").frame.collect()
    assert shell.names["back"].collect().equals(checked)
    assert as_stored(shell.names["df"].lazy()).collect().equals(checked)
