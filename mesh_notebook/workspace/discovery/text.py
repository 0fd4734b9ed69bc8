"""A description as plain text, for a terminal of 100 columns."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mesh_notebook.workspace.discovery.described import Described
from mesh_notebook.workspace.discovery.outline import Section, Table, outline

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["WIDTH", "text"]

WIDTH = 100
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def text(described: Described, color: bool = False) -> str:
    """Return a description as text; with `color`, with the codes that a terminal understands."""
    console = _console(color)
    first, *rest = outline(described)
    for part in _parts(first):
        console.print(part)
    for section in rest:
        console.print()
        for part in _parts(section):
            console.print(part)
    said: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in said.splitlines()) + "\n"


def _console(color: bool) -> Console:
    from rich.console import Console

    return Console(
        file=io.StringIO(),
        width=WIDTH,
        force_terminal=color,
        force_jupyter=False,  # else it displays by itself, past what is returned
        color_system="auto" if color else None,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )


def _parts(section: Section) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text

    yield Text(_shown(section.title), style="bold")
    for sentence in section.sentences:
        yield Text(_shown(sentence))
    pairs = [*section.facts, *section.lines]
    if pairs:
        grid = Grid.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        for name, value in pairs:
            grid.add_row(Text(name), Text(_shown(value)))
        yield Padding(grid, (0, 0, 0, 2))
    for number, table in enumerate(section.tables):
        above = 1 if number or pairs else 0
        yield Padding(_grid(table.told()), (above, 0, 0, 2))


def _shown(said: str) -> str:
    """Return what somebody else wrote, less what a terminal would obey."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", said)


def _grid(table: Table) -> RenderableType:
    from rich.table import Table as Grid
    from rich.text import Text

    drawn = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in table.headers:
        drawn.add_column(Text(header), overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(_shown(cell)) for cell in row))
    return drawn
