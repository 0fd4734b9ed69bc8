"""What the notebook's outputs owe to its inputs: asked of by `check`, and by `protect`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mesh_notebook.errors import ExportRefused, UsageError
from mesh_notebook.mesh.inheritance import Obligation, Uncarried, Upstream, obligations
from mesh_notebook.model.declassified import Declassified
from mesh_notebook.model.policy import PortPolicy

if TYPE_CHECKING:
    from mesh_notebook.export.module import Module
    from mesh_notebook.workspace.drafts import PortDraft
    from mesh_notebook.workspace.session import Session

__all__ = ["declassified", "uncarried_by"]


def uncarried_by(session: Session, ports: Sequence[PortDraft]) -> tuple[Uncarried, ...]:
    """Return what the notebook's outputs owe to its inputs, and do not carry.

    Raises
    ------
    ExportRefused, UsageError
        An input hides something that the notebook saw, and it cannot be told what becomes of it.
    """
    from mesh_notebook.export.columns import followed, uncarried_of
    from mesh_notebook.workspace.exporting import output_draft

    if not any(given.owes for given in _upstreams(session)):
        return ()
    session.progress("hold each column to the policies of what it is made of")
    module = _module(session, ports)
    outputs = {port.port: output_draft(port, session.draft, "draft") for port in ports}
    return uncarried_of(module, outputs, followed(module, outputs))


def _upstreams(session: Session) -> list[Upstream]:
    return [
        Upstream(str(one.product.address.with_port(one.port)), one.decision)
        for one in session.readings
    ]


def _module(session: Session, ports: Sequence[PortDraft]) -> Module:
    from mesh_notebook.export.defaults import tagged_in
    from mesh_notebook.export.module import module_of
    from mesh_notebook.export.plan import planned
    from mesh_notebook.export.prose import told_above
    from mesh_notebook.export.slicing import slices_of
    from mesh_notebook.workspace.exporting import input_draft, notebook_of, output_draft

    notebook = notebook_of(session.base, session.namespace, os.environ)
    record = session.record.until_now(session.namespace)
    slices = slices_of(record, [port.port for port in ports])
    told = tagged_in(notebook), told_above(notebook)
    plan = planned(slices, lambda handle: input_draft(handle, session), *told)
    outputs = {port.port: output_draft(port, session.draft, "draft") for port in ports}
    return module_of(plan, outputs, session.draft.name or "")


def declassified(
    session: Session, port: PortDraft, policy: PortPolicy, column: str, because: str
) -> PortPolicy:
    """Return a policy under which a column, or the port, shows on purpose what inputs hide.

    Raises
    ------
    UsageError
        It is not said why; or nothing of it is hidden from others and seen by who asks.
    """
    if not because.strip():
        raise UsageError(
            "it is not said why it is declassified.",
            next_step='--because "…": it stands in the specification, for all to read',
        )
    found = [one for one in _owed(session, port) if one.column == column]
    target = f"{port.port}.{column}" if column else port.port
    if not found:
        raise UsageError(
            f"{target} shows nothing that an input hides from others and shows to "
            f"{session.principal}, so there is nothing to declassify.",
            next_step=_who_may(session) or "leave it as it is",
        )
    of = tuple(dict.fromkeys(one.of for one in found))
    made = Declassified(column, of, because.strip(), session.principal)
    others = (one for one in policy.declassified if one.column != column)
    return PortPolicy.from_dict(
        {**policy.as_dict(), "declassified": [o.as_dict() for o in (*others, made)]}
    )


def _owed(session: Session, port: PortDraft) -> tuple[Obligation, ...]:
    from mesh_notebook.export.columns import followed, others_of, upstreams
    from mesh_notebook.workspace.exporting import output_draft

    if not any(given.owes for given in _upstreams(session)):
        return ()
    try:
        module = _module(session, [port])
    except ExportRefused as error:
        raise UsageError(
            f"it cannot be told what '{port.port}' is made of: {error.message}",
            next_step=error.next_step,
        ) from None
    told = followed(module, {port.port: output_draft(port, session.draft, "draft")})
    parameters = module.plan.parameters(module.plan.slices[0])
    own = told[port.port]
    named = others_of(module).named(port.port, own.fields)
    return (*obligations(own, upstreams(module), parameters), *named)


def _who_may(session: Session) -> str:
    """Say whose role it takes to declassify what is seen here through a mask."""
    roles = {
        role
        for given in _upstreams(session)
        for mask in given.decision.policy.masks
        if given.decision.mask(mask.column)
        for role in mask.exempt
    }
    return f"what is masked for you, who is {' or '.join(sorted(roles))} may show" if roles else ""
