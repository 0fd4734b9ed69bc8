"""The executed statements: every cell's top-level Python, in the order in which it ran."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mesh_notebook.export.analysis import effects_of
from mesh_notebook.export.effects import Effects
from mesh_notebook.export.halves import had_effect
from mesh_notebook.export.lambdas import as_function
from mesh_notebook.export.own_sql import Query
from mesh_notebook.export.record import Event, ExecutedCell, Record
from mesh_notebook.export.text import inner_text, leading_comments, statements_of
from mesh_notebook.export.unexplained import moved_before, unexplained
from mesh_notebook.export.unrun import failed_by_values, may_run
from mesh_notebook.export.verbs import INPUTS, Magic, SqlStep, Verbs, magic, verbs_in

__all__ = ["Statement", "executed", "rewrites_history", "statements_in"]

_MAIN = ("__name__ == '__main__'", "'__main__' == __name__")
_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign)
_NESTING = ("time", "prun")  # magics whose body runs as if it stood in the cell itself
_OPTIONS = re.compile(r"(\s*(-[rq]+|-[DlsT]\s*\S+|--no-raise-error)(?=\s|$))*\s*")


@dataclass(eq=False)
class Statement:
    """One executed statement.

    Attributes
    ----------
    kind : str
        `code`, `import`, `input`, `sql`, `output`; or `opaque`: it bound names in a way that no
        module can repeat, `reason` says which; or `unrun`: other rows may let it run.
    text : str
        Its own text with its comments; of an import, one alias of it.
    half : bool
        It failed, so what it changed may have changed half.
    origin : str
        Of an import: the full name of what is bound.
    above : tuple of str
        Of a verb: the comment lines straight above it.
    queries : tuple of Query
        The SQL that it runs by DuckDB; known once the statements before it were followed.
    advised : str
        Of one that reads a declared file otherwise than the input does: what to do.
    """

    cell: ExecutedCell
    kind: str
    text: str
    effects: Effects
    node: ast.stmt | None = None
    half: bool = False
    event: Event | None = None
    step: SqlStep | None = None
    origin: str = ""
    above: tuple[str, ...] = ()
    reason: str = ""
    queries: tuple[Query, ...] = ()
    advised: str = ""
    index: int = field(default=-1)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.effects.binds)


def executed(record: Record, unrun: bool = False) -> list[Statement]:
    """Return the record's statements in execution order.

    After a cell's own statements stand opaque ones for the names that came to mean something else,
    or grew, though no statement binds them; what a call or a change explains is struck later.
    Before them stand those for what changed between it and the cell before.

    Parameters
    ----------
    unrun
        Whether to give what a cell would have run, had its rows not made it fail, behind the rest.
    """
    found: list[Statement] = []
    before: ExecutedCell | None = None
    last = {cell.cell_id: cell.index for cell in record.cells}
    for cell in _captured(record.cells):
        found.extend(statements_in(cell, before))
        # Of a cell that was mended and run again, the notebook holds the text that ran last.
        stands = cell.cell_id is None or last[cell.cell_id] == cell.index
        found.extend(_unrun(cell) if unrun and stands and failed_by_values(cell) else ())
        before = cell if cell.observed else before
    for index, statement in enumerate(found):
        statement.index = index
    return found


def statements_in(cell: ExecutedCell, before: ExecutedCell | None) -> list[Statement]:
    """Return one cell's statements; `before` is the last observed cell, which tells what is new."""
    made = list(_of_cell(cell, cell.code))
    if not cell.observed or before is None:
        return made
    bound = {name for s in made for name in s.effects.binds}
    said = next((s.reason for s in made if s.kind == "opaque"), "")
    first, last = moved_before(cell), unexplained(cell, before, bound, said)
    hidden = [
        [Statement(cell, "opaque", "", e, reason=r) for e, r in part] for part in (first, last)
    ]
    return [*hidden[0], *made, *hidden[1]]


