"""What a bundle owes to the policies of its inputs, as they are when it is deployed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from mesh_notebook.deploy.validating import Validated
from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh import decisions
from mesh_notebook.mesh.inheritance import (
    Others,
    Upstream,
    replayed,
    smallest_in,
    told_of,
    uncarried_in,
)
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.lineage.running import lineage_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.lineage import PortLineage
from mesh_notebook.model.policy import PortPolicy, Principal
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import iso

__all__ = ["declassifications", "note_declassified", "refuse_uncarried"]


def refuse_uncarried(made: Validated, opened: Mapping[str, OpenedInput]) -> None:
    """Raise `DeployRefused` where an output shows what an input hides, and nobody said why.

    The columns are followed anew: a bundle's own lineage is what its maker says.
    """
    inputs = {
        name: Upstream(given.pin.where, given.decision, given.window.column if given.window else "")
        for name, given in opened.items()
        if given.decision is not None
    }
    if not any(given.owes for given in inputs.values()):
        return
    policies = {port: PortPolicy.of(made.product, port) for port in made.contracts}
    parameters = {port: made.parameters[function] for port, function in made.functions.items()}
    ports = _followed(made, opened, parameters)
    text = made.bundle.transform.read_text("utf-8")
    held = _contracts(made, inputs)
    others = Others(replayed(text), opened, held, inputs, smallest_in(text), text)
    if left := uncarried_in(ports, policies, made.contracts, inputs, parameters, others):
        message, next_step = told_of(left)
        raise DeployRefused(
            message,
            next_step=f"in the notebook, and export again: {next_step}",
            port=left[0].port,
            uncarried=left,
        )


def _contracts(made: Validated, inputs: Iterable[str]) -> dict[str, Contract]:
    folder = made.bundle.folder / "contracts" / "inputs"
    paths = {name: folder / f"{name}.odcs.yaml" for name in inputs}
    found = {name: path.read_text("utf-8") for name, path in paths.items() if path.is_file()}
    return {name: Contract.loads(text, f"{name}.odcs.yaml") for name, text in found.items()}


def _followed(
    made: Validated, opened: Mapping[str, OpenedInput], parameters: Mapping[str, tuple[str, ...]]
) -> dict[str, PortLineage]:
    columns = {
        port: (function, tuple(column.name for column in made.contracts[port].columns))
        for port, function in made.functions.items()
    }
    schemas = {
        name: (data.lazy() if isinstance(data := given.data, Scan) else data).collect_schema()
        for name, given in opened.items()
    }
    text = made.bundle.transform.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        return lineage_of(text, columns, schemas, parameters, Path(folder))


def note_declassified(
    published: PublishedProduct, receipt: Receipt, made: Validated, who: Principal
) -> None:
    """Keep a record of what a publication shows on purpose although an input hides it."""
    for port in made.contracts:
        rules = tuple(one.said() for one in PortPolicy.of(made.product, port).declassified)
        if rules:
            decisions.log(
                published,
                decisions.Decision(
                    principal=who.name,
                    roles=tuple(sorted(who.roles)),
                    purpose=who.purpose,
                    at=iso(datetime.now(UTC)),
                    product=receipt.product,
                    port=port,
                    window={},
                    snapshot=receipt.snapshot,
                    version=receipt.version,
                    mode="publish",
                    decision=decisions.ALLOW,
                    rules=rules,
                ),
            )


def declassifications(made: Validated) -> tuple[str, ...]:
    """Return what the product shows on purpose although an input hides it, in words."""
    return tuple(
        f"{port}: {one.said()}"
        for port in made.contracts
        for one in PortPolicy.of(made.product, port).declassified
    )
