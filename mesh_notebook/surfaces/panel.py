"""The one shape in which every answer is shown, as text and as HTML."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Badge", "Panel", "Sketch", "Table", "as_html", "as_text", "clipped"]

WIDTH = 100
_GAP = 2
_FOLDED = 12
_SHORT = 26  # what is no longer than an instant stays on one line, and long text gives way
# Characters of a value of somebody's rows, and of a text of ours, which is to be copied whole.
_VALUE, _TEXT = 200, 2_000
_ROWS = 500  # of a table: nobody reads more, and each costs as much to draw as a column to measure
# Tones are the theme's own colours, so a panel reads well in JupyterLab light and dark; the
# second value serves where there is no theme (a saved page, another front end).
_TONES = {
    "good": ("--jp-success-color1", "#2e7d32"),
    "warn": ("--jp-warn-color1", "#b26a00"),
    "bad": ("--jp-error-color1", "#c62828"),
    "plain": ("--jp-content-font-color2", "#6b6b6b"),
}
_RICH = {"good": "green", "warn": "yellow", "bad": "red", "plain": "dim"}


def clipped(value: object, most: int = _VALUE) -> str:
    """Return a value as text, cut where it is so long that nobody reads it in a notebook."""
    if isinstance(value, bytes | str | list):
        value = value[: most + 1]  # before it is written out: a value may be of many megabytes
    text = str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


@dataclass(frozen=True)
class Badge:
    """A word that is seen first: an origin, a status, a verdict."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Sketch:
    """A small picture in a table: SVG where there is HTML, a word of bars where there is none."""

    text: str
    svg: str


@dataclass(frozen=True)
class Table:
    """Rows under headers; `right` names the columns of figures, by index.

    `unseen`: how many rows more there are than are shown.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str | Badge | Sketch]]
    right: Sequence[int] = ()
    title: str = ""
    unseen: int = 0

    def told(self) -> Table:
        """Return the table without the columns in which no row says anything."""
        kept = [i for i in range(len(self.headers)) if any(row[i] for row in self.rows)]
        right = set(self.right)
        return replace(
            self,
            headers=[self.headers[i] for i in kept],
            rows=[[row[i] for i in kept] for row in self.rows],
            right=[at for at, i in enumerate(kept) if i in right],
        )

    def readable(self) -> Table:
        """Return the table with every cell cut that would fill the notebook, and its end."""
        shown = self.rows[:_ROWS]
        rows = [[clipped(c, _TEXT) if isinstance(c, str) else c for c in row] for row in shown]
        return replace(self, rows=rows, unseen=len(self.rows) - len(rows))


@dataclass(frozen=True)
class Panel:
    """A title with badges, a sentence, some facts, some tables, and what to do next."""

    title: str
    badges: Sequence[Badge] = ()
    sentence: str = ""
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    next_step: str = ""
    pictures: Sequence[str] = field(default=())  # SVG, for HTML alone
    # Of what has more to say than a panel holds: all of its text (in colour or not), and its HTML.
    own_text: Callable[[bool], str] | None = None
    own_html: Callable[[], str] | None = None

    def readable(self) -> Panel:
        """Return the panel with every text cut that would fill the notebook."""
        return replace(
            self,
            title=clipped(self.title, _TEXT),
            sentence=clipped(self.sentence, _TEXT),
            facts=[(name, clipped(value, _TEXT)) for name, value in self.facts],
            tables=[table.readable() for table in self.tables],
            notes=[clipped(note, _TEXT) for note in self.notes],
            next_step=clipped(self.next_step, _TEXT),
        )


def as_text(panel: Panel, color: bool = False) -> str:
    """Render a panel for a terminal, or for a front end that shows no HTML."""
    if panel.own_text:
        return panel.own_text(color).rstrip("\n")
    panel = panel.readable()
    from rich.console import Console

    console = Console(
        file=io.StringIO(),
        width=WIDTH,
        force_terminal=color,
        force_jupyter=False,  # else it displays by itself, past the bundle that is returned
        color_system="auto" if color else None,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    for part in _rich_parts(panel):
        console.print(part)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


def _rich_parts(panel: Panel) -> list[object]:
    from rich.table import Table as RichTable
    from rich.text import Text

    title = Text(panel.title, style="bold")
    for badge in panel.badges:
        title.append(f"  [{badge.text}]", style=_RICH[badge.tone])
    parts: list[object] = [title]
    if panel.sentence:
        parts.append(Text(panel.sentence))
    if panel.facts:
        grid = RichTable.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        for name, value in panel.facts:
            grid.add_row(Text(name), Text(value))
        parts.append(grid)
    for table in panel.tables:
        if table.title:
            parts.append(Text(table.title, style="bold"))
        shown, left_out = _fitting(table.told())
        parts.append(_rich_table(shown))
        if left_out:
            parts.append(Text(f"and, too wide for here: {', '.join(left_out)}", style="dim"))
        if table.unseen:
            parts.append(Text(_unseen(table), style="dim"))
    parts.extend(Text(note) for note in panel.notes)
    if panel.next_step:
        parts.append(Text(f"→ {panel.next_step}", style="bold"))
    return parts


def _fitting(table: Table) -> tuple[Table, Sequence[str]]:
    """Return the columns that can be read side by side, and the names of those that cannot."""
    room, fits = WIDTH, 0
    for index in range(len(table.headers)):
        room -= _least_width(table, index) + _GAP
        fits += room + _GAP >= 0
    if fits == len(table.headers):
        return table, ()
    rows = [row[:fits] for row in table.rows]
    right = [i for i in table.right if i < fits]
    shown = replace(table, headers=table.headers[:fits], rows=rows, right=right)
    return shown, table.headers[fits:]


def _unseen(table: Table) -> str:
    return f"and {table.unseen:,} more"


def _least_width(table: Table, index: int) -> int:
    longest = max(len(_words(row[index])) for row in table.rows)
    may_fold = index > 0 and index not in table.right and longest > _SHORT
    return max(len(table.headers[index]), _FOLDED if may_fold else longest)


def _rich_table(table: Table) -> object:
    from rich.table import Table as RichTable

    drawn = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    for index, header in enumerate(table.headers):
        right = index in table.right
        short = all(len(_words(row[index])) <= _SHORT for row in table.rows)
        drawn.add_column(
            header,
            justify="right" if right else "left",
            no_wrap=right or short or index == 0,
            overflow="fold",  # no word is cut short: an address is to be copied whole
        )
    for row in table.rows:
        drawn.add_row(*map(_rich_cell, row))
    return drawn


def _rich_cell(cell: str | Badge | Sketch) -> Text:
    from rich.text import Text

    if isinstance(cell, Badge):
        return Text(cell.text, style=_RICH[cell.tone])
    return Text(cell.text if isinstance(cell, Sketch) else cell)


def _words(cell: str | Badge | Sketch) -> str:
    return cell if isinstance(cell, str) else cell.text


def as_html(panel: Panel) -> str:
    """Render a panel for a notebook: the theme's colours, no script, nothing fetched."""
    if panel.own_html:
        return panel.own_html()
    panel = panel.readable()
    badges = "".join(_badge(b) for b in panel.badges)
    parts = [f'<div style="font-weight:600;font-size:1.1em">{escape(panel.title)}{badges}</div>']
    if panel.sentence:
        parts.append(f'<div style="margin:2px 0 4px">{escape(panel.sentence)}</div>')
    if panel.facts:
        rows = "".join(
            f'<tr style="{_ROW}"><td style="{_CELL}{_FAINT}{_LINE}">{escape(name)}</td>'
            f'<td style="{_CELL}">{escape(value)}</td></tr>'
            for name, value in panel.facts
        )
        parts.append(f'<table style="{_TABLE}">{rows}</table>')
    parts.extend(_html_table(table.told()) for table in panel.tables)
    parts.extend(panel.pictures)
    parts.extend(
        f'<div style="margin-top:4px;{_FAINT}">{escape(note)}</div>' for note in panel.notes
    )
    if panel.next_step:
        parts.append(
            f'<div style="margin-top:6px;font-weight:600">→ {escape(panel.next_step)}</div>'
        )
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


