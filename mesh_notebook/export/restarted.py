"""What a notebook's file says must be run again, after a restart began a new record.

The file tells which cells there are and which ran before; the record tells which ran since. Of the
others, those are named that a declared output port stands on, found by their names alone: one cell
too many is run again at no cost, one too few would leave the port without what it needs.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh_notebook.export.record import Record

__all__ = ["SavedCell", "said", "to_run_again"]

_DECLARES = re.compile(r"^\s*(?:\w+\s*=\s*)?(?:%mesh\s+output\s|mesh\.output\()", re.MULTILINE)
_MAGIC = re.compile(r"^\s*(?:[\w, ]+=\s*)?%{1,2}\w+.*$", re.MULTILINE)
_WORD = re.compile(r"[^\W\d]\w*")
_SHOWN = 6  # cells named in a message


@dataclass(frozen=True)
class SavedCell:
    """A code cell of the file, with the number under which it ran before, and its own name."""

    count: int
    source: str
    cell_id: str = ""

    def __str__(self) -> str:
        first = next((line for line in self.source.splitlines() if line.strip()), "")
        return f"In[{self.count}] {first.strip():.60}"


def to_run_again(notebook: Path | None, record: Record) -> tuple[SavedCell, ...]:
    """Return the cells that ports stand on and that have not run in this session, in order.

    Nothing where the file is not known, cannot be read, or was saved before its cells ran; and of
    the cells below the one that runs now nothing, since they are still to come.
    """
    ran = {cell.source.strip() for cell in record.cells if cell.error_line is None}
    above = _above(list(_saved(notebook)), record) if notebook else []
    cells = sorted(above, key=lambda cell: cell.count)
    needed: set[str] = set()
    found = []
    for cell in reversed(cells):
        words = set(_WORD.findall(cell.source))
        if _DECLARES.search(cell.source) or needed & _made(cell.source):
            needed |= words
            found.append(cell)
    return tuple(cell for cell in reversed(found) if cell.source.strip() not in ran)


def _above(cells: list[SavedCell], record: Record) -> list[SavedCell]:
    """Return the cells above the one that is running; all, where the file does not hold that."""
    source, cell_id = record.running
    by_id = [at for at, cell in enumerate(cells) if cell_id and cell.cell_id == cell_id]
    alike = [at for at, cell in enumerate(cells) if source and cell.source.strip() == source]
    before = sum(cell.source.strip() == source for cell in record.cells)
    # Of cells that say the same, as many as ran stand above.
    found = by_id or alike[before : before + 1]
    return cells[: found[0]] if found else cells


def said(cells: Sequence[SavedCell]) -> str:
    """Return the cells in words, as a next step; empty where there are none."""
    more = f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else ""
    named = "; ".join(map(str, cells[:_SHOWN]))
    return f"run again what this session has not run: {named}{more}" if cells else ""


def _saved(notebook: Path) -> Iterator[SavedCell]:
    try:
        raw = json.loads(notebook.read_text("utf-8"))
    except (OSError, ValueError):
        return  # it is being saved just now, or is none
    for cell in raw.get("cells", ()):
        count, source = cell.get("execution_count"), cell.get("source", "")
        if cell.get("cell_type") == "code" and isinstance(count, int):
            text = source if isinstance(source, str) else "".join(source)
            yield SavedCell(count, text, str(cell.get("id", "")))


def _made(source: str) -> set[str]:
    """Return the names that a cell may bind or change: of a magic, every word of its line."""
    magics = " ".join(_MAGIC.findall(source))
    try:
        tree = ast.parse(_MAGIC.sub("", source))
    except SyntaxError:  # the body of a magic is no Python
        return set(_WORD.findall(source))
    return set(_WORD.findall(magics)) | {name for node in ast.walk(tree) for name in _bound(node)}


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.alias(name=name, asname=renamed):
            yield renamed or name.partition(".")[0]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Attribute(value=value) | ast.Subscript(value=value):
            # `rows.append(1)`, `conf["x"] = 1`, `box.v += 1`
            yield from (part.id for part in ast.walk(value) if isinstance(part, ast.Name))
        case ast.Call(args=args, keywords=keywords):
            given = (*args, *(keyword.value for keyword in keywords))
            yield from (one.id for one in given if isinstance(one, ast.Name))
