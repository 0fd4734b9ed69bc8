"""The texts of a bundle that go around its module: plain functions, one for each file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mesh_notebook.export.drafts import OutputDraft
from mesh_notebook.export.formatting import laid_out
from mesh_notebook.export.plan import Plan
from mesh_notebook.export.project import how_to_check
from mesh_notebook.model.address import python_name
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import Product
from mesh_notebook.model.seen import demanded_in_words, seen_in_words, seen_of

__all__ = ["policies", "readme"]

_MOST_COLUMNS = 60  # that the README lists; the contract has them all
_HOW_PROVED = (
    "## How it was proved",
    "",
    "`transform.py` was cut out of `notebook.ipynb` and run in a clean process on the inputs of",
    "the notebook: it gave the same rows. `receipt.json` seals what was proved, on what, and with",
    "what versions; `mesh verify .` proves it again. `lineage.json` says which input columns each",
    "column is made of. `portable.py`, where there is one, says the same for DuckDB and Spark:",
    "`mesh run . --engine duckdb`.",
)


def readme(
    product: Product,
    plan: Plan,
    outputs: Mapping[str, OutputDraft],
    dependencies: Sequence[str],
    contracts: Sequence[str],
    packages: Mapping[str, str],
) -> str:
    """Say what the product is, who answers for it, how to run it, and how to check it."""
    lines = [f"# {product.name}", ""]
    if product.purpose:
        lines += [product.purpose, ""]
    lines += [
        f"Version {product.version}, {product.status}. Domain {product.domain}"
        + (f", owner {product.owner}." if product.owner else "."),
        f"Address: `{product.address}`",
        "",
        "| port | direction | what |",
        "|---|---|---|",
    ]
    for name, draft in plan.inputs.items():
        lines.append(f"| `{name}` | input | {_cell(_comes_from(draft.recipe))} |")
    for loader, package in packages.items():
        lines.append(f"| `{loader}` | input | {_cell(f'made of a package: {package}')} |")
    for default in dict.fromkeys(d for one in plan.slices for d in plan.arguments(one)):
        what = f"`{default.kind}`, `{default.value}` unless another is given"
        lines.append(f"| `{default.name}` | parameter | {_cell(what)} |")
    for one in plan.slices:
        contract = outputs[one.port].contract
        keyed = f", key {', '.join(contract.key)}" if contract.key else ""
        what = f"{contract.purpose or 'see its contract'} ({len(contract.columns)} columns{keyed})"
        lines.append(f"| `{one.port}` | output | {_cell(what)} |")
    return "\n".join(
        [
            *lines,
            "",
            *(line for one in plan.slices for line in _what_holds(outputs[one.port])),
            *_how_to_run(plan, dependencies),
            "",
            *_HOW_PROVED,
            "",
            *how_to_check(contracts),
            "",
        ]
    )


def _what_holds(output: OutputDraft) -> list[str]:
    """Say of each column of a port what is demanded, and what was seen and may be otherwise."""
    columns = output.contract.columns
    lines = [f"## What `{output.port}` holds", "", "| column | type | demanded | seen |"]
    lines.append("|---|---|---|---|")
    for column in columns[:_MOST_COLUMNS]:
        demands, seen = _cell(demanded_in_words(column)), _cell(seen_in_words(column))
        dtype = column.physical_type or column.logical_type
        lines.append(f"| `{_cell(column.name)}` | {_cell(dtype)} | {demands} | {seen} |")
    if (left := len(columns) - _MOST_COLUMNS) > 0:
        lines += ["", f"And {left:,} more columns: see `contracts/{output.port}.odcs.yaml`."]
    lines.append("")
    if any(seen_of(column.raw) for column in columns):
        lines += [
            "What was seen of the rows at the export is not demanded of the next ones: a",
            "deployment that finds it otherwise says so, and publishes them. To demand it:",
            f"`{output.strictly or '--strict'}`, or `--strict COLUMN,…` of some columns.",
            "",
        ]
    return lines


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _comes_from(recipe: Mapping[str, object]) -> str:
    kind = recipe.get("kind")
    mode = "mock" if kind == "mock" else recipe.get("mode")
    where = recipe.get("address") or recipe.get("uri")
    if mode:
        rows = f"{mode}, {recipe.get('rows')} rows, seed {recipe.get('seed')}"
        return f"{where} ({rows})" if where else rows
    return str(where or kind)


def _how_to_run(plan: Plan, dependencies: Sequence[str]) -> list[str]:
    one = plan.slices[0]
    needs = " and ".join(re.split(r"[>=]", name)[0] for name in dependencies)
    given = [f'    {p}=pl.scan_parquet("{p}.parquet"),' for p in plan.parameters(one)]
    function = python_name(one.port)
    head = ["import polars as pl", "import transform", "", f"{function} = transform.{function}("]
    calls = [*head, *given, ").collect()"]
    return [
        "## Run it",
        "",
        "```sh",
        f"pip install .                    # needs {needs}",
        "pip install '.[test]' && pytest  # on mocks of the inputs",
        "mesh deploy .                    # on the inputs that product.odps.yaml names",
        "```",
        "",
        "```python",
        laid_out("\n".join(calls)).rstrip(),
        "```",
    ]


def policies(product: Product, tried: Sequence[str]) -> str:
    """Say which policies hold, and of which ports it was tried that they owe their inputs none."""
    if not product.policies:
        return (
            f"# Policies of {product.name}\n\n"
            "None. Whoever may read the mesh may read every row and column of every port.\n"
            f"{_tried(tried)}"
        )
    said = "\n".join(
        f"- `{port.name}` {line}"
        for port in product.outputs
        for line in PortPolicy.of(product, port.name).said()
    )
    declared = f"As `product.odps.yaml` declares them:\n\n{said}\n{_tried(tried)}"
    return f"# Policies of {product.name}\n\n{declared}"


def _tried(ports: Sequence[str]) -> str:
    if not ports:
        return ""
    named = ", ".join(f"`{port}`" for port in ports)
    return (
        "\n## Tried on the rows of the proof\n\n"
        f"{named}: the inputs hide something, and on the rows of the proof the port shows nothing "
        "of it. Those from whom it is hidden could have made the port of what they see, or it adds "
        "up rows enough. Other rows may tell otherwise: each deployment asks again, of the rows "
        "that it publishes, and is refused where it is so.\n"
    )
