"""`$name` in SQL is the value of a Python name: bound by the engine, an argument of the export."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mesh_notebook.errors import SqlError
from mesh_notebook.explore.sql_values import parameters_of, values_of

SALES = "shop,amount,day\nA,3,2026-01-01\nB,4,2026-01-02\nA,5,2026-01-03\n"


@pytest.fixture
def sales(shell: Any, tmp_path: Path) -> Any:
    (tmp_path / "sales.csv").write_text(SALES)
    shell.run("%mesh source sales sales.csv")
    return shell


def exported(shell: Any, folder: Path) -> str:
    shell.run("%mesh product demo --domain lab --owner me --purpose x")
    shell.run("%mesh output big big")
    shell.run("%mesh export bundle")
    return (folder / "bundle" / "transform.py").read_text()


@pytest.mark.parametrize(
    ("value", "where", "shops"),
    [
        ("4", "amount >= $v", ["B", "A"]),
        ("'A'' OR 1=1 --'", "shop = $v", []),
        ("'A'", "shop = $v", ["A", "A"]),
        ("__import__('datetime').date(2026, 1, 2)", "day > $v", ["A"]),
        ("['B', 'C']", "shop = ANY($v)", ["B"]),
        ("None", "$v IS NULL AND amount = 3", ["A"]),
    ],
)
def test_the_engine_binds_the_value_of_the_moment(
    sales: Any, value: str, where: str, shops: list[str]
) -> None:
    sales.run(f"v = {value}")
    sales.run(f"%%mesh sql big\nSELECT shop FROM sales WHERE {where} ORDER BY amount")
    assert sales.run("big['shop'].to_list()") == shops


def test_a_value_is_an_argument_of_the_exported_function(sales: Any, tmp_path: Path) -> None:
    sales.run("low = 4\nlimit = 2")
    sales.run(
        "%%mesh sql big\nSELECT shop, amount FROM sales WHERE amount >= $low "
        "ORDER BY amount LIMIT $limit"
    )
    text = exported(sales, tmp_path)
    assert "low: int = 4" in text
    assert "limit: int = 2" in text
    assert '{"limit": limit, "low": low}' in text
    space: dict[str, Any] = {}
    exec(text, space)
    frame = pl.DataFrame({"shop": ["A", "B"], "amount": [3, 9], "day": [None, None]}).lazy()
    assert space["big"](frame, low=1).collect()["amount"].to_list() == [3, 9]


def test_a_value_that_is_computed_stays_where_it_is_and_the_cells_are_given_again(
    sales: Any, tmp_path: Path
) -> None:
    sales.run("low = 2 + 2")
    sales.run("%%mesh sql big\nSELECT shop, amount FROM sales WHERE amount >= $low")
    text = exported(sales, tmp_path)
    assert "    low = 2 + 2\n" in text
    loaded = sales.run("%mesh load bundle")
    assert "amount >= $low" in loaded.path.read_text()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT $lo", "did you mean $low?"),
        ("SELECT $nothing_like_it", "bind it above"),
        ("SELECT ?", "write $NAME"),
        ("SELECT $frame", "FROM frame"),
        ("SELECT $thing", "a number, a text, a date"),
    ],
)
def test_a_parameter_without_a_value_says_what_to_bind(query: str, said: str) -> None:
    names = {"low": 1, "frame": pl.DataFrame({"a": [1]}), "thing": object()}
    with pytest.raises(SqlError) as caught:
        values_of(query, names)
    assert said in caught.value.next_step


def test_only_parameters_are_parameters_and_scalars_of_numpy_are_plain() -> None:
    assert parameters_of("SELECT '$a', \"$b\", $c -- $d") == ["c"]
    assert parameters_of("SELEC $a") == []
    assert type(values_of("SELECT $n", {"n": np.int64(3)})["n"]) is int
    names = {"d": date(2026, 1, 1), "m": Decimal("1.5")}
    assert values_of("SELECT $d, $m", names) == names
