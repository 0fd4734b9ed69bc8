"""The verdict on a random notebook: exported and right, refused, or not to be replayed at all."""

from __future__ import annotations

import contextlib
import inspect
import io
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
from IPython.core.interactiveshell import InteractiveShell
from notebook import FLIGHTS, WEATHER, Notebook
from oracle import Told, executed_again, told
from programs import Program

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export import blaming, hidden, proving, varying
from mesh_notebook.export.module import Module
from mesh_notebook.mesh.identity import meaning_of
from mesh_notebook.mesh.replay import ReplayFailed, Twice
from mesh_notebook.mesh.variation import PLAIN, Variation
from mesh_notebook.model.address import python_name

__all__ = ["INPUTS", "OTHERS", "Wrong", "hold", "hold_to_whole", "judged", "quiet", "rows_of"]

Inputs = Mapping[str, pl.LazyFrame]
INPUTS: Inputs = {"flights": FLIGHTS, "weather": WEATHER}
# Other rows, more and fewer, and none at all.
OTHERS: tuple[Inputs, ...] = (
    {
        "flights": pl.LazyFrame(
            {
                "origin": ["EWR", "EWR", "LGA", "JFK", "SFO", "SFO"],
                "day": [7, 2, 3, 4, 4, 1],
                "delay": [None, 1, 40, 4, 7, -3],
            }
        ),
        "weather": pl.LazyFrame({"origin": ["SFO", "EWR", "JFK"], "wind": [1.5, 2.0, 3.5]}),
    },
    {"flights": FLIGHTS.clear(), "weather": WEATHER.clear()},
)


class Wrong(AssertionError):
    """An export that gives something else than the notebook's own cells do."""


def judged(program: Program) -> str:
    """Return `exported`, `refused: why`, `not replayable`, `by chance` or `no output`.

    Raises
    ------
    Wrong
        The module gives other rows than the cells, executed again on the same inputs.
    """
    notebook = Notebook()
    _scattered("the notebook")
    with contextlib.redirect_stdout(io.StringIO()), quiet(notebook.shell):
        for cell in program.runs:
            notebook.shell.run_cell(cell, store_history=True)
        codes = [cell.code for cell in notebook.record.cells]
        ran = executed_again(codes, INPUTS)
        if notebook.record.cells[-1].error_line is not None or "daily" not in notebook.outputs:
            return "no output"
        module = exported(notebook)
        saw, again = told(notebook.outputs["daily"]), told(ran.frame)
        if saw is None:
            return "no output"
        if saw != again:
            return "not replayable" if isinstance(module, str) else "by chance"
        if isinstance(module, str):
            return f"refused: {module}"
        parts = {name: draft.name for name, draft in module.plan.inputs.items()}
        for inputs in (INPUTS, *OTHERS):
            hold(module.text, parts, codes, ran.failed, inputs)
    return "exported"


def hold(
    text: str, parts: Mapping[str, str], codes: Sequence[str], failed: Sequence[Any], inputs: Inputs
) -> None:
    """Raise `Wrong` where a module gives something else than the cells do on the same inputs.

    Parameters
    ----------
    parts
        By parameter of the module's function the input that it stands for.
    failed
        Where the notebook's cells failed.
    """
    expected = executed_again(codes, inputs)
    if expected.failed != failed:
        return  # other statements would have run: another notebook
    rows = told(expected.frame)
    try:
        made = told(called(text, "daily", {name: inputs[part] for name, part in parts.items()}))
    except Exception as error:
        raise Wrong(f"the module fails: {error!r}\n{text}") from error
    if made != rows:
        raise Wrong(f"the module gives\n{made}\nthe cells give\n{rows}\n{text}")


def rows_of(codes: Sequence[str], inputs: Mapping[str, Any]) -> Told | None:
    """Return what cells, given as Python, make of inputs."""
    return told(executed_again(codes, inputs).frame)


def called(text: str, function: str, inputs: Mapping[str, Any]) -> pl.LazyFrame:
    """Call a function of a module, in a namespace of its own, where chance stands elsewhere."""
    _scattered(function)
    made = sys.modules["transform"] = ModuleType("transform")
    exec(compile(text, "transform.py", "exec"), vars(made))
    act = getattr(made, function)
    frame: pl.LazyFrame = act(**{name: inputs[name] for name in inspect.signature(act).parameters})
    return frame.lazy()


def hold_to_whole(module: Module) -> None:
    """Hold a module to the one in which nothing is shared, and each port's function stands whole.

    They mean the same release, and make the same rows or fail alike, in whatever order.
    """
    whole = module.apart
    assert meaning_of(module.text.encode()) == meaning_of(whole.text.encode())
    drafts = module.plan.inputs
    ports = [python_name(one.port) for one in module.plan.slices]
    for inputs in (INPUTS, *OTHERS):
        given = {name: inputs[draft.name] for name, draft in drafts.items()}
        for order in (ports, ports[::-1]):
            one, other = ([_outcome(m.text, p, given) for p in order] for m in (module, whole))
            assert one == other, module.text


def _outcome(text: str, port: str, given: Inputs) -> Any:
    try:
        return told(called(text, port, given))
    except Exception as error:  # noqa: BLE001  whatever a random cell raises
        return type(error).__name__


def _scattered(why: str) -> None:
    """Have chance stand elsewhere, for whoever draws without a seed."""
    random.seed(why)
    np.random.seed(len(why))


def exported(notebook: Notebook) -> Module | str:
    """Return the module that the notebook's export would write, or why it would write none."""
    try:
        module = notebook.module("daily")
        outputs = {"daily": notebook.declared("daily")}
        with (
            mock.patch.object(proving, "replay_twice", replayed_twice),
            mock.patch.object(hidden, "replay", replayed_here),
            mock.patch.object(blaming, "replay", replayed_here),
            mock.patch.object(varying, "replay", replayed_here),
        ):
            proving.prove(module, outputs, notebook.names, {})
    except ExportRefused as refused:
        return str(refused)
    return module


def replayed_twice(*given: Any) -> Twice:
    """Stand in for the two clean processes by two calls in this one."""
    *same, workdir, _, _, _, _, _ = given  # hidden state is asked for in a process of its own
    folders = [workdir / "plain", workdir / "otherwise"]
    for folder in folders:
        folder.mkdir()
    return Twice(*(replayed_here(*same, folder) for folder in folders))


def replayed_here(
    transform: Path,
    functions: Sequence[str],
    inputs: Mapping[str, Any],
    workdir: Path,
    variation: Variation = PLAIN,
) -> dict[str, Path]:
    """Stand in for the clean process, which costs half a second."""
    given = {name: one.data for name, one in inputs.items()}
    made = {}
    text = transform.read_text("utf-8")
    for name in functions:
        try:
            frame = called(text, name, given).collect()
        except Exception as error:
            raise failure(name, error) from error
        made[name] = workdir / f"{name}.arrow"
        frame.write_ipc(made[name])
    return made


def failure(name: str, error: Exception) -> ReplayFailed:
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "transform.py":
            line = trace.tb_lineno
        trace = trace.tb_next
    kind = type(error).__name__
    facts = {"function": name, "line": line, "error_type": kind, "reason": str(error), "detail": ""}
    facts |= {"reached": "", "path": ""}
    return ReplayFailed(str(error), next_step="", log="", **facts)


@contextlib.contextmanager
def quiet(shell: InteractiveShell) -> Iterator[None]:
    """Keep a shell from printing the errors of cells that are meant to fail."""
    with (
        mock.patch.object(shell, "showtraceback"),
        mock.patch.object(shell, "showsyntaxerror"),
    ):
        yield
