"""What answers differently on the same inputs: by the order of rows, chance or the machine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.blaming import maker, parting
from mesh_notebook.export.comparing import difference
from mesh_notebook.export.impure import unsteady_in
from mesh_notebook.export.module import Module
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.statements import Statement
from mesh_notebook.mesh.ordering import Fault
from mesh_notebook.mesh.replay import Dependent, ReplayFailed, replay, rows_in
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.variation import CHANCE, MACHINE, ORDER, PLAIN, Variation
from mesh_notebook.model.address import python_name

__all__ = ["explain", "refuse_dependent", "refuse_parted", "refuse_undetermined", "what_tells"]

_WHY = {
    "order": (
        ORDER,
        "the order of rows that have none of their own",
        "put the rows in order there, by columns in which no two of them tie",
    ),
    "machine": (
        MACHINE,
        "the machine: its time zone, its locale or its number of threads",
        "name the zone or the value there, so that no machine has a say",
    ),
    "chance": (
        CHANCE,
        "chance: the order of a set, or the hash of a text",
        "sort what comes of a set, sorted(…), before its order matters",
    ),
}
_EACH_TIME = "chance: it is another answer each time"
_SEED = "give it a seed or a fixed value, run that cell and those after it, and export again"


def refuse_undetermined(module: Module, one: Slice, fault: Fault | None) -> None:
    """Raise `ExportRefused` where a port holds the answer of a step that its rows leave open."""
    if fault is None:
        return
    statement = module.statement_at(fault.line) or maker(one)
    name = next(iter(statement.names), one.result)
    raise ExportRefused(
        f"{statement.cell.label}, in what makes `{name}`: {fault.said}. So the port '{one.port}' "
        "may hold other rows each time that it is made.",
        next_step=fault.fix,
        cell=statement.cell.count,
        name=name,
    )


def refuse_dependent(
    module: Module, one: Slice, found: Dependent | None, namespace: Mapping[str, Any]
) -> None:
    """Raise `ExportRefused` where, on rows like those at hand, their order makes the port."""
    if found is None:
        return
    statement, name = _dependent(module, one, found, namespace)
    said = found.said.replace("the notebook", "one order").replace("the clean process", "another")
    if found.ports:
        port = found.ports[0]
        key = module.plan.inputs[port].replayed.key
        whose = f"of the rows of the port `{port}`, which come in no order of theirs"
        fix = "sort them just before by what identifies a row"
        fix += f": {port}.sort({', '.join(map(repr, key))})" if key else ""
    else:
        whose = "in which a step that keeps none leaves its rows"
        fix = "sort them just before by columns in which no two rows tie, or have the step keep "
        fix += "their order (maintain_order=…)"
    raise ExportRefused(
        f"{statement.cell.label}, in what makes `{name}`, depends on the order {whose}. It makes "
        "no difference on the rows at hand, but it does where more of their values are alike. So "
        f"the port '{one.port}' may hold other rows each time that it is made.\n"
        f"`{one.result}` of such rows: {said}",
        next_step=fix,
        cell=statement.cell.count,
        name=name,
    )


def refuse_parted(
    module: Module, one: Slice, found: Dependent | None, namespace: Mapping[str, Any]
) -> None:
    """Raise `ExportRefused` where two processes make a port otherwise of other rows."""
    if found is None:
        return
    (statement, name), why, fix = _parted(module, one, found, namespace)
    said = found.said.replace("the notebook", "one run").replace("the clean process", "another")
    raise ExportRefused(
        f"{statement.cell.label}, in what makes `{name}`, depends on {why}. It makes no difference "
        f"on the rows at hand, but it does where more of their values differ. So the port "
        f"'{one.port}' may hold other rows each time that it is made.\n"
        f"`{one.result}` of such rows: {said}",
        next_step=fix,
        cell=statement.cell.count,
        name=name,
    )


def _parted(
    module: Module, one: Slice, found: Dependent, namespace: Mapping[str, Any]
) -> tuple[tuple[Statement, str], str, str]:
    """Return where two processes part on other rows, what they differ in, and what to do."""
    if found.each_time:
        return _dependent(module, one, found, namespace), _EACH_TIME, _SEED
    for kind in ("chance", "machine"):
        variation, why, fix = _WHY[kind]
        if place := _parting(module, one, found, namespace, variation):
            return place, why, fix
    return (maker(one), one.result), *_WHY["chance"][1:]


def _dependent(
    module: Module, one: Slice, found: Dependent, namespace: Mapping[str, Any]
) -> tuple[Statement, str]:
    variation = PLAIN if found.ports or found.each_time else ORDER
    return _parting(module, one, found, namespace, variation) or (maker(one), one.result)


def _parting(
    module: Module,
    one: Slice,
    found: Dependent,
    namespace: Mapping[str, Any],
    variation: Variation,
) -> tuple[Statement, str] | None:
    drafts = module.plan.inputs
    here, there = (
        {n: replace(drafts[n].replayed, data=_lying(path), window=None) for n, path in side.items()}
        for side in (found.one, found.other)
    )
    return parting(module, one, namespace, variation, (here, there))


def _lying(path: Path) -> Scan:
    return Scan("ipc", (str(path),))


def explain(module: Module, one: Slice, said: str, namespace: Mapping[str, Any]) -> ExportRefused:
    """Return the refusal for a port that two clean processes make otherwise.

    Parameters
    ----------
    said : str
        How what they made differs, or why one of them failed.
    """
    kind, variation = what_tells(module, one)
    why, fix = (_EACH_TIME, _SEED) if kind == "each time" else _WHY[kind][1:]
    statement, name = _where(module, one, namespace, kind, variation)
    return ExportRefused(
        f"two clean processes make the port '{one.port}' otherwise, from the same inputs: it "
        f"depends on {why}. {statement.cell.label} makes `{name}`, where they part.\n"
        f"`{one.result}`: {said}",
        next_step=fix,
        cell=statement.cell.count,
        name=name,
    )


def _where(
    module: Module, one: Slice, namespace: Mapping[str, Any], kind: str, variation: Variation
) -> tuple[Statement, str]:
    called = [(s, call) for s in one.statements for call in unsteady_in(s, one.graph)]
    if kind == "each time" and called:
        statement, call = called[0]
        return statement, (statement.names or (call,))[0]
    return parting(module, one, namespace, variation) or (maker(one), one.result)


def what_tells(module: Module, one: Slice) -> tuple[str, Variation]:
    """Return what alone makes a difference; chance where nothing needs to."""
    first = _made(module, one, PLAIN)
    if first.differs(_made(module, one, PLAIN)):
        return "each time", PLAIN
    for kind, (variation, *_) in _WHY.items():
        if first.differs(_made(module, one, variation)):
            return kind, variation
    return "each time", PLAIN


class _Outcome:
    """The rows that a run made; none where it failed."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    def differs(self, other: _Outcome) -> bool:
        if self.frame is None or other.frame is None:
            return self.frame is not other.frame
        return difference(self.frame, other.frame) is not None


def _made(module: Module, one: Slice, variation: Variation) -> _Outcome:

    inputs = {name: draft.replayed for name, draft in module.plan.inputs.items()}
    name = python_name(one.port)
    with tempfile.TemporaryDirectory() as folder:
        transform = Path(folder, "transform.py")
        transform.write_text(module.text, "utf-8")
        try:
            made = replay(transform, [name], inputs, Path(folder), variation=variation)
        except ReplayFailed:
            return _Outcome(None)
        return _Outcome(rows_in(made[name]))
