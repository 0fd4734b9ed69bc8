"""One definition of the same row: for proofs, events, logs, drift, and what is published again."""

from __future__ import annotations

import math
import tempfile
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from bundles import Clock, contract, deployed, opener, write_bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listeners import NOBODY, OFFICER, ROWS, Listeners, mask, policy
from ports import PublishedPort, frame_of, typed_contract
from test_kinds import Port

import mesh_notebook
from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.mesh.drift import distance
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.log import news_of
from mesh_notebook.mesh.rows import ABSOLUTE, REL, REL_32, difference, kept, same
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import Mask, RowFilter
from mesh_notebook.model.product import InputPort
from mesh_notebook.model.receipt import InputPin

NAN, INF = math.nan, math.inf
NOISE = 1 + REL / 4


# ---- when two values are the same ---------------------------------------------------------------


def the_same(one: Any, other: Any, dtype: pl.DataType) -> bool:
    """Say it one value at a time, as the definition is written."""
    if isinstance(dtype, pl.Struct) and one is not None and other is not None:
        return all(the_same(one[f.name], other[f.name], f.dtype) for f in dtype.fields)
    if isinstance(dtype, pl.List | pl.Array) and one is not None and other is not None:
        alike = (the_same(x, y, dtype.inner) for x, y in zip(one, other, strict=False))
        return len(one) == len(other) and all(alike)
    if one is None or other is None or not dtype.is_float():
        return one == other
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or (math.isnan(one) and math.isnan(other))
    share = REL_32 if dtype == pl.Float32 else REL
    return abs(one - other) <= max(share * max(abs(one), abs(other)), ABSOLUTE)


DOUBLES = (0.0, -0.0, 1e-16, 1.0, 1.0 + 1e-12, 1.5, 1e308, -1e308, 1.7e308, NAN, INF, -INF, None)
SINGLES = (0.0, 1.0, 1.0000002, 1.5, NAN, INF, None)
PAIR = pl.Struct({"x": pl.Float64, "n": pl.Int64, "y": pl.Float32})


def values_of(dtype: pl.DataType) -> st.SearchStrategy[Any]:
    if isinstance(dtype, pl.Struct):
        return st.none() | st.fixed_dictionaries({f.name: values_of(f.dtype) for f in dtype.fields})
    if isinstance(dtype, pl.List):
        return st.none() | st.lists(values_of(dtype.inner), max_size=2)
    if isinstance(dtype, pl.Array):
        return st.none() | st.lists(values_of(dtype.inner), min_size=2, max_size=2)
    if dtype.is_float():
        return st.sampled_from(SINGLES if dtype == pl.Float32 else DOUBLES)
    return st.sampled_from((1, 2, None))


TYPES = [
    pl.Float64(),
    pl.Float32(),
    pl.Int64(),
    pl.List(pl.Float64),
    pl.Array(pl.Float64, 2),
    PAIR,
    pl.List(PAIR),
    pl.List(pl.List(pl.Float32)),
    pl.Struct({"many": pl.List(PAIR), "one": pl.Float64}),
]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@given(data=st.data())
@settings(deadline=None, max_examples=10)
def test_values_are_the_same_as_the_definition_says_inside_lists_and_structs_too(dtype, data):
    few = data.draw(st.lists(values_of(dtype), min_size=1, max_size=12))
    pairs = [(one, other) for one in few for other in few]
    columns = {
        name: pl.Series([pair[at] for pair in pairs], dtype=dtype) for at, name in enumerate("ab")
    }
    frame = pl.DataFrame(columns)
    told = frame.select(same(pl.col("a"), pl.col("b"), dtype)).to_series().to_list()
    assert told == [the_same(one, other, dtype) for one, other in frame.rows()]


def test_a_frame_of_nested_floats_is_proved_up_to_noise():
    frame = pl.DataFrame({"id": [1, 2], "l": [[0.1, NAN], []], "s": [{"x": 3.0}, {"x": None}]})
    noisy = pl.DataFrame(
        {"id": [2, 1], "l": [[], [0.1 * NOISE, NAN]], "s": [{"x": None}, {"x": 3.0 * NOISE}]}
    )
    assert difference(frame, noisy) is None
    other = noisy.with_columns(l=pl.Series([[], [0.2, NAN]]))
    assert "only in the clean process: id=1" in str(difference(frame, other))


