"""Hidden state: what a name holds in the notebook, though its cells put something else there.

The output may be equal all the same, as long as no row asks for the difference. So the proof also
compares what the kept names hold: numbers and texts after each cell that gives them to a name, all
else when the frame is made. What collecting the frame changes depends on how often the notebook
collected it, so it is compared only where a collection in the clean process leaves it as it was.
"""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.held import State
from mesh_notebook.export.module import Function, Module
from mesh_notebook.export.slicing import Slice, written_down
from mesh_notebook.export.state import (
    LIBRARY,
    parting,
    reordered,
    same,
)
from mesh_notebook.export.statements import Statement
from mesh_notebook.mesh.replay import ReplayFailed, Witness, replay, rows_in
from mesh_notebook.mesh.variation import PLAIN, Variation
from mesh_notebook.model.address import python_name

__all__ = ["refuse_hidden", "witness_of"]

_WITNESS = "mesh_witness"
_SEEDS = range(2, 7)  # of processes that are asked for an order of keys
_COLLECTED = "collected"  # the moment after the frame was collected


def witness_of(module: Module, states: Mapping[str, Sequence[State]]) -> Witness | None:
    """Return what tells the states of all ports; None where there are none to be told.

    Parameters
    ----------
    states : mapping
        By port, as `states_of` gives them.
    """
    asked = [one for one in module.plan.slices if states[one.port]]
    functions = [_witnessed(module, one, states[one.port]) for one in asked]
    if not functions:
        return None
    text = "\n\n".join([module.text, *(function.text for function in functions)])
    return Witness(text, tuple(function.name for function in functions))


def refuse_hidden(
    module: Module, one: Slice, saw: Sequence[State], heard: Mapping[str, Path]
) -> None:
    """Raise `ExportRefused` where a name holds something else in a clean process.

    Parameters
    ----------
    heard : mapping
        By function: what the witness told in the process of the proof. It ran there after the
        transform, so where it tells of a difference, it is asked again in a process of its own.
    """
    if not saw:
        return
    path = heard.get(_name(one))
    known = _written_out(one)
    if path is None or _differing(saw, _told(path), known):
        for state, *sides in _differing(saw, _replayed(module, one, saw), known):
            if not _comes_by_chance(module, one, state, known):
                raise _refusal(one, state, *sides)


def _comes_by_chance(module: Module, one: Slice, state: State, known: Collection[str]) -> bool:
    """Return whether only the order of keys differs, and is another one in some clean process."""
    for seed in _SEEDS:
        made = _replayed(module, one, [state], Variation(hash_seed=seed))
        there = made.get(_key(state))
        if there is None or not same(_as_json(state.told), there):
            return False
        if not _differing([state], made, known):
            return True
    return False


def _differing(
    saw: Sequence[State], made: Mapping[str, Any], known: Collection[str]
) -> list[tuple[State, Any, Any]]:
    """Return the states that differ, with the parts of both that do."""
    found = ((s, made.get(_key(s))) for s in saw if not (s.deferred and _moves(s, made)))
    told = ((s, _sides(_as_json(s.told), there, known)) for s, there in found if there is not None)
    return [(s, *sides) for s, sides in told if sides is not None]


def _sides(here: Any, there: Any, known: Collection[str]) -> tuple[Any, Any] | None:
    return reordered(here, there, known) if same(here, there) else parting(here, there)


def _written_out(one: Slice) -> set[str]:
    """Return the texts and numbers that a slice's code writes out, as they are told."""
    nodes = (n for s in one.statements for n in ast.walk(s.node or ast.Pass()))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Constant):
            found.add(repr(node.value))
        elif isinstance(node, ast.keyword):
            found.add(repr(node.arg))
    return found


def _moves(state: State, made: Mapping[str, Any]) -> bool:
    """Return whether collecting the frame changed a name in the clean process."""
    before, after = made.get(_key(state)), made.get(f"{_COLLECTED} {state.name}")
    return before is None or after is None or not same(before, after)


