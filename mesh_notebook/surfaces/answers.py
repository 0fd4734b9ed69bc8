"""The answer of a private port as a panel: what it says, how far off it may be, what it cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mesh_notebook.mesh.asking import Answer
from mesh_notebook.mesh.private import CONFIDENCE
from mesh_notebook.mesh.question import said_epsilon
from mesh_notebook.surfaces.panel import Badge, Panel, Sketch, Table, clipped
from mesh_notebook.surfaces.panels import origin_badge, panel_of, status_badge
from mesh_notebook.workspace.discovery.words import moment

__all__: list[str] = []

_WIDTH, _HEIGHT = 160.0, 14.0
_CELLS = 24  # of a terminal
_LINE = "var(--jp-brand-color1,#1976d2)"
_SHOWN = 50


@panel_of.register
def _(answer: Answer) -> Panel:
    question, receipt = answer.question, answer.receipt
    budget, left = said_epsilon(answer.budget), said_epsilon(answer.left)
    facts = [
        ("snapshot", f"{receipt.snapshot}, published {moment(receipt.processing_time)}"),
        ("spent", f"epsilon {said_epsilon(question.millionths)}"),
        ("left", f"epsilon {left} of {budget} for {answer.principal.name}"),
        ("counted", _counted(answer)),
    ]
    notes = []
    if answer.frame[answer.frame.columns[-1]].null_count():
        notes.append("–: too few rows, if any, to tell a mean")
    if (more := answer.frame.height - _SHOWN) > 0:
        notes.append(f"and {more:,} more groups: .frame has them all")
    return Panel(
        f"{answer.product.name}/{answer.port}: {question.said()}",
        (origin_badge(receipt.origin), status_badge(receipt.status), Badge("with noise")),
        facts=facts,
        tables=(_table(answer),),
        notes=notes,
        next_step=_next_step(answer),
    )


def _counted(answer: Answer) -> str:
    """Say what no noise tells: which rows count, and with what."""
    privacy, of = answer.privacy, answer.question.of
    rows = "1 row" if privacy.rows_each == 1 else f"{privacy.rows_each:,} rows"
    said = f"at most {rows} of each {privacy.subject}"
    if of:
        low, high = privacy.bounds[of]
        said += f"; {of} from {low:g} to {high:g}, what is beyond as the nearest of these"
    return said


def _next_step(answer: Answer) -> str:
    if not answer.left:
        return "the budget is spent: keep this answer, it is the last"
    *_, value, width = answer.frame.columns
    known = answer.frame.select(value, width).drop_nulls()
    if (known[width] >= known[value].abs()).sum() * 2 >= answer.frame.height:
        return "mostly noise: ask with a greater --epsilon, or by fewer groups"
    return ""


def _table(answer: Answer) -> Table:
    *by, value, width = answer.frame.columns
    shown = answer.frame.head(_SHOWN)
    figures = list(zip(shown[value], shown[width], strict=True))
    scale = _Scale.of(figures)
    rows: list[tuple[str | Sketch, ...]] = [
        (*map(_said, groups), *_figures(figure, off), scale.sketch(figure, off))
        for groups, (figure, off) in zip(shown.select(by).rows() or [()], figures, strict=True)
    ]
    headers = (*by, value, f"± ({CONFIDENCE:.0%})", "")
    return Table(headers, rows, (len(by), len(by) + 1))


def _said(value: object) -> str:
    return "–" if value is None else clipped(value)


def _figures(figure: float | None, off: float | None) -> tuple[str, str]:
    """Write a figure and how far off it may be, without the digits that the noise drowns."""
    if figure is None or off is None:
        return "–", "–"
    digits = 0 if off <= 0 or isinstance(figure, int) else 1 - math.floor(math.log10(off))
    digits = min(max(digits, 0), 9)
    return f"{figure:,.{digits}f}", f"{off:,.{digits}f}"


class _Scale:
    """From where to where the figures of one answer reach, with what they may be off."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    @classmethod
    def of(cls, figures: Sequence[tuple[float | None, float | None]]) -> _Scale:
        known = [(f, off) for f, off in figures if f is not None and off is not None]
        low = min((f - off for f, off in known), default=0.0)
        return cls(min(low, 0.0), max((f + off for f, off in known), default=0.0))

    def at(self, value: float, size: float) -> float:
        span = self.high - self.low
        return size * (value - self.low) / span if span > 0 else 0.0

    def sketch(self, figure: float | None, off: float | None) -> Sketch:
        """Draw where the figure is, and the range that it is likely in."""
        if figure is None or off is None:
            return Sketch("", "")
        first, last = (round(self.at(v, _CELLS - 1)) for v in (figure - off, figure + off))
        word = [" " if n < first or n > last else "─" for n in range(last + 1)]
        word[round(self.at(figure, _CELLS - 1))] = "●"
        left, middle, right = (self.at(v, _WIDTH) for v in (figure - off, figure, figure + off))
        low, high = (f"{figure + sign * off:.6g}" for sign in (-1, 1))
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'aria-label="from {low} to {high}" width="{_WIDTH + 8:g}" height="{_HEIGHT:g}" '
            f'viewBox="-4 0 {_WIDTH + 8:g} {_HEIGHT:g}" style="display:block">'
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{_HEIGHT / 2:g}" y2="{_HEIGHT / 2:g}" '
            f'style="stroke:{_LINE};stroke-width:4;stroke-opacity:0.35;stroke-linecap:round"/>'
            f'<circle cx="{middle:.1f}" cy="{_HEIGHT / 2:g}" r="3.5" style="fill:{_LINE}"/></svg>'
        )
        return Sketch("".join(word), svg)
