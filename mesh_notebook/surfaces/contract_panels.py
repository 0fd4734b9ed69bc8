"""Contracts as panels: of a port, what it demands and what was seen; of a file, its tables."""

from __future__ import annotations

from mesh_notebook.mesh.verdicts import promise_name
from mesh_notebook.model.contract import Column, Contract
from mesh_notebook.model.seen import demanded_in_words, seen_in_words
from mesh_notebook.surfaces.panel import Panel, Table
from mesh_notebook.surfaces.panels import origin_badge, panel_of, status_badge
from mesh_notebook.workspace.contract_files import ContractFile
from mesh_notebook.workspace.results import ContractView

__all__: list[str] = []

_SHOWN = 6


@panel_of.register
def _(file: ContractFile) -> Panel:
    contract = file.contract
    facts = [("contract", contract.id), ("version", contract.version)]
    facts += [(n, v) for n, v in (("domain", contract.domain), ("owner", contract.owner)) if v]
    facts += [
        ("refers", f"{r.table}.{r.column} means {r.to_table}.{r.to_column}")
        for r in contract.references
    ]
    several = len(file.tables) > 1
    step = f"%mesh mock {file.path}{' --table NAME' if several else ''}"
    return Panel(
        contract.name,
        (status_badge(str(contract.raw.get("status") or "no status")),),
        contract.purpose,
        facts,
        [
            Table(("column", "type", "meaning"), columns, title=name)
            for name, columns in file.tables.items()
        ],
        notes=[*contract.warnings, *(() if file.tables else ("it describes no table yet",))],
        next_step=step if file.tables else "give its schema a table with properties",
    )


@panel_of.register
def _(view: ContractView) -> Panel:
    contract = view.contract
    rows = [
        (c.name, c.physical_type or c.logical_type, _demands(c), seen_in_words(c), c.meaning)
        for c in contract.columns
    ]
    facts = [
        ("key", ", ".join(contract.key) or "none: rows have no identity yet"),
        ("event time", contract.event_time or "none"),
        ("rows", f"{view.rows:,}"),
    ]
    if view.overridden:
        facts.append(("set by you", ", ".join(view.overridden)))
    notes = [*_doubt_note(view), *_seen_note(view), *_personal_note(contract)]
    table = Table(("column", "type", "demanded", "seen", "meaning"), rows)
    promises = [
        (promise_name(s) + (" (gate)" if s.gate else ""), f"{s.value} {s.unit}".strip())
        for s in contract.slos
    ]
    tables = [table, Table(("promise", ""), promises)] if promises else [table]
    return Panel(
        f"output port {view.port}",
        (origin_badge(view.origin), status_badge(contract.raw["status"])),
        contract.purpose,
        facts,
        tables,
        notes,
        f"%%mesh contract {view.port} overrides any of it; %mesh check holds the frame to it",
    )


def _demands(column: Column) -> str:
    words = [demanded_in_words(column)]
    if column.personal:
        words.append("personal")
    if column.link:
        words.append(f"means {column.link}")
    return "; ".join(filter(None, words))


def _doubt_note(view: ContractView) -> list[str]:
    if not view.doubt:
        return []
    return [
        f"The rows count as {view.origin}: {view.doubt}. Restart the kernel and run all cells, "
        "with the extension loaded once and no other workspace."
    ]


def _seen_note(view: ContractView) -> list[str]:
    """Say how to demand what was seen, where something is left to demand; or why it is not."""
    if hidden := view.withheld:
        more = f" and {len(hidden) - _SHOWN:,} more" if len(hidden) > _SHOWN else ""
        return [
            f"No value of {', '.join(hidden[:_SHOWN])}{more} is demanded: everybody reads a "
            "contract, and the policy hides it"
        ]
    if not view.strictly:
        return []
    return [
        f"Seen is not demanded: a change is told. {view.strictly} demands it; "
        "--strict COLUMN,… of some columns"
    ]


def _personal_note(contract: Contract) -> list[str]:
    personal = [c.name for c in contract.columns if c.personal]
    if not personal:
        return []
    return [f"Likely personal data: {', '.join(personal)}. Keep it only if the purpose needs it."]
