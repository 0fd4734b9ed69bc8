"""What several ports begin with stands once in the module, and means what it meant in each."""

from __future__ import annotations

import ast
import contextlib
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import hold_to_whole, quiet
from notebook import Notebook
from test_corpus import untouched
from test_load import cells_of, run_all, sealed

from mesh_notebook.deploy.times_kept import keeps_times
from mesh_notebook.errors import ExportRefused, LoadRefused
from mesh_notebook.export.beginnings import choosing
from mesh_notebook.export.module import Module

ORDERS = "order,customer,day,status,amount\n" + "".join(
    f"{n},C{n % 3},2026-01-{n % 9 + 1:02},{'paid' if n % 4 else 'open'},{n * 1.5}\n"
    for n in range(40)
)
CELLS = [
    "%load_ext mesh_notebook",
    "import polars as pl\n\n%mesh product sales --domain shop --owner ops",
    "# parameters\nrate = 0.25",
    "%mesh source orders orders.csv\n%mesh source customers customers.csv",
    "# Open orders are no sales.\npaid = orders.filter(pl.col('status') == 'paid')\n"
    "net = pl.col('amount') * rate\n"
    "joined = paid.with_columns(net.alias('net')).join(customers, on='customer', how='left')",
    "daily = joined.group_by('day').agg(pl.col('net').sum()).sort('day')",
    "%mesh output daily daily --key day",
    "best = joined.group_by('country').agg(pl.col('net').max()).sort('country')",
    "%mesh output best best --key country\n%mesh export bundle",
]
BEGUN = '''\
def _joined(orders: pl.LazyFrame, customers: pl.LazyFrame, *, rate: float) -> pl.LazyFrame:
    """What daily and best both begin with."""
    # Open orders are no sales.
    paid = orders.filter(pl.col("status") == "paid")
    net = pl.col("amount") * rate
    joined = paid.with_columns(net.alias("net")).join(customers, on="customer", how="left")
    return joined


def daily(orders: pl.LazyFrame, customers: pl.LazyFrame, *, rate: float = 0.25) -> pl.LazyFrame:
    """One row for each day."""
    joined = _joined(orders, customers, rate=rate)
'''


@pytest.fixture
def bundle(shell: Any, tmp_path: Path) -> Path:
    """A product of two ports that share a beginning, exported from a notebook."""
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "customers.csv").write_text("customer,country\nC0,DE\nC1,FR\nC2,DE\n")
    for cell in CELLS[1:]:
        shell.run(cell)
    made = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in CELLS]
    raw = {"cells": made, "metadata": {}, "nbformat": 4}
    (tmp_path / "sales.ipynb").write_text(json.dumps(raw))
    return tmp_path / "bundle"


def edit(bundle: Path, old: str, new: str) -> None:
    path = bundle / "transform.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_it_is_a_function_that_is_named_after_what_it_binds(bundle: Path) -> None:
    text = (bundle / "transform.py").read_text()
    assert BEGUN in text
    assert text.count("joined = _joined(orders, customers, rate=rate)") == 2
    receipt = json.loads((bundle / "receipt.json").read_text())
    assert (receipt["engines"]["duckdb"], receipt["beginnings"]) == (
        "proved",
        {"_joined": ["daily", "best"]},
    )
    assert "joined = _joined(" in (bundle / "portable.py").read_text()
    (cell,) = {one["cell"] for one in receipt["statements"] if "paid = orders" in one["text"]}
    assert cell == 5


def test_lineage_by_column_goes_through_it(bundle: Path) -> None:
    outputs = json.loads((bundle / "lineage.json").read_text())["outputs"]
    values = {
        f"{port}.{column}": [f"{one['namespace']}.{one['field']}" for one in told["inputFields"]]
        for port, lineage in outputs.items()
        for column, told in lineage["fields"].items()
    }
    assert values == {
        "daily.day": ["orders.day"],
        "daily.net": ["orders.amount"],
        "best.country": ["customers.country"],
        "best.net": ["orders.amount"],
    }
    for port in ("daily", "best"):  # of whose rows the shared filter decides
        assert "status" in [one["field"] for one in outputs[port]["dataset"]]


def test_a_load_gives_the_cells_again_which_export_the_same(shell: Any, bundle: Path) -> None:
    before = sealed(bundle)
    cells = cells_of(shell.run("%mesh load bundle --out again.ipynb").path)
    assert sum("status" in cell for cell in cells) == 1
    assert not any("_joined" in cell for cell in cells)
    run_all(cells)
    assert sealed(bundle) == before


