"""What tells one process or machine from another: refused, unless nothing of it is kept."""

from __future__ import annotations

import pytest
from test_export_clocks import kept_after, refused_after

IDENTITIES = {
    "the hash of a text": "n = hash('a') % 3",
    "the hash of a value": "def f(x): return hash(x) % 3\nn = f('a')",
    "the hash handed on": "n = list(map(hash, ['a']))[0] % 3",
    "the hash as a key": "n = sorted([2, 1], key=hash)[0]",
    "the hash by its method": "n = 'a'.__hash__() % 3",
    "the hash under another name": "h = hash\nn = h('a') % 3",
    "the hash by a method caller": (
        "from operator import methodcaller\nn = methodcaller('__hash__')('a') % 3"
    ),
    "the hash of a day": "from datetime import date\nn = hash(date(2026, 1, 1)) % 3",
    "a place in memory": "x = []\nn = id(x) % 3",
    "an order by places": "x = [[1], [2]]\nn = sorted(x, key=id)[0][0]",
    "the text of an object": "class C: pass\nc = C()\nn = len(str(c))",
    "the text of an object at once": "class C: pass\nn = len(f'{C()}')",
    "the text of a function": "def f(): pass\nn = len(repr(f))",
    "the text of a lambda": "n = len('%s' % (lambda: 1))",
    "the text of a generator": "g = (i for i in [1])\nn = len('{}'.format(g))",
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_what_is_another_in_each_process_is_refused(name: str) -> None:
    error = refused_after(IDENTITIES[name])
    assert error.cell == 2
    assert "in each process" in str(error)


@pytest.mark.parametrize(
    "cell",
    [
        "n = hash(3) % 5",
        "def f(x: int): return hash(x) % 5\nn = f(3)",
        "k = 3\nn = hash((k, len('a'))) % 5",
        "class K:\n    def __init__(self, a): self.a = a\n"
        "    def __hash__(self): return hash((self.a,))\n"
        "    def __eq__(self, o): return hash(self) == hash(o)\nn = len({K(1), K(1)})",
        "def hash(x): return 3\nn = hash('a')",
        "x, y = [], []\nn = 1 + (id(x) == id(y))",
        "seen = {}\nx = []\nseen[id(x)] = 2\nn = seen[id(x)]",
        "def f(id): return id + 1\nn = f(1)",
        "n = [id for id in [1, 2]][0]",
        "class C:\n    def __repr__(self): return 'C'\nc = C()\nn = len(str(c))",
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int = 1\n"
        "n = len(repr(C()))",
        "from enum import Enum\nclass C(Enum):\n    A = 1\nn = len(str(C.A))",
        "class C: pass\nc = C()\nprint(c, str(c))\nn = 2",
    ],
)
def test_what_is_the_same_in_each_process_is_kept(cell: str) -> None:
    assert kept_after(cell)


ZONES = {
    "fromtimestamp": "from datetime import datetime\nn = datetime.fromtimestamp(0).hour + 1",
    "fromtimestamp by map": (
        "from datetime import datetime\nn = list(map(datetime.fromtimestamp, [0]))[0].day"
    ),
    "a day's": "import datetime as dt\nn = dt.date.fromtimestamp(0).day",
    "astimezone": (
        "import datetime as dt\nn = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).astimezone().day"
    ),
    "localtime": "import time\nn = time.localtime(0).tm_mday",
    "mktime": "import time\nn = int(time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, 0)) > 2)",
    "ctime": "import time\nn = len(time.ctime(0))",
    "the zone's name": "import time\nn = len(time.tzname)",
    "the seconds of a naive moment": (
        "import datetime as dt\nm = dt.datetime(2026, 1, 1)\nn = int(m.timestamp() > 2)"
    ),
}


@pytest.mark.parametrize("name", ZONES)
def test_the_zone_of_the_machine_is_refused(name: str) -> None:
    error = refused_after(ZONES[name])
    assert "tells of the machine" in str(error)
    assert "UTC" in str(error) or "gm" in str(error)


@pytest.mark.parametrize(
    "cell",
    [
        "import datetime as dt\nn = dt.datetime.fromtimestamp(0, dt.UTC).day",
        "import datetime as dt\nn = dt.datetime.fromtimestamp(0, tz=dt.timezone.utc).day",
        "import datetime as dt\nn = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).astimezone(dt.UTC).day",
        "import datetime as dt\nn = int(dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp() > 2)",
        "import time\nn = time.gmtime(0).tm_mday",
        "import email.utils\nn = len(email.utils.formatdate(0))",
    ],
)
def test_a_zone_that_is_given_is_no_machines(cell: str) -> None:
    assert kept_after(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "import os\nn = os.getuid() + 1",
        "import sys\nn = sys.getsizeof([])",
        "import sys\nn = sys.flags.hash_randomization + 1",
        "import threading\nn = threading.get_ident() % 3",
        "n = pl.thread_pool_size()",
        "import locale\nn = len(locale.getpreferredencoding())",
        "import uuid\nn = uuid.getnode() % 3",
        "import shutil\nn = shutil.disk_usage('/').total % 3",
        "import multiprocessing as m\nn = len(list(map(lambda f: f(), [m.cpu_count])))",
    ],
)
def test_more_that_tells_of_the_machine_is_refused(cell: str) -> None:
    assert "tells of the machine" in str(refused_after(cell))


