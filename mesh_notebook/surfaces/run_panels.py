"""What `mesh run` shows: the first rows of each port, how they fare, and how long it took."""

from __future__ import annotations

from mesh_notebook.deploy.running import Ran
from mesh_notebook.surfaces.panel import Badge, Panel, Table, clipped
from mesh_notebook.surfaces.panels import from_here, origin_badge, panel_of
from mesh_notebook.surfaces.proofs import rule_table

__all__: list[str] = []


@panel_of.register
def _(ran: Ran) -> Panel:
    broken = sum(len(report.failures) for report in ran.checks.values())
    verdict = Badge("holds", "good") if not broken else Badge(f"{broken} broken", "bad")
    facts = [
        ("rows", ", ".join(f"{port} {frame.height:,}" for port, frame in ran.frames.items())),
        ("time", f"{ran.seconds:.1f} s in a clean process"),
    ]
    if ran.files:
        facts.append(("written", ", ".join(from_here(path) for path in ran.files)))
    tables = [_head(port, ran) for port in ran.frames]
    tables += [rule_table(report) for report in ran.checks.values() if report.failures]
    return Panel(
        f"{ran.product} on {ran.engine}",
        (verdict, origin_badge(ran.origin)),
        "Nothing was published.",
        facts,
        tables,
    )


def _head(port: str, ran: Ran) -> Table:
    frame = ran.frames[port].head(ran.rows)
    rows = [["" if v is None else clipped(v) for v in row] for row in frame.iter_rows()]
    right = [i for i, dtype in enumerate(frame.dtypes) if dtype.is_numeric()]
    return Table(frame.columns, rows, right, title=port)
