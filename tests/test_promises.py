"""Promises at the front door: rehearsed, made, gated, and held to what is measured over time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from bundles import Clock, contract, deployed, write_bundle

from mesh_notebook.errors import DeployRefused, UnknownName, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.model.contract import Contract
from mesh_notebook.surfaces import promise_panels  # noqa: F401  registers its panels
from mesh_notebook.surfaces.panel import as_html, as_text
from mesh_notebook.surfaces.panels import panel_of
from mesh_notebook.workspace import Workspace

TRANSFORM = "def daily(flights):\n    return flights\n"
START = datetime(2026, 3, 1, 6, tzinfo=UTC)


class Still:
    """A clock that a test sets."""

    now = START

    def __call__(self) -> datetime:
        return self.now


def promised(
    *slos: dict, gates: tuple[str, ...] = (), key: tuple[str, ...] | None = None
) -> Contract:
    raw = (contract(key=key) if key else contract()).edited()
    raw["slaProperties"] = list(slos)
    if gates:
        raw["customProperties"] = [{"property": "gates", "value": list(gates)}]
    return Contract(raw).checked()


def day_of(number: int, delays: list[float | None]) -> pl.DataFrame:
    """Rows of one day, the `number`th before START's."""
    day = START.date() - timedelta(days=1) + timedelta(days=number)
    airports = ["EWR", "JFK"] * (len(delays) // 2)
    return pl.DataFrame({"airport": airports, "day": [day] * len(delays), "delay": delays})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mesh"


@pytest.fixture
def notebook(shell, tmp_path):
    """A notebook with one live source and one output port."""
    rows = "".join(f"{d},{o},{d}\n" for d in range(1, 5) for o in ("EWR", "JFK"))
    (tmp_path / "flights.csv").write_text("n,origin,delay\n" + rows)
    shell.run("import polars as pl")
    shell.run("%mesh source raw flights.csv")
    shell.run(
        "flights = raw.with_columns(day=pl.date(2026, 1, pl.col('n'))).drop('n')"
        ".with_columns(pl.col('delay').cast(pl.Float64)).collect()"
    )
    shell.run("%mesh product delays --domain travel")
    shell.run("%mesh output daily flights --key origin,day --event-time day")
    return shell


# ---- what is promised -------------------------------------------------------------------------


def test_promises_are_written_in_the_words_of_the_standard(notebook):
    notebook.run(
        "%mesh promise daily interval=1d lag=2h lag_p50=30min completeness.delay=99% rows=5"
    )
    contract = notebook.run("mesh.contract('daily').contract")
    said = {
        s["id"]: (s["property"], s["value"], s.get("unit")) for s in contract.raw["slaProperties"]
    }
    assert said == {
        "interval": ("frequency", 1, "d"),
        "lag_p95": ("latency", 2, "h"),
        "lag_p50": ("latencyP50", 30, "m"),
        "completeness_delay": ("completeness", 0.99, None),
        "rows": ("rows", 5, None),
    }
    elements = [s.get("element") for s in contract.raw["slaProperties"]]
    assert elements == [None, None, None, "daily.delay", None]


def test_what_no_query_can_measure_says_so_and_is_no_rule(notebook):
    notebook.run("%mesh promise daily lag=2h rows=5")
    contract = notebook.run("mesh.contract('daily').contract")
    lag = next(s for s in contract.raw["slaProperties"] if s["property"] == "latency")
    assert "no query over them can measure it" in lag["description"]
    assert [rule["id"] for rule in contract.table["quality"]] == ["promise_rows"]


def test_drift_is_a_rule_for_other_checkers_once_the_data_is_real(notebook):
    notebook.run("%mesh promise daily drift=0.1")
    live = notebook.run("mesh.contract('daily').contract")
    rules = {rule["id"]: rule for rule in live.table["quality"]}
    assert set(rules) == {"promise_drift_origin", "promise_drift_delay"}
    assert all(rule["type"] == "sql" for rule in rules.values())
    assert notebook.run("%mesh check").passed
    notebook.run("%mesh product delays --status draft")
    draft = notebook.run("mesh.contract('daily').contract")
    assert "quality" not in draft.table


def test_a_promise_that_is_broken_and_no_gate_holds_nothing_up(notebook):
    notebook.run("%mesh promise daily rows=1000")
    checked = notebook.run("%mesh check")
    assert checked.passed
    assert [v.kept for v in checked.slos["daily"]] == [False]
    assert "[holds]" in notebook.shown(checked)["text/plain"]


@pytest.mark.parametrize("words", ["completeness=0.9!", "completeness=0.9 --gate completeness"])
def test_a_gate_is_marked_by_a_sign_or_by_a_flag_and_unmarked_by_promising_again(notebook, words):
    agreed = notebook.run(f"%mesh promise daily {words}")
    assert agreed.said == {"completeness": "0.9, a gate"}
    (slo,) = notebook.run("mesh.contract('daily').contract.slos")
    assert slo.gate
    assert "completeness (gate)" in notebook.shown(notebook.run("%mesh check"))["text/plain"]
    notebook.run("%mesh promise daily completeness=0.9")
    (slo,) = notebook.run("mesh.contract('daily').contract.slos")
    assert not slo.gate


def test_a_gate_may_be_set_on_what_is_promised_already(notebook):
    notebook.run("%mesh promise daily completeness=0.9 lag=1d")
    notebook.run("%mesh promise daily --gate lag")
    slos = notebook.run("mesh.contract('daily').contract.slos")
    assert {s.property: s.gate for s in slos} == {"completeness": False, "latency": True}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("speed=fast", "is not a promise"),
        ("lag.delay=2h", "is not a promise"),
        ("completenes=0.9", "did you mean completeness"),
        ("completeness=2", "is not a share"),
        ("drift=much", "write 0.1"),
        ("rows=many", "no number of rows"),
        ("lag=soon", "is not a duration"),
        ("interval=1d!", "interval cannot be a gate"),
        ("retention=1y!", "retention cannot be a gate"),
        ("freshness=1d!", r"freshness\.COLUMN"),
        ("completeness=0.9 --gate drift", "'drift' is not promised"),
        ("freshness.delay=1d", r"write freshness\.day"),
        ("", "nothing is promised"),
    ],
)
def test_a_promise_that_cannot_be_says_why_and_changes_nothing(notebook, words, says):
    with pytest.raises(UsageError, match=says):
        notebook.run(f"%mesh promise daily {words}")
    assert notebook.run("mesh.contract('daily').contract.slos") == ()


