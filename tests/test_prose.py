"""What a notebook says in Markdown of its code stands above that code in the module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_load import round_trip

from mesh_notebook.export.prose import told_above

ROWS = "day,origin,delay\n" + "".join(
    f"2026-01-{d:02},{'EJ'[d % 2]},{d * 3}\n" for d in range(1, 9)
)

ABOUT_LATE = """
# Which flights are late

A flight is **late** if its `delay` is over the [limit](https://example.org/limits) that the
airlines agreed upon with the passengers in the year 2019, and never because of a delay of others.

We had coffee first, and then looked at some pictures.

- origin: the airport where it
  begins
- nothing else

![a picture](late.png)

```python
late = "not code of the notebook"
```
"""
CELLS = [
    ("code", "import polars as pl"),
    ("markdown", "The helper `early` is never wrong."),
    ("code", "def early(frame):\n    return frame.filter(pl.col('delay') < LIMIT)"),
    ("markdown", "`LIMIT` is in minutes."),
    ("code", "# parameters\nmost = 99\nLIMIT = 30"),
    ("markdown", ABOUT_LATE),
    (
        "code",
        "# Both of them.\nlate = early(flights).filter(pl.col('origin') == 'E')\nprint('late')",
    ),
    ("markdown", "Each `origin` has a row of totals."),
    ("code", "%%mesh sql totals\nSELECT origin, sum(delay) AS delay FROM late GROUP BY origin"),
    ("markdown", "Said twice of `again`."),
    ("code", "again = totals"),
    ("code", "again = totals"),
]

FUNCTION = '''
    flights: pl.LazyFrame,
    *,
    # `LIMIT` is in minutes.
    LIMIT: int = 30,
) -> pl.LazyFrame:
    """One row for each origin."""

    # The helper `early` is never wrong.
    def early(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.filter(pl.col("delay") < LIMIT)

    # A flight is late if its `delay` is over the limit that the airlines agreed upon with the
    # passengers in the year 2019, and never because of a delay of others.
    #
    # - origin: the airport where it begins
    # Both of them.
    late = early(flights).filter(pl.col("origin") == "E")
    # Each `origin` has a row of totals.
    totals = _sql("SELECT origin, sum(delay) AS delay FROM late GROUP BY origin", late=late)
    again = totals
    return again.lazy()
'''


@pytest.fixture
def exported(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "flights.csv").write_text(ROWS)
    path = tmp_path / "delays.ipynb"
    cells = [{"cell_type": kind, "metadata": {}, "source": text} for kind, text in CELLS]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    shell.run("%mesh product airport-delays --domain travel --owner ops")
    shell.run("%mesh source flights flights.csv")
    for kind, text in CELLS:
        if kind == "code":
            shell.run(text)
    shell.run("%mesh output totals again --key origin")
    shell.run("%mesh export bundle")
    return shell


def test_it_is_a_comment_where_it_names_something_of_a_statement(
    exported: Any, tmp_path: Path
) -> None:
    text = (tmp_path / "bundle" / "transform.py").read_text()
    function = text.partition("def totals(")[2]
    assert function == FUNCTION


def test_it_comes_back_from_a_load(exported: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME")
    cells = round_trip(exported, tmp_path)
    assert "# Each `origin` has a row of totals.\nmesh.sql(" in "\n".join(cells)


def test_a_file_that_is_none_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text('{"cells": [')
    assert told_above(path) == {}
    assert told_above(None) == {}
