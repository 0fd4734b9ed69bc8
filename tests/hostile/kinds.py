"""What a notebook may lean on that a clean process, or another day, does not give."""

from __future__ import annotations

__all__ = ["CHANCES", "CHECKS", "FILES", "ORDERS", "WRAPS"]

# What stops a cell on the rows at hand, of which none is late by more than 100, and not on others.
CHECKS: dict[str, str] = {
    "assertion": "assert flights.collect()['delay'].max() > 100",
    "assertion on a name": "most = flights.collect()['delay'].max()\nassert most > 100, most",
    "raised": (
        "if flights.filter(pl.col('delay') > 100).collect().is_empty():\n"
        "    raise ValueError('nobody is late')"
    ),
    "raised by a class": (
        "class Late(Exception):\n    pass\n"
        "if flights.collect()['delay'].max() <= 100:\n    raise Late()"
    ),
    "raised by a function": (
        "def hold(rows):\n    if not (rows['delay'] > 100).any():\n"
        "        raise RuntimeError('nobody is late')\nhold(flights.collect())"
    ),
    "left": "import sys\nif flights.collect()['delay'].max() <= 100:\n    sys.exit('none')",
    "division": "share = 1 / flights.filter(pl.col('delay') > 100).collect().height",
    "item": "first = flights.filter(pl.col('delay') > 100).collect()['delay'].to_list()[0]",
    "unpacked": "(first, *_) = flights.filter(pl.col('delay') > 100).collect()['delay'].to_list()",
    "smallest": "low = min(v for v in flights.collect()['delay'].drop_nulls() if v > 100)",
    "next": "late = next(v for v in flights.collect()['delay'].drop_nulls() if v > 100)",
    "row": "late = flights.filter(pl.col('delay') > 100).collect().row(0)",
}

