"""What depends on the order of rows is refused where the rows have none, with what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest
from order_steps import ALLOWED, MORE_ALLOWED, MORE_REFUSED, PANDAS, POLARS, SQL

from mesh_notebook.export.sql_steps import sql_helper
from mesh_notebook.mesh.inputs import ReplayInput
from mesh_notebook.mesh.ordering import Fault
from mesh_notebook.mesh.replay import started
from mesh_notebook.mesh.variation import ORDER

ROWS = pl.LazyFrame(
    {"id": [3, 1, 2, 4], "k": ["a", "b", "a", "b"], "d": [1, 2, 1, 2], "x": [1, 1, 2, 1]}
)
INPUTS = {
    "src": ReplayInput(ROWS),
    "port": ReplayInput(ROWS, ordered=False, key=("id",)),
    "dim": ReplayInput(pl.LazyFrame({"k": ["a", "b"], "n": [1, 2]})),
}
HEAD = "import polars as pl\nimport duckdb\nimport pandas as pd\n" + sql_helper("_sql", pandas=True)


def faults(bodies: Sequence[str], folder: Path) -> Mapping[str, Fault]:
    """Return by body what a clean process says of it; all of them are functions of one module."""
    names = {body: f"step_{number}" for number, body in enumerate(bodies)}
    text = "".join(
        f"\n\ndef {name}(src, port, dim):\n    return {body}\n" for body, name in names.items()
    )
    module = folder / "transform.py"
    module.write_text(HEAD + text)
    work = folder / "work"
    work.mkdir()
    with started(module, [*names.values()], INPUTS, work, variation=ORDER, sql="_sql") as one:
        one.made()
        found = one.faults()
    return {body: found[name] for body, name in names.items() if name in found}


def of_sql(query: str) -> str:
    return f"_sql({query!r}, src=src, port=port)"


def of_pandas(step: str) -> str:
    return f"pl.DataFrame((lambda table: {step})(port.collect().to_pandas()))"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Fault]:
    """What one clean process says of all steps."""
    bodies = [*POLARS, *MORE_REFUSED, *POLARS.values(), *ALLOWED, *MORE_ALLOWED]
    bodies += [of_sql(query) for query in (*SQL, *SQL.values())]
    bodies += [of_pandas(step) for step in (*PANDAS, *PANDAS.values())]
    return faults(list(dict.fromkeys(bodies)), tmp_path_factory.mktemp("steps"))


@pytest.mark.parametrize("step", [*POLARS, *MORE_REFUSED])
def test_a_step_that_its_rows_do_not_determine_is_told_with_what_to_write(told, step) -> None:
    assert step in told
    assert told[step].fix


@pytest.mark.parametrize("step", [*POLARS.values(), *ALLOWED, *MORE_ALLOWED])
def test_what_the_rows_determine_is_let_be(told, step) -> None:
    assert step not in told, told[step]


@pytest.mark.parametrize("query", SQL)
def test_a_query_that_leaves_rows_to_chance_is_told_and_one_that_orders_them_is_not(
    told, query
) -> None:
    assert of_sql(query) in told
    assert of_sql(SQL[query]) not in told, told[of_sql(SQL[query])]


@pytest.mark.parametrize("step", PANDAS)
def test_pandas_may_not_take_rows_of_a_port_by_their_place(told, step) -> None:
    assert of_pandas(step) in told
    assert of_pandas(PANDAS[step]) not in told, told[of_pandas(PANDAS[step])]
