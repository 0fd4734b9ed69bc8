"""Notebooks written to be hard: each export is right, or refused for the reason expected."""

from __future__ import annotations

import decimal
import inspect
import locale
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from conftest import Shell
from corpus_reader import CORPUS, FLIGHTS, OTHERS, WEATHER, CorpusNotebook

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.comparing import difference

pytestmark = pytest.mark.corpus


@contextmanager
def untouched() -> Iterator[None]:
    """Put back what a notebook does to the process that it shares with the tests."""
    path, environ, context = list(sys.path), dict(os.environ), decimal.getcontext().copy()
    draws, draws_of_numpy = random.getstate(), np.random.get_state()
    told_in, printed = locale.setlocale(locale.LC_ALL), np.get_printoptions()
    try:
        yield
    finally:
        sys.path[:] = path
        for name in ("beside", "transform"):
            sys.modules.pop(name, None)
        _put_back(environ)
        decimal.setcontext(context)
        locale.setlocale(locale.LC_ALL, told_in)
        np.set_printoptions(**printed)
        random.setstate(draws)
        np.random.set_state(draws_of_numpy)
        pl.Config.restore_defaults()
        duckdb.set_default_connection(duckdb.connect())  # with no table of another notebook


def _put_back(environ: dict[str, str]) -> None:
    """Set what is another value, and no more: the C library's environment is no thread's own.

    A thread of Polars or DuckDB that reads a variable while all of them are written anew may find
    its memory gone.
    """
    for name in [*os.environ]:
        if name not in environ:
            del os.environ[name]
    for name, value in environ.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    with untouched():
        yield


def run(notebook: CorpusNotebook, shell: Shell, flights: str) -> Any:
    """Run a notebook's cells beside these rows, in its order; return its frame."""
    Path("flights.csv").write_text(flights)
    Path("weather.csv").write_text(WEATHER)
    shell.run("import polars as pl")
    shell.run("%mesh product airport-delays --domain travel")
    shell.run("%mesh source flights flights.csv")
    shell.run("%mesh source weather weather.csv")
    for cell in notebook.cells:
        if cell.fails:
            with pytest.raises(Exception):  # noqa: B017, PT011  whatever its own mistake is
                shell.run(cell.text)
        elif cell.by_hand:
            shell.by_hand(cell.text)
        else:
            shell.run(cell.text)
    return whole(shell.names["out"])


def whole(frame: Any) -> pl.DataFrame:
    """Return a frame of any library as a Polars frame."""
    return pl.from_pandas(frame) if hasattr(frame, "iloc") else frame.lazy().collect()


def made_by(text: str, flights: str) -> pl.DataFrame:
    """Return what an exported module makes of these rows, in a module of its own."""
    module = sys.modules["transform"] = ModuleType("transform")
    exec(compile(text, "transform.py", "exec", dont_inherit=True), vars(module))
    given = {
        "flights": pl.read_csv(flights.encode(), try_parse_dates=True).lazy(),
        "weather": pl.read_csv(WEATHER.encode()).lazy(),
    }
    given["wind"] = given["weather"]
    names = inspect.signature(module.daily).parameters
    given = [given[name.removesuffix("_input")] for name in names]
    made = module.daily(*given).collect()
    assert difference(made, module.daily(*given).collect()) is None  # it remembers no call
    return made


@pytest.mark.parametrize("notebook", CORPUS, ids=lambda notebook: notebook.name)
def test_an_export_is_right_on_other_rows_too_or_is_refused_as_expected(
    notebook: CorpusNotebook, shell: Shell, tmp_path: Path
) -> None:
    run(notebook, shell, FLIGHTS)
    shell.run("%mesh output daily out")
    if notebook.refused:
        with pytest.raises(ExportRefused) as caught:
            shell.run("%mesh export bundle")
        assert notebook.refused in str(caught.value)
        assert not Path("bundle").exists()
        return
    shell.run("%mesh export bundle")
    text = Path("bundle/transform.py").read_text("utf-8")
    made = made_by(text, OTHERS)  # before a second run of the notebook can change the process
    shell.ip.run_line_magic("unload_ext", "mesh_notebook")
    shell.ip.clear_instance()
    assert difference(run(notebook, Shell(), OTHERS), made) is None
