"""Lineage as a panel: a picture in a notebook, two tables in a shell."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from mesh_notebook.surfaces.panel import Panel, Table
from mesh_notebook.surfaces.panels import panel_of
from mesh_notebook.workspace.tracing_back import Edge, Traced

__all__: list[str] = []

_WIDE, _HIGH, _GAP, _ROOM = 200, 22, 60, 10
_LINE, _PLAIN = "#1976d2", "#7d7d7d"  # to be seen on white and on black: an image has no theme


@panel_of.register
def _(found: Traced) -> Panel:
    tables = [
        Table(
            ("comes from", "goes into", "how"), [(e.source, e.target, e.how) for e in edges], (), t
        )
        for t, edges in (("upstream", found.upstream), ("downstream", found.downstream))
        if edges
    ]
    notes = [
        f"Of {one} no columns are told: it was exported before there were." for one in found.untold
    ]
    edges = (*found.upstream, *found.downstream)
    return Panel(
        f"lineage of {found.of}",
        sentence="" if edges else "It comes from nothing in this mesh, and nothing is made of it.",
        tables=tables,
        notes=notes,
        pictures=(_picture(found.of, edges),) if edges else (),
    )


def _picture(of: str, edges: Sequence[Edge]) -> str:
    """Draw what leads where, from left to right; what was asked for stands out."""
    layers = _layers(edges)
    many: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for name in sorted(layers):
        row = many.get(layers[name], 0)
        many[layers[name]] = row + 1
        places[name] = (layers[name] * (_WIDE + _GAP) + 1, row * (_HIGH + _ROOM) + 1)
    width = (max(many) + 1) * (_WIDE + _GAP) - _GAP + 2
    height = max(many.values()) * (_HIGH + _ROOM) - _ROOM + 2
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">'
        + "".join(_arrow(places[e.source], places[e.target]) for e in edges)
        + "".join(_box(name, place, name == of) for name, place in places.items())
        + "</svg>"
    )
    # Of SVG in the page, a notebook that is not trusted yet shows the words alone, in one heap.
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="lineage of {escape(of)}" width="{width}" style="display:block;max-width:100%" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def _layers(edges: Sequence[Edge]) -> dict[str, int]:
    """Return by name how many steps lead to it; a circle is cut where it closes."""
    layers = dict.fromkeys((n for e in edges for n in (e.source, e.target)), 0)
    for _ in layers:
        for edge in edges:
            deeper = layers[edge.source] + 1
            if layers[edge.target] < deeper < len(layers):
                layers[edge.target] = deeper
    return layers


def _arrow(source: tuple[int, int], target: tuple[int, int]) -> str:
    x, y = source[0] + _WIDE, source[1] + _HIGH / 2
    to_x, to_y = target[0], target[1] + _HIGH / 2
    bend = (x + to_x) / 2
    return (
        f'<path d="M{x:g},{y:g} C{bend:g},{y:g} {bend:g},{to_y:g} {to_x:g},{to_y:g}" fill="none" '
        f'stroke="{_PLAIN}" stroke-opacity="0.6"/>'
    )


def _box(name: str, place: tuple[int, int], asked: bool) -> str:
    x, y = place
    stroke = f'stroke="{_LINE}" stroke-width="2"' if asked else f'stroke="{_PLAIN}"'
    shown = name if len(name) < 30 else f"…{name[-28:]}"
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="4" fill="none" {stroke}/>'
        f'<text x="{x + 8}" y="{y + 15}" font-size="11" fill="{_PLAIN}">{escape(shown)}</text>'
    )
