"""From frames to a product, at the front door: what is kept, what is refused, what is inferred."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from mesh_notebook.errors import (
    ContractError,
    DeployRefused,
    ExportRefused,
    MeshError,
    SpecError,
    SqlError,
    UnknownPort,
    UsageError,
)


@pytest.fixture
def notebook(shell, tmp_path):
    """A notebook with one live source and one output port."""
    (tmp_path / "flights.csv").write_text("origin,n\nEWR,1\nJFK,2\n")
    shell.run("import polars as pl")
    shell.run("%mesh source flights flights.csv")
    shell.run("%mesh product delays --domain travel --owner ops --purpose 'How late' --tags a,b")
    shell.run("%mesh output daily flights --key origin")
    return shell


def test_naming_the_product_again_changes_only_what_is_given(notebook):
    view = notebook.run("%mesh product delays --version 1.0.1")
    assert view.fields["version"] == "1.0.1"
    assert view.fields["domain"] == "travel"
    assert view.fields["team"] == {"name": "ops"}
    assert view.fields["tags"] == ["a", "b"]
    assert view.outputs == ("daily",)


def test_another_name_begins_another_product(notebook):
    view = notebook.run("%mesh product other")
    assert (view.fields["domain"], view.outputs) == ("default", ())


def test_the_advice_of_a_refused_deployment_leads_to_the_next_version(notebook):
    notebook.run("%mesh export b")
    notebook.run("%mesh deploy b")
    notebook.run("flights = flights.filter(pl.col('n') > 1)")
    notebook.run("%mesh output daily flights --key origin")
    notebook.run("%mesh export b")
    with pytest.raises(DeployRefused) as refused:
        notebook.run("%mesh deploy b")
    advice = str(refused.value)
    assert "%mesh product delays --version 1.0.1" in advice
    notebook.run("%mesh product delays --version 1.0.1")
    notebook.run("%mesh export b")
    deployed = notebook.run("%mesh deploy b")
    assert deployed.receipt.product == "urn:dmesh:local:travel:delays"
    assert deployed.receipt.snapshot == 2


@pytest.mark.parametrize("flag", ["--version banana", "--version 2", "--status bogus"])
def test_a_version_or_status_that_is_none_is_refused_and_changes_nothing(notebook, flag):
    before = notebook.mesh.draft
    with pytest.raises(UsageError):
        notebook.run(f"%mesh product delays {flag}")
    assert notebook.mesh.draft is before


@pytest.mark.parametrize("field", ["id", "version", "status", "domain", "tenant", "name"])
def test_a_contract_cannot_say_other_than_its_product(notebook, field):
    with pytest.raises(SpecError, match="from the product"):
        notebook.run(f"%%mesh contract daily\n{field}: something")


@pytest.mark.parametrize("column", ["origin", "nope"])
def test_an_overridden_event_time_is_held_to_what_one_must_be(notebook, column):
    cell = f"schema: {{customProperties: [{{property: eventTime, value: {column}}}]}}"
    with pytest.raises(ContractError, match="event time"):
        notebook.run(f"%%mesh contract daily\n{cell}")


def test_a_pattern_that_cannot_be_read_is_refused(notebook):
    with pytest.raises(SpecError, match="regular expression"):
        notebook.run(
            "%%mesh contract daily\nproperties: {origin: {logicalTypeOptions: {pattern: '['}}}"
        )


@pytest.mark.parametrize("text", ["5", "[a]", "a: ["])
def test_overrides_that_are_no_mapping_are_refused(notebook, text):
    with pytest.raises(SpecError):
        notebook.run(f"%%mesh contract daily\n{text}")


def test_words_mean_the_same_in_python_as_in_a_magic(notebook):
    notebook.run("flights = flights.collect()")
    view = notebook.run("mesh.output('daily', flights, key='origin,n')")
    assert view.contract.key == ("origin", "n")
    agreed = notebook.run("mesh.promise('daily', 'freshness=1d completeness=0.5')")
    assert set(agreed.said) == {"freshness", "completeness"}
    product = notebook.run("mesh.product('delays', tags='finance')")
    assert product.fields["tags"] == ["finance"]
    notebook.run("from pathlib import Path\nmesh.source('again', Path('flights.csv'))")


def test_the_status_is_that_of_the_inputs_that_went_into_the_port(notebook):
    contract = Path(__file__).resolve().parent.parent / "synthetic" / "user-profiles.odcs.yaml"
    notebook.run(f"%mesh mock {contract} --rows 20 --as users")
    notebook.run("%mesh export live")
    assert notebook.run("%mesh deploy live").receipt.status == "active"
    notebook.run("%mesh product listeners --domain media")
    notebook.run("counted = users.group_by('country').len().collect()")
    notebook.run("del users")
    notebook.run("%mesh output counts counted --key country")
    notebook.run("%mesh export made-up")
    deployed = notebook.run("%mesh deploy made-up")
    assert (deployed.receipt.origin, deployed.receipt.status) == ("mock", "draft")


def test_two_inputs_that_differ_by_case_stay_two_in_sql(notebook, tmp_path):
    (tmp_path / "other.csv").write_text("x\n1\n2\n3\n")
    notebook.run("%mesh source Flights other.csv")
    notebook.run("%%mesh sql upper\nSELECT count(*) AS n FROM Flights")
    notebook.run("%%mesh sql lower\nSELECT count(*) AS n FROM flights")
    assert (notebook.names["upper"].item(), notebook.names["lower"].item()) == (3, 2)


def test_a_name_that_means_no_frame_any_more_is_no_table(notebook):
    notebook.run("flights = 5")
    with pytest.raises(SqlError):
        notebook.run("%%mesh sql n\nSELECT count(*) AS n FROM flights")


def test_a_name_with_an_underscore_is_a_table_like_any_other(notebook):
    notebook.run("_hidden = flights.head(1)")
    notebook.run("%%mesh sql n\nSELECT count(*) AS n FROM _hidden")
    assert notebook.names["n"].item() == 1


@pytest.mark.parametrize(
    "cell", ["%mesh profile bad", "%mesh output x bad", "%mesh mock bad --like"]
)
def test_a_frame_that_cannot_be_computed_is_one_paragraph(notebook, cell):
    notebook.run("bad = pl.LazyFrame({'a': [1]}).select('zz')")
    with pytest.raises(MeshError, match="'bad' cannot be computed"):
        notebook.run(cell)


def test_a_file_that_is_gone_is_one_paragraph(notebook, tmp_path):
    (tmp_path / "flights.csv").unlink()
    with pytest.raises(MeshError):
        notebook.run("%mesh profile flights")


@pytest.mark.parametrize(
    ("name", "instead"), [("print", "print_"), ("In", "In_"), ("exit", "exit_"), ("_", "frame")]
)
def test_a_name_that_python_or_ipython_needs_is_not_covered(notebook, name, instead):
    with pytest.raises(UsageError, match=f"for example: {instead}$"):
        notebook.run(f"%mesh source {name} flights.csv")


def test_a_frame_given_as_a_contract_is_told_how_it_is_modelled(notebook):
    with pytest.raises(UsageError, match="%mesh mock flights --like"):
        notebook.run("%mesh mock flights")


def test_a_link_without_a_column_says_how_to_write_one(notebook):
    with pytest.raises(UsageError, match=r"PORT\.COLUMN"):
        notebook.run("%mesh link daily airports/places.airport")


def test_yaml_that_cannot_be_read_is_shown_by_its_line(notebook):
    with pytest.raises(SpecError, match="line 3, column 1") as caught:
        notebook.run("%%mesh contract daily\nproperties:\n  n: [")
    assert "unicode string" not in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize(
    "change",
    [
        "%mesh output daily flights --key n",
        "%%mesh contract daily\nproperties:\n  n:\n    logicalTypeOptions: {maximum: 1}",
        "%mesh promise daily freshness=1d",
        "%mesh product delays --version 1.0.1",
    ],
)
def test_what_is_changed_after_the_check_is_to_be_checked_again(notebook, change):
    notebook.run("%mesh check")
    assert notebook.mesh.path().next_step.startswith("%mesh export")
    notebook.run(change)
    assert notebook.mesh.path().next_step == "%mesh check"


def test_where_a_rule_is_broken_the_next_step_is_not_the_export(notebook):
    notebook.run("%%mesh contract daily\nproperties:\n  n:\n    logicalTypeOptions: {maximum: 1}")
    notebook.run("%mesh check")
    assert "%%mesh contract" in notebook.mesh.path().next_step


def test_naming_the_product_again_as_it_is_leaves_the_check_as_it_is(notebook):
    notebook.run("%mesh check")
    notebook.run("%mesh product delays --domain travel --owner ops")
    assert notebook.mesh.path().next_step.startswith("%mesh export")


@pytest.mark.parametrize("flags", ["--like --break a.unique", "--key origin"])
def test_options_that_would_do_nothing_are_refused(notebook, flags):
    with pytest.raises(UsageError):
        notebook.run(f"%mesh mock flights {flags}")


def test_a_window_without_rows_says_so(notebook):
    notebook.run("dated = flights.with_columns(pl.date(2026, 1, 1).alias('day'))")
    notebook.run("%mesh output daily dated --key origin --event-time day")
    notebook.run("%mesh export b")
    notebook.run("%mesh deploy b")
    shown = notebook.shown(notebook.run("%mesh read delays --from 2030-01"))["text/plain"]
    assert "no rows; the columns are origin, n, day" in shown
    cut = notebook.run("%mesh connect delays --from 2030-01")
    assert isinstance(cut, pl.LazyFrame)
    assert "from 2030-01-01 00:00:00 UTC" in notebook.shown(cut)["text/plain"]


def test_figures_of_a_read_stand_to_the_right(notebook):
    notebook.run("%mesh export b")
    notebook.run("%mesh deploy b")
    shown = notebook.shown(notebook.run("%mesh read delays"))["text/html"]
    assert "text-align:right" in shown.split("<th ")[2]


def test_two_hits_of_one_name_are_told_apart_in_the_next_step(notebook):
    for domain in ("travel", "sales"):
        notebook.run(f"%mesh product delays --domain {domain}")
        notebook.run("%mesh export b")
        notebook.run("%mesh deploy b")
    shown = notebook.shown(notebook.run("%mesh search delays"))["text/plain"]
    assert shown.rstrip().endswith(("%mesh describe travel/delays", "%mesh describe sales/delays"))


def test_a_port_declared_by_mistake_is_taken_back_and_declared_anew(shell, tmp_path):
    (tmp_path / "flights.csv").write_text("day,n\n1,2\n2,3\n")
    shell.run("%mesh source flights flights.csv")
    shell.run("daily = flights.filter(flights.collect()['n'] > 2)")
    shell.run("%mesh output daly flights")
    shell.run("%mesh output daily daily --key day")
    shell.run("%mesh promise daily rows=1")
    standing = shell.run("%mesh drop daly")
    assert "daly" not in str(standing)
    assert shell.run("%mesh check").passed
    assert shell.run("%mesh export made").ports == ("daily",)
    shell.run("%mesh drop daily")
    shell.run("%mesh output daily daily --key day")
    assert not shell.mesh.draft.ports["daily"].promises
    with pytest.raises(UnknownPort, match="no output port 'daly'"):
        shell.run("%mesh drop daly")


@pytest.mark.parametrize(
    "declares", ["mesh.output('daily', daily).contract", "said = mesh.output('daily', daily).rows"]
)
def test_a_port_may_be_declared_in_a_longer_expression(shell, tmp_path, declares):
    (tmp_path / "flights.csv").write_text("day,n\n1,2\n2,3\n")
    shell.run("%mesh source flights flights.csv")
    shell.run("daily = flights.select('day')")
    shell.run(declares)
    assert shell.run("%mesh export made").ports == ("daily",)


def test_a_port_declared_in_a_loop_is_refused_with_the_cell(shell, tmp_path):
    (tmp_path / "flights.csv").write_text("day,n\n1,2\n2,3\n")
    shell.run("%mesh source flights flights.csv")
    shell.run("daily = flights.select('day')\nfor port in ['daily']:\n    mesh.output(port, daily)")
    with pytest.raises(ExportRefused, match=r"In\[3\] declares the output port 'daily' inside"):
        shell.run("%mesh export made")