def test_a_promise_of_a_column_that_is_not_there_names_the_near_one(notebook):
    with pytest.raises(UnknownName, match="did you mean delay"):
        notebook.run("%mesh promise daily completeness.dealy=1")


def test_the_public_model_of_odcs_reads_every_promise(notebook):
    from open_data_contract_standard.model import OpenDataContractStandard

    notebook.run(
        "%mesh promise daily freshness=1d freshness.day=1y interval=1d lag=2h lag_p50=1h "
        "completeness=0.9! completeness.delay=1 drift=0.1! retention=2y rows=1"
    )
    text = notebook.run("mesh.contract('daily').contract").dumps()
    read = OpenDataContractStandard.from_string(text)
    assert len(read.slaProperties) == 10
    assert {rule.severity for rule in read.schema_[0].quality} == {"error", "warning"}


# ---- rehearsed --------------------------------------------------------------------------------


def test_a_rehearsal_measures_and_promises_nothing(notebook):
    rehearsed = notebook.run("%mesh promise daily completeness=0.99 rows=100! --rehearse")
    assert [(p.verdict.name, p.verdict.kept) for p in rehearsed.promises] == [
        ("completeness", True),
        ("rows", False),
    ]
    assert (rehearsed.origin, rehearsed.publications) == ("live", 0)
    assert notebook.run("mesh.contract('daily').contract.slos") == ()
    text = notebook.shown(rehearsed)["text/plain"]
    assert "nothing was published yet" in text
    assert "→ %mesh promise daily completeness=0.99 rows=100! promises it" in text


def test_a_rehearsal_on_mocks_says_so(notebook):
    mock = Path(__file__).resolve().parent.parent / "synthetic" / "user-profiles.odcs.yaml"
    notebook.run(f"%mesh mock {mock} --rows 20 --as users")
    notebook.run("%mesh output users users --key user_id")
    rehearsed = notebook.run("%mesh promise users completeness=0.9 --rehearse")
    assert rehearsed.origin == "mock"
    assert "mocks" in notebook.shown(rehearsed)["text/plain"]


