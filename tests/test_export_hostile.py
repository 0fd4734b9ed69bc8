"""Notebooks that would make an export wrong, if it looked away: each is equal, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import ROWS

from mesh_notebook.errors import DeployRefused, ExportRefused, MeshError

pytestmark = pytest.mark.proofs


def exported(notebook: Any, *cells: str) -> str:
    """Run cells that make `out`; return the module, which the export has proved."""
    for cell in cells:
        notebook.run(cell)
    notebook.run("%mesh output daily out --key day,origin --event-time day")
    notebook.run("%mesh export bundle")
    return Path("bundle/transform.py").read_text()


def called(module: str, function: str, *arguments: Any) -> Any:
    names: dict[str, Any] = {}
    exec(compile(module, "transform.py", "exec"), names)
    return names[function](*arguments)


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0c"], ids=["U+2028", "U+0085", "form feed"])
def test_what_only_looks_like_the_end_of_a_line_ends_none(notebook: Any, odd: str) -> None:
    module = exported(
        notebook,
        f"def fee(d):\n    # late fee {odd} capped\n    if d < 1000:\n        return 1\n"
        "    cap = 99\n    return cap",
        "out = flights.with_columns(fee=pl.col('delay').map_elements(fee, return_dtype=pl.Int64))",
    )
    assert called(module, "fee", 5000) == 99


def test_a_large_number_in_a_column_hides_no_difference(notebook: Any) -> None:
    notebook.run("class C:\n    made = []\n    def __init__(self): self.made.append(1)\nC()")
    large = "pl.when(pl.col('origin') == 'EWR').then(1e12).otherwise(0.5 * len(C.made))"
    try:
        module = exported(notebook, f"out = flights.with_columns(fee={large})")
    except ExportRefused:
        return
    rows = called(module, "daily", pl.read_csv("flights.csv", try_parse_dates=True).lazy())
    assert rows.collect().filter(origin="JFK")["fee"].to_list() == [0.5]


def test_the_time_zone_of_the_session_does_not_reach_the_proof(
    notebook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    hour = "hour = dt.datetime.fromtimestamp(0).hour"
    cells = ("import time; time.tzset()", f"import datetime as dt\n{hour}")
    with pytest.raises(ExportRefused):
        exported(notebook, *cells, "out = flights.with_columns(h=pl.lit(hour))")
    monkeypatch.undo()
    notebook.run("import time; time.tzset()")


def test_magics_inside_a_timed_cell_are_seen(notebook: Any) -> None:
    module = exported(
        notebook,
        "%%time\nlimit = 4\n%mesh output daily flights --key day,origin --event-time day",
        "%%time\nout = flights.filter(pl.col('delay') > limit)",
    )
    assert "limit = 4" in module


REGISTER = "class Caps:\n    caps = {}\n    def __init__(self, o, c): self.caps[o] = c"
KEEPER = "class R:\n    def __init__(self): self.caps = {}\n"
DISPATCH = "from functools import singledispatch\n@singledispatch\ndef cap(o): return 0"
# The proof's own data has no SFO: a statement that matters for SFO alone must be kept all the same.
FOR_EFFECT = {
    "an instance that writes into its class": ([REGISTER, "Caps('SFO', 3)"], "Caps.caps.get(o, 0)"),
    "instances made in a loop": (
        [REGISTER, "for o in ['SFO']:\n    one = Caps(o, 3)"],
        "Caps.caps.get(o, 0)",
    ),
    "a handler that is registered": (
        [DISPATCH, "@cap.register\ndef _(o: str): return 3 if o == 'SFO' else 0"],
        "cap(o)",
    ),
    "a cache that is filled": (
        [
            "import functools\n@functools.lru_cache\ndef cap(o): return cur if o == 'SFO' else 0",
            "cur = 3",
            "cap('SFO')",
            "cur = 5",
        ],
        "cap(o)",
    ),
    "an item that makes itself": (
        [
            "from collections import defaultdict\ncaps = defaultdict(lambda: 3)",
            "caps['EWR'] = caps['JFK'] = 0",
            "caps['SFO']",
        ],
        "dict(caps).get(o, 0)",
    ),
    "a block that is entered": (
        [
            KEEPER + "    def __enter__(self): self.caps['SFO'] = 3\n"
            "    def __exit__(self, *a): pass\nr = R()",
            "with r:\n    pass",
        ],
        "r.caps.get(o, 0)",
    ),
    "an item of an object": (
        [KEEPER + "    def __getitem__(self, o): self.caps[o] = 3\nr = R()", "r['SFO']"],
        "r.caps.get(o, 0)",
    ),
    "an operator of an object": (
        [KEEPER + "    def __lshift__(self, o): self.caps[o] = 3\nr = R()", "r << 'SFO'"],
        "r.caps.get(o, 0)",
    ),
    "a property of an object": (
        [KEEPER + "    @property\n    def load(self): self.caps['SFO'] = 3\nr = R()", "r.load"],
        "r.caps.get(o, 0)",
    ),
    "a class that inherits": (
        ["class A:\n    caps = {}\nclass B(A): pass", "B.caps['SFO'] = 3"],
        "A.caps.get(o, 0)",
    ),
    "the class of an instance": (
        ["class N:\n    caps = {}", "type(N()).caps = {'SFO': 3}"],
        "N.caps.get(o, 0)",
    ),
    "a numpy function that writes": (
        ["import numpy as np\na = np.zeros(1, dtype=int)", "np.add.at(a, [0], 3)"],
        "int(a[0]) if o == 'SFO' else 0",
    ),
    "a flat view of an array": (
        ["import numpy as np\na = np.zeros(1, dtype=int)", "f = a.flat\nf[0] = 3"],
        "int(a[0]) if o == 'SFO' else 0",
    ),
}


@pytest.mark.parametrize("name", FOR_EFFECT)
def test_what_was_run_for_its_effect_is_kept_or_refused(notebook: Any, name: str) -> None:
    cells, value = FOR_EFFECT[name]
    make = f"pl.col('origin').map_elements(lambda o: {value}, return_dtype=pl.Int64)"
    try:
        module = exported(notebook, *cells, f"out = flights.with_columns(cap={make})")
    except ExportRefused:
        return
    other = pl.DataFrame({"day": ["2026-02-01"], "origin": ["SFO"], "delay": [1]})
    made = called(module, "daily", other.lazy()).collect()["cap"].item()
    assert made == notebook.run(f"(lambda o: {value})('SFO')") == 3


READS = {
    "a reader under another name": "rd = pl.read_csv\nextra = rd(path)",
    "a reader found by its name": "extra = getattr(pl, 'read_csv')(path)",
    "a reader as a default": "def get(p, rd=pl.read_csv): return rd(p)\nextra = get(path)",
    "a reader imported inside": "def get(p):\n    import polars as p_\n    return p_.read_csv(p)\n"
    "extra = get(path)",
    "a path that opens itself": "from pathlib import Path\n"
    "with Path(path).open() as file:\n    extra = file.read()",
    "the names of files": "import os\nextra = [e.name for e in os.scandir(os.path.dirname(path))]",
    "a connection that nothing shows": "import duckdb\n"
    "extra = duckdb.default_connection().execute(f'FROM \"{path}\"').fetchall()",
    "a query of a relation": "import duckdb\n"
    "extra = duckdb.values([1]).query('v', f'FROM \"{path}\"').fetchall()",
    "a connection found by its name": "import duckdb\n"
    "extra = vars(duckdb)['connect']().execute(f'FROM \"{path}\"').fetchall()",
    "SQL of a frame": "extra = pl.DataFrame({'a': [1]}).sql(f\"SELECT * FROM read_csv('{path}')\")",
    "whether a file is there": "from pathlib import Path\nextra = 'x' * Path(path).exists()",
    "another program": "import subprocess\nextra = subprocess.check_output(['cat', path])",
}


@pytest.mark.parametrize("name", READS)
def test_what_is_no_input_cannot_be_reached(notebook: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "elsewhere" / "extra.csv"
    path.parent.mkdir()
    path.write_text("a\n1\n")
    with pytest.raises(ExportRefused):
        exported(
            notebook,
            f"path = {str(path)!r}\n{READS[name]}",
            "out = flights.with_columns(n=pl.lit(len(extra)))",
        )


SWALLOWED = """
import io
readers = {"text": io.open}
def limit(path):
    try:
        return int(readers["text"](path).read())
    except OSError:
        return 1000
