"""What a notebook says in Markdown of its code, kept as comments of the module.

Only what stands straight above a cell counts, and of that the paragraphs and lists that name
something of a statement: what it binds, or a column. Headings, pictures and stories stay behind.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mesh_notebook.export.slicing import Slice
from mesh_notebook.export.statements import Statement

__all__ = ["comments_of", "told_above"]

_WIDTH = 90  # columns, so that it fits where a function's body begins
_NO_PROSE = re.compile(r"[#|<!>`~$=]|-{3}|\*{3}|_{3}|\[[^]]*\]:| {4}|\t")
_ITEM = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)])\s+", re.MULTILINE)
_LINK = re.compile(r"!?\[([^]]*)\]\([^)]*\)")
_STRONG = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_WORD = re.compile(r"[^\W\d]\w*")
_SHORT = 3  # letters of a name that, without backticks, may as well be a word


def told_above(notebook: Path | None) -> dict[str, list[str]]:
    """Return by the source of a code cell what the Markdown straight above it says.

    Parameters
    ----------
    notebook : Path, optional
        The notebook's file; a cell that stands in it twice is left out.
    """
    try:
        cells = json.loads(notebook.read_text("utf-8"))["cells"] if notebook else []
        texts = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # it is being saved just now, or is none
    sources = [text.strip() for kind, text in texts if kind == "code"]
    found, above = {}, ""
    for kind, text in texts:
        if kind == "code" and above and sources.count(text.strip()) == 1:
            found[text.strip()] = [*_paragraphs(above)]
        above = f"{above}\n\n{text}" if kind == "markdown" else ""
    return {source: said for source, said in found.items() if said}


def _paragraphs(markdown: str) -> Iterator[str]:
    """Yield the paragraphs and the items of lists, in plain words; what is neither is left out."""
    fenced = re.sub(r"^(```|~~~).*?^\1.*?$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    for block in re.split(r"\n\s*\n", fenced):
        starts = [match.start() for match in _ITEM.finditer(block)]
        cuts = [0, *starts] if starts[:1] != [0] else starts
        for begin, end in zip(cuts, [*cuts[1:], len(block)], strict=True):
            part = block[begin:end]
            if part.strip() and (not _NO_PROSE.match(part) or _CODE.match(part)):
                yield " ".join(_STRONG.sub(r"\1", _LINK.sub(r"\1", part)).split())


def comments_of(slices: Sequence[Slice], told: Mapping[str, Sequence[str]]) -> dict[int, str]:
    """Return by index of a statement the comment that belongs above it.

    A paragraph goes to the first of its cell's statements that it speaks of.
    """
    every = {s.index: s for one in slices for s in one.statements}
    found: dict[int, list[str]] = {}
    for source, paragraphs in told.items():
        own = [every[i] for i in sorted(every) if every[i].cell.source.strip() == source]
        own = [s for s in own if s.kind in ("code", "sql")]
        for said in paragraphs:
            of = next((s for s in own if _speaks_of(said, s) and said not in s.text), None)
            if of is not None:
                found.setdefault(of.index, []).append(_comment(said))
    return {index: "\n#\n".join(parts) for index, parts in found.items()}


def _comment(said: str) -> str:
    item = _ITEM.match(said)
    more = "# " + " " * (item.end() if item else 0)
    return textwrap.fill(
        said,
        _WIDTH,
        initial_indent="# ",
        subsequent_indent=more,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _speaks_of(said: str, statement: Statement) -> bool:
    marked = {word for code in _CODE.findall(said) for word in _WORD.findall(code)}
    plain = {word for word in _WORD.findall(_CODE.sub(" ", said)) if len(word) > _SHORT}
    bound, texts = set(statement.names), _texts(statement)
    return bool(marked & (bound | texts | statement.effects.reads) or plain & (bound | texts))


def _texts(statement: Statement) -> set[str]:
    """Return the texts in a statement that may name a column; of a query, its words."""
    if statement.step:
        return set(_WORD.findall(statement.step.query))
    parts = ast.walk(statement.node or ast.Pass())
    return {p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)}