def test_a_rehearsal_on_history_says_how_often_it_would_have_been_kept(notebook):
    notebook.run("%mesh export b")
    notebook.run("%mesh deploy b")
    notebook.run("flights = flights.head(3)")
    notebook.run("%mesh output daily flights --key origin,day --event-time day")
    notebook.run("%mesh product delays --version 1.1.0")
    notebook.run("%mesh export b")
    notebook.run("%mesh deploy b")
    rehearsed = notebook.run("%mesh promise daily rows=5 completeness.delay=1 drift=0.9 --rehearse")
    told = {p.verdict.name: (p.verdict.kept, p.kept, p.measured) for p in rehearsed.promises}
    assert told == {
        "rows": (False, 1, 2),
        "completeness.delay": (True, 2, 2),
        "drift": (True, 1, 1),
    }
    assert "kept at 1 of 2" in notebook.shown(rehearsed)["text/plain"]


def test_a_check_is_the_same_after_a_deployment_and_a_rehearsal_looks_at_what_came_before(notebook):
    notebook.run("%mesh promise daily interval=1d retention=1y completeness=0.9")

    def said(verdicts):
        return [(v.name, v.kept) for v in verdicts]

    before = said(notebook.run("%mesh check").slos["daily"])
    notebook.run("%mesh export b")
    notebook.run("%mesh deploy b")
    assert said(notebook.run("%mesh check").slos["daily"]) == before
    rehearsed = notebook.run("%mesh promise daily --rehearse")
    assert said(p.verdict for p in rehearsed.promises) == [
        ("interval", True),
        ("retention", True),
        ("completeness", True),
    ]


# ---- measured at each publication, and gates --------------------------------------------------


def test_a_publication_keeps_its_measurements_and_its_shape(root, tmp_path):
    clock = Still()
    bundle = write_bundle(tmp_path / "b", transform=TRANSFORM)
    deployed(bundle, root, clock, flights=day_of(0, [1.0, 2.0]))
    clock.now = START + timedelta(days=1)
    both = pl.concat([day_of(0, [1.0, 2.0]), day_of(1, [None, 2.0])])
    slos = deployed(bundle, root, clock, flights=both).receipt.ports["daily"].slos
    assert slos["interval_s"] == 86_400
    assert (slos["retention_s"], slos["oldest_snapshot"]) == (86_400, 1)
    # The day ended at midnight, six hours before; the rows of the day before were known already.
    assert (slos["lag_p50_s"], slos["lag_p95_s"]) == (6 * 3600, 6 * 3600)
    assert slos["drift.delay"] == 0.25
    stored = Catalogue([root]).resolve("airport-delays")[0].latest().ports["daily"].shape
    assert stored["delay"]["nulls"] == 0.25
    assert stored["airport"]["top"] == [["EWR", 0.5], ["JFK", 0.5]]


def test_a_publication_that_breaks_a_gate_is_refused_and_the_old_one_stands(root, tmp_path):
    share = {"id": "complete", "property": "completeness", "value": 0.9}
    ports = {"daily": promised(share, {"property": "rows", "value": 100}, gates=("complete",))}
    bundle = write_bundle(tmp_path / "b", ports=ports, transform=TRANSFORM)
    first = deployed(bundle, root, Clock(START), flights=day_of(0, [1.0, 2.0]))
    assert [v.kept for v in first.slos["daily"]] == [True, False]  # told, and published
    before = sorted(p.as_posix() for p in root.rglob("*"))
    with pytest.raises(DeployRefused, match="breaks what its gates promise") as refused:
        deployed(bundle, root, Clock(START), flights=day_of(0, [None, 2.0]))
    assert "completeness was promised at least 90 %, and is 83.33 %" in str(refused.value)
    assert "%mesh promise daily completeness=…" in refused.value.next_step
    assert sorted(p.as_posix() for p in root.rglob("*")) == before
    assert Catalogue([root]).resolve("airport-delays")[0].latest() == first.receipt