# Numbers that chance, the clock or the machine decides: imports, and an expression.
CHANCES: dict[str, tuple[str, str]] = {
    "random": ("import random", "random.randint(0, 10**6)"),
    "random class": ("import random", "random.Random().randint(0, 10**6)"),
    "system random": ("import random", "random.SystemRandom().randint(0, 10**6)"),
    "choice": ("import random", "random.choice(range(10**6))"),
    "shuffle": ("import random", "(lambda xs: random.shuffle(xs) or xs[0])(list(range(999)))"),
    "numpy legacy": ("import numpy as np", "int(np.random.randint(10**6))"),
    "numpy generator": ("import numpy as np", "int(np.random.default_rng().integers(10**6))"),
    "numpy state": ("import numpy as np", "int(np.random.RandomState().randint(10**6))"),
    "scipy": ("from scipy import stats", "int(stats.uniform.rvs() * 10**6)"),
    "secrets": ("import secrets", "secrets.randbelow(10**6)"),
    "uuid": ("import uuid", "uuid.uuid4().int % 10**6"),
    "uuid of the machine": ("import uuid", "uuid.uuid1().time % 10**6"),
    "urandom": ("import os", "int.from_bytes(os.urandom(3))"),
    "faker": ("from faker import Faker", "Faker().random_int(0, 10**6)"),
    "hash of a text": ("", "hash('SFO') % 10**6"),
    "hash of a tuple": ("", "hash(('SFO', 1)) % 10**6"),
    "hash of a date": ("import datetime as dt", "hash(dt.date(2026, 1, 1)) % 10**6"),
    "dunder hash": ("", "'SFO'.__hash__() % 10**6"),
    "first of a set": ("", "int(next(iter({'11', '22', '33', '44', '55', '66', '77'})))"),
    "popped": ("", "int({'11', '22', '33', '44', '55', '66', '77'}.pop())"),
    "set as a list": ("", "int(list({'11', '22', '33', '44', '55', '66', '77'})[0])"),
    "set as a tuple": ("", "int(tuple(set('1234567'))[0])"),
    "set joined": ("", "int(''.join({'1', '2', '3', '4', '5', '6', '7'}))"),
    "set comprehension": ("", "[int(v) for v in {c for c in '1234567'}][0]"),
    "frozenset": ("", "int(next(iter(frozenset('1234567'))))"),
    "set enumerated": ("", "dict((v, i) for i, v in enumerate(set('1234567')))['1']"),
    "set unpacked": ("", "int((lambda a, *b: a)(*set('1234567')))"),
    "set difference": ("", "int(list(set('1234567') - {'1'})[0])"),
    "dict of a set": ("", "int(next(iter(dict.fromkeys(set('1234567')))))"),
    "id": ("", "id(object()) % 10**6"),
    "repr of an object": ("", "int(repr(object())[-8:-1], 16) % 10**6"),
    "text of an object": ("", "sum(map(ord, str(object())))"),
    "pid": ("import os", "os.getpid()"),
    "cores": ("import os", "os.cpu_count() or 0"),
    "category": ("", "int(pl.Series(['a', 'b'], dtype=pl.Categorical).to_physical()[1]) * 7"),
    "category of rows": (
        "",
        "int(flights.collect()['origin'].cast(pl.Categorical).cat.physical()[0]) * 7",
    ),
    "set of rows": ("", "sum(map(ord, list(set(flights.collect()['origin']))[0]))"),
    "sets of groups": (
        "import pandas as pd",
        "sum(map(ord, flights.collect().to_pandas().groupby('day')['origin'].apply(set)"
        ".apply(list).str[0].iloc[0]))",
    ),
    "threads of polars": ("", "pl.thread_pool_size()"),
    "host": ("import socket", "sum(map(ord, socket.gethostname()))"),
    "node": ("import platform", "sum(map(ord, platform.node()))"),
    "folder": ("import os", "sum(map(ord, os.getcwd()))"),
    "path": ("from pathlib import Path", "sum(map(ord, str(Path('.').resolve())))"),
    "home": ("from pathlib import Path", "sum(map(ord, str(Path.home())))"),
    "expanded": ("import os", "sum(map(ord, os.path.expanduser('~')))"),
    "executable": ("import sys", "sum(map(ord, sys.argv[0]))"),
    "variable": ("import os", "sum(map(ord, os.environ.get('HOME', '')))"),
    "now": ("import datetime as dt", "dt.datetime.now().microsecond"),
    "today": ("import datetime as dt", "(dt.date.today() - dt.date(2026, 1, 1)).days"),
    "time": ("import time", "time.time_ns() % 10**6"),
    "counter": ("import time", "time.perf_counter_ns() % 10**6"),
    "pandas now": ("import pandas as pd", "pd.Timestamp.now().microsecond"),
    "numpy now": ("import numpy as np", "int(np.datetime64('now').astype(int))"),
    "local time": ("import time", "time.localtime(0).tm_hour * 7"),
    "from timestamp": ("import datetime as dt", "dt.datetime.fromtimestamp(0).hour * 7"),
    "as zone": (
        "import datetime as dt",
        "dt.datetime(2026, 1, 1, tzinfo=dt.UTC).astimezone().hour * 7",
    ),
    "mktime": ("import time", "int(time.mktime((2026, 1, 1, 0, 0, 0, 0, 1, -1))) % 10**6"),
    "zone": ("import time", "time.timezone"),
    "mail date": ("import email.utils", "sum(map(ord, email.utils.formatdate(localtime=True)))"),
    "uptime": ("import os", "int(os.times().elapsed * 100)"),
    "memory": ("import sys", "sys.getsizeof([]) + sys.getrefcount(None) % 1000"),
    "polars sample": ("", "int(pl.Series(range(10**6)).sample(1)[0])"),
    "polars shuffle": ("", "int(pl.Series(range(10**6)).shuffle()[0])"),
    "polars hash": ("", "int(pl.Series([object()], dtype=pl.Object).len() + id(pl) % 997)"),
    "random rank": ("", "int(pl.Series([1] * 999).rank('random')[0])"),
    "pandas sample": ("import pandas as pd", "int(pd.Series(range(10**6)).sample(1).iloc[0])"),
    "split": (
        "from sklearn.model_selection import train_test_split",
        "train_test_split(list(range(9999)))[0][0]",
    ),
    "forest": (
        "from sklearn.ensemble import RandomForestRegressor",
        "int(RandomForestRegressor(2).fit([[v] for v in range(99)], "
        "[v * v % 37 for v in range(99)]).predict([[50.4]])[0] * 1000)",
    ),
    "k means": (
        "from sklearn.cluster import KMeans",
        "int(KMeans(5, n_init=1).fit([[v * v % 97] for v in range(99)]).labels_[0])",
    ),
    "sklearn shuffle": ("from sklearn.utils import shuffle", "shuffle(list(range(9999)))[0]"),
    "blobs": ("from sklearn.datasets import make_blobs", "int(make_blobs(1)[0][0][0] * 1000)"),
    "mlp": (
        "from sklearn.neural_network import MLPRegressor",
        "int(MLPRegressor(hidden_layer_sizes=3, max_iter=5).fit([[0.1], [0.9]], [0.2, 0.7])"
        ".predict([[0.5]])[0] "
        "* 10**6)",
    ),
}

