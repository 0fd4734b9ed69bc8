"""What makes a bundle a Python project: its settings, and the checks that its CI runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from mesh_notebook.export.formatting import broken_rules
from mesh_notebook.export.packages import imported
from mesh_notebook.model.product import Product

__all__ = ["WORKFLOW", "how_to_check", "pyproject", "workflow"]

WORKFLOW = ".github/workflows/data-product.yml"

# The public checkers of Bitol's standards. Each needs other versions of parts that the product has,
# so pipx gives each an environment of its own.
_PRODUCT_CHECKER = "dataproduct-cli==0.3.2"
_CONTRACT_CHECKER = "datacontract-cli==1.2.8"
# They have types, or bring their stubs.
_TYPED = ("polars", "duckdb", "narwhals")
_RULES = ("E", "F", "W", "I", "UP", "B", "C4")
# What mypy finds in code that runs: a name of several types, a value that may be None elsewhere.
_LOOSE = (
    *("arg-type", "assignment", "attr-defined", "call-overload", "index", "misc", "no-redef"),
    *("operator", "return-value", "union-attr", "var-annotated"),
)


def pyproject(
    product: Product,
    dependencies: Sequence[str],
    module: str,
    portable: Sequence[str] = (),
) -> str:
    """Return the project's file: the modules, what they need, and what they are held to.

    Parameters
    ----------
    dependencies
        What `transform.py` imports, as requirements.
    module
        The text of `transform.py`. What its cells were written with is no finding of its checks.
    portable
        What `portable.py` needs besides; empty where there is none.
    """
    name = re.sub(r"[^a-z0-9]+", "-", product.name.lower()).strip("-") or "data-product"
    modules = ["transform.py", *(["portable.py"] if portable else [])]
    engines = f"engines = {_listed(portable)}\n" if portable else ""
    tested = ["mypy", "pytest", "ruff", *portable]
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
{"".join(f'  "{dependency}",' + chr(10) for dependency in dependencies)}]

[project.optional-dependencies]
{engines}test = {_listed(tested)}

[tool.hatch.build.targets.wheel]
only-include = {_listed(modules)}

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]

[tool.ruff]
line-length = 100
extend-exclude = ["notebook.ipynb"]

[tool.ruff.lint]
select = {_listed(_RULES)}
ignore = ["E501"] # lines of SQL are as long as their author made them
{_as_written(module)}
[tool.mypy]
strict = true
files = {_listed([*modules, "tests"])}

# Cells bind a name again to something else, and say less of their types than a module would.
[[tool.mypy.overrides]]
module = "transform"
allow_redefinition = true
disallow_any_generics = false
disallow_untyped_calls = false
disallow_untyped_decorators = false
warn_return_any = false
warn_unused_ignores = false
disable_error_code = {_listed(_LOOSE)}
{_untyped(module)}"""


def _as_written(module: str) -> str:
    """Let the statements of the notebook stand as they were written."""
    if not (broken := [one for one in broken_rules(module, _RULES) if one != "E501"]):
        return ""
    return (
        "\n[tool.ruff.lint.per-file-ignores]\n"
        f'"transform.py" = {_listed(broken)} # the cells were written so\n'
    )


def _untyped(module: str) -> str:
    """Let libraries without types be used, by the names under which they are imported."""
    known = {*sys.stdlib_module_names, *_TYPED}
    if not (others := sorted(set(imported(module)) - known)):
        return ""
    modules = _listed([form for name in others for form in (name, f"{name}.*")])
    return f"\n[[tool.mypy.overrides]]\nmodule = {modules}\nignore_missing_imports = true\n"


def _listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _pep440(version: str) -> str:
    return version if re.fullmatch(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.dev\d+)?", version) else "0.1.0"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


# ---- the checks --------------------------------------------------------------------------------


def _checks(contracts: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return what is checked, and by which commands, in a clean checkout."""
    lint = [
        f"pipx run --spec '{_CONTRACT_CHECKER}' datacontract lint {path}"
        for path in sorted(contracts)
    ]
    return [
        ("Install", ["pip install '.[test]'"]),
        ("Lint", ["ruff check .", "ruff format --check ."]),
        ("Types", ["mypy"]),
        ("Tests", ["pytest"]),
        ("Product", [f"pipx run --spec '{_PRODUCT_CHECKER}' dataproduct lint product.odps.yaml"]),
        ("Contracts", lint),
    ]


def how_to_check(contracts: Sequence[str]) -> list[str]:
    """Return the part of the README that says how the bundle is checked."""
    commands = [command for _, commands in _checks(contracts) for command in commands]
    return [
        "## Check it",
        "",
        f"`{WORKFLOW}` does this at every push:",
        "",
        "```sh",
        *commands,
        "```",
        "",
        "`mesh verify .` proves the module again. The workflow does so where the repository's",
        "variable `MESH_NOTEBOOK` says what `pip install` takes Mesh Notebook from. It reads the",
        "inputs: name the mesh that they are in by the variable `MESH_ROOTS`.",
    ]


def workflow(contracts: Sequence[str]) -> str:
    """Return the workflow that lints, tests and verifies the product at every push."""
    steps = "".join(
        f"      - name: {name}\n        run: |\n"
        + "".join(f"          {command}\n" for command in commands)
        for name, commands in _checks(contracts)
    )
    return f"""\
name: data product

on: [push, pull_request]

permissions:
  contents: read

jobs:
  check:
    runs-on: ubuntu-latest
    env:
      MESH_NOTEBOOK: ${{{{ vars.MESH_NOTEBOOK }}}}
      MESH_ROOTS: ${{{{ vars.MESH_ROOTS }}}}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
{steps}      - name: Seals
        if: vars.MESH_NOTEBOOK != ''
        run: |
          pip install "$MESH_NOTEBOOK"
          mesh verify .
"""
