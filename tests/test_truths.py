"""One handle, three truths: the same name and columns, other rows, and what is made says which."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import contract, put
from polars.testing import assert_frame_equal

from mesh_notebook.errors import (
    ContractError,
    DeployRefused,
    ExportRefused,
    MeshError,
    UnknownName,
    UnknownProduct,
    UsageError,
)
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import InputPin, Receipt

PLAYS = contract(
    {"play": "BIGINT", "listener": "VARCHAR", "day": "DATE", "seconds": "DOUBLE"},
    id="urn:dmesh:local:media:podcast-plays:plays:1",
    key=("play",),
)
ROWS = pl.DataFrame(
    {
        "play": range(1, 3_001),
        "listener": [f"l{n % 90}" for n in range(3_000)],
        "day": [date(2026, 1 + n % 3, 1 + n % 28) for n in range(3_000)],
        "seconds": [float(n % 600) for n in range(3_000)],
    }
)
SQL = "%%mesh sql daily\nSELECT day, count(*) AS n FROM plays GROUP BY day"


@pytest.fixture
def plays(shell: Any, tmp_path: Path) -> Any:
    """A notebook beside a mesh that holds live podcast plays."""
    put(tmp_path / ".mesh", ROWS, PLAYS)
    shell.run("import polars as pl")
    return shell


def connect(shell: Any, more: str = "") -> Any:
    return shell.run(f"%mesh connect podcast-plays --as plays {more}")


def export(shell: Any, frame: str = "daily", folder: str = "bundle", key: str = "day") -> Any:
    shell.run(f"%mesh product {folder} --domain media")
    shell.run(f"%mesh output daily {frame} --key {key}")
    return shell.run(f"%mesh export {folder}")


def pins(folder: Path) -> list[tuple[str, str, str]]:
    receipt = json.loads((folder / "receipt.json").read_text())
    return [(pin["name"], pin["version"], pin["origin"]) for pin in receipt["inputs"]]


# ---- connecting ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["mock", "sample", "live"])
def test_every_mode_has_the_same_columns_types_and_order(plays, mode) -> None:
    frame = connect(plays, f"--mode {mode}")
    assert frame.collect_schema() == frame.collect().schema == ROWS.schema
    told = plays.mesh.inputs["plays"]
    assert (told.mode, told.origin, told.frame is frame) == (mode, mode, True)


def test_every_type_that_a_port_can_serve_is_the_same_in_every_mode(shell, tmp_path) -> None:
    types = ["BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "VARCHAR"]
    types += ["DATE", "TIMESTAMP_TZ", "DECIMAL(12,2)", "VARCHAR[]", "BIGINT[]"]
    made = contract(
        {f"c{n}": name for n, name in enumerate(types)},
        id="urn:dmesh:local:media:wide:rows:1",
        event_time=None,
    )
    from mesh_notebook.mock.from_contract import mock

    put(tmp_path / ".mesh", mock(made, 20, 1), made)
    schemas = [
        shell.run(f"%mesh connect wide --mode {mode}").collect().schema
        for mode in ("mock", "sample", "live")
    ]
    assert schemas[0] == schemas[1] == schemas[2]


def test_a_mock_is_made_of_the_published_contract(plays) -> None:
    made = connect(plays, "--mode mock --rows 50 --seed 7").collect()
    assert made.height == 50
    assert_frame_equal(made, connect(plays, "--mode mock --rows 50 --seed 7").collect())
    assert not made.equals(connect(plays, "--mode mock --rows 50 --seed 8").collect())
    assert connect(plays, "--mode mock").collect().height == 1_000


def test_a_mock_reads_none_of_the_rows(plays, tmp_path) -> None:
    shutil.rmtree(tmp_path / ".mesh/media/podcast-plays/ports")
    assert connect(plays, "--mode mock --rows 5").collect().height == 5


def test_a_sample_is_of_the_live_rows_and_always_the_same(plays) -> None:
    made = connect(plays, "--mode sample --rows 100 --seed 7").collect()
    assert made.height == 100
    assert made.join(ROWS, on=made.columns, how="semi").height == 100
    assert_frame_equal(made, connect(plays, "--mode sample --rows 100 --seed 7").collect())
    assert connect(plays, "--mode sample").collect().height == 1_000


def test_mocks_join_with_the_mocks_of_their_upstream(shell, tmp_path) -> None:
    users = contract(
        {"user_id": "VARCHAR"},
        id="urn:dmesh:local:crm:users:profiles:1",
        event_time=None,
        key=("user_id",),
    )
    link = {"type": "ontology", "url": "urn:dmesh:local:crm:users:profiles#user_id"}
    visits = contract(
        {"visit": "BIGINT", "user_id": "VARCHAR"},
        id="urn:dmesh:local:web:visits:visits:1",
        event_time=None,
        key=("visit",),
        user_id={"authoritativeDefinitions": [link]},
    )
    for made in (users, visits):
        columns = {c.name: [1 if c.name == "visit" else "x"] for c in made.columns}
        put(tmp_path / ".mesh", pl.DataFrame(columns), made)
    known = shell.run("%mesh connect users --mode mock --rows 30").collect()
    met = shell.run("%mesh connect visits --mode mock --rows 500").collect()
    found = met["user_id"].drop_nulls()
    assert found.is_in(known["user_id"].implode()).all()
    assert shell.mesh.inputs["visits"].handle.recipe["populations"] == {link["url"]: 30}


@pytest.mark.parametrize("mode", ["mock", "sample", "live"])
def test_a_window_holds_in_every_mode(plays, mode) -> None:
    made = connect(plays, f"--mode {mode} --from 2026-02-03 --to 2026-02-10").collect()
    assert made["day"].min() >= date(2026, 2, 3)
    assert made["day"].max() < date(2026, 2, 10)
    inside = ROWS.filter(pl.col("day").is_between(date(2026, 2, 3), date(2026, 2, 9))).height
    assert made.height == {"mock": 1_000, "sample": inside, "live": inside}[mode]


def test_instants_are_mocked_inside_a_window_even_past_a_hint(shell, tmp_path) -> None:
    hint = [{"property": "mock", "value": {"between": ["2020-01-01", "2020-02-01"]}}]
    limits = {"minimum": "2026-01-01T00:00:00"}
    made = contract(
        {"n": "BIGINT", "at": "TIMESTAMP_TZ"},
        id="urn:dmesh:local:web:visits:visits:1",
        event_time="at",
        at={"customProperties": hint, "logicalTypeOptions": limits},
    )
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    put(tmp_path / ".mesh", pl.DataFrame({"n": [1], "at": [moment]}), made)
    start, end = "2026-03-01T10:00:00Z", "2026-03-01T11:30:00Z"
    rows = shell.run(f"%mesh connect visits --mode mock --from {start} --to {end}").collect()
    assert rows["at"].null_count() == 0
    assert rows["at"].min() >= datetime.fromisoformat(start)
    assert rows["at"].max() < datetime.fromisoformat(end)


@pytest.mark.parametrize("mode", ["mock", "sample"])
def test_a_window_of_a_port_without_event_time_is_refused(shell, tmp_path, mode) -> None:
    made = contract({"n": "BIGINT"}, id="urn:dmesh:local:a:b:c:1", event_time=None)
    put(tmp_path / ".mesh", pl.DataFrame({"n": [1]}), made)
    with pytest.raises(UsageError, match="no event time"):
        shell.run(f"%mesh connect b --mode {mode} --from 2026-01-01")


def test_as_of_picks_what_is_sampled(plays, tmp_path) -> None:
    first = plays.mesh.inputs
    moment = datetime.now(UTC).isoformat()
    later = ROWS.with_columns(pl.col("play") + 10_000)
    put(tmp_path / ".mesh", later, PLAYS)
    old = connect(plays, f"--mode sample --rows 10 --as-of {moment}").collect()
    assert old["play"].max() <= 3_000
    assert first["plays"].use("live").collect()["play"].max() <= 3_000  # the window goes along
    assert connect(plays, "--mode sample --rows 10").collect()["play"].min() > 10_000


@pytest.mark.parametrize("call", ["--mode real", "--mode mok"])
def test_an_unknown_mode_lists_the_known(plays, call) -> None:
    with pytest.raises(UsageError, match=r"live.*sample.*mock"):
        connect(plays, call)
    with pytest.raises(UsageError, match="known modes: live, sample, mock"):
        plays.run(f"mesh.connect('podcast-plays', mode='{call[7:]}')")
    assert "plays" not in plays.mesh.inputs


@pytest.mark.parametrize("more", ["--mode mock --rows 0", "--mode sample --rows -3"])
def test_fewer_than_one_row_is_refused(plays, more) -> None:
    with pytest.raises(UsageError, match="--rows 1 or more"):
        connect(plays, more)


def test_rows_of_the_live_data_cannot_be_chosen(plays) -> None:
    with pytest.raises(UsageError, match="--mode sample or mock"):
        connect(plays, "--rows 10")


# ---- said wherever it is shown -----------------------------------------------------------------


def test_a_sample_says_rows_method_and_seed_wherever_it_is_shown(plays, tmp_path) -> None:
    said = "100 of 3,000 rows by hash of play, seed 7"
    connect(plays, "--mode sample --rows 100 --seed 7")
    for value in ("plays", "mesh.inputs['plays']", "mesh.inputs"):
        card = plays.shown(plays.run(value))
        assert said in " ".join(card["text/plain"].split())
        assert said in card["text/html"]
        assert ">sample</span>" in card["text/html"]
    assert said in plays.shown(plays.run("%mesh"))["text/html"]
    plays.run(SQL)
    export(plays)
    spec = Bundle(tmp_path / "bundle").product
    assert spec.inputs[0].recipe == {
        "kind": "port",
        "major": "1",
        "address": "urn:dmesh:local:media:podcast-plays:plays",
        "mode": "sample",
        "rows": 100,
        "seed": 7,
        "view": {},
    }
    version = "1, sample of 100 rows by hash of play, seed 7"
    assert pins(tmp_path / "bundle") == [("plays", version, "sample")]
    assert "(sample, 100 rows, seed 7)" in (tmp_path / "bundle/README.md").read_text()
    deployed = plays.run("%mesh deploy bundle")
    assert deployed.receipt.inputs[0].version == version
    assert deployed.receipt.inputs[0].snapshot == 1
    for line in ("%mesh describe bundle", "%mesh history bundle", "%mesh connect bundle"):
        html = plays.shown(plays.run(line))["text/html"]
        assert "sample of 100 rows by hash of play, seed 7" in html
        assert ">sample</span>" in html
        assert ">draft</span>" in html


def test_a_mock_says_what_it_is_made_of_and_how_to_see_the_real_rows(plays) -> None:
    card = plays.shown(connect(plays, "--mode mock --rows 50 --seed 7"))
    assert "50 rows made from the contract of snapshot 1, seed 7" in card["text/html"]
    assert "urn:dmesh:local:media:podcast-plays:plays" in card["text/html"]
    assert "→ %mesh use plays live" in card["text/plain"]


def test_what_is_derived_says_its_origin_wherever_it_is_shown(plays) -> None:
    connect(plays, "--mode mock")
    plays.run(SQL)
    plays.run("%mesh product p --domain media")
    for line in ("%mesh profile daily", "%mesh output daily daily --key day", "%mesh check"):
        assert ">mock</span>" in plays.shown(plays.run(line))["text/html"]
    assert ", mock" in plays.shown(plays.run("%mesh"))["text/plain"]


# ---- switching ---------------------------------------------------------------------------------


def test_use_rebinds_the_name_in_python_and_in_sql(plays) -> None:
    connect(plays, "--mode mock --rows 50")
    plays.run("%%mesh sql counted\nSELECT count(*) AS n FROM plays")
    before = plays.names["counted"].item()
    shown = plays.run("mesh.inputs['plays'].use('live')")
    plays.run("%%mesh sql counted\nSELECT count(*) AS n FROM plays")
    assert (before, plays.names["counted"].item()) == (50, 3_000)
    assert plays.names["plays"] is shown
    assert plays.mesh.inputs["plays"].origin == "live"
    plays.run("%mesh use plays sample --rows 10 --seed 3")
    assert plays.run("plays.collect().height") == 10


def test_what_is_not_said_stays_as_it_is(plays) -> None:
    connect(plays, "--mode mock --rows 50 --seed 7")
    assert plays.run("%mesh use plays sample").collect().height == 50
    truth = plays.mesh.inputs["plays"].handle.truth
    assert (truth.rows, truth.seed) == (50, 7)


def test_an_input_is_known_by_the_name_that_it_was_assigned_to(plays) -> None:
    plays.run("mine = %mesh connect podcast-plays --mode mock --rows 5")
    plays.run("kept = mine")
    plays.run("mesh.inputs['mine'].use('live')")
    assert plays.names["mine"] is plays.names["podcast_plays"]
    assert plays.names["mine"].collect().height == 3_000
    assert plays.names["kept"].collect().height == 5  # put aside by hand: nobody's business
    plays.run("%%mesh sql counted\nSELECT count(*) AS n FROM mine")
    assert plays.names["counted"].item() == 3_000


def test_an_upstream_that_is_gone_leaves_the_old_binding_in_place(plays, tmp_path) -> None:
    old = connect(plays, "--mode mock --rows 50")
    (tmp_path / ".mesh").rename(tmp_path / "away")
    with pytest.raises(UnknownProduct, match="podcast-plays"):
        plays.run("%mesh use plays live")
    assert plays.names["plays"] is old
    assert plays.mesh.inputs["plays"].mode == "mock"
    plays.run("%%mesh sql counted\nSELECT count(*) AS n FROM plays")
    assert plays.names["counted"].item() == 50


def test_outside_a_notebook_nothing_is_taken_for_better_than_the_worst(plays, tmp_path) -> None:
    import mesh_notebook

    mesh = mesh_notebook.open(tmp_path / ".mesh")
    plays = mesh.connect("podcast-plays", name="plays")
    assert (mesh.origin(plays), mesh.origin(mesh.sql("n", "SELECT * FROM plays"))) == ("live",) * 2
    mesh.use("plays", "mock", rows=10)
    mesh.use("plays", "live")
    assert mesh.sql("n", "SELECT count(*) AS n FROM plays").item() == 3_000
    assert (mesh.origin("plays"), mesh.origin("n")) == ("live", "mock")


@pytest.mark.parametrize("mode", ["live", "sample"])
def test_rows_that_are_gone_leave_the_old_binding_in_place(plays, tmp_path, mode) -> None:
    old = connect(plays, "--mode mock --rows 50")
    for file in (tmp_path / ".mesh").rglob("*.parquet"):
        file.unlink()
    with pytest.raises(MeshError):
        plays.run(f"%mesh use plays {mode}")
    assert plays.names["plays"] is old
    plays.run("%%mesh sql counted\nSELECT count(*) AS n FROM plays")
    assert plays.names["counted"].item() == 50


def test_an_unknown_input_names_near_misses(plays) -> None:
    connect(plays)
    with pytest.raises(UnknownName, match="did you mean plays"):
        plays.run("%mesh use play mock")
    with pytest.raises(UnknownName, match="did you mean plays"):
        plays.run("mesh.inputs['plys']")
    assert plays.mesh.inputs.get("plys") is None
    assert list(plays.mesh.inputs) == ["plays"]


def test_a_mocked_contract_is_used_live_once_its_product_is_in_the_mesh(shell, tmp_path) -> None:
    (tmp_path / "plays.odcs.yaml").write_text(PLAYS.dumps())
    shell.run("%mesh mock plays.odcs.yaml --rows 20 --as plays")
    with pytest.raises(UnknownProduct, match="urn:dmesh:local:media:podcast-plays:plays"):
        shell.run("%mesh use plays live")
    put(tmp_path / ".mesh", ROWS, PLAYS)
    shell.run("%mesh use plays live")
    assert shell.names["plays"].collect().height == 3_000
    shell.run(SQL)
    export(shell)
    recipe = Bundle(tmp_path / "bundle").product.inputs[0].recipe
    assert recipe["address"] == "urn:dmesh:local:media:podcast-plays:plays"
    assert shell.run("%mesh deploy bundle").receipt.origin == "live"


def test_a_mocked_contract_of_no_port_has_no_live_rows(shell, tmp_path) -> None:
    text = PLAYS.dumps().replace(PLAYS.id, "some-id")
    (tmp_path / "plays.odcs.yaml").write_text(text)
    shell.run("%mesh mock plays.odcs.yaml --as plays")
    with pytest.raises(UsageError, match="some-id"):
        shell.run("%mesh use plays live")
    assert shell.run("%mesh use plays mock --rows 7").collect().height == 7


def test_a_product_with_other_columns_is_not_the_same_input(shell, tmp_path) -> None:
    (tmp_path / "plays.odcs.yaml").write_text(PLAYS.dumps())
    shell.run("%mesh mock plays.odcs.yaml --as plays")
    types = {"play": "VARCHAR", "listener": "VARCHAR", "day": "DATE", "country": "VARCHAR"}
    other = contract(types, id=PLAYS.id, key=("play",))
    frame = ROWS.select(pl.col("play").cast(pl.String), "listener", "day", country=pl.lit("DE"))
    put(tmp_path / ".mesh", frame, other)
    with pytest.raises(ContractError) as caught:
        shell.run("%mesh use plays live")
    for said in ("lacks seconds", "has country too", "play as String, not Int64", "%mesh connect"):
        assert said in str(caught.value)
    assert shell.mesh.inputs["plays"].mode == "mock"


def test_a_source_can_be_sampled_but_not_mocked(plays, tmp_path) -> None:
    ROWS.write_csv(tmp_path / "plays.csv")
    plays.run("%mesh source plays plays.csv")
    assert plays.run("%mesh use plays sample --rows 12").collect().height == 12
    assert "by hash of the whole row" in plays.shown(plays.names["plays"])["text/plain"]
    with pytest.raises(UsageError, match="%mesh mock plays --like"):
        plays.run("%mesh use plays mock")
    plays.run("out = plays.select('play')")
    export(plays, "out", key="play")
    deployed = plays.run("%mesh deploy bundle")
    assert (deployed.receipt.origin, deployed.receipt.status) == ("sample", "draft")
    assert re.match(r"[0-9a-f]{64}, sample of 12 rows", deployed.receipt.inputs[0].version)
    assert plays.run("%mesh use plays live").collect().height == 3_000


# ---- origin --------------------------------------------------------------------------------------


def test_what_was_derived_before_keeps_its_origin(plays) -> None:
    connect(plays, "--mode mock")
    plays.run(SQL)
    plays.run("late = plays.filter(pl.col('seconds') > 60)\nalone = pl.DataFrame({'a': [1]})")
    plays.run("%mesh use plays sample")
    plays.run("new = plays.head(3)\nboth = new.join(late, on='play')")
    plays.run("%mesh use plays live")
    plays.run("real = plays.head(3)")
    told = {n: plays.mesh.origin(n) for n in ("daily", "late", "new", "both", "real", "alone")}
    assert told == {
        **{"daily": "mock", "late": "mock", "new": "sample", "both": "mock"},
        **{"real": "live", "alone": "live"},
    }
    assert plays.mesh.origin(plays.names["both"]) == "mock"


def test_origin_is_known_in_the_cell_that_makes_a_frame(plays) -> None:
    connect(plays, "--mode mock")
    plays.run("%mesh use plays live\nlive = plays.head(2)\ntold = mesh.origin('live')")
    assert plays.names["told"] == "live"
    plays.run("%mesh use plays mock\nmade = plays.head(2)\ntold = mesh.origin('made')")
    assert plays.names["told"] == "mock"


@pytest.mark.parametrize(
    "cell",
    [
        "outside = pl.read_csv('dump.csv')",
        "get_ipython().user_ns['outside'] = plays.collect()",
        "outside = eval('plays')",
        "for one in [1]:\n    outside = mesh.connect('podcast-plays')",
    ],
)
def test_a_frame_that_the_record_cannot_account_for_may_have_touched_everything(
    plays, tmp_path, cell
) -> None:
    ROWS.write_csv(tmp_path / "dump.csv")
    connect(plays, "--mode mock")
    plays.run("%mesh use plays live")
    plays.run(cell)
    plays.run("derived = outside.head(1)")
    assert plays.mesh.origin("derived") == "mock"
    assert plays.mesh.origin(pl.DataFrame({"nameless": [1]})) == "mock"


def test_what_was_bound_before_the_extension_was_loaded_again_is_not_taken_for_real(plays) -> None:
    connect(plays, "--mode mock")
    plays.run("made = plays.head(2)")
    plays.run("%unload_ext mesh_notebook")
    plays.run("%load_ext mesh_notebook")
    assert plays.mesh.origin("made") == "mock"


def test_what_another_workspace_bound_is_not_taken_for_real(plays) -> None:
    plays.run("import mesh_notebook\nother = mesh_notebook.open()")
    plays.run("made = other.connect('podcast-plays', mode='mock')")
    plays.run("derived = made.head(2)\nown = %mesh connect podcast-plays --as plays")
    assert plays.mesh.origin("derived") == "mock"
    assert plays.mesh.origin("own") == "live"


def test_no_trace_is_kept_where_everything_is_live(plays) -> None:
    connect(plays)
    plays.run(SQL)
    assert plays.mesh.origin("daily") == "live"
    assert "trace" not in vars(plays.mesh)


# ---- export and deployment -----------------------------------------------------------------------


def test_the_code_below_does_not_change_from_mock_to_live(plays, tmp_path) -> None:
    connect(plays, "--mode mock")
    plays.run(SQL)
    mocked = export(plays)
    plays.run("mesh.inputs['plays'].use('live')")
    plays.run(SQL)
    live = export(plays, folder="real")
    assert (mocked.origin, live.origin, live.inputs) == ("mock", "live", ("plays",))
    first, second = (tmp_path / f / "transform.py" for f in ("bundle", "real"))
    assert first.read_text().splitlines()[1:] == second.read_text().splitlines()[1:]
    statuses = [Bundle(tmp_path / f).product.status for f in ("bundle", "real")]
    assert statuses == ["draft", "active"]


def test_the_export_pins_what_the_slice_read_and_not_what_the_name_means_now(
    plays, tmp_path
) -> None:
    connect(plays, "--mode mock --rows 40 --seed 5")
    plays.run(SQL)
    plays.run("%mesh use plays live")
    export(plays)
    assert pins(tmp_path / "bundle") == [("plays", "40 rows, seed 5", "mock")]
    assert Bundle(tmp_path / "bundle").product.status == "draft"


@pytest.mark.parametrize(
    "use",
    [
        "%mesh use plays live",
        "mesh.use('plays', 'live')",
        "mesh.inputs['plays'].use('live')",
        "plays = mesh.inputs['plays'].use('live')",
        "one = mesh.inputs['plays']\none.use('live')",
    ],
)
def test_a_slice_that_mixes_two_truths_of_one_name_is_refused(plays, tmp_path, use) -> None:
    connect(plays, "--mode mock")  # In[3]
    plays.run("old = plays.sort('play').head(5)")
    plays.run(use)
    plays.run("both = plays.join(old, on='play', how='anti')")
    with pytest.raises(ExportRefused) as caught:
        export(plays, "both", key="play")
    assert (caught.value.cell, caught.value.name) == (4, "plays")
    assert "In[4] read `plays` as mock, as In[3] bound it" in str(caught.value)
    assert "In[6] reads it as live, as In[5] does" in str(caught.value)
    assert not (tmp_path / "bundle").exists()
    plays.run("old = plays.sort('play').head(5)")
    plays.run("both = plays.join(old, on='play', how='anti')")
    assert export(plays, "both", key="play").origin == "live"


def test_two_ports_of_one_product_are_made_of_one_truth(plays) -> None:
    connect(plays, "--mode mock")
    plays.run("old = plays.head(5)")
    plays.run("%mesh use plays live")
    plays.run("new = plays.head(7)")
    plays.run("%mesh product p --domain media")
    plays.run("%mesh output older old --key play")
    plays.run("%mesh output newer new --key play")
    with pytest.raises(ExportRefused, match=r"In\[4\] read `plays` as mock"):
        plays.run("%mesh export bundle")


def test_use_inside_a_larger_expression_is_the_input_that_it_binds(plays, tmp_path) -> None:
    connect(plays, "--mode mock")
    plays.run("few = mesh.inputs['plays'].use('sample', rows=30).select('play')")
    export(plays, "few", key="play")
    assert "few = plays.select" in (tmp_path / "bundle/transform.py").read_text()
    assert pins(tmp_path / "bundle")[0][2] == "sample"


def test_use_inside_a_loop_is_refused(plays) -> None:
    connect(plays, "--mode mock")
    plays.run("for name in mesh.inputs:\n    mesh.inputs[name].use('live')")
    plays.run("few = plays.head(3)")
    assert plays.mesh.origin("few") == "mock"  # which of the two it is, the code does not say
    with pytest.raises(ExportRefused, match=r"mesh\.use inside a loop"):
        export(plays, "few", key="play")


def test_a_mock_of_a_port_is_deployed_from_the_bundle_alone(plays, tmp_path) -> None:
    connect(plays, "--mode mock --rows 60 --seed 3 --from 2026-02-01 --to 2026-03-01")
    plays.run("out = plays.select('play', 'day')")
    export(plays, "out", key="play")
    shutil.rmtree(tmp_path / ".mesh/media/podcast-plays")
    deployed = plays.run("%mesh deploy bundle")
    assert (deployed.receipt.origin, deployed.receipt.status) == ("mock", "draft")
    pin = deployed.receipt.inputs[0]
    assert (pin.kind, pin.where, pin.snapshot) == ("mock", PLAYS.id, None)
    read = plays.run("%mesh connect bundle").collect()
    assert_frame_equal(read.sort("play"), plays.names["out"].collect().sort("play"))


@pytest.mark.parametrize("mode", ["mock", "sample"])
def test_what_is_not_live_is_published_as_nothing_but_a_draft(plays, tmp_path, mode) -> None:
    connect(plays, f"--mode {mode}")
    plays.run("out = plays.select('play')")
    plays.run("%mesh product bundle --domain media --status active")
    plays.run("%mesh output daily out --key play")
    plays.run("%mesh export bundle")
    with pytest.raises(DeployRefused, match=f"plays is {mode}"):
        plays.run("%mesh deploy bundle")
    assert not (tmp_path / ".mesh/media/bundle").exists()


def test_what_connects_to_a_draft_inherits_the_worst_origin(plays) -> None:
    connect(plays, "--mode mock --rows 20")
    plays.run("out = plays.select('play')")
    export(plays, "out", key="play")
    plays.run("%mesh deploy bundle")
    for mode, origin in (("live", "mock"), ("sample", "mock"), ("mock", "mock")):
        plays.run(f"%mesh connect bundle --as again --mode {mode}")
        told = plays.mesh.inputs["again"]
        assert (told.mode, told.origin) == (mode, origin)
    plays.run("%mesh connect bundle --as again")
    card = plays.shown(plays.names["again"])["text/html"]
    assert "mock: the product is made of urn:dmesh:local:media:podcast-plays" in card
    plays.run("twice = again.with_columns(n=pl.lit(1))")
    assert export(plays, "twice", "second", key="play").origin == "mock"
    receipt = plays.run("%mesh deploy second").receipt
    assert (receipt.origin, receipt.status) == ("mock", "draft")


def test_a_receipt_is_never_better_than_its_inputs() -> None:
    pin = InputPin("plays", "mock", "urn:x", "10 rows, seed 0", Origin.MOCK)
    fields: dict[str, Any] = dict.fromkeys(
        ("product", "version", "status", "processing_time", "release", "spec_digest"), ""
    )
    with pytest.raises(ValueError, match="made of mock data"):
        Receipt(**fields, snapshot=1, origin=Origin.SAMPLE, code_digest="", inputs=(pin,), ports={})