def test_a_gate_that_cannot_be_read_lets_nothing_pass(root, tmp_path):
    ports = {
        "daily": promised({"property": "completeness", "value": "most"}, gates=("completeness",))
    }
    bundle = write_bundle(tmp_path / "b", ports=ports, transform=TRANSFORM)
    with pytest.raises(DeployRefused, match="no promise that can be measured"):
        deployed(bundle, root, Clock(START), flights=day_of(0, [1.0, 2.0]))


def test_a_gate_of_which_nothing_is_measured_yet_is_open(root, tmp_path):
    ports = {"daily": promised({"property": "drift", "value": 0.1}, gates=("drift",))}
    bundle = write_bundle(tmp_path / "b", ports=ports, transform=TRANSFORM)
    deployed(bundle, root, Clock(START), flights=day_of(0, [1.0] * 8))
    with pytest.raises(
        DeployRefused, match="drift was promised at most 10 %, and is 100 % in delay"
    ):
        deployed(bundle, root, Clock(START), flights=day_of(0, [9.0] * 8))


def test_the_lag_of_a_log_is_that_of_all_the_rows_it_adds(root, tmp_path):
    clock = Still()
    ports = {"daily": contract(key=("airport", "day"))}
    bundle = write_bundle(
        tmp_path / "b", ports=ports, transform=TRANSFORM, temporality={"kind": "log"}
    )
    deployed(bundle, root, clock, flights=day_of(0, [1.0, 2.0]))
    clock.now = START + timedelta(days=1)
    late = deployed(bundle, root, clock, flights=day_of(-1, [1.0, 2.0]))
    # Older than what was known, and new all the same.
    assert late.receipt.ports["daily"].slos["lag_p95_s"] == (2 * 24 + 6) * 3600


def test_the_lag_of_a_log_is_not_that_of_rows_it_had_already(root, tmp_path):
    clock = Still()
    ports = {"daily": contract(key=("airport", "day"))}
    bundle = write_bundle(
        tmp_path / "b", ports=ports, transform=TRANSFORM, temporality={"kind": "log"}
    )
    deployed(bundle, root, clock, flights=day_of(0, [1.0, 2.0]))
    clock.now = START + timedelta(days=10)
    both = pl.concat([day_of(0, [1.0, 2.0]), day_of(9, [1.0, 2.0])])
    told = deployed(bundle, root, clock, flights=both).receipt.ports["daily"]
    alone = Still()
    deployed(bundle, tmp_path / "alone", alone, flights=day_of(0, [1.0, 2.0]))
    alone.now = clock.now
    new = deployed(bundle, tmp_path / "alone", alone, flights=day_of(9, [1.0, 2.0]))
    assert told.added == 2
    assert told.slos["lag_p95_s"] == new.receipt.ports["daily"].slos["lag_p95_s"]


def test_a_gate_on_the_lag_of_a_log_looks_at_what_it_adds_alone(root, tmp_path):
    clock = Still()
    latest = {"id": "lag", "property": "latency", "value": 1, "unit": "d"}
    ports = {"daily": promised(latest, gates=("lag",), key=("airport", "day"))}
    bundle = write_bundle(
        tmp_path / "b", ports=ports, transform=TRANSFORM, temporality={"kind": "log"}
    )
    first = day_of(0, [1.0, 2.0])
    deployed(bundle, root, clock, flights=first)
    clock.now = START + timedelta(days=9)
    # The rows of nine days ago are known, and the new ones are not late.
    deployed(bundle, root, clock, flights=pl.concat([first, day_of(9, [1.0, 2.0])]))
    with pytest.raises(DeployRefused, match="lag_p95 was promised"):
        deployed(bundle, root, clock, flights=pl.concat([first, day_of(6, [1.0, 2.0])]))


# ---- status -----------------------------------------------------------------------------------


@pytest.fixture
def history(root, tmp_path) -> Workspace:
    """Five publications: the fourth and the fifth lack values, and a sixth is overdue."""
    slos = (
        {"id": "interval", "property": "frequency", "value": 25, "unit": "h"},
        {"id": "full", "property": "completeness", "value": 0.9, "element": "daily.delay"},
        {"id": "rows", "property": "rows", "value": 1},
    )
    bundle = write_bundle(tmp_path / "b", ports={"daily": promised(*slos)}, transform=TRANSFORM)
    clock = Still()
    for number in range(5):
        clock.now = START + timedelta(days=number)
        delays = [1.0, None if number > 2 else 2.0]
        deployed(bundle, root, clock, flights=day_of(number, delays))
    clock.now += timedelta(hours=30)
    return Workspace([root], "bo", clock=clock)


