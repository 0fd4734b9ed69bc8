"""Each refusal of a frame gives a line for its kind, and following the lines leaves none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from mesh_notebook import open as open_mesh
from mesh_notebook.errors import MeshError
from mesh_notebook.workspace import Workspace

DAYS = [datetime(2024, 1, 1), datetime(2024, 1, 2)]
ROWS: dict[str, dict[str, Any]] = {
    "days": {"a": DAYS, "b": DAYS},
    "times": {"a": [datetime(2024, 1, 1, 10), None], "b": DAYS},
    "names": {"a b": [1, 2], "c(d)": [1, 2], "N": [1, 2], "n": [3, 4]},
    "no name": {"": [1, 2]},
    "nulls alone": {"a": [1, 2], "b": [None, None]},
    "durations": {"a": [timedelta(1), timedelta(2)]},
    "times of day": {"a": [time(10), time(11)]},
    "repeats": {"k": [1, 1], "a": [1.5, 2.5]},
    "no key": {"k": [1, None], "a": [1.5, 2.5]},
    "texts": {"k": [1, 2], "at": ["2024-01-01", "2024-01-02"]},
}
# What these kinds hold is a text column of nulls, or a column that has a name.
UNREFUSED = [("nulls alone", "pandas"), ("no name", "arrow")]
KINDS = {
    "pandas": lambda rows: pd.DataFrame(rows),
    "eager": lambda rows: pl.DataFrame(rows),
    "lazy": lambda rows: pl.LazyFrame(rows),
    "arrow": lambda rows: pl.DataFrame(rows).to_arrow(),
}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    opened = open_mesh(Path(tmp_path_factory.mktemp("mesh")))
    exec("import pandas as pd, polars as pl, duckdb", opened.namespace)  # type: ignore[arg-type]
    return opened


def followed(mesh: Workspace, given: dict[str, Any]) -> Iterator[str]:
    """Declare the frame; follow and yield each advice until none is left."""
    for _ in range(4):
        try:
            mesh.output("out", "df", **given)
        except MeshError as error:
            exec(error.next_step, mesh.namespace)  # type: ignore[arg-type]
            yield error.next_step
        else:
            return
    raise AssertionError("the advice does not lead to a port")


@pytest.mark.parametrize("kind", [*KINDS, "relation"])
@pytest.mark.parametrize("case", ROWS)
def test_following_the_lines_leaves_no_refusal(mesh: Workspace, case: str, kind: str) -> None:
    if kind == "relation":
        mesh.namespace["made"] = pl.DataFrame(ROWS[case])
        if case in ("names", "no name"):
            pytest.skip("DuckDB names such columns otherwise")
        exec("df = duckdb.sql('FROM made')", mesh.namespace)  # type: ignore[arg-type]
    else:
        mesh.namespace["df"] = KINDS[kind](ROWS[case])
    given = {"key": "k"} if "k" in ROWS[case] else {}
    given |= {"event_time": "at"} if "at" in ROWS[case] else {}
    said = list(followed(mesh, given))
    assert len(said) == len(set(said))
    assert said or (case, kind) in UNREFUSED
    if case == "days":  # both columns at once; of pandas one by one
        frame = mesh.draft.port("out").frame
        assert set(frame.collect_schema().values()) == {pl.Date()}
    if kind in ("eager", "lazy"):
        assert len(said) == 1
