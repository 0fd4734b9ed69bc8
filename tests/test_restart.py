"""A restart begins a new record, and the notebook says which of its cells must be run again."""

from __future__ import annotations

import json

import pytest

from mesh_notebook.errors import UsageError

CELLS = [
    "%load_ext mesh_notebook\nimport polars as pl",
    "%mesh source flights flights.csv",
    "unrelated = 1",
    "limits = {}",
    "limits['least'] = 2",
    "daily = flights.filter(pl.col('n') >= limits['least'])",
    "print(unrelated)",
    "%mesh output daily daily --key day",
]


@pytest.fixture
def restarted(shell, tmp_path, monkeypatch):
    """A fresh session beside the file of a notebook that ran before."""
    cells = [
        {"cell_type": "code", "execution_count": n, "source": text.splitlines(keepends=True)}
        for n, text in enumerate(CELLS, start=1)
    ]
    cells.append({"cell_type": "code", "execution_count": None, "source": ["never = 1"]})
    cells.append({"cell_type": "markdown", "source": ["# Delays"]})
    (tmp_path / "delays.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "flights.csv").write_text("day,n\n1,2\n2,1\n")
    monkeypatch.setenv("JPY_SESSION_NAME", "delays.ipynb")
    return shell


@pytest.mark.parametrize("asks", ["%mesh check", "%mesh export made"])
def test_what_the_ports_stand_on_is_named_and_nothing_else(restarted, asks):
    restarted.run(CELLS[1])
    with pytest.raises(UsageError) as refused:
        restarted.run(asks)
    said = str(refused.value)
    assert "In[4] limits = {}; In[5] limits['least'] = 2; In[6] daily = " in said
    assert "In[8] %mesh output daily" in said
    assert "In[2]" not in said, "it ran in this session"
    assert "unrelated" not in said
    assert "never" not in said


def test_the_path_says_so_as_well_until_the_cells_have_run(restarted):
    assert "run again" in restarted.run("%mesh").next_step
    for cell in CELLS:
        restarted.run(cell)
    assert "run again" not in restarted.run("%mesh").next_step
    assert restarted.run("%mesh export made").ports == ("daily",)


def test_without_a_file_the_next_step_is_to_declare_an_output(shell):
    with pytest.raises(UsageError, match="%mesh output PORT FRAME"):
        shell.run("%mesh check")
