"""The backward slice: the least executed statements that make one output port."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mesh_notebook.errors import ExportRefused, near
from mesh_notebook.export.flow import graph_of
from mesh_notebook.export.graph import Graph
from mesh_notebook.export.process_settings import LOCALE, LOOKS, PROCESS
from mesh_notebook.export.reads import as_inputs
from mesh_notebook.export.record import ExecutedCell, Record, is_own_name
from mesh_notebook.export.refusals import refuse_impure
from mesh_notebook.export.statements import Statement, executed
from mesh_notebook.export.unexplained import BY_HAND
from mesh_notebook.export.unseen import TOLD, in_use

__all__ = ["Slice", "refuse_unaccounted", "slices_of", "written_down"]

# What is set for the whole process, in words.
_SET = {
    PROCESS: "what a library holds",
    LOOKS: "how Polars writes frames (pl.Config)",
    LOCALE: "the locale",
}
_TOLD = {TOLD: "where goes what is printed and logged"}
_CACHE = "functools._lru_cache_wrapper"  # nothing tells what it holds


@dataclass(frozen=True)
class Slice:
    """What makes one output port.

    Attributes
    ----------
    output : Statement
        The `%mesh output` that declared the port.
    result : str
        The name of its frame at that moment.
    statements : tuple of Statement
        In execution order; each is needed.
    total : int
        How many statements the notebook executed.
    """

    port: str
    output: Statement
    result: str
    statements: tuple[Statement, ...]
    total: int
    graph: Graph = field(repr=False)

    def used(self, statement: Statement) -> tuple[str, ...]:
        """Return the names bound or changed by a statement that the slice goes on to read."""
        readers = (*self.statements, self.output)
        needs = (self.graph.needs[reader.index] for reader in readers)
        found = {n for need in needs for n, writers in need.items() if statement.index in writers}
        return tuple(sorted(found, key=(*statement.names, *sorted(found)).index))

    @property
    def inputs(self) -> tuple[Statement, ...]:
        return tuple(s for s in self.statements if s.kind == "input")


def slices_of(record: Record, ports: Sequence[str]) -> list[Slice]:
    """Return the slice of each port, in the ports' order.

    Raises
    ------
    ExportRefused
        A slice needs something that no module can repeat; it names the cell and the name.
    """
    statements = executed(record, unrun=True)
    total = sum(s.kind != "unrun" and (s.kind != "opaque" or bool(s.node)) for s in statements)
    graph = graph_of(as_inputs(statements))
    return [_slice(record, graph, port, total) for port in ports]


def _slice(record: Record, graph: Graph, port: str, total: int) -> Slice:
    output = _output_of(record, graph.statements, port)
    kept = _closure(record, graph, output)
    made = tuple(s for s in graph.statements if s.index in kept and s is not output)
    for statement in made:
        refuse_impure(statement, graph)
    _refuse_moved(record, graph, kept)
    _refuse_set(record, graph, kept)
    return Slice(port, output, next(iter(output.effects.reads)), made, total, graph)


def refuse_unaccounted(record: Record, statement: Statement, graph: Graph) -> None:
    """Raise `ExportRefused` where a statement by itself leaves open what its values are made of."""
    for name in statement.names or ("",):
        _refuse_unusable(statement, statement, name)
    _refuse_missing(record, statement, graph.missing[statement.index])
    refuse_impure(statement, graph)


def _output_of(record: Record, statements: Sequence[Statement], port: str) -> Statement:
    for statement in reversed(statements):
        if statement.kind == "output" and statement.event.payload["port"] == port:  # type: ignore[union-attr]
            return statement
    declaring = (c for c in record.cells for e in c.events if e.payload.get("port") == port)
    if cell := next(declaring, None):
        raise ExportRefused(
            f"{cell.label} declares the output port '{port}' inside a loop, a branch, a function "
            "or another expression.",
            next_step=f"write %mesh output {port} FRAME as a line of its own, and run it",
            cell=cell.count,
            name=port,
        )
    raise ExportRefused(
        f"the record of this session holds no cell that declares the output port '{port}'.",
        next_step=f"run the cell with %mesh output {port} again, after those that make its frame",
        cell=None,
        name=port,
    )


def _closure(record: Record, graph: Graph, output: Statement) -> set[int]:
    kept: set[int] = set()
    todo = [output.index]
    while todo:
        index = todo.pop()
        if index in kept:
            continue
        kept.add(index)
        statement = graph.statements[index]
        _refuse_missing(record, statement, graph.missing[index])
        for name, writers in graph.needs[index].items():
            for writer in writers:
                _refuse_unusable(graph.statements[writer], statement, name)
            todo.extend(writers)
    return kept


def _refuse_unusable(writer: Statement, reader: Statement, name: str) -> None:
    where, uses = writer.cell.label, f"{reader.cell.label} uses"
    if writer.reason == BY_HAND:
        raise _by_hand(writer.cell, reader, name, written_down(name, writer.cell.moved[name].text))
    if writer.kind == "unrun":
        kind = writer.cell.failure[0].rpartition(".")[2]
        raise ExportRefused(
            f"{where} stopped with {kind}, which is up to the rows: on others the rest of it would "
            f"run, and may change {_in_words(name)}; {uses} it.",
            next_step=f"put what stopped it into a cell of its own, below; run {where} again, then "
            f"the cells that use {_in_words(name)}",
            cell=writer.cell.count,
            name=name,
        )
    if writer.kind in ("opaque", "output"):
        did = "made" if writer.effects.binds.get(name) else "changed"
        how = writer.reason or "mesh.output"
        raise ExportRefused(
            f"{where} {did} `{name}` by {how}, which no module can repeat; {uses} it.",
            next_step=_instead_of(how, name),
            cell=writer.cell.count,
            name=name,
        )
    if writer.half:
        raise ExportRefused(
            f"{where} failed after it may have changed `{name}`; {uses} it.",
            next_step=f"run the cells that make `{name}` again, then those that use it",
            cell=writer.cell.count,
            name=name,
        )
    if writer.kind == "code" and writer.reason:
        raise ExportRefused(
            f"{where} makes `{name}` by {writer.reason}, so its inputs cannot be told apart; "
            f"{uses} it.",
            next_step="write each call as a line of its own, at the top level of a cell",
            cell=writer.cell.count,
            name=name,
        )


def _refuse_moved(record: Record, graph: Graph, kept: set[int]) -> None:
    """Raise `ExportRefused` where a value changed in place, by no cell, and the slice reads it.

    Of names that stand as they are until the export, the proof compares what they hold; these are
    the others: bound anew since, or changed whenever a lazy frame is collected.
    """
    read = {name for index in kept for name in graph.needs[index]}
    named = {n for n in read if not n.startswith("<")}
    told = {n for n in named if graph.final.get(n, ())[-1:] and graph.final[n][-1] in kept}
    for cell in record.cells:
        cached = {name for name in told if cell.types.get(name) == _CACHE}
        for name in sorted(cell.moved.keys() & read - (told - graph.deferred - cached)):
            if reader := _reader_after(graph, kept, cell, name):
                fix = f"run the cells that make `{name}` again, then those that use it"
                if name.startswith("<"):
                    fix = "run the cell that seeds it again, then those that draw"
                if text := cell.moved[name].text:
                    fix = f"use a name in place of `{name}`, and {written_down('x', text)}"
                raise _by_hand(cell, reader, name, fix)


def _refuse_set(record: Record, graph: Graph, kept: set[int]) -> None:
    """Raise `ExportRefused` where no cell set what is set for the whole process, and it is asked.

    It may stand as before by now; then nothing of it is there to be compared.
    """
    for cell in record.cells:
        for name in sorted(cell.moved.keys() & _SET.keys()):
            for reader in (graph.statements[index] for index in sorted(kept)):
                asks = name == PROCESS or name in graph.settings[reader.index]
                if asks and reader.kind == "code" and reader.cell.index >= cell.index:
                    fix = "set it in a cell, run that cell and those that ask for it"
                    raise _by_hand(cell, reader, name, f"{fix}, and export again")


def _reader_after(graph: Graph, kept: set[int], cell: ExecutedCell, name: str) -> Statement | None:
    """Return the first statement that reads a value which was there before a cell ran."""
    for index in sorted(kept):
        reader, writers = graph.statements[index], graph.needs[index].get(name, ())
        after = reader.cell.index >= cell.index
        if after and any(graph.statements[w].cell.index < cell.index for w in writers):
            return reader
    return None


def _by_hand(cell: ExecutedCell, reader: Statement, name: str, fix: str) -> ExportRefused:
    text = cell.moved[name].text
    to = f" to {text:.100}" if text else ""
    what = _in_words(name)
    return ExportRefused(
        f"{what} was changed{to} by no cell, after the cell before {cell.label} had run: by a "
        f"widget, a thread, or code that the notebook does not show; {reader.cell.label} uses it.",
        next_step=fix,
        cell=cell.count,
        name=name,
    )


def _in_words(name: str) -> str:
    """Return what a name of the record stands for, as a person would say it."""
    if name.startswith("<draws of "):
        return f"the random generator of {name[10:-1]}"
    if in_use(name):
        return name[1:-1]
    return (_SET | _TOLD).get(
        name, f"what `{name[1:-1]}` holds" if name.startswith("<") else f"`{name}`"
    )


def written_down(name: str, text: str = "") -> str:
    """Return the next step for a value that only a hand put there."""
    value = text if text and len(text) <= 100 else "…"
    return (
        f"write it down: {name} = {value}, in a cell tagged `parameters`; run it, then the cells "
        "that use it, and export again"
    )


def _instead_of(reason: str, name: str) -> str:
    if reason.startswith("!"):
        return f"declare the file it makes as an input: %mesh source {name} PATH"
    if reason.startswith("%run"):
        return f"put the code that makes `{name}` into a cell"
    if reason.startswith("mesh."):
        return f"make `{name}` from the frames themselves"
    return f"assign `{name}` in a cell: {name} = …"


def _refuse_missing(record: Record, statement: Statement, missing: dict[str, bool]) -> None:
    for name, at_once in sorted(missing.items()):
        if not _existed(record, statement.cell, name, at_once):
            continue  # a branch that never ran: the notebook did not have the name either
        if name in statement.effects.binds and not _before(record, statement.cell, name):
            continue  # the statement bound it itself, on a way that it went
        problem, fix = _about(record, name)
        raise ExportRefused(
            f"{statement.cell.label} uses `{name}`, {problem}.",
            next_step=fix,
            cell=statement.cell.count,
            name=name,
        )


def _existed(record: Record, cell: ExecutedCell, name: str, at_once: bool) -> bool:
    if not is_own_name(name) or name in ("display", "exit", "quit"):
        return at_once or name != "mesh"
    if not cell.observed:
        return at_once
    return name in cell.types or _before(record, cell, name)


def _before(record: Record, cell: ExecutedCell, name: str) -> bool:
    return cell.index > 0 and name in record.cells[cell.index - 1].types


def _about(record: Record, name: str) -> tuple[str, str]:
    """Say why a name cannot be had, and what to do."""
    if name == "mesh":
        return "the notebook's own object", "use the frames that its verbs bind"
    if name == "display":
        return "which only a notebook has", "take `display` out of the code that makes the output"
    if name == "get_ipython":
        return "a magic or shell escape inside other code", "write it without the magic"
    if name.startswith("__") and name.endswith("__"):
        return "which is another in a module", "write out the value that it has"
    if not is_own_name(name):
        return "the notebook's history", "give that result a name: name = …"
    known: Iterable[str] = {n for cell in record.cells for n in cell.types}
    close = [n for n in near(name, known) if n != name]
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return (
        "which no cell of this session's record binds",
        f"define `{name}` in a cell and run it, then the cells that use it{hint}",
    )
