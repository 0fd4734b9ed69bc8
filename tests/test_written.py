"""What an export writes reads as if it had been written by hand: typed, and in whole sentences."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from notebook import Notebook

from mesh_notebook.export.annotating import annotated

FRAME = "polars.lazyframe.frame.LazyFrame"


def heads(text: str, **recorded: str) -> dict[str, str]:
    """Return by function its head, as it is written with annotations."""
    tree = ast.parse(annotated(text, recorded))
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            returns = ast.unparse(node.returns) if node.returns else "?"
            found[node.name] = f"({ast.unparse(node.args)}) -> {returns}"
    return found


def test_a_helper_has_the_types_that_it_is_called_with():
    text = """
import polars as pl
from datetime import date

def late(frame, today, days=3):
    return frame.filter(pl.col("due") < today)

def port(paid: pl.LazyFrame) -> pl.LazyFrame:
    as_of = date(2026, 1, 1)
    return late(paid, as_of)
"""
    found = heads(text, as_of="datetime.date")
    assert found["late"] == "(frame: pl.LazyFrame, today: date, days: int=3) -> pl.LazyFrame"


def test_what_is_not_known_is_any_and_is_imported():
    text = "def f(x):\n    return x\n\n\ndef port():\n    g = f\n    return g(1)\n"
    made = annotated(text, {})
    assert "def f(x: Any) -> Any:" in made
    assert "from typing import Any" in made
    compile(made, "transform.py", "exec")


def test_two_kinds_of_calls_give_the_wider_type_or_any():
    text = "def f(x):\n    return 'a'\n\ndef port():\n    return f({}), f({})\n"
    assert heads(text.format("1", "2.5"))["f"] == "(x: float) -> str"
    assert heads(text.format("1", "None"))["f"] == "(x: int | None) -> str"
    assert heads(text.format("1", "'a'"))["f"] == "(x: Any) -> str"


def test_an_expression_has_the_type_that_polars_says():
    text = """
import polars as pl

def band(column):
    return pl.when(column < 30).then(pl.lit("a")).when(column < 9).then(1).otherwise(pl.lit("b"))

def port(paid: pl.LazyFrame) -> pl.LazyFrame:
    return paid.with_columns(band=band(pl.col("days")))
"""
    assert heads(text)["band"] == "(column: pl.Expr) -> pl.Expr"


def test_methods_and_generators_are_typed():
    text = """
class Cleaner:
    def __init__(self, limits):
        self.limits = limits

    def lows(self):
        for low in self.limits:
            yield 1.5

    @staticmethod
    def name(x):
        return f"{x}"

def port():
    return Cleaner([1, 2]).name(3)
"""
    found = heads(text)
    assert found["__init__"] == "(self, limits: list[int]) -> None"
    assert found["lows"] == "(self) -> Iterator[float]"
    assert found["name"] == "(x: int) -> str"


def test_a_container_that_nothing_tells_of_says_what_it_holds():
    text = """
from collections import Counter

def port():
    counts = Counter()
    rows = []
    rows.append(1)
    seen = set()
    return counts, rows, seen
"""
    made = annotated(text, {})
    assert "counts: Counter[Any] = Counter()" in made
    assert "seen: set[Any] = set()" in made
    assert "    rows = []" in made


def test_the_result_says_its_type_where_only_the_notebook_knew_it():
    text = """
import polars as pl
from elsewhere import make

def port(rows: pl.LazyFrame) -> pl.LazyFrame:
    out = make(rows)
    return out
"""
    assert "    out: pl.LazyFrame = make(rows)" in annotated(text, {"out": FRAME})


def test_a_type_whose_name_means_something_else_in_the_module_is_not_named():
    text = """
import polars as pl
from datetime import date

def f(x):
    return 1

def port(rows: pl.LazyFrame) -> pl.LazyFrame:
    day = date(2026, 1, 1)
    f(day)
    date = 3
    return rows
"""
    assert heads(text, day="datetime.date")["f"] == "(x: Any) -> int"


def test_comments_and_wide_letters_stay_where_they_are():
    text = 'def f(é, *more, k={"a": 1}):  # a: comment\n    "é"\n    return é\n\n\nf(1)\n'
    made = annotated(text, {})
    assert "def f(é: Any, *more: Any, k: dict[str, int]={" in made or "k: Any={" in made
    assert ":  # a: comment" in made


def test_a_module_that_lacks_nothing_is_left_as_it_is():
    text = "def f(x: int) -> int:\n    y = [1]\n    return x\n"
    assert annotated(text, {}) == text


@pytest.mark.parametrize(
    ("purpose", "said"),
    [
        ("Delays of a day", "delays: Delays of a day."),
        ("Delays of a day.", "delays: Delays of a day."),
        ("Which days are late?", "delays: Which days are late?"),
        ('Days that are "late"', 'delays: Days that are "late".'),
    ],
)
def test_a_purpose_is_a_full_sentence_in_the_module(
    shell: Any, tmp_path: Path, purpose: str, said: str
) -> None:
    (tmp_path / "flights.csv").write_text("day,delay\n1,5\n2,7\n")
    shell.run("import polars as pl\n%mesh source flights flights.csv")
    shell.run("late = flights.filter(pl.col('delay') > 5)")
    shell.mesh.product("delays", domain="air", purpose=purpose)
    shell.run("%mesh output late late --key day\n%mesh export bundle")
    module = ast.parse((tmp_path / "bundle" / "transform.py").read_text())
    assert ast.get_docstring(module) == said


def test_a_lambda_with_a_name_is_a_function_with_its_comments() -> None:
    notebook = Notebook().run(
        "import polars as pl\n%mesh source flights",
        "# Of a day.\nper_day = lambda rate, *, days=365: rate / days  # roughly\n"
        "twice = lambda x: (\n    x * 2  # two\n    + 0\n)",
        "out = flights.with_columns(x=pl.col('delay') * per_day(0.08) + twice(1))",
        "%mesh output daily out",
    )
    text = notebook.module().text
    assert (
        "# Of a day.\ndef per_day(rate: float, *, days: int = 365) -> float:  # roughly\n" in text
    )
    assert "    return (\n        x * 2  # two\n        + 0\n    )\n" in text
    assert "lambda" not in text
    assert notebook.remade().equals(notebook.saw())


def test_a_constant_by_its_name_stands_at_module_level_if_nothing_can_change_it() -> None:
    notebook = Notebook().run(
        "import polars as pl\n%mesh source flights",
        "LEAST = 5\nBY_NAME = {'a': 1}\nmost = 50",
        "out = flights.filter(pl.col('delay').is_between(LEAST, most), pl.lit(BY_NAME['a']) == 1)",
        "%mesh output daily out",
    )
    before, _, function = notebook.module().text.partition("def daily(")
    assert "LEAST = 5" in before
    assert "BY_NAME = " in function
    assert "most = 50" in function


def test_a_function_says_what_a_row_is_where_only_the_key_tells(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("day,origin\n1,E\n")
    shell.run(
        "%mesh product p --domain d\n%mesh source a a.csv\n%mesh output rows a --key day,origin"
    )
    shell.run("%mesh export bundle")
    assert (
        '"""One row for each day and origin."""' in (tmp_path / "bundle/transform.py").read_text()
    )
