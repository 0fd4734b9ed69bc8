"""Promises as panels: rehearsed, and held to what was measured over time."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_notebook.model.origin import Origin
from mesh_notebook.model.time import iso, say_duration
from mesh_notebook.surfaces.panel import Badge, Panel, Table
from mesh_notebook.surfaces.panels import (
    origin_badge,
    panel_of,
    promise_said,
    status_badge,
    verdict_badge,
)
from mesh_notebook.surfaces.sketches import over_time
from mesh_notebook.workspace.discovery.words import begun_anew, moment
from mesh_notebook.workspace.keeping import MeshStandings, PortStanding, Standings, Track
from mesh_notebook.workspace.rehearsing import Rehearsed, RehearsedPromise

__all__: list[str] = []


@panel_of.register
def _(rehearsed: Rehearsed) -> Panel:
    rows = [
        (
            promise_said(one.verdict),
            one.verdict.promised,
            verdict_badge(one.verdict.kept),
            one.verdict.measured or "–",
            _would_have_been(one),
        )
        for one in rehearsed.promises
    ]
    headers = ("promise", "would be", "now", "measured", "at earlier publications")
    return Panel(
        f"rehearsal of {rehearsed.port}",
        (origin_badge(rehearsed.origin), Badge("nothing is promised")),
        facts=(("measured on", _measured_on(rehearsed)),),
        tables=(Table(headers, rows),),
        next_step=f"%mesh promise {rehearsed.port} {rehearsed.words} promises it",
    )


def _measured_on(rehearsed: Rehearsed) -> str:
    frame = {
        Origin.LIVE: "the frame as it is now",
        Origin.SAMPLE: "a sample: the whole may keep less",
        Origin.MOCK: "mocks, which keep what their maker was told: real data may not",
    }[rehearsed.origin]
    count = rehearsed.publications
    past = "1 publication" if count == 1 else f"the last {count} publications"
    return f"{frame}; and {past}" if count else f"{frame}; nothing was published yet"


def _would_have_been(one: RehearsedPromise) -> str:
    return f"kept at {one.kept} of {one.measured}" if one.measured else ""


@panel_of.register
def _(standings: Standings) -> Panel:
    latest = standings.receipts[-1]
    broken = standings.broken
    bad = len(broken) + len(standings.damaged)
    verdict = Badge(f"{bad} broken", "bad") if bad else Badge("nothing broken", "good")
    count, verified = len(standings.receipts), standings.verified
    return Panel(
        f"status of {standings.product.name}",
        (verdict, origin_badge(latest.origin), status_badge(latest.status)),
        "; ".join([*_said_of_damaged(standings), *_said_of_broken(broken)]),
        (
            ("published", f"snapshot {latest.snapshot}, {moment(latest.processing_time)}"),
            *([("found unchanged", moment(iso(verified)))] if verified else []),
            ("looked at", f"{count} publication{'s' if count > 1 else ''}, receipts alone"),
        ),
        [_port_table(port) for port in standings.ports if port.tracks],
        _notes(standings),
        _next_step(standings, broken),
    )


def _said_of_broken(broken: Sequence[tuple[PortStanding, Track]]) -> list[str]:
    return [
        f"{port.port} breaks {track.now.name} since {moment(track.since)}" for port, track in broken
    ]


def _said_of_damaged(standings: Standings) -> list[str]:
    return [f"{port} cannot be served: {why.rstrip('.')}" for port, why in standings.damaged]


def _port_table(port: PortStanding) -> Table:
    rows = [
        (
            promise_said(track.now),
            track.now.promised,
            verdict_badge(track.now.kept),
            track.now.measured or "–",
            _kept_of(track),
            over_time(track) if track.points else "",
        )
        for track in port.tracks
    ]
    headers = ("promise", "promised", "now", "measured", "kept", "over time")
    return Table(headers, rows, title=port.port)


def _kept_of(track: Track) -> str:
    told = [point.kept for point in track.points if point.kept is not None]
    return f"{sum(told)}/{len(told)}" if told else ""


def _notes(standings: Standings) -> list[str]:
    notes = [
        f"Snapshot {r.snapshot}: its publisher's clock was {say_duration(r.clock_behind_s)} behind "
        f"snapshot {r.snapshot - 1}. It comes after it all the same; its time follows that one."
        for r in standings.behind
    ]
    notes += standings.majors
    notes += [said for r in standings.receipts for said in begun_anew(r)]
    notes += [
        f"Snapshot {r.snapshot} of {port} was let pass: {said}."
        for r in standings.receipts
        for port, said in r.allowed.items()
    ]
    if standings.hurt:
        hurt = ", ".join(map(str, standings.hurt))
        notes.append(f"Not counted, because they cannot be read: {hurt}.")
    return notes


def _next_step(standings: Standings, broken: Sequence[tuple[PortStanding, Track]]) -> str:
    if standings.damaged:
        return "restore the mesh's files; or publish these rows anew: %mesh deploy DIR"
    if not any(one.tracks for one in standings.ports):
        first = standings.ports[0].port
        return (
            f"nothing is promised: %mesh promise {first} freshness=1d completeness=0.99 --rehearse"
        )
    if not broken:
        return f"%mesh history {standings.product.name}"
    return _advice(standings, *broken[0])


def _advice(standings: Standings, port: PortStanding, track: Track) -> str:
    """Return what helps against a broken promise; what would change nothing is not advised."""
    slo, less = track.now.slo, f"%mesh promise {port.port} {track.now.name}=…"
    if slo.property == "retention":
        return f"what was let go does not come back; promise less: {less}"
    if slo.property not in _BY_PUBLISHING:
        return f"mend what makes {port.port} and deploy; or promise less: {less} --rehearse"
    if not slo.element:
        return "deploy the product again: %mesh deploy DIR; it counts, too, if nothing is new"
    if standings.verified:
        return (
            f"to deploy it again changed nothing at {moment(iso(standings.verified))}: its inputs "
            f"have nothing newer. %mesh lineage {standings.product.name} says whose they are"
        )
    return "deploy the product again once its inputs have newer events: %mesh deploy DIR"


_BY_PUBLISHING = ("freshness", "frequency", "interval")


# ---- a whole mesh ------------------------------------------------------------------------------


@panel_of.register
def _(mesh: MeshStandings) -> Panel:
    broken = [(one, *first) for one in mesh.products for first in one.broken]
    damaged = [said for one in mesh.products for said in _said_of_damaged(one)]
    bad = len(broken) + len(mesh.unread) + len(damaged)
    many = "1 product" if len(mesh.products) == 1 else f"{len(mesh.products)} products"
    headers = ("product", "snapshot", "published", "origin", "status", "kept", "broken")
    rows = [_product_row(one) for one in mesh.products]
    return Panel(
        f"status of {many}",
        (Badge(f"{bad} broken", "bad") if bad else Badge("nothing broken", "good"),),
        facts=(("looked in", ", ".join(mesh.roots)),),
        tables=[Table(headers, rows, (1,))] if rows else [],
        notes=[
            *(f"{address} cannot be read: {reason}" for address, reason in mesh.unread),
            *damaged,
        ],
        next_step=_mesh_step(mesh, broken),
    )


def _product_row(one: Standings) -> tuple[str | Badge, ...]:
    latest = one.receipts[-1]
    told = [track.now.kept for port in one.ports for track in port.tracks]
    judged = [kept for kept in told if kept is not None]
    names = [f"{port.port}: {track.now.name}" for port, track in one.broken]
    kept = f"{sum(judged)}/{len(judged)}" if judged else "none yet" if told else "no promises"
    return (
        f"{one.product.address.domain}/{one.product.address.product}",
        str(latest.snapshot),
        moment(latest.processing_time),
        origin_badge(latest.origin),
        status_badge(latest.status),
        kept,
        Badge(", ".join(names), "bad") if names else "",
    )


def _mesh_step(mesh: MeshStandings, broken: Sequence[tuple[Standings, PortStanding, Track]]) -> str:
    if broken:
        return f"%mesh status {broken[0][0].product.name}"
    return "" if mesh.products else "nothing was published here; MESH_ROOTS names other roots"
