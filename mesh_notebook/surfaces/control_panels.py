"""What is decided for a mesh as panels: grants, rules, and the log of decisions."""

from __future__ import annotations

from mesh_notebook.mesh.decisions import ALLOW, Decision
from mesh_notebook.mesh.place import Folder, Place
from mesh_notebook.mesh.rulebook import Cached
from mesh_notebook.surfaces.panel import Badge, Panel, Table
from mesh_notebook.surfaces.panels import from_here, panel_of
from mesh_notebook.workspace.discovery.words import moment
from mesh_notebook.workspace.governing import Decisions, Grants, MeshRules

__all__: list[str] = []


@panel_of.register
def _(grants: Grants) -> Panel:
    rows = [(one.principal, one.role, one.by, moment(one.at)) for one in grants.grants]
    table = Table(("principal", "role", "granted by", "at"), rows)
    return Panel(
        "who has which role",
        sentence=grants.done,
        facts=(("mesh", _root(grants.root)),),
        tables=(table,) if rows else (),
        next_step="" if rows else "%mesh grant NAME ROLE grants the first",
    )


@panel_of.register
def _(rules: MeshRules) -> Panel:
    rows = [(one.name, one.by, moment(one.at)) for one in rules.rules]
    known = [(one.product, _cache_badge(one, rules.entries)) for one in rules.caches]
    tables = [Table(("rule", "pushed by", "at"), rows)] if rows else []
    if rules.entries and known:
        tables.append(Table(("product", "its cache"), known))
    behind = any(one.problem or one.entries < rules.entries for one in rules.caches)
    late = "a product that is behind is held to the rules of the root all the same"
    return Panel(
        "the rules of this mesh" if rows else "this mesh has no rules",
        sentence=rules.done,
        facts=(("mesh", _root(rules.root)),),
        tables=tables,
        notes=(late,) if rules.entries and behind else (),
        next_step="" if rows else "%mesh rule FILE.rego pushes one",
    )


def _root(root: Place) -> str:
    return from_here(root.path) if isinstance(root, Folder) else str(root)


def _cache_badge(cached: Cached, entries: int) -> Badge:
    if cached.problem:
        return Badge(cached.problem, "bad")
    behind = entries - cached.entries
    return Badge(f"behind by {behind}", "warn") if behind else Badge("has all", "good")


@panel_of.register
def _(log: Decisions) -> Panel:
    rows = [
        (
            moment(one.at),
            Badge(one.decision, "good" if one.decision == ALLOW else "bad"),
            _who(one),
            _what(one, whole="/" not in log.product),
            _together(one.rules),
        )
        for one in log.decisions
    ]
    table = Table(("at", "", "who", "asked for", "rules that applied"), rows)
    return Panel(
        f"decisions on {log.product}",
        sentence="" if rows else "nobody has asked for it yet",
        tables=(table,) if rows else (),
    )


def _who(decision: Decision) -> str:
    roles = f" ({', '.join(decision.roles)})" if decision.roles else ""
    purpose = f" for {decision.purpose}" if decision.purpose else ""
    return f"{decision.principal}{roles}{purpose}"


def _what(decision: Decision, whole: bool) -> str:
    limits = (f"{name} {moment(at)}" for name, at in decision.window.items() if at)
    snapshot = f"snapshot {decision.snapshot}" if decision.snapshot else ""
    told = (decision.port if whole else "", snapshot, decision.mode, *limits)
    return ", ".join(filter(None, told))


def _together(rules: tuple[str, ...]) -> str:
    """Say once what holds for several columns alike: `card, email: tokenise`."""
    alike: dict[str, list[str]] = {}
    for rule in rules:
        about, colon, said = rule.partition(": ")
        alike.setdefault(colon + (said if colon else rule), []).append(about if colon else "")
    return "; ".join(", ".join(about) + said for said, about in alike.items())
