"""Hidden state: what a name holds in the notebook, though its cells put something else there.

The output may be equal all the same, as long as no row asks for the difference. So the proof also
compares what the kept names hold when the frame is made.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.module import Module, probes_of
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.standing import holds_state, told_of
from mesh_notebook.export.statements import Statement
from mesh_notebook.mesh.replay import ReplayFailed, replay
from mesh_notebook.model.address import python_name

__all__ = ["State", "refuse_hidden", "states_of"]

# What a name held, and the statement that gave it its value.
State = tuple[Statement, Any]
_FUNCTION = "mesh_state"


def states_of(one: Slice, namespace: Mapping[str, Any]) -> dict[str, State]:
    """Return what the names of a slice hold in the notebook, where its statements say it last."""
    kept = {s.index: s for s in one.statements if s.kind == "code"}
    found = {}
    for name, writers in one.graph.final.items():
        maker = kept.get(writers[-1]) if writers else None
        if maker is None or name in one.graph.deferred or name not in namespace:
            continue
        if holds_state(namespace[name]) and (said := told_of(namespace[name])) is not None:
            found[name] = (maker, said)
    return found


def refuse_hidden(module: Module, one: Slice, saw: Mapping[str, State]) -> None:
    """Raise `ExportRefused` where a name holds something else in a clean process."""
    made = _made(module, one, list(saw)) if saw else {}
    for name, (maker, here) in saw.items():
        there = made.get(name)
        if there is not None and not _same(here, there):
            before, after = next(_parting(here, there), (here, there))
            raise ExportRefused(
                f"`{name}`, which the port '{one.port}' needs, holds something else in the "
                f"notebook than {maker.cell.label} and the cells before it put there: "
                f"{json.dumps(before):.200} in the notebook, {json.dumps(after):.200} in a clean "
                "process.",
                next_step=f"it was changed in a way that no cell shows: run the cells that make "
                f"`{name}` again, then those that use it, and export again",
                cell=maker.cell.count,
                name=name,
            )


def _made(module: Module, one: Slice, names: list[str]) -> dict[str, Any]:
    import polars as pl

    function = next(f for f in module.functions if f.name == python_name(one.port))
    held = ", ".join(f"{name!r}: {name}" for name in names)
    tell = '__import__("mesh_notebook.export.standing", fromlist=["told"]).told'
    result = f'pl.LazyFrame({{"told": [{tell}({{{held}}})]}})'
    text = probes_of(module, one, [(len(function.parts) - 1, _FUNCTION, result)])
    inputs = {name: draft.replayed for name, draft in module.plan.inputs.items()}
    with tempfile.TemporaryDirectory() as folder:
        transform = Path(folder) / "transform.py"
        transform.write_text(text, "utf-8")
        try:
            made = replay(transform, [_FUNCTION], inputs, Path(folder))
        except ReplayFailed:  # a name that a branch never bound: nothing to hold against it
            return {}
        states: dict[str, Any] = json.loads(pl.read_ipc(made[_FUNCTION]).item())
        return states


def _same(here: Any, there: Any) -> bool:
    return bool(json.loads(json.dumps(here)) == there)


def _parting(here: Any, there: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the smallest parts that differ."""
    if isinstance(here, dict) and isinstance(there, dict):
        pairs = [(here.get(k), there.get(k)) for k in {**here, **there}]
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        pairs = list(zip(here, there, strict=True))
    else:
        pairs = []
    for one, other in pairs:
        if not _same(one, other):
            yield from _parting(one, other)
            return
    yield here, there
