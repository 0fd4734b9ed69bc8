"""The pipelines on a real Spark; `make engines` runs it, since Spark takes its time to start."""

from __future__ import annotations

import polars as pl
import pytest
from engines.pipelines import Pipeline
from engines.test_pipelines import GOES, assert_equal, port, run


@pytest.fixture(scope="module")
def on_spark_too(java: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    text = port(*GOES).text
    assert text is not None
    return run(text, "spark", tmp_path_factory.mktemp("spark"))


@pytest.mark.parametrize("pipeline", GOES, ids=lambda p: p.name)
def test_spark_gives_the_rows_of_polars(
    pipeline: Pipeline, on_spark_too: dict[str, pl.DataFrame]
) -> None:
    assert_equal(pipeline, on_spark_too[pipeline.name])
