"""Deploy a bundle: run it on its inputs, hold it to its contracts, publish it; all or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from mesh_notebook.deploy.falling import refuse_fallen
from mesh_notebook.deploy.gates import Measured, refuse_broken_gates, refuse_broken_rules
from mesh_notebook.deploy.inheriting import note_declassified
from mesh_notebook.deploy.keys import ready_key
from mesh_notebook.deploy.planning import Options, refuse_other_plan
from mesh_notebook.deploy.preparing import Prepared
from mesh_notebook.deploy.running import stored_by
from mesh_notebook.deploy.standing import standing
from mesh_notebook.errors import DeployRefused, StoreError
from mesh_notebook.mesh import rejects
from mesh_notebook.mesh.aside import aside
from mesh_notebook.mesh.checks import CheckReport, check
from mesh_notebook.mesh.consumers import Consumer
from mesh_notebook.mesh.grants import principal_of
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.place import Place
from mesh_notebook.mesh.publishing import Publication, publish
from mesh_notebook.mesh.rulebook import cache_rules
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.seen import News
from mesh_notebook.mesh.slos import SloVerdict, verdicts
from mesh_notebook.mesh.store import conformed
from mesh_notebook.mesh.verified import counts_verified, note_verified
from mesh_notebook.model.address import Address
from mesh_notebook.model.policy import Asker, PortPolicy
from mesh_notebook.model.product import InputPort, Product
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.view import View

__all__ = ["Deployed", "deploy"]

_ENGINE = ("polars", "duckdb", "deltalake", "mesh-notebook")


@dataclass(frozen=True)
class Deployed:
    """What a deployment did.

    Attributes
    ----------
    receipt : Receipt
        The publication that stands now.
    unchanged : bool
        Whether it stood before: the same bundle on the same inputs.
    checks : dict
        By output port: how its rows fared against the contract; nothing where nothing was run.
    slos : dict
        By output port: its promises, and whether they are kept.
    folder : Place
        The product's folder in the mesh.
    news : dict
        By output port: what the rows show that those of the last snapshots did not. It is told,
        and holds nothing up.
    """

    receipt: Receipt
    unchanged: bool
    checks: dict[str, CheckReport]
    slos: dict[str, tuple[SloVerdict, ...]]
    product: Product
    folder: Place
    news: dict[str, tuple[News, ...]] = field(default_factory=dict)


def deploy(
    bundle: Path,
    root: Place | Path | str,
    open_input: Callable[[InputPort, Path], OpenedInput],
    *,
    principal: Asker | str,
    clock: Callable[[], datetime],
    options: Options | None = None,
    plan: str = "",
    renamed: Mapping[tuple[str, str], str] | None = None,
    consumers: Callable[[Address], Sequence[Consumer]] = lambda address: (),
    progress: Callable[[str], None] = lambda step: None,
    environ: Mapping[str, str] = os.environ,
    cut: str = "",
) -> Deployed:
    """Publish a bundle's output ports as one new snapshot, or change nothing.

    Parameters
    ----------
    bundle : Path
        The folder that an export wrote.
    root : Path
        The mesh root to publish in.
    open_input : callable
        Opens an input port of the bundle in that folder, and pins what it opened.
    principal : Asker or str
        Who deploys, and what it reads the inputs for.
    clock : callable
        Returns the time, UTC.
    options : Options, optional
        On which engine it is computed; and an instant in the interval that the rows are the
        picture of, where ports have a picture per interval and no event time that says it.
    plan : str, optional
        The id of the plan that is to be done: that, or nothing.
    renamed : mapping, optional
        As the plan was given it (see `mesh.changes.product_changes`).
    consumers : callable
        Returns the deployed products that read this one.
    progress : callable
        Told each step as it begins.
    environ : mapping
        Says which roles the principal uses, and what for (see `mesh.grants.principal_of`).
    cut : str
        To what window of event time `open_input` cuts what it opens, as `start/end`.

    Raises
    ------
    SpecError
        The specification or a contract is missing or not valid.
    DeployRefused
        The version stands with other content, the transform and the ports do not match, the
        transform fails, its rows break a contract or a gate, they may only be published as a
        draft, an input shows something else than was proved, or a rule of the mesh forbids it.
    StoreError
        The root cannot be written.
    """

    options = options or Options()
    asks = Asker(principal) if isinstance(principal, str) else principal
    prepared = Prepared.of(
        bundle,
        root,
        open_input,
        principal=principal,
        clock=clock,
        environ=environ,
        consumers=consumers,
        renamed=renamed,
        progress=progress,
    )
    if plan:
        refuse_other_plan(plan, prepared, options, principal)
    made, published, opened = prepared.made, prepared.published, prepared.opened
    address, place = made.product.address, published.root
    if stands := standing(prepared, options, cut):
        progress(f"snapshot {stands.snapshot} holds this release on these inputs already")
        with suppress(StoreError), aside(place, address):
            pass  # what publishers that were killed left behind goes now, too
        done = Publication(stands, unchanged=True)
        return _ended(prepared, done, {}, environ, asks.name, clock)
    with aside(place, address) as work:
        where = "" if options.engine == "polars" else f"on {options.engine} "
        progress(f"run the transform {where}in a clean process")
        frames = stored_by(made, opened, work, options.engine, options.master)
        _refuse_changed_sources(opened)
        progress("check the contracts")
        checks = {port: check(frame, made.contracts[port]) for port, frame in frames.items()}
        refuse_broken_rules(
            made.product,
            checks,
            lambda: rejects.keep(
                str(place),
                address,
                made.product.version,
                clock(),
                checks,
                frames,
                made.contracts,
                _maker(asks, prepared),
                environ,
            ),
        )
        # Read once: what is measured and published is in memory from here on.
        rows = {port: conformed(frame, made.contracts[port]) for port, frame in frames.items()}
        told = (made.product, made.contracts, rows, published, prepared.origin, options)
        allowed = refuse_fallen(*told, opened)
        # Before it is measured: who was erased, only the key can tell.
        if path := ready_key(published, made.product, made.contracts):
            progress(f"made the key that seals what is masked: {path}; keep it, and a copy of it")
        measured = Measured.of(
            rows, made.product, made.contracts, published, prepared.origin, now=clock()
        )
        refuse_broken_gates(made.product, made.contracts, measured.slos)
        done = publish(
            place,
            made.bundle,
            rows,
            status=made.product.status,
            origin=prepared.origin,
            inputs=prepared.pins,
            slos=measured.slos,
            shapes=measured.shapes,
            measured=measured.at,
            engine=_engine(options.engine),
            principal=asks.name,
            clock=clock,
            interval=options.interval,
            after=prepared.latest if plan else None,
            allowed=allowed,
            progress=progress,
            cut=cut,
        )
    with suppress(StoreError):  # it stands in the specification, too
        note_declassified(published, done.receipt, made, principal_of(place, principal, environ))
    ended = _ended(prepared, done, checks, environ, asks.name, clock)
    return replace(ended, news=measured.news)


def _ended(
    prepared: Prepared,
    done: Publication,
    checks: dict[str, CheckReport],
    environ: Mapping[str, str],
    principal: str,
    clock: Callable[[], datetime],
) -> Deployed:
    made, published = prepared.made, prepared.published
    # After the commit, which it cannot undo: without its cache a product is held to the root's
    # rules, and `%mesh rule` shows that it is behind.
    with suppress(StoreError):
        cache_rules(published)
    if done.unchanged and any(map(counts_verified, made.contracts.values())):
        with suppress(StoreError, OSError):
            note_verified(published, done.receipt, clock(), principal)
    with suppress(OSError):  # rows that were rejected before are of no more use
        rejects.forget(str(published.root), made.product.address, environ)
    slos = {
        port: tuple(verdicts(done.receipt.ports[port].slos, contract))
        for port, contract in made.contracts.items()
    }
    return Deployed(done.receipt, done.unchanged, checks, slos, made.product, published.folder)


def _maker(asks: Asker, prepared: Prepared) -> rejects.Maker:
    policies = [PortPolicy.of(prepared.made.product, port) for port in prepared.made.contracts]
    decisions = (given.decision for given in prepared.opened.values())
    views = [View.of(decision) for decision in decisions if decision]
    return rejects.Maker.of(asks.name, str(prepared.published.root), policies, views)


def _refuse_changed_sources(opened: Mapping[str, OpenedInput]) -> None:
    """Raise `DeployRefused` if a source was written to since it was pinned.

    Its files are not ours, so nothing keeps them still while they are read: what was read may be
    half of one state and half of the next.
    """
    for name, given in opened.items():
        if given.pin.kind != "source" or not isinstance(given.data, Scan):
            continue
        if given.data.fingerprint() != given.pin.version:
            raise DeployRefused(
                f"the source '{name}' ({given.pin.where}) changed while it was read.",
                next_step="deploy again when nothing writes to it, or deploy from a copy",
                input=name,
            )


def _engine(engine: str) -> dict[str, str]:
    """Return the versions of what computed and stored the rows."""
    import platform
    from importlib.metadata import version

    names = [*_ENGINE, *(["narwhals", "pyspark"] if engine == "spark" else [])]
    versions = {"python": platform.python_version(), **{name: version(name) for name in names}}
    return versions if engine == "polars" else {"computed on": engine, **versions}
