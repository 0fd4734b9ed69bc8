"""What the export needs of a workspace: its outputs, its inputs as drafts, its notebook."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.workspace.drafts import PortDraft, ProductDraft
from mesh_notebook.workspace.inputs import Handle, fitting, pinned, slug
from mesh_notebook.workspace.stopping import stopping_export

if TYPE_CHECKING:
    from mesh_notebook.export.exporting import Exported, InputDraft, OutputDraft
    from mesh_notebook.export.slicing import Slice
    from mesh_notebook.workspace.session import Session

__all__ = ["export", "input_draft", "notebook_of", "output_draft", "run_again", "shown"]


def export(
    workspace: Session, folder: str | Path | None, engines: Sequence[str] | str = ()
) -> Exported:
    """Write the bundle of the notebook's product, proved; or raise and write nothing."""
    from mesh_notebook.export.portable import PROVED
    from mesh_notebook.workspace.drafts import words_of

    draft = _ready(workspace, folder)
    target = workspace.base / (folder or f"products/{draft.name}")
    with stopping_export(target):
        return _written(workspace, draft, target, words_of(engines) or PROVED)


def _written(
    workspace: Session, draft: ProductDraft, target: Path, engines: Sequence[str]
) -> Exported:
    from mesh_notebook.export.exporting import export as write
    from mesh_notebook.export.slicing import slices_of
    from mesh_notebook.workspace.mocked import mock_rows

    workspace.progress("find what makes each output")
    slices = slices_of(workspace.record.until_now(workspace.namespace), list(draft.ports))
    status = draft.status or _status(slices)
    return write(
        target,
        product=draft.fields(status),
        outputs=[output_draft(port, draft, status) for port in draft.ports.values()],
        input_of=lambda handle: _input(handle, draft, workspace.base, target),
        record=workspace.record,
        namespace=workspace.namespace,
        notebook=notebook_of(workspace.base, workspace.namespace, os.environ),
        engines=engines,
        mock_rows=mock_rows,
        slices=slices,
        progress=workspace.progress,
    )


def output_draft(port: PortDraft, product: ProductDraft, status: str) -> OutputDraft:
    """Return an output port as an export is given it; raises `UsageError` of an unfit policy."""
    from mesh_notebook.export.exporting import OutputDraft
    from mesh_notebook.workspace.declaring import declared, strictly
    from mesh_notebook.workspace.protecting import refuse_unfit

    contract = port.contract(product, status)
    if port.policy:
        refuse_unfit(port.policy, contract)
    return OutputDraft(
        *(port.port, port.value, contract, contract.purpose),
        temporality=port.temporality,
        policy=port.policy.as_dict() if port.policy else {},
        declared=declared(port),
        untelling=_untelling(port, product, status),
        strictly=strictly(port),
    )


def _untelling(port: PortDraft, product: ProductDraft, status: str) -> Contract | None:
    if port.policy is None or not port.policy.access.roles:
        return None
    closed = replace(port.policy.access, closed=True)
    return replace(port, policy=replace(port.policy, access=closed)).contract(product, status)


def input_draft(handle: Handle, workspace: Session) -> InputDraft:
    """Return an input as an export into the usual folder is given it."""
    draft = workspace.draft
    return _input(handle, draft, workspace.base, workspace.base / f"products/{draft.name}")


def _status(slices: Sequence[Slice]) -> str:
    """Return the status that the inputs which really went into the ports allow."""
    inputs = [s.event for one in slices for s in one.statements if s.kind == "input" and s.event]
    made_up = worst(event.payload["input"].origin for event in inputs) is not Origin.LIVE
    return "draft" if made_up else "active"


def run_again(workspace: Session) -> str:
    """Say which cells of the notebook's file are to be run again; empty where it does not tell."""
    from mesh_notebook.export.restarted import said, to_run_again

    notebook = notebook_of(workspace.base, workspace.namespace, os.environ)
    return said(to_run_again(notebook, workspace.record))


def _ready(workspace: Session, folder: str | Path | None) -> ProductDraft:
    draft = workspace.draft
    if not draft.ports:
        declare = "%mesh output PORT FRAME --key COLUMNS --event-time COLUMN"
        raise UsageError(
            "no output port is declared in this session, so there is nothing to export.",
            next_step=run_again(workspace) or declare,
        )
    if draft.name:
        return draft
    if folder is None:
        raise UsageError(
            "the product has no name yet.",
            next_step="%mesh product NAME --domain DOMAIN --owner TEAM, or %mesh export DIR",
        )
    return draft.named(Path(folder).name)


def _input(handle: Handle, draft: ProductDraft, base: Path, target: Path) -> InputDraft:
    from mesh_notebook.export.exporting import InputDraft

    recipe, files = dict(handle.recipe), {}
    if handle.kind == "source":
        recipe["uri"] = fitting(recipe["uri"], base, target)
    if "data" in recipe:
        files[recipe["data"]] = _rows(handle)
    return InputDraft(
        name=handle.name,
        recipe=recipe,
        contract=_contract(handle, draft),
        data=handle.data,
        pin=pinned(handle),
        window=handle.window,
        files=files,
        decision=handle.reading.decision if handle.reading else None,
    )


def _contract(handle: Handle, draft: ProductDraft) -> Contract:
    """Return the input's contract; of a source, which has none, what its rows say."""
    if handle.contract:
        return handle.contract
    from mesh_notebook.explore.observe import observe

    name = slug(handle.name)
    return observe(
        handle.frame,
        name=name,
        contract_id=f"{draft.address.with_port(name)}:1",
        domain=draft.domain,
    )


def _rows(handle: Handle) -> bytes:
    buffer = io.BytesIO()
    handle.frame.collect().write_parquet(buffer)
    return buffer.getvalue()


def notebook_of(
    base: Path, namespace: Mapping[str, Any], environ: Mapping[str, str]
) -> Path | None:
    """Return the notebook's file, where the front end says which it is."""
    told = namespace.get("__vsc_ipynb_file__") or environ.get("JPY_SESSION_NAME")
    path = base / str(told) if told else None
    return path if path and path.is_file() and path.suffix == ".ipynb" else None


def shown(folder: Path, base: Path) -> str:
    """Return a folder as seen from the notebook, so that no answer holds a machine's own path."""
    relative = os.path.relpath(folder, base)
    return folder.name if relative.startswith("..") else Path(relative).as_posix()
