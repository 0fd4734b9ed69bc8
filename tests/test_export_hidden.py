"""State that the proof's own rows do not ask for: kept, or refused with the name that holds it."""

from __future__ import annotations

from decimal import localcontext
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from test_export_hostile import called, exported

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.state import same, told_of

pytestmark = pytest.mark.proofs


CAPS = "caps = {'SFO': 0}"
KEEPER = "class R:\n    def __init__(self): self.caps = {}\n"
WRITES = "        self.caps['SFO'] = 3\n        return self\n"
HELD = "def cap(o): return cap.caps.get(o, 0)\ncap.caps = {}"
CACHED = "import functools\ndef cap(o): return cur if o == 'SFO' else 0\ncap = functools.cache(cap)"
# The proof's own data has no SFO.
HIDDEN = {
    "globals": ([CAPS, "globals()['caps']['SFO'] = 3"], "caps.get(o, 0)"),
    "exec": ([CAPS, "exec(\"caps['SFO'] = 3\")"], "caps.get(o, 0)"),
    "the last value shown": ([f"{CAPS}\ncaps", "_['SFO'] = 3"], "caps.get(o, 0)"),
    "the module of the notebook": (
        [CAPS, "import __main__\n__main__.caps['SFO'] = 3"],
        "caps.get(o, 0)",
    ),
    "the greatest of a list": (
        ["rows = [['x'], ['y', 'z']]", "most = max(rows, key=len)", "most.extend(['SFO'] * 3)"],
        "rows[1].count(o)",
    ),
    "an attribute of a function": ([HELD, "cap.caps.update(SFO=3)"], "cap(o)"),
    "an attribute set by name": ([HELD, "setattr(cap, 'caps', {'SFO': 3})"], "cap(o)"),
    "a default": (
        ["def cap(o, c={}): return c.get(o, 0)", "cap.__defaults__[0].update(SFO=3)"],
        "cap(o)",
    ),
    "a cache made by a call": ([CACHED, "cur = 3", "x = cap('SFO')", "cur = 5"], "cap(o)"),
    "a cache filled by a frame": (
        [
            CACHED,
            "cur = 3",
            "x = pl.DataFrame({'o': ['SFO']}).with_columns("
            "c=pl.col('o').map_elements(cap, return_dtype=pl.Int64))",
            "cur = 5",
        ],
        "cap(o)",
    ),
    "a cached property": (
        [
            "from functools import cached_property\nclass R:\n"
            "    @cached_property\n    def sfo(self): return cur\nr = R()",
            "cur = 3",
            "x = r.sfo",
            "cur = 5",
        ],
        "r.sfo if o == 'SFO' else 0",
    ),
    "a property": (
        [f"{KEEPER}    @property\n    def load(self):\n{WRITES}r = R()", "x = r.load"],
        "r.caps.get(o, 0)",
    ),
    "an operator": (
        [f"{KEEPER}    def __add__(self, o):\n{WRITES}r = R()", "x = r + 1"],
        "r.caps.get(o, 0)",
    ),
    "an inherited item": (
        [
            f"{KEEPER}    def __getitem__(self, o):\n{WRITES}class S(R): pass\nr = S()",
            "x = r['SFO']",
        ],
        "r.caps.get(o, 0)",
    ),
    "a dictionary inside another": (
        ["from collections import defaultdict\nd = {'a': defaultdict(lambda: 3)}", "d['a']['SFO']"],
        "dict(d['a']).get(o, 0)",
    ),
    "instances that a call makes": (
        [
            "class C:\n    made = []\n    def __init__(self, o): self.made.append(o)",
            "x = list(map(C, ['SFO'] * 3))",
        ],
        "C.made.count(o)",
    ),
    "what is printed into a text": (
        ["import io\ntext = io.StringIO()", "print('SFO' * 3, file=text)"],
        "text.getvalue().count(o)",
    ),
    "subclasses": (
        ["class B: pass", "class SFO(B): fee = 3"],
        "sum(c.fee for c in B.__subclasses__() if c.__name__ == o)",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_no_row_of_the_proof_asks_for_is_kept_or_refused(notebook: Any, name: str) -> None:
    cells, value = HIDDEN[name]
    make = f"pl.col('origin').map_elements(lambda o: {value}, return_dtype=pl.Int64)"
    try:
        module = exported(notebook, *cells, f"out = flights.with_columns(cap={make})")
    except ExportRefused:
        return
    other = pl.DataFrame({"day": ["2026-02-01"], "origin": ["SFO"], "delay": [1]})
    assert called(module, "daily", other.lazy()).collect()["cap"].item() == 3


def test_a_setting_of_a_library_reaches_whatever_is_imported_of_it(notebook: Any) -> None:
    with localcontext():  # of this test alone
        module = exported(
            notebook,
            "from decimal import Decimal, getcontext",
            "getcontext().prec = 2",
            "def cut(d): return float(Decimal(d) / 1)",
            "out = flights.with_columns("
            "c=pl.col('delay').map_elements(cut, return_dtype=pl.Float64))",
        )
    assert "getcontext().prec = 2" in module


def test_a_name_that_holds_something_else_is_refused_with_both_values(notebook: Any) -> None:
    notebook.run("caps = {'SFO': 0}")
    with pytest.raises(ExportRefused) as refused:
        exported(
            notebook,
            "get_ipython().user_ns['caps']['SFO'] = 3",
            "out = flights.with_columns(n=pl.col('origin').replace_strict(caps, default=1))",
        )
    assert (refused.value.cell, refused.value.name) == (5, "caps")
    assert '"3" in the notebook, "0" in a clean process' in str(refused.value)
    assert not Path("bundle").exists()


MEMO = (
    "seen = {}\ndef size(o):\n    if o not in seen:\n        seen[o] = len(o)\n    return seen[o]"
)
ORDINARY = {
    "a cache of one's own": [MEMO, "size('LAX')"],
    "calls that are counted": ["n = [0]\ndef size(o):\n    n[0] += 1\n    return len(o)"],
    "a log": ["log = []\ndef size(o):\n    log.append(o)\n    return len(o)"],
    "a group-by whose order nothing says": [
        "pairs = dict(flights.group_by('origin').agg(pl.len()).collect().iter_rows())\n"
        "names = list(pairs)\ndef size(o): return len(o) + 0 * len(names)"
    ],
    "an object that is fitted": [
        "class Fit:\n    def __init__(self, k): self.k = k\n    def fit(self, f):\n"
        "        self.m = f.select(pl.col('delay').mean()).collect().item()\n        return self",
        "fit = Fit(2).fit(flights)\ndef size(o): return int(fit.m * fit.k)",
    ],
}


@pytest.mark.parametrize("name", ORDINARY)
def test_state_that_the_cells_show_is_no_reason_to_refuse(notebook: Any, name: str) -> None:
    make = "pl.col('origin').map_elements(size, return_dtype=pl.Int64)"
    show = ["out.collect()", "out.collect()"]
    exported(notebook, *ORDINARY[name], f"out = flights.with_columns(n={make})", *show)


@pytest.mark.parametrize(
    "shown",
    [
        "pl.read_csv('flights.csv').head()",
        "import os\nos.listdir('.')",
        "import numpy as np\nnp.random.rand(3)",
        "import datetime as dt\ndt.datetime.now()",
    ],
)
def test_what_a_cell_only_shows_is_not_kept(notebook: Any, shown: str) -> None:
    use = "import os, datetime as dt, numpy as np\nn = [os.sep, dt.date.min, np.pi]"
    module = exported(notebook, shown, use, "out = flights.with_columns(n=pl.lit(len(n)))")
    assert shown.split("\n")[-1] not in module


def test_a_value_is_told_without_its_order_and_a_long_one_not_at_all() -> None:
    assert told_of([1, {"a": {2, 3}}]) == told_of([{"a": {3, 2}}, 1])
    assert same(told_of([1.0000000001, "a"]), told_of(["a", 1.0]))
    assert told_of({"a": [1]}) != told_of({"a": [2]})
    long = list(range(100_000))
    assert told_of(long) == told_of(long[::-1]) != told_of([*long[1:], 7])
    assert told_of([[n] for n in long]) is None
    around: list[Any] = []
    around.append(around)
    assert told_of(around) == told_of(around)


BY_HAND = {
    "an environment variable": (
        "import os\nos.environ['MESH_TEST_CAP'] = '7'",
        "os.environ['MESH_TEST_CAP'] = '5'",
        "int(os.environ['MESH_TEST_CAP'])",
        r"`os.environ\['MESH_TEST_CAP'\]`",
    ),
    "an option of pandas": (
        "import pandas as pd\npd.set_option('display.max_rows', 7)",
        "pd.set_option('display.max_rows', 5)",
        "pd.get_option('display.max_rows')",
        "`pandas.options`",
    ),
    "a draw": (
        "import random\nrandom.seed(3)",
        "random.random()",
        "random.randint(1, 1000)",
        "the random generator of random was changed by no cell",
    ),
    "a cached function that was called": (
        "import functools\nbase = [7]\n@functools.cache\ndef cap():\n    return base[0]",
        "base[0] = 5\ncap()\nbase[0] = 7",
        "cap()",
        "`cap` was changed by no cell",
    ),
}


@pytest.mark.parametrize("what", BY_HAND)
def test_what_no_cell_changed_is_refused(
    notebook: Any, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_TEST_CAP", "")  # set back after the test
    make, by_hand, use, said = BY_HAND[what]
    notebook.run(make)
    exec(by_hand, notebook.names)
    capped = (
        f"out = flights.with_columns(c=pl.when(pl.col('delay') > 1000).then({use}).otherwise(0))"
    )
    with pytest.raises(ExportRefused, match=said):
        exported(notebook, capped)
    pd.reset_option("display.max_rows")


CHANGED_BESIDE_ITS_NAME = {
    "a namespace of arguments": (
        "import argparse\nheld = argparse.Namespace(v=1)",
        "held.v = 2",
    ),
    "a value of this thread": (
        "import threading\nheld = threading.local()\nheld.v = 1",
        "held.v = 2",
    ),
    "a template": ("import string\nheld = string.Template('1')", "held.template = '2'"),
    "a message": (
        "from email.message import EmailMessage\nheld = EmailMessage()\nheld['a'] = '1'",
        "held.replace_header('a', '2')",
    ),
    "an element": (
        "import xml.etree.ElementTree as ET\nheld = ET.fromstring('<a><b c=\"1\"/></a>')",
        "held[0].set('c', '2')",
    ),
    "a configuration": (
        "import configparser\nheld = configparser.ConfigParser()\n"
        "held.read_dict({'a': {'b': '1'}})",
        "held.set('a', 'b', '2')",
    ),
    "an event": ("import threading\nheld = threading.Event()", "held.set()"),
    "a random generator": ("import random\nheld = random.Random(3)", "held.random()"),
    "a number of C": ("import ctypes\nheld = ctypes.c_int(1)", "held.value = 2"),
    "an ordered dictionary": (
        "from collections import OrderedDict\nheld = OrderedDict(a=1, b=2)",
        "held.move_to_end('a')",
    ),
    "a dispatching function": (
        "import functools\n@functools.singledispatch\ndef held(v):\n    return 1",
        "held.register(int, print)",
    ),
    "a fitted estimator": (
        "from sklearn.preprocessing import StandardScaler\n"
        "held = StandardScaler().fit([[1.0], [2.0]])",
        "held.mean_[0] = 7",
    ),
    "a database of SQLite in memory": (
        "import sqlite3\nheld = sqlite3.connect(':memory:')\n"
        "held.execute('create table t as select 1 v')",
        "held.execute('update t set v = 2')",
    ),
    "a database of DuckDB in memory": (
        "import duckdb\nheld = duckdb.connect()\nheld.execute('create table t as select 1 v')",
        "held.execute('update t set v = 2')",
    ),
}


@pytest.mark.parametrize("what", CHANGED_BESIDE_ITS_NAME)
def test_what_an_object_of_a_library_holds_is_told(what: str) -> None:
    make, change = CHANGED_BESIDE_ITS_NAME[what]
    names: dict[str, Any] = {}
    other: dict[str, Any] = {}
    exec(make, names)
    exec(make, other)
    before = told_of(names["held"])
    assert same(before, told_of(other["held"]))
    exec(change, names)
    assert not same(before, told_of(names["held"]))
