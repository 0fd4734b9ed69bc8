"""Of what a slice keeps, nothing can be left out: without any one statement the proof breaks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from corpus_reader import CORPUS, FLIGHTS, WEATHER, CorpusNotebook
from notebook import Notebook
from test_corpus import made_by, untouched, whole

from mesh_notebook.export.comparing import difference
from mesh_notebook.export.module import Module

pytestmark = pytest.mark.corpus
EXPORTED = [notebook for notebook in CORPUS if not notebook.refused]
LEAST = 0.95


@dataclass(frozen=True)
class Tried:
    """One exported statement, and whether the module is still right without it."""

    notebook: CorpusNotebook
    text: str
    spare: bool

    @property
    def known(self) -> bool:
        return any(self.text.startswith(text) for text in self.notebook.spare)


def tried(notebook: CorpusNotebook) -> Iterator[Tried]:
    """Leave out each statement of a notebook's module in turn."""
    with untouched(), redirect_stdout(StringIO()):
        module, saw = written(notebook)
    tree = ast.parse(module.text)
    for block, node in statements(tree, module):
        place = block.index(node)
        block[place] = ast.copy_location(ast.Pass(), node)
        spare = still_right(ast.unparse(tree), saw)
        block[place] = node
        yield Tried(notebook, ast.unparse(node), spare)


def written(notebook: CorpusNotebook) -> tuple[Module, pl.DataFrame]:
    """Run a notebook; return its module, and the frame that it made."""
    frames = {"flights": FLIGHTS, "weather": WEATHER, "wind": WEATHER}
    shell = Notebook(
        **{
            name: pl.read_csv(text.encode(), try_parse_dates=True).lazy()
            for name, text in frames.items()
        }
    )
    shell.run("import polars as pl", "%mesh source flights", "%mesh source weather")
    for cell in notebook.cells:
        text = cell.text.replace('("wind", "weather.csv")', '("wind")')
        text = text.replace("%mesh profile late", "%mesh check")  # the stand-in knows few verbs
        if cell.by_hand:
            shell.shell.run_cell(text, store_history=False, silent=True)
        else:
            (shell.fail if cell.fails else shell.run)(text)
    shell.run("%mesh output daily out")
    return shell.module("daily"), whole(shell.names["out"])


def statements(tree: ast.Module, module: Module) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
    """Yield the statements that come from the notebook, each with the block that holds it."""
    for node in list(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == "daily":
            yield from ((node.body, part) for part in node.body[1:-1])
        elif module.statement_at(node.lineno) is not None:
            yield tree.body, node


def still_right(text: str, saw: pl.DataFrame) -> bool:
    """Return whether a module still makes what the notebook saw."""
    try:
        with untouched(), redirect_stdout(StringIO()):
            return difference(saw, made_by(text, FLIGHTS)) is None
    except Exception:  # noqa: BLE001  whatever the missing statement leads to
        return False


def test_without_any_one_statement_of_a_slice_the_proof_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    every: list[Tried] = []
    for notebook in EXPORTED:
        every.extend(tried(notebook))
    needed = sum(not one.spare for one in every) / len(every)
    print(f"{len(every)} statements of {len(EXPORTED)} slices; {needed:.1%} are needed")
    for one in every:
        if one.spare:
            print(f"  {one.notebook.name}: {one.text.splitlines()[0]}")
    assert [one for one in every if one.spare != one.known] == []
    assert needed >= LEAST
