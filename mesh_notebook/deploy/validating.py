"""A bundle whose parts are valid and match each other, before anything of it is run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh_notebook.errors import DeployRefused, SpecError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.model.address import python_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.product import STATUSES, Product

__all__ = ["Validated"]


@dataclass(frozen=True)
class Validated:
    """A bundle whose parts are valid and match each other.

    Attributes
    ----------
    functions : dict
        By output port: the function of the transform that makes it.
    parameters : dict
        By function: the inputs that it takes.
    """

    bundle: Bundle
    product: Product
    contracts: dict[str, Contract]
    functions: dict[str, str]
    parameters: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, bundle: Bundle) -> Validated:
        product = bundle.product
        if not product.outputs:
            raise SpecError(f"{product.where} has no output port.", where=product.where)
        if product.status not in STATUSES:
            raise SpecError(
                f"{product.where} has the status '{product.status}', which is none.",
                next_step=f"one of {', '.join(STATUSES)}",
            )
        contracts = {port.name: bundle.contract(port.name) for port in product.outputs}
        for port in product.outputs:
            if port.raw.get("contractId") != contracts[port.name].id:
                raise SpecError(
                    f"output port '{port.name}' is under the contract "
                    f"{port.raw.get('contractId')}, but the bundle holds "
                    f"{contracts[port.name].id}.",
                    next_step="give both the same id",
                    port=port.name,
                )
        functions = {port.name: python_name(port.name) for port in product.outputs}
        inputs = [port.name for port in product.inputs]
        for names, what in ((inputs, "inputs"), (list(functions.values()), "output ports")):
            if len(set(names)) < len(names):
                raise SpecError(f"{product.where} has two {what} of one name.")
        parameters = _refuse_mismatch(bundle, functions, inputs)
        _refuse_edited(bundle)
        return cls(bundle, product, contracts, functions, parameters)


def _refuse_edited(bundle: Bundle) -> None:
    """Raise `DeployRefused` where what would run is not what was proved."""
    if edited := bundle.edited():
        raise DeployRefused(
            f"{edited[0]} was edited since it was proved.",
            next_step="change the notebook and export again; a module kept by hand needs no "
            "receipt.json, and nothing is proved of it",
            files=edited,
        )


def _refuse_mismatch(
    bundle: Bundle, functions: Mapping[str, str], inputs: list[str]
) -> dict[str, tuple[str, ...]]:
    """Return by function the inputs that it takes.

    Raises `DeployRefused` unless each port has its function, and each parameter its input.
    """
    defined = _parameters(bundle.transform)
    for port, function in functions.items():
        if function not in defined:
            raise DeployRefused(
                f"transform.py has no function for the output port '{port}'.",
                next_step=f"define {function}(…), or take the port out of product.odps.yaml",
                port=port,
            )
        if unknown := [name for name in defined[function] if name not in inputs]:
            raise DeployRefused(
                f"{function}() wants '{unknown[0]}', which is no input of the product.",
                next_step=f"its inputs are: {', '.join(inputs) or 'none'}",
                port=port,
                parameter=unknown[0],
            )
    return {function: tuple(defined[function]) for function in functions.values()}


def _parameters(transform: Path) -> dict[str, list[str]]:
    """Return the functions that a module defines, with what each must be given; nothing is run."""
    try:
        tree = ast.parse(transform.read_text("utf-8"))
    except (SyntaxError, ValueError) as error:
        raise DeployRefused(
            f"transform.py is not Python: {error}", next_step="export the product again"
        ) from None
    return {n.name: _wanted(n.args) for n in tree.body if isinstance(n, ast.FunctionDef)}


def _wanted(args: ast.arguments) -> list[str]:
    """Return the parameters that have no default."""
    positional = [*args.posonlyargs, *args.args]
    plain = positional[: len(positional) - len(args.defaults)]
    named = [a for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d is None]
    return [argument.arg for argument in (*plain, *named)]
