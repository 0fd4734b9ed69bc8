"""What answers otherwise tomorrow, elsewhere or by chance: refused, unless it is only told."""

from __future__ import annotations

import pytest
from notebook import Notebook

from mesh_notebook.errors import ExportRefused

START = "import polars as pl\n%mesh source flights"


def refused_after(*cells: str, last: str = "out = flights.head(n)") -> ExportRefused:
    notebook = Notebook().run(START, *cells, last, "%mesh output daily out")
    with pytest.raises(ExportRefused) as refused:
        notebook.slice()
    return refused.value


def kept_after(*cells: str, last: str = "out = flights.head(n)") -> list[str]:
    return Notebook().run(START, *cells, last, "%mesh output daily out").kept()


CLOCKS = {
    "now": "from datetime import datetime\nn = datetime.now().day",
    "today": "import datetime as dt\nn = dt.date.today().day",
    "the time": "from time import time as t\nn = int(t() > 0)",
    "a method under another name": "import datetime\nnow = datetime.datetime.now\nn = now().day",
    "a class under another name": "import datetime\nD = datetime.date\nn = D.today().day",
    "a module that a function imports": (
        "def day():\n    from datetime import date\n    return date.today().day\nn = day()"
    ),
    "found by its name": "import datetime\nn = getattr(datetime.date, 'today')().day",
    "handed on": "from datetime import date\nn = [f().day for f in [date.today]][0]",
    "the class of a day": "from datetime import date\nn = type(date(2020, 1, 1)).today().day",
    "no moment given": "import time\nn = time.gmtime().tm_mday",
    "a word": "import numpy as np\nn = int(np.datetime64('today') > np.datetime64('2020-01-01'))",
    "a default factory": "from datetime import date\nfrom dataclasses import dataclass, field\n"
    "@dataclass\nclass R:\n    d: date = field(default_factory=date.today)\nn = R().d.day",
    "told and returned": (
        "import time\ndef f():\n    t = time.time()\n    print(t)\n    return int(t > 0)\nn = f()"
    ),
    "deciding a branch": (
        "import time\ndef f():\n    t = time.time()\n    if t > 5:\n        return 1\nn = f()"
    ),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_that_may_enter_the_output_is_refused_with_the_way_to_do_it(name: str) -> None:
    error = refused_after(CLOCKS[name])
    assert error.cell == 2
    assert "reads the clock" in str(error)
    assert "bind the moment from a literal" in str(error)


TOLD = """import time
def load(f):
    t = time.perf_counter()
    r = f.head(2)
    {}
    return r"""


@pytest.mark.parametrize(
    "tell",
    [
        "print('took', time.perf_counter() - t)",
        "took = round(time.perf_counter() - t, 2)\n    print(f'took {took} s')",
    ],
)
def test_a_duration_that_is_only_told_is_no_reason_to_refuse(tell: str) -> None:
    assert kept_after(TOLD.format(tell), last="out = load(flights)")


def test_a_moment_that_was_given_and_a_method_of_ones_own_are_no_clock() -> None:
    kept_after("import time\nn = time.gmtime(0).tm_mday")
    kept_after("class C:\n    def today(self): return 5\nc = C()\nn = c.today()")
    kept_after("from datetime import date\ntoday = date.today()", "n = 2\ntoday = date(2026, 1, 1)")


@pytest.mark.parametrize(
    "cell",
    [
        "import os\nn = int(os.environ.get('LIMIT', '3'))",
        "from os import getenv as g\nn = int(g('LIMIT', '3'))",
        "import os\nn = os.cpu_count()",
        "import platform\nn = len(platform.node())",
        "import getpass\nn = len(getpass.getuser())",
        "from pathlib import Path\nn = len(str(Path.home()))",
    ],
)
def test_what_tells_of_the_machine_is_refused(cell: str) -> None:
    error = refused_after(cell)
    assert error.cell == 2
    assert "tells of the machine" in str(error)


@pytest.mark.parametrize(
    "cell",
    [
        "import numpy as np\nn = int(np.random.default_rng().random() > 2)",
        "import numpy as np\nR = np.random\nn = int(R.rand() > 2)",
        "import random\ndraw = random.random\nn = int(draw() > 2)",
        "import random\nrandom.seed()\nn = int(random.random() > 2)",
        "def f():\n    import random\n    return int(random.random() > 2)\nn = f()",
        "import pandas as pd\nn = len(pd.DataFrame({'a': [1, 2]}).sample(1))",
    ],
)
def test_chance_under_any_name_is_refused(cell: str) -> None:
    error = refused_after(cell)
    assert error.cell == 2
    assert "at random without a seed" in str(error)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT *, year(current_date) AS y FROM flights",
        "SELECT *, now() IS NULL AS y FROM flights",
        "SELECT * FROM flights WHERE random() < 2",
        "SELECT *, uuid() AS u FROM flights",
        "SELECT * FROM flights USING SAMPLE 2 ROWS",
    ],
)
def test_a_query_that_answers_otherwise_each_time_is_refused(query: str) -> None:
    error = refused_after(f"%%mesh sql out\n{query}", last="out = out")
    assert error.cell == 2
    assert "each time that the query runs" in str(error)


def test_a_sample_with_a_seed_is_a_query_like_any_other() -> None:
    query = "SELECT * FROM flights USING SAMPLE reservoir(2 ROWS) REPEATABLE (3)"
    kept_after(f"%%mesh sql out\n{query}", last="out = out")