def test_a_diff_says_the_same_and_shows_an_edit_once(shell: Any, bundle: Path) -> None:
    assert shell.run("%mesh diff bundle sales.ipynb").verdict == "the same"
    edit(bundle, '== "paid"', '== "open"')
    (change,) = shell.run("%mesh diff bundle sales.ipynb").changes
    assert (change.side, change.how, change.where[:14]) == ("module", "changed", "_joined, line ")
    notebook = bundle.parent / "sales.ipynb"
    notebook.write_text(notebook.read_text().replace("== 'paid'", "!= 'paid'"))
    found = shell.run("%mesh diff bundle sales.ipynb")
    assert [c.side for c in found.conflicts] == ["notebook", "module"]
    assert {c.new.text for c in found.conflicts if c.new} == {
        "# Open orders are no sales.\npaid = orders.filter(pl.col('status') != 'paid')",
        '# Open orders are no sales.\npaid = orders.filter(pl.col("status") == "open")',
    }


NO_CELL = [
    ("What daily and best both begin with.", "Paid orders.", "the docstring of `_joined`"),
    ("    joined = _joined(orders", "    rows = _joined(orders", "calls `_joined` otherwise"),
    (
        "    return daily",
        "    best = _joined(orders)\n    return daily",
        "calls `_joined` otherwise",
    ),
]


def test_an_edit_of_it_is_loaded_into_one_cell_or_refused(shell: Any, bundle: Path) -> None:
    edit(bundle, '== "paid"', '!= "open"')
    cells = cells_of(shell.run("%mesh load bundle --out again.ipynb").path)
    assert [cell.count('"status") != "open"') for cell in cells if "status" in cell] == [1]
    text = (bundle / "transform.py").read_text()
    for old, new, said in NO_CELL:
        edit(bundle, old, new)
        with pytest.raises(LoadRefused) as refused:
            shell.run("%mesh load bundle --out other.ipynb")
        assert said in str(refused.value)
        (bundle / "transform.py").write_text(text)


def test_a_failure_inside_of_it_is_of_the_cell_that_says_it(shell: Any, bundle: Path) -> None:
    Path("note.txt").write_text("3")
    shell.run("from pathlib import Path\nleast = 3")
    shell.run(
        "rows = orders.filter(pl.col('order') > least)\nrows = rows.sort('order')\n"
        "rows = rows.with_columns(at=pl.lit(Path('note.txt').read_text())).collect()"
    )
    shell.run("a = rows.head(3)\nb = rows.tail(3)")
    shell.run("%mesh output daily a --key order\n%mesh output best b --key order")
    with pytest.raises(ExportRefused) as refused:
        shell.run("%mesh export other")
    assert refused.value.facts["cell"] == 11


# ---- which are shared ----------------------------------------------------------------------------

HEAD = ("import polars as pl", "%mesh source flights", "%mesh source weather")
LATE = (
    "late = flights.filter(pl.col('delay') > 3)\n"
    "late = late.with_columns(hours=pl.col('delay') / 60)\n"
    "late = late.with_columns(long=pl.col('hours') > 0.1)"
)
DAILY = ("daily = late.group_by('day').agg(pl.len()).sort('day')", "%mesh output daily daily")
TOTAL = ("total = late.select(pl.col('hours').sum())", "%mesh output total total")


def written(*cells: str) -> Module:
    """Return the module of a notebook's ports, which is held to the one that shares nothing."""
    notebook = Notebook()
    with untouched(), contextlib.redirect_stdout(io.StringIO()):
        notebook.run(*HEAD, *cells)
        module = notebook.module(*notebook.outputs)
    hold_to_whole(module)
    return module


def names_of(module: Module) -> list[str]:
    return [one.name for one in module.beginnings]


def test_what_a_glance_takes_in_is_said_again() -> None:
    short = "late = flights.filter(pl.col('delay') > 3)"
    hours = "total = late.select(pl.col('delay').sum())"
    assert names_of(written(short, *DAILY, hours, TOTAL[1])) == []
    assert names_of(written(LATE, *DAILY, *TOTAL)) == ["_late"]


