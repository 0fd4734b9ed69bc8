"""The notebook's parameters cell becomes arguments with defaults, and a cell again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook import FLIGHTS, Notebook
from test_load import round_trip

from mesh_notebook.export.plan import planned
from mesh_notebook.export.slicing import slices_of

ROWS = "day,origin,delay\n" + "".join(
    f"2026-01-{d:02},{'EJ'[d % 2]},{d * 3}\n" for d in range(1, 9)
)
IMPORTS = "from datetime import date\nfrom decimal import Decimal\nimport polars as pl"
SOURCE = "%mesh source flights"
OUTPUT = "%mesh output daily out"


def head_of(*cells: str) -> str:
    """Return the head of the port's function that a notebook's cells make."""
    text = Notebook().run(IMPORTS, SOURCE, *cells, OUTPUT).module("daily").text
    return " ".join(text.partition("def daily(")[2].partition(") -> pl.LazyFrame:")[0].split())


def test_what_never_changes_is_an_argument_with_its_type() -> None:
    assert head_of(
        "# parameters\n"
        "least = 5\n"
        "since = date(2026, 3, 1)\n"
        "rate = Decimal('1.5')\n"
        "places = ('JFK', 'LGA')\n"
        "below = -1.5\n"
        "unused = 7",
        "late = flights.filter(pl.col('delay') > least, pl.col('origin').is_in(places))",
        "out = late.with_columns(pl.lit(since), rate=pl.lit(rate), below=below)",
    ) == (
        "flights: pl.LazyFrame, *, least: int = 5, since: date = date(2026, 3, 1), "
        'rate: Decimal = Decimal("1.5"), places: tuple[str, ...] = ("JFK", "LGA"), '
        "below: float = -1.5,"
    )


def test_it_is_given_and_taken() -> None:
    notebook = Notebook().run(
        IMPORTS, SOURCE, "# Parameters\nleast = 5", "out = flights.filter(pl.col('delay') > least)"
    )
    text = notebook.run(OUTPUT).module("daily").text
    made: dict[str, Any] = {}
    exec(compile(text, "transform.py", "exec"), made)
    assert made["daily"](FLIGHTS).collect().equals(notebook.saw())
    assert made["daily"](FLIGHTS, least=20).collect()["delay"].to_list() == [30]


def test_comments_stay_with_the_argument_and_the_mark_goes() -> None:
    notebook = Notebook().run(
        IMPORTS,
        SOURCE,
        "# parameters\n# In minutes,\n# as the airline says.\nleast = 5  # at least",
        "out = flights.filter(pl.col('delay') > least)",
        OUTPUT,
    )
    text = notebook.module("daily").text
    assert (
        "    # In minutes,\n    # as the airline says.\n    least: int = 5,  # at least\n" in text
    )
    assert "# parameters" not in text


@pytest.mark.parametrize(
    "cells",
    [
        ["# parameters\nleast = []", "least.append(5)", "least = least[0]"],
        ["# parameters\nleast = int('5')"],
        ["least = 5  # parameters"],
        ["least = 4", "flights = flights.filter(pl.col('day') < least)", "# parameters\nleast = 5"],
        [
            "def f():\n    global least\n    least = 5",
            "f()",
            "flights = flights.filter(pl.col('day') < least)",
            "# parameters\nleast = 5",
        ],
        ["# parameters\nmax = 5", "least = max"],
        ["# parameters\npl = 5", "least = pl", "import polars as pl"],
        ["# parameters\nif True:\n    least = 5"],
        ["# parameters\nleast: 'Minutes' = 5", "Minutes = int"],
        ["# parameters\nleast = None", "least = least or 5"],
    ],
    ids=[
        "can be changed",
        "is computed",
        "the comment is not of the cell",
        "another value before",
        "a function that sets it before",
        "a name of Python",
        "a name of the module",
        "within a block",
        "a type that is not known",
        "nothing, which says no type",
    ],
)
def test_what_could_mean_something_else_stays_a_statement(cells: list[str]) -> None:
    notebook = Notebook().run(
        IMPORTS, SOURCE, *cells, "out = flights.filter(pl.col('delay') > least)", OUTPUT
    )
    assert "*" not in head_of(*cells, "out = flights.filter(pl.col('delay') > least)")
    assert notebook.remade().equals(notebook.saw())


def test_a_type_that_the_notebook_says_is_taken() -> None:
    cells = ["# parameters\nleast: int | None = None", "out = flights.head(least or 2)"]
    assert head_of(*cells) == "flights: pl.LazyFrame, *, least: int | None = None"


def test_a_value_that_is_bound_again_starts_from_the_argument() -> None:
    notebook = Notebook().run(
        IMPORTS,
        SOURCE,
        "# parameters\nleast = 5",
        "least += 10",
        "out = flights.filter(pl.col('delay') > least)",
        OUTPUT,
    )
    assert "least: int = 5" in notebook.module("daily").text
    assert notebook.remade().equals(notebook.saw())


def test_a_function_may_stand_before_it() -> None:
    cells = ["def f():\n    return least", "# parameters\nleast = 5"]
    notebook = Notebook().run(IMPORTS, SOURCE, *cells)
    notebook.run("out = flights.filter(pl.col('delay') > f())", OUTPUT)
    assert "least: int = 5" in notebook.module("daily").text
    assert notebook.remade().equals(notebook.saw())


def test_a_cell_that_is_run_again_has_its_last_value() -> None:
    notebook = Notebook().run(IMPORTS, SOURCE, "# parameters\nleast = 5", "# Parameters\nleast = 9")
    notebook.run("out = flights.filter(pl.col('delay') > least)", OUTPUT)
    assert "least: int = 9" in notebook.module("daily").text


def test_a_tag_marks_a_cell_too() -> None:
    notebook = Notebook().run(
        IMPORTS, SOURCE, "least = 5", "out = flights.filter(pl.col('delay') > least)", OUTPUT
    )
    slices = slices_of(notebook.record, ["daily"])
    assert not planned(slices, notebook._draft).defaults
    found = planned(slices, notebook._draft, frozenset({"least = 5"})).defaults.values()
    assert [one.argument for one in found] == ["least: int = 5"]


# ---- through the whole of an export ------------------------------------------------------------


@pytest.fixture
def exported(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A product with parameters, exported from a notebook's file that tags their cell."""
    (tmp_path / "flights.csv").write_text(ROWS)
    cell = "least = 6  # minutes\nsince = date(2026, 1, 3)\nplaces = ('E', 'J')"
    tagged = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": [cell]}
    notebook = {"cells": [tagged], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "delays.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "delays.ipynb"))
    shell.run("from datetime import date\nimport polars as pl")
    shell.run("%mesh product airport-delays --domain travel --owner ops")
    shell.run("%mesh source flights flights.csv")
    shell.run(cell)
    shell.run("late = flights.filter(pl.col('delay') > least, pl.col('day') >= since)")
    shell.run("out = late.filter(pl.col('origin').is_in(list(places)))")
    shell.run("totals = late.group_by('origin').agg(pl.col('delay').sum())")
    shell.run("%mesh output daily out --key day,origin")
    shell.run("%mesh output totals totals --key origin")
    shell.run("%mesh export bundle")
    return shell


def test_all_that_runs_a_module_leaves_the_defaults_alone(exported: Any, tmp_path: Path) -> None:
    exported.run("%mesh verify bundle")
    exported.run("%mesh deploy bundle")
    made = exported.mesh.run("bundle", engine="duckdb").frames
    assert {port: frame.height for port, frame in made.items()} == {"daily": 6, "totals": 2}
    portable = (tmp_path / "bundle" / "portable.py").read_text()
    assert "since: date = date(2026, 1, 3)" in portable
    lineage = json.loads((tmp_path / "bundle" / "lineage.json").read_text())
    assert "delay" in json.dumps(lineage)


def test_its_readme_says_what_may_be_given(exported: Any, tmp_path: Path) -> None:
    text = (tmp_path / "bundle" / "README.md").read_text()
    assert "| `since` | parameter | `date`, `date(2026, 1, 3)`" in text


def test_its_cells_come_back_tagged(exported: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME")
    cells = round_trip(exported, tmp_path)
    said = '# parameters\nleast = 6  # minutes\nsince = date(2026, 1, 3)\nplaces = ("E", "J")'
    assert said in cells
    raw = json.loads((tmp_path / "airport-delays.ipynb").read_text())
    tagged = [cell for cell in raw["cells"] if cell["metadata"].get("tags") == ["parameters"]]
    assert ["".join(cell["source"]) for cell in tagged] == [said]


def test_an_edited_default_is_a_change_of_the_module(exported: Any, tmp_path: Path) -> None:
    transform = tmp_path / "bundle" / "transform.py"
    transform.write_text(transform.read_text().replace("least: int = 6", "least: int = 9", 1))
    found = exported.mesh.diff("bundle", "delays.ipynb").changes
    assert [(c.side, c.how, c.new.text) for c in found if c.side == "module"] == [
        ("module", "changed", "least = 9")
    ]


def test_two_defaults_of_one_name_are_no_cell(exported: Any, tmp_path: Path) -> None:
    transform = tmp_path / "bundle" / "transform.py"
    transform.write_text(transform.read_text().replace("least: int = 6", "least: int = 9", 1))
    with pytest.raises(Exception, match="the parameter `least` has another default in one port"):
        exported.run("%mesh load bundle")
