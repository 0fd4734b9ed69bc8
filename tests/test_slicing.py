"""The slice is the least code that makes an output, or there is none and the reason is said."""

from __future__ import annotations

import pytest
from notebook import Notebook
from polars.testing import assert_frame_equal

from mesh_notebook.errors import ExportRefused

START = "import polars as pl\n%mesh source flights"


def sliced(*cells: str) -> Notebook:
    """Run cells, then declare `out` as the port `daily`; what is written makes the same frame."""
    notebook = Notebook().run(START, *cells, "%mesh output daily out")
    assert_frame_equal(notebook.remade(), notebook.saw(), check_row_order=False)
    return notebook


def refused(notebook: Notebook) -> ExportRefused:
    with pytest.raises(ExportRefused) as caught:
        notebook.module("daily")
    return caught.value


# ---- what falls away ---------------------------------------------------------------------------


def test_plots_prints_and_displays_fall_away() -> None:
    notebook = sliced(
        "import altair as alt",
        "late = flights.filter(pl.col('delay') > 10)",
        "alt.Chart(late.collect()).mark_bar().encode(x='origin')",
        "print(late.collect())\nlate.collect()\nlate",
        "%precision 3",
        "mesh.check()",
        "out = late.select('origin')\nout.collect().head()",
    )
    assert notebook.kept() == [
        "import polars as pl",
        "late = flights.filter(pl.col('delay') > 10)",
        "out = late.select('origin')",
    ]


def test_an_experiment_on_the_side_falls_away() -> None:
    notebook = sliced(
        "trial = flights.collect().to_pandas()\ntrial['x'] = 1\ntrial = trial.head()",
        "names = []\nfor column in flights.collect_schema():\n    names.append(column)",
        "out = flights.head(2)",
    )
    assert notebook.kept() == ["import polars as pl", "out = flights.head(2)"][1:]


def test_an_assignment_that_is_overwritten_falls_away() -> None:
    notebook = sliced("out = flights.head(1)", "limit = 1\nlimit = 3", "out = flights.head(limit)")
    assert notebook.kept() == ["limit = 3", "out = flights.head(limit)"]


def test_settings_of_how_frames_look_fall_away() -> None:
    notebook = sliced("pl.Config.set_tbl_rows(5)", "out = flights.select(pl.col('day') + 1)")
    assert "pl.Config.set_tbl_rows(5)" not in notebook.kept()


# ---- order of execution ------------------------------------------------------------------------


def test_cells_run_out_of_order_are_taken_in_the_order_in_which_they_ran() -> None:
    later = "out = flights.filter(pl.col('delay') > limit)"
    notebook = sliced("limit = 50", later, "limit = 10", later)
    assert notebook.kept() == ["import polars as pl", "limit = 10", later]


def test_a_deleted_cell_is_still_in_the_record() -> None:
    # The cell's text is in no notebook any more; what it bound is in use.
    notebook = sliced("limit = 10", "out = flights.filter(pl.col('delay') > limit)")
    assert "limit = 10" in notebook.kept()


def test_a_cell_that_ran_twice_counts_twice_where_it_must() -> None:
    notebook = sliced("n = 1", "n += 1", "n += 1", "out = flights.head(n)")
    assert notebook.kept() == ["n = 1", "n += 1", "n += 1", "out = flights.head(n)"]


def test_a_later_change_of_a_name_does_not_reach_back() -> None:
    notebook = sliced("limit = 10", "out = flights.filter(pl.col('delay') > limit)")
    notebook.run("limit = 1000", "out2 = flights.head(limit)")
    assert "limit = 1000" not in notebook.kept()


def test_the_last_declaration_of_a_port_counts() -> None:
    notebook = sliced("out = flights.head(1)").run(
        "out = flights.head(3)", "%mesh output daily out"
    )
    assert notebook.kept() == ["out = flights.head(3)"]


# ---- functions ---------------------------------------------------------------------------------


def test_a_function_reads_its_globals_when_it_is_called() -> None:
    notebook = sliced(
        "limit = 50\ndef late(frame):\n    return frame.filter(pl.col('delay') > limit)",
        "limit = 10",
        "out = late(flights)",
        "limit = 0",
    )
    kept = notebook.kept()
    assert "limit = 10" in kept
    assert "limit = 0" not in kept
    assert "limit = 50" not in kept


