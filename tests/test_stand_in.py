"""A stand-in has the shape of the rows that it stands for, and gives none of them away."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import log, sqrt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import contract
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listeners import mask, policy
from measured import ROWS, STAND_IN, Published, contract_of

from mesh_notebook.errors import AccessDenied, DeployRefused, NoSnapshot
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.disclosure import seen_by_all, shape_to_tell
from mesh_notebook.mesh.shape import LEVELS, shape_of
from mesh_notebook.mock.from_contract import mock
from mesh_notebook.mock.from_shape import stand_in
from mesh_notebook.model.policy import PortPolicy, Privacy

# ---- the stand-in --------------------------------------------------------------------------------


@pytest.fixture
def notebook(shell, tmp_path):
    """A notebook of somebody who may not read the listeners."""
    listeners = Published(tmp_path, root=tmp_path / ".mesh")
    listeners.publish(policy=policy(mask("email", "redact"), access=STAND_IN))
    shell.run("import polars as pl")
    shell.listeners = listeners
    return shell


def test_a_stand_in_lies_as_the_rows_do(notebook):
    made = notebook.run("%mesh connect listeners --mode mock --rows 5000 --seed 3").collect()
    assert made.schema == ROWS.schema
    top = made["country"].value_counts(normalize=True)
    shares = dict(top.iter_rows())
    assert shares == pytest.approx({"DE": 0.6, "FR": 0.3, "IT": 0.1}, abs=0.04)
    assert made["minutes"].null_count() / 5_000 == pytest.approx(0.25, abs=0.04)
    assert made["minutes"].median() == pytest.approx(ROWS["minutes"].median(), rel=0.1)
    assert made["age"].is_between(7_000_000, 7_000_059).all()
    assert made["day"].is_between(date(2026, 1, 1), date(2026, 3, 31)).all()
    assert made["user"].n_unique() == 5_000
    assert not made["email"].drop_nulls().str.contains("SECRET").any()


def test_a_stand_in_says_what_it_was_made_from(notebook):
    notebook.run("%mesh connect listeners --mode mock --seed 3")
    handle = notebook.mesh.inputs["listeners"].handle
    assert handle.note == "1,000 rows made from the shape of snapshot 1, seed 3"
    assert handle.pin.version == "1000 rows, seed 3, shape of snapshot 1"
    assert handle.origin == "mock"


def test_a_stand_in_is_always_the_same_and_as_of_an_instant_of_the_shape_of_then(notebook):
    lines = "%mesh connect listeners --mode mock --seed 3"
    first = notebook.run(lines).collect()
    then = notebook.listeners.product.latest().processing_time
    notebook.listeners.publish(ROWS.with_columns(minutes=pl.col("minutes") + 5_000))
    assert notebook.run(lines).collect()["minutes"].min() >= 5_000
    assert notebook.run(f"{lines} --as-of {then}").collect().equals(first)


def test_a_stand_in_of_a_window_happened_in_it(notebook):
    made = notebook.run("%mesh connect listeners --mode mock --from 2026-02 --to 2026-03").collect()
    assert made["day"].is_between(date(2026, 2, 1), date(2026, 2, 28)).all()
    assert made["day"].n_unique() > 20


def test_where_the_policy_has_no_stand_in_the_shape_is_not_used(shell, tmp_path):
    listeners = Published(tmp_path, root=tmp_path / ".mesh")
    listeners.publish(policy=policy(access=replace(STAND_IN, stand_in=False)))
    made = shell.run("%mesh connect listeners --mode mock").collect()
    assert made.equals(mock(contract_of(listeners), 1_000, 0))
    note = shell.mesh.inputs["listeners"].handle.note
    assert note == "1,000 rows made from the contract of snapshot 1, seed 0"


def test_a_stand_in_is_of_the_contract_where_no_shape_may_be_told(shell, tmp_path):
    listeners = Published(tmp_path, root=tmp_path / ".mesh")
    listeners.publish(policy=policy(access=STAND_IN, privacy=Privacy("user", 1.0)))
    shell.run("%mesh connect listeners --mode mock")
    assert "from the contract of" in shell.mesh.inputs["listeners"].handle.note


EXPORT = """
%mesh connect listeners --mode mock --rows 200 --seed 3
by_country = listeners.group_by("country").agg(pl.col("minutes").sum().round(6)).drop_nulls()
%mesh product country-minutes --domain music {more}
%mesh output totals by_country --key country
%mesh export made
"""


def exported(notebook: Any, more: str = "") -> None:
    for line in EXPORT.format(more=more).strip().splitlines():
        notebook.run(line)


def test_a_product_of_a_stand_in_is_deployed_from_the_same_rows_as_a_draft(notebook):
    exported(notebook)
    recipe = next(
        p["value"]
        for p in Bundle(Path("made")).product.inputs[0].raw["customProperties"]
        if isinstance(p["value"], dict) and "shapeOf" in p["value"]
    )
    assert recipe["shapeOf"] == 1
    proved = notebook.names["by_country"].collect().sort("country")
    # What is published since makes no difference: the stand-in is of the snapshot of then.
    notebook.listeners.publish(ROWS.with_columns(minutes=pl.col("minutes") + 5_000))
    deployed = notebook.run("%mesh deploy made")
    assert (deployed.receipt.origin, deployed.receipt.status) == ("mock", "draft")
    assert deployed.receipt.inputs[0].version == "200 rows, seed 3, shape of snapshot 1"
    read = notebook.run("%mesh connect country-minutes").collect()
    assert read.sort("country").equals(proved)


def test_a_product_of_a_stand_in_is_nothing_but_a_draft(notebook):
    exported(notebook, "--status active")
    with pytest.raises(DeployRefused, match="not live"):
        notebook.run("%mesh deploy made")


def test_a_stand_in_that_the_policy_has_no_more_is_not_made_again(notebook):
    exported(notebook)
    notebook.listeners.publish(policy=policy(access=replace(STAND_IN, stand_in=False)))
    with pytest.raises(AccessDenied, match="no synthetic stand-in any more"):
        notebook.run("%mesh deploy made")


def test_a_stand_in_of_a_snapshot_that_is_gone_says_so(notebook):
    exported(notebook)
    notebook.listeners.publish(ROWS.head(900))
    notebook.run("%mesh retain listeners --keep 1")
    with pytest.raises(NoSnapshot, match="made from its shape"):
        notebook.run("%mesh deploy made")


# ---- denied is not a dead end --------------------------------------------------------------------


def test_a_refusal_shows_the_way_to_the_stand_in(notebook, capsys):
    with pytest.raises(AccessDenied, match="takes one of the roles analyst") as denied:
        notebook.run("%mesh connect listeners")
    shown = "\n".join(denied.value._render_traceback_())
    assert shown.splitlines()[-1].endswith("%mesh connect listeners/listeners --mode mock")
    assert "Traceback" not in shown
    assert notebook.run(shown.splitlines()[-1].rpartition(": ")[2]).collect().height == 1_000


@pytest.mark.parametrize("stand_in", [True, False])
@pytest.mark.parametrize("more", [{}, {"privacy": Privacy("user", 1.0)}])
def test_why_says_of_what_made_up_rows_are_made_as_connect_makes_them(
    shell, tmp_path, stand_in, more
):
    listeners = Published(tmp_path, root=tmp_path / ".mesh")
    listeners.publish(policy=policy(access=replace(STAND_IN, stand_in=stand_in), **more))
    why = shell.run("%mesh why listeners")
    said = " ".join(shell.shown(why)["text/plain"].split())
    assert why.mock == ("shape" if stand_in and not more else "contract")
    assert f"--mode mock gives rows made up of its {'shape' if why.mock == 'shape' else ''}" in said
    shell.run("%mesh connect listeners --mode mock")
    assert f"made from the {why.mock} of snapshot 1" in shell.mesh.inputs["listeners"].handle.note
    with pytest.raises(AccessDenied, match="--mode mock"):
        shell.run("%mesh connect listeners")


def test_a_refused_switch_leaves_the_stand_in_in_place(notebook):
    before = notebook.run("%mesh connect listeners --mode mock --rows 50")
    for switch in ("mesh.inputs['listeners'].use('live')", "%mesh use listeners sample"):
        with pytest.raises(AccessDenied):
            notebook.run(switch)
    told = notebook.mesh.inputs["listeners"]
    assert (told.mode, told.frame is before) == ("mock", True)
    assert notebook.names["listeners"] is before
    counted = notebook.mesh.sql("counted", "SELECT count(*) AS n FROM listeners")
    assert counted["n"].item() == 50


# ---- the law -------------------------------------------------------------------------------------

MADE = 4_000
# Dvoretzky-Kiefer-Wolfowitz and Hoeffding: of 4,000 draws a share is off by more than this once in
# 10^12 times, at most.
APART = sqrt(log(2e12) / (2 * MADE))
TYPES = {"whole": "BIGINT", "real": "DOUBLE", "exact": "DECIMAL(9,2)", "day": "DATE"}
TYPES |= {"at": "TIMESTAMP_TZ", "name": "VARCHAR", "yes": "BOOLEAN", "secret": "VARCHAR"}
LOGICAL = {"exact": {"logicalType": "number"}, "yes": {"logicalType": "boolean"}}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "whole": st.integers(-(2**40), 2**40) | st.integers(0, 12),
    "real": st.floats(-1e12, 1e12, allow_nan=False) | st.sampled_from([0.0, 1.5]),
    "exact": st.decimals("-9999999", "9999999", places=2),
    "day": st.dates(date(1901, 1, 1), date(2199, 1, 1)),
    "at": st.datetimes(datetime(1901, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)),
    "name": st.sampled_from("abcdefghijklmnop") | st.text(max_size=5),
    "yes": st.booleans(),
    "secret": st.text("XYZ", min_size=12, max_size=12),
}


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """Return a frame of 1 to 60 rows, with nulls, some columns of few values."""
    from mesh_notebook.mesh.dtypes import column_dtype

    made = contract(TYPES, event_time=None, **LOGICAL)
    rows = draw(st.integers(1, 60))
    columns = []
    for column in made.columns:
        one = VALUES[column.name]
        few = draw(st.lists(one, min_size=1, max_size=6))
        values = st.none() | (st.sampled_from(few) if draw(st.booleans()) else one)
        listed = draw(st.lists(values, min_size=rows, max_size=rows))
        columns.append(pl.Series(column.name, listed, dtype=column_dtype(column)))
    return pl.DataFrame(columns)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(frame=frames(), seed=st.integers(0, 2**32))
def test_a_stand_in_has_the_schema_the_nulls_and_the_quantiles_of_any_frame(frame, seed):
    made = contract(TYPES, event_time=None, **LOGICAL)
    hidden = PortPolicy("daily", masks=(mask("secret", "redact"),))
    told = shape_to_tell(seen_by_all(frame, hidden, made, ""), hidden, made)
    stands = stand_in(made, told, MADE, seed)
    assert stands.schema == frame.schema
    assert not set(stands["secret"]) & set(frame["secret"].drop_nulls())
    assert not set(frame["secret"].drop_nulls()) & set(json.dumps(told).split('"'))
    for name in set(TYPES) - {"secret"}:
        nulls = stands[name].null_count() / MADE
        assert abs(nulls - told[name]["nulls"]) <= APART, name
        there = stands[name].drop_nulls()
        if "top" in told[name]:
            _same_shares(there, told[name]["top"])
        elif "quantiles" in told[name]:
            _same_quantiles(there, frame[name].drop_nulls())


def _same_shares(made: pl.Series, top: list[list[Any]]) -> None:
    apart = sqrt(log(2e12) / (2 * max(len(made), 1)))
    for value, share in top:
        assert abs((made == value).sum() - share * len(made)) <= (apart + 1e-4) * len(made)


def _same_quantiles(made: pl.Series, real: pl.Series) -> None:
    """At least so many values lie up to each quantile, and at most so many below it."""
    if not len(made):
        return
    apart = sqrt(log(2e12) / (2 * len(made)))
    values = real.sort()
    for level in LEVELS:
        edge = values[round(level * (len(values) - 1))]
        low, high = _around(edge)
        assert (made <= high).sum() >= (level - apart) * len(made)
        assert (made < low).sum() <= (level + apart) * len(made)
    assert made.min() >= _around(values[0])[0]  # type: ignore[operator]
    assert made.max() <= _around(values[-1])[1]  # type: ignore[operator]


def _around(edge: Any) -> tuple[Any, Any]:
    """Return between what a value lies that was rounded: to whole seconds, or to a last digit."""
    if isinstance(edge, datetime):
        return edge - timedelta(seconds=1), edge + timedelta(seconds=1)
    if isinstance(edge, float):
        slack = abs(edge) * 1e-9 + 1e-9
        return edge - slack, edge + slack
    return edge, edge


def test_a_stand_in_keeps_the_limits_of_its_contract():
    made = contract(
        {"n": "INTEGER", "x": "DOUBLE", "code": "VARCHAR", "level": "VARCHAR"},
        event_time=None,
        key=(),
        n={
            "logicalType": "integer",
            "logicalTypeOptions": {"minimum": 0, "maximum": 50, "multipleOf": 5},
        },
        x={"logicalTypeOptions": {"exclusiveMinimum": 0.0, "maximum": 1.0}, "required": True},
        code={"logicalTypeOptions": {"pattern": "^[A-Z]{2}[0-9]{3}$"}},
        level={
            "quality": [
                {
                    "metric": "invalidValues",
                    "mustBe": 0,
                    "arguments": {"validValues": ["low", "mid", "high"]},
                }
            ]
        },
    )
    # As it was measured before the contract grew narrower.
    wide = pl.DataFrame(
        {
            "n": pl.Series(range(-100, 100), dtype=pl.Int32),
            "x": [n / 100 for n in range(-50, 150)],
            "code": ["AB123", "nonsense"] * 100,
            "level": ["low", "other"] * 100,
        }
    )
    rows = stand_in(made, shape_of(wide, made), 2_000, 1)
    assert check(rows.lazy(), made).passed
    assert rows["x"].null_count() == 0


def test_whole_instants_stay_whole():
    made = contract({"at": "TIMESTAMP_TZ"}, event_time=None)
    hourly = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(500)]
    rows = stand_in(made, shape_of(pl.DataFrame({"at": hourly}), made), 2_000, 1)
    there = rows["at"].drop_nulls()
    assert (there.dt.truncate("1h") == there).all()
    assert there.is_between(hourly[0], hourly[-1]).all()


def test_decimals_keep_their_scale():
    made = contract({"price": "DECIMAL(9,2)"}, event_time=None, price=LOGICAL["exact"])
    prices = pl.DataFrame({"price": [Decimal(n) / 4 for n in range(100)]}).cast(pl.Decimal(9, 2))
    rows = stand_in(made, shape_of(prices, made), 500, 1)
    assert rows.schema == prices.schema
    assert rows["price"].max() <= Decimal("24.75")  # type: ignore[operator]
