"""The product's facts and its inputs, as the verbs that say them: recipes turned into calls."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mesh_notebook.errors import LoadRefused, NotFound, StoreError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.sources import Asked
from mesh_notebook.mock.drafting import normal
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.product import InputPort, Product, major_of
from mesh_notebook.workspace.calling import Call
from mesh_notebook.workspace.drafts import ProductDraft
from mesh_notebook.workspace.inputs import fitting

__all__ = ["input_calls", "product_call", "refuse_other_rows"]

_OF_PORTS = ("inputPorts", "outputPorts", "customProperties")


def product_call(product: Product, receipt: Mapping[str, Any]) -> Call:
    """Return the call that names a product, with every fact of it; raises `LoadRefused`."""
    implied = "active" if receipt["origin"] == Origin.LIVE else "draft"
    status = None if product.status == implied else product.status
    draft = ProductDraft(
        product.name,
        domain=product.domain,
        owner=product.owner,
        purpose=product.purpose,
        version=product.version,
        tenant=product.address.tenant,
        tags=product.tags,
    )
    wanted = {name: value for name, value in product.raw.items() if name not in _OF_PORTS}
    said = draft.fields(product.status)
    if more := sorted(name for name in {*wanted, *said} if wanted.get(name) != said.get(name)):
        raise LoadRefused(
            f"product.odps.yaml says a `{more[0]}` that `%mesh product` cannot say.",
            next_step="take it out, and put it back after the next export",
            field=more[0],
        )
    usual = ProductDraft()
    given = {
        "domain": product.domain,
        "owner": product.owner,
        "purpose": product.purpose,
        "version": product.version if product.version != usual.version else None,
        "status": status,
        "tenant": product.address.tenant if product.address.tenant != usual.tenant else None,
        "tags": product.tags,
    }
    return Call("product", (product.name,), given)


def input_calls(product: Product, bundle: Path, base: Path) -> dict[str, list[Call]]:
    """Return by input the calls that open it, in the order of the inputs."""
    return {port.name: _calls(port, bundle, base) for port in product.inputs}


def refuse_other_rows(product: Product, bundle: Path, catalogue: Catalogue) -> None:
    """Raise `LoadRefused` where an input that is opened again would be another one."""
    contracts: dict[str, Contract] = {}
    for port in product.inputs:
        if port.recipe.get("kind") == "port":
            _refuse_other_major(port, catalogue)
        if port.recipe.get("kind") == "mock" or port.recipe.get("mode") == Origin.MOCK:
            path = bundle / "contracts" / "inputs" / f"{port.name}.odcs.yaml"
            contracts[port.name] = Contract.loads(path.read_text("utf-8"), path.name)
    recipes = {port.name: port.recipe for port in product.inputs}
    # Whichever is mocked first: the one that means the keys of another is made anew after it.
    mocked = {
        normal(f"{one.id}#{column.name}"): recipes[name]["rows"]
        for name, one in contracts.items()
        for column in one.columns
        if column.unique or column.name in one.key
    }
    for name, one in contracts.items():
        links = {column.link for column in one.columns if column.link}
        drawn = {link: mocked[normal(link)] for link in links if normal(link) in mocked}
        if drawn != (recipes[name].get("populations") or {}):
            raise _refused(
                name, "was mocked beside another mock, whose keys it has and the product not"
            )


def _refuse_other_major(port: InputPort, catalogue: Catalogue) -> None:
    try:
        published, _ = catalogue.resolve(port.recipe["address"])
        newest = major_of(published.latest().version)
    except (NotFound, StoreError):
        return  # it is not there now; the cell that opens it will say so
    if newest != port.recipe.get("major", newest):
        raise _refused(
            port.name,
            f"reads the major version {port.recipe['major']} of {published.name}, and a connection "
            f"is to the newest, {newest}",
        )


def _calls(port: InputPort, bundle: Path, base: Path) -> list[Call]:
    recipe = port.recipe
    match recipe.get("kind"):
        case "port":
            return [_connect(port.name, recipe)]
        case "source":
            return _source(port.name, recipe, bundle, base)
        case "mock":
            return [_mock(port.name, recipe, bundle, base)]
    raise _refused(port.name, f"is of kind {recipe.get('kind')!r}, which is not known")


def _connect(name: str, recipe: Mapping[str, Any]) -> Call:
    given = {"name": name, **{k: recipe.get(k) for k in ("start", "end", "as_of", "purpose")}}
    return Call("connect", (recipe["address"],), given | _truth(recipe))


def _truth(recipe: Mapping[str, Any]) -> dict[str, Any]:
    mode = recipe.get("mode", Origin.LIVE)
    if mode == Origin.LIVE:
        return {}
    return {"mode": str(mode), "rows": recipe["rows"], "seed": recipe["seed"]}


def _source(name: str, recipe: Mapping[str, Any], bundle: Path, base: Path) -> list[Call]:
    given = Asked.of_recipe(recipe).recipe()
    del given["kind"]
    given["columns"] = tuple(given.get("columns", ()))
    calls = [Call("source", (name, fitting(given.pop("uri"), bundle, base)), given)]
    if truth := _truth(recipe):
        calls.append(Call("use", (name, truth.pop("mode")), truth))
    return calls


def _mock(name: str, recipe: Mapping[str, Any], bundle: Path, base: Path) -> Call:
    if "data" in recipe:
        raise _refused(name, "was modelled on a real frame, which the bundle does not hold")
    path = bundle / "contracts" / "inputs" / f"{name}.odcs.yaml"
    Contract.loads(path.read_text("utf-8"), path.name)
    given = {
        "rows": recipe["rows"],
        "seed": recipe["seed"],
        "breaking": recipe.get("breaking"),
        "name": name,
    }
    return Call("mock", (Path(os.path.relpath(path, base)).as_posix(),), given)


def _refused(name: str, problem: str) -> LoadRefused:
    return LoadRefused(
        f"the input '{name}' {problem}, so no cell opens it again.",
        next_step="open the bundle's own notebook.ipynb, which is as it was run",
        input=name,
    )