def test_a_machine_that_is_only_told_of_or_a_variable_of_that_name_is_kept() -> None:
    kept_after("import os\ndef f(x):\n    print(os.cpu_count())\n    return x", "n = f(2)")
    kept_after("platform = {'a': 2}\nn = platform.get('a')")
    kept_after("site = 'ab'\nn = site.count('a')")


CLOCKS = {
    "a computed name": ("import datetime as dt\nw = 'no' + 'w'\nn = getattr(dt.datetime, w)().day"),
    "a method caller": (
        "import datetime as dt\nfrom operator import methodcaller\n"
        "n = methodcaller('now')(dt.datetime).day"
    ),
    "a method caller of a computed name": (
        "import datetime as dt\nimport operator\nw = 'no' + 'w'\n"
        "n = operator.methodcaller(w)(dt.datetime).day"
    ),
    "an attribute getter": (
        "import time, operator\nn = int(operator.attrgetter('time')(time)() > 2) + 1"
    ),
    "a function that is given its name at once": (
        "import datetime as dt\nn = (lambda o, w: getattr(o, w)())(dt.date, 'to' + 'day').day"
    ),
    "all members": (
        "import datetime as dt\nimport inspect\n"
        "n = dict(inspect.getmembers(dt.date))['today']().day"
    ),
    "__getattribute__": (
        "import datetime as dt\nw = 'no' + 'w'\nn = type.__getattribute__(dt.datetime, w)().day"
    ),
    "__dict__": (
        "import datetime as dt\nn = dt.datetime.__dict__['now'].__get__(None, dt.datetime)().day"
    ),
    "a function that finds it": (
        "import datetime as dt\ndef call(o, w): return getattr(o, w)()\n"
        "n = call(dt.datetime, 'no' + 'w').day"
    ),
    "a module by its name": (
        "import importlib\nn = int(importlib.import_module('time').time() > 2) + 1"
    ),
    "a module among those loaded": "import sys\nn = int(sys.modules['time'].time() > 2) + 1",
    "a word under a name": ("import pandas as pd\nw = 'now'\nn = pd.Timestamp(w).day"),
    "a range that ends today": (
        "import pandas as pd\nn = pd.date_range(end='today', periods=2)[0].day"
    ),
    "seconds that something took": "import timeit\nn = int(timeit.timeit('1', number=1) > 9) + 1",
    "the date of a letter": "import email.utils\nn = len(email.utils.formatdate())",
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_that_is_found_while_the_code_runs_is_refused(name: str) -> None:
    assert "reads the clock" in str(refused_after(CLOCKS[name]))


@pytest.mark.parametrize(
    "cell",
    [
        "how = 'len'\nn = 2\ncolumn = getattr(pl.col('delay'), how)()",
        "import datetime as dt\nw = 'year'\nn = getattr(dt.datetime(2026, 1, 1), w) - 2024",
        "class Feed:\n    def now(self): return 2\n    def today(self): return self.now()\n"
        "def f(feed): return feed.today()\nn = f(Feed())",
        "from operator import attrgetter, methodcaller\nn = len(methodcaller('upper')('ab'))",
        "import datetime as dt\nn = 1 + isinstance(dt.date(2026, 1, 1), dt.date)",
        "import datetime as dt\nkinds = {'day': dt.date}\nn = len(kinds) + 1",
    ],
)
def test_names_that_are_found_of_other_things_are_kept(cell: str) -> None:
    assert kept_after(cell)
