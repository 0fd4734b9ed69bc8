"""Small pictures of a promise over time: inline SVG for notebooks, bars for terminals."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mesh_notebook.mesh.verdicts import SloVerdict
from mesh_notebook.surfaces.panel import Sketch
from mesh_notebook.workspace.keeping import Point, Track

__all__ = ["over_time", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_WIDTH, _HEIGHT, _EDGE = 240.0, 36.0, 5.0
_STEP = 14.0  # between two publications, where there are few
_LINE = "var(--jp-brand-color1,#1976d2)"
_BAD = "var(--jp-error-color1,#c62828)"


def over_time(track: Track) -> Sketch:
    """Draw what was measured at each publication, and what is now, against what was promised."""
    values = [point.value for point in track.points]
    return Sketch(sparkline([*values, *_now(track)], track.now.limit), _svg(track))


def _now(track: Track) -> list[float]:
    """Return the figure of this moment, where it is another than at the last publication."""
    now, last = track.now.value, track.points[-1].value if track.points else None
    return [] if now is None or now == last else [now]


def sparkline(values: Sequence[float | None], limit: float | None = None) -> str:
    """Return values as a word of bars, `·` where there is none.

    The lowest bar is the least value and the highest the greatest, the limit counted among them:
    so one sees how far off it is.
    """
    known = [value for value in (*values, limit) if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    top = len(_BARS) - 1

    def bar(value: float | None) -> str:
        if value is None:
            return _GAP
        return _BARS[round(top * (value - low) / (high - low)) if high > low else top // 2]

    return "".join(map(bar, values))


def _svg(track: Track) -> str:
    """Return the picture: a line of what was measured, dashes at the limit, breaches in red."""
    scale = _Scale.of(track)
    label = f"{track.now.name} at {len(track.points)} publications"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}" '
        f'width="{_WIDTH:g}" height="{_HEIGHT:g}" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" '
        'style="display:block;color:inherit">',
        *_limits(track, scale),
        *_lines(track, scale),
        f'<g fill="{_LINE}">',
        *(_dot(at, point, scale) for at, point in enumerate(track.points)),
        "</g>",
        *_present(track, scale),
        "</svg>",
    ]
    return "".join(parts)


class _Scale:
    """From publications and figures to places in the picture."""

    def __init__(self, count: int, low: float, high: float) -> None:
        self.count, self.low, self.high = count, low, high

    @classmethod
    def of(cls, track: Track) -> _Scale:
        told = [point.verdict for point in track.points if point.verdict]
        figures = [f for v in (*told, track.now) for f in (v.value, v.limit) if f is not None]
        low, high = min(figures, default=0.0), max(figures, default=1.0)
        return cls(len(track.points) + len(_now(track)), low, high)

    def x(self, at: int) -> float:
        wide = min((_WIDTH - 2 * _EDGE) / max(self.count - 1, 1), _STEP)
        return _WIDTH - _EDGE - (self.count - 1 - at) * wide

    def y(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return _HEIGHT - _EDGE - share * (_HEIGHT - 2 * _EDGE)


def _limits(track: Track, scale: _Scale) -> list[str]:
    """Draw the limit as it was at each publication: a promise changes with its contract."""
    limits = [point.verdict.limit if point.verdict else None for point in track.points]
    places = [(scale.x(at), scale.y(n)) for at, n in enumerate(limits) if n is not None]
    if not places:
        return []
    half = (scale.x(1) - scale.x(0)) / 2 if scale.count > 1 else _EDGE
    steps = " ".join(f"{x - half:.1f},{y:.1f} {x + half:.1f},{y:.1f}" for x, y in places)
    return [
        f'<polyline points="{steps}" fill="none" stroke="currentColor" stroke-opacity="0.55" '
        'stroke-width="1" stroke-dasharray="3 3"/>'
    ]


def _lines(track: Track, scale: _Scale) -> list[str]:
    runs: list[list[str]] = [[]]
    for at, point in enumerate(track.points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append(f"{scale.x(at):.1f},{scale.y(point.value):.1f}")
    return [
        f'<polyline points="{" ".join(run)}" fill="none" stroke="{_LINE}" stroke-width="1.5" '
        'stroke-linejoin="round"/>'
        for run in runs
        if len(run) > 1
    ]


def _dot(at: int, point: Point, scale: _Scale) -> str:
    """Draw one publication; its title, which shows where the mouse is, says what was measured."""
    if point.value is None or point.verdict is None:
        return ""
    bad = point.kept is False
    colour, size = (f' fill="{_BAD}"', 3.2) if bad else ("", 1.8)
    return (
        f'<circle cx="{scale.x(at):.1f}" cy="{scale.y(point.value):.1f}" r="{size}"{colour}>'
        f"<title>{escape(_said(point, point.verdict))}</title></circle>"
    )


def _present(track: Track, scale: _Scale) -> list[str]:
    """Draw a ring for what ages between publications, as it stands now."""
    colour = _BAD if track.now.kept is False else _LINE
    said = escape(f"now: {track.now.measured} ({track.now.promised})")
    return [
        f'<circle cx="{scale.x(scale.count - 1):.1f}" cy="{scale.y(value):.1f}" r="3" '
        f'fill="none" stroke="{colour}" stroke-width="1.5"><title>{said}</title></circle>'
        for value in _now(track)
    ]


def _said(point: Point, verdict: SloVerdict) -> str:
    broken = ", broken" if verdict.kept is False else ""
    when = point.time[:16].replace("T", " ")
    return f"snapshot {point.snapshot}, {when}: {verdict.measured} ({verdict.promised}{broken})"
