"""From frames to a product: declared outputs, their contracts, the check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, ExportRefused, SpecError, UsageError
from mesh_notebook.model.address import checked_name
from mesh_notebook.model.document import parse_yaml
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.model.product import KINDS
from mesh_notebook.model.seen import seen_of
from mesh_notebook.model.time import checked_interval
from mesh_notebook.workspace import frames
from mesh_notebook.workspace.declaring import strictly
from mesh_notebook.workspace.drafts import PortDraft, ProductDraft
from mesh_notebook.workspace.inputs import Handle
from mesh_notebook.workspace.results import Checked, ContractView

if TYPE_CHECKING:
    from mesh_notebook.mesh.inheritance import Uncarried
    from mesh_notebook.workspace.session import Session

# What a contract takes from its product, so that the two cannot say different things.
_IDENTITY = {
    *("id", "name", "version", "status", "domain", "tenant", "dataProduct"),
    *("kind", "apiVersion"),
}

__all__ = [
    *("as_mapping", "check", "check_mocks", "declared", "joined", "mocks_meant"),
    "view",
]


def declared(
    product: ProductDraft,
    port: str,
    frame_name: str,
    value: Any,
    key: tuple[str, ...],
    event_time: str | None,
    contract: str | Mapping[str, Any] | None,
    kind: str = "snapshot",
    interval: str | None = None,
    strict: tuple[str, ...] | bool = False,
) -> PortDraft:
    """Return the draft of an output port, refused unless a valid contract follows from it."""
    checked_name(port, "port name")
    temporality = _temporality(kind, interval)
    with frames.computed(frame_name):
        draft = _declared(product, port, frame_name, value, key, event_time, contract, strict)
    if kind == "log" and not draft.contract(product, "draft").key:
        raise UsageError(
            f"'{port}' is a log without a key, so no row could correct an earlier one.",
            next_step=f"%mesh output {port} {frame_name} --kind log --key COLUMNS",
        )
    draft.temporality = temporality
    return draft


def _temporality(kind: str, interval: str | None) -> dict[str, str]:
    """Return how a port stands in time, as its specification says it; raises `UsageError`."""
    if kind not in KINDS:
        raise UsageError(f"'{kind}' is no kind of port.", next_step=f"one of {', '.join(KINDS)}")
    if interval is None:
        return {"kind": kind}
    if kind == "log":
        raise UsageError(
            "a log has no pictures of intervals: it keeps every event.",
            next_step="leave out --interval, or --kind log",
        )
    return {"kind": kind, "interval": checked_interval(interval)}


def _declared(
    product: ProductDraft,
    port: str,
    frame_name: str,
    value: Any,
    key: tuple[str, ...],
    event_time: str | None,
    contract: str | Mapping[str, Any] | None,
    strict: tuple[str, ...] | bool,
) -> PortDraft:
    before = product.ports.get(port)
    frame = frames.declarable(frame_name, value)
    draft = PortDraft(port, frame_name, frame, frames.kept(value), key, event_time, strict=strict)
    if before:  # declared again: what was set by hand stays
        draft.overrides, draft.promises = before.overrides, before.promises
        draft.links, draft.policy = before.links, before.policy
    changes = joined(draft.overrides, as_mapping(contract, port)) if contract else draft.overrides
    try:
        return draft.stands(product, overrides=changes)
    except ContractError as error:
        raise frames.as_typed(frame_name, value, error) from None


def as_mapping(overrides: str | Mapping[str, Any], port: str) -> Mapping[str, Any]:
    """Return overrides as a mapping, from YAML where they are text.

    Raises
    ------
    SpecError
        No mapping; or one that would change what the product says of all of its ports.
    """
    where = f"the contract of '{port}'"
    given = parse_yaml(overrides, where) if isinstance(overrides, str) else overrides
    if not isinstance(given, Mapping):
        raise SpecError(
            f"{where} cannot be overridden by a {type(given).__name__}.",
            next_step="give a mapping, or YAML text",
        )
    if fixed := sorted(_IDENTITY & set(given)):
        raise SpecError(
            f"{where} takes its {fixed[0]} from the product.",
            next_step="%mesh product NAME --version … --status … --domain … sets it",
            field=fixed[0],
        )
    return given


def joined(before: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return one mapping of overrides; later words win, mappings are joined at every depth."""
    whole = dict(before)
    for name, value in more.items():
        old = whole.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        whole[name] = joined(old, value) if both else value  # type: ignore[arg-type]
    return whole


def view(draft: PortDraft, product: ProductDraft, status: str) -> ContractView:
    """Return a port's contract as it stands, with what was set by hand."""
    import polars as pl

    by_hand = [*_paths(draft.overrides), *draft.promises, *draft.links]
    rows = draft.frame.select(pl.len()).collect().item()
    contract = draft.contract(product, status)
    line = strictly(draft) if any(seen_of(c.raw) for c in contract.columns) else ""
    withheld = tuple(name for name in draft.strict_columns if name in draft.hidden())
    return ContractView(draft.port, contract, tuple(by_hand), rows, draft.origin, line, withheld)


def _paths(overrides: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for name, value in overrides.items():
        if name == "properties" and isinstance(value, Mapping):
            names.extend(value)
        else:
            names.append(name)
    return names


def check(ports: Sequence[PortDraft], session: Session) -> Checked:
    """Hold frames to their contracts; SLOs are measured as a publication now would measure them."""
    from mesh_notebook.mesh.checks import check as held
    from mesh_notebook.mesh.slos import verdicts
    from mesh_notebook.workspace.rehearsing import before_of, measured_now

    if not ports:
        from mesh_notebook.workspace.exporting import run_again

        raise UsageError(
            "no output port is declared in this session, so there is nothing to check.",
            next_step=run_again(session) or "%mesh output PORT FRAME --key COLUMNS",
        )
    now, published = session.clock(), before_of(session)
    origin = worst(handle.origin for handle in session.handles.values())
    reports, slos, news = [], {}, {}
    for draft in ports:
        contract = draft.contract(session.draft, session.own_status())
        with frames.computed(draft.frame_name):
            reports.append(held(draft.frame, contract))
            measured, news[draft.port] = measured_now(draft, contract, published, origin, now)
        slos[draft.port] = tuple(verdicts(measured, contract))
    origins = {draft.port: draft.origin for draft in ports}
    return Checked(tuple(reports), slos, origins, *_inherited(session, ports), news)


def mocks_meant(session: Session, name: str | None) -> list[Handle]:
    """Return the mocks that a check is of: one that is named, or all where no port is declared."""
    ports = session.draft.ports
    if (ports and name is None) or name in ports:
        return []
    mocks = [h for h in session.handles.values() if h.kind == "mock" and h.contract is not None]
    return [one for one in mocks if name in (None, one.name)]


def check_mocks(mocks: Sequence[Handle]) -> Checked:
    """Hold mocks to the contracts that they were made from."""
    from mesh_notebook.mesh.checks import check as held

    reports = [held(one.frame, one.contract) for one in mocks if one.contract is not None]
    return Checked(tuple(reports), {}, {report.contract: Origin.MOCK for report in reports})


def _inherited(session: Session, ports: Sequence[PortDraft]) -> tuple[tuple[Uncarried, ...], str]:
    """Return what the ports owe to policies of inputs; or why that cannot be told."""
    from mesh_notebook.workspace.inheriting import uncarried_by

    try:
        return uncarried_by(session, ports), ""
    except (ExportRefused, UsageError) as error:
        return (), f"{error.message} {error.next_step}".strip()
