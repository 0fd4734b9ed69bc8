"""A mock of a contract as an input: named, tied to the others, and what it does not keep told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.model.address import Address, python_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.product import DEFAULT_TENANT, major_of
from mesh_notebook.model.receipt import InputPin
from mesh_notebook.model.truth import DEFAULT_ROWS, Truth
from mesh_notebook.workspace import joining
from mesh_notebook.workspace.frames import computed, contract_in, lazy, named
from mesh_notebook.workspace.inputs import Handle, Opener, slug

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.workspace.session import Session

__all__ = ["from_file", "id_to_write", "modelled", "port_of", "refuse_rows"]


def refuse_rows(rows: int | None) -> None:
    """Raise `UsageError` where no such number of rows can be made."""
    if rows is not None and rows < 1:
        raise UsageError(f"{rows} rows cannot be made.", next_step="give --rows 1 or more")


def from_file(
    session: Session,
    what: Any,
    table: str | None,
    made: tuple[int | None, int, str | None],
    name: str | None,
) -> pl.LazyFrame:
    """Make a mock of a contract's file; `made` is rows, seed and the rule to break."""
    rows, seed, breaking = made
    session.progress(f"make {rows or DEFAULT_ROWS:,} rows")
    contract = contract_in(session.base, str(what))
    one = contract.of_table(table) if table else contract
    return mocked(session, one, (rows or DEFAULT_ROWS, seed, breaking), name)


def mocked(
    session: Session, contract: Contract, made: tuple[int, int, str | None], name: str | None
) -> pl.LazyFrame:
    """Make a mock of `made` rows, seed and broken rule, and bind it; what it joins with is told."""
    name = name or python_name(contract.name)
    others = [h.contract for n, h in joining.mocks(session).items() if n != name and h.contract]
    tied = joining.tied_to(contract, others)
    handle = from_contract(session.opener(), tied, *made)
    frame = session.bind(replace(handle, untied=contract), "mock", name)
    settle(session, name)
    return frame


def settle(session: Session, name: str) -> None:
    """Have the other mocks join with one that is new or other than it was; its card tells."""
    said = joining.settled(session, name)
    bound = session.handles[name]
    if written := bound.untied or bound.contract:
        said = (*_without_urn(written, name), *said)
    session.handles[name] = replace(bound, warnings=(*bound.warnings, *said))


def port_of(contract: Contract) -> Address | None:
    """Return the port that a contract's id is of; None where it is no such URN."""
    try:
        address = Address.parse(contract.id)
    except UsageError:
        return None
    return address if address.port else None


def id_to_write(contract: Contract) -> str:
    """Return the URN that a contract could have for an id: of the port that it describes."""
    tenant = _part(contract.raw.get("tenant"), DEFAULT_TENANT)
    product = _part(contract.raw.get("dataProduct") or contract.name, "product")
    port = _part(contract.table.get("name") or contract.name, product)
    address = Address(tenant, _part(contract.domain, "default"), product, port)
    return f"{address}:{_part(major_of(contract.version), '1')}"


def _part(said: object, otherwise: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", str(said or "")).strip("-_")[:100] or otherwise


def _without_urn(contract: Contract, name: str) -> Iterator[str]:
    if port_of(contract) is None:
        yield (
            f"its id '{contract.id}' is of no port, so nothing that is published will take its "
            f"place by itself: write id: {id_to_write(contract)}, with the domain and the product "
            f"that are to publish it; or %mesh use {name} live --product PRODUCT"
        )


def from_contract(
    opener: Opener, contract: Contract, rows: int, seed: int, breaking: str | None
) -> Handle:
    """Make a mock from a contract, named after its dataset; what it does not keep is told."""
    handle = opener.mock(python_name(contract.name), contract, rows, seed, breaking)
    told = (*contract.warnings, *_unkept(handle.frame, contract, breaking))
    return replace(handle, warnings=told)


def _unkept(frame: pl.LazyFrame, contract: Contract, breaking: str | None) -> Iterator[str]:
    """Yield what a mock does not keep of its contract, most of it rules of all rows together."""
    from mesh_notebook.mesh.checks import check
    from mesh_notebook.model.types import is_known

    told = any(rule.kind in ("sql", "rowCount", "custom") for rule in contract.rules)
    if not told and all(map(is_known, contract.columns)):
        return
    report = check(frame, contract)
    for result in report.failures:
        if result.rule.id != breaking:
            yield f"the mock does not keep {result.rule.id}: {result.note}"
    for result in report.warnings:
        yield f"{result.rule.id} is {result.note}"


def modelled(
    session: Session,
    what: Any,
    rows: int | None,
    seed: int,
    key: tuple[str, ...],
    name: str | None,
) -> pl.LazyFrame:
    """Make a mock like a real frame, given by its name or as it is, and bind it."""
    _, frame = named(what, session.namespace)
    session.progress("model the frame with SDV")
    handle = _model(what, frame, rows, seed, key)
    return session.bind(handle, "mock", name or handle.name)


def _model(what: Any, frame: Any, rows: int | None, seed: int, key: tuple[str, ...]) -> Handle:
    """Make a mock like a real frame: modelled by SDV, sampled from the model."""
    from mesh_notebook.mock.like import like

    with computed(what if isinstance(what, str) else "the frame"):
        real = lazy(frame).collect()
    made = like(real, rows or real.height, seed, key).lazy()
    name = f"{what}_mock" if isinstance(what, str) else "modelled_mock"
    count = rows or real.height
    contract_id = f"urn:modelled:{slug(name)}"
    recipe = {
        "kind": "mock",
        "rows": count,
        "seed": seed,
        "method": "sdv GaussianCopulaSynthesizer",
        "data": f"mocks/{name}.parquet",
    }
    pin = InputPin(name, "mock", contract_id, f"{count} rows, seed {seed}", Origin.MOCK)
    note = f"{count:,} rows modelled by SDV (Gaussian copula) on {real.height:,}, seed {seed}"
    truth = Truth(Origin.MOCK, count, seed)
    return Handle(name, "mock", made, made, pin, recipe, note=note, truth=truth)
