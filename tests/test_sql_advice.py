"""What a refused query is told can be typed."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_notebook.errors import SqlError


def test_two_expressions_without_a_name_are_told_one_that_sql_takes(shell: Any) -> None:
    shell.run("import polars as pl\nx = pl.DataFrame({'a': [1]})")
    with pytest.raises(SqlError) as caught:
        shell.run("%%mesh sql y\nSELECT count(*), count(*) FROM x")
    name = caught.value.next_step.rpartition(" AS ")[2]
    shell.run(f"%%mesh sql y\nSELECT count(*), count(*) AS {name} FROM x")


def test_no_name_of_ipython_itself_is_offered_for_a_parameter(shell: Any) -> None:
    shell.run("import polars as pl\nx = pl.DataFrame({'a': [1]})")
    with pytest.raises(SqlError) as caught:
        shell.run("%%mesh sql y\nSELECT * FROM x WHERE a < $in")
    assert "In" not in caught.value.next_step
