"""Whether what would be deployed was deployed already: the same release, on the same inputs.

Then nothing is run, and nothing is published. Two runs of one transform may differ in the last bits
of a sum, or in which of two tied rows came first; that is no news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.errors import KeyMissing, NoSnapshot, StoreError
from mesh_notebook.mesh.evolution import last_of_major
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.mesh.sealing import Protection
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.time import interval_around, say_interval

if TYPE_CHECKING:
    from mesh_notebook.deploy.planning import Options
    from mesh_notebook.deploy.preparing import Prepared
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.receipt import Receipt

__all__ = ["standing"]


def standing(prepared: Prepared, options: Options, cut: str) -> Receipt | None:
    """Return the publication that holds what a deployment would make; None where it must be run.

    It must be run where more than release, inputs, engine and window decide what is published: an
    input of which the principal sees no more than a policy shows, a key, or who was erased since.

    Parameters
    ----------
    cut : str
        As the receipt keeps it.
    """
    found = _picture(prepared, options)
    if found is None or found.engine.get("computed on", "polars") != options.engine:
        return None
    same = prepared.repeats(found)
    return found if same and _is_cut(found, cut) and _is_all(prepared, found) else None


def _picture(prepared: Prepared, options: Options) -> Receipt | None:
    """Return the publication that holds what the deployment would take the place of."""
    published, made = prepared.published, prepared.made
    last = last_of_major(published, made.product.version)
    if last is None or options.interval is None:
        return last
    numbers = set()
    for port in made.product.outputs:
        length = port.temporality.get("interval")
        of = say_interval(interval_around(options.interval, str(length))) if length else ""
        there = last.ports.get(port.name)
        numbers.add(there.intervals.get(of) if there and length else last.snapshot)
    return _held(published, numbers.pop()) if len(numbers) == 1 else None


def _held(published: PublishedProduct, number: int | None) -> Receipt | None:
    try:
        return published.receipt(number) if number else None
    except (NoSnapshot, StoreError):
        return None


def _is_cut(found: Receipt, cut: str) -> bool:
    """Whether a publication is known to be of inputs that were cut so."""
    if found.cut is None:  # it is of an earlier time, when only pieces were cut
        pieces = any(port.interval or port.kind == "log" for port in found.ports.values())
        return not (pieces or cut)
    return found.cut == cut


def _is_all(prepared: Prepared, found: Receipt) -> bool:
    """Whether nothing else decides what is published."""
    made = prepared.made
    scans = (given.data for given in prepared.opened.values())
    if any(isinstance(scan, Scan) and scan.veil for scan in scans):
        return False
    if set(found.ports) != set(made.contracts):
        return False
    for port, contract in made.contracts.items():
        policy = PortPolicy.of(made.product, port)
        try:
            now = Protection.of(policy, contract, str(made.product.address))
        except KeyMissing:  # which the deployment will say
            return False
        if now.subject or now.as_dict() != found.ports[port].protection:
            return False
    return True
