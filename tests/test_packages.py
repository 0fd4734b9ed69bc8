"""Packages that bring data are inputs of a product: pinned to their version, and named."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import Shell

from mesh_notebook.export.packages import data_of

SKLEARN = f"scikit-learn=={version('scikit-learn')}"


def test_a_product_of_a_packages_data_pins_the_package_and_says_so(shell: Shell) -> None:
    shell.run("from sklearn.datasets import load_iris")
    shell.run("flowers = load_iris(as_frame=True).frame[['target']]")
    shell.run('%mesh product iris --domain lab --owner me --purpose "Flowers"')
    shell.run("%mesh output flowers flowers")
    exported = shell.run("%mesh export products/iris")
    assert SKLEARN in shell.shown(exported)["text/plain"]
    project = Path("products/iris/pyproject.toml").read_text()
    assert f'"{SKLEARN}"' in project
    assert '"pandas>=' in project  # though no line of the module imports it
    told = Path("products/iris/README.md").read_text()
    assert f"| `sklearn.datasets.load_iris` | input | made of a package: {SKLEARN} |" in told


@pytest.mark.parametrize(
    ("text", "loaders"),
    [
        ("from sklearn import datasets as d\na = d.load_wine()", ["sklearn.datasets.load_wine"]),
        ("import seaborn as sns\na = sns.load_dataset('tips')", ["seaborn.load_dataset"]),
        ("from sklearn.datasets import make_blobs\na = make_blobs()", []),
        ("import polars as pl\na = pl.load_dataset()", []),
    ],
)
def test_loaders_are_told_from_other_functions(text: str, loaders: list[str]) -> None:
    assert list(data_of(text)) == loaders
