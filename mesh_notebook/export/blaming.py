"""Where a replay parts from the notebook: the cell, the name, and why."""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ExportRefused, as_typed
from mesh_notebook.export.comparing import difference
from mesh_notebook.export.module import Module, probes_of, result_of
from mesh_notebook.export.outside import source_name
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.statements import Statement
from mesh_notebook.mesh.guard import CLOCK
from mesh_notebook.mesh.inputs import ReplayInput
from mesh_notebook.mesh.replay import ReplayFailed, replay, rows_in
from mesh_notebook.mesh.variation import PLAIN, Variation
from mesh_notebook.model.address import python_name

if TYPE_CHECKING:
    import polars as pl

__all__ = ["blame", "blame_failure", "maker", "parting"]

Inputs = Mapping[str, ReplayInput]
_MOST = 40  # probes in one go
_SCALARS = (int, float, complex, str, bytes, type(None))  # told in full by their `repr`
_PLAIN = (*_SCALARS, list, dict, tuple)
_NAME = re.compile(r"name '(\w+)'|variable '(\w+)'|named '([\w.]+)'")


def blame_failure(module: Module, failure: ReplayFailed) -> ExportRefused:
    """Return the refusal for a module that fails in a clean process."""
    statement = module.statement_at(failure.line)
    reason = f"{failure.error_type}: {failure.facts.get('reason', '')}".removeprefix(": ")
    named = _NAME.search(reason)
    name = next((part for part in named.groups() if part), "") if named else ""
    if not name and statement is not None and statement.names:
        name = statement.names[0]
    where = f"{statement.cell.label}" if statement else "the exported module"
    if failure.reached:
        return _refused_reach(failure, statement, where)
    if failure.error_type == "ModuleNotFoundError":
        fix = f"install {name} as a package, or put its code into a cell"
    else:
        fix = "run the cells from the top, in order: what that line needs is not in the notebook"
    line = f"\n{failure.detail}" if failure.detail else ""
    return ExportRefused(
        f"{where} ran in the notebook but fails in a clean process: {reason}{line}",
        next_step=fix,
        cell=statement.cell.count if statement else None,
        name=name,
    )


def _refused_reach(failure: ReplayFailed, statement: Statement | None, where: str) -> ExportRefused:
    target = source_name(statement)
    if failure.reached.startswith(CLOCK):
        fix = "write out the day in place of that word before it is parsed, or leave its rows out"
    elif failure.path.endswith(".py"):
        fix = "put its code into a cell"
    elif failure.path:
        fix = f"declare it: %mesh source {target} {as_typed(failure.path)}"
    else:
        fix = "save what it gives to a file, then: %mesh source NAME PATH"
    return ExportRefused(
        f"{where} {failure.reached}, which is no input, so a clean process may see something else.",
        next_step=fix,
        cell=statement.cell.count if statement else None,
        name=statement.names[0] if statement and statement.names else "",
    )


def blame(module: Module, one: Slice, said: str, namespace: Mapping[str, Any]) -> ExportRefused:
    """Return the refusal for a frame that differs, naming the first statement that gives another.

    Parameters
    ----------
    said : str
        How the notebook's frame and the replayed one differ.
    """
    statement, name, inner = _parting(module, one, namespace) or (maker(one), one.result, "")
    where = statement.cell.label
    reason = f"{where} makes `{name}`, where they part."
    if inner and name != one.result:
        reason = f"{reason}\n{inner}"
    fix = (
        f"`{name}` was changed in a way that no cell shows: run {where} and the cells after it "
        "again, and export again"
    )
    return _refusal(one, reason, said, fix, statement, name)


def parting(
    module: Module,
    one: Slice,
    namespace: Mapping[str, Any],
    variation: Variation,
    inputs: tuple[Inputs, Inputs] | None = None,
) -> tuple[Statement, str] | None:
    """Return the first statement, and the name, whose value a variation makes otherwise.

    Parameters
    ----------
    inputs : tuple, optional
        What is read here and there, where it is not the notebook's own inputs.
    """

    probes = list(_probes(module, one, namespace))[:_MOST]
    with tempfile.TemporaryDirectory() as plain, tempfile.TemporaryDirectory() as varied:
        usual = {name: draft.replayed for name, draft in module.plan.inputs.items()}
        ours, theirs = inputs or (usual, usual)
        here = _run(module, one, probes, Path(plain), inputs=ours)
        there = _run(module, one, probes, Path(varied), variation, theirs)
        for probe in probes:
            frames = [rows_in(ran[n]) for ran in (here, there) if (n := probe.function) in ran]
            if len(frames) == 1 or (frames and difference(frames[0], frames[1])):
                return probe.statement, probe.name
    return None