# How such an expression is reached. `{e}` is the expression, `{v}` the name of its value.
WRAPS: dict[str, str] = {
    "plain": "{v} = {e}",
    "function": "def draw():\n    return {e}\n{v} = draw()",
    "lambda": "draw = lambda: {e}\n{v} = draw()",
    "default": "def draw(v={e}):\n    return v\n{v} = draw()",
    "class attribute": "class Box:\n    v = {e}\n{v} = Box.v",
    "method": "class Box:\n    def draw(self):\n        return {e}\n{v} = Box().draw()",
    "dictionary": "ways = {{'a': lambda: {e}}}\n{v} = ways['a']()",
    "comprehension": "{v} = [({e}) for _ in range(1)][0]",
    "conditional": "{v} = ({e}) if True else 0",
    "try": "try:\n    {v} = {e}\nexcept ValueError:\n    {v} = 1",
    "partial": "from functools import partial\n{v} = partial(lambda: {e})()",
    "factory": (
        "from dataclasses import dataclass, field\n@dataclass\nclass Row:\n"
        "    v: int = field(default_factory=lambda: {e})\n{v} = Row().v"
    ),
    "cached": "from functools import cache\n@cache\ndef draw():\n    return {e}\n{v} = draw()",
}

# Code that reads a number from a file beside the notebook, and takes 1000 where there is none.
FILES: dict[str, str] = {
    "open": "try:\n    v = int(open('lim.txt').read())\nexcept OSError:\n    v = 1000",
    "path open": (
        "from pathlib import Path\ntry:\n    with Path('lim.txt').open() as f:\n"
        "        v = int(f.read())\nexcept FileNotFoundError:\n    v = 1000"
    ),
    "bare except": "try:\n    v = int(open('lim.txt').read())\nexcept:\n    v = 1000",
    "suppress": (
        "import contextlib\nv = 1000\nwith contextlib.suppress(Exception):\n"
        "    v = int(open('lim.txt').read())"
    ),
    "exists": "import os\nv = 50 if os.path.exists('lim.txt') else 1000",
    "isfile": "from os.path import isfile\nv = 50 if isfile('lim.txt') else 1000",
    "lexists": "import os\nv = 50 if os.path.lexists('lim.txt') else 1000",
    "access": "import os\nv = 50 if os.access('lim.txt', os.R_OK) else 1000",
    "stat": (
        "import os\ntry:\n    v = 52 - os.stat('lim.txt').st_size\nexcept OSError:\n    v = 1000"
    ),
    "getsize": (
        "import os\ntry:\n    v = 48 + os.path.getsize('lim.txt')\nexcept OSError:\n    v = 1000"
    ),
    "path exists": "import pathlib\nv = 50 if pathlib.Path('lim.txt').exists() else 1000",
    "path is file": "import pathlib\nv = 50 if pathlib.Path('lim.txt').is_file() else 1000",
    "path stat": (
        "import pathlib\ntry:\n    pathlib.Path('lim.txt').stat()\n    v = 50\n"
        "except OSError:\n    v = 1000"
    ),
    "glob": "import glob\nv = 50 if glob.glob('*.txt') else 1000",
    "path glob": "from pathlib import Path\nv = 50 if list(Path().glob('lim.*')) else 1000",
    "rglob": "from pathlib import Path\nv = 50 if [*Path('.').rglob('lim.txt')] else 1000",
    "iterdir": (
        "from pathlib import Path\n"
        "v = 50 if any(p.name == 'lim.txt' for p in Path('.').iterdir()) else 1000"
    ),
    "listdir": "import os\nv = 50 if 'lim.txt' in os.listdir() else 1000",
    "scandir": "import os\nv = 50 if any(e.name == 'lim.txt' for e in os.scandir()) else 1000",
    "walk": "import os\nv = 50 if any('lim.txt' in f for _, _, f in os.walk('.')) else 1000",
    "config": (
        "import configparser\nc = configparser.ConfigParser()\nc.read('s.ini')\n"
        "v = c.getint('a', 'lim', fallback=1000)"
    ),
    "xml": (
        "import xml.etree.ElementTree as ET\ntry:\n    v = int(ET.parse('s.xml').getroot().text)\n"
        "except Exception:\n    v = 1000"
    ),
    "json": (
        "import json\ntry:\n    with open('s.json') as f:\n        v = json.load(f)['lim']\n"
        "except FileNotFoundError:\n    v = 1000"
    ),
    "toml": (
        "import tomllib\ntry:\n    with open('s.toml', 'rb') as f:\n"
        "        v = tomllib.load(f)['lim']\nexcept OSError:\n    v = 1000"
    ),
    "pandas": (
        "import pandas as pd\ntry:\n    v = int(pd.read_csv('lim.txt', header=None).iloc[0, 0])\n"
        "except Exception:\n    v = 1000"
    ),
    "polars": (
        "try:\n    v = int(pl.read_csv('lim.txt', has_header=False).item())\n"
        "except Exception:\n    v = 1000"
    ),
    "numpy": (
        "import numpy as np\ntry:\n    v = int(np.loadtxt('lim.txt'))\nexcept OSError:\n"
        "    v = 1000"
    ),
    "fromfile": (
        "import numpy as np\ntry:\n    v = len(np.fromfile('lim.txt', 'u1')) * 25\n"
        "except OSError:\n    v = 1000"
    ),
    "sqlite": (
        "import sqlite3\nv = 1000\ntry:\n    c = sqlite3.connect('file:s.db?mode=ro', uri=True)\n"
        "    v = c.execute('select lim from t').fetchone()[0]\nexcept sqlite3.Error:\n    pass"
    ),
    "duckdb": (
        'import duckdb\ntry:\n    v = duckdb.connect().execute("select column0 from '
        "read_csv('lim.txt', header=false)\").fetchone()[0]\nexcept Exception:\n    v = 1000"
    ),
    "zip": "import zipfile\nv = 50 if zipfile.is_zipfile('s.zip') else 1000",
    "filecmp": (
        "import filecmp\ntry:\n    v = 50 if filecmp.cmp('lim.txt', 'lim.txt') else 9\n"
        "except OSError:\n    v = 1000"
    ),
    "linecache": "import linecache\nv = int(linecache.getline('lim.txt', 1) or 1000)",
    "fileinput": (
        "import fileinput\ntry:\n    with fileinput.input('lim.txt') as f:\n"
        "        v = int(next(f))\nexcept OSError:\n    v = 1000"
    ),
    "runpy": (
        "import runpy\ntry:\n    v = runpy.run_path('s.py')['lim']\nexcept OSError:\n    v = 1000"
    ),
    "find spec": "import importlib.util\nv = 50 if importlib.util.find_spec('s') else 1000",
    "import": "try:\n    from s import lim as v\nexcept ImportError:\n    v = 1000",
    "mmap": (
        "import mmap\ntry:\n    with open('lim.txt', 'rb') as f:\n"
        "        v = int(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)[:])\n"
        "except OSError:\n    v = 1000"
    ),
    "os open": (
        "import os\ntry:\n    v = int(os.read(os.open('lim.txt', os.O_RDONLY), 9))\n"
        "except OSError:\n    v = 1000"
    ),
    "codecs": (
        "import codecs\ntry:\n    v = int(codecs.open('lim.txt', encoding='utf-8').read())\n"
        "except OSError:\n    v = 1000"
    ),
    "which": "import shutil\nv = 50 if shutil.which('./s.sh') else 1000",
    "arrow": (
        "import pyarrow as pa\ntry:\n    v = int(pa.OSFile('lim.txt').read())\n"
        "except OSError:\n    v = 1000"
    ),
    "arrow files": (
        "from pyarrow import fs\nv = 50 if fs.LocalFileSystem().get_file_info('lim.txt').is_file "
        "else 1000"
    ),
    "realpath": (
        "import os\n"
        "v = 50 if os.path.samefile('.', os.getcwd()) and os.path.isfile('lim.txt') else 1000"
    ),
    "shelve": (
        "import shelve\ntry:\n    with shelve.open('s-shelf', 'r') as s:\n        v = s['lim']\n"
        "except Exception:\n    v = 1000"
    ),
    "resources": (
        "import pkgutil\ntry:\n    v = int((pkgutil.get_data('s', 'lim.txt') or b'1000'))\n"
        "except Exception:\n    v = 1000"
    ),
}

