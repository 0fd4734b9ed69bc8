"""The module says what it does in sentences, and says it as its author put it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from conftest import Shell


@pytest.mark.parametrize(
    ("purpose", "said"),
    [
        ("Delays of a day", "delays: Delays of a day."),
        ("Delays of a day.", "delays: Delays of a day."),
        ("Which days are late?", "delays: Which days are late?"),
        ('Days that are "late"', 'delays: Days that are "late".'),
    ],
)
def test_a_purpose_is_a_full_sentence_in_the_module(
    shell: Shell, tmp_path: Path, purpose: str, said: str
) -> None:
    (tmp_path / "flights.csv").write_text("day,delay\n1,5\n2,7\n")
    shell.run("import polars as pl\n%mesh source flights flights.csv")
    shell.run("late = flights.filter(pl.col('delay') > 5)")
    shell.mesh.product("delays", domain="air", purpose=purpose)
    shell.run("%mesh output late late --key day\n%mesh export bundle")
    module = ast.parse((tmp_path / "bundle" / "transform.py").read_text())
    assert ast.get_docstring(module) == said
