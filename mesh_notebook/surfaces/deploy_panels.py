"""Deployments as panels: what was published, the rows for which one was refused, backfills."""

from __future__ import annotations

from mesh_notebook.deploy.backfilling import Backfilled
from mesh_notebook.deploy.deploying import Deployed
from mesh_notebook.mesh.verdicts import say_completeness
from mesh_notebook.model.time import iso
from mesh_notebook.surfaces.panel import Badge, Panel, Table, clipped
from mesh_notebook.surfaces.panels import (
    intervals_of,
    made_of,
    origin_badge,
    panel_of,
    slo_table,
    status_badge,
)
from mesh_notebook.surfaces.proofs import news_table
from mesh_notebook.workspace.discovery.words import begun_anew, moment
from mesh_notebook.workspace.rejecting import HEAD, Rejected

__all__: list[str] = []


@panel_of.register
def _(answer: Rejected) -> Panel:
    if not answer.refusals:
        said = f"{answer.cleared:,} refusals removed" if answer.cleared else "none were kept"
        return Panel(f"rejected rows of {answer.product}", facts=(("cleared", said),))
    last, *before = answer.refusals
    facts = [("refused", f"{moment(last.time)}, version {last.version}")]
    if before:
        facts.append(("earlier", ", ".join(moment(one.time) for one in before)))
    if answer.out:
        facts.append(("written", f"{answer.rows.height:,} rows to {answer.out.name}"))
    rules = [
        (b.port, b.rule, f"{b.failed:,}", f"{b.checked:,}", f"{b.kept:,}" if b.file else "", b.note)
        for b in answer.shown
    ]
    headers = ("port", "rule", "broken by", "of", "kept", "")
    tables = [Table(headers, rules, (2, 3, 4))]
    head = answer.rows.head(HEAD)
    if head.height and not answer.out:
        cells = [[_cell(value) for value in row] for row in head.iter_rows()]
        title = f"first {head.height} of {answer.rows.height:,} rows kept"
        tables.append(Table(head.columns, cells, title=title))
    return Panel(
        f"rejected rows of {answer.product}",
        (Badge("refused", "bad"),),
        facts=facts,
        tables=tables,
        next_step="" if answer.out else f"%mesh rejects {answer.product} --out rejected.parquet",
    )


@panel_of.register
def _(deployed: Deployed) -> Panel:
    receipt, product = deployed.receipt, deployed.product
    when = "unchanged since then" if deployed.unchanged else "new"
    ports = [
        (name, f"{port.count:,}", say_completeness({**port.slos, "rows": float(port.count)}))
        for name, port in receipt.ports.items()
    ]
    tables = [Table(("output port", "rows", "complete"), ports, (1, 2))]
    for verdicts in deployed.slos.values():
        tables += slo_table(tuple(verdicts))
    tables += news_table(deployed.news)
    return Panel(
        f"deployed {product.name} {receipt.version}",
        (origin_badge(receipt.origin), status_badge(receipt.status)),
        facts=(
            ("snapshot", str(receipt.snapshot)),
            *([("interval", interval)] if (interval := intervals_of(receipt)) else []),
            ("published", f"{moment(receipt.processing_time)}, {when}"),
            ("made of", made_of(receipt)),
            *(("let pass", f"{port}: {said}") for port, said in receipt.allowed.items()),
        ),
        tables=tables,
        notes=begun_anew(receipt),
        next_step=f"%mesh connect {product.name}",
    )


@panel_of.register
def _(done: Backfilled) -> Panel:
    rows = [
        (
            port.interval.partition("/")[0][:16].replace("T", " ") or "the window",
            str(one.receipt.snapshot),
            name,
            f"{port.count:,}",
        )
        for one in done.published
        for name, port in one.receipt.ports.items()
    ]
    start, end = (moment(iso(limit)) for limit in done.window)
    facts = (
        ("event times", f"from {start} to {end}, not included"),
        ("published", f"{len(done.published):,} of {len(done.intervals):,}"),
        ("stood already", f"{done.standing:,}"),
    )
    headers = ("interval", "snapshot", "output port", "rows")
    return Panel(
        f"backfilled {done.product.name} {done.product.version}",
        facts=facts,
        tables=(Table(headers, rows, (1, 3)),) if rows else (),
        next_step=f"%mesh history {done.product.address.product}",
    )


def _cell(value: object) -> str:
    return "–" if value is None else clipped(value)
