"""`%mesh load`: an exported product, opened as the cells of a notebook again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import LoadRefused, SpecError, UsageError
from mesh_notebook.export.arranging import Item, arranged
from mesh_notebook.export.beginnings import says
from mesh_notebook.export.defaults import MARK
from mesh_notebook.export.module import says_of, title_of
from mesh_notebook.export.read_back import ModuleCode, read_back
from mesh_notebook.mesh.seals import changed_files, sealed_receipt
from mesh_notebook.model.address import python_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import Product
from mesh_notebook.workspace.calling import Call
from mesh_notebook.workspace.declaring import output_calls
from mesh_notebook.workspace.reopening import input_calls, product_call, refuse_other_rows

if TYPE_CHECKING:
    from mesh_notebook.workspace.session import Session

__all__ = ["Loaded", "load"]


@dataclass(frozen=True)
class Loaded:
    """A notebook that was written from a bundle.

    Attributes
    ----------
    product : str
    path : Path
        The notebook.
    cells : int
    ports, inputs : tuple of str
    edited : bool
        Whether the module is another than the one that was exported.
    """

    product: str
    path: Path
    cells: int
    ports: tuple[str, ...]
    inputs: tuple[str, ...]
    edited: bool


def load(session: Session, folder: str | Path, out: str | Path | None, force: bool) -> Loaded:
    """Write a bundle as a notebook; raise, and write nothing, where no cells say it."""
    bundle = session.base / folder
    receipt = sealed_receipt(bundle)
    if "declared" not in receipt:
        raise SpecError(
            "the receipt does not say what was declared by hand: an older version wrote it.",
            next_step="export the product again",
        )
    changed = list(changed_files(bundle, receipt["files"]))
    _refuse_changed(changed)
    product = Product.loads((bundle / "product.odps.yaml").read_text("utf-8"), "product.odps.yaml")
    path = session.base / (out or f"{product.name}.ipynb")
    _refuse_taken(path, force)
    by_function = {python_name(port.name): port.name for port in product.outputs}
    begun = receipt.get("beginnings", {})
    module = read_back((bundle / "transform.py").read_text("utf-8"), by_function, begun)
    _refuse_docstrings(module, product, bundle, begun)
    refuse_other_rows(product, bundle, session.catalogue)
    cells = [*_cells(module, product, receipt, bundle, path.parent)]
    _write(path, product, cells)
    return Loaded(
        product.name,
        path,
        len(cells),
        tuple(port.port for port in module.ports),
        tuple(port.name for port in product.inputs),
        "transform.py was changed" in changed,
    )


def _refuse_changed(changed: list[str]) -> None:
    for said in changed:
        name = said.rpartition(" ")[0].removesuffix(" was").removesuffix(" is")
        if said.endswith("missing") or name.startswith("contracts/"):
            raise LoadRefused(
                f"{said} since the product was exported.",
                next_step="put it back; a cell changes a contract: %%mesh contract PORT",
                file=name,
            )


def _refuse_docstrings(
    module: ModuleCode, product: Product, bundle: Path, begun: Mapping[str, Sequence[str]]
) -> None:
    """Raise `LoadRefused` where a docstring says what neither the product nor a contract does."""
    said = {"the module": (module.doc, title_of(product.name, product.purpose))}
    said |= {f"`{name}`": (doc, says(begun[name])) for name, doc in module.docs.items()}
    for port in module.ports:
        path = bundle / "contracts" / f"{port.port}.odcs.yaml"
        contract = Contract.loads(path.read_text("utf-8"), path.name)
        said[f"the port '{port.port}'"] = (
            port.doc,
            says_of(port.port, contract.purpose, contract.key),
        )
    for of, (found, wanted) in said.items():
        if _words(found) != _words(wanted):
            raise LoadRefused(
                f"the docstring of {of} in transform.py was edited, and a cell cannot say it.",
                next_step="put it back, and say it as a purpose: %mesh product NAME --purpose … or "
                "%%mesh contract PORT",
            )


def _words(docstring: str) -> list[str]:
    """Return what a docstring says, however an export quotes it and ends its last sentence."""
    return docstring.replace("\\", "").replace('"""', "'''").rstrip(". \n").split()


def _refuse_taken(path: Path, force: bool) -> None:
    if path.suffix != ".ipynb":
        raise UsageError(
            f"{path.name} is no name of a notebook.", next_step="end it in .ipynb: --out NAME.ipynb"
        )
    if path.exists() and not force:
        raise UsageError(
            f"{path.name} is there already.",
            next_step="--out OTHER.ipynb, or --force to write it anew",
        )


def _cells(
    module: ModuleCode, product: Product, receipt: Mapping[str, Any], bundle: Path, base: Path
) -> Iterator[str]:
    """Yield the code of each cell."""
    inputs = input_calls(product, bundle, base)
    yield "%load_ext mesh_notebook"
    yield product_call(product, receipt).text
    items = arranged(module, list(inputs))
    said = (pair for item in items for pair in _said(item, inputs, product, receipt))
    for kind, texts in groupby(said, key=_cell_of):
        apart = "\n\n\n" if kind == "definition" else "\n"
        head = [MARK] if kind == "parameter" else []
        yield apart.join([*head, *(text for _, text in texts)])
    yield "%mesh check"
    folder = Path(os.path.relpath(bundle, base)).as_posix()
    yield Call("export", (folder,), {"engines": _engines(receipt)}).text


def _engines(receipt: Mapping[str, Any]) -> tuple[str, ...]:
    """Return on which engines it was proved, where it was asked for more than is usual."""
    told = (receipt.get("engines") or {}).items()
    proved = tuple(engine for engine, how in told if how == "proved" and engine != "polars")
    return proved if set(proved) - {"duckdb"} else ()


def _cell_of(said: tuple[str, str]) -> str:
    """Return what texts that follow each other share a cell by; a cell magic has its own."""
    kind, text = said
    return text if text.startswith("%%") else kind


def _said(
    item: Item, inputs: Mapping[str, list[Call]], product: Product, receipt: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield the texts of an item, each with the kind of cell that it stands in."""
    if item.kind == "input":
        yield from (("input", call.text) for call in inputs[item.name])
    elif item.kind == "output":
        said = receipt["declared"][item.name]
        policy = PortPolicy.of(product, item.name)
        calls = output_calls(item.name, item.text, said, policy)
        yield from ((f"output {item.name}", call.text) for call in calls)
    elif item.kind == "parameter":
        yield item.kind, item.text
    elif item.step and item.step.query:
        yield "sql", Call("sql", (item.step.sql,), body=item.step.query).text
    elif item.step:
        yield "step", item.step.text
    else:
        kind = "import" if item.text.lstrip().startswith(("import ", "from ")) else "definition"
        yield kind, item.text


def _write(path: Path, product: Product, cells: list[str]) -> None:
    from mesh_notebook.mesh.modes.files import whole

    title = f"# {product.name}" + (f"\n\n{product.purpose}" if product.purpose else "")
    made: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": _lines(title)}
    ]
    made += [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {"tags": ["parameters"]} if text.startswith(f"{MARK}\n") else {},
            "outputs": [],
            "source": _lines(text),
        }
        for number, text in enumerate(cells, start=1)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    raw = {
        "cells": made,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    with whole(path) as aside:
        aside.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
