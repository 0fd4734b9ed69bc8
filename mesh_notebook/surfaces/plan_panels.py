"""What `mesh plan` shows: what a deployment would change, for whom, and what bars it."""

from __future__ import annotations

from pathlib import Path

from mesh_notebook.deploy.planning import Hurt, Plan
from mesh_notebook.deploy.writes import ToWrite
from mesh_notebook.mesh.changes import Change
from mesh_notebook.model.address import Address
from mesh_notebook.model.product import major_of
from mesh_notebook.model.receipt import HIDDEN
from mesh_notebook.model.time import iso
from mesh_notebook.surfaces.panel import Badge, Panel, Table
from mesh_notebook.surfaces.panels import from_here, panel_of, typed_from_here

__all__: list[str] = []

_SIGNS = {"new": "+", "changed": "~", "removed": "−", "renamed": "→"}
_TONES = {"none": "plain", "patch": "plain", "minor": "good", "breaking": "bad"}


@panel_of.register
def _(plan: Plan) -> Panel:
    product = Address.parse(plan.product).product
    badges = [Badge(plan.level if plan.before else "first version", _TONES[plan.level])]
    if plan.refusals:
        badges.append(Badge("barred", "bad"))
    notes = [
        f"is '{now}' of {port} the renamed '{was}'? If so, say --renamed {port}.{was}={now}"
        for port, was, now in plan.guesses
    ]
    notes += [f"barred: {error.message}" for error in plan.refusals]
    notes += plan.notes
    notes += [f"declassified: {said}" for said in plan.declassified]
    return Panel(
        f"plan for {product} {plan.version}",
        badges,
        _sentence(plan),
        _facts(plan),
        [*_changes(plan), *_readers(plan), *_written(plan), *_inputs(plan)],
        notes,
        plan.refusals[0].next_step if plan.refusals else _deploy(plan),
    )


def _deploy(plan: Plan) -> str:
    """Return the line that does what is planned."""
    asked = {
        "--interval": plan.options.interval and iso(plan.options.interval),
        "--backfill": plan.options.backfill and " ".join(map(iso, plan.options.backfill)),
        "--engine": plan.options.engine if plan.options.engine != "polars" else "",
        "--principal": plan.options.principal,
        "--purpose": plan.options.purpose,
    }
    words = [f"{option} {value}" for option, value in asked.items() if value]
    words += ["--allow-fewer"] if plan.options.allow_fewer else []
    words += ["--allow-empty"] if plan.options.allow_empty else []
    return " ".join(["%mesh deploy", typed_from_here(plan.folder), *words, "--plan", plan.id])


def _sentence(plan: Plan) -> str:
    if plan.stands:
        return "This bundle stands, made of these inputs: only if its rows differ is it news."
    if plan.before and not plan.changes:
        return "The same bundle, made of other inputs."
    return "" if plan.before else "Nothing of it was published before."


def _facts(plan: Plan) -> list[tuple[str, str]]:
    moved = plan.before and plan.before != plan.version
    version = f"{plan.before} → {plan.version}" if moved else plan.version
    if not plan.fits:
        version += f", must be {plan.least} or higher"
    kept = {major_of(one.consumer.version) for one in plan.hurt if one.stays}
    facts = [
        ("version", version),
        ("in", plan.root if "://" in plan.root else from_here(Path(plan.root))),
        ("made of", f"{plan.origin} data"),
    ]
    if plan.options.engine != "polars":
        facts.append(("computed on", plan.options.engine))
    if plan.before and major_of(plan.before) != major_of(plan.version):
        old = major_of(plan.before)
        whom = ", for those who keep to it" if kept else ""
        facts.append(("served beside it", f"version {old}{whom}"))
    facts.append(("plan", plan.id))
    return facts


def _changes(plan: Plan) -> list[Table]:
    rows = [
        (_SIGNS[one.kind], one.subject, one.port, one.said, Badge(one.level, _TONES[one.level]))
        for one in plan.changes
    ]
    return [Table(("", "what", "port", "change", "class"), rows)] if rows else []


def _readers(plan: Plan) -> list[Table]:
    rows = [_hurt(one) for one in plan.hurt]
    hurt = {(one.consumer.product, one.consumer.port) for one in plan.hurt}
    rows += [
        (one.product.product, one.version, one.port, _columns(one.reads), Badge("not touched"))
        for one in plan.consumers
        if (one.product, one.port) not in hurt
    ]
    headers = ("consumer", "version", "port", "reads", "")
    return [Table(headers, rows, title="deployed products that read it")] if rows else []


def _hurt(one: Hurt) -> tuple[str, str, str, str, Badge]:
    reads = _columns(one.consumer.reads, one.changes)
    end = (
        Badge(f"stays on version {one.consumer.major}", "warn")
        if one.stays
        else Badge("breaks", "bad")
    )
    consumer = one.consumer
    return consumer.product.product, consumer.version, consumer.port, reads, end


def _columns(reads: tuple[str, ...] | None, changes: tuple[Change, ...] = ()) -> str:
    if reads is None:
        return "not known"
    touched = [name for name in reads if name in {change.column for change in changes}]
    return ", ".join(touched or reads)


def _written(plan: Plan) -> list[Table]:
    many = f", and {plan.publications - 1:,} more" if plan.publications > 1 else ""
    rows = [(one.port, one.table, one.kind, _rows_now(one)) for one in plan.writes]
    headers = ("port", "table", "as", "rows now")
    title = f"to be written, as snapshot {plan.snapshot}{many}"
    return [Table(headers, rows, (3,), title)]


def _rows_now(one: ToWrite) -> str:
    if one.rows is None:
        return HIDDEN if one.hidden else "none yet"
    return f"{one.rows:,}"


def _inputs(plan: Plan) -> list[Table]:
    rows = [(pin.name, pin.kind, pin.where, pin.version[:24]) for pin in plan.inputs]
    return [Table(("input", "kind", "of", "version"), rows, title="made of")] if rows else []
