"""What a column of the notebook's product means: a column of a mock, of the mesh, or promised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mesh_notebook.errors import NotFound, UnknownProduct, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.model.address import Address, Reference
from mesh_notebook.workspace.mocking import id_to_write, port_of

if TYPE_CHECKING:
    from mesh_notebook.workspace.inputs import Handle

__all__ = ["target_of"]


def target_of(
    target: str, catalogue: Catalogue, inputs: Iterable[Handle], tenant: str
) -> tuple[str, str]:
    """Return the URN of `PRODUCT/PORT.COLUMN`, and what is to be said of it.

    It is the column of a mock in this notebook, or of the mesh; or of a product that is only
    promised, where its whole address is given: `DOMAIN/PRODUCT/PORT.COLUMN`, or its URN.

    Raises
    ------
    UsageError, NotFound, AmbiguousProduct
        It names no column, or one that is not there.
    """
    where, dot, column = target.rpartition(".")
    if target.startswith("urn:"):
        where, dot, column = target.partition("#")
    if not (where and dot and column):
        raise UsageError(
            f"'{target}' names no column.",
            next_step="write PRODUCT/PORT.COLUMN, or URN#COLUMN",
            target=target,
        )
    if (urn := _of_mock(where, column, inputs)) is not None:
        return urn, ""
    if where.startswith("urn:") and not where.startswith("urn:dmesh:"):
        return target, ""  # it means something elsewhere
    try:
        return _published(where, column, catalogue), ""
    except UnknownProduct as error:
        return _promised(where, column, tenant, error)


def _of_mock(where: str, column: str, inputs: Iterable[Handle]) -> str | None:
    """Return the URN of a column of a mock, named by its product, its contract, or in Python."""
    for handle in inputs:
        contract = handle.contract
        if contract is None or where not in {handle.name, contract.name, *_said(handle)}:
            continue
        contract.column(column)
        if address := port_of(contract):
            return f"{address}#{column}"
        raise UsageError(
            f"'{where}' is a mock whose contract has no URN for others to mean: its id is "
            f"'{contract.id}'.",
            next_step=f"write id: {id_to_write(contract)} in the contract, and mock it again",
            contract=contract.id,
        )
    return None


def _said(handle: Handle) -> set[str]:
    address = port_of(handle.contract) if handle.contract else None
    if address is None:
        return set()
    domain = f"{address.domain}/{address.product}"
    urns = {str(address), str(handle.contract and handle.contract.id)}
    return {address.short, address.product, domain, f"{address.domain}/{address.short}", *urns}


def _published(where: str, column: str, catalogue: Catalogue) -> str:
    published, port = catalogue.resolve(where)
    receipt = published.latest()
    product = published.product(receipt)
    name = product.output(port).name
    published.contract(receipt, name).column(column)
    return f"{product.address.with_port(name)}#{column}"


def _promised(where: str, column: str, tenant: str, error: NotFound) -> tuple[str, str]:
    """Return the URN of a column of a product that nobody published; raises what says so."""
    reference = Reference.parse(where)
    address = reference.address
    if address is None and len(reference.parts) == 3:
        address = Address(tenant, *reference.parts)
    if address is None or address.port is None:
        whole = "/".join(["DOMAIN", *reference.parts, "PORT"][: len(reference.parts) + 1])
        if len(reference.parts) == 1:
            whole = f"DOMAIN/{reference.parts[0]}/PORT"
        raise UnknownProduct(
            error.message,
            next_step=f"{error.next_step}; of a product that is only promised, give the whole "
            f"address: {whole}.{column}",
            **error.facts,
        )
    near = error.facts.get("near") or []
    meant = f"; did you mean {', '.join(near)}?" if near else ""
    return (
        f"{address}#{column}",
        f"{address} is promised, and nobody published it yet: whether it has a column '{column}' "
        f"is not known{meant}",
    )
