"""Many figures of a frame at once."""

from __future__ import annotations

import polars as pl

from mesh_notebook.explore.profile import profile
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.measuring import figures
from mesh_notebook.model.contract import Contract


def _frame(columns: int) -> pl.LazyFrame:
    kinds = (
        [3, 1, None, 2],
        [0.5, None, 2.5, 1.5],
        ["b", "a", "b", None],
        [True, False, True, None],
    )
    return pl.LazyFrame({f"c{at}": kinds[at % len(kinds)] for at in range(columns)})


def test_many_figures_are_those_that_few_are() -> None:
    wide = _frame(600)
    wanted = [pl.col(f"c{at}").null_count() for at in range(600)]
    asked_together = figures(wide, wanted)
    assert asked_together == {**figures(wide, wanted[:300]), **figures(wide, wanted[300:])}
    assert set(asked_together.values()) == {1}


def test_a_column_of_a_wide_frame_has_the_profile_that_it_has_alone() -> None:
    wide = profile(_frame(120))
    for at in (0, 1, 2, 3, 118, 119):
        alone = profile(_frame(120).select(f"c{at}"))
        assert wide.columns[at] == alone.columns[0]


def test_each_broken_rule_of_many_shows_the_first_row_that_breaks_it() -> None:
    """Also a personal column's, whose value is left out."""
    columns = [{"name": "id", "logicalType": "integer", "primaryKey": True}]
    for at in range(8):
        limit = {"logicalType": "integer", "logicalTypeOptions": {"maximum": at}}
        columns.append({"name": f"n{at}", **limit})
    columns[-1]["classification"] = "personal"
    contract = Contract(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "urn:wide",
            "name": "wide",
            "version": "1.0.0",
            "status": "active",
            "schema": [{"name": "wide", "properties": columns}],
        }
    )
    rows = pl.LazyFrame(
        {"id": [0, *range(1, 10)], **{f"n{at}": list(range(10)) for at in range(8)}}
    )
    broken = {r.rule.column: r.example for r in check(rows, contract).failures}
    assert broken == {
        **{f"n{at}": f"id={at + 1}, n{at}={at + 1}" for at in range(7)},
        "n7": "id=8, n7=(personal)",
    }
