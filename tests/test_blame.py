"""What no cell shows is found by the proof: it names the cell, and the first rows that differ."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh_notebook.errors import MeshError

ROWS = "day,origin,delay\n" + "".join(
    f"2026-01-{d:02},{o},{d * 3 + n}\n" for d in range(1, 6) for n, o in enumerate("EJ")
)
FRAME = "out = flights.filter(pl.col('delay') > limit)"


@pytest.fixture
def notebook(shell: Any, tmp_path: Path) -> Any:
    """A notebook of which In[1] to In[4] have run: the extension, Polars, the product, flights."""
    (tmp_path / "flights.csv").write_text(ROWS)
    shell.run("import polars as pl")
    shell.run("%mesh product delays --domain travel --owner ops")
    shell.run("%mesh source flights flights.csv")
    return shell


def refused(notebook: Any, *cells: str) -> MeshError:
    """Run cells, from In[5] on, and export; return the refusal."""
    exported(notebook, *cells)
    with pytest.raises(MeshError) as caught:
        notebook.run("%mesh export bundle")
    assert not (notebook.mesh.base / "bundle").exists()
    return caught.value


def exported(notebook: Any, *cells: str) -> None:
    for cell in cells:
        notebook.run(cell)
    notebook.run("%mesh output daily out --key day,origin")


TRANSFORMED = "get_ipython().run_line_magic('matplotlib', 'inline')\nimport polars as pl\n"
LOW = "def low():\n    return limits['all']"
KEPT = "out = flights.filter(pl.col('delay') > low())"
# Nothing in these cells says which list they change.
CHANGED = "__import__('operator').setitem(get_ipython().user_ns['other'], 'all', 9)"


def test_a_change_through_an_alias_shows_its_cell_and_the_first_rows(notebook: Any) -> None:
    said = refused(notebook, "limits = {'all': 3}", "other = limits", LOW, CHANGED, KEPT)
    assert (said.facts["cell"], said.facts["name"]) == (5, "limits")
    assert "In[5] makes `limits`, where they part" in str(said)
    assert "{'all': 9} in the notebook, {'all': 3} in the clean process" in str(said)
    assert "the notebook has 5 rows, the clean process 9" in str(said)
    assert "only in the clean process: day=2026-01-01, origin='J', delay=4" in str(said)


@pytest.mark.parametrize(
    ("cells", "cell", "why"),
    [
        (("limit = 3", "get_ipython().user_ns['limit'] = 9"), 6, "by other means"),
        (
            (
                "limit = 3",
                "import threading\n"
                "t = threading.Thread(target=exec, args=('limit = 9', globals()))\n"
                "t.start(); t.join()",
            ),
            6,
            "by other means",
        ),
        (
            ("limit = 3", "def more():\n    globals()['limit'] = 9", "more()"),
            7,
            "by other means",
        ),
        (("import math", "math.floor = lambda x: 9", "limit = math.floor(3.5)"), 6, "math.floor"),
        (("import time", "limit = time.time() % 20"), 6, "reads the clock"),
        (("import random", "limit = random.randint(0, 9)"), 6, "without a seed"),
        (("import os", "limit = len(os.getcwd())"), 6, "tells of the machine"),
    ],
    ids=["user_ns", "thread", "globals", "library", "clock", "chance", "working directory"],
)
def test_what_a_module_cannot_repeat_is_refused_with_its_cell(
    notebook: Any, monkeypatch: pytest.MonkeyPatch, cells: tuple[str, ...], cell: int, why: str
) -> None:
    import math

    monkeypatch.setattr(math, "floor", math.floor)  # given back after the test
    said = refused(notebook, *cells, FRAME)
    assert said.facts["cell"] == cell
    assert f"In[{cell}]" in str(said)
    assert why in str(said)


@pytest.mark.parametrize(
    "cells",
    [
        ("limit = 3", "limit += 3", "limit += 3", FRAME),
        ("limit = 9", FRAME, "limit = 3"),
        ("limit = 3", "del limit", "limit = 9", FRAME),
        ("limit = 3", FRAME, "limit = 9", FRAME),
        ("import os\nos.environ['LIMIT'] = '9'", "limit = int(os.environ['LIMIT'])", FRAME),
    ],
    ids=["run twice", "rebound later", "deleted and rebound", "edited and run again", "variable"],
)
def test_what_ran_is_exported_as_it_ran(
    notebook: Any, monkeypatch: pytest.MonkeyPatch, cells: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LIMIT", "0")  # given back after the test
    exported(notebook, *cells)
    assert notebook.run("%mesh export bundle").rows == {"daily": 5}
    rows = notebook.mesh.run("bundle").frames["daily"]
    assert rows["delay"].sort().to_list() == [10, 12, 13, 15, 16]


def test_a_cell_that_was_edited_after_its_run_is_exported_as_it_ran(notebook: Any) -> None:
    """Whatever stands in the document now: the record holds what was executed."""
    exported(notebook, "limit = 9", FRAME)
    notebook.run("In[5] = 'limit = 3'")
    assert notebook.run("%mesh export bundle").rows == {"daily": 5}


def test_a_name_that_a_script_made_is_refused_with_its_cell(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "limits.py").write_text("limit = 9\n")
    said = refused(notebook, "%run limits.py", FRAME)
    assert said.facts["cell"] == 5
    assert "In[5] made `limit` by %run, which no module can repeat; In[6] uses it" in str(said)
    assert "put the code that makes `limit` into a cell" in str(said)


def test_a_cell_that_was_deleted_since_is_exported_and_the_bundles_notebook_has_it(
    notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "delays.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(saved))
    cells = ["import polars as pl", "%mesh source flights flights.csv", "limit = 9", FRAME]
    cells += ["%mesh output daily out --key day,origin"]
    exported(notebook, "limit = 9", FRAME)

    def save(*texts: str) -> None:
        written = [{"cell_type": "code", "metadata": {}, "source": text} for text in texts]
        saved.write_text(json.dumps({"cells": written, "metadata": {}, "nbformat": 4}))

    def bundled() -> str:
        return (tmp_path / "bundle" / "notebook.ipynb").read_text()

    save(*cells[:2], *cells[3:])
    found = notebook.run("%mesh export bundle")
    assert (found.rows, found.unsaved) == ({"daily": 5}, ("In[5]",))
    shown = notebook.shown(found)["text/plain"]
    assert "the saved file does not hold In[5] so" in " ".join(shown.split())
    assert "limit = 9" in bundled()

    # What ran before the record began is known as Python alone.
    ran = notebook.mesh.record.cells
    at = next(i for i, cell in enumerate(ran) if cell.source == cells[0])
    ran[at] = replace(ran[at], source=TRANSFORMED, code=TRANSFORMED)
    cells[0] = "%matplotlib inline\nimport polars as pl"
    save(*cells, "print('and a note')")
    assert notebook.run("%mesh export bundle").unsaved == ()
    assert "and a note" in bundled()


def test_a_file_that_changed_since_it_was_opened_is_named(notebook: Any, tmp_path: Path) -> None:
    exported(notebook, "limit = 9", FRAME)
    (tmp_path / "flights.csv").write_text(ROWS + "2026-01-06,E,40\n")
    os.utime(tmp_path / "flights.csv", (1, 1))
    with pytest.raises(MeshError, match=r"'flights' .* written to since it was opened"):
        notebook.run("%mesh export bundle")
