"""`lineage.json`: which columns of the inputs each column of the outputs is made of."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.export.drafts import InputDraft, OutputDraft
from mesh_notebook.export.module import Module
from mesh_notebook.mesh.lineage.running import lineage_of
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.address import python_name
from mesh_notebook.model.lineage import Lineage

if TYPE_CHECKING:
    import polars as pl

__all__ = ["lineage_file"]


def lineage_file(module: Module, outputs: Mapping[str, OutputDraft]) -> bytes:
    """Return the lineage of a module as it stands in a bundle."""
    plan = module.plan
    columns = {
        one.port: (
            python_name(one.port),
            tuple(column.name for column in outputs[one.port].contract.columns),
        )
        for one in plan.slices
    }
    schemas = {name: _schema(draft) for name, draft in plan.inputs.items()}
    parameters = {one.port: tuple(plan.parameters(one)) for one in plan.slices}
    with tempfile.TemporaryDirectory() as folder:
        ports = lineage_of(module.text, columns, schemas, parameters, Path(folder))
    datasets = {name: draft.upstream for name, draft in plan.inputs.items()}
    # An input that is cut to a window needs the column by which it is cut.
    cut: dict[str, tuple[str, ...]] = {
        name: (d.window.column,) for name, d in plan.inputs.items() if d.window
    }
    told = Lineage.of(ports, datasets, cut).as_dict()
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()


def _schema(draft: InputDraft) -> pl.Schema:
    data = draft.data
    return (data.lazy() if isinstance(data, Scan) else data).collect_schema()