# Steps whose answer the rows do not determine, where many rows tie.
ORDERS: dict[str, str] = {
    "top k": "out = flights.top_k(5, by='delay')",
    "bottom k": "out = flights.bottom_k(5, by='delay')",
    "sort and head": "out = flights.sort('delay').head(5)",
    "sort and tail": "out = flights.sort('origin').tail(3)",
    "sort and slice": "out = flights.sort('delay', descending=True).slice(2, 4)",
    "unique any": "out = flights.unique('origin')",
    "unique first": "out = flights.sort('delay').unique('origin', keep='first')",
    "join and head": "out = flights.join(weather, on='origin', how='left').head(5)",
    "join and index": "out = flights.join(weather, on='origin', how='inner').with_row_index()",
    "join and shift": (
        "out = flights.join(weather, on='origin').with_columns(p=pl.col('delay').shift(1))"
    ),
    "join and sum": (
        "out = flights.join(weather, on='origin').with_columns(p=pl.col('delay').cum_sum())"
    ),
    "group and first": "out = flights.join(weather, on='origin').group_by('origin').first()",
    "group and last": ("out = flights.sort('delay').group_by('day').agg(pl.col('origin').last())"),
    "group and head": "out = flights.group_by('origin').head(2)",
    "group and index": "out = flights.group_by('origin').len().with_row_index('n')",
    "group and cumulate": (
        "out = flights.group_by('origin').agg(pl.col('delay').sum())"
        ".with_columns(c=pl.col('delay').cum_sum())"
    ),
    "group and list": (
        "out = flights.join(weather, on='origin').group_by('origin').agg(pl.col('delay'))"
    ),
    "unique and cumulate": (
        "out = flights.select('origin', 'delay').unique().with_columns(c=pl.col('delay').cum_sum())"
    ),
    "mode first": "out = flights.select(m=pl.col('origin').mode().first())",
    "arg sort": "out = flights.join(weather, on='origin').select(i=pl.col('delay').arg_max())",
    "sort by with ties": "out = flights.select(pl.col('origin').sort_by('delay').head(4))",
    "over": (
        "out = flights.join(weather, on='origin')"
        ".with_columns(r=pl.col('delay').cum_count().over('origin'))"
    ),
    "ordinal": (
        "out = flights.join(weather, on='origin').with_columns(r=pl.col('delay').rank('ordinal'))"
    ),
    "item": (
        "best = flights.sort('delay', descending=True).collect()['origin'][0]\n"
        "out = flights.filter(pl.col('origin') == best)"
    ),
    "row": (
        "best = flights.group_by('origin').len().collect().row(0)[0]\n"
        "out = flights.filter(pl.col('origin') == best)"
    ),
    "to list": (
        "names = flights.select('origin').unique().collect()['origin'].to_list()\n"
        "out = flights.filter(pl.col('origin').is_in(names[:2]))"
    ),
    "pandas head": (
        "t = flights.group_by('origin').len().collect().to_pandas()\n"
        "out = t.sort_values('len').head(1)"
    ),
    "pandas first": (
        "t = flights.drop('day').join(weather, on='origin', how='left').collect().to_pandas()\n"
        "out = t.groupby('origin', as_index=False).first()"
    ),
    "pandas iloc": (
        "t = flights.unique('origin').drop('day').collect().to_pandas()\n"
        "out = t.iloc[:2].reset_index(drop=True)"
    ),
    "sql limit": "%%mesh sql out\nSELECT * FROM flights ORDER BY delay LIMIT 5",
    "sql limit alone": "%%mesh sql out\nSELECT origin, delay FROM flights LIMIT 5",
    "sql first": "%%mesh sql out\nSELECT origin, first(delay) AS d FROM flights GROUP BY origin",
    "sql any value": (
        "%%mesh sql out\nSELECT origin, any_value(delay) AS d FROM flights GROUP BY origin"
    ),
    "sql row number": "%%mesh sql out\nSELECT *, row_number() OVER () AS n FROM flights",
    "sql row number tied": (
        "%%mesh sql out\nSELECT *, row_number() OVER (PARTITION BY origin ORDER BY day) AS n "
        "FROM flights"
    ),
    "sql lag": ("%%mesh sql out\nSELECT *, lag(delay) OVER (ORDER BY origin) AS p FROM flights"),
    "sql running": (
        "%%mesh sql out\nSELECT *, sum(delay) OVER (ORDER BY day ROWS UNBOUNDED PRECEDING) AS s "
        "FROM flights"
    ),
    "sql list": "%%mesh sql out\nSELECT origin, list(delay) AS d FROM flights GROUP BY origin",
    "sql texts": (
        "%%mesh sql out\nSELECT day, string_agg(origin, ',') AS o FROM flights GROUP BY day"
    ),
    "sql distinct on": "%%mesh sql out\nSELECT DISTINCT ON (origin) * FROM flights",
    "sql arg max": (
        "%%mesh sql out\nSELECT day, arg_max(origin, delay) AS o FROM flights GROUP BY day"
    ),
    "sql sample": "%%mesh sql out\nSELECT * FROM flights USING SAMPLE 3",
    "sql mode": "%%mesh sql out\nSELECT day, mode(origin) AS o FROM flights GROUP BY day",
}
