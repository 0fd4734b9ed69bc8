"""What a result may owe to what stands under no name: equal in the module, or refused."""

from __future__ import annotations

import locale
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from notebook import Notebook
from test_export_hostile import exported

from mesh_notebook.errors import DeployRefused, ExportRefused
from mesh_notebook.export.state import told_of
from mesh_notebook.mesh.inputs import ReplayInput
from mesh_notebook.mesh.replay import ReplayFailed, replay, replay_twice

pytestmark = pytest.mark.proofs

START = "import polars as pl\n%mesh source flights"
LONG = "str(pl.DataFrame({'v': range(60)}))"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Put back what is of the whole process: in another locale, others read no letter but ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    mock.patch.stopall()
    pl.Config.restore_defaults()
    locale.setlocale(locale.LC_ALL, before)


def kept(*cells: str) -> list[str]:
    return Notebook().run(START, *cells, "%mesh output daily out").kept()


def refused(*cells: str) -> str:
    with pytest.raises(ExportRefused) as caught:
        Notebook().run(START, *cells, "%mesh output daily out").kept()
    return str(caught.value)


# ---- how frames are written -------------------------------------------------------------------

SETTING = {
    "a method": ("pl.Config.set_tbl_rows(4)",) * 2,
    "an option": ("cfg = pl.Config(tbl_rows=4)",) * 2,
    "a function": ("def few():\n    pl.Config.set_tbl_rows(4)\nfew()", "few()"),
    "a class that is imported": ("from polars import Config\nConfig.set_tbl_rows(4)",) * 2,
    "a variable": ("import os\nos.environ['POLARS_FMT_MAX_ROWS'] = '4'",) * 2,
}
TEXTS = {
    "str": f"text = {LONG}",
    "a text with a place for it": "text = f\"{pl.DataFrame({'v': range(60)})}\"",
    "a format of old": "text = '%s' % pl.DataFrame({'v': range(60)})",
    "a function": f"def told():\n    return {LONG}\ntext = told()",
    "a map": "text = list(map(repr, [pl.DataFrame({'v': range(60)})]))[0]",
    "a method found by its name": (
        "import operator\ntext = operator.methodcaller('__str__')(pl.DataFrame({'v': range(60)}))"
    ),
}


@pytest.mark.parametrize("how", SETTING)
def test_how_frames_are_written_is_kept_with_a_text_of_one(how: str) -> None:
    cell, line = SETTING[how]
    steps = kept(cell, f"text = {LONG}", "out = flights.with_columns(t=pl.lit(text))")
    assert line.splitlines()[-1] in steps


@pytest.mark.parametrize("how", TEXTS)
def test_whatever_makes_the_text_is_seen(how: str) -> None:
    steps = kept(
        "pl.Config.set_tbl_rows(4)", TEXTS[how], "out = flights.with_columns(t=pl.lit(text))"
    )
    assert "pl.Config.set_tbl_rows(4)" in steps


def test_how_frames_are_written_stays_out_where_numbers_and_times_become_texts() -> None:
    steps = kept(
        "pl.Config.set_tbl_rows(4)",
        "import datetime as dt\nday = dt.date(2026, 1, 1)\nmost = 7",
        "text = f'{day} {most}' + str(most)",
        "out = flights.with_columns(t=pl.lit(text))",
    )
    assert "pl.Config.set_tbl_rows(4)" not in steps


# ---- what no cell changed ---------------------------------------------------------------------

BY_HAND = {
    "how frames are written": ("1", "pl.Config.set_tbl_rows(4)", f"len({LONG})", r"pl\.Config"),
    "a mock": (
        "import math",
        "mock.patch('math.floor', lambda v: 50).start()",
        "math.floor(9.5)",
        "what a library holds was changed by no cell",
    ),
    "the locale": (
        "import locale\n_ = locale.setlocale(locale.LC_ALL, 'C')",
        "locale.setlocale(locale.LC_COLLATE, 'C.UTF-8')",
        "len(locale.setlocale(locale.LC_COLLATE))",
        "the locale was changed by no cell",
    ),
    "a class that is registered": (
        "import collections.abc\nclass Box:\n    pass",
        "collections.abc.Sized.register(Box)",
        "50 if issubclass(Box, collections.abc.Sized) else 9",
        r"`collections\.abc\.Sized`",
    ),
    "the order of a dictionary": (
        "held = {'k': {'a': 9, 'b': 50}}",
        "held['k']['a'] = held['k'].pop('a')",
        "[*held['k'].values()][0]",
        "`held`.*'b'.*'a'",
    ),
}


