"""Which columns of the inputs each column of the outputs is made of, and what is owed for it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.drafts import InputDraft, OutputDraft
from mesh_notebook.export.module import Module
from mesh_notebook.mesh.inheritance import (
    Others,
    Uncarried,
    Upstream,
    kept_by_roles,
    obligations,
    replayed,
    smallest_in,
    told_of,
    uncarried_in,
)
from mesh_notebook.mesh.lineage.running import lineage_of
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.address import python_name
from mesh_notebook.model.lineage import Lineage, PortLineage

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    *("closed", "followed", "lineage_file", "others_of"),
    *("refuse_uncarried", "tried_of", "uncarried_of", "upstreams"),
]


def followed(module: Module, outputs: Mapping[str, OutputDraft]) -> dict[str, PortLineage]:
    """Return by port what its columns are made of."""
    plan = module.plan
    columns = {
        one.port: (
            python_name(one.port),
            tuple(column.name for column in outputs[one.port].contract.columns),
        )
        for one in plan.slices
    }
    schemas = {name: _schema(draft) for name, draft in plan.inputs.items()}
    with tempfile.TemporaryDirectory() as folder:
        return lineage_of(module.text, columns, schemas, _parameters(module), Path(folder))


def lineage_file(module: Module, ports: dict[str, PortLineage]) -> bytes:
    """Return the lineage of a module as it stands in a bundle."""
    inputs = module.plan.inputs
    datasets = {name: draft.upstream for name, draft in inputs.items()}
    # An input that is cut to a window needs the column by which it is cut.
    cut: dict[str, tuple[str, ...]] = {
        name: (d.window.column,) for name, d in inputs.items() if d.window
    }
    told = Lineage.of(ports, datasets, cut).as_dict()
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()


def upstreams(module: Module) -> dict[str, Upstream]:
    """Return the inputs that are ports of the mesh, as they were opened."""
    return {
        name: Upstream(draft.pin.where, draft.decision, draft.window.column if draft.window else "")
        for name, draft in module.plan.inputs.items()
        if draft.decision is not None
    }


def uncarried_of(
    module: Module, outputs: Mapping[str, OutputDraft], ports: Mapping[str, PortLineage]
) -> tuple[Uncarried, ...]:
    """Return what the outputs owe to the inputs, and do not carry."""
    policies = {port: one.carries for port, one in outputs.items()}
    contracts = {port: one.contract for port, one in outputs.items()}
    others = others_of(module)
    return uncarried_in(ports, policies, contracts, others.upstreams, _parameters(module), others)


def others_of(module: Module) -> Others:
    """Return the inputs of a module for who is not exempt from their policies."""
    drafts = module.plan.inputs
    return Others(
        replayed(module.text),
        {name: draft.replayed for name, draft in drafts.items()},
        {name: draft.contract for name, draft in drafts.items()},
        upstreams(module),
        smallest_in(module.text),
        module.text,
    )


def refuse_uncarried(
    module: Module, outputs: Mapping[str, OutputDraft], ports: Mapping[str, PortLineage]
) -> None:
    """Raise `ExportRefused` where an output shows what an input hides, and nobody said why."""
    if left := uncarried_of(module, outputs, ports):
        message, next_step = told_of(left)
        raise ExportRefused(
            message,
            next_step=next_step,
            cell=outputs[left[0].port].count,
            name=left[0].port,
            uncarried=left,
        )


def tried_of(
    module: Module, outputs: Mapping[str, OutputDraft], ports: Mapping[str, PortLineage]
) -> tuple[str, ...]:
    """Return the ports that owe nothing for no other reason than what a run on rows told.

    By their lineage they owe something: of other rows more may be true.
    """
    policies = {port: one.carries for port, one in outputs.items()}
    contracts = {port: one.contract for port, one in outputs.items()}
    owed = uncarried_in(ports, policies, contracts, upstreams(module), _parameters(module))
    return tuple(dict.fromkeys(one.port for one in owed))


def closed(
    module: Module, outputs: Mapping[str, OutputDraft], ports: Mapping[str, PortLineage]
) -> dict[str, OutputDraft]:
    """Return the outputs; of those whose roles keep rows that inputs hide, no figure is told."""
    inputs, takes = upstreams(module), _parameters(module)
    made = dict(outputs)
    for port, draft in outputs.items():
        policy = draft.carries
        owed = obligations(ports[port], inputs, takes[port])
        if kept_by_roles(policy, owed):
            policy = replace(policy, access=replace(policy.access, closed=True))
            contract = draft.untelling or draft.contract
            made[port] = replace(draft, policy=policy.as_dict(), contract=contract)
    return made


def _parameters(module: Module) -> dict[str, tuple[str, ...]]:
    return {one.port: tuple(module.plan.parameters(one)) for one in module.plan.slices}


def _schema(draft: InputDraft) -> pl.Schema:
    data = draft.data
    return (data.lazy() if isinstance(data, Scan) else data).collect_schema()
