"""A contract's file as a panel: its tables, how they are tied, and what is beyond the standard."""

from __future__ import annotations

from mesh_notebook.surfaces.panel import Panel, Table
from mesh_notebook.surfaces.panels import panel_of, status_badge
from mesh_notebook.workspace.contract_files import ContractFile

__all__: list[str] = []


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
