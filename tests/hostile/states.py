"""Values that change beside their names, and ways in which a cell, or a hand, changes them."""

from __future__ import annotations

__all__ = ["BY_HAND", "HOLDERS", "PATHS"]

# What holds the number 1000: how it is made, how it is read, and the statement that makes it 50.
HOLDERS: dict[str, tuple[str, str, str]] = {
    "scalar": ("lim = 1000", "lim", "global lim\nlim = 50"),
    "float": ("lim = 1000.5", "int(lim)", "global lim\nlim = 50.5"),
    "text": ("lim = '1000'", "int(lim)", "global lim\nlim = '50'"),
    "date": (
        "import datetime as dt\nlim = dt.date(2026, 1, 1) + dt.timedelta(1000)",
        "(lim - dt.date(2026, 1, 1)).days",
        "global lim\nlim = dt.date(2026, 2, 20)",
    ),
    "tuple": ("lim = (1000, 'a')", "lim[0]", "global lim\nlim = (50, 'a')"),
    "list": ("xs = [1000]", "xs[0]", "xs[0] = 50"),
    "log": (
        "import io, logging\nbuf = io.StringIO()\nlog = logging.getLogger('hostile')\n"
        "log.propagate = False\nlog.handlers = [logging.StreamHandler(buf)]",
        "50 if buf.getvalue() else 1000",
        "log.warning('late')",
    ),
    "screen": (
        "import io, sys\nbuf = io.StringIO()",
        "50 if buf.getvalue() else 1000",
        "old, sys.stdout = sys.stdout, buf\nprint('late')\nsys.stdout = old",
    ),
    "module of the notebook": ("import __main__\nlim = 1000", "lim", "__main__.lim = 50"),
    "names of the notebook": ("lim = 1000", "lim", "globals()['l' + 'im'] = 50"),
    "names of a frame": (
        "import sys\nlim = 1000",
        "lim",
        "sys._getframe().f_globals['lim'] = 50",
    ),
    "flags of numpy": (
        "import numpy as np\ndef least(v):\n    try:\n"
        "        return 1000 if (1 / v)[0] > 0 else 0\n"
        "    except FloatingPointError:\n        return 50\nv = np.array([0])",
        "least(v)",
        "np.seterr(divide='raise')",
    ),
    "subscript of a class": (
        "class Box:\n    seen = []\n    def __class_getitem__(cls, k):\n"
        "        cls.seen.append(k)\n        return cls",
        "50 if Box.seen else 1000",
        "Box[1]",
    ),
    "dict": ("d = {'k': 1000}", "d['k']", "d['k'] = 50"),
    "nested": ("d = {'a': [{'k': 1000}]}", "d['a'][0]['k']", "d['a'][0]['k'] = 50"),
    "set": ("s = {1000}", "max(s)", "s.clear()\ns.add(50)"),
    "deque": (
        "from collections import deque\nq = deque([1000])",
        "q[0]",
        "q.rotate(0)\nq[0] = 50",
    ),
    "array": ("from array import array\nxs = array('i', [1000])", "xs[0]", "xs[0] = 50"),
    "bytearray": ("raw = bytearray(b'1000')", "int(raw.decode())", "raw[:] = b'50'"),
    "memoryview": (
        "raw = bytearray(b'1000')\nview = memoryview(raw)",
        "int(bytes(raw[:2]).decode()) * 100",
        "view[:2] = b'05'",
    ),
    "numpy": ("import numpy as np\nxs = np.array([1000, 2])", "int(xs[0])", "xs[0] = 50"),
    "numpy view": (
        "import numpy as np\nxs = np.array([1000, 2])\nview = xs[:1]",
        "int(xs[0])",
        "view[...] = 50",
    ),
    "polars series": ("s = pl.Series([1000, 2])", "int(s[0])", "s[0] = 50"),
    "pandas series": ("import pandas as pd\ns = pd.Series([1000, 2])", "int(s[0])", "s[0] = 50"),
    "pandas frame": (
        "import pandas as pd\nt = pd.DataFrame({'v': [1000, 2]})",
        "int(t['v'].iloc[0])",
        "t.loc[0, 'v'] = 50",
    ),
    "pandas by position": (
        "import pandas as pd\nt = pd.DataFrame({'v': [1000, 2]})",
        "int(t.iat[0, 0])",
        "t.iat[0, 0] = 50",
    ),
    "defaultdict": (
        "from collections import defaultdict\nd = defaultdict(lambda: 1000)",
        "d['k']",
        "d['k'] = 50",
    ),
    "counter": (
        "from collections import Counter\nc = Counter({'k': 1000})",
        "c['k']",
        "c.update({'k': -950})",
    ),
    "chain map": (
        "from collections import ChainMap\nbase = {'k': 1000}\nd = ChainMap({}, base)",
        "d['k']",
        "base['k'] = 50",
    ),
    "count": (
        "import itertools\nc = itertools.count(1000, -950)",
        "next(c)",
        "next(c)",
    ),
    "generator": ("g = (v for v in (1000, 50, 9))", "next(g)", "next(g)"),
    "text file in memory": (
        "import io\nf = io.StringIO('1000\\n50\\n')",
        "int(f.readline())",
        "f.readline()",
    ),
    "instance": (
        "class Box:\n    v = 1000\nbox = Box()",
        "box.v",
        "box.v = 50",
    ),
    "class": ("class Box:\n    v = 1000", "Box.v", "Box.v = 50"),
    "base class": (
        "class Base:\n    v = 1000\nclass Box(Base):\n    pass",
        "Box.v",
        "Base.v = 50",
    ),
    "slots": (
        "class Box:\n    __slots__ = ('v',)\n    def __init__(self):\n        self.v = 1000\n"
        "box = Box()",
        "box.v",
        "box.v = 50",
    ),
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass Box:\n    v: int = 1000\nbox = Box()",
        "box.v",
        "box.v = 50",
    ),
    "namespace": (
        "from types import SimpleNamespace\nbox = SimpleNamespace(v=1000)",
        "box.v",
        "box.v = 50",
    ),
    "module": (
        "import types\nsettings = types.ModuleType('settings')\nsettings.v = 1000",
        "settings.v",
        "settings.v = 50",
    ),
    "library attribute": (
        "import string\nstring.mesh_limit = 1000",
        "string.mesh_limit",
        "string.mesh_limit = 50",
    ),
    "function attribute": (
        "def f():\n    return f.v\nf.v = 1000",
        "f()",
        "f.v = 50",
    ),
    "default argument": (
        "def f(xs=[1000]):\n    return xs[0]",
        "f()",
        "f.__defaults__[0][0] = 50",
    ),
    "closure": (
        "def make():\n    v = 1000\n    def get():\n        return v\n    def put(w):\n"
        "        nonlocal v\n        v = w\n    return get, put\nget, put = make()",
        "get()",
        "put(50)",
    ),
    "partial": (
        "from functools import partial\nf = partial(max, [1000])",
        "f()",
        "f.args[0][0] = 50",
    ),
    "cache": (
        "from functools import lru_cache\nbase = [1000]\n@lru_cache\ndef f():\n    return base[0]",
        "f()",
        "base[0] = 50\nf()\nbase[0] = 1000",
    ),
    "context variable": (
        "import contextvars\nv = contextvars.ContextVar('v', default=1000)",
        "v.get()",
        "v.set(50)",
    ),
    "thread local": (
        "import threading\nlocal = threading.local()\nlocal.v = 1000",
        "local.v",
        "local.v = 50",
    ),
    "queue": (
        "import queue\nq = queue.Queue()\nq.put(1000)\nq.put(50)",
        "q.queue[0]",
        "q.get()",
    ),
    "decimal context": (
        "import decimal",
        "decimal.getcontext().prec * 1000 // 28",
        "decimal.getcontext().prec = 2",
    ),
    "environment": (
        "import os\nos.environ['MESH_TEST_LIMIT'] = '1000'",
        "int(os.environ['MESH_TEST_LIMIT'])",
        "os.environ['MESH_TEST_LIMIT'] = '50'",
    ),
    "pandas option": (
        "import pandas as pd\npd.set_option('display.max_rows', 1000)",
        "pd.get_option('display.max_rows')",
        "pd.set_option('display.max_rows', 50)",
    ),
    "csv dialect": (
        "import csv\ncsv.field_size_limit(1000)",
        "csv.field_size_limit()",
        "csv.field_size_limit(50)",
    ),
    "recursion limit": (
        "import sys\nbefore = sys.getrecursionlimit()",
        "sys.getrecursionlimit() - before + 1000",
        "sys.setrecursionlimit(sys.getrecursionlimit() - 50)",
    ),
    "widget": (
        "import ipywidgets\nw = ipywidgets.IntSlider(value=1000, max=2000)",
        "w.value",
        "w.value = 50",
    ),
    "text widget": (
        "import ipywidgets\nw = ipywidgets.Text(value='1000')",
        "int(w.value)",
        "w.value = '50'",
    ),
    "choice widget": (
        "import ipywidgets\nw = ipywidgets.Dropdown(options=[1000, 50], value=1000)",
        "w.value",
        "w.value = 50",
    ),
    "observed widget": (
        "import ipywidgets\nlim = 1000\nw = ipywidgets.IntSlider(value=1000, max=2000)\n"
        "def moved(change):\n    global lim\n    lim = change['new']\nw.observe(moved, 'value')",
        "lim",
        "w.value = 50",
    ),
    "registry of a metaclass": (
        "class Meta(type):\n    known = []\n    def __new__(m, n, b, d):\n"
        "        made = super().__new__(m, n, b, d)\n        m.known.append(n)\n"
        "        return made\nclass First(metaclass=Meta):\n    pass",
        "1000 if len(Meta.known) == 1 else 50",
        "Meta('Second', (), {})",
    ),
    "property": (
        "class Box:\n    _v = 1000\n    @property\n    def v(self):\n        return self._v\n"
        "    @v.setter\n    def v(self, w):\n        type(self)._v = w\nbox = Box()",
        "Box().v",
        "box.v = 50",
    ),
    "descriptor": (
        "class Cell:\n    held = {}\n    def __get__(self, o, t=None):\n"
        "        return self.held.get('v', 1000)\n    def __set__(self, o, v):\n"
        "        self.held['v'] = v\nclass Box:\n    v = Cell()\nbox = Box()",
        "Box().v",
        "box.v = 50",
    ),
    "user dict": (
        "from collections import UserDict\nd = UserDict(k=1000)",
        "d['k']",
        "d.data['k'] = 50",
    ),
    "heap": (
        "import heapq\nh = [50, 1000]",
        "h[-1]",
        "heapq.heappushpop(h, 60)\nh[-1] = 50",
    ),
    "random state": (
        "import random\nrandom.seed(3)",
        "random.randint(50, 1000)",
        "random.random()",
    ),
    "own generator": (
        "import random\nrolls = random.Random(3)",
        "rolls.randint(50, 1000)",
        "rolls.random()",
    ),
    "numpy generator": (
        "import numpy as np\nrng = np.random.default_rng(3)",
        "int(rng.integers(50, 1000))",
        "rng.random()",
    ),
    "arguments": ("import argparse\nargs = argparse.Namespace(v=1000)", "args.v", "args.v = 50"),
    "template": (
        "import string\nt = string.Template('1000')",
        "int(t.substitute())",
        "t.template = '50'",
    ),
    "element": (
        "import xml.etree.ElementTree as ET\ne = ET.fromstring('<a v=\"1000\"/>')",
        "int(e.get('v'))",
        "e.set('v', '50')",
    ),
    "configuration": (
        "import configparser\nc = configparser.ConfigParser()\nc.read_dict({'a': {'v': '1000'}})",
        "c.getint('a', 'v')",
        "c.set('a', 'v', '50')",
    ),
    "message": (
        "from email.message import EmailMessage\nm = EmailMessage()\nm['X-Limit'] = '1000'",
        "int(m['X-Limit'])",
        "m.replace_header('X-Limit', '50')",
    ),
    "text wrapper": (
        "import textwrap\nw = textwrap.TextWrapper(width=1000)",
        "w.width",
        "w.width = 50",
    ),
    "event": (
        "import threading\nready = threading.Event()",
        "50 if ready.is_set() else 1000",
        "ready.set()",
    ),
    "cookie": (
        "from http.cookies import SimpleCookie\nc = SimpleCookie()\nc['v'] = '1000'",
        "int(c['v'].value)",
        "c['v'] = '50'",
    ),
    "database in memory": (
        "import sqlite3\nbase = sqlite3.connect(':memory:')\n"
        "_ = base.execute('create table t as select 1000 v')",
        "base.execute('select v from t').fetchone()[0]",
        "base.execute('update t set v = 50')",
    ),
    "duckdb in memory": (
        "import duckdb\nbase = duckdb.connect()\n"
        "_ = base.execute('create table t as select 1000 v')",
        "base.sql('select max(v) from t').fetchone()[0]",
        "base.execute('update t set v = 50')",
    ),
    "calendar": (
        "import calendar\nc = calendar.Calendar(6)",
        "1000 if c.firstweekday == 6 else 50",
        "c.firstweekday = 2",
    ),
    "ctypes": ("import ctypes\nn = ctypes.c_int(1000)", "n.value", "n.value = 50"),
    "ordered dictionary": (
        "from collections import OrderedDict\nd = OrderedDict(a=1000, b=50)",
        "next(iter(d.values()))",
        "d.move_to_end('a')",
    ),
    "cycle": ("import itertools\nc = itertools.cycle([1000, 50])", "next(c)", "next(c)"),
    "enumeration": (
        "import enum\nclass Limit(enum.Enum):\n    HIGH = 1\nLimit.HIGH.v = 1000",
        "Limit.HIGH.v",
        "Limit.HIGH.v = 50",
    ),
    "user string": (
        "from collections import UserString\ns = UserString('1000')",
        "int(str(s))",
        "s.data = '50'",
    ),
    "estimator": (
        "from sklearn.preprocessing import StandardScaler\n"
        "s = StandardScaler().fit([[1000.0], [1000.0]])",
        "int(s.mean_[0])",
        "s.mean_[0] = 50.0",
    ),
    "index": (
        "import pandas as pd\nkept = pd.DataFrame({'v': [1000, 50]})",
        "int(kept.loc[0, 'v'])",
        "kept.index = [1, 0]",
    ),
    "weak reference": (
        "import weakref\nclass Box:\n    pass\nbox = Box()\nbox.v = 1000\nr = weakref.ref(box)",
        "r().v",
        "r().v = 50",
    ),
    "looks of frames": (
        "pl.Config.set_tbl_rows(1000)",
        "50 if '…' in str(pl.DataFrame({'v': range(60)})) else 1000",
        "pl.Config.set_tbl_rows(8)",
    ),
    "looks of numbers": (
        "ratio = pl.Series([1 / 3])",
        "1000 if len(f'{ratio}') > 40 else 50",
        "pl.Config.set_float_precision(1)",
    ),
    "locale": (
        "import locale\n_ = locale.setlocale(locale.LC_ALL, 'C')",
        "1000 if locale.setlocale(locale.LC_COLLATE) == 'C' else 50",
        "locale.setlocale(locale.LC_COLLATE, 'C.UTF-8')",
    ),
    "mock left on": (
        "import math\nfrom unittest.mock import patch",
        "math.floor(1000.5)",
        "patch('math.floor', lambda v: 50).start()",
    ),
    "mock of a constant": (
        "import string\nfrom unittest import mock\n"
        "fake = mock.patch.object(string, 'digits', '50')",
        "50 if string.digits == '50' else 1000",
        "fake.start()",
    ),
    "mock of a dictionary": (
        "from unittest import mock\nd = {'k': 1000}",
        "d['k']",
        "mock.patch.dict(d, k=50).start()",
    ),
    "registered class": (
        "import abc\nclass Root(abc.ABC):\n    pass\nclass Box:\n    pass",
        "50 if issubclass(Box, Root) else 1000",
        "Root.register(Box)",
    ),
    "class registered with a library's": (
        "import collections.abc\nclass Box:\n    pass",
        "50 if issubclass(Box, collections.abc.Sized) else 1000",
        "collections.abc.Sized.register(Box)",
    ),
    "order of a dictionary": (
        "d = {'a': 1000, 'b': 50}",
        "next(iter(d.values()))",
        "d['a'] = d.pop('a')",
    ),
    "order of a counter": (
        "from collections import Counter\nc = Counter({'a': 1000, 'b': 1000})",
        "1000 if c.most_common(1)[0][0] == 'a' else 50",
        "c['a'] = c.pop('a')",
    ),
    "order of a nested dictionary": (
        "d = {'k': {'a': 1000, 'b': 50}}",
        "[*d['k'].values()][0]",
        "d['k']['a'] = d['k'].pop('a')",
    ),
    "dispatch": (
        "import functools\n@functools.singledispatch\ndef lim(v):\n    return 1000",
        "lim(1)",
        "lim.register(int, lambda v: 50)",
    ),
}

