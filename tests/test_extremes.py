"""The log of a table keeps extremes of its files, and of none that hold rows to hide."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from listeners import OFFICER, ROWS, policy
from measured import GERMANS, Published

from mesh_notebook.model.policy import Privacy

LEAST, MOST = -424_242.5, 987_654.5
HIDDEN = ROWS.with_columns(
    minutes=pl.when(pl.col("country") == "FR")
    .then(pl.lit(MOST))
    .when(pl.col("country") == "IT")
    .then(pl.lit(LEAST))
    .otherwise("minutes")
)
MORE = HIDDEN.with_columns(user=pl.col("user") + "b")
CHANGED = MORE.with_columns(age=pl.lit(3, pl.Int64))


def logged(made: Published) -> list[dict[str, Any]]:
    """Return what the logs of the product's tables tell of each file, oldest first."""
    entries = sorted(made.root.glob("*/*/ports/*/*/_delta_log/*.json"))
    lines = [json.loads(line) for entry in entries for line in entry.read_text().splitlines()]
    return [json.loads(line["add"]["stats"]) for line in lines if "add" in line]


def extremes(stats: list[dict[str, Any]]) -> set[Any]:
    return {
        value for one in stats for of in ("min", "max") for value in one[f"{of}Values"].values()
    }


@pytest.mark.parametrize("kind", ["snapshot", "log"])
@pytest.mark.parametrize("hides", [policy(rows=(GERMANS,)), policy(privacy=Privacy("user", 1.0))])
def test_of_rows_that_are_hidden_the_log_keeps_no_extreme(tmp_path, kind, hides):
    made = Published(tmp_path, kind=kind)
    made.publish(HIDDEN, hides)
    for rows in (
        MORE,
        CHANGED,
        *(HIDDEN.with_columns(user=pl.col("user") + f"{n}") for n in "xyz"),
    ):
        made.publish(rows)
    told = logged(made)
    assert len(told) >= 4
    assert extremes(told) == set()


@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_what_is_hidden_from_now_on_is_in_no_entry_from_now_on(tmp_path, kind):
    made = Published(tmp_path, kind=kind)
    made.publish(HIDDEN)
    before = len(logged(made))
    assert {LEAST, MOST} <= extremes(logged(made))
    for held in (policy(privacy=Privacy("user", 1.0)), policy(rows=(GERMANS,))):
        made.publish(MORE, held)
        made.publish(CHANGED)
    assert extremes(logged(made)[before:]) == set()


@pytest.mark.parametrize("kind", ["snapshot", "log"])
def test_all_rows_are_read_and_once_nothing_is_hidden_extremes_are_kept(tmp_path, kind):
    made = Published(tmp_path, kind=kind)
    made.publish(HIDDEN, policy(rows=(GERMANS,)))
    assert sorted(made.rows(OFFICER)["user"]) == ["u1", "u2", "u3", "u4"]
    made.publish(MORE, policy())
    assert {LEAST, MOST} <= extremes(logged(made))
