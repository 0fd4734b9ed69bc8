"""How a cell is taken: what each of its lines shows, and what is said where nothing stands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.utils.capture import capture_output

from mesh_notebook.errors import SqlError, UsageError


@pytest.fixture
def sales(shell, tmp_path: Path):
    (tmp_path / "sales.csv").write_text("id,email,amount\n1,a@x.org,5\n2,b@x.org,7\n")
    shell.run("%mesh source sales sales.csv")
    shell.run("%mesh output sold sales --key id")
    return shell


def titles(shell, cell: str) -> list[str]:
    """Return the first line of every answer that a cell shows before its last."""
    with capture_output() as shown:
        result = shell.ip.run_cell(cell, store_history=True)
    result.raise_error()
    texts = [one.data["text/plain"] for one in shown.outputs]
    return [text.splitlines()[0].partition("  ")[0] for text in texts]


def test_each_line_of_a_cell_shows_its_card(sales):
    cell = "%mesh product shop --domain d\nname = 1\n%mesh promise sold rows=1\n%mesh check"
    assert titles(sales, cell) == ["shop", "sold promises"]  # and the last, as IPython shows it


def test_a_line_in_a_branch_shows_its_card_and_an_assigned_one_does_not(sales):
    cell = "for _ in 'ab':\n    %mesh profile sales\nkept = %mesh check"
    assert len(titles(sales, cell)) == 2


def test_the_cell_that_loads_the_extension_shows_its_cards_too(shell):
    shell.run("%unload_ext mesh_notebook")
    cell = "%load_ext mesh_notebook\n%mesh\n%mesh search"
    assert titles(shell, cell) == ["the path of this notebook"]


def test_a_shell_that_shows_every_expression_shows_each_card_once(sales):
    sales.ip.ast_node_interactivity = "all"
    try:
        assert titles(sales, "%mesh check\n%mesh check") == []  # IPython shows them all
    finally:
        sales.ip.ast_node_interactivity = "last_expr"


@pytest.mark.parametrize(
    ("cell", "says", "step"),
    [
        ("%%mesh sql found", "the query is missing.", "%%mesh sql NAME"),
        ("%%mesh sql found\n  \n", "the query is missing.", "%%mesh sql NAME"),
        ("%%mesh", "%%mesh names no verb.", "%%mesh sql NAME"),
        ("%%mesh contract sold", "the cell of %%mesh contract is empty.", "%mesh contract sold"),
        ("%mesh --", "no verb stands before '--'.", "%mesh help"),
        ("%mesh output x sales --ke id", "--ke is no option of 'output'.", "did you mean --key?"),
        ("%mesh output x sales -key id", "-key is no option of 'output'.", "did you mean --key?"),
        ("%mesh status --root x", "--root is of the whole mesh", "mesh --root DIR status"),
        ("%mesh protect sold.email redact", "'redact' is a word too many", "--with redact"),
    ],
)
def test_what_says_nothing_or_not_enough_is_told_in_a_sentence(sales, cell, says, step):
    with pytest.raises(UsageError) as refused:
        sales.run(cell)
    assert says in refused.value.message
    assert step in refused.value.next_step
    assert refused.value.message.count(". ") == 0


def test_a_query_that_is_only_a_comment_is_none(sales):
    with pytest.raises(SqlError, match="this has none") as refused:
        sales.run("%%mesh sql found\n-- later\n")
    assert "FROM NAME" in refused.value.next_step  # there is nothing to split


def test_unloading_leaves_no_transformer_behind(shell):
    before = len(shell.ip.input_transformers_cleanup)
    shell.run("%unload_ext mesh_notebook")
    assert len(shell.ip.input_transformers_cleanup) == before - 1
    shell.run("%load_ext mesh_notebook")


def test_the_path_of_a_fresh_run_of_all_cells_says_nothing_of_running_again(
    shell, tmp_path, monkeypatch
):
    """Whatever has not run yet stands below, and is still to come."""
    (tmp_path / "sales.csv").write_text("id,amount\n1,5\n")
    texts = ["%mesh", "%mesh source sales sales.csv", "%mesh", "%mesh output sold sales --key id"]
    cells = [
        {"cell_type": "code", "execution_count": n, "source": text, "id": f"c{n}"}
        for n, text in enumerate(texts, start=1)
    ]
    (tmp_path / "shop.ipynb").write_text(json.dumps({"cells": cells}))
    monkeypatch.setenv("JPY_SESSION_NAME", "shop.ipynb")
    for text in texts[:3]:
        answer = shell.run(text)
        if text == "%mesh":
            assert "run again" not in answer.next_step
    skipped = shell.ip.run_cell("%mesh check", store_history=True).error_in_exec
    assert "run again" in skipped.next_step  # in a cell that the file does not know


def test_a_connected_card_counts_the_rows_and_shows_the_first(published, shell):
    card = shell.shown(shell.run("%mesh connect analytics/airport-delays --as delays"))
    text = card["text/plain"]
    assert "rows       4" in text
    assert "the first rows" in text
    assert "EWR" in text


def test_the_package_runs_as_the_command_line(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "mesh_notebook", "--root", str(tmp_path), "search"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "0 products in the mesh" in done.stdout
