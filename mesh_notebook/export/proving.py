"""The proof: the module, run in clean processes on the notebook's inputs, gives its frames.

It runs twice at the same time, in processes that differ in all that no input says: Python's hashes,
threads, time zone, locale, and the order of rows that have none of their own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.blaming import blame, blame_failure
from mesh_notebook.export.comparing import difference
from mesh_notebook.export.drafts import OutputDraft
from mesh_notebook.export.held import states_of
from mesh_notebook.export.hidden import refuse_hidden, witness_of
from mesh_notebook.export.module import Module
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.unsliced import refuse_left_out, steps_of
from mesh_notebook.export.varying import (
    explain,
    refuse_dependent,
    refuse_parted,
    refuse_undetermined,
)
from mesh_notebook.mesh.on_mocks import Unfit
from mesh_notebook.mesh.replay import ReplayFailed, Twice, Witness, replay_twice, rows_in
from mesh_notebook.mesh.unsliced import Step
from mesh_notebook.model.address import python_name

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Proof", "prove", "seen"]


@dataclass(frozen=True)
class Proof:
    """What a proof showed.

    Attributes
    ----------
    rows : dict
        By port: how many rows were proved equal.
    unfit : dict
        By port: how it fares on mocks and on no rows, where it does not keep its columns.
    """

    rows: dict[str, int]
    unfit: dict[str, Unfit]


def prove(
    module: Module,
    outputs: Mapping[str, OutputDraft],
    namespace: Mapping[str, Any],
    mocks: Mapping[str, bytes],
) -> Proof:
    """Prove that a module makes the notebook's frames; and try it on mocks of its inputs.

    Parameters
    ----------
    namespace
        The notebook's names as they are now, to tell which cell is to blame.
    mocks
        By input: a Parquet file.

    Raises
    ------
    ExportRefused
        The module fails in a clean process or gives other frames; the message names the cell and
        the name where notebook and process part, and shows the first rows that differ.
    """
    plan = module.plan
    # Before the notebook's frames are made again, which may run the code in them.
    states = {one.port: states_of(one, namespace) for one in plan.slices}
    saw = {one.port: _seen(one, outputs[one.port]) for one in plan.slices}
    keys = [output.contract.key for output in outputs.values()]
    with tempfile.TemporaryDirectory() as folder:
        told = witness_of(module, states)
        steps = steps_of(module, outputs)
        twice = _replayed(module, list(saw), Path(folder), told, keys, mocks, steps)
        for one in plan.slices:
            refuse_undetermined(module, one, twice.faults.get(python_name(one.port)))
        for one in plan.slices:
            key = outputs[one.port].contract.key
            made = _read(twice.made, one.port)
            parted = twice.failure or difference(made, _read(twice.otherwise, one.port), key)
            if parted:
                raise explain(module, one, parted, namespace)
            if said := difference(saw[one.port], made, key):
                moved = [state for state in states[one.port] if state.by_hand]
                refuse_hidden(module, one, moved, twice.witnessed)
                raise blame(module, one, said, namespace)
        for one in plan.slices:
            refuse_dependent(module, one, twice.dependences.get(python_name(one.port)), namespace)
        for one in plan.slices:
            refuse_parted(module, one, twice.parted.get(python_name(one.port)), namespace)
        for one in plan.slices:
            refuse_hidden(module, one, states[one.port], twice.witnessed)
        for one in plan.slices:
            refuse_left_out(module, one, twice.left_out.get(python_name(one.port)))
    unfit = {port: twice.unfit.get(python_name(port)) for port in saw}
    return Proof(
        {port: frame.height for port, frame in saw.items()},
        {port: one for port, one in unfit.items() if one is not None},
    )


def seen(module: Module, outputs: Mapping[str, OutputDraft]) -> dict[str, pl.DataFrame]:
    """Return by port the notebook's own frame, whole."""
    return {one.port: _seen(one, outputs[one.port]) for one in module.plan.slices}


def _seen(one: Slice, output: OutputDraft) -> pl.DataFrame:
    """Return the notebook's own frame, whole."""
    import polars as pl

    frame = output.frame
    if type(frame).__module__.startswith("pandas"):
        return pl.from_pandas(frame)
    try:
        return (frame if hasattr(frame, "lazy") else pl.DataFrame(frame)).lazy().collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ExportRefused(
            f"the notebook's own frame `{one.result}` cannot be made again: {error}",
            next_step=f"run the cells that make `{one.result}` again",
            cell=one.output.cell.count,
            name=one.result,
        ) from None


def _replayed(
    module: Module,
    ports: list[str],
    folder: Path,
    witness: Witness | None,
    keys: Sequence[Sequence[str]],
    mocks: Mapping[str, bytes],
    steps: Sequence[Step],
) -> Twice:
    transform = folder / "transform.py"
    transform.write_text(module.text, "utf-8")
    inputs = {name: draft.replayed for name, draft in module.plan.inputs.items()}
    try:
        functions = [python_name(port) for port in ports]
        more = (module.plan.sql, witness, keys, mocks, steps)
        return replay_twice(transform, functions, inputs, folder, *more)
    except ReplayFailed as failure:
        raise blame_failure(module, failure) from None


def _read(made: Mapping[str, Path], port: str) -> pl.DataFrame:
    return rows_in(made[python_name(port)])
