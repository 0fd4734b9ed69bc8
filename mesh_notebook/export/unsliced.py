"""What a module leaves out, held to have no say: the notebook's statements, for a clean process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.awaiting import without_await
from mesh_notebook.export.drafts import OutputDraft
from mesh_notebook.export.module import Module, called_sql, result_of
from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.sql_steps import sql_helper
from mesh_notebook.export.statements import Statement
from mesh_notebook.mesh.unsliced import LeftOut, Step
from mesh_notebook.model.address import python_name

__all__ = ["refuse_left_out", "steps_of"]

_SQL = "_mesh_sql"
_LONGEST = 200  # characters of a statement that is shown


def steps_of(module: Module, outputs: Mapping[str, OutputDraft]) -> tuple[Step, ...]:
    """Return all that the notebook ran up to its last port, as a clean process can run it."""
    slices = {one.output.index: one for one in module.plan.slices}
    statements = module.plan.slices[0].graph.statements
    said = [s for s in statements if s.index <= max(slices)]
    steps = [step for s in said if (step := _step(module, s, slices, outputs))]
    if any(s.kind == "sql" for s in said):
        helper = "import duckdb\nimport polars as pl\nimport pandas as pd\n"
        steps.insert(0, Step(-1, "code", helper + sql_helper(_SQL, pandas=True, values=True)))
    return tuple(steps)


def _step(
    module: Module,
    statement: Statement,
    slices: Mapping[int, Slice],
    outputs: Mapping[str, OutputDraft],
) -> Step | None:
    binds, graph = tuple(statement.effects.binds), module.plan.slices[0].graph
    needs = (*graph.needs[statement.index], *graph.missing[statement.index])
    match statement.kind:
        case "output":
            one = slices.get(statement.index)
            return _port(one, outputs[one.port]) if one else None
        case "input" if statement.index in module.plan.parameter:
            parameter = module.plan.parameter[statement.index]
            return Step(statement.index, "input", parameter, (), binds)
        case "sql":
            return Step(statement.index, "code", _query(statement), tuple(needs), binds)
        case "code" | "import" if not statement.reason:
            text = without_await(statement.text)
            return Step(statement.index, "code", text, tuple(needs), binds)
    # What no clean process can do: its names are gone from here on.
    return Step(statement.index, "code", "raise LookupError", (), binds) if binds else None


def _port(one: Slice, output: OutputDraft) -> Step:
    kept = tuple(statement.index for statement in one.statements)
    text = result_of(one.result, output.frame)
    name = python_name(one.port)
    return Step(one.output.index, "port", text, (one.result,), (), name, kept)


def _query(statement: Statement) -> str:
    first, *others = statement.names
    return "\n".join(_queried(statement, first, others))


def _queried(statement: Statement, first: str, others: list[str]) -> Iterator[str]:
    yield f"{first} = {called_sql(_SQL, statement)}"
    yield from (f"{name} = {first}" for name in others)


def refuse_left_out(module: Module, one: Slice, found: LeftOut | None) -> None:
    """Raise `ExportRefused` where, on other rows, the notebook makes another frame than the module.

    Parameters
    ----------
    found : LeftOut or None
        What a clean process found of the port's function.
    """
    if found is None:
        return
    statements = {s.index: s for s in one.graph.statements}
    statement = statements.get(-1 if found.index is None else found.index)
    said = found.said.replace("the notebook", "the module").replace(
        "the clean process", "the notebook's cells"
    )
    rows = f"On the rows at hand it makes no difference.\n`{one.result}` of other rows: {said}"
    if statement is None:
        raise ExportRefused(
            f"the module makes other rows of the port '{one.port}' than the notebook's cells do, "
            f"where the rows of its inputs are others. {rows}",
            next_step=f"have the cells make all that `{one.result}` needs as values of names that "
            "they read, and not by the way; then run them, and export again",
            cell=one.output.cell.count,
            name=one.result,
        )
    text = " ".join(statement.text.split())
    raise ExportRefused(
        f"{statement.cell.label} has a say in the port '{one.port}' on other rows, and in no way "
        f"that its text tells: `{text:.{_LONGEST}}`. {rows}",
        next_step=f"have it give `{one.result}` its value by a name that a later cell reads "
        "(name = …), or take it away; then run the cells, and export again",
        cell=statement.cell.count,
        name=one.result,
    )
