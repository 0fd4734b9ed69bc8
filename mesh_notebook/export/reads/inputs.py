"""Statements in which a read of a declared file is that input, with the rows of the read."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mesh_notebook.export.analysis import effects_of
from mesh_notebook.export.effects import Effects
from mesh_notebook.export.reads.advice import differing
from mesh_notebook.export.reads.alike import Alike, alike
from mesh_notebook.export.reads.calls import Names, Read, reads_in
from mesh_notebook.export.reads.declared import paths_of
from mesh_notebook.export.statements import Statement

__all__ = ["as_inputs"]

_POLARS = "import polars as pl"


def as_inputs(statements: Sequence[Statement]) -> list[Statement]:
    """Return the statements, with reads of declared files in the input's own words.

    A read that gives other rows than the source stays as it is; what to do is noted on its
    statement.
    """
    made, names = [], Names()
    taken = {name for s in statements for name in s.names}
    for statement in statements:
        reads = _reads(statement, names)
        made += _rewritten(statement, reads, statements, taken) if reads else [statement]
        origin = statement.origin if statement.kind == "import" else ""
        names.follow(statement.node, statement.effects.binds, origin)
    for index, statement in enumerate(made):
        statement.index = index
    return made


def _reads(statement: Statement, names: Names) -> list[Read]:
    if statement.kind != "code" or statement.node is None or statement.half:
        return []
    return [read for read in reads_in(statement.node, names) if read.path is not None]


def _rewritten(
    statement: Statement, reads: Sequence[Read], statements: Sequence[Statement], taken: set[str]
) -> list[Statement]:
    inputs = [s for s in statements if s.kind == "input" and paths_of(s)]
    texts: dict[ast.Call, str] = {}
    made: list[Statement] = []
    for read in reads:
        tried = [
            (source, name, _compared(read, source, name))
            for source in _sources_of(read, statement, inputs)
            for name in [_name(source, statement, _rebound(source, statements), taken)]
        ]
        if not tried:
            continue
        source, name, found = next((one for one in tried if one[2].text), tried[0])
        if not found.text:
            statement.advised = differing(read, source.names[0], found, statement, _recipe(source))
            continue
        texts[read.call] = found.text
        event = replace(source.event, names=(name,)) if source.event else None
        binds = Effects(binds={name: True}, runs_bodies=False)
        made.append(Statement(statement.cell, "input", "", binds, event=event))
    return [*made, *_with(statement, texts)] if texts else [statement]


def _sources_of(read: Read, statement: Statement, inputs: Sequence[Statement]) -> list[Statement]:
    """Return the inputs that a file is declared as: the last before a read first, then later ones.

    A file that is declared again, with what a read asks for, need not be read again.
    """
    path = str(Path.cwd().joinpath(read.path or "").resolve())
    same = [s for s in inputs if str(Path(paths_of(s)[0]).resolve()) == path]
    before = [s for s in same if s.index < statement.index]
    return [*before[::-1], *(s for s in same if s.index >= statement.index)]


def _name(source: Statement, statement: Statement, rebound: set[str], taken: set[str]) -> str:
    """Return a name for the input at a read, that means nothing else there."""
    name = source.names[0]
    # What binds it for certain, and reads nothing of it, covers it at once.
    covered = statement.effects.binds.get(name) and name not in statement.effects.reads
    if covered or name not in rebound:
        return name
    return next(n for n in _numbered(f"{name}_source") if n not in taken)


def _rebound(source: Statement, statements: Sequence[Statement]) -> set[str]:
    """Return the names that something else than this input is bound to, or changes."""
    handle = source.event and source.event.payload.get("input")
    others = (s for s in statements if not (s.event and s.event.payload.get("input") is handle))
    return {name for s in others for name in (*s.effects.binds, *s.effects.deletes)}


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{at}" for at in range(2, 1000))


def _compared(read: Read, source: Statement, name: str) -> Alike:
    handle: Any = source.event.payload["input"]  # type: ignore[union-attr]
    if read.whole is None or (read.library == "duckdb" and not read.root):
        return Alike(differs="has arguments that are found while it runs")
    try:
        return alike(read, name, handle.frame, handle.recipe)
    except _failures() as error:
        return Alike(differs=f"cannot be made again ({type(error).__name__})")


def _recipe(source: Statement) -> dict[str, Any]:
    return dict(source.event.payload["input"].recipe) if source.event else {}


def _failures() -> tuple[type[Exception], ...]:
    import polars as pl

    known = (OSError, ValueError, TypeError, LookupError, AttributeError, ImportError)
    return (*known, ArithmeticError, pl.exceptions.PolarsError)


def _with(statement: Statement, texts: dict[ast.Call, str]) -> Iterator[Statement]:
    """Yield a statement with each call replaced by a text, below the import that it needs."""
    text = statement.text
    node: Any = statement.node
    for call, new in texts.items():
        text = _replaced(text, ast.unparse(call), new)
    node = ast.parse(text).body[0]
    effects = effects_of(node)
    if "pl" in effects.reads:
        polars = Effects(binds={"pl": True}, runs_bodies=False)
        own: Any = ast.parse(_POLARS).body[0]
        yield Statement(statement.cell, "import", _POLARS, polars, own, origin="polars")
    yield replace(statement, text=text, node=node, effects=effects)


def _replaced(text: str, call: str, new: str) -> str:
    """Replace the first call that reads so, and nothing else of the text."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node) == call:
            lines = text.encode().splitlines(keepends=True)
            first = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
            last = sum(map(len, lines[: (node.end_lineno or 0) - 1])) + (node.end_col_offset or 0)
            raw = text.encode()
            return (raw[:first] + new.encode() + raw[last:]).decode()
    return text