@pytest.mark.parametrize("what", BY_HAND)
def test_what_no_cell_changed_is_refused(notebook: Any, what: str) -> None:
    make, by_hand, use, said = BY_HAND[what]
    notebook.run(make)
    notebook.names["mock"] = mock
    exec(by_hand, notebook.names)
    use = f"out = flights.with_columns(c=pl.when(pl.col('delay') > 1000).then({use}).otherwise(0))"
    with pytest.raises(ExportRefused, match=said):
        exported(notebook, use)


def test_a_mock_that_a_cell_leaves_on_is_refused() -> None:
    said = refused(
        "import math\nfrom unittest.mock import patch\nfake = patch('math.floor', lambda v: 50)",
        "fake.start()",
        "out = flights.head(math.floor(2.5))",
    )
    assert "`fake.start` replaces a function of a library" in said
    assert math.floor(2.5) == 50


def test_dictionaries_in_another_order_are_told_alike_but_for_that() -> None:
    from mesh_notebook.export.state import reordered, same

    one, other = told_of({"a": 1, "b": [{"c": 1, "d": 2}]}), told_of({"b": [{"d": 2, "c": 1}]})
    again = told_of({"b": [{"d": 2, "c": 1}], "a": 1})
    assert same(one, again)
    assert not same(one, other)
    assert reordered(one, again, {"'a'", "'b'"}) == (["'a'", "'b'"], ["'b'", "'a'"])
    assert reordered(one, again, {"'a'"}) is None  # of what comes of rows nobody knows the order


# ---- cells that their rows stop ---------------------------------------------------------------

STOPS = {
    "an assertion": "assert flights.collect()['delay'].max() > 1000",
    "an error of its own": (
        "class Late(Exception):\n    pass\nif flights.collect().height < 1000:\n    raise Late()"
    ),
    "a value": "low = min(v for v in flights.collect()['delay'] if (v or 0) > 1000)",
    "a value that is not there": "low = max(flights.collect()['delay'].to_list())",
    "a division": "share = 1 / flights.filter(pl.col('delay') > 1000).collect().height",
    "an item": "late = flights.filter(pl.col('delay') > 1000).collect()['delay'].to_list()[0]",
    "a row": "late = flights.filter(pl.col('delay') > 1000).collect().row(0)",
}
GOES_ON = {
    "a name that is misspelt": "most = flight.collect()",
    "a column that is not there": "most = flights.select('dela').collect()",
    "a text that is written out": "most = float('x')",
}


def stopped(stop: str, *more: str) -> Notebook:
    shown = Notebook().run(START)
    shown.fail(f"lim = 50\n{stop}\nlim = 1000")
    return shown.run(*more, "out = flights.filter(pl.col('delay') < lim)", "%mesh output daily out")


@pytest.mark.parametrize("what", STOPS)
def test_what_other_rows_would_let_run_is_refused(what: str) -> None:
    with pytest.raises(ExportRefused, match=r"which is up to the rows.*may change `lim`"):
        stopped(STOPS[what]).kept()


@pytest.mark.parametrize("what", GOES_ON)
def test_what_stops_a_cell_on_all_rows_is_taken_as_it_ran(what: str) -> None:
    assert "lim = 50" in stopped(GOES_ON[what]).kept()


def test_a_name_that_a_later_cell_binds_owes_nothing_to_the_cell_that_stopped() -> None:
    assert "lim = 60" in stopped(STOPS["an assertion"], "lim = 60").kept()


def test_what_stops_a_cell_may_be_what_would_have_bound_the_name() -> None:
    shown = Notebook().run(START, "lim = 50")
    shown.fail("lim = flights.filter(pl.col('delay') > 1000).collect()['delay'].to_list()[0]")
    shown.run("out = flights.filter(pl.col('delay') < lim)", "%mesh output daily out")
    with pytest.raises(ExportRefused, match="may change `lim`"):
        shown.kept()


# ---- words for which the clock is read --------------------------------------------------------

