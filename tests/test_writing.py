"""The module is plain Python that a person would have written: no magics, no traces of us."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from notebook import Notebook
from polars.testing import assert_frame_equal

from mesh_notebook.export.text import indented, statements_of

START = "import polars as pl\n%mesh source flights"


def written(*cells: str, ports: tuple[str, ...] = ("daily",)) -> str:
    """Run cells that declare ports; return the module, which makes the same frames."""
    notebook = Notebook().run(START, *cells)
    for port in ports:
        others = [p for p in ports if p != port]
        assert_frame_equal(
            notebook.remade(port, *others), notebook.saw(port), check_row_order=False
        )
    return notebook.module(*ports).text


def test_the_module_reads_as_if_written_by_hand() -> None:
    text = written(
        "import altair as alt\nfrom datetime import date",
        "%mesh source weather",
        "THRESHOLD = 15  # minutes",
        "def late(frame):\n    # as the airline counts it\n"
        "    return frame.filter(pl.col('delay') > THRESHOLD)",
        "# only what was late\nlate_flights = late(flights)\nprint(late_flights.collect())",
        "%%mesh sql counts\nSELECT origin, count(*) AS n\nFROM late_flights\nGROUP BY ALL",
        "joined = counts.join(\n    weather.collect(),   # the wind\n    on='origin')",
        "%mesh output daily joined",
    )
    assert (
        text
        == '''\
"""Airport delays."""

import duckdb
import polars as pl

THRESHOLD = 15  # minutes


def late(frame: pl.LazyFrame) -> pl.LazyFrame:
    # as the airline counts it
    return frame.filter(pl.col("delay") > THRESHOLD)


def _sql(query: str, /, **tables: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """Run one query over frames, by DuckDB, in UTC."""
    with duckdb.connect(
        config={"python_enable_replacements": "false", "enable_external_access": "false"}
    ) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        for name, table in tables.items():
            connection.register(name, table.lazy().collect().to_struct())
        return pl.DataFrame(connection.sql(query).materialize())


def daily(flights: pl.LazyFrame, weather: pl.LazyFrame) -> pl.LazyFrame:
    """Delays by day."""
    # only what was late
    late_flights = late(flights)
    counts = _sql(
        """
        SELECT origin, count(*) AS n
        FROM late_flights
        GROUP BY ALL
        """,
        late_flights=late_flights,
    )
    joined = counts.join(
        weather.collect(),  # the wind
        on="origin",
    )
    return joined.lazy()
'''
    )


def test_the_module_has_no_magics_and_needs_nothing_of_ours() -> None:
    text = written(
        "%time late = flights.filter(pl.col('delay') > 1)",
        "%precision 3\nout = mesh.source('weather').join(late, on='origin')",
        "%mesh output daily out",
    )
    assert "mesh" not in text
    assert "get_ipython" not in text


def test_the_module_is_lint_clean_and_typed_at_its_edges() -> None:
    text = written("import os, sys\nout = flights.head(len(os.sep))", "%mesh output daily out")
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "-"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout.decode()
    assert "def daily(flights: pl.LazyFrame) -> pl.LazyFrame:" in text
    assert "import os\n" in text
    assert "sys" not in text


def test_there_is_one_function_for_each_port_and_what_they_share_stands_once() -> None:
    text = written(
        "LIMIT = 1\ndef late(frame):\n    return frame.filter(pl.col('delay') > LIMIT)",
        "%mesh source weather",
        "a = late(flights)\n%mesh output late-flights a",
        "b = late(flights).join(weather, on='origin').collect()\n%mesh output windy b",
        ports=("late-flights", "windy"),
    )
    functions = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    assert functions == ["late", "late_flights", "windy"]
    assert text.count("LIMIT = 1") == 1


def test_a_function_that_was_defined_anew_between_ports_stands_in_each() -> None:
    define = "def first(frame):\n    return frame.head({})"
    text = written(
        define.format(1),
        "a = first(flights)\n%mesh output one a",
        define.format(2),
        "b = first(flights)\n%mesh output two b",
        ports=("one", "two"),
    )
    assert text.count("def first") == 2


def test_a_function_whose_global_changes_stands_inside() -> None:
    text = written(
        "limit = 1\ndef first(frame):\n    return frame.head(limit)",
        "a = first(flights).collect()",
        "limit = 2",
        "out = pl.concat([a, first(flights).collect()])\n%mesh output daily out",
    )
    assert "    def first" in text


def test_a_global_of_the_notebook_is_a_nonlocal_of_the_function() -> None:
    text = written(
        "def count():\n    global n\n    n = 2\n    return n",
        "count()\nout = flights.head(n)\n%mesh output daily out",
    )
    assert "nonlocal n" in text


# ---- names that meet ---------------------------------------------------------------------------


def test_a_local_named_like_its_port_is_no_trouble() -> None:
    written("daily = flights.head(2)", "%mesh output daily daily")


def test_a_function_named_like_a_port_stays_inside() -> None:
    text = written(
        "def daily(f):\n    return f.head(1)\nout = daily(flights)\n%mesh output daily out"
    )
    assert "    def daily(f: pl.LazyFrame) -> pl.LazyFrame:" in text


def test_a_name_of_the_helpers_is_left_to_the_notebook() -> None:
    text = written(
        "_sql = 2",
        "%%mesh sql out\nSELECT * FROM flights",
        "out = out.head(_sql)\n%mesh output daily out",
    )
    assert "def _sql_2(" in text


def test_an_input_named_like_an_import_is_no_trouble() -> None:
    notebook = Notebook(pl=Notebook().frames["weather"])
    notebook.run(
        "import polars as pl\n%mesh source flights\nlate = flights.filter(pl.col('day') > 1)"
    )
    notebook.run("%mesh source pl", "out = late.join(pl, on='origin')", "%mesh output daily out")
    assert_frame_equal(notebook.remade(), notebook.saw(), check_row_order=False)


def test_an_input_whose_name_meant_something_before_gets_a_name_beside_it() -> None:
    text = written(
        "weather = 2\nfew = flights.head(weather)",
        "%mesh source weather",
        "out = few.join(weather, on='origin')\n%mesh output daily out",
    )
    assert "weather_input: pl.LazyFrame" in text
    assert "    weather = weather_input\n" in text


def test_two_names_of_one_input_are_one_parameter() -> None:
    text = written(
        "%mesh source again flights",
        "out = flights.join(again, on='day')\n%mesh output daily out",
    )
    assert "def daily(flights: pl.LazyFrame)" in text
    assert "    again = flights\n" in text


def test_one_name_of_two_inputs_is_two_parameters() -> None:
    text = written(
        "frame = mesh.source('flights')\nleft = frame.filter(pl.col('delay') > 1)",
        "frame = mesh.source('weather')",
        "out = left.join(frame, on='origin')\n%mesh output daily out",
    )
    assert "def daily(frame: pl.LazyFrame, frame_input: pl.LazyFrame)" in text


def test_an_input_that_is_bound_again_after_a_change_is_the_input_again() -> None:
    text = written(
        "flights = flights.head(1)\nfirst = flights.collect()",
        "%mesh source flights",
        "out = pl.concat([first, flights.collect()])\n%mesh output daily out",
    )
    assert "def daily(flights_input: pl.LazyFrame)" in text


def test_a_builtin_that_is_hidden_later_is_the_builtin_before() -> None:
    text = written("sum = sum([1, 1])\nout = flights.head(sum)\n%mesh output daily out")
    assert "    sum = builtins.sum\n" in text


# ---- what a frame is returned as ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "returned"),
    [
        ("flights.head(2)", "return out\n"),
        ("flights.collect()", "return out.lazy()\n"),
        ("flights.collect().to_pandas()", "return pl.from_pandas(out).lazy()\n"),
    ],
)
def test_every_kind_of_frame_is_returned_as_a_lazy_one(made: str, returned: str) -> None:
    assert returned in written(f"out = {made}\n%mesh output daily out")


def test_an_input_may_be_served_as_it_is() -> None:
    assert "    return flights\n" in written("%mesh output daily flights")


def test_a_query_over_a_pandas_frame_takes_it_as_it_is() -> None:
    text = written(
        "wide = flights.collect().to_pandas()",
        "%%mesh sql out\nSELECT w.origin, sum(w.day) AS days FROM wide w, flights GROUP BY ALL",
        "%mesh output daily out",
    )
    assert "import pandas as pd" in text


# ---- text --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        'SELECT \'it\'\'s\' AS a, \'\\n\' AS b, """q""".day FROM flights AS """q"""',
        "SELECT 'two\n  lines' AS a FROM flights",
        "SELECT origin -- a comment; with a semicolon\nFROM flights\nWHERE origin LIKE '%K' ;\n\n",
        'SELECT day AS "day; \\ ""quoted""" FROM flights',
        "  SELECT\n\tday\n    FROM flights",
        "FROM flights SELECT '\t' AS tab,\n  '{day}' AS braces",
    ],
)
def test_a_query_keeps_its_meaning_whatever_is_in_it(query: str) -> None:
    written(f"%%mesh sql out\n{query}", "%mesh output daily out")