def test_of_rows_that_differ_in_noise_and_in_more_only_the_second_are_told():
    ours = pl.DataFrame({"day": [1, 2], "x": [0.1, 0.2], "y": [1.0, 2.0]})
    theirs = pl.DataFrame({"day": [1, 2], "x": [0.1 * NOISE, 0.2 * NOISE], "y": [1.0, 3.0]})
    said = str(difference(ours, theirs, ["day"]))
    assert "day=2: y is 2.0 in the notebook, 3.0 in the clean process" in said
    assert "x is" not in said
    assert "day=1" not in said


# ---- what keeps its stored value ----------------------------------------------------------------

_SHARES = st.sampled_from([1.0, 1.0 + REL / 3, 1.0 - REL / 3])
_FLOATS = st.sampled_from([0.0, 0.5, 1.0, 123456.789, 1e300, NAN, INF, None])


def by(value: float | None, share: float) -> float | None:
    """Return a value a little larger; of nothing at all, with the other sign."""
    sign = -1.0 if share != 1 and value == 0 else 1.0
    return None if value is None else value * share * sign


@st.composite
def noisy_pairs(draw: st.DrawFn, keyed: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return rows, and the same rows in another order, within noise."""
    many = draw(st.integers(0, 8))

    def drawn(values: st.SearchStrategy[Any]) -> list[Any]:
        return [draw(values) for _ in range(many)]

    floats, shares = drawn(_FLOATS), drawn(_SHARES)
    inner, order = drawn(st.lists(_FLOATS, max_size=2)), draw(st.permutations(range(many)))
    names = list(range(many)) if keyed else drawn(st.integers(0, 1))

    def frame(at: list[float]) -> pl.DataFrame:
        moved = [by(x, s) for x, s in zip(floats, at, strict=True)]
        lists = [[by(x, s) for x in many_of] for many_of, s in zip(inner, at, strict=True)]
        columns = {"n": names, "x": moved, "l": lists}
        return pl.DataFrame(columns, {"n": pl.Int64, "x": pl.Float64, "l": pl.List(pl.Float64)})

    return frame([1.0] * many), frame(shares)[list(order)]


COLUMNS = {"n": "BIGINT", "x": "DOUBLE", "l": "DOUBLE[]"}


@pytest.mark.parametrize("key", [("n",), ()], ids=["keyed", "keyless"])
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_rows_within_noise_of_those_that_are_stored_are_those_that_are_stored(key, data):
    stored, noisy = data.draw(noisy_pairs(keyed=bool(key)))
    found = kept(noisy, stored.lazy(), key)
    assert bits(found) == bits(stored)
    assert found["n"].to_list() == noisy["n"].to_list()


def bits(frame: pl.DataFrame) -> list[str]:
    return sorted(map(repr, frame.rows()))


def test_a_key_of_floats_has_noise_of_its_own():
    stored = pl.DataFrame({"x": [0.1, 0.2, -0.0], "n": [1, 2, 3]})
    noisy = pl.DataFrame({"x": [0.0, 0.2 * NOISE, 0.1], "n": [3, 2, 1]})
    assert bits(kept(noisy, stored.lazy(), ["x"])) == bits(stored)


def test_a_row_of_which_anything_else_differs_is_as_it_was_computed():
    stored = pl.DataFrame({"n": [1, 2], "x": [0.1, 0.2], "t": ["a", "b"]})
    other = pl.DataFrame({"n": [1, 2], "x": [0.1 * NOISE, 0.2 * NOISE], "t": ["a", "c"]})
    assert kept(other, stored.lazy(), ["n"])["x"].to_list() == [0.1, 0.2 * NOISE]


def test_rows_without_a_key_that_lie_close_together_are_paired_one_to_one():
    steps = (
        np.arange(200) * 1e-16
    )  # each within noise of its neighbours, the ends of each other not
    stored = pl.DataFrame({"x": 1e-14 + steps, "y": ["a"] * 200})
    noisy = stored.with_columns(pl.col("x") + 3e-17).reverse()
    assert bits(kept(noisy, stored.lazy(), [])) == bits(stored)


# ---- what is published again --------------------------------------------------------------------

MEANS = """
import polars as pl


def daily(flights):
    return flights.group_by("airport").agg(pl.col("delay").mean())
"""
KEYED = typed_contract(COLUMNS, event_time=None)
KEYLESS = typed_contract(COLUMNS, key=(), event_time=None)


def means_bundle(folder: Path, version: str = "1.0.0", **more: Any) -> Path:
    columns = {"airport": "BIGINT", "delay": "DOUBLE"}
    port = contract(columns, event_time=None, key=("airport",))
    transform = f"{MEANS}\n\nVERSION = '{version}'\n"
    return write_bundle(folder, version=version, ports={"daily": port}, transform=transform, **more)


@cache
def many_flights() -> pl.DataFrame:
    """Return so many rows that the means of their parts differ in their last bits."""
    dice = np.random.default_rng(1)
    return pl.DataFrame(
        {"airport": dice.integers(0, 50, 200_000), "delay": dice.normal(10, 30, 200_000)}
    )


def events_of(root: Path, port: str = "airport-delays") -> list[dict[str, Any]]:
    return list(mesh_notebook.open(root, principal="bo").port(port).events())


@pytest.mark.parametrize("kind", ["source", "port"])
def test_three_deployments_on_the_same_input_are_one_publication_of_fifty_events(tmp_path, kind):
    made, root = means_bundle(tmp_path / "b"), tmp_path / "mesh"

    def opens(port: InputPort, bundle: Path) -> OpenedInput:
        pin = InputPin(port.name, kind, "urn:dmesh:local:travel:flights:all", "7", Origin.LIVE)
        return OpenedInput(many_flights(), pin)

    done = [deploy(made, root, opens, principal="ana", clock=Clock()) for _ in range(3)]
    assert [one.unchanged for one in done] == [False, True, True]
    assert [one.receipt.snapshot for one in done] == [1, 1, 1]
    assert len(events_of(root)) == 50


def test_other_releases_on_the_same_rows_in_another_order_make_no_events(tmp_path):
    root, flights, stored = tmp_path / "mesh", many_flights(), []
    for at, version in enumerate(("1.0.0", "1.0.1", "2.0.0", "2.0.1")):
        mixed = flights.sample(fraction=1.0, shuffle=True, seed=at)
        made = means_bundle(tmp_path / f"b{at}", version)
        assert deployed(made, root, Clock(), flights=mixed).receipt.snapshot == at + 1
        frame = mesh_notebook.open(root, principal="bo").port("airport-delays").lazy().collect()
        stored.append(frame.sort("airport"))
    assert len(events_of(root)) == 50
    assert all(bits(one) == bits(stored[0]) for one in stored)


def test_nothing_is_run_where_the_release_stands_on_the_same_inputs(tmp_path):
    made, root, told = means_bundle(tmp_path / "b"), tmp_path / "mesh", []
    flights = many_flights().head(100)
    deployed(made, root, Clock(), flights=flights)
    deploy(
        made,
        root,
        opener({"flights": flights}),
        principal="bo",
        clock=Clock(),
        progress=told.append,
    )
    assert told[-1] == "snapshot 1 holds this release on these inputs already"
    assert not any("run the transform" in step for step in told)


def test_what_a_killed_publisher_left_goes_also_where_nothing_is_published(tmp_path):
    made, root = means_bundle(tmp_path / "b"), tmp_path / "mesh"
    flights = many_flights().head(100)
    deployed(made, root, Clock(), flights=flights)
    left = root / ".aside" / "travel.airport-delays.0123456789abcdef" / "daily.arrow"
    left.parent.mkdir()
    left.write_bytes(b"rows")
    assert deployed(made, root, Clock(), flights=flights).unchanged
    assert not left.exists()


def test_another_picture_since_then_is_published_over(tmp_path):
    made, root = means_bundle(tmp_path / "b"), tmp_path / "mesh"
    flights = many_flights().head(1000)
    for frame in (flights, flights.head(10), flights):
        assert not deployed(made, root, Clock(), flights=frame).unchanged
    assert not deployed(
        means_bundle(tmp_path / "b", "1.0.1"), root, Clock(), flights=flights
    ).unchanged


def drifting(share: float) -> pl.DataFrame:
    return frame_of(KEYED, {"n": [1], "x": [1.0 + share], "l": [[1.0 + share]]})


@pytest.mark.parametrize("made", [KEYED, KEYLESS], ids=["keyed", "keyless"])
def test_drift_by_less_than_noise_each_time_is_told_once_it_is_more(tmp_path, made):
    port = PublishedPort(tmp_path, made)
    port.publish(*(drifting(step * 0.3e-9) for step in range(12)))
    shown = port.port().lazy().collect()["x"].item()
    assert abs(shown - (1 + 11 * 0.3e-9)) <= 1e-9
    # The fourth step is more than noise away from what is stored, and so is each fourth after it.
    values = [event["data"]["x"] for event in port.port().events() if "upserted" in event["type"]]
    assert [round((value - 1) / 0.3e-9) for value in values] == [0, 4, 8]


@pytest.mark.parametrize("made", [KEYED, KEYLESS], ids=["keyed", "keyless"])
@given(data=st.data())
@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
def test_the_events_of_equal_rows_published_again_are_none(made, data):
    stored, noisy = data.draw(noisy_pairs(keyed=bool(made.key)))
    with tempfile.TemporaryDirectory() as folder:
        port = PublishedPort(Path(folder), made)
        port.publish(stored)
        port.renew(made, "1.0.1").publish(stored.reverse())
        port.renew(made, "1.0.2").publish(noisy)
        assert port.receipt.snapshot == 3
        assert len(list(port.port().events())) == stored.height
        assert bits(port.port().lazy().collect()) == bits(stored)


_INPUTS = st.lists(st.tuples(st.integers(0, 3), st.floats(0.001, 1e6)), min_size=1, max_size=40)
_SUMS = "SELECT n, avg(x) AS x, [sum(x)] AS l FROM rows GROUP BY n"


def on_polars(rows: pl.DataFrame) -> pl.DataFrame:
    grouped = rows.group_by("n").agg(pl.col("x").mean(), l=pl.col("x").sum())
    return grouped.with_columns(l=pl.concat_list("l"))


def on_duckdb(rows: pl.DataFrame) -> pl.DataFrame:
    import duckdb

    with duckdb.connect() as con:
        con.register("rows", rows.to_arrow())
        return con.sql(_SUMS).pl()


@given(values=_INPUTS, seed=st.integers(0, 9))
@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
def test_what_polars_and_duckdb_make_of_equal_inputs_is_news_once(values, seed):
    rows = pl.DataFrame(values, {"n": pl.Int64, "x": pl.Float64}, orient="row")
    mixed = rows.sample(fraction=1.0, shuffle=True, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        port = PublishedPort(Path(folder), KEYED)
        for at, made in enumerate((on_polars(rows), on_duckdb(mixed), on_polars(mixed))):
            port.renew(KEYED, f"1.0.{at}").publish(frame_of(KEYED, made.to_dict(as_series=False)))
        assert len(list(port.port().events())) == rows["n"].n_unique()


# ---- under each kind of port, and each policy ---------------------------------------------------

PLAYS = {"id": "BIGINT", "day": "DATE", "x": "DOUBLE"}


def plays(*values: tuple[int, int, float]) -> pl.DataFrame:
    days = [(id, date(2026, month, 1), x) for id, month, x in values]
    return pl.DataFrame(days, {"id": pl.Int64, "day": pl.Date, "x": pl.Float64}, orient="row")


@pytest.fixture(params=[("id",), ()], ids=["keyed", "keyless"])
def monthly(tmp_path: Path, request: pytest.FixtureRequest) -> Port:
    port = Port(tmp_path, {"kind": "snapshot", "interval": "P1M"})
    port.bundle(columns=PLAYS, key=request.param)
    return port


def publish(port: Port, frame: pl.DataFrame) -> Any:
    from bundles import published

    return published(port.made, port.root, port.clock, plays=frame)


def test_the_picture_of_an_interval_keeps_the_values_of_that_interval(monthly):
    january, february = plays((1, 1, 0.1), (2, 1, 0.2)), plays((1, 2, 0.3))
    publish(monthly, january)
    publish(monthly, february)
    monthly.bundle("1.0.1", columns=PLAYS, key=("id",) if monthly.read().contract.key else ())
    again = publish(monthly, january.with_columns(pl.col("x") * NOISE))
    assert (again.snapshot, again.ports["plays"].interval[:7]) == (3, "2026-01")
    assert [x for *_, x in monthly.rows("2026-01", "2026-03")] == [0.1, 0.3, 0.2]
    assert len(events_of(monthly.root, "plays")) == 3


def test_an_interval_that_is_published_again_beside_later_ones_is_unchanged(monthly):
    january = plays((1, 1, 0.1))
    first = publish(monthly, january)
    publish(monthly, plays((1, 2, 0.3)))
    assert publish(monthly, january) == first


def test_a_log_is_not_corrected_by_noise(tmp_path):
    log = Port(tmp_path, {"kind": "log", "eventTime": "day"})
    log.bundle(columns=PLAYS)
    publish(log, plays((1, 1, 0.1), (2, 1, 0.2)))
    told = publish(log, plays((1, 1, 0.1 * NOISE), (2, 1, 0.25), (3, 1, 0.3))).ports["plays"]
    assert (told.added, told.corrected) == (2, 1)
    assert [x for *_, x in log.rows()] == [0.1, 0.25, 0.3]


def test_noise_is_no_news_to_a_gate_that_looks_at_what_a_log_has_not_yet():
    made = contract(PLAYS, key=("id",))
    known = plays((1, 1, 0.1), (2, 1, 0.2))
    told = news_of(plays((1, 1, 0.1 * NOISE), (2, 1, 0.3)), known.lazy(), made)
    assert (told.rows["id"].to_list(), told.corrected) == ([2], 1)


def test_a_wide_port_keeps_its_values(tmp_path, monkeypatch):
    monkeypatch.setattr("mesh_notebook.mesh.store._WIDE", 10)
    monkeypatch.setattr("mesh_notebook.mesh.store._A_DAY", 4)
    port = Port(tmp_path, {"kind": "snapshot"})
    port.bundle(columns=PLAYS)
    wide = plays(*((n, 1 + n % 3, n / 7) for n in range(12)))
    publish(port, wide)
    assert any("_event_date=" in path for path in port.read().scan.paths)
    port.bundle("1.0.1", columns=PLAYS)
    publish(port, wide.with_columns(pl.col("x") * NOISE).reverse())
    assert port.rows() == sorted(wide.rows())
    assert len(events_of(port.root, "plays")) == 12


@pytest.fixture(params=["snapshot", "log"])
def listeners(tmp_path: Path, request: pytest.FixtureRequest) -> Listeners:
    return Listeners(tmp_path, kind=request.param)


POLICIES = {
    "no policy": policy(),
    "sealed floats": policy(mask("minutes", "null")),
    "floats in bands, sealed": policy(mask("minutes", "generalise", to="5")),
    "floats in bands, for good": policy(Mask("minutes", "generalise", to="5")),
    "a key of tokens": policy(Mask("user", "tokenise")),
    "a key of tokens, sealed": policy(mask("user", "tokenise"), mask("email", "redact")),
    "a subject that can be erased": policy(mask("user", "tokenise"), subject="user"),
    "rows that a filter hides": policy(rows=(RowFilter("country = 'DE'", ("privacy-officer",)),)),
}


@pytest.mark.parametrize("named", [name for name in POLICIES if name != "no policy"])
def test_rows_under_a_policy_keep_their_values(listeners, named):
    wanted = POLICIES[named]
    first = listeners.publish(policy=wanted).ports["listeners"]
    seen = [bits(listeners.rows(who)) for who in (OFFICER, NOBODY)]
    noisy = ROWS.with_columns(pl.col("minutes") * NOISE).reverse()
    again = listeners.publish(noisy, policy=wanted).ports["listeners"]
    assert again.content == first.content
    assert [bits(listeners.rows(who)) for who in (OFFICER, NOBODY)] == seen
    assert again.corrected == 0


def test_noise_at_the_edge_of_a_band_is_in_that_band(listeners):
    edge = ROWS.with_columns(minutes=pl.Series([10.0, 20.0, -5.0, 0.0]))
    listeners.publish(edge, policy=policy(Mask("minutes", "generalise", to="5")))
    seen = bits(listeners.rows(NOBODY))
    again = listeners.publish(edge.with_columns(pl.col("minutes") * (2 - NOISE)))
    assert (again.snapshot, again.ports["listeners"].corrected) == (2, 0)
    assert bits(listeners.rows(NOBODY)) == seen
    assert listeners.publish(edge.with_columns(pl.col("minutes") - 0.1)).snapshot > 1
    assert listeners.rows(NOBODY)["minutes"].to_list() == [5.0, 15.0, -10.0, -5.0]


def test_rows_keep_their_values_when_the_policy_changes(listeners):
    listeners.publish(policy=POLICIES["no policy"])
    noisy = ROWS.with_columns(pl.col("minutes") * NOISE)
    listeners.publish(noisy, policy=POLICIES["sealed floats"])
    assert listeners.rows(OFFICER)["minutes"].to_list() == ROWS["minutes"].to_list()


def test_a_port_on_s3_keeps_its_values(tmp_path, s3):
    port = Port(tmp_path, {"kind": "snapshot"}, root=f"{s3.url}/mesh")
    port.bundle(columns=PLAYS)
    publish(port, plays((1, 1, 0.1), (2, 1, 0.2)))
    port.bundle("1.0.1", columns=PLAYS)
    again = publish(port, plays((2, 1, 0.2 * NOISE), (1, 1, 0.1 * NOISE), (3, 1, 0.3)))
    assert again.snapshot == 2
    assert [x for *_, x in port.rows()] == [0.1, 0.2, 0.3]
    assert len(events_of(port.root, "plays")) == 3


def test_a_picture_that_cannot_be_read_any_more_is_published_over(tmp_path):
    port = Port(tmp_path, {"kind": "snapshot"})
    port.bundle(columns=PLAYS)
    publish(port, plays((1, 1, 0.1)))
    for path in port.read().scan.paths:
        Path(path).write_bytes(b"lost")
    for version, value in (("1.0.1", 0.1), ("1.0.2", 0.2)):
        port.bundle(version, columns=PLAYS)
        publish(port, plays((1, 1, value)))
        assert [x for *_, x in port.rows()] == [value]


def test_values_of_a_mock_are_not_kept_among_real_ones(tmp_path):
    port = PublishedPort(tmp_path, KEYED)
    port.publish(drifting(0.0), origin=Origin.MOCK, status="draft")
    port.publish(drifting(REL / 4))
    assert port.port().lazy().collect()["x"].item() == 1.0 + REL / 4
    assert len(list(port.port().events())) == 1


# ---- drift --------------------------------------------------------------------------------------


def shape(*values: Any) -> dict[str, Any]:
    return {"nulls": 0.0, "distinct": 40, "quantiles": list(values)}


def test_noise_in_quantiles_is_no_drift_and_the_next_microsecond_may_be():
    one = shape(0.1, 0.2, 0.3, 0.4, 0.5)
    assert distance(one, shape(*(x * NOISE for x in one["quantiles"]))) == 0.0
    constant, noisy = shape(*[0.3] * 5), shape(*[0.1 + 0.2] * 5)
    assert distance(constant, noisy) == 0.0
    assert distance(constant, shape(*[0.30001] * 5)) > 0.9
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [shape(*[(start + timedelta(microseconds=n)).isoformat()] * 5) for n in (0, 1)]
    assert distance(*times) > 0.9
    assert distance(shape(*[10**12] * 5), shape(*[10**12 + 1] * 5)) > 0.9


def exported(shell: Any, folder: Path) -> Path:
    """Export a product of one mean by airport, of 200,000 rows."""
    many_flights().write_parquet(folder / "flights.parquet")
    shell.run("import polars as pl")
    shell.run("%mesh source flights flights.parquet")
    shell.run("%mesh product airport-delays --domain travel --owner travel")
    shell.run("daily = flights.group_by('airport').agg(pl.col('delay').mean())")
    shell.run("%mesh output daily daily --key airport")
    shell.run("%mesh export bundle")
    return folder / "bundle"


def test_what_another_engine_sums_of_the_same_inputs_is_no_news(shell, tmp_path):
    """It is run, since that engine was asked for, and gives the same rows."""
    exported(shell, tmp_path)
    first = shell.run("%mesh deploy bundle")
    again = shell.run("%mesh deploy bundle --engine duckdb")
    assert (again.unchanged, again.receipt) == (True, first.receipt)
    assert again.checks["daily"].passed  # of rows that were made
    assert shell.run("%mesh deploy bundle").checks == {}
    assert len(list(shell.mesh.port("airport-delays").events())) == 50
