"""What a new publication may change: nothing under one version, columns to add under one major.

A consumer who reads a port today must be able to read it tomorrow. Whatever would break that is a
new major version, with a table of its own, beside which the old one stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.changes import contract_changes
from mesh_notebook.mesh.identity import changed_statement, is_of, same_transform
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.model.product import Product, major_of
from mesh_notebook.model.receipt import PortSnapshot, Receipt

__all__ = [
    *("last_as_good", "last_of_major", "noting_left"),
    *("refuse_changed_version", "refuse_incompatible"),
]


def refuse_changed_version(published: PublishedProduct, bundle: Bundle) -> None:
    """Raise `DeployRefused` where a publication stands that forbids this bundle.

    That is one of the same version with another specification, contract or transform, or one of
    another product in the same folder.
    """
    address, version = str(bundle.product.address), bundle.product.version
    snapshots = published.snapshots()
    if snapshots and (standing := published.latest().product) != address:
        raise DeployRefused(
            f"{published.folder} is the home of {standing}, not of {address}.",
            next_step="give the product another name or domain, or deploy to another root",
            standing=standing,
        )
    for receipt in published.of_version(version):
        if not is_of(published, receipt, bundle):
            raise _changed(published, receipt, bundle)


def _changed(published: PublishedProduct, earlier: Receipt, bundle: Bundle) -> DeployRefused:
    differs = [] if bundle.is_specified_by(earlier.spec_digest) else ["specification"]
    said = ""
    if not same_transform(published, earlier, bundle):
        differs.append("transform")
        said = changed_statement(published, earlier, bundle)
    version = bundle.product.version
    return DeployRefused(
        f"version {version} of {bundle.product.name} was published before (snapshot "
        f"{earlier.snapshot}) with another {' and another '.join(differs)}"
        f"{f': {said}' if said else ''}.",
        next_step=f"raise the version in the notebook (%mesh product {bundle.product.name} "
        f"--version {_raised(version)}) and export again",
        version=version,
        differs=differs,
        snapshot=earlier.snapshot,
    )


def _raised(version: str) -> str:
    head, dot, last = version.rpartition(".")
    return f"{head}{dot}{int(last) + 1}" if last.isdecimal() else f"{version}.1"


def last_of_major(published: PublishedProduct, version: str) -> Receipt | None:
    """Return the newest publication of a version's major; None where there is none yet."""
    for snapshot in reversed(published.snapshots()):
        receipt = published.receipt(snapshot)
        if major_of(receipt.version) == major_of(version):
            return receipt
    return None


def last_as_good(
    published: PublishedProduct, version: str, origin: Origin, last: Receipt | None = None
) -> Receipt | None:
    """Return the publication that a log, or a picture among pictures, goes on from.

    It is the newest of the version's major whose origin is no worse: of made-up rows nothing may
    stay beside real ones. None where there is none yet, so that it begins anew.

    Parameters
    ----------
    last : Receipt, optional
        The newest of the major, where it is known.
    """
    if last is not None and _as_good(last, origin):
        return last
    for snapshot in reversed(published.snapshots()):
        receipt = published.receipt(snapshot)
        if major_of(receipt.version) == major_of(version) and _as_good(receipt, origin):
            return receipt
    return None


def _as_good(receipt: Receipt, origin: Origin) -> bool:
    return worst([receipt.origin, origin]) is origin


def noting_left(
    ports: Mapping[str, PortSnapshot], last: Receipt | None, base: Receipt | None
) -> dict[str, PortSnapshot]:
    """Note in what would have gone on from the last publication that it goes on from another."""
    if last is None or (base and base.snapshot == last.snapshot):
        return dict(ports)
    return {
        name: replace(port, left_behind=last.snapshot)
        if name in last.ports and (port.kind == "log" or port.interval)
        else port
        for name, port in ports.items()
    }


def refuse_incompatible(published: PublishedProduct, earlier: Receipt, bundle: Bundle) -> None:
    """Raise `DeployRefused` where a port would no longer serve those who read it.

    Under one major version a port may gain columns that need no value, and nothing else: earlier
    snapshots have nulls there.
    """
    if bundle.is_specified_by(earlier.spec_digest):
        return
    before = published.product(earlier)
    for port in before.outputs:
        if breaks := _breaks(published, earlier, before, bundle, port.name):
            lines = "".join(f"\n  {line}" for line in breaks)
            major = major_of(bundle.product.version)
            after = f"{int(major) + 1}.0.0" if major.isdecimal() else "another major version"
            raise DeployRefused(
                f"the port '{port.name}' would break its consumers under version "
                f"{bundle.product.version}:{lines}",
                next_step=f"make it a new major version (%mesh product {bundle.product.name} "
                f"--version {after}), or only add columns that are not required",
                port=port.name,
                breaks=breaks,
            )


def _breaks(
    published: PublishedProduct, earlier: Receipt, before: Product, bundle: Bundle, port: str
) -> list[str]:
    if port not in {output.name for output in bundle.product.outputs}:
        return ["it is gone"]
    times = (before.output(port).temporality, bundle.product.output(port).temporality)
    old, new = published.contract(earlier, port), bundle.contract(port)
    changes = contract_changes(old, new, times, port)
    return [change.said for change in changes if change.level == "breaking"]