_FAINT = "color:var(--jp-content-font-color2,#6b6b6b);"
_BOX = (
    "border-left:3px solid var(--jp-brand-color1,#1976d2);padding:4px 0 4px 12px;max-width:60em;"
    "color:var(--jp-content-font-color1,inherit)"
)
_TABLE = "border-collapse:collapse;margin:4px 0;font-size:0.95em"
_ROW = "background:none"  # a list of facts is no table of rows, whatever the theme makes of it
_LINE = "white-space:nowrap;"
_BROKEN = "overflow-wrap:anywhere;min-width:12em;"  # an address is one long word
_CELL = "text-align:left;vertical-align:top;padding:1px 14px 1px 0;background:none;border:none;"


def _html_table(table: Table) -> str:
    def cell(tag: str, index: int, content: str, style: str = "") -> str:
        right = f"text-align:right;{_LINE}" if index in table.right else ""
        return f'<{tag} style="{_CELL}{right}{style}">{content}</{tag}>'

    head = "".join(cell("th", i, escape(h), _FAINT) for i, h in enumerate(table.headers))
    body = "".join(
        "<tr>"
        + "".join(
            cell("td", i, _html_cell(c), _LINE if len(_words(c)) <= _SHORT else _BROKEN)
            for i, c in enumerate(row)
        )
        + "</tr>"
        for row in table.rows
    )
    title = f'<div style="font-weight:600;margin-top:6px">{escape(table.title)}</div>'
    more = f'<div style="{_FAINT}">{_unseen(table)}</div>'
    return (
        f'{title if table.title else ""}<table style="{_TABLE}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more if table.unseen else ''}"
    )


def _html_cell(cell: str | Badge | Sketch) -> str:
    if isinstance(cell, Badge):
        return _badge(cell)
    return cell.svg if isinstance(cell, Sketch) else escape(cell)


def _badge(badge: Badge) -> str:
    variable, fallback = _TONES[badge.tone]
    color = f"var({variable},{fallback})"
    if len(badge.text) == 1:  # a sign among rows, which needs no frame to be seen
        return f'<span style="font-weight:600;color:{color}">{escape(badge.text)}</span>'
    return (
        f'<span style="font-weight:600;font-size:0.8em;margin-left:8px;padding:0 7px;'
        f'border:1px solid {color};border-radius:9px;color:{color}">{escape(badge.text)}</span>'
    )