def test_strings_of_several_lines_are_not_indented() -> None:
    text = 'a = """x\n  y\n"""\nif a:\n    b = f"""{\na}\n z"""'
    assert indented(text) == ('    a = """x\n  y\n"""\n    if a:\n        b = f"""{\na}\n z"""')


def test_statements_take_the_comments_above_and_behind_them_along() -> None:
    code = (
        "# far\n\n# near\n# and nearer\na = 1  # behind\n"
        "b = '#'; c = 2  # of c\n@d  # deco\ndef f(): ...\n"
    )
    assert [text for _, text in statements_of(code)] == [
        "# near\n# and nearer\na = 1  # behind",
        "b = '#'",
        "c = 2  # of c",
        "@d  # deco\ndef f(): ...",
    ]


def test_positions_are_right_behind_letters_of_several_bytes() -> None:
    assert [t for _, t in statements_of("é = 'ü€'; b = 'ß'  # ä")] == ["é = 'ü€'", "b = 'ß'  # ä"]


def test_each_line_of_the_module_is_traced_to_its_cell() -> None:
    notebook = Notebook().run(
        START,
        "def two():\n    return 2",
        "few = flights.head(\n    two())",
        "out = few.select(pl.col('day'))\n%mesh output daily out",
    )
    module = notebook.module()
    lines = module.text.splitlines()
    found = {
        text.strip(): getattr(module.statement_at(number), "cell", None)
        for number, text in enumerate(lines, start=1)
    }
    assert found["return 2"].label == "In[2]"
    assert found["few = flights.head(two())"].label == "In[3]"
    assert found['out = few.select(pl.col("day"))'].label == "In[4]"
    assert found["import polars as pl"].label == "In[1]"