def _unrun(cell: ExecutedCell) -> Iterator[Statement]:
    for node in may_run(cell, list(_run_by_a_notebook(cell.code))):
        if not magic(node):
            effects = effects_of(node)
            effects.binds = dict.fromkeys((*effects.binds, *effects.deletes), False)
            effects.deletes = set()
            yield Statement(cell, "unrun", "", effects, node)


def rewrites_history(cell: ExecutedCell) -> bool:
    """Return whether a cell says how the one before it is to be read (see `_captured`)."""
    return "run_cell_magic('capture'" in cell.code


def _captured(cells: Sequence[ExecutedCell]) -> list[ExecutedCell]:
    """Give what ran under `%%capture` the number of the cell that the notebook shows.

    IPython runs such a body as a cell of its own, which is over before the outer one is.
    """
    cells = list(cells)
    for inner, outer in zip(range(len(cells)), cells[1:], strict=False):
        if not rewrites_history(outer):
            continue
        body = next((m.body for n, _ in _parsed(outer.code) if (m := magic(n))), "")
        if body.strip() == cells[inner].source.strip():
            cells[inner] = replace(cells[inner], count=outer.count, events=_inner(cells[inner]))
    return cells


def _inner(cell: ExecutedCell, first: int = 0, last: int = sys.maxsize) -> tuple[Event, ...]:
    """Return the events between two lines of the outer text, by their lines in the inner one."""
    within = (e for e in cell.events if e.lines and first <= e.lines[0] <= last)
    return tuple(replace(event, lines=event.lines[1:]) for event in within)


def _parsed(code: str) -> list[tuple[ast.stmt, str]]:
    try:
        return statements_of(code)
    except SyntaxError:
        return []  # so it did not run either


def _of_cell(cell: ExecutedCell, code: str) -> Iterator[Statement]:
    if cell.error_line == 0:
        return
    pending = list(cell.events)
    for node, text in _run_by_a_notebook(code):
        first, last = node.lineno, node.end_lineno or node.lineno
        half = cell.error_line is not None and first <= cell.error_line <= last
        if cell.error_line is not None and first > cell.error_line:
            return
        yield from _of_node(cell, node, text, half, pending)


def _run_by_a_notebook(code: str) -> Iterator[tuple[ast.stmt, str]]:
    """Yield a cell's statements; those under `if __name__ == "__main__":` stand for themselves."""
    for node, text in _parsed(code):
        if isinstance(node, ast.If) and ast.unparse(node.test) in _MAIN:
            yield from ((part, inner_text(code, part)) for part in node.body)
        else:
            yield node, text


def _of_node(
    cell: ExecutedCell, node: ast.stmt, text: str, half: bool, pending: list[Event]
) -> Iterator[Statement]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        if not half:
            yield from _imports(cell, node)
        return
    called = magic(node)
    if called and called.name in _NESTING and not half:
        events = _inner(cell, node.lineno, node.end_lineno or node.lineno)
        inner = replace(cell, events=events, error_line=None)
        yield from _of_cell(inner, _as_python(_timed(node, called)))
        return
    verbs = verbs_in(node, cell, pending)
    if half and not verbs.events and (verbs.plain or called):
        return  # a verb that fails binds nothing
    done = {id(event) for event in (*verbs.events, *verbs.beside)}
    pending[:] = [event for event in pending if id(event) not in done]
    if verbs.plain or verbs.embedded:
        yield from _of_verbs(cell, node, text, verbs, half)
        yield from (_verb(cell, event, (), None) for event in verbs.beside)
    elif called:
        yield _opaque(cell, node, called.said)
    else:
        node, text = (node, text) if half else as_function(node, text)
        yield _code(cell, node, text, verbs, half)


def _timed(node: ast.stmt, called: Magic) -> str:
    """Return the code that a magic runs; of `x = %time f()`, with the name that its value gets."""
    line = called.line[_OPTIONS.match(called.line).end() :]  # type: ignore[union-attr]
    body = "\n".join(part for part in (line, called.body) if part)
    if not isinstance(node, ast.Assign) or called.name != "time":
        return body
    try:
        ast.parse(line, mode="eval")
    except SyntaxError:  # a statement, so it gave nothing
        return body
    return f"{' = '.join(ast.unparse(target) for target in node.targets)} = {line}"


