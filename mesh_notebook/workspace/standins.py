"""Synthetic stand-ins: made-up rows for those who may not read a port, in the shape of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mesh_notebook.errors import AccessDenied, NoSnapshot
from mesh_notebook.mesh.disclosure import policy_now, told

if TYPE_CHECKING:
    from mesh_notebook.mesh.catalogue import Catalogue
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.mesh.shape import Shape
    from mesh_notebook.model.receipt import InputPin, Receipt

__all__ = ["of_shape", "shape_again", "shape_of_stand_in"]


def shape_of_stand_in(published: PublishedProduct, receipt: Receipt, port: str) -> Shape | None:
    """Return the shape that a stand-in of a port is made from; None where there is to be none.

    Either the policy of now has no stand-in, or nothing may be told of how the values lie.
    """
    policy = policy_now(published, receipt, port)
    if policy is None or not policy.access.stand_in:
        return None
    event_time = published.contract(receipt, port).event_time
    shape = told(receipt.ports[port], policy, event_time).shape
    return shape if any(shape.values()) else None


def shape_again(catalogue: Catalogue, address: str, snapshot: int) -> Shape:
    """Return the shape that an exported product's stand-in was made from.

    Raises
    ------
    NoSnapshot
        Retention has let go of the snapshot.
    AccessDenied
        The policy of now has no stand-in any more.
    """
    published, port = catalogue.resolve(address)
    again = f"%mesh connect {published.name} --mode mock, and export again"
    try:
        receipt = published.receipt(snapshot)
    except NoSnapshot as error:
        raise NoSnapshot(
            f"{error.message} A stand-in was made from its shape.", next_step=again
        ) from None
    name = published.product(receipt).output(port).name
    shape = shape_of_stand_in(published, receipt, name)
    if shape is None:
        raise AccessDenied(
            f"{published.name}/{name} has no synthetic stand-in any more.",
            next_step=again,
            reasons=("its policy allows none",),
            stand_in=False,
        )
    return shape


def of_shape(pin: InputPin, snapshot: int) -> InputPin:
    """Return the pin of a mock, as that of a stand-in: the snapshot is part of what it is."""
    return replace(pin, version=f"{pin.version}, shape of snapshot {snapshot}")
