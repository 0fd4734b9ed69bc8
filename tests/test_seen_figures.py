"""What was seen of a column of floats is said as it is; what is demanded is rounded outwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_figures_that_were_seen_are_shown_as_they_are(shell: Any) -> None:
    shell.run("import polars as pl")
    shell.run("bills = pl.DataFrame({'n': [1, 2, 3], 'bill': [3.07, 12.5, 50.81]})")
    shown = shell.shown(shell.run("%mesh output bills bills --key n"))["text/plain"]
    assert "3.07 … 50.81" in shown
    shell.run("%mesh export bundle")
    assert "3.07 … 50.81" in Path("bundle/README.md").read_text("utf-8")


def test_a_limit_that_is_demanded_leaves_room_for_the_last_bits_of_a_mean(shell: Any) -> None:
    shell.run("import polars as pl")
    shell.run("means = pl.DataFrame({'n': [1, 2], 'mean': [0.1 + 0.2, 2 / 3]})")
    view = shell.run("%mesh output means means --key n --strict")
    limits = view.contract.column("mean").raw["logicalTypeOptions"]
    assert limits["minimum"] < 0.3
    assert limits["maximum"] > 2 / 3
    shell.run("means = pl.DataFrame({'n': [1, 2], 'mean': [0.3, 2 / 3 + 1e-16]})")
    assert shell.run("%mesh check means").passed
