"""The extension in a real IPython shell: what it adds, what it binds, and what it leaves behind."""

from __future__ import annotations

import polars as pl
import pytest

from mesh_notebook.errors import MeshError, SourceError, SqlError, UnknownName, UsageError


def test_loading_adds_the_magic_and_the_object(shell):
    assert shell.mesh is shell.names["mesh"]
    assert "mesh" in shell.ip.magics_manager.magics["line"]


def test_unloading_restores_what_the_user_had(shell):
    shell.run("%unload_ext mesh_notebook")
    assert "mesh" not in shell.names
    assert "mesh" not in shell.ip.magics_manager.magics["line"]
    assert "mesh" not in shell.ip.magics_manager.magics["cell"]
    shell.run("mesh = 'mine'")
    shell.run("%load_ext mesh_notebook")
    shell.run("%unload_ext mesh_notebook")
    assert shell.names["mesh"] == "mine"


def test_unloading_restores_the_display_of_lazy_frames(shell, tmp_path):
    (tmp_path / "n.csv").write_text("n\n1\n")
    shell.run("%mesh source numbers n.csv")
    assert "bound as" in shell.shown(shell.names["numbers"])["text/plain"]
    shell.run("%unload_ext mesh_notebook")
    assert "bound as" not in str(shell.shown(shell.names["numbers"]))


def test_a_name_the_user_made_after_loading_survives_unloading(shell):
    shell.run("mesh = 3")
    shell.run("%unload_ext mesh_notebook")
    assert shell.names["mesh"] == 3


def test_loading_twice_is_loading_once(shell):
    before = shell.mesh
    shell.run("%load_ext mesh_notebook")
    assert shell.mesh is before


def test_a_port_says_why_it_counts_as_made_up_once_the_extension_was_loaded_again(shell, tmp_path):
    (tmp_path / "n.csv").write_text("n\n1\n")
    source, output = "%mesh source numbers n.csv", "%mesh output out numbers"
    shell.run(source)
    assert "count as" not in shell.shown(shell.run(output))["text/plain"]
    shell.run("%reload_ext mesh_notebook")
    shell.run(source)
    shell.run("import pandas as pd\nmore = pd.read_csv('n.csv')")
    card = shell.shown(shell.run("%mesh output out more"))["text/plain"]
    assert "count as mock: the extension was loaded again" in card
    assert "Restart the kernel" in card


def test_an_error_is_one_short_paragraph_with_the_next_step(shell, capsys):
    result = shell.ip.run_cell("%mesh connekt x")
    assert isinstance(result.error_in_exec, UsageError)
    printed = capsys.readouterr().out
    assert "did you mean connect" in printed
    assert "Traceback" not in printed
    assert len(printed.strip().splitlines()) <= 4


def test_a_debug_switch_shows_the_whole_traceback(shell, capsys, monkeypatch):
    monkeypatch.setenv("MESH_DEBUG", "1")
    shell.ip.run_cell("%mesh connekt x")
    assert "Traceback" in capsys.readouterr().out


def test_help_lists_every_verb_and_explains_one(shell):
    text = shell.shown(shell.run("%mesh help"))["text/plain"]
    assert "connect" in text
    assert "deploy" in text
    one = shell.shown(shell.run("%mesh help connect"))["text/plain"]
    assert "--as-of" in one


def test_the_path_names_the_next_step(shell):
    assert "source" in shell.shown(shell.run("%mesh"))["text/plain"]


def test_a_source_is_a_frame_in_python_and_a_table_in_sql(shell, tmp_path):
    (tmp_path / "cities.csv").write_text("city,people\nBern,140\nBasel,180\n")
    shell.run("%mesh source cities cities.csv")
    assert isinstance(shell.names["cities"], pl.LazyFrame)
    shell.run("%%mesh sql total\nSELECT sum(people)::BIGINT AS people FROM cities")
    assert shell.names["total"].item() == 320


def test_the_result_of_sql_can_be_queried_at_once(shell):
    shell.run("%%mesh sql one\nSELECT 1 AS a")
    shell.run("%%mesh sql two\nSELECT a + 1 AS b FROM one")
    assert shell.names["two"]["b"].to_list() == [2]


def test_a_rebound_name_means_the_new_frame_in_sql(shell, tmp_path):
    (tmp_path / "n.csv").write_text("n\n1\n2\n3\n")
    shell.run("%mesh source numbers n.csv")
    shell.run("import polars as pl\nnumbers = numbers.filter(pl.col('n') > 1)")
    shell.run("%%mesh sql counted\nSELECT count(*) AS n FROM numbers")
    assert shell.names["counted"].item() == 2


def test_a_name_that_was_deleted_is_gone_from_sql_too(shell, tmp_path):
    (tmp_path / "n.csv").write_text("n\n1\n")
    shell.run("%mesh source numbers n.csv")
    shell.run("del numbers")
    with pytest.raises(SqlError):
        shell.run("%%mesh sql counted\nSELECT count(*) AS n FROM numbers")


def test_sql_does_not_tell_upper_case_from_lower(shell, tmp_path):
    (tmp_path / "n.csv").write_text("n\n1\n2\n")
    shell.run("%mesh source numbers n.csv")
    shell.run("numbers = numbers.head(1)")
    shell.run("%%mesh sql counted\nSELECT count(*) AS n FROM Numbers")
    assert shell.names["counted"].item() == 1