def _refusal(one: Slice, state: State, before: Any, after: Any) -> ExportRefused:
    maker, name = state.maker, state.name.removeprefix(LIBRARY)
    said = f"{json.dumps(before):.200} in the notebook, {json.dumps(after):.200} in a clean process"
    cells = f"{maker.cell.label} and the cells before it"
    if state.by_hand:
        what = f"stands at something else than {cells} say: it was moved by hand"
        fix = f"use a name in place of `{name}`, and " + written_down("x", str(before))
    elif state.fix:
        what, fix = "stands at something else in the notebook than its cells put there", state.fix
    elif state.at_the_end:
        what = f"holds something else in the notebook than {cells} put there"
        fix = (
            f"it was changed in a way that no cell shows: run the cells that make `{name}` "
            "again, then those that use it, and export again"
        )
    else:
        what = f"is another value in the notebook than {cells} make it"
        fix = f"run {cells} again; or {written_down(name, state.text)}"
    return ExportRefused(
        f"`{name}`, which the port '{one.port}' needs, {what}: {said}.",
        next_step=fix,
        cell=maker.cell.count,
        name=name,
    )


def _as_json(told: Any) -> Any:
    return json.loads(json.dumps(told))


def _replayed(
    module: Module, one: Slice, saw: Sequence[State], variation: Variation = PLAIN
) -> dict[str, Any]:
    inputs = {name: draft.replayed for name, draft in module.plan.inputs.items()}
    function = _witnessed(module, one, saw)
    with tempfile.TemporaryDirectory() as folder:
        transform = Path(folder) / "transform.py"
        transform.write_text(f"{module.text}\n\n{function.text}", "utf-8")
        try:
            made = replay(transform, [function.name], inputs, Path(folder), variation=variation)
        except ReplayFailed:  # it did not go the way that the proof went: that is not for us to say
            return {}
        return _told(made[function.name])


def _told(path: Path) -> dict[str, Any]:
    """Return what a witness told, by moment and name."""
    told: dict[str, Any] = json.loads(rows_in(path).item())
    return told


def _key(state: State) -> str:
    return f"{'end' if state.at_the_end else state.maker.index} {state.name}"


def _name(one: Slice) -> str:
    return f"mesh_state_of_{python_name(one.port)}"


def _witnessed(module: Module, one: Slice, saw: Sequence[State]) -> Function:
    """Return a port's function with looks on its way, which gives what names held there."""
    function = next(f for f in module.functions if f.name == python_name(one.port))
    asked: dict[Any, list[str]] = {}
    for state in saw:
        moment = "end" if state.at_the_end else state.maker.index
        asked.setdefault(moment, []).append(state.name)
        if state.deferred:
            asked.setdefault(_COLLECTED, []).append(state.name)
    name = _name(one)
    result = f'pl.LazyFrame({{"told": [{_WITNESS}.told()]}})'
    head = function.head.replace(f"def {function.name}(", f"def {name}(", 1)
    parts = tuple(_with_looks(function, asked))
    return replace(function, name=name, head=head, doc="", parts=parts, result=result)


def _with_looks(
    function: Function, asked: Mapping[Any, Sequence[str]]
) -> Iterator[tuple[str, Statement | None]]:
    """Yield a function's parts, with a look at names after those that are asked for."""
    witness = '__import__("mesh_notebook.export.state", fromlist=["Witness"]).Witness'
    yield f"{_WITNESS} = {witness}({dict(asked)!r}, globals())", None
    inside = {s.index for _, s in function.parts if s is not None}
    for moment in asked:
        if moment not in ("end", _COLLECTED) and moment not in inside:  # lifted, or given
            yield _look(moment), None
    for at, (text, statement) in enumerate(function.parts):
        yield text, statement
        following = function.parts[at + 1][1] if at + 1 < len(function.parts) else None
        if statement is not None and statement.index in asked and following is not statement:
            yield _look(statement.index), None
    if "end" in asked:
        yield _look("end"), None
    if _COLLECTED in asked:
        yield f"{_WITNESS}.collect({function.result})", None
        yield _look(_COLLECTED), None


def _look(moment: object) -> str:
    return f"{_WITNESS}({moment!r}, locals())"