WORDS = """
import numpy as np
import pandas as pd
import polars as pl
def series(days): return pd.to_datetime(days.collect()["day"].to_pandas())
def formats(days): return pd.to_datetime(days.collect()["day"].to_pandas(), format="%Y-%m-%d")
def stamp(days): return [pd.Timestamp(day) for day in days.collect()["day"]]
def array(days): return np.array(days.collect()["day"].to_list(), dtype="datetime64[D]")
def label(days): return pd.to_datetime(days.collect()["plain"].to_pandas())
"""
PARSING = ("series", "formats", "stamp", "array")


def parses(step: str, word: str, folder: Path) -> pl.DataFrame:
    """Run one way of parsing in a clean process; NumPy's stand in the module by themselves."""
    lines = WORDS.strip().splitlines()
    defined = "\n".join(line for line in lines if "def " not in line or f"def {step}(" in line)
    made = f"def daily(days): return pl.DataFrame({{'n': [len({step}(days))]}})"
    (folder / "transform.py").write_text(f"{defined}\n{made}\n")
    rows = pl.LazyFrame({"day": ["2026-01-01", word], "plain": ["2026-01-01", "2026-01-02"]})
    given = {"days": ReplayInput(rows)}
    return pl.read_ipc(replay(folder / "transform.py", ["daily"], given, folder)["daily"])


@pytest.mark.parametrize("step", PARSING)
def test_a_word_in_the_data_for_which_the_clock_is_read_is_refused(
    step: str, tmp_path: Path
) -> None:
    with pytest.raises(ReplayFailed) as failed:
        parses(step, "today", tmp_path)
    assert failed.value.reached == "reads the clock, for the word 'today' in its data"


@pytest.mark.parametrize(("step", "word"), [("label", "now"), ("stamp", "2026-01-02")])
def test_a_word_that_is_not_parsed_is_a_word(step: str, word: str, tmp_path: Path) -> None:
    assert parses(step, word, tmp_path).item() == 2


def test_a_word_that_comes_later_is_not_deployed(notebook: Any, tmp_path: Path) -> None:
    rows = "day,origin,said\n2026-01-01,EWR,2026-01-01 x\n"
    (tmp_path / "said.csv").write_text(rows)
    module = exported(
        notebook,
        "%mesh source said said.csv",
        "import pandas as pd\ndf = said.collect().to_pandas()\n"
        "df['said'] = pd.to_datetime(df['said'].str.split().str[0]).dt.date\n"
        "df['day'] = df['day'].dt.date",
        "out = df",
    )
    assert "pd.to_datetime" in module
    (tmp_path / "said.csv").write_text(rows.replace("2026-01-01 x", "today x"))
    with pytest.raises(DeployRefused, match="reads the clock, for the word 'today'"):
        notebook.run("%mesh deploy bundle")


# ---- codes, and the order of sets on other rows -----------------------------------------------


def test_codes_of_categories_are_refused_and_those_of_an_enum_are_not() -> None:
    texts = "pl.col('origin').cast(pl.Categorical)"
    for code in (f"{texts}.to_physical()", f"{texts}.cat.physical()"):
        assert "numbers texts in the order" in refused(f"out = flights.with_columns(c={code})")
    named = "pl.col('origin').cast(pl.Enum(['SFO', 'JFK', 'EWR'])).to_physical()"
    days = "pl.col('day').to_physical()"
    assert kept(f"out = flights.with_columns(c={named}, d={days})")


SETS = """
import pandas as pd
import polars as pl
def daily(flights):
    table = flights.collect().to_pandas()
    kinds = table.groupby("origin")["kind"].apply(set)
    return pl.from_pandas(table.assign(c=table["origin"].map({})))
"""


@pytest.mark.parametrize(
    ("use", "parts"), [("kinds.apply(list).str[0]", True), ("kinds.apply(min)", False)]
)
def test_the_order_of_a_set_is_asked_on_rows_that_fill_it(
    use: str, parts: bool, tmp_path: Path
) -> None:
    rows = pl.LazyFrame({"origin": ["EWR", "JFK", "EWR"], "kind": ["a"] * 3, "delay": [1, 5, 7]})
    (tmp_path / "transform.py").write_text(SETS.format(use))
    given = {"flights": ReplayInput(rows)}
    twice = replay_twice(tmp_path / "transform.py", ["daily"], given, tmp_path)
    assert bool(twice.parted) is parts
