"""Whatever is exported makes the round trip: its cells, run anew, export the same module.

The notebooks are those of the corpus, which were written to be hard, and random ones; the verbs
are stood in for, so that no proof runs: what a proof is of, the module's text, is what is compared.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from corpus_reader import CORPUS, CorpusNotebook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import called, hold_to_whole, quiet
from notebook import Notebook
from oracle import told
from programs import Program, programs
from test_corpus import untouched

from mesh_notebook.errors import ExportRefused, LoadRefused
from mesh_notebook.export.arranging import Item, arranged
from mesh_notebook.export.defaults import MARK
from mesh_notebook.export.module import Module
from mesh_notebook.export.read_back import read_back
from mesh_notebook.model.address import python_name

pytestmark = pytest.mark.proofs


@pytest.fixture(autouse=True)
def process():
    with untouched():
        yield


def cells_of(module: Module) -> list[str]:
    """Return the cells that a module is loaded as."""
    ports = {python_name(one.port): one.port for one in module.plan.slices}
    inputs = {name: draft.name for name, draft in module.plan.inputs.items()}
    begun = [one.name for one in module.beginnings]
    items = arranged(read_back(module.text, ports, begun), [*inputs])
    texts = [(item.kind == "code", cell_of(item, inputs)) for item in items]
    head = "\n".join(text for is_head, text in texts if is_head)
    return [head, *(text for is_head, text in texts if not is_head)]


def cell_of(item: Item, inputs: dict[str, str]) -> str:
    if item.kind == "input":
        return f"%mesh source {item.name} {inputs[item.name]}"
    if item.kind == "parameter":
        return f"{MARK}\n{item.text}"
    if item.kind == "output":
        return f"%mesh output {item.name} {item.text}"
    if item.step and item.step.query:
        return f"%%mesh sql {item.step.sql}\n{item.step.query}"
    return item.step.text if item.step else item.text


def loaded_again(module: Module) -> str:
    """Return the module that the loaded cells export."""
    notebook = Notebook()
    notebook.run(*cells_of(module))
    return notebook.module(*(one.port for one in module.plan.slices)).text


# Those that are exported; two call a verb in a way that its stand-in does not know.
EXPORTED = [
    one
    for one in CORPUS
    if not one.refused and one.name not in ("input-in-an-expression", "main-guard-magics")
]


def proved(module: Module, notebook: Notebook) -> bool:
    """Return whether the module makes what the notebook saw, as a proof would demand."""
    given = {name: notebook.frames[draft.name] for name, draft in module.plan.inputs.items()}
    try:
        made = {port: called(module.text, python_name(port), given) for port in notebook.outputs}
        return all(told(made[port]) == told(saw) for port, saw in notebook.outputs.items())
    except Exception:  # noqa: BLE001  whatever a random cell raises
        return False


@pytest.mark.parametrize("notebook", EXPORTED, ids=lambda notebook: notebook.name)
def test_a_hard_notebook(notebook: CorpusNotebook, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = Notebook()
    with quiet(first.shell):
        first.shell.run_cell("import polars as pl", store_history=True)
        for name in ("flights", "weather"):
            first.shell.run_cell(f"%mesh source {name}", store_history=True)
        for cell in notebook.cells:
            first.shell.run_cell(cell.text, store_history=True)
        first.shell.run_cell("%mesh output daily out", store_history=True)
    module = first.module(*first.outputs)
    assert loaded_again(module) == module.text


@pytest.mark.filterwarnings("ignore")
def test_a_random_notebook_of_two_ports() -> None:
    counted = {"loaded": 0, "not loaded": 0, "not exported": 0, "shared": 0}

    @settings(
        max_examples=settings.default.max_examples // 4,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(programs(), st.integers(1, 14))
    def law(program: Program, place: int) -> None:
        *runs, last = program.runs
        early = min(place, len(runs))
        other = last.replace("daily", "early")
        notebook = Notebook()
        with contextlib.redirect_stdout(io.StringIO()), quiet(notebook.shell):
            for cell in (*runs[:early], other, *runs[early:], last):
                notebook.shell.run_cell(cell, store_history=True)
            try:
                module = notebook.module(*notebook.outputs)
            except ExportRefused:
                module = None
            if module is None or not proved(module, notebook):
                counted["not exported"] += 1
                return
            try:
                cells_of(module)
            except LoadRefused:
                counted["not loaded"] += 1
                return
            assert loaded_again(module) == module.text
            counted["loaded"] += 1
            if module.beginnings:
                hold_to_whole(module)
                counted["shared"] += 1

    law()
    print(counted)
    assert counted["loaded"] > 2 * counted["not loaded"]


SETTING = "decimal.getcontext().prec = 3"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = float(decimal.Decimal(1) / 3)", f"{SETTING}\nx = float(decimal.Decimal(1) / 3)"),
        ("x = len('abc')", "len = 5\nx = len"),
    ],
    ids=["a setting", "a name of Python's own"],
)
def test_a_port_that_would_take_over_what_another_did_is_refused(before: str, after: str) -> None:
    notebook = Notebook().run(
        "import decimal\nimport polars as pl\n%mesh source flights",
        "%mesh output first flights",
        f"{before}\nout = flights.with_columns(x=pl.lit(x))\n%mesh output second out",
        f"{after}\nout = flights.with_columns(x=pl.lit(x))\n%mesh output first out",
    )
    with pytest.raises(LoadRefused, match="the port 'second' would be made of what another"):
        cells_of(notebook.module("first", "second"))