# How a cell makes the change. `change()` is a function that does it.
PATHS: dict[str, str] = {
    "call": "change()",
    # On the rows at hand it never runs.
    "rows": "for d in flights.collect()['delay'].fill_null(0):\n    if d > 100:\n        change()",
    "by name": "ways = {'up': change}\nways['u' + 'p']()",
    "getattr": "class Tool:\n    run = staticmethod(change)\ngetattr(Tool, 'r' + 'un')()",
    "methodcaller": (
        "import operator\nclass Tool:\n    def run(self):\n        change()\n"
        "operator.methodcaller('run')(Tool())"
    ),
    "partial": "import functools\nfunctools.partial(change)()",
    "map": "_ = list(map(lambda _: change(), [0]))",
    "generator": "_ = any(change() for _ in [0])",
    "thread": "import threading\nt1 = threading.Thread(target=change)\nt1.start()\nt1.join()",
    "pool": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(1) as pool:\n    pool.submit(change).result()"
    ),
    "exit": (
        "import contextlib\nwith contextlib.ExitStack() as stack:\n    stack.callback(change)"
    ),
    "context manager": (
        "class Then:\n    def __enter__(self):\n        return self\n"
        "    def __exit__(self, *a):\n        change()\nwith Then():\n    pass"
    ),
    "equality": (
        "class Odd:\n    def __eq__(self, o):\n        change()\n        return True\nOdd() == 1"
    ),
    "format": (
        "class Odd:\n    def __format__(self, s):\n        change()\n        return ''\n"
        "text = f'{Odd()}'"
    ),
    "display": "class Odd:\n    def _repr_html_(self):\n        change()\n        return ''\nOdd()",
    "repr": (
        "class Odd:\n    def __repr__(self):\n        change()\n        return 'odd'\nprint(Odd())"
    ),
    "sort key": "_ = sorted([2, 1], key=lambda v: change() or v)",
    "subclass hook": (
        "class Root:\n    def __init_subclass__(cls):\n        change()\n"
        "class Leaf(Root):\n    pass"
    ),
    "set name": (
        "class Field:\n    def __set_name__(self, o, n):\n        change()\n"
        "class Row:\n    f = Field()"
    ),
    "metaclass": (
        "class M(type):\n    def __call__(c, *a):\n        change()\n"
        "        return super().__call__(*a)\nclass K(metaclass=M):\n    pass\nK()"
    ),
    "decorator": "def now(f):\n    change()\n    return f\n@now\ndef nothing():\n    pass",
    "iteration": (
        "class Odd:\n    def __iter__(self):\n        change()\n        return iter(())\n"
        "for _ in Odd():\n    pass"
    ),
    "truth": (
        "class Odd:\n    def __bool__(self):\n        change()\n        return True\n"
        "if Odd():\n    pass"
    ),
    "property": "class Odd:\n    @property\n    def p(self):\n        change()\nOdd().p",
    "getattribute": "class Odd:\n    def __getattr__(self, n):\n        change()\nOdd().anything",
    "coroutine": "import asyncio\nasync def later():\n    change()\nawait later()",
    "finally": "try:\n    pass\nfinally:\n    change()",
    "exception": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    change()",
    "walrus": "_ = [w1 for v in [0] if (w1 := change()) is None]",
    "finalizer": (
        "import weakref\nclass Gone:\n    pass\ngone = Gone()\n"
        "_end = weakref.finalize(gone, change)\n_end()"
    ),
    "reduce": "import functools\nfunctools.reduce(lambda a, b: change(), [0, 1])",
    "comparison": "_ = max([2, 1], key=lambda v: change() or v)",
    "match": (
        "class Odd:\n    __match_args__ = ('p',)\n    @property\n    def p(self):\n"
        "        change()\n        return 1\nmatch Odd():\n    case Odd(1):\n        pass"
    ),
    "logging": (
        "import logging\nclass H(logging.Handler):\n    def emit(self, r):\n        change()\n"
        "log = logging.getLogger('mesh-test')\nlog.handlers = [H()]\nlog.error('x')"
    ),
    "polars": (
        "_ = flights.select('day').collect().to_series().map_elements("
        "lambda d: change() or 1, return_dtype=pl.Int64)"
    ),
}
# What a cell cannot show: somebody moved a slider, or a console, or a callback, changed it.
BY_HAND = "by hand"
