"""One handle, three truths: the same name and columns; live, sampled or mocked rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, NotFound, StoreError, UnknownProduct, UsageError
from mesh_notebook.mesh.dtypes import column_dtype
from mesh_notebook.model.address import python_name
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.model.product import major_of
from mesh_notebook.model.time import Window
from mesh_notebook.model.truth import Truth
from mesh_notebook.workspace.inputs import Handle, Opener, pinned, port_recipe, recipe_window
from mesh_notebook.workspace.standins import of_shape, shape_of_stand_in

if TYPE_CHECKING:
    from mesh_notebook.mesh.published import PublishedProduct

__all__ = ["mocked", "readable", "sampled", "switched"]


def mocked(
    opener: Opener,
    name: str,
    published: PublishedProduct,
    port: str | None,
    window: Window,
    truth: Truth,
    major: str | None = None,
    purpose: str = "",
) -> Handle:
    """Make a port's rows up from its published contract; none of its own are read.

    Where the port's policy has a stand-in, they lie as its snapshot's shape says.
    """
    receipt = published.as_of(window.as_of, major)
    product = published.product(receipt)
    port = product.output(port).name
    contract = published.contract(receipt, port)
    name = name or python_name(product.name)
    shape = shape_of_stand_in(published, receipt, port)
    made = opener.mock(name, contract, truth.rows, truth.seed, window=window, shape=shape)
    of = product.address.with_port(port), window, major_of(receipt.version), purpose
    recipe = port_recipe(*of) | truth.as_recipe()
    if used := made.recipe.get("populations"):
        recipe["populations"] = used
    what, pin = "contract", made.pin
    if shape:
        recipe["shapeOf"] = receipt.snapshot
        what, pin = "shape", of_shape(made.pin, receipt.snapshot)
    note = (
        f"{truth.rows:,} rows made from the {what} of snapshot {receipt.snapshot}, "
        f"seed {truth.seed}"
    )
    return replace(made, kind="port", pin=pin, recipe=recipe, truth=truth, note=note)


def sampled(live: Handle, truth: Truth) -> Handle:
    """Return a handle of some of a live handle's rows, where a sample is asked for."""
    if truth.mode is not Origin.SAMPLE:
        return live
    from mesh_notebook.mesh.sampling import sample

    key = live.contract.key if live.contract else ()
    with readable(live.name):
        made = sample(live.frame, key, truth.rows, truth.seed)
    pin = pinned(live)
    version = f"{pin.version}, sample of {truth.rows} rows {made.method}, seed {truth.seed}"
    rows = made.frame.lazy()
    return replace(
        live,
        frame=rows,
        data=rows,
        window=None,  # it is cut already
        pin=replace(pin, version=version, origin=worst([pin.origin, Origin.SAMPLE])),
        recipe=live.recipe | truth.as_recipe(),
        note=f"{made.frame.height:,} of {made.of:,} rows {made.method}, seed {truth.seed}",
        truth=truth,
    )


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn what goes wrong while the rows of an input are reached into one paragraph."""
    from duckdb import Error as DuckError
    from polars.exceptions import PolarsError

    try:
        yield
    except (PolarsError, DuckError, OSError) as error:
        raise StoreError(
            f"the rows of '{name}' cannot be read: "
            f"{(str(error).strip() or 'no reason').splitlines()[0]}",
            next_step="ask whom they belong to; a mock needs none of them: --mode mock",
            name=name,
        ) from None


def switched(
    opener: Opener,
    handle: Handle,
    mode: str,
    rows: int | None,
    seed: int | None,
    product: str | None = None,
) -> Handle:
    """Open the same input in another mode, or raise and leave everything as it is.

    Rows and seed that are not given stay as they are. `product` is whose port is to take its
    place, where its contract does not say it.

    Raises
    ------
    UsageError
        The mode is not known, or this input has no such truth.
    UnknownProduct
        What was mocked is not published yet.
    ContractError
        The other truth has other columns.
    """
    truth = Truth.of(mode, rows, seed)
    if truth.mode is not Origin.LIVE and handle.mode is not Origin.LIVE:
        kept = handle.truth
        truth = replace(
            truth,
            rows=kept.rows if rows is None else rows,
            seed=kept.seed if seed is None else seed,
        )
    if product:
        other = opener.port(handle.name, product, None, Window(), truth)
    else:
        other = _opened(opener, handle, truth)
    _refuse_other_columns(handle, other)
    return other


def _opened(opener: Opener, handle: Handle, truth: Truth) -> Handle:
    recipe = handle.recipe
    if handle.kind == "port":
        window = recipe_window(recipe, opener.now)
        wanted = (recipe["address"], None, window, truth, recipe.get("major"))
        return opener.port(handle.name, *wanted, str(recipe.get("purpose") or ""))
    if handle.kind == "source":
        return _of_source(opener, handle, truth)
    if handle.contract is None:
        raise UsageError(
            f"'{handle.name}' is modelled on a frame, so it stands for no port.",
            next_step="use the frame itself, or %mesh mock FRAME --like for another model",
        )
    if truth.mode is Origin.MOCK:
        breaking = recipe.get("breaking")
        made = opener.mock(handle.name, handle.contract, truth.rows, truth.seed, breaking)
        return replace(made, untied=handle.untied)
    return _of_upstream(opener, handle, handle.contract.id, truth)


def _of_source(opener: Opener, handle: Handle, truth: Truth) -> Handle:
    if truth.mode is Origin.MOCK:
        raise UsageError(
            f"'{handle.name}' is a source, which has no contract to be mocked from.",
            next_step=f"%mesh mock {handle.name} --like --as {handle.name}_mock models its rows",
        )
    plain = {k: v for k, v in handle.recipe.items() if k not in ("mode", "rows", "seed")}
    return opener.sourced(handle.name, plain | truth.as_recipe())


def _of_upstream(opener: Opener, handle: Handle, contract_id: str, truth: Truth) -> Handle:
    """Open the port that a mocked contract is of, if it is published by now."""
    from mesh_notebook.workspace.mocking import id_to_write, port_of

    address = port_of(handle.contract) if handle.contract else None
    if address is None:
        written = id_to_write(handle.contract) if handle.contract else ""
        raise UsageError(
            f"the contract of '{handle.name}' is of no port: its id is '{contract_id}'.",
            next_step=f"%mesh use {handle.name} {truth.mode} --product PRODUCT names what is "
            f"published; or give the contract the id of its port, such as {written}",
            contract=contract_id,
        )
    try:
        return opener.port(handle.name, str(address), None, Window(), truth)
    except NotFound as error:
        raise UnknownProduct(
            f"'{handle.name}' is a mock of {address}, which nobody published yet: {error.message}",
            next_step=f"%mesh use {handle.name} {truth.mode} works once it is in the mesh; "
            f"--product PRODUCT names another one, and MESH_ROOTS other roots",
            address=str(address),
        ) from None


def _refuse_other_columns(old: Handle, new: Handle) -> None:
    """Raise `ContractError` unless the code below a name can stay as it is."""
    was, now = _columns(old), _columns(new)
    if list(was.items()) == list(now.items()):
        return
    said = [f"lacks {name}" for name in was if name not in now]
    said += [f"has {name} too" for name in now if name not in was]
    changed = [name for name in was if name in now and was[name] != now[name]]
    said += [f"has {name} as {now[name]}, not {was[name]}" for name in changed]
    raise ContractError(
        f"{new.pin.where} has other columns than '{old.name}': it "
        f"{', '.join(said) or 'has them in another order'}.",
        next_step=f"%mesh connect {new.recipe.get('address', new.pin.where)} --as {old.name} "
        "binds it as it is now",
        name=old.name,
    )


def _columns(handle: Handle) -> dict[str, Any]:
    """Return columns and types, told by the contract where there is one: its rows may be gone."""
    if handle.contract:
        return {column.name: column_dtype(column) for column in handle.contract.columns}
    return dict(handle.frame.collect_schema())