def _as_python(body: str) -> str:
    """Return the body of a magic as IPython runs it: its own magics turned into calls."""
    from IPython.core.inputtransformer2 import TransformerManager

    manager: Any = TransformerManager  # untyped
    return str(manager().transform_cell(body))


def _code(cell: ExecutedCell, node: ast.stmt, text: str, verbs: Verbs, half: bool) -> Statement:
    if half:
        node = had_effect(node, cell.types)
    effects = effects_of(node)
    if half:
        simple = isinstance(node, (*_SIMPLE, ast.AugAssign))
        effects.binds = {} if simple else dict.fromkeys(effects.binds, False)
    statement = Statement(cell, "code", text, effects, node, half)
    if verbs.events:
        effects.binds |= {name: False for event in verbs.events for name in event.names}
        statement.reason = f"mesh.{verbs.events[0].verb} inside a loop, a branch or a function"
    return statement


def _opaque(cell: ExecutedCell, node: ast.stmt, said: str) -> Statement:
    names = [
        n.id for t in getattr(node, "targets", ()) for n in ast.walk(t) if isinstance(n, ast.Name)
    ]
    effects = Effects(binds=dict.fromkeys(names, True))
    return Statement(cell, "opaque", "", effects, node, reason=said)


def _of_verbs(
    cell: ExecutedCell, node: ast.stmt, text: str, verbs: Verbs, half: bool
) -> Iterator[Statement]:
    if verbs.embedded:
        yield from (_verb(cell, event, (), None) for event in verbs.events)
        node, text = verbs.rewritten(node, text)
        yield _code(cell, node, text, replace(verbs, events=()), half)
        return
    assigned = verbs.assigned
    if verbs.events:
        said = _verb(cell, verbs.events[0], assigned, verbs.step)
        yield replace(said, above=leading_comments(text))
    elif assigned:
        effects = Effects(binds=dict.fromkeys(assigned, True))
        yield Statement(cell, "opaque", "", effects, node, reason=f"mesh.{verbs.plain}")


def _verb(
    cell: ExecutedCell, event: Event, assigned: tuple[str, ...], step: SqlStep | None
) -> Statement:
    names = dict.fromkeys((*assigned, *event.names), True)
    effects = Effects(binds=names, runs_bodies=False)
    if event.verb in INPUTS:
        return Statement(cell, "input", "", effects, event=event)
    if event.verb == "sql":
        step = step or SqlStep.of(event)
        effects.reads = set(step.reads)
        effects.values = set(step.reads)
        return Statement(cell, "sql", "", effects, event=event, step=step)
    effects.reads = {str(event.payload["frame_name"])}
    return Statement(cell, "output", "", effects, event=event)


def _imports(cell: ExecutedCell, node: ast.Import | ast.ImportFrom) -> Iterator[Statement]:
    for alias in node.names:
        for name, origin, text in _bound(node, alias):
            effects = Effects(binds={name: True}, runs_bodies=False)
            part: Any = ast.parse(text).body[0]
            yield Statement(cell, "import", text, effects, part, origin=origin)


def _bound(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Iterator[tuple[str, str, str]]:
    """Yield name, full name and text for what one alias of an import binds."""
    renamed = f" as {alias.asname}" if alias.asname else ""
    if isinstance(node, ast.Import):
        root = alias.name.partition(".")[0]
        origin = alias.name if alias.asname else root
        yield alias.asname or root, origin, f"import {alias.name}{renamed}"
        return
    module = "." * node.level + (node.module or "")
    if module == "__future__":
        return
    if alias.name != "*":
        text = f"from {module} import {alias.name}{renamed}"
        yield alias.asname or alias.name, f"{module}.{alias.name}", text
        return
    for name in _public(module):
        yield name, f"{module}.{name}", f"from {module} import {name}"


def _public(module: str) -> list[str]:
    """Return what `from module import *` binds, as the module stands in this process."""
    loaded = sys.modules.get(module)
    names = getattr(loaded, "__all__", None)
    return list(names or (n for n in vars(loaded or object) if not n.startswith("_")))
