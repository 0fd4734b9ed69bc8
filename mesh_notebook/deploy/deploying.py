"""Deploy a bundle: run it on its inputs, hold it to its contracts, publish it; all or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.deploy.gates import Measured, refuse_broken_gates, refuse_broken_rules
from mesh_notebook.deploy.keys import ready_key
from mesh_notebook.deploy.validating import Validated
from mesh_notebook.errors import DeployRefused, StoreError
from mesh_notebook.mesh import rejects
from mesh_notebook.mesh.aside import aside
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.checks import CheckReport, check
from mesh_notebook.mesh.evolution import (
    last_of_major,
    refuse_changed_version,
    refuse_incompatible,
)
from mesh_notebook.mesh.grants import principal_of
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.place import Place, place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.publishing import Publication, publish
from mesh_notebook.mesh.rego import facts_of, forbidden
from mesh_notebook.mesh.replay import ReplayFailed, replay
from mesh_notebook.mesh.rulebook import cache_rules, standing_rules
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.slos import SloVerdict, verdicts
from mesh_notebook.mesh.store import conformed
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.product import InputPort, Product
from mesh_notebook.model.receipt import Receipt

if TYPE_CHECKING:
    import polars as pl

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
        Whether it stood before: the same bundle on the same inputs gave the same rows.
    checks : dict
        By output port: how its rows fared against the contract.
    slos : dict
        By output port: its promises, and whether they are kept.
    folder : Place
        The product's folder in the mesh.
    """

    receipt: Receipt
    unchanged: bool
    checks: dict[str, CheckReport]
    slos: dict[str, tuple[SloVerdict, ...]]
    product: Product
    folder: Place


def deploy(
    bundle: Path,
    root: Place | Path | str,
    open_input: Callable[[InputPort, Path], OpenedInput],
    *,
    principal: str,
    clock: Callable[[], datetime],
    interval: datetime | None = None,
    progress: Callable[[str], None] = lambda step: None,
    environ: Mapping[str, str] = os.environ,
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
    principal : str
        Who deploys.
    clock : callable
        Returns the time, UTC.
    interval : datetime, optional
        An instant in the interval that the rows are the picture of, where ports have a picture
        per interval and no event time that says it.
    progress : callable
        Told each step as it begins.
    environ : mapping
        Says which roles the principal uses, and what for (see `mesh.grants.principal_of`).

    Raises
    ------
    SpecError
        The specification or a contract is missing or not valid.
    DeployRefused
        The version stands with other content, the transform and the ports do not match, the
        transform fails, its rows break a contract or a gate, they may only be published as a
        draft, or a rule of the mesh forbids it.
    StoreError
        The root cannot be written.
    """
    progress("validate the bundle")
    made = Validated.of(Bundle(bundle))
    address = made.product.address
    place = place_of(root)
    published = PublishedProduct.at(place, address)
    refuse_changed_version(published, made.bundle)
    if earlier := last_of_major(published, made.product.version):
        refuse_incompatible(published, earlier, made.bundle)
    opened = {}
    for port in made.product.inputs:
        progress(f"open the input {port.name}")
        opened[port.name] = open_input(port, bundle)
    pins = tuple(given.pin for given in opened.values())
    _refuse_unless_live(made.product, opened)
    origin = Receipt.origin_of(pins)
    _refuse_forbidden(made, published, origin, principal, clock(), environ)
    with aside(place, address) as work:
        progress("run the transform in a clean process")
        frames = _run(made, opened, work)
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
                environ,
            ),
        )
        # Read once: what is measured and published is in memory from here on.
        rows = {port: conformed(frame, made.contracts[port]) for port, frame in frames.items()}
        # Before it is measured: who was erased, only the key can tell.
        if path := ready_key(published, made.product, made.contracts):
            progress(f"made the key that seals what is masked: {path}; keep it, and a copy of it")
        measured = Measured.of(rows, made.product, made.contracts, published, origin, now=clock())
        refuse_broken_gates(made.product, made.contracts, measured.slos)
        done = publish(
            place,
            made.bundle,
            rows,
            status=made.product.status,
            origin=origin,
            inputs=pins,
            slos=measured.slos,
            shapes=measured.shapes,
            measured=measured.at,
            engine=_engine(),
            principal=principal,
            clock=clock,
            interval=interval,
            progress=progress,
        )
    # After the commit, which it cannot undo: without its cache a product is held to the root's
    # rules, and `%mesh rule` shows that it is behind.
    with suppress(StoreError):
        cache_rules(published)
    with suppress(OSError):  # rows that were rejected before are of no more use
        rejects.forget(str(place), address, environ)
    return _deployed(made, done, checks, published.folder)


def _deployed(
    made: Validated, done: Publication, checks: dict[str, CheckReport], folder: Place
) -> Deployed:
    slos = {
        port: tuple(verdicts(done.receipt.ports[port].slos, contract))
        for port, contract in made.contracts.items()
    }
    return Deployed(done.receipt, done.unchanged, checks, slos, made.product, folder)


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


def _refuse_unless_live(product: Product, opened: Mapping[str, OpenedInput]) -> None:
    """Raise `DeployRefused` where what is not real would pass for it."""
    unreal = {name: g.pin.origin for name, g in opened.items() if g.pin.origin is not Origin.LIVE}
    if unreal and product.status != "draft":
        said = ", ".join(f"{name} is {origin}" for name, origin in unreal.items())
        raise DeployRefused(
            f"{product.name} has the status '{product.status}', but is made of data that is not "
            f"live: {said}.",
            next_step=f"publish a draft (%mesh product {product.name} --status draft, then "
            "export), or connect these inputs to live data",
            inputs={name: str(origin) for name, origin in unreal.items()},
        )


def _refuse_forbidden(
    made: Validated,
    published: PublishedProduct,
    origin: Origin,
    principal: str,
    now: datetime,
    environ: Mapping[str, str],
) -> None:
    """Raise `DeployRefused`, in its own words, where a rule of the mesh forbids a port."""
    if not (rules := standing_rules(published)):
        return
    who = principal_of(published.root, principal, environ)
    for port, contract in made.contracts.items():
        facts = facts_of(
            who, made.product, contract, port=port, action="publish", origin=origin, now=now
        )
        if why := forbidden(rules, facts):
            raise DeployRefused(
                f"the mesh forbids to publish {made.product.name}/{port}: {'; '.join(why)}.",
                next_step="change what the rule names and export again; %mesh rule shows the rules",
                port=port,
                rules=why,
            )


def _run(made: Validated, opened: Mapping[str, OpenedInput], work: Path) -> dict[str, pl.LazyFrame]:
    import polars as pl

    try:
        paths = replay(made.bundle.transform, list(made.functions.values()), opened, work)
    except ReplayFailed as error:
        raise DeployRefused(
            f"the transform of {made.product.name} does not run on these inputs, so nothing was "
            f"published: {error.message}",
            next_step=error.next_step,
            function=error.function,
            line=error.line,
            error_type=error.error_type,
            detail=error.detail,
        ) from None
    return {port: pl.scan_ipc(paths[name]) for port, name in made.functions.items()}


def _engine() -> dict[str, str]:
    """Return the versions of what computed and stored the rows."""
    import platform
    from importlib.metadata import version

    return {"python": platform.python_version(), **{name: version(name) for name in _ENGINE}}
