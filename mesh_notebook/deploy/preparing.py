"""All that is known of a deployment before anything is run: what it would change, and what bars it.

`mesh plan` shows it; `mesh deploy` makes it anew, and goes on only where nothing bars it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mesh_notebook.deploy.inheriting import refuse_uncarried
from mesh_notebook.deploy.keys import refuse_other_key
from mesh_notebook.deploy.schemas import Reshaped, refuse_reshaped, reshaped
from mesh_notebook.deploy.validating import Validated
from mesh_notebook.deploy.versioning import refuse_republished, refuse_unfit_version, worst_level
from mesh_notebook.deploy.views import refuse_other_view
from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.changes import Change, product_changes
from mesh_notebook.mesh.consumers import Consumer
from mesh_notebook.mesh.evolution import last_of_major, refuse_incompatible
from mesh_notebook.mesh.grants import principal_of
from mesh_notebook.mesh.identity import changed_statement, is_of, same_transform
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.place import Place, place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.rego import facts_of, forbidden
from mesh_notebook.mesh.rulebook import standing_rules
from mesh_notebook.model.address import Address
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import Asker
from mesh_notebook.model.product import InputPort, major_of
from mesh_notebook.model.receipt import InputPin, Receipt

__all__ = ["Prepared"]


def _raise(error: DeployRefused) -> None:
    raise error


@dataclass(frozen=True)
class Prepared:
    """A bundle with its inputs opened, held against what stands.

    Attributes
    ----------
    standing : Receipt or None
        The publication that it follows: the last of its major version, else the last at all.
    changes : tuple of Change
        What it changes of that one's specification, contracts and transform.
    consumers : tuple of Consumer
        The deployed products that read it.
    latest : int
        The number of the last publication when all this began; 0 if there was none.
    reshaped : tuple of Reshaped
        The inputs whose columns are not those of the proof.
    """

    made: Validated
    published: PublishedProduct
    opened: Mapping[str, OpenedInput]
    standing: Receipt | None
    changes: tuple[Change, ...]
    consumers: tuple[Consumer, ...]
    latest: int
    reshaped: tuple[Reshaped, ...] = ()

    @classmethod
    def of(
        cls,
        bundle: Path,
        root: Place | Path | str,
        open_input: Callable[[InputPort, Path], OpenedInput],
        *,
        principal: Asker | str,
        clock: Callable[[], datetime],
        environ: Mapping[str, str] = os.environ,
        consumers: Callable[[Address], Sequence[Consumer]] = lambda address: (),
        renamed: Mapping[tuple[str, str], str] | None = None,
        refuse: Callable[[DeployRefused], None] = _raise,
        progress: Callable[[str], None] = lambda step: None,
    ) -> Prepared:
        """Validate a bundle, open its inputs, and tell `refuse` what forbids to deploy it.

        Parameters
        ----------
        consumers : callable
            Returns who reads a product.
        refuse : callable
            Is given each refusal; raises it, or keeps it and goes on.

        Raises
        ------
        MeshError
            An input cannot be opened, or a key is missing, so that nothing more can be told.
        """
        progress("validate the bundle")
        made = Validated.of(Bundle(bundle))
        published = PublishedProduct.at(place_of(root), made.product.address)

        # Before all else is read of it: what is published since, a publication then comes upon.
        latest = max(published.snapshots(), default=0)

        def held(check: Callable[..., object], *told: object) -> bool:
            try:
                check(*told)
            except DeployRefused as error:
                refuse(error)
                return False
            return True

        own = last_of_major(published, made.product.version)
        standing = own or (published.as_of(None) if latest else None)
        changes: tuple[Change, ...] = ()
        readers: tuple[Consumer, ...] = ()
        if standing and not is_of(published, standing, made.bundle):
            readers = tuple(consumers(made.product.address))
            changes = _changes(made, published, standing, readers, renamed or {})
        held(_refuse_unfit, published.root)
        fits = held(refuse_republished, made, published, standing, changes)
        if own:
            fits &= held(refuse_incompatible, published, own, made.bundle)
        if standing and fits:  # else it was said what the version must be
            held(refuse_unfit_version, made, published, standing, changes)
        opened: dict[str, OpenedInput] = {}
        shapes: list[Reshaped] = []
        for port in made.product.inputs:
            progress(f"open the input {port.name}")
            given = opened[port.name] = open_input(port, bundle)
            held(refuse_other_view, port, given, made.bundle)
            if found := reshaped(port, given, made.bundle):
                shapes.append(found)
                held(refuse_reshaped, found)
        known = (made, published, opened, standing, changes, readers, latest, tuple(shapes))
        prepared = cls(*known)
        held(prepared.refuse_unless_live)
        held(refuse_uncarried, made, opened)
        held(prepared.refuse_forbidden, principal, clock(), environ)
        refuse_other_key(published, made.product, made.contracts)
        return prepared

    @property
    def pins(self) -> tuple[InputPin, ...]:
        return tuple(given.pin for given in self.opened.values())

    @property
    def origin(self) -> Origin:
        return Receipt.origin_of(self.pins)

    @property
    def level(self) -> str:
        """The worst class of change; one of `mesh.changes.LEVELS`."""
        return worst_level(self.changes)

    def repeats(self, receipt: Receipt) -> bool:
        """Whether a publication was made of the same inputs, with what the bundle means."""
        return receipt.inputs == self.pins and is_of(self.published, receipt, self.made.bundle)

    def refuse_unless_live(self) -> None:
        """Raise `DeployRefused` where what is not real would pass for it."""
        product = self.made.product
        unreal = {n: g.pin.origin for n, g in self.opened.items() if g.pin.origin != Origin.LIVE}
        if unreal and product.status != "draft":
            said = ", ".join(f"{name} is {origin}" for name, origin in unreal.items())
            raise DeployRefused(
                f"{product.name} has the status '{product.status}', but is made of data that is "
                f"not live: {said}.",
                next_step=f"publish a draft (%mesh product {product.name} --status draft, then "
                "export), or connect these inputs to live data",
                inputs={name: str(origin) for name, origin in unreal.items()},
            )

    def refuse_forbidden(
        self, principal: Asker | str, now: datetime, environ: Mapping[str, str]
    ) -> None:
        """Raise `DeployRefused`, in its own words, where a rule of the mesh forbids a port."""
        if not (rules := standing_rules(self.published)):
            return
        who = principal_of(self.published.root, principal, environ)
        product, origin = self.made.product, self.origin
        for port, contract in self.made.contracts.items():
            facts = facts_of(
                who, product, contract, port=port, action="publish", origin=origin, now=now
            )
            if why := forbidden(rules, facts):
                raise DeployRefused(
                    f"the mesh forbids to publish {product.name}/{port}: {'; '.join(why)}.",
                    next_step="change what the rule names and export again; %mesh rule shows the "
                    "rules",
                    port=port,
                    rules=why,
                )


# ---- what changes ------------------------------------------------------------------------------


def _changes(
    made: Validated,
    published: PublishedProduct,
    standing: Receipt,
    consumers: Sequence[Consumer],
    renamed: Mapping[tuple[str, str], str],
) -> tuple[Change, ...]:
    before = published.product(standing)
    old = {port.name: published.contract(standing, port.name) for port in before.outputs}
    found = list(product_changes((before, old), (made.product, made.contracts), renamed))
    if not same_transform(published, standing, made.bundle):
        said = changed_statement(published, standing, made.bundle)
        told = f"transform.py makes it otherwise{f': {said}' if said else ''}"
        found.append(Change("changed", "transform", "patch", told))
    if not found and not made.bundle.is_specified_by(standing.spec_digest):
        found.append(Change("changed", "product", "patch", "it is described otherwise"))
    return tuple(_as_used(change, consumers, major_of(standing.version)) for change in found)


def _as_used(change: Change, consumers: Sequence[Consumer], major: str) -> Change:
    """Return a guarantee that is let go as breaking where a deployed product relies on it."""
    relied = any(
        one.port == change.port and one.uses(change.column) and one.major in (None, major)
        for one in consumers
    )
    return replace(change, level="breaking") if change.loosens and relied else change


def _refuse_unfit(root: Place) -> None:
    """Raise `DeployRefused` where Delta could not write, whatever is to be written."""
    if root.amiss:
        raise DeployRefused(
            f"nothing can be published in {str(root)!r}: of {root.amiss!r}, Delta takes a bracket, "
            "one of ^ | \\, a tab or its like, or a '%' before two digits, for something else.",
            next_step="give that folder another name, or name another root (--root, MESH_ROOTS)",
            root=str(root),
        )