def test_one_beginning_begins_with_another() -> None:
    joined = (
        "joined = late.join(weather, on='origin')\n"
        "windy = joined.filter(pl.col('wind') > 1)\nwindy = windy.sort('origin', 'day', 'delay')"
    )
    module = written(
        LATE,
        *DAILY,
        joined,
        "total = windy.select(pl.col('hours').sum())",
        TOTAL[1],
        "days = windy.select(pl.col('day').sum())\n%mesh output days days",
    )
    assert names_of(module) == ["_late", "_windy"]
    outer, inner = module.beginnings
    assert (outer.ports, inner.ports) == (("daily", "total", "days"), ("total", "days"))
    assert (
        "def _windy(flights: pl.LazyFrame, weather: pl.LazyFrame) -> pl.LazyFrame:" in module.text
    )


def test_two_values_are_handed_over_and_four_are_not() -> None:
    two = LATE + "\ncalm = weather.filter(pl.col('wind') < 11)\ncalm = calm.sort('wind')"
    tail = "daily = late.join(calm, on='origin')", DAILY[1]
    other = "total = calm.join(late, on='origin')", TOTAL[1]
    assert names_of(written(two, *tail, *other)) == ["_late_and_calm"]
    four = "a = 3\nb = a + 1\nc = b + 1\nlate = flights.with_columns(hours=pl.lit(a))"
    sums = ".with_columns(pl.lit(a + b + c).alias('x'))"
    ports = f"daily = late{sums}", DAILY[1], f"total = late{sums}.sort('day')", TOTAL[1]
    assert names_of(written(four, *ports)) == []


def test_its_name_is_free() -> None:
    module = written("_late = 5\n" + LATE, *DAILY, *TOTAL, "least = flights.head(_late)")
    assert names_of(module) == ["_late"]
    lines = LATE.replace("> 3", "> _late")
    assert names_of(written("_late = 2 + 1\n" + lines, *DAILY, *TOTAL)) == ["_late_2"]


# ---- state -------------------------------------------------------------------------------------

EAGER = LATE + "\nlate = late.collect()"
PANDAS = "import pandas as pd\n" + EAGER + "\nrows = late.to_pandas()\nrows['n'] = 1"
SHARED = {
    "a frame of Polars that one port changes": (
        EAGER,
        ("daily = late", DAILY[1]),
        ("late.insert_column(0, pl.lit(1).alias('one'))\ntotal = late", TOTAL[1]),
    ),
    "a frame of pandas that one port changes": (
        PANDAS,
        ("daily = rows", DAILY[1]),
        ("rows.insert(0, 'one', rows['n'] + 1)\nrows['n'] = 7\ntotal = rows", TOTAL[1]),
    ),
    "draws of a generator that it seeds": (
        "import numpy as np\nnp.random.seed(3)\n" + EAGER + "\nfirst = float(np.random.rand())",
        ("daily = late.with_columns(x=first + float(np.random.rand()))", DAILY[1]),
        ("total = late.with_columns(x=first * float(np.random.rand()))", TOTAL[1]),
    ),
    "a name that both bind anew": (
        LATE,
        ("late = late.head(1)\ndaily = late", DAILY[1]),
        ("late = late.sort('day', 'delay')\ntotal = late", TOTAL[1]),
    ),
    "an input that it binds anew": (
        LATE.replace("late", "flights"),
        ("daily = flights.sort('day', 'delay')", DAILY[1]),
        ("total = flights.select(pl.col('hours').sum())", TOTAL[1]),
    ),
    "steps in SQL": (
        LATE,
        (
            "%%mesh sql busy\nSELECT origin, count(*) AS n FROM late GROUP BY ALL",
            "%mesh output busy busy",
        ),
        ("total = late.select('hours')", TOTAL[1]),
    ),
}


@pytest.mark.parametrize("how", SHARED)
def test_each_port_has_values_of_its_own(how: str) -> None:
    begun, one, other = SHARED[how]
    assert len(names_of(written(begun, *one, *other))) == 1