def test_functions_bring_the_functions_that_they_call() -> None:
    notebook = sliced(
        "def column():\n    return pl.col(NAME)",
        "def late(frame):\n    return frame.filter(column() > 10)",
        "NAME = 'delay'",
        "def unused():\n    return late(1)",
        "out = late(flights)",
    )
    assert not any("unused" in text for text in notebook.kept())
    assert "NAME = 'delay'" in notebook.kept()


def test_a_function_that_changes_a_global_list_is_kept_where_it_was_called() -> None:
    notebook = sliced(
        "seen = []\ndef note(name):\n    seen.append(name)",
        "note('delay')\nnote('day')",
        "out = flights.select(seen)",
    )
    calls = [text for text in notebook.kept() if text.startswith("note(")]
    assert calls == ["note('delay')", "note('day')"]


def test_a_function_that_binds_a_global_is_kept_where_it_was_called() -> None:
    notebook = sliced(
        "n = 1\ndef more():\n    global n\n    n += 1", "more()\nmore()", "out = flights.head(n)"
    )
    assert notebook.kept().count("more()") == 2


def test_a_lambda_runs_when_the_lazy_frame_is_collected() -> None:
    notebook = sliced(
        "factor = 2",
        "twice = lambda value: value * factor",
        "scaled = flights.with_columns(pl.col('day').map_elements(twice, return_dtype=pl.Int64))",
        "factor = 5",
        "out = scaled.select('day')",
    )
    assert "factor = 5" in notebook.kept()


def test_closures_decorators_and_classes_bring_what_they_need() -> None:
    notebook = sliced(
        "import functools\nSUFFIX = '_x'",
        "def named(function):\n    @functools.wraps(function)\n    def inner(*args):\n"
        "        return function(*args).rename(lambda n: n + SUFFIX)\n    return inner",
        "class Step:\n    columns = ['day', 'delay']\n    def __init__(self, *more):\n"
        "        self.more = more\n    def run(self, frame):\n"
        "        return frame.select(*self.columns, *self.more)",
        "@named\ndef prepared(frame):\n    return Step('origin').run(frame)",
        "out = prepared(flights)",
    )
    assert notebook.saw().columns == ["day_x", "delay_x", "origin_x"]


def test_a_method_that_changes_its_object_is_kept() -> None:
    notebook = sliced(
        "class Limits:\n    def __init__(self):\n        self.high = 0\n"
        "    def raise_to(self, high):\n        self.high = high",
        "limits = Limits()",
        "limits.raise_to(10)",
        "out = flights.filter(pl.col('delay') > limits.high)",
    )
    assert "limits.raise_to(10)" in notebook.kept()


# ---- changes in place --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "columns.append('day')",
        "columns += ['day']",
        "columns[0] = 'day'",
        "again = columns\nagain.append('day')",
        "again = other = columns\nother.extend(['day'])",
        "held = {'columns': columns}\nheld['columns'].append('day')",
        "held = (columns, 1)\nheld[0].append('day')",
        "for each in [columns]:\n    each.append('day')",
        "[each.append('day') for each in [columns]]",
        "def add(to):\n    to.append('day')\nadd(columns)",
        "def add(to):\n    inner = to\n    inner.append('day')\nadd(to=columns)",
        "list.append(columns, 'day')",
        "import operator\noperator.iadd(columns, ['day'])",
        "groups = {}\ngroups.setdefault('a', columns).append('day')",
        "if len(columns) == 1:\n    columns.append('day')",
        "with open('/dev/null'):\n    columns.append('day')",
    ],
)
def test_a_change_of_a_list_is_kept_under_whatever_name_it_is_made(change: str) -> None:
    notebook = Notebook().run(START, "columns = ['delay']")
    notebook.run(*change.split("\n\n"), "out = flights.select(columns)", "%mesh output daily out")
    if "open(" in change:
        assert "reads a file" in str(refused(notebook))
        return
    assert_frame_equal(notebook.remade(), notebook.saw())
    assert len(notebook.kept()) >= 3


