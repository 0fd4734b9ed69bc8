"""A description as Markdown with tables (GFM), for a wiki; nothing in it is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mesh_notebook.workspace.discovery import words
from mesh_notebook.workspace.discovery.described import Described
from mesh_notebook.workspace.discovery.outline import Section, Table, outline

__all__ = ["markdown"]

# What Markdown reads as markup wherever it stands; `_` only at the edge of a word.
_MARKUP = re.compile(r"([\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")
_AT_START = re.compile(r"^(\s*)([#+>=-]|\d+[.)])")


def markdown(described: Described) -> str:
    """Return a description as a page of Markdown."""
    first, *rest = outline(described)
    blocks = [*_blocks(first, "#"), *(b for section in rest for b in _blocks(section, "##"))]
    return "\n\n".join(blocks) + "\n"


def _blocks(section: Section, level: str) -> Iterator[str]:
    yield f"{level} {escaped(section.title)}"
    yield from (_AT_START.sub(r"\1\\\2", escaped(sentence)) for sentence in section.sentences)
    if section.facts:
        yield "\n".join(f"- **{name}**: {escaped(value)}" for name, value in section.facts)
    if section.lines:
        yield "\n".join(
            f"- {words.where_typed(where)}: {code(line)}" for where, line in section.lines
        )
    for table in section.tables:
        yield _table(table.told())


def _table(table: Table) -> str:
    head = [escaped(header) for header in table.headers]
    rows = [
        [code(cell) if i in table.code else escaped(cell) for i, cell in enumerate(row)]
        for row in table.rows
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def escaped(text: str) -> str:
    """Return a text on one line in which nothing is markup, HTML or the border of a cell."""
    line = " ".join(text.split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", line)


def code(text: str) -> str:
    """Return a text on one line as a code span, also within a table."""
    line = " ".join(text.split())
    if not line or "|" in line:  # a wiki may show the backslash that a cell needs before a pipe
        return escaped(line)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{line}{space}{fence}"
