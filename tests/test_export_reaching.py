"""What a statement reaches that its text does not name: it is kept, or refused with the way out.

On the rows at hand nobody is late by more than 35, so that nothing is written, told or divided.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from notebook import FLIGHTS, Notebook

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.impure import unsteady_in_query
from mesh_notebook.mesh.ordering.queries import Table, asked_of

LATE = pl.LazyFrame({"origin": ["SFO", "JFK"], "day": [3, 4], "delay": [40, 0]})
NOTE = "for d in flights.collect()['delay'].fill_null(1):\n    "
BUFFER = "out = flights.with_columns(n=pl.lit(len(buf.getvalue())))"
LIMIT = "out = flights.filter(pl.col('delay') < lim)"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = list(logging.root.handlers), logging.root.level
    with warnings.catch_warnings():
        yield
    put_back()
    logging.root.handlers[:] = root[0]
    logging.root.setLevel(root[1])


def put_back() -> None:
    """Put back what cells set for the whole process."""
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("late")]:
        logging.root.manager.loggerDict.pop(name)
    if numpy := sys.modules.get("numpy"):
        numpy.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
    if pandas := sys.modules.get("pandas"):
        pandas.options.mode.copy_on_write = False
        pandas.reset_option("display.max_rows")


def ran(rows: pl.LazyFrame, *cells: str) -> Notebook:
    return Notebook(flights=rows).run("import polars as pl", "%mesh source flights", *cells)


def held(*cells: str) -> str:
    """Hold the module of cells to the cells themselves, on other rows; return its text."""
    text = ran(FLIGHTS, *cells, "%mesh output daily out").module("daily").text
    put_back()
    expected = ran(LATE, *cells).names["out"]
    put_back()
    made = sys.modules["transform"] = ModuleType("transform")
    exec(compile(text, "transform.py", "exec"), vars(made))
    frame = made.daily(LATE).collect()
    assert frame.equals(whole(expected)), text
    return text


def whole(frame: Any) -> pl.DataFrame:
    return frame.lazy().collect() if hasattr(frame, "lazy") else pl.from_pandas(frame)


TOLD = {
    "by a logger that got its buffer later": (
        "import io, logging\nlog = logging.getLogger('late.b')\nlog.propagate = False",
        "buf = io.StringIO()\nlog.addHandler(logging.StreamHandler(buf))",
        f"{NOTE}if d > 35: log.warning('%s', d)",
        BUFFER,
    ),
    "by the root logger, in a function": (
        "import io, logging\nbuf = io.StringIO()\n"
        "logging.basicConfig(stream=buf, level='INFO', format='%(message)s', force=True)",
        "def note(d):\n    if d > 35: logging.info(d)",
        f"{NOTE}note(d)",
        BUFFER,
    ),
    "to a handler of one's own": (
        "import logging\nseen = []\nclass Own(logging.Handler):\n"
        "    def emit(self, record): seen.append(record)\nlog = logging.getLogger('late.d')",
        "log.addHandler(Own())",
        f"{NOTE}if d > 35: log.warning('%s', d)",
        "out = flights.with_columns(n=pl.lit(len(seen)))",
    ),
    "by print, to a stream put in place of the screen": (
        "import io, sys\nbuf = io.StringIO()\nold, sys.stdout = sys.stdout, buf\n"
        f"{NOTE}if d > 35: print(d)\nsys.stdout = old",
        BUFFER,
    ),
    "by print, to a stream that a function put there": (
        "import io, sys\nbuf = io.StringIO()\ndef swap(to):\n    old = sys.stdout\n"
        f"    sys.stdout = to\n    return old\nold = swap(buf)\n{NOTE}if d > 35: print(d)\n"
        "sys.stdout = old",
        BUFFER,
    ),
}


@pytest.mark.parametrize("what", TOLD)
def test_what_is_told_to_a_name_of_the_notebooks_is_kept(what: str) -> None:
    held(*TOLD[what])


def test_a_logger_that_tells_only_the_screen_keeps_its_setting_up_out_of_the_module() -> None:
    text = held(
        "import logging, sys\ndef set_up():\n    root = logging.getLogger()\n"
        "    root.addHandler(logging.StreamHandler(sys.stderr))\nset_up()\n"
        "log = logging.getLogger('late.f')\nlog.propagate = False",
        "log.info('%s rows', flights.collect().height)\nprint('read', flush=True)",
        "def clean(rows):\n    log.info('cleaning')\n    return rows.filter(pl.col('delay') > 0)",
        "out = clean(flights)",
    )
    assert "set_up" not in text
    assert "propagate" not in text


WRITTEN = {
    "the module of the notebook": ("import __main__", "__main__.lim = 5"),
    "that module by its name": ("import sys", "setattr(sys.modules['__main__'], 'lim', 5)"),
    "a key that is worked out": ("", "globals()['l' + 'im'] = 5"),
    "names under another name": ("g = globals()", "g['lim'] = 5"),
    "names in a list": ("held = [globals()]", "held[0]['lim'] = 5"),
    "names handed to a function": ("def put(s):\n    s['lim'] = 5", "put(globals())"),
    "names of the frame around": (
        "import inspect\ndef low():\n    inspect.currentframe().f_back.f_globals['lim'] = 5",
        "low()",
    ),
    "a text that is run": ("", "exec('lim = 5')"),
}


@pytest.mark.parametrize("what", WRITTEN)
def test_a_write_to_a_name_that_the_text_does_not_tell_is_refused(what: str) -> None:
    first, write = WRITTEN[what]
    notebook = ran(FLIGHTS, f"lim = 1000\n{first}", f"{NOTE}if d > 35: {write}", LIMIT)
    notebook.run("%mesh output daily out")
    with pytest.raises(ExportRefused, match="names") as refused:
        notebook.module("daily")
    assert refused.value.next_step


def test_names_that_are_looked_at_or_made_by_a_part_of_their_own_hinder_no_export() -> None:
    held(
        "n = flights.collect().height\nprint('lim' in globals(), '{n} rows'.format(**locals()))",
        "for o in flights.collect()['origin'].unique():\n"
        "    globals()[f'from_{o}'] = flights.filter(pl.col('origin') == o)",
        "from types import SimpleNamespace\nbox = SimpleNamespace(n=0)",
        f"{NOTE}vars(box)['n'] = d",
        "out = flights.filter(pl.col('delay') > 3)",
    )


SET = {
    "how pandas copies, entered by hand": (
        "import pandas as pd\nhow = pd.option_context('mode.copy_on_write', True)\nhow.__enter__()",
        "df = flights.collect().to_pandas()\ns = df['delay']\ns[s > 35] = 1",
        "out = df",
    ),
    "what numpy does about a division by nothing": (
        "import numpy as np\nnp.seterr(all='raise')",
        "a = flights.collect()['delay'].fill_null(1).to_numpy()\ntry: v = float((1 / a).sum())\n"
        "except FloatingPointError: v = -1.0",
        "out = flights.with_columns(v=pl.lit(v))",
    ),
    "the same, of arrays in a list": (
        "import numpy as np\nheld = [flights.collect()['delay'].fill_null(1).to_numpy()]",
        "np.seterr(divide='raise')",
        "try: v = max(float((1 / a).sum()) for a in held)\nexcept FloatingPointError: v = -1.0",
        "out = flights.with_columns(v=pl.lit(v))",
    ),
}


@pytest.mark.parametrize("what", SET)
def test_what_is_set_in_a_library_is_kept_for_all_that_reaches_it(what: str) -> None:
    held(*SET[what])


def test_how_a_library_writes_values_is_kept_out_of_what_only_computes() -> None:
    text = held(
        "import pandas as pd\npd.set_option('display.max_rows', 5)",
        "out = flights.collect().to_pandas()[['day']]",
    )
    assert "max_rows" not in text


SILENT = {
    "a subscript of a class": (
        "class Box:\n    seen = {}\n    def __class_getitem__(cls, k):\n"
        "        cls.seen[k] = 1\n        return cls",
        "Box[d]",
        "len(Box.seen)",
    ),
    "a subscript of an object in a list": (
        "class Box:\n    def __init__(self): self.seen = []\n"
        "    def __getitem__(self, k): self.seen.append(k)\nboxes = [Box()]",
        "boxes[0][d]",
        "len(boxes[0].seen)",
    ),
    "the way into an object in a dictionary": (
        "class Box:\n    def __init__(self): self.seen = []\n"
        "    def __enter__(self): self.seen.append(1)\n    def __exit__(self, *why): pass\n"
        "held = {'box': Box()}",
        "\n        with held['box']: pass",
        "len(held['box'].seen)",
    ),
}


@pytest.mark.parametrize("what", SILENT)
def test_code_of_ones_own_that_runs_unasked_is_kept(what: str) -> None:
    first, act, use = SILENT[what]
    held(first, f"{NOTE}if d > 35: {act}", f"out = flights.with_columns(n=pl.lit({use}))")


def test_sql_that_answers_approximately_is_refused_with_what_is_exact() -> None:
    for call in (
        *("approx_quantile(v, 0.3)", "reservoir_quantile(v, 0.3)", "v.approx_quantile(0.3)"),
        "list_aggregate(list(v), 'approx_quantile', 0.3)",
    ):
        found = unsteady_in_query(f"SELECT {call} FROM t")
        assert found is not None, call
        assert "quantile_cont" in found.fix
    assert unsteady_in_query("SELECT approx_top_k(v, 3) FROM t")
    assert unsteady_in_query("SELECT * FROM (SUMMARIZE t)")
    assert (
        unsteady_in_query("SELECT quantile_cont(v, 0.3), approx_count_distinct(v) FROM t") is None
    )


def test_relations_whose_text_asks_for_an_approximation_are_refused() -> None:
    notebook = ran(
        FLIGHTS,
        "import duckdb\nrows = flights.collect()",
        "out = duckdb.sql('SELECT * FROM rows').aggregate('approx_quantile(delay, 0.3) AS q').pl()",
        "%mesh output daily out",
    )
    with pytest.raises(ExportRefused, match="answers approximately"):
        notebook.module("daily")


def test_the_newer_aggregates_take_values_by_the_order_of_the_rows_as_well() -> None:
    table = {"t": Table(("k", "a"), frozenset({frozenset({"k"})}))}
    assert asked_of("SELECT arg_max_null(k, a) FROM t", table).faults
    assert not asked_of("SELECT arg_max_null(a, k) FROM t", table).faults
    assert asked_of("SELECT lttb(a, k, 3 ORDER BY a) FROM t", table).faults
