"""A plan is barred where a port's column would be of another kind, since an input's column is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh_notebook.errors import DeployRefused


def test_a_column_that_is_passed_on_and_changed_its_type_bars_the_plan(
    shell: Any, tmp_path: Path
) -> None:
    file = tmp_path / "d.csv"
    file.write_text("id,v,w\n1,2.5,1\n2,3.5,2\n")
    shell.run("import polars as pl")
    shell.run("%mesh source d d.csv")
    shell.run("same = d.select('id', 'v')")
    shell.run("%mesh output same same --key id")
    shell.run("%mesh export b")
    file.write_text("id,v,w\n1,2,x\n2,3,y\n")  # a number still, and a column that is not read
    assert not shell.run("%mesh plan b").failed
    file.write_text("id,v,w\n1,a,1\n2,b,2\n")
    plan = shell.run("%mesh plan b")
    assert plan.failed
    assert "`v` must be DOUBLE" in str(plan.refusals[0])
    with pytest.raises(DeployRefused):
        shell.run("%mesh deploy b")