def _refusal(
    one: Slice, reason: str, said: str, fix: str, statement: Statement, name: str
) -> ExportRefused:
    return ExportRefused(
        f"the port '{one.port}' is not what its code makes in a clean process. {reason}\n"
        f"`{one.result}`: {said}",
        next_step=fix,
        cell=statement.cell.count,
        name=name,
    )


def maker(one: Slice) -> Statement:
    """Return the statement that makes a port's frame."""
    made = [s for s in one.statements if one.result in one.used(s)]
    return made[-1] if made else one.output


# ---- probes: the values on the way -------------------------------------------------------------


@dataclass(frozen=True)
class _Probe:
    """One name whose value in the notebook is still what a statement of the slice made."""

    position: int
    statement: Statement
    name: str
    value: Any
    function: str

    @property
    def result(self) -> str:
        if isinstance(self.value, _PLAIN):
            return f'pl.LazyFrame({{"{self.name}": [repr({self.name})]}})'
        return result_of(self.name, self.value)

    def difference(self, made: pl.DataFrame) -> str | None:
        """Say how the notebook's value and the one made in a clean process differ."""
        import polars as pl

        if isinstance(self.value, _PLAIN):
            here, there = repr(self.value), made.item()
            parts = f"{here:.200} in the notebook, {there:.200} in the clean process"
            return f"is {parts}" if here != there else None
        if type(self.value).__module__.startswith("pandas"):
            return difference(pl.from_pandas(self.value), made)
        return difference(self.value.lazy().collect(), made)


def _parting(
    module: Module, one: Slice, namespace: Mapping[str, Any]
) -> tuple[Statement, str, str] | None:
    """Return the first statement, and the name, whose value the clean process makes otherwise."""
    import polars as pl

    probes = list(_probes(module, one, namespace))[:_MOST]
    with tempfile.TemporaryDirectory() as folder:
        made = _run(module, one, probes, Path(folder))
        for probe in probes:
            if probe.function not in made:
                continue
            try:
                said = probe.difference(rows_in(made[probe.function]))
            except pl.exceptions.PolarsError:
                continue
            if said:
                return probe.statement, probe.name, f"`{probe.name}` {said}"
    return None


def _probes(module: Module, one: Slice, namespace: Mapping[str, Any]) -> Iterator[_Probe]:
    function = next(f for f in module.functions if f.name == python_name(one.port))
    constants = [(-1, s) for s in module.plan.hoisted.values() if isinstance(s.node, ast.Assign)]
    inside = [(position, statement) for position, (_, statement) in enumerate(function.parts)]
    for position, statement in constants + inside:
        if statement is None or statement.kind == "input":
            continue
        for name in one.used(statement):
            standing = one.graph.final.get(name, ())[-1:] == (statement.index,)
            if standing and name in namespace and _can_be_probed(namespace[name]):
                given = f"probe_{position + 1}_{name}"
                yield _Probe(position, statement, name, namespace[name], given)


def _can_be_probed(value: object) -> bool:
    kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
    frames = ("polars.LazyFrame", "polars.DataFrame", "pandas.DataFrame")
    return kind in frames or _is_plain(value)


def _is_plain(value: object) -> bool:
    if type(value) is dict:
        return all(_is_plain(part) for pair in value.items() for part in pair)
    if type(value) in (list, tuple):
        return all(_is_plain(part) for part in value)  # type: ignore[attr-defined]
    return isinstance(value, _SCALARS)


def _run(
    module: Module,
    one: Slice,
    probes: Sequence[_Probe],
    folder: Path,
    variation: Variation = PLAIN,
    inputs: Inputs | None = None,
) -> dict[str, Path]:
    transform = folder / "transform.py"
    wanted = [(p.position, p.function, p.result) for p in probes]
    transform.write_text(probes_of(module, one, wanted), "utf-8")
    if inputs is None:
        inputs = {name: draft.replayed for name, draft in module.plan.inputs.items()}
    try:
        return replay(transform, [p.function for p in probes], inputs, folder, variation=variation)
    except ReplayFailed:  # a value on the way cannot be told; those told before it stand
        return {
            p.function: path for p in probes if (path := folder / f"{p.function}.arrow").exists()
        }
