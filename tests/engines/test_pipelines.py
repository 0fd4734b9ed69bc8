"""The pipelines, exported and run on other engines: equal rows, or refused with the expression."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engines.inputs import INPUTS
from engines.pipelines import PIPELINES, STAYS, Pipeline
from mesh_notebook.export.comparing import difference
from mesh_notebook.export.portable.functions import rewritten
from mesh_notebook.export.portable.refusals import Portable
from mesh_notebook.export.portable.scope import Frame
from mesh_notebook.mesh.replay import replay

HEAD = '"""Pipelines."""\n\nfrom datetime import date\n\nimport polars as pl\n\n\n'
GOES = [p for name, p in PIPELINES.items() if name not in STAYS]


def port(*pipelines: Pipeline) -> Portable:
    """Rewrite pipelines, of whose inputs nothing is known but their columns."""
    names = {name for p in pipelines for name in p.inputs}
    frames = {n: Frame(pl.LazyFrame(schema=INPUTS[n]().collect_schema())) for n in names}
    text = HEAD + "\n\n".join(p.source for p in pipelines)
    return rewritten(text, {p.name: p.name for p in pipelines}, frames)


def run(text: str, engine: str, folder: Path) -> dict[str, pl.DataFrame]:
    path = folder / "portable.py"
    path.write_text(text)
    inputs = {name: made().collect() for name, made in INPUTS.items()}
    made = replay(path, [p.name for p in GOES], inputs, folder, engine)
    return {name: pl.read_ipc(file) for name, file in made.items()}


@pytest.fixture(scope="module")
def text() -> str:
    made = port(*GOES)
    assert made.text is not None, made.refusals
    assert (made.refusals, made.engines) == ((), ("duckdb", "spark"))
    return made.text


@pytest.fixture(scope="module")
def on_duckdb(text: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    return run(text, "duckdb", tmp_path_factory.mktemp("duckdb"))


def assert_equal(pipeline: Pipeline, made: pl.DataFrame) -> None:
    expected = pipeline.rows
    assert made.columns == expected.columns
    assert difference(expected, made.cast(expected.schema)) is None


def test_there_are_forty_pipelines() -> None:
    assert len(PIPELINES) >= 40
    assert len(GOES) >= 30


@pytest.mark.parametrize("pipeline", GOES, ids=lambda p: p.name)
def test_duckdb_gives_the_rows_of_polars(
    pipeline: Pipeline, on_duckdb: dict[str, pl.DataFrame]
) -> None:
    assert_equal(pipeline, on_duckdb[pipeline.name])


@pytest.mark.parametrize("name", STAYS)
def test_what_stays_is_named_with_its_expression(name: str) -> None:
    made = port(PIPELINES[name])
    (refusal,) = made.refusals
    assert (made.text, refusal.engine, refusal.port) == (None, "", name)
    assert refusal.expression == STAYS[name]


def test_the_module_is_formatted_lint_clean_and_typed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "portable.py"
    path.write_text(text)
    ruff = [
        "ruff",
        "check",
        "--isolated",
        "--line-length=100",
        "--select=E,F,W,I,UP,B,SIM,C4",
        path,
    ]
    for command in (ruff, ["mypy", "--strict", path]):
        done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


# ---- from a notebook -----------------------------------------------------------------------------


def cells_of(pipeline: Pipeline) -> Iterator[str]:
    """Write a pipeline as a person writes it in a cell, its result under its own name."""
    (node,) = ast.parse(textwrap.dedent(pipeline.source)).body
    assert isinstance(node, ast.FunctionDef)
    *steps, last = node.body
    assert isinstance(last, ast.Return)
    assert last.value is not None
    result = ast.Assign([ast.Name(f"{pipeline.name}_rows", ast.Store())], last.value)
    body = [*(s for s in steps if not isinstance(s, ast.Expr)), result]
    yield "\n".join(ast.unparse(ast.fix_missing_locations(part)) for part in body)


def test_a_notebook_exports_them_proved_on_duckdb(shell: Any, tmp_path: Path) -> None:
    shell.run("import polars as pl")
    shell.run("from datetime import date")
    shell.run("%mesh product pipelines --domain tests --owner tests")
    for name, made in INPUTS.items():
        made().collect().write_parquet(tmp_path / f"{name}.parquet")
        shell.run(f"%mesh source {name} {name}.parquet")
    for pipeline in GOES:
        for cell in cells_of(pipeline):
            shell.run(cell)
        shell.run(f"%mesh output {pipeline.name.replace('_', '-')} {pipeline.name}_rows")
    made = shell.run("%mesh export bundle")
    assert made.portable.refusals == ()
    assert made.portable.engines == ("duckdb", "spark")
    text = (tmp_path / "bundle" / "portable.py").read_text()
    assert "mesh_notebook" not in text
    assert "import polars" not in text


def test_an_export_says_what_stays_in_which_cell_and_why(shell: Any, tmp_path: Path) -> None:
    INPUTS["customers"]().collect().write_parquet(tmp_path / "customers.parquet")
    shell.run("import polars as pl")
    shell.run("%mesh product loud --domain tests --owner tests")
    shell.run("%mesh source customers customers.parquet")
    shell.run("loud = customers.with_columns(pl.col('name').str.to_uppercase())")
    shell.run("%mesh output names loud")
    made = shell.run("%mesh export bundle")
    (refusal,) = made.portable.refusals
    assert refusal.port == "names"
    assert refusal.cell == "cell [5]"
    assert refusal.expression == "pl.col('name').str.to_uppercase()"
    assert not (tmp_path / "bundle" / "portable.py").exists()


def test_a_wrong_rewriting_is_found_by_the_proof(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mesh_notebook.export.portable import helpers

    wrong = helpers._HELPERS["_rounded"].replace("rest == 0.5", "rest == 0.25")
    monkeypatch.setitem(helpers._HELPERS, "_rounded", wrong)
    pl.DataFrame({"x": [0.5, 1.5, 2.5]}).write_parquet(tmp_path / "halves.parquet")
    shell.run("import polars as pl")
    shell.run("%mesh product halves --domain tests --owner tests")
    shell.run("%mesh source halves halves.parquet")
    shell.run("rounded = halves.select(pl.col('x').round(0))")
    shell.run("%mesh output rounded rounded")
    made = shell.run("%mesh export bundle")
    (refusal,) = made.portable.refusals
    assert "DuckDB gives other rows" in refusal.why
    assert made.portable.text is None


def test_every_pipeline_is_a_function_of_known_inputs() -> None:
    for pipeline in PIPELINES.values():
        assert set(inspect.signature(pipeline.function).parameters) <= set(INPUTS)
