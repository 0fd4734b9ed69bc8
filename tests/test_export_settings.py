"""What a cell sets and another one meets: kept with the frame that it may change, or refused."""

from __future__ import annotations

from typing import Any

import pytest
from test_export_hostile import exported

from mesh_notebook.errors import ExportRefused

pytestmark = pytest.mark.proofs


SET = {
    "a filter of warnings": (
        "import warnings\nold = list(warnings.filters)",
        "warnings.simplefilter('error')",
        "1",
    ),
    "the first day of a week": (
        "import calendar",
        "calendar.setfirstweekday(6)",
        "len(calendar.monthcalendar(2026, 11))",
    ),
    "a handler of errors": (
        "import codecs",
        "codecs.register_error('dash', lambda e: ('-', e.end))",
        "len(b'a'.decode('ascii', 'dash'))",
    ),
    "the precision, under a name of its own": (
        "import decimal\nfrom decimal import Decimal\na, b = Decimal(1), Decimal(3)\n"
        "ctx = decimal.getcontext()",
        "ctx.prec = 3",
        "str(a / b)",
    ),
    "how decimals are rounded, in a function": (
        "from decimal import ROUND_UP, Decimal, getcontext\n"
        "def up():\n    mine = getcontext()\n    mine.rounding = ROUND_UP",
        "up()",
        "str(round(Decimal('2.61'), 1))",
    ),
    "the first day of a week, by the function alone": (
        "from calendar import setfirstweekday, weekheader",
        "setfirstweekday(6)",
        "weekheader(2)[:2]",
    ),
    "how an array is written": (
        "import numpy as np",
        "old = np.set_printoptions(precision=2)",
        "len(str(np.array([1.23456])))",
    ),
    "what a division by nothing is": (
        "import numpy as np",
        "old = np.seterr(divide='raise')",
        "int(np.float64(4) / 2)",
    ),
}


@pytest.mark.parametrize("what", SET)
def test_what_a_cell_sets_for_those_after_it_is_kept(notebook: Any, what: str) -> None:
    imports, sets, use = SET[what]
    try:
        capped = f"out = flights.with_columns(c=pl.lit({use}))"
        assert sets in exported(notebook, imports, sets, capped).replace('"', "'")
    finally:
        notebook.run("import warnings, calendar, numpy as np\nwarnings.simplefilter('default')")
        notebook.run("calendar.setfirstweekday(0)\nnp.set_printoptions(precision=8)")
        notebook.run("import decimal\ndecimal.setcontext(decimal.Context())")
        notebook.run("_ = np.seterr(divide='warn')")


def test_a_filter_that_only_hides_warnings_is_not_kept(notebook: Any) -> None:
    module = exported(
        notebook, "import warnings\nwarnings.filterwarnings('ignore')", "out = flights.head(3)"
    )
    assert "warnings" not in module


def test_a_cached_function_of_another_cell_is_kept(notebook: Any) -> None:
    module = exported(
        notebook,
        "import functools\n@functools.lru_cache\ndef up(s):\n    return s.upper()",
        "print(up('jfk'))",
        "out = flights.with_columns(u=pl.col('origin').map_elements(up, return_dtype=pl.String))",
    )
    assert "lru_cache" in module


def test_a_date_that_is_completed_from_today_is_refused_with_the_default_to_give(
    notebook: Any,
) -> None:
    notebook.run("from dateutil import parser")
    use = "out = flights.with_columns(d=pl.lit(parser.parse('3 March 2024').date()))"
    with pytest.raises(ExportRefused, match="reads the clock") as refused:
        exported(notebook, use)
    assert "default=datetime(" in str(refused.value)


def test_an_accessor_that_a_cell_registers_is_kept(notebook: Any) -> None:
    module = exported(
        notebook,
        "import pandas as pd",
        "@pd.api.extensions.register_dataframe_accessor('late')\nclass Late:\n"
        "    def __init__(self, frame): self.frame = frame\n"
        "    def most(self): return self.frame['delay'].max()",
        "df = flights.collect().to_pandas()\ndf['day'] = df['day'].dt.date",
        "out = df.assign(most=df.late.most())",
    )
    assert "register_dataframe_accessor" in module


QUERY = "SELECT day, origin, sum(delay) AS n FROM few GROUP BY day, origin"
KEPT = {
    "the SQL of Polars": (
        "few = flights.head(2)",
        f"out = pl.sql('{QUERY}').sort('day', 'origin')",
    ),
    "in a function that is given its table": (
        f"def counted(few):\n    return pl.sql('{QUERY}')",
        "out = counted(flights).sort('day', 'origin')",
    ),
    "the keys of rows of which one is kept": (
        "days = sorted(flights.collect().unique('day')['day'])",
        "out = flights.filter(pl.col('day').is_in(days))",
    ),
}


@pytest.mark.parametrize("what", KEPT)
def test_what_a_clean_process_repeats_is_exported(notebook: Any, what: str) -> None:
    exported(notebook, *KEPT[what])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("out = pl.sql('SELECT * FROM flights LIMIT 1')", "LIMIT takes rows by their place"),
        ("out = pl.sql('SELECT ' + ', '.join(flights.columns) + ' FROM flights')", "made while"),
        ("q = lambda: pl.sql('SELECT * FROM flights')\nout = q()", "the notebook's names"),
    ],
)
def test_the_sql_of_polars_is_refused_where_a_clean_process_may_see_something_else(
    notebook: Any, made: str, said: str
) -> None:
    with pytest.raises(ExportRefused, match=said):
        exported(notebook, made)


def test_a_slider_that_was_moved_by_hand_is_named_with_the_value_to_write_down(
    notebook: Any,
) -> None:
    pytest.importorskip("ipywidgets")
    notebook.run("import ipywidgets\nleast = ipywidgets.IntSlider(value=0, max=100)")
    notebook.by_hand("least.value = 7")
    with pytest.raises(ExportRefused, match=r"`least`.* was moved by hand") as refused:
        exported(notebook, "out = flights.with_columns(c=pl.lit(least.value))")
    assert "x = 7" in refused.value.next_step
