"""What makes two transforms the same: what they mean, and nothing that only readers see."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import Clock, deployed, write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from notebook import Notebook

import mesh_notebook
from mesh_notebook.errors import DeployRefused
from mesh_notebook.export.module import module_of
from mesh_notebook.export.plan import planned
from mesh_notebook.export.slicing import slices_of
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.identity import meaning_of, written_alike
from mesh_notebook.model.receipt import Receipt

QUERY = "SELECT airport, day, avg(delay) AS delay FROM flights WHERE airport <> 'No' GROUP BY ALL"
MODULE = f'''"""How late planes leave."""

import duckdb
import polars as pl

LIMIT = 100


def _sql(query: str, /, **tables: pl.LazyFrame) -> pl.DataFrame:
    """Run one query."""
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table.collect().to_arrow())
        return pl.DataFrame(connection.sql(query).to_arrow_table())


def daily(flights: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each airport and day."""
    # Early is not late.
    late = flights.filter(pl.col("delay") < LIMIT)
    return _sql("{QUERY}", flights=late).lazy()
'''
PROSE = {
    "a comment": ("# Early is not late.", "# What the tower calls late."),
    "no comment": ("    # Early is not late.\n", ""),
    "a docstring": ("One row for each airport and day.", "It says each day."),
    "no docstring": ('    """One row for each airport and day."""\n', ""),
    "the module's docstring": ("How late planes leave.", "Another text."),
    "layout": (
        'flights.filter(pl.col("delay") < LIMIT)',
        "(flights\n  .filter(pl.col('delay')<LIMIT))",
    ),
    "a number's spelling": ("LIMIT = 100", "LIMIT = 1_00"),
    "layout of SQL": (f'"{QUERY}"', f'"""\n  {QUERY.replace(" FROM", chr(10) + "  FROM")};\n"""'),
    "case of keywords": ("SELECT airport", "select airport"),
    "a comment in SQL": (f'"{QUERY}"', f'"""{QUERY} -- so\n/* all */"""'),
}
MEANING = {
    "a constant": ("LIMIT = 100", "LIMIT = 101"),
    "a constant's type": ("LIMIT = 100", "LIMIT = 100.0"),
    "a name": ('pl.col("delay")', 'pl.col("day")'),
    "an operator": ("< LIMIT", "<= LIMIT"),
    "a text in SQL": ("'No'", "'no'"),
    "spaces in a text of SQL": ("'No'", "'N o'"),
    "a name in SQL": ("AS delay", "AS Delay"),
    "what looks like a comment of SQL": ("'No'", "'No -- so'"),
    "a default": ("flights: pl.LazyFrame)", "flights: pl.LazyFrame = None)"),
    "a text that is no docstring": ("LIMIT = 100", 'LIMIT = 100 if "a" else 0'),
}


def edited(old: str, new: str) -> str:
    assert old in MODULE
    made = MODULE.replace(old, new)
    ast.parse(made)
    return made


def means(text: str) -> str:
    return meaning_of(text.encode())


# ---- the digest --------------------------------------------------------------------------------


@pytest.mark.parametrize("change", PROSE)
def test_what_only_readers_see_does_not_count(change: str) -> None:
    assert means(edited(*PROSE[change])) == means(MODULE)


@pytest.mark.parametrize("change", MEANING)
def test_what_the_code_does_counts(change: str) -> None:
    assert means(edited(*MEANING[change])) != means(MODULE)


def test_a_parameter_with_a_default_is_the_constant_that_it_would_be() -> None:
    """The cell is tagged in the file, and a front end may not say which file that is."""
    day = "since = date(2026, 1, 3)"
    tagged = f"def daily(flights, *, least: int = 6, {day}):\n    return f(least, since)"
    plain = f"def daily(flights):\n    {day}\n    least = 6\n    return f(least, since)"
    assert means(tagged) == means(plain)
    assert means(tagged) != means(tagged.replace("6", "7")) != means(plain)
    for other in (
        plain.replace("(flights)", "(least)"),
        plain.replace("    return", "    least = 7\n    return"),
        plain.replace("    return", "    for least in x: pass\n    return"),
        plain.replace("least = 6", "least = count()"),
    ):
        assert means(other) != means(plain)
    moved = plain.replace("    least = 6\n", "").replace(
        "    return", "    g()\n    least = 6\n    return"
    )
    assert means(moved) == means(plain.replace("    return", "    g()\n    return"))
    escapes = moved.replace("g()", "locals()")
    assert means(escapes) != means(
        escapes.replace("    least = 6\n", "").replace(":\n", ":\n    least = 6\n", 1)
    )


@pytest.mark.parametrize(
    "reader",
    [
        "says = daily.__doc__",
        "says = getattr(daily, '__doc__')",
        "import inspect",
        "from inspect import getsource as read",
        "import traceback as t",
        "where = sys._getframe().f_lineno",
    ],
)
def test_code_that_can_read_its_own_text_counts_to_the_letter(reader: str) -> None:
    one = f"{MODULE}\n{reader}\n"
    assert means(one) != means(one.replace("One row", "A row"))


@pytest.mark.parametrize("plain", ["wide.stack()", "lf.inspect()", "x = 'inspect'", "x.lineno"])
def test_what_only_sounds_like_that_does_not(plain: str) -> None:
    one = f"{MODULE}\n{plain}\n"
    assert means(one) == means(one.replace("One row", "A row"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("df.query('a > 5 --1\\n')", "df.query('a > 5')"),  # pandas, where it is arithmetic
        ("f('SELECT 1')", "f('select 1')"),
        ("connection.sql(f'SELECT {x}')", "connection.sql(f'select {x}')"),
        ("def f(q):\n    print(q)\n    return duckdb.sql(q)\nf('A')", None),
        ("duckdb.sql('SELECT nonsense FROM WHERE')", "duckdb.sql('select nonsense FROM WHERE')"),
    ],
)
def test_a_text_that_is_not_known_to_be_sql_counts_to_the_letter(one: str, other: str) -> None:
    other = one.replace("'A'", "'a'") if other is None else other
    assert means(f"import duckdb\n{one}") != means(f"import duckdb\n{other}")


def test_a_module_written_anew_means_the_same_until_one_of_its_parts_changes() -> None:
    for path in sorted(Path(mesh_notebook.__file__).parent.glob("model/t*.py")):
        tree = ast.parse(path.read_text())
        anew = means(ast.unparse(tree))
        assert means(path.read_text()) == anew
        bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in list(ast.walk(tree))[::7]:
            match node:
                case ast.Constant(value=str(text)) if id(node) not in bare:
                    node.value = f"{text}?"
                case ast.Attribute(attr=name):
                    node.attr = f"{name}_"
                case _:
                    continue
            changed = means(ast.unparse(tree))
            assert changed != anew
            anew = changed


def test_a_module_of_great_depth_has_a_meaning() -> None:
    chain = "x = f" + ".g(1)" * 800
    assert means(chain) == means(f"{chain}  # so")
    assert means("not python (") != means("not  python (")


KEYWORDS = ("SELECT", "AS", "FROM", "LEFT", "JOIN", "USING", "WHERE", "GROUP BY", "ORDER BY")
WORDS = re.split(
    "[|]",
    "SELECT|'It''s -- no /* comment'|AS|Told|,|$$ a  B $$|AS|raw|,|x|::|DATE|+|1.50|AS|Day|FROM|"
    "flights|AS|f|LEFT|JOIN|planes|USING|(|tail|)|WHERE|x|<>|E'a\\n'|GROUP BY|ALL|ORDER BY|Day",
)
COUNTING = [i for i, word in enumerate(WORDS) if word[0] in "'$E" or word in ("Told", "raw", "Day")]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_sql_written_otherwise_is_the_same_and_of_other_words_is_not(data: st.DataObject) -> None:
    spaces = st.sampled_from((" ", "\n", "\t ", " -- a 'comment'\n", " /* it's */ "))
    drawn = data.draw(st.lists(spaces, min_size=len(WORDS), max_size=len(WORDS)))
    lower = data.draw(st.sets(st.sampled_from(KEYWORDS)))
    other = [word.lower() if word in lower else word for word in WORDS]
    query = " ".join(WORDS)
    assert written_alike("".join(map("".join, zip(other, drawn, strict=True)))) == written_alike(
        query
    )
    place = data.draw(st.sampled_from(COUNTING))
    other[place] = other[place][:-1].swapcase() + other[place][-1] if len(other[place]) > 3 else "o"
    assert written_alike(" ".join(other)) != written_alike(query)


def test_a_front_end_that_cannot_say_which_cell_is_tagged_gives_the_same_transform() -> None:
    cell = "least = 5\nplaces = ('JFK', 'LGA')"
    notebook = Notebook().run("import polars as pl", "%mesh source flights", cell)
    notebook.run("late = flights.filter(pl.col('delay') > least)")
    notebook.run(
        "out = late.filter(pl.col('origin').is_in(list(places)))", "%mesh output daily out"
    )
    notebook.run("n = late.group_by('origin').len()", "%mesh output totals n")
    slices = slices_of(notebook.record, ["daily", "totals"])
    outputs = {port: notebook.declared(port) for port in notebook.outputs}
    plans = [planned(slices, notebook._draft, frozenset(tagged)) for tagged in ((), (cell,))]
    one, other = (module_of(plan, outputs, "Delays").text for plan in plans)
    assert ("least: int = 5" in one, "least: int = 5" in other) == (False, True)
    assert means(one) == means(other)


# ---- a release ---------------------------------------------------------------------------------


FLIGHTS = pl.DataFrame({"airport": ["JFK"], "day": ["2026-01-01"], "delay": [10.0]}).with_columns(
    pl.col("day").str.to_date()
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mesh"


def put(tmp_path: Path, root: Path, text: str, rows: pl.DataFrame = FLIGHTS) -> Any:
    bundle = write_bundle(tmp_path / "airport-delays", transform=text)
    return deployed(bundle, root, Clock(), flights=rows)


def releases(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "travel" / "airport-delays" / "releases").iterdir())


def all_prose() -> str:
    text = MODULE
    for old, new in PROSE.values():
        text = text.replace(old, new)
    return text


def test_other_prose_is_published_already(tmp_path: Path, root: Path) -> None:
    first = put(tmp_path, root, MODULE)
    again = put(tmp_path, root, all_prose())
    assert again.unchanged
    assert again.receipt == first.receipt
    assert len(releases(root)) == 1


def test_other_rows_under_other_prose_are_a_snapshot_of_the_same_release(
    tmp_path: Path, root: Path
) -> None:
    first = put(tmp_path, root, MODULE).receipt
    rows = FLIGHTS.with_columns(delay=pl.lit(20.0))
    second = put(tmp_path, root, all_prose(), rows).receipt
    assert (second.snapshot, second.release) == (2, first.release)
    # What is kept is the text that was published first, and the receipt tells of that.
    assert (second.code_digest, second.meaning) == (first.code_digest, first.meaning)
    kept = Bundle(root / "travel" / "airport-delays" / "releases" / second.release)
    assert kept.code_digest == second.code_digest


def test_a_changed_constant_is_refused_and_the_statement_named(tmp_path: Path, root: Path) -> None:
    put(tmp_path, root, MODULE)
    with pytest.raises(DeployRefused) as refused:
        put(tmp_path, root, edited("LIMIT = 100", "LIMIT = 30"))
    assert refused.value.message.endswith(
        "another transform: line 6 says 'LIMIT = 30', and said 'LIMIT = 100'."
    )
    assert refused.value.differs == ["transform"]
    with pytest.raises(DeployRefused, match=r"line 20 says '.*<= LIMIT.*, and said '.*< LIMIT"):
        put(tmp_path, root, edited("< LIMIT", "<= LIMIT"))


def test_a_receipt_of_before_is_understood(tmp_path: Path, root: Path) -> None:
    """One that says nothing of meaning, under a name that its text gave the release."""
    first = put(tmp_path, root, MODULE).receipt
    home = root / "travel" / "airport-delays"
    (home / "releases" / first.release).rename(home / "releases" / "1.0.0-0123456789ab")
    (path,) = (home / "publications").glob("0*.json")
    raw = json.loads(path.read_text()) | {"release": "1.0.0-0123456789ab"}
    del raw["meaning"]
    path.write_text(json.dumps(raw))
    assert Receipt.from_dict(raw).meaning == ""
    assert put(tmp_path, root, all_prose()).unchanged
    with pytest.raises(DeployRefused, match="another transform: line 6 says"):
        put(tmp_path, root, edited("LIMIT = 100", "LIMIT = 30"))
    rows = FLIGHTS.with_columns(delay=pl.lit(20.0))
    assert put(tmp_path, root, all_prose(), rows).receipt.release == "1.0.0-0123456789ab"
    assert releases(root) == ["1.0.0-0123456789ab"]


# ---- a notebook --------------------------------------------------------------------------------


ROWS = "origin,delay\nJFK,5\nLGA,40\n"
CELLS = [
    "%mesh source flights flights.csv",
    "late = flights.filter(pl.col('delay') > 9)",
    "%mesh product delays --domain travel --owner ops",
    "%mesh output daily late --key origin",
]


def write_notebook(path: Path, said: str) -> None:
    cells: list[dict[str, Any]] = [{"cell_type": "code", "source": cell} for cell in CELLS]
    cells.insert(1, {"cell_type": "markdown", "source": said})
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))


def test_front_ends_that_tell_the_file_and_those_that_do_not_give_one_release(
    shell: Any, tmp_path: Path
) -> None:
    Path("flights.csv").write_text(ROWS)
    shell.run("import polars as pl")
    for cell in CELLS:
        shell.run(cell)
    texts = set()

    def exported_and_deployed() -> bool:
        shell.run("%mesh export bundle")
        texts.add(Path("bundle/transform.py").read_text())
        if releases_of_delays():
            plan = shell.run("%mesh plan bundle")
            assert (plan.stands, plan.changes, plan.refusals) == (True, (), ())
        return bool(shell.run("%mesh deploy bundle").unchanged)

    def releases_of_delays() -> list[Path]:
        return [*Path(".mesh/travel/delays").glob("releases/*")]

    assert not exported_and_deployed()
    write_notebook(tmp_path / "delays.ipynb", "What is `late`: more than nine minutes.")
    shell.names["__vsc_ipynb_file__"] = str(tmp_path / "delays.ipynb")
    assert exported_and_deployed()
    assert (len(texts), len(releases_of_delays())) == (2, 1)
    assert Catalogue([Path(".mesh")]).resolve("delays")[0].snapshots() == [1]


# ---- where a bundle lies -----------------------------------------------------------------------


@pytest.fixture
def flights(shell: Any, tmp_path: Path) -> Any:
    (tmp_path / "flights.csv").write_text("day,delay\n2013-01-01,5\n2013-01-02,40\n")
    shell.run("%mesh product airport-delays --domain travel")
    shell.run("%mesh source flights flights.csv")
    shell.run("out = flights.filter(flights.collect()['delay'] > 1)")
    shell.run("%mesh output daily out --key day")
    return shell


def test_the_same_notebook_exported_into_another_depth_is_the_same_release(flights, tmp_path):
    folders = ["made", "deep/er/made"]
    for folder in folders:
        flights.run(f"%mesh export {folder}")
    assert len({Bundle(tmp_path / folder).release for folder in folders}) == 1
    for folder in folders:
        flights.run(f"%mesh deploy {folder}")
    assert len(list((tmp_path / ".mesh/travel/airport-delays/releases").iterdir())) == 1


def test_a_source_of_another_name_is_another_specification(flights, tmp_path):
    flights.run("%mesh export made")
    before = Bundle(tmp_path / "made").release
    (tmp_path / "flights.csv").rename(tmp_path / "others.csv")
    flights.run("%mesh source flights others.csv")
    flights.run("out = flights.filter(flights.collect()['delay'] > 1)")
    flights.run("%mesh output daily out --key day")
    flights.run("%mesh export made")
    assert Bundle(tmp_path / "made").release != before


def test_what_was_published_before_paths_were_left_aside_is_that_release_still(
    flights, tmp_path, monkeypatch
):
    flights.run("%mesh export deep/made")
    with monkeypatch.context() as earlier:
        earlier.setattr("mesh_notebook.mesh.bundle._unplaced", lambda document: document)
        first = flights.run("%mesh deploy deep/made").receipt
    again = flights.run("%mesh deploy deep/made")
    assert again.unchanged
    assert again.receipt.spec_digest == first.spec_digest
    assert flights.run("%mesh describe airport-delays").receipt.snapshot == 1