def test_an_assigned_input_is_known_by_both_names(shell, tmp_path):
    (tmp_path / "n.csv").write_text("n\n1\n")
    shell.run("mine = %mesh source numbers n.csv")
    shell.run("%%mesh sql counted\nSELECT count(*) AS n FROM mine")
    assert shell.names["counted"].item() == 1


def test_a_source_that_cannot_be_read_binds_nothing(shell):
    with pytest.raises(SourceError, match=r"nowhere\.csv"):
        shell.run("%mesh source cities nowhere.csv")
    assert "cities" not in shell.names
    assert "cities" not in shell.mesh.inputs


def test_a_failed_query_binds_nothing_and_the_session_goes_on(shell):
    with pytest.raises(MeshError):
        shell.run("%%mesh sql bad\nSELECT nope FROM nowhere")
    assert "bad" not in shell.names
    shell.run("%%mesh sql good\nSELECT 1 AS a")
    assert shell.names["good"].height == 1


@pytest.mark.parametrize("name", ["two words", "1st", "class", "mesh"])
def test_a_name_that_python_cannot_bind_is_refused(shell, tmp_path, name):
    (tmp_path / "n.csv").write_text("n\n1\n")
    with pytest.raises(UsageError):
        shell.run(f"%mesh source '{name}' n.csv")
    assert shell.mesh.inputs == {}


def test_an_input_shows_its_card_and_other_frames_their_own_display(shell, tmp_path):
    (tmp_path / "n.csv").write_text("n\n1\n")
    shell.run("%mesh source numbers n.csv")
    card = shell.shown(shell.names["numbers"])
    assert "n.csv" in card["text/html"]
    assert "live" in card["text/plain"]
    plain = shell.shown(shell.names["numbers"].head(1))
    assert "bound as" not in plain.get("text/html", "")


def test_user_text_is_escaped_in_html(shell, tmp_path):
    (tmp_path / "n.csv").write_text("<script>alert(1)</script>\n1\n")
    shell.run("%mesh source numbers n.csv")
    assert "<script>" not in shell.shown(shell.names["numbers"])["text/html"]


def test_an_output_of_a_frame_that_does_not_exist_names_near_misses(shell):
    shell.run("import polars as pl\ndelays = pl.DataFrame({'a': [1]})")
    with pytest.raises(UnknownName, match="delays"):
        shell.run("%mesh output daily delay --key a")


def test_declaring_an_output_again_keeps_what_was_set_by_hand(shell):
    shell.run("import polars as pl\ndelays = pl.DataFrame({'a': [1, 2]})")
    shell.run("%mesh output daily delays --key a")
    shell.run("%%mesh contract daily\nproperties: {a: {description: A number}}")
    shell.run("%mesh output daily delays --key a")
    view = shell.run("%mesh contract daily")
    assert view.contract.column("a").meaning == "A number"


def test_an_override_of_an_unknown_column_changes_nothing(shell):
    shell.run("import polars as pl\ndelays = pl.DataFrame({'amount': [1, 2]})")
    shell.run("%mesh output daily delays --key amount")
    before = shell.mesh.contract("daily").contract.raw
    with pytest.raises(MeshError, match="amount"):
        shell.run("%%mesh contract daily\nproperties: {amonut: {description: A number}}")
    assert shell.mesh.contract("daily").contract.raw == before


def test_python_can_override_a_contract_where_it_declares_the_output(shell):
    shell.run("import polars as pl\ndelays = pl.DataFrame({'a': [1, 2]})")
    view = shell.run(
        "mesh.output('daily', delays, key=['a'],\n"
        "    contract={'properties': {'a': {'logicalTypeOptions': {'maximum': 1}}}})"
    )
    assert view.contract.column("a").options["maximum"] == 1
    assert not shell.run("%mesh check").passed


def test_the_path_grows_with_what_was_done_and_ends_with_a_deployed_product(published, shell):
    shown = shell.shown(shell.run("%mesh"))
    assert "✓  deploy     airport-delays, snapshot 1" in shown["text/plain"]
    assert "%mesh history airport-delays" in shown["text/html"]


def test_a_product_named_by_its_folder_alone_is_deployed_and_has_a_history(shell):
    shell.run("import polars as pl\ndelays = pl.DataFrame({'a': [1, 2]})")
    shell.run("%mesh output daily delays --key a")
    shell.run("%mesh export bundles/late")
    assert shell.mesh.path().next_step == "%mesh deploy bundles/late"
    shell.run("%mesh deploy bundles/late")
    assert shell.mesh.path().next_step == "%mesh history late"


def test_a_connected_card_says_owner_snapshot_origin_and_policies(published, shell):
    card = shell.shown(shell.run("%mesh connect analytics/airport-delays --as delays"))[
        "text/plain"
    ]
    for fact in ("punctuality", "snapshot", "live", "policies", "origin", "DATE"):
        assert fact in card


def test_a_promise_that_is_none_is_refused_with_the_known_ones(shell):
    shell.run("import polars as pl\ndelays = pl.DataFrame({'a': [1, 2]})")
    shell.run("%mesh output daily delays --key a")
    with pytest.raises(UsageError, match="freshness"):
        shell.run("%mesh promise daily speed=fast")
