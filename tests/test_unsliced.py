"""The module is held to all that the notebook ran, on other rows than those at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Shell

from mesh_notebook.errors import ExportRefused

pytestmark = pytest.mark.proofs

# `delay` is 1, 5 and 7 in the notebook's rows.
FOUND = (
    "import ctypes\nmarked = []\nwhere = id(marked)",
    "for row in flights.collect().iter_rows(named=True):\n"
    "    if row['delay'] > 30:\n"
    "        ctypes.cast(where, ctypes.py_object).value.append(row['delay'])",
    "late = flights.filter(~pl.col('delay').is_in(marked))",
)
NAMED = (
    "class Late:\n    pass\n\ndef said(delay):\n    return str(Late) if delay > 30 else ''",
    "late = flights.with_columns(\n"
    "    said=pl.col('delay').map_elements(said, return_dtype=pl.String)\n)",
)
CHANCE = (
    "import tempfile",
    "def said(delay):\n    return tempfile.mkdtemp() if delay > 30 else ''",
    NAMED[1],
)
ZONE = (
    "def said(day, delay):\n    return day.replace(tzinfo=None).timestamp() if delay > 30 else 0.0",
    "moments = flights.with_columns(pl.col('day').cast(pl.Datetime('us', 'UTC')))\n"
    "late = moments.with_columns(said=pl.struct('day', 'delay').map_elements(\n"
    "    lambda row: said(row['day'], row['delay']), return_dtype=pl.Float64))",
)


def refused(notebook: Shell, *cells: str) -> ExportRefused:
    for cell in cells:
        notebook.run(cell)
    notebook.run("%mesh output late late")
    with pytest.raises(ExportRefused) as caught:
        notebook.run("%mesh export bundle")
    assert not Path("bundle").exists()
    return caught.value


def test_a_statement_that_writes_on_other_rows_alone_is_found(notebook: Shell) -> None:
    error = refused(notebook, *FOUND)
    assert "In[6] has a say in the port 'late' on other rows" in str(error)
    assert "ctypes.cast(where, ctypes.py_object).value.append" in str(error)
    assert (error.facts["cell"], error.facts["name"]) == (6, "late")


def test_it_is_found_as_well_where_few_rows_have_no_value_twice(shell: Shell) -> None:
    rows = [f"2026-01-0{n},{n}.5,{n}" for n in (1, 2, 3)]
    Path("flights.csv").write_text("\n".join(["day,hours,delay", *rows]))
    shell.run("import polars as pl")
    shell.run("%mesh product airport-delays --domain travel")
    shell.run("%mesh source flights flights.csv")
    assert "In[6] has a say in the port 'late' on other rows" in str(refused(shell, *FOUND))


def test_what_is_called_otherwise_in_a_module_is_found_where_other_rows_ask(notebook) -> None:
    error = refused(notebook, *NAMED)
    assert "the module makes other rows of the port 'late' than the notebook's cells" in str(error)


@pytest.mark.parametrize(
    ("cells", "why"),
    [(CHANCE, "another answer each time"), (ZONE, "the machine: its time zone")],
    ids=["a name by chance", "a time zone"],
)
def test_what_only_other_rows_ask_of_chance_and_machine_is_found(notebook, cells, why) -> None:
    error = str(refused(notebook, *cells))
    assert why in error
    assert "only in one run" in error, "both are clean processes, and neither is the notebook"


def test_a_statement_that_fails_on_other_rows_fails_in_the_cells_as_in_the_module(notebook) -> None:
    for cell in (
        "import pandas as pd\ntable = flights.collect().to_pandas()",
        "counts = table.groupby('origin')[['delay']].sum()\ncounts.index = ['Newark', 'Kennedy']",
        "late = counts.reset_index()",
        "%mesh output late late",
    ):
        notebook.run(cell)
    assert notebook.run("%mesh export bundle").rows == {"late": 2}


def test_an_import_of_a_file_beside_the_notebook_is_found_on_ways_that_no_row_takes(notebook):
    Path("shop_rates.py").write_text("RATE = 9\n")
    cell = (
        "def rate(delay):\n    try:\n        if delay > 30:\n            import shop_rates\n"
        "            return shop_rates.RATE\n    except ImportError:\n        return -1\n"
        "    return 0"
    )
    late = "late = flights.with_columns(\n"
    late += "    rate=pl.col('delay').map_elements(rate, return_dtype=pl.Int64)\n)"
    error = refused(notebook, cell, late)
    assert "`import shop_rates` takes a file that lies beside the notebook" in str(error)


def test_what_has_no_say_is_no_reason_to_refuse(notebook: Shell) -> None:
    for cell in (
        "import random, sys\nseen = []\nprint('on the way', file=sys.stderr)",
        "for row in flights.collect().iter_rows(named=True):\n"
        "    if row['delay'] > 30:\n        seen.append(random.random())\n"
        "        raise SystemExit",
        "try:\n    notes = open('notes.txt').read()\nexcept OSError:\n    notes = ''",
        "late = flights.filter(pl.col('delay') > 3)",
        "%mesh output late late",
    ):
        notebook.run(cell)
    assert notebook.run("%mesh export bundle").rows == {"late": 2}