def test_status_says_what_is_broken_and_since_when(history):
    status = history.status("airport-delays")
    tracks = {t.now.name: t for t in status.ports[0].tracks}
    assert [p.kept for p in tracks["completeness.delay"].points] == [True, True, True, False, False]
    assert tracks["completeness.delay"].since.startswith("2026-03-04T06:00")
    assert [p.kept for p in tracks["interval"].points] == [None, True, True, True, True]
    assert tracks["interval"].since.startswith("2026-03-06T07:00")
    assert tracks["rows"].now.kept
    assert tracks["rows"].since == ""
    text = " ".join(as_text(panel_of(status)).split())
    assert "[2 broken]" in text
    assert "daily breaks completeness.delay since 2026-03-04 06:00:00 UTC" in text
    assert "3/5" in text


def test_status_shows_bars_as_text_and_a_picture_as_html(history):
    panel = panel_of(history.status("airport-delays"))
    assert "███▁▁" in as_text(panel)
    html = as_html(panel)
    assert html.count("<svg") == 3
    assert "snapshot 4, 2026-03-04 06:00: 50 % (at least 90 %, broken)" in html
    assert "currentColor" in html
    assert "<script" not in html


def test_status_looks_at_as_many_publications_as_are_asked_for(history):
    assert len(history.status("airport-delays", last=2).receipts) == 2
    with pytest.raises(UsageError, match="--last 1"):
        history.status("airport-delays", last=0)


def test_status_reads_no_data(history, root):
    for path in root.rglob("*.parquet"):
        path.unlink()
    assert len(history.status("airport-delays/daily").ports[0].tracks) == 3


def test_a_hurt_receipt_is_named_and_the_others_are_told(history, root):
    (receipt,) = root.rglob("000000000002.json")
    receipt.write_text("{")
    status = history.status("airport-delays")
    assert status.hurt == (2,)
    assert "cannot be read: 2" in as_text(panel_of(status))


def test_status_judges_each_publication_by_what_was_promised_then(root, tmp_path):
    clock = Still()
    for version, rows in (("1.0.0", 1), ("1.1.0", 9)):
        ports = {"daily": promised({"property": "rows", "value": rows})}
        bundle = write_bundle(tmp_path / "b", ports=ports, transform=TRANSFORM, version=version)
        deployed(bundle, root, clock, flights=day_of(0, [1.0, 2.0]))
    (track,) = Workspace([root], "bo", clock=clock).status("airport-delays").ports[0].tracks
    assert [(p.verdict.limit, p.kept) for p in track.points] == [(1, True), (9, False)]


def test_a_clock_that_went_backwards_is_told(history, root):
    (path,) = root.rglob("000000000005.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"clock_behind_s": 90.0}))
    text = as_text(panel_of(history.status("airport-delays")))
    assert "Snapshot 5: its publisher's clock was 90 s behind snapshot 4." in text


def test_status_of_a_product_that_promises_nothing_says_how_to_begin(root, tmp_path):
    bundle = write_bundle(tmp_path / "b", transform=TRANSFORM)
    deployed(bundle, root, Clock(START), flights=day_of(0, [1.0, 2.0]))
    text = as_text(panel_of(Workspace([root], "bo").status("airport-delays")))
    assert "%mesh promise daily" in text
    assert "--rehearse" in text


def test_shapes_of_mocks_are_no_measure_for_real_data(root, tmp_path):
    from bundles import opener

    from mesh_notebook.deploy.deploying import deploy
    from mesh_notebook.model.origin import Origin

    bundle = write_bundle(tmp_path / "b", transform=TRANSFORM, status="draft")
    mocked = opener({"flights": day_of(0, [9.0, 9.0])}, Origin.MOCK)
    deploy(bundle, root, mocked, principal="ana", clock=Clock(START))
    real = deployed(bundle, root, Clock(START), flights=day_of(0, [1.0, 2.0]))
    assert "drift" not in real.receipt.ports["daily"].slos
    assert date(2026, 2, 28).isoformat() in real.receipt.ports["daily"].shape["day"]["max"]