def test_a_list_that_is_only_looked_at_keeps_nothing_more() -> None:
    notebook = sliced(
        "columns = ['delay', 'day']",
        "print(len(columns), sorted(columns))\n', '.join(columns)\nwide = flights.select(columns)",
        "def described(names):\n    return [n.title() for n in names]\ntitles = described(columns)",
        "out = flights.select(columns)",
    )
    assert notebook.kept() == ["columns = ['delay', 'day']", "out = flights.select(columns)"]


def test_changes_of_pandas_frames_and_arrays_are_kept_through_their_aliases() -> None:
    notebook = sliced(
        "import numpy as np",
        "table = flights.collect().to_pandas()",
        "table['twice'] = table['day'] * 2",
        "same = table\nsame.loc[0, 'twice'] = 99",
        "same.drop(columns=['delay'], inplace=True)",
        "values = np.array([1, 2, 3, 4])\npart = values[:2]\npart[0] = 7",
        "table['v'] = values",
        "print(table.groupby('origin').size())\nmeans = table.groupby('origin').mean()",
        "out = table",
    )
    kept = notebook.kept()
    assert "part[0] = 7" in kept
    assert not any("means" in text for text in kept)
    assert notebook.saw()["twice"][0] == 99


def test_polars_frames_change_by_the_few_methods_that_say_so() -> None:
    notebook = sliced(
        "frame = flights.collect()",
        "same = frame\nsame.insert_column(0, pl.Series('n', [1, 2, 3, 4]))",
        "print(frame.describe())\nsmall = frame.head(1)",
        "out = frame",
    )
    assert any("insert_column" in text for text in notebook.kept())
    assert not any("small" in text for text in notebook.kept())


def test_an_iterator_is_used_up_by_whoever_goes_through_it() -> None:
    notebook = sliced(
        "numbers = iter([1, 2, 3])", "first = next(numbers)", "out = flights.head(next(numbers))"
    )
    assert "first = next(numbers)" in notebook.kept()


def test_the_draws_before_a_seeded_draw_belong_to_it() -> None:
    notebook = sliced(
        "import random\nrandom.seed(4)",
        "first = random.randint(1, 3)",
        "out = flights.head(random.randint(1, 3))",
    )
    assert "first = random.randint(1, 3)" in notebook.kept()


# ---- syntax ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "a, (b, *rest) = 1, (2, 3)\nn = b",
        "a = n = 2",
        "if (n := 2) > 1:\n    pass",
        "total = 0\nfor i in range(3):\n    total += i\nelse:\n    n = total",
        "n = 0\nwhile n < 2:\n    n += 1",
        "try:\n    n = int('x')\nexcept ValueError as error:\n    n = 2\nfinally:\n    done = True",
        "import contextlib\nn = 3\nwith contextlib.suppress(ZeroDivisionError):\n    n = 1 // 0",
        "match [1, 2]:\n    case [_, n]:\n        pass",
        "n = 1 if flights is None else 2",
        "n: int = 2",
        "n = sum(1 for c in flights.collect_schema() if c != 'origin')",
        "n = max([len(c) for c in {'ab': 1}])",
        "n = len(f'{2!r:>2}')",
        "n = (lambda *, k=2: k)()",
        "def pick(*args, **words):\n    return words['k']\nn = pick(*[1], **{'k': 2})",
        "def gen():\n    yield from (1, 2)\nn = list(gen())[-1]",
        "from math import *\nn = floor(2.5)",
        "import os.path\nimport os\nn = len(os.path.join('a', ''))",
        "try:\n    import absent_module\nexcept ImportError:\n    absent_module = None\n"
        "n = 2 if absent_module is None else 1",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import decimal\n"
        "def two() -> 'decimal.Decimal':\n    return 2\nn = two()",
        "list = list(range(3))\nn = len(list)",
        "n = [2, 9]\ndel n[1]\nn = n[0]",
        "class N:\n    two = 2\n    both = [two, two]\nn = N.both[0]",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    k: int = 2\nn = P().k",
        "x = 1; n = 2; y = 3",
        "n = (\n    # the inner comment\n    2\n)",
        'text = """two\n  lines"""\nn = len(text.splitlines())',
    ],
)
def test_python_of_every_kind_is_sliced_and_makes_the_same(code: str) -> None:
    sliced(code, "out = flights.head(n)")


