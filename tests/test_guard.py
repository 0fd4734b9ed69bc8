"""What a transform looks at in its clean process: written down, or let be, whatever it swallows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

# What is asked for, by a name of the field; most of it swallows the error or says nothing at all.
ASKED = {
    "settings in an INI file": "import configparser\nconfigparser.ConfigParser().read('s.ini')",
    "a pattern of a path": "from pathlib import Path\nlist(Path('.').glob('lim.txt'))",
    "whether a path exists": "import os\nos.path.exists('lim1.txt')",
    "whether a link exists": "import os\nos.path.lexists('lim2.txt')",
    "whether a path elsewhere is a file": "import os\nos.path.isfile('/home/x/lim.txt')",
    "a file, or else": "try: open('x0.csv')\nexcept OSError: pass",
    "a file, or else anything": "try: open('x1.csv')\nexcept: pass",
    "a path that opens itself": "from pathlib import Path\n"
    "try: Path('x2.csv').open()\nexcept OSError: pass",
    "XML": "import xml.etree.ElementTree as ET\ntry: ET.parse('x.xml')\nexcept OSError: pass",
    "a script": "import runpy\ntry: runpy.run_path('x.py')\nexcept OSError: pass",
    "a comparison of files": "import filecmp\ntry: filecmp.cmp('a', 'b')\nexcept OSError: pass",
    "the size of a file": "import os\ntry: os.stat('a1')\nexcept OSError: pass",
    "the right to read": "import os\nos.access('a2', os.R_OK)",
    "the system's own call": "import posix\ntry: posix.stat('a3')\nexcept OSError: pass",
    "the names in a folder": "import os\nos.listdir()",
    "the names in a tree": "import os\nlist(os.walk('data'))",
    "a pattern": "import glob\nglob.glob('*.csv')",
    "a pattern without a star": "import glob\nglob.glob('lim3.csv')",
    "a module by its file": "import importlib.util as u\n"
    "s = u.spec_from_file_location('m', 'm.py')\n"
    "try: s.loader.exec_module(u.module_from_spec(s))\nexcept OSError: pass",
    "a module beside the notebook": "try: import settings\nexcept ImportError: pass",
    "a shelf": "import shelve\ntry: shelve.open('x3', 'r')\nexcept Exception: pass",
    "a database": "import sqlite3\ntry: sqlite3.connect('x.db')\nexcept OSError: pass",
    "a database that is attached": "import sqlite3\nc = sqlite3.connect(':memory:')\n"
    "try: c.execute(\"attach '/tmp/x.db' as x\")\nexcept sqlite3.Error: pass",
    "numbers": "import numpy as np\ntry: np.fromfile('x4')\nexcept OSError: pass",
    "an array that is mapped": "import numpy as np\ntry: np.memmap('x5')\nexcept OSError: pass",
    "a frame": "import polars as pl\ntry: pl.read_csv('x6.csv')\nexcept Exception: pass",
    "a lazy frame": "import polars as pl\n"
    "try: pl.scan_parquet('*.parquet').collect()\nexcept Exception: pass",
    "a file in SQL": "import duckdb\ntry: duckdb.sql(\"from 'x7.csv'\")\nexcept duckdb.Error: pass",
    "a database in a file": "import duckdb\ntry: duckdb.connect('x8.db')\nexcept Exception: pass",
    "Arrow": "import pyarrow.csv as pc\ntry: pc.read_csv('x9.csv')\nexcept Exception: pass",
    "an archive": "import zipfile\nzipfile.is_zipfile('x.zip')",
    "a file that is copied": "import shutil\ntry: shutil.copy('a4', 'b4')\nexcept OSError: pass",
    "words of the machine": "try: open('/usr/share/dict/words')\nexcept OSError: pass",
    "words by parts of their path": "from pathlib import Path\n"
    "(Path('/usr/share') / 'dict' / 'words').exists()",
    "what the machine says of itself": "open('/proc/cpuinfo').read()",
    "a file of the home": "import os\nos.path.exists(os.path.expanduser('~/.config/app.ini'))",
    "a temporary file of before": "import os, tempfile\n"
    "os.path.exists(os.path.join(tempfile.gettempdir(), 'x'))",
    "what a kept folder holds": "import os\nos.makedirs('cache', exist_ok=True)\n"
    "os.listdir('cache')",
    "a file in a kept folder": "import os\nos.makedirs('cache', exist_ok=True)\n"
    "os.path.exists('cache/x')",
    "a file that is written on": "open('a5.txt', 'a').write('x')\nopen('a5.txt').read()",
    "a file that is touched": "from pathlib import Path\n"
    "p = Path('a6.txt')\np.touch()\np.read_text()",
    "a line": "import linecache\nlinecache.getline('lim4.txt', 1)",
    "a path whose links are followed": "from pathlib import Path\n"
    "try: Path('x10').resolve(strict=True)\nexcept OSError: pass",
    "a file in a thread": "import os\nfrom concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(1) as pool: list(pool.map(os.path.exists, ['x11']))",
    "a file of each row": "import os\nimport polars as pl\n"
    "pl.Series(['x12']).map_elements(os.path.exists, return_dtype=pl.Boolean)",
    "files one after another": "import fileinput\n"
    "try: list(fileinput.input('x13'))\nexcept OSError: pass",
    "another program": "import subprocess\n"
    "try: subprocess.run(['git', 'describe'])\nexcept OSError: pass",
    "the network": "import socket\ntry: socket.create_connection(('192.0.2.1', 9))\nexcept: pass",
    "a file through a library": "import library\ntry: library.read('x14')\nexcept OSError: pass",
    "a cache of a library": "import library\nlibrary.cached('x15')",
    "a file of the job": "open('attempts.jsonl').read()",
}
LET_BE = {
    "a folder for a moment": "import os, tempfile\nwith tempfile.TemporaryDirectory() as folder:\n"
    "    path = os.path.join(folder, 'x.parquet')\n    assert not os.path.exists(path)\n"
    "    import polars as pl\n    pl.DataFrame({'a': [1]}).write_parquet(path)\n"
    "    assert pl.read_parquet(path).height == 1 and os.listdir(folder)",
    "a file for a moment": "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as file:\n"
    "    print('x', file=file, flush=True)\n    assert open(file.name).read()",
    "where temporary files are": "import tempfile\ntempfile.gettempdir()",
    "what was written before": "open('y.txt', 'w').write('a')\nassert open('y.txt').read() == 'a'",
    "what was written into a folder": "import os\nos.makedirs('out/a', exist_ok=True)\n"
    "open('out/a/x.txt', 'w').write('a')\nassert open('out/a/x.txt').read() == 'a'",
    "a copy of what was written": "import shutil\nopen('z.txt', 'w').write('a')\n"
    "shutil.copy('z.txt', 'zz.txt')\nshutil.rmtree('nothing', ignore_errors=True)",
    "a database in memory": "import sqlite3\nc = sqlite3.connect(':memory:')\n"
    "c.execute('create table t(a)')\nc.execute('vacuum')",
    "a time zone, beside words in a folder around it": "from zoneinfo import ZoneInfo\n"
    "ZoneInfo('Europe/Berlin')",
    "the time zone of the machine": "from dateutil import tz\ntz.tzlocal()",
    "the kind of a file's name": "import mimetypes\nmimetypes.guess_type('a.csv')",
    "a warning": "import warnings\nwarnings.warn('x')",
    "a log": "import logging\nlogging.FileHandler('x.log').close()",
    "an import, or else": "try: import absent_library\nexcept ImportError: pass",
    "a version": "import importlib.metadata as m\nm.version('polars')",
    "certificates": "import ssl\nssl.create_default_context()",
    "a path that is made whole": "from pathlib import Path\nPath('x').resolve()",
    "what a library of numbers runs": "import library\nlibrary.processors()",
    "where a library looks for fonts": "import library\nlibrary.fonts()",
    "whether a library writes anew": "import library\nlibrary.save('picture.png')",
    "nothing that is written to": "open('/dev/null', 'w').write('x')",
    "an input": "from pathlib import Path\nassert open(Path.cwd().parent / 'input.csv').read()",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return by piece of code what it reached for in one clean process."""
    folder = tmp_path_factory.mktemp("guarded")
    pieces = {name: dedent(code) for name, code in {**ASKED, **LET_BE}.items()}
    (folder / "pieces.json").write_text(json.dumps(pieces))
    script = Path(__file__).with_name("guarded.py")
    command = [sys.executable, "-I", str(script), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads((folder / "work" / "told.json").read_text()))


@pytest.mark.parametrize("name", ASKED)
def test_what_a_transform_asks_for_is_written_down(told: dict[str, list[str]], name: str) -> None:
    said = told[name]
    assert said, "nothing was written down"
    assert not said[0].startswith("failed")


@pytest.mark.parametrize("name", LET_BE)
def test_what_runs_anywhere_is_let_be(told: dict[str, list[str]], name: str) -> None:
    assert told[name] == []
