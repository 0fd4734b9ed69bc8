"""What Polars, DuckDB and Spark make of equal inputs is news once; `make engines` runs it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ports import PublishedPort, frame_of, typed_contract
from test_same_rows import exported

from mesh_notebook.mesh.engines.on_duckdb import OnDuckDB
from mesh_notebook.mesh.scan import Scan

KEYED = typed_contract({"n": "BIGINT", "mean": "DOUBLE", "sum": "DOUBLE"}, event_time=None)
_INPUTS = st.lists(st.tuples(st.integers(0, 3), st.floats(0.001, 1e6)), min_size=1, max_size=200)


@pytest.fixture(scope="module")
def engines(on_spark: Any) -> Iterator[list[Any]]:
    on_duckdb = OnDuckDB()
    yield [on_spark, on_duckdb]
    on_duckdb.ended()


def summed(frame: Any) -> Any:
    values = nw.col("x")
    return frame.group_by("n").agg(mean=values.mean(), sum=values.sum())


def made_of(rows: pl.DataFrame, engines: list[Any], folder: Path) -> list[pl.DataFrame]:
    """Return the sums of the rows by each engine, which gets them in another order each time."""
    made = [summed(nw.from_native(rows.lazy())).to_native().collect()]
    for at, engine in enumerate(engines):
        path = folder / f"{at}.parquet"
        rows.sample(fraction=1.0, shuffle=True, seed=at).write_parquet(path)
        scan = Scan("parquet", (str(path),))
        made.append(engine.gathered(summed(engine.opened("rows", scan, scan.lazy()))))
    return made


@given(values=_INPUTS)
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
def test_the_events_of_what_any_engine_makes_of_equal_inputs_are_those_of_the_first(
    engines: list[Any], values: list[tuple[int, float]]
) -> None:
    rows = pl.DataFrame(values, {"n": pl.Int64, "x": pl.Float64}, orient="row")
    with tempfile.TemporaryDirectory() as folder:
        port = PublishedPort(Path(folder), KEYED)
        for at, made in enumerate(made_of(rows, engines, Path(folder))):
            columns = made.select(KEYED.column(name).name for name in ("n", "mean", "sum"))
            frame = frame_of(KEYED, columns.to_dict(as_series=False))
            port.renew(KEYED, f"1.0.{at}").publish(frame)
        assert port.receipt.snapshot == 3
        assert len(list(port.port().events())) == rows["n"].n_unique()


def test_a_deployment_on_spark_of_what_polars_published_publishes_nothing(
    shell: Any, tmp_path: Path, java: None
) -> None:
    exported(shell, tmp_path)
    first = shell.run("%mesh deploy bundle")
    again = shell.run("%mesh deploy bundle --engine spark")
    assert (again.unchanged, again.receipt) == (True, first.receipt)
    assert len(list(shell.mesh.port("airport-delays").events())) == 50
