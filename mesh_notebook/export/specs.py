"""The bundle's documents: the product (ODPS) and the contracts of its ports (ODCS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_notebook.export.drafts import InputDraft, OutputDraft
from mesh_notebook.export.plan import Plan
from mesh_notebook.export.slicing import Slice
from mesh_notebook.mesh.modes import MODES
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import set_custom, to_yaml
from mesh_notebook.model.product import ODPS_VERSION, Product
from mesh_notebook.model.valueless import valueless

__all__ = ["documents_of"]

# The order in which people read a product: who it is, what it takes, what it gives, who owns it.
_FIRST = (
    *("apiVersion", "kind", "id", "name", "version", "status", "domain", "tenant"),
    *("description", "tags", "authoritativeDefinitions", "inputPorts", "outputPorts"),
)


def documents_of(
    product: Mapping[str, Any], plan: Plan, outputs: Mapping[str, OutputDraft]
) -> dict[str, str]:
    """Return by path the YAML of the product and of every contract; what is ours is valid.

    Raises
    ------
    SpecError
        A document that its standard refuses.
    """
    raw = {"apiVersion": ODPS_VERSION, "kind": "DataProduct", **product}
    raw["inputPorts"] = [_input(name, draft) for name, draft in plan.inputs.items()]
    raw["outputPorts"] = [_output(one, plan, outputs[one.port]) for one in plan.slices]
    if policies := [outputs[s.port].policy for s in plan.slices if outputs[s.port].policy]:
        set_custom(raw, "policies", [dict(policy) for policy in policies])
    raw = {key: raw[key] for key in (*_FIRST, *raw) if raw.get(key) not in (None, [], {})}
    text = to_yaml(raw)
    Product.loads(text, "product.odps.yaml")
    made = {"product.odps.yaml": text}
    for one in plan.slices:
        made[f"contracts/{one.port}.odcs.yaml"] = outputs[one.port].contract.checked().dumps()
    hides = any(outputs[one.port].policy for one in plan.slices)
    hides = hides or any(d.decision and d.decision.policy for d in plan.inputs.values())
    for name, draft in plan.inputs.items():
        contract = _told(draft) if hides else draft.contract
        # What others wrote is kept as it is, also where it is beyond the standard.
        made[f"contracts/inputs/{name}.odcs.yaml"] = contract.readable().dumps()
    return made


def _told(draft: InputDraft) -> Contract:
    """Return an input's contract as everybody reads it: what an output hides, it must not tell.

    It tells no value of any column, since those that no output has are hidden from all. A mock is
    made of its contract, and not of rows.
    """
    made_of_it = draft.pin.kind == "mock" and "data" not in draft.recipe
    return draft.contract if made_of_it else valueless(draft.contract)


def _input(name: str, draft: InputDraft) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "name": name,
        "version": draft.contract.version,
        "contractId": draft.contract.id,
    }
    set_custom(raw, "input", dict(draft.recipe))
    return raw


def _output(one: Slice, plan: Plan, output: OutputDraft) -> dict[str, Any]:
    contract = output.contract
    raw: dict[str, Any] = {"name": one.port}
    if says := output.description or contract.purpose:
        raw["description"] = says
    raw |= {"type": "tables", "version": contract.version, "contractId": contract.id}
    used = [plan.inputs[name].contract for name in plan.parameters(one)]
    if used:
        raw["inputContracts"] = [{"id": c.id, "version": c.version} for c in used]
    set_custom(raw, "outputModes", list(MODES))
    temporality: dict[str, Any] = {"kind": "snapshot", **output.temporality}
    if contract.event_time:
        temporality["eventTime"] = contract.event_time
    set_custom(raw, "temporality", temporality)
    return raw
