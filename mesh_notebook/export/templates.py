"""The texts of a bundle that go around its module: plain functions, one for each file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mesh_notebook.export.drafts import OutputDraft
from mesh_notebook.export.plan import Plan
from mesh_notebook.model.address import python_name
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import Product

__all__ = ["policies", "pyproject", "readme", "tests"]


def readme(
    product: Product,
    plan: Plan,
    outputs: Mapping[str, OutputDraft],
    dependencies: Sequence[str],
) -> str:
    """Say what the product is, who answers for it, and how to run it."""
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
    for one in plan.slices:
        contract = outputs[one.port].contract
        keyed = f", key {', '.join(contract.key)}" if contract.key else ""
        what = f"{contract.purpose or 'see its contract'} ({len(contract.columns)} columns{keyed})"
        lines.append(f"| `{one.port}` | output | {_cell(what)} |")
    return "\n".join([*lines, "", *_how_to_run(plan, dependencies), ""])


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
        "import polars as pl",
        "import transform",
        "",
        f"{function} = transform.{function}(",
        *given,
        ").collect()",
        "```",
    ]


def pyproject(product: Product, dependencies: Sequence[str]) -> str:
    """Return the project's file: the module, and what it needs."""
    needs = "".join(f'  "{dependency}",\n' for dependency in dependencies)
    name = re.sub(r"[^a-z0-9]+", "-", product.name.lower()).strip("-") or "data-product"
    return f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "{_pep440(product.version)}"
description = "Data product {_line(product.name)}"
readme = "README.md"
requires-python = ">=3.11"
dependencies = [
{needs}]

[project.optional-dependencies]
test = ["mesh-notebook", "pytest"]

[tool.hatch.build.targets.wheel]
only-include = ["transform.py"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]

[tool.ruff]
line-length = 100
extend-exclude = ["notebook.ipynb"]
"""


def _pep440(version: str) -> str:
    return version if re.fullmatch(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.dev\d+)?", version) else "0.1.0"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def policies(product: Product) -> str:
    """Say which policies hold."""
    if not product.policies:
        return (
            f"# Policies of {product.name}\n\n"
            "None. Whoever may read the mesh may read every row and column of every port.\n"
        )
    said = "\n".join(
        f"- `{port.name}` {line}"
        for port in product.outputs
        for line in PortPolicy.of(product, port.name).said()
    )
    return f"# Policies of {product.name}\n\nAs `product.odps.yaml` declares them:\n\n{said}\n"


def tests() -> str:
    """Return the tests that hold the transform to its contracts, on mocks of its inputs."""
    return '''\
"""Runs the transform on mocks of its inputs, and on mocks that break their contracts."""

import inspect
from pathlib import Path

import pytest
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.dtypes import column_dtype, physical_type
from mesh_notebook.mock.from_contract import breakable_rules, identity, mock
from mesh_notebook.model.address import python_name
from mesh_notebook.model.contract import Contract

import transform

ROWS, SEED = 500, 7
CONTRACTS = Path(__file__).parents[1] / "contracts"


def read(folder: Path) -> dict[str, Contract]:
    paths = sorted(folder.glob("*.odcs.yaml"))
    return {p.name.removesuffix(".odcs.yaml"): Contract.loads(p.read_text("utf-8")) for p in paths}


INPUTS, OUTPUTS = read(CONTRACTS / "inputs"), read(CONTRACTS)
# Mocks of one another's keys join: each knows how many keys the others have.
KEYS = {identity(c, c.column(name)): ROWS for c in INPUTS.values() for name in c.key}


@pytest.mark.parametrize("port", OUTPUTS)
def test_the_transform_keeps_the_columns_of_its_contract(port: str) -> None:
    function = getattr(transform, python_name(port))
    names = inspect.signature(function).parameters
    frames = {name: mock(INPUTS[name], ROWS, SEED, KEYS).lazy() for name in names}
    made = function(**frames).collect().schema
    promised = [(c.name, physical_type(column_dtype(c))) for c in OUTPUTS[port].columns]
    assert [(name, physical_type(dtype)) for name, dtype in made.items()] == promised


@pytest.mark.parametrize(
    ("name", "rule"), [(n, r) for n, c in INPUTS.items() for r in breakable_rules(c)]
)
def test_the_check_catches_an_input_that_breaks_one_rule(name: str, rule: str) -> None:
    broken = mock(INPUTS[name], ROWS, SEED, KEYS, breaking=rule)
    report = check(broken.lazy(), INPUTS[name])
    assert rule in [result.rule.id for result in report.results if not result.passed]
'''