def test_names_in_the_text_of_a_pandas_query_are_read() -> None:
    notebook = sliced(
        "limit = 10", "table = flights.collect().to_pandas()", "out = table.query('delay > @limit')"
    )
    assert "limit = 10" in notebook.kept()


# ---- inputs and SQL ----------------------------------------------------------------------------


def test_a_sql_step_brings_the_frames_that_it_reads() -> None:
    notebook = Notebook().run(
        START,
        "%mesh source weather\nunused = flights.head()",
        "late = flights.filter(pl.col('delay') > 1)",
        "%%mesh sql joined\nSELECT origin, day, wind FROM late JOIN weather USING (origin);",
        "%%mesh sql out\nSELECT origin, max(wind) AS wind FROM joined GROUP BY ALL",
        "%mesh output daily out",
    )
    assert [s.names for s in notebook.slice().inputs] == [("flights",), ("weather",)]
    assert_frame_equal(notebook.remade(), notebook.saw(), check_row_order=False)
    assert not any("unused" in text for text in notebook.kept())


def test_a_sql_step_reads_what_a_name_meant_at_that_moment() -> None:
    notebook = Notebook().run(
        START,
        "frame = flights.head(1)",
        "%%mesh sql out\nSELECT count(*) AS n FROM frame",
        "frame = flights",
        "%mesh output daily out",
    )
    assert_frame_equal(notebook.remade(), notebook.saw())


def test_sql_called_as_a_function_keeps_its_frames_and_its_text() -> None:
    notebook = sliced(
        "limit = 10",
        "small = flights.head(3)",
        "out = mesh.sql('late', f'SELECT * FROM t WHERE delay > {limit}', t=small)",
    )
    assert "limit = 10" in notebook.kept()


def test_an_input_inside_an_expression_becomes_a_parameter() -> None:
    notebook = sliced("out = mesh.source('weather').join(mesh.source('flights'), on='origin')")
    assert [s.names[0] for s in notebook.slice().inputs] == ["weather", "flights"]


# ---- refusals ----------------------------------------------------------------------------------


def refused_after(*cells: str, last: str = "out = flights.head(n)") -> ExportRefused:
    return refused(Notebook().run(START, *cells, last, "%mesh output daily out"))


def test_a_name_that_no_cell_binds_is_refused_by_name() -> None:
    notebook = Notebook().run("import polars as pl")
    notebook.names["n"] = 2  # as a start-up file would
    notebook.record.cells.clear()
    notebook.run(START, "out = flights.head(n)", "%mesh output daily out")
    error = refused(notebook)
    assert (error.cell, error.name) == (3, "n")
    assert "In[3] uses `n`, which no cell of this session's record binds" in str(error)


def test_a_name_bound_by_exec_is_refused_with_its_cell() -> None:
    error = refused_after("n = 1", "exec('n = 2')")
    assert (error.cell, error.name) == (3, "n")
    assert "In[3] made `n` by other means than an assignment" in str(error)


