"""The line that renames the columns of a very wide frame can be typed whole, and works."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_notebook.errors import ContractError

WIDE = "names = [f'c {n}' if n % 2 else f'c_{n}' for n in range(500)]"
SIGNS = "names = [f'c ({n} cm)' for n in range(500)]"
FRAMES = {
    "pandas": "import pandas as pd\ndf = pd.DataFrame([range(500)], columns=names)",
    "eager": "df = pl.DataFrame({n: [1] for n in names})",
    "lazy": "df = pl.LazyFrame({n: [1] for n in names})",
}


@pytest.mark.parametrize("names", [WIDE, SIGNS], ids=["spaces", "signs"])
@pytest.mark.parametrize("kind", FRAMES)
def test_the_line_that_renames_many_columns_is_short_and_works(
    shell: Any, kind: str, names: str
) -> None:
    shell.run("import polars as pl")
    shell.run(f"{names}\n{FRAMES[kind]}")
    with pytest.raises(ContractError) as caught:
        shell.run("%mesh output wide df")
    step = caught.value.next_step
    assert len(step) < 200
    assert "…" not in step
    assert len(str(caught.value)) < 700
    shell.run(step)
    assert len(shell.run("%mesh output wide df").contract.columns) == 500


def test_a_rule_that_would_name_two_columns_alike_is_not_told(shell: Any) -> None:
    shell.run("import polars as pl")
    shell.run("df = pl.DataFrame({n: [1] for i in range(40) for n in (f'c {i}', f'c_{i}')})")
    with pytest.raises(ContractError) as caught:
        shell.run("%mesh output wide df")
    shell.run(caught.value.next_step)
    assert len(shell.run("%mesh output wide df").contract.columns) == 80
