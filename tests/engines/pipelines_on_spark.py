"""The pipelines on a real Spark; `make engines` runs it, since Spark takes its time to start."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engines import test_methods
from engines.pipelines import Pipeline
from engines.test_pipelines import GOES, assert_equal, port, run
from mesh_notebook.export.comparing import difference
from mesh_notebook.mesh.replay import replay


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


def random_rows(count: int) -> list[dict[str, Any]]:
    """Make rows as nasty as those that Hypothesis makes, the same on every run."""
    some = random.Random(7)
    texts = ["", "a", "ab-", " a ", "ß.é", "-日\u00a0", "aA 0", "b\ta"]
    makers = {
        "i": lambda: some.choice([some.randint(-9, 9), some.randint(-(2**40), 2**40)]),
        "f": lambda: some.choice([some.choice(test_methods._NASTY), some.randint(-99, 99) / 8]),
        "s": lambda: some.choice(texts),
        "d": lambda: date(1950, 1, 31) + timedelta(days=some.randint(0, 40_000)),
        "u": lambda: datetime(1960, 1, 31, tzinfo=UTC) + timedelta(seconds=some.randint(0, 10**9)),
        "b": lambda: some.random() < 0.5,
        "m": lambda: Decimal(some.randint(-9999, 9999)) / 100,
        "l": lambda: [some.choice([None, 2, -1, 5]) for _ in range(some.randint(0, 3))],
        "k": lambda: some.choice("xy"),
    }
    makers |= {"j": makers["i"], "g": makers["f"], "t": makers["s"], "c": makers["b"]}
    return [
        {name: make() if some.random() < 0.85 else None for name, make in makers.items()}
        for _ in range(count)
    ]


@pytest.mark.parametrize("name", test_methods.PIPELINES)
def test_every_method_gives_on_spark_what_it_gives_on_polars(
    java: None, name: str, tmp_path: Path
) -> None:
    text, portable = test_methods.texts_of(test_methods.PIPELINES[name])
    (tmp_path / "portable.py").write_text(portable)
    rows = test_methods.frame_of(random_rows(60))
    made = replay(tmp_path / "portable.py", ["out"], {"rows": rows}, tmp_path, "spark")
    names: dict[str, Any] = {}
    exec(text, names)
    expected = names["out"](rows.lazy()).collect()
    got = pl.read_ipc(made["out"])
    assert got.columns == expected.columns
    parts = test_methods.expressions(getattr(test_methods, name.upper()))
    key = list(expected.columns[:1])
    wrong = {}
    for number, part in enumerate(parts):
        chosen = expected.select(*key, str(number))
        other = got.select(*key, str(number)).cast(chosen.schema, strict=False)
        if said := difference(chosen, other, key):
            wrong[part] = said
    assert wrong == {}