def test_a_name_bound_by_a_magic_is_refused_with_the_magic(tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text("n = 2")
    error = refused_after(f"%run {script}")
    assert (error.cell, error.name) == (2, "n")
    assert "%run" in str(error)


def test_the_result_of_a_shell_command_is_refused() -> None:
    error = refused_after("lines = !echo 2", "n = len(lines)")
    assert (error.cell, error.name) == (2, "lines")
    assert "!echo 2" in str(error)
    assert "%mesh source" in str(error)


def test_a_cell_that_failed_halfway_is_refused_where_it_may_have_changed_something() -> None:
    notebook = Notebook().run(START, "columns = ['delay']")
    notebook.fail("for name in ['day', 3]:\n    columns.append(name.lower())")
    notebook.run("out = flights.select(columns)", "%mesh output daily out")
    error = refused(notebook)
    assert (error.cell, error.name) == (3, "columns")
    assert "In[3] failed after it may have changed `columns`" in str(error)


def test_a_cell_that_failed_before_it_bound_anything_does_no_harm() -> None:
    notebook = Notebook().run(START, "n = 2")
    notebook.fail("m = 5\nn = undefined_name").fail("%mesh source absent")
    notebook.run("out = flights.head(n + m)", "%mesh output daily out")
    assert notebook.kept() == ["n = 2", "m = 5", "out = flights.head(n + m)"]


def test_the_notebooks_history_is_refused() -> None:
    error = refused_after("2", "n = _")
    assert error.cell == 3
    assert "give that result a name" in str(error)


@pytest.mark.parametrize(
    ("cell", "name", "fix"),
    [
        ("n = pl.read_csv('counts.csv').height", "pl.read_csv", "%mesh source counts counts.csv"),
        ("n = len(open('counts.csv').read())", "open", "%mesh source n counts.csv"),
        ("n = len(Path('counts.csv').read_text())", "read_text", "%mesh source n"),
        ("def load():\n    return pl.scan_parquet('a.parquet')\nn = 2\nload", "", ""),
        ("n = eval('1 + 1')", "eval", "write out"),
        ("import random\nn = random.randint(1, 2)", "random.randint", "give it a seed"),
        (
            "n = pl.sql('SELECT ' + str(2) + ' AS n', eager=True).item()",
            "pl.sql",
            "write the query",
        ),
        ("n = len(mesh.frames)", "mesh", "the frames that its verbs bind"),
    ],
)
def test_reaching_outside_the_inputs_is_refused_with_the_way_to_do_it(
    cell: str, name: str, fix: str, tmp_path, monkeypatch
) -> None:
    (tmp_path / "counts.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    notebook = Notebook().run(START, "from pathlib import Path", cell, "out = flights.head(n)")
    notebook.run("%mesh output daily out")
    if not name:  # it is defined, and nothing that is kept calls it
        assert_frame_equal(notebook.remade(), notebook.saw())
        return
    error = refused(notebook)
    assert error.cell == 3
    assert name in error.name or error.name in name
    assert fix in str(error)


def test_bytes_in_the_code_itself_are_no_file() -> None:
    sliced("import io\nn = pl.read_csv(io.StringIO('a\\n1\\n2')).height", "out = flights.head(n)")


def test_a_verb_in_a_loop_is_refused() -> None:
    error = refused_after("for name in ['weather']:\n    mesh.source(name)", last="out = weather")
    assert error.cell == 2
    assert "at the top level of a cell" in str(error)


def test_a_verb_inside_a_function_is_refused_with_the_cell_that_calls_it() -> None:
    error = refused_after(
        "def load(name):\n    return mesh.source(name)", "out = load('weather')", last="out"
    )
    assert error.cell == 3


def test_the_result_of_a_verb_that_makes_no_frame_is_refused() -> None:
    error = refused_after("report = mesh.check()", "n = len(report)")
    assert (error.cell, error.name) == (2, "report")
    assert "mesh.check" in str(error)


def test_display_inside_needed_code_is_refused() -> None:
    error = refused_after("def two():\n    display('x')\n    return 2\nn = two()")
    assert (error.cell, error.name) == (2, "display")


def test_a_port_that_this_session_never_declared_is_refused() -> None:
    error = refused(Notebook().run(START))
    assert "%mesh output daily" in str(error)


@pytest.mark.parametrize("fails", ["d['k'] += 1", "d['k'] = 1 / 0", "xs.remove(9)", "n = 1 / 0"])
def test_a_statement_that_failed_before_it_could_change_anything_is_no_hindrance(
    fails: str,
) -> None:
    notebook = Notebook().run("import polars as pl\nn, d, xs = 1, {}, [1]\n%mesh source flights")
    notebook.fail(fails)
    notebook.run(SHOWING_STATE, "%mesh output daily daily")
    assert notebook.remade().equals(notebook.saw())


@pytest.mark.parametrize("fails", ["d['k'] = xs.pop() / 0", "xs.extend(1 / v for v in (1, 0))"])
def test_a_statement_that_failed_after_a_change_is_still_refused(fails: str) -> None:
    notebook = Notebook().run("import polars as pl\nn, d, xs = 1, {}, [1]\n%mesh source flights")
    notebook.fail(fails)
    notebook.run(SHOWING_STATE, "%mesh output daily daily")
    with pytest.raises(ExportRefused, match="failed after it may have changed"):
        notebook.slice()


SHOWING_STATE = "daily = flights.with_columns(a=pl.lit(str(d)), b=pl.lit(str(xs)), c=pl.lit(n))"