"""


def test_a_file_that_the_code_does_without_is_refused_with_its_cell_and_path(
    notebook: Any, tmp_path: Path
) -> None:
    (tmp_path / "lim.txt").write_text("5")
    with pytest.raises(ExportRefused) as refused:
        exported(
            notebook,
            SWALLOWED,
            "lim = limit('lim.txt')",
            "out = flights.filter(pl.col('delay') < lim)",
        )
    error = refused.value
    assert "In[5] reads lim.txt, which is no input" in str(error)
    assert "declare it: %mesh source NAME lim.txt" in str(error)
    assert error.cell == 5


def test_a_file_that_only_later_rows_ask_for_is_not_deployed(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "lim.txt").write_text("5")
    exported(
        notebook,
        SWALLOWED,
        "rows = flights.collect()\nlim = limit('lim.txt') if rows.height > 3 else 8",
        "out = rows.filter(pl.col('delay') < lim)",
    )
    (tmp_path / "flights.csv").write_text(ROWS + "2026-01-02,LGA,2\n")
    with pytest.raises(DeployRefused, match=r"reads lim\.txt, which is no input"):
        notebook.run("%mesh deploy bundle")
    assert notebook.mesh.search().found == ()


def test_sql_in_a_module_reaches_no_file(notebook: Any, tmp_path: Path) -> None:
    path = tmp_path / "extra.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    cell = f"query = \"SELECT *, (SELECT a FROM '{path}') AS a FROM flights\"\n"
    with pytest.raises(MeshError):
        exported(notebook, cell + "out = mesh.sql('out', query)")


@pytest.mark.parametrize(
    "cell",
    [
        "def seen(o, before=[]):\n    before.append(o)\n    return len(before)",
        "class C:\n    made = []\ndef seen(o):\n    C.made.append(o)\n    return len(C.made)",
        "class C:\n    n = 0\n    @classmethod\n    def more(cls):\n        cls.n += 1\n"
        "        return cls.n\ndef seen(o): return C.more()",
        "class C:\n    n = 0\ndef seen(o):\n    C.n += 1\n    return C.n",
        "import functools\n@functools.cache\ndef keep(): return []\n"
        "def seen(o):\n    keep().append(o)\n    return len(keep())",
    ],
    ids=["a default", "a class", "a counter", "a counter from outside", "a cache"],
)
def test_a_port_does_not_remember_its_last_call(notebook: Any, cell: str) -> None:
    make = "out = flights.collect().with_columns(n=pl.Series([seen(o) for o in 'abc']))"
    try:
        module = exported(notebook, cell, make)
    except ExportRefused:
        return
    names: dict[str, Any] = {}
    exec(compile(module, "transform.py", "exec"), names)
    rows = pl.read_csv("flights.csv").lazy()
    assert [names["daily"](rows).collect()["n"].to_list() for _ in (1, 2)] == [[1, 2, 3]] * 2


def test_a_module_edited_since_it_was_proved_is_not_deployed(notebook: Any) -> None:
    exported(notebook, "out = flights.filter(pl.col('delay') > 1)")
    path = Path("bundle/transform.py")
    path.write_text(path.read_text().replace("> 1", "> 5"))
    with pytest.raises(DeployRefused, match=r"transform\.py was edited since it was proved"):
        notebook.run("%mesh deploy bundle")
    assert notebook.mesh.search().found == ()


@pytest.mark.parametrize("port", ["sum", "pl", "duckdb", "print"])
def test_a_port_whose_function_would_cover_what_its_code_means_is_refused(
    notebook: Any, port: str
) -> None:
    notebook.run(f"%mesh output {port} flights --key day,origin --event-time day")
    with pytest.raises(ExportRefused, match="name it otherwise"):
        notebook.run("%mesh export bundle")


@pytest.mark.parametrize("folder", ["/proc/bundle", "/dev/null/bundle"])
def test_a_folder_that_cannot_be_written_is_one_paragraph(notebook: Any, folder: str) -> None:
    notebook.run("%mesh output daily flights --key day,origin --event-time day")
    with pytest.raises(ExportRefused):
        notebook.run(f"%mesh export {folder}")


def test_a_column_may_be_written_in_any_script(notebook: Any) -> None:
    notebook.run("sizes = pl.DataFrame({'größe': ['klein', 'groß'] * 20, 'n': range(40)})")
    notebook.run("%mesh output sizes sizes --key n")
    assert notebook.run("%mesh check").passed