WHOLE = {
    "a function that reads what a port binds anew": (
        "least = sum([3])\n" + LATE + "\nlate = late.with_columns(x=pl.lit(0)).collect()\n"
        "late = late.lazy().map_batches(lambda rows: rows.head(least))",
        ("least = sum([2])\ndaily = late", DAILY[1]),
        ("least = sum([4])\ntotal = late", TOTAL[1]),
    ),
    "a counter": (
        LATE.replace("late", "rows") + "\ncount = 0\ndef up():\n    global count\n    count += 1\n"
        "    return count\nlate = rows.with_columns(n=pl.lit(up()))",
        ("daily = late.with_columns(m=pl.lit(up()))", DAILY[1]),
        ("total = late.with_columns(m=pl.lit(count))", TOTAL[1]),
    ),
    "a folder that is there for a while": (
        "import tempfile\nfrom pathlib import Path\nfolder = tempfile.TemporaryDirectory()\n"
        + EAGER
        + "\npath = folder.name + '/rows.parquet'\nlate.write_parquet(path)",
        ("daily = pl.read_parquet(path)", DAILY[1]),
        ("total = pl.read_parquet(path).head(1)", TOTAL[1]),
    ),
}


@pytest.mark.parametrize("how", WHOLE)
def test_what_a_function_of_its_own_would_change_stands_in_each(how: str) -> None:
    begun, one, other = WHOLE[how]
    notebook = Notebook()
    with untouched(), contextlib.redirect_stdout(io.StringIO()):
        notebook.run(*HEAD, begun, *one, *other)
        module = notebook.module(*notebook.outputs)
    # What stands before may be shared.
    for begun_with in module.beginnings:
        said = ast.unparse([part.node for part in begun_with.parts][-1])
        assert not any(word in said for word in ("least", "up()", "folder"))
    hold_to_whole(module)


def test_a_filter_that_is_shared_is_seen_where_event_times_are_asked_for() -> None:
    module = written(
        LATE.replace("flights.filter(pl.col('delay') > 3)", "flights.sort('day')"), *DAILY, *TOTAL
    )
    assert names_of(module) == ["_late"]
    assert keeps_times(module.text, "daily", "day")
    module = written(LATE, *DAILY, *TOTAL)
    assert names_of(module) == ["_late"]
    assert not keeps_times(module.text, "daily", "day")


START = "late = flights.collect()\nk = 2\nrows = late.head(3)"
STEPS = [
    "late = late.with_columns(a=pl.lit(k))",
    "late = late.sort('day', 'delay').filter(pl.col('day') >= 1)",
    "late = late.lazy().map_batches(lambda part: part.head(k + 1)).collect()",
    "late.insert_column(0, pl.lit(k).alias('n' + str(late.width)))",
    "rows = late.select('day', 'delay')",
    "rows = rows.filter(pl.col('day') <= k)",
    "late, rows = rows, late",
    "k = k + 1",
    "k = f()",
    "f = lambda: k * 2",
    "k = (lambda: k + 1)()",
    "g = (k + n for n in range(3))",
    "k = sum(g)",
    "xs.append(k)",
    "xs = [k]",
    "k = sum(xs)",
    "if k > 3:\n    k = 1\n    rows = late",
    "for j in range(2):\n    k = k + j",
    "def f():\n    global k\n    k += 1\n    return k",
    "import random\nrandom.seed(k)\nk = random.randint(1, 4)",
]


@pytest.mark.filterwarnings("ignore")
def test_whatever_is_shared_each_port_makes_what_it_made(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: Counter[str] = Counter()
    for limit, value in {"_LEAST": 1, "_SPARED": 0, "_HANDED": 0, "_MOST": 9}.items():
        monkeypatch.setattr(choosing, limit, value)

    @settings(
        max_examples=settings.default.max_examples // 8,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(*[st.lists(st.sampled_from(STEPS), min_size=n, max_size=6) for n in (3, 0, 0)])
    def law(begun: list[str], one: list[str], other: list[str]) -> None:
        ports = ["one = late.with_columns(z=pl.lit(k))", "two = rows.with_columns(z=pl.lit(k))"]
        outputs = ["%mesh output one one", "%mesh output two two"]
        cells = [START, *begun, *one, ports[0], outputs[0], *other, ports[1], outputs[1]]
        notebook = Notebook()
        with untouched(), contextlib.redirect_stdout(io.StringIO()), quiet(notebook.shell):
            for cell in (*HEAD, *cells):
                notebook.shell.run_cell(cell, store_history=True)
            try:
                module = notebook.module(*notebook.outputs)
            except ExportRefused:
                counted["refused"] += 1
                return
            counted["shared" if module.beginnings else "whole"] += 1
            hold_to_whole(module)

    law()
    print(counted)
    assert counted["shared"] > counted["refused"]
