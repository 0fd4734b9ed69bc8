"""An exported product is opened as cells again; exported unchanged, they give the same module."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Shell
from exporting_ten import prepare

from mesh_notebook.errors import ExportRefused, LoadRefused, UsageError

ROWS = "day,origin,delay,share\n" + "".join(
    f"2026-01-{d:02},{o},{d * 3 + n},{d / 7}\n" for d in range(1, 11) for n, o in enumerate("EJ")
)


@pytest.fixture
def notebook(shell: Any, tmp_path: Path) -> Any:
    """A notebook beside which a source lies."""
    (tmp_path / "flights.csv").write_text(ROWS)
    return shell


def cells_of(path: Path) -> list[str]:
    """Return the code of each cell of a notebook."""
    raw = json.loads(path.read_text())
    return ["".join(cell["source"]) for cell in raw["cells"] if cell["cell_type"] == "code"]


def run_all(cells: list[str], but: tuple[str, ...] = ()) -> None:
    """Run cells in a fresh shell, one after another."""
    from IPython.core.interactiveshell import InteractiveShell

    before = InteractiveShell.instance()
    before.run_line_magic("unload_ext", "mesh_notebook")
    fresh = Shell()
    for cell in cells:
        fresh.run(cell)


def sealed(bundle: Path) -> dict[str, bytes]:
    """Return what a round trip must give again, byte for byte."""
    names = [bundle / "transform.py", bundle / "product.odps.yaml"]
    return {
        str(p.relative_to(bundle)): p.read_bytes() for p in [*names, *bundle.rglob("*.odcs.yaml")]
    }


def round_trip(notebook: Any, folder: Path) -> list[str]:
    """Load the bundle, run its cells in a fresh shell, and hold what they export to it."""
    before = sealed(folder / "bundle")
    loaded = notebook.run("%mesh load bundle")
    cells = cells_of(loaded.path)
    run_all(cells)
    assert sealed(folder / "bundle") == before
    return cells


def test_the_simplest_product(notebook: Any, tmp_path: Path) -> None:
    notebook.run("import polars as pl")
    notebook.run("%mesh product airport-delays --domain travel --owner ops")
    notebook.run("%mesh source flights flights.csv")
    notebook.run("out = flights.filter(pl.col('delay') > 9)")
    notebook.run("%mesh output daily out --key day,origin --event-time day")
    notebook.run("%mesh export bundle")
    cells = round_trip(notebook, tmp_path)
    assert cells == [
        "%load_ext mesh_notebook",
        "%mesh product airport-delays --domain travel --owner ops",
        "import polars as pl",
        "%mesh source flights flights.csv",
        'out = flights.filter(pl.col("delay") > 9)',
        "%mesh output daily out --key day,origin --event-time day",
        "%mesh check",
        "%mesh export bundle",
    ]


def test_all_that_can_be_said_of_a_port_is_said_again(notebook: Any, tmp_path: Path) -> None:
    notebook.run("import polars as pl")
    notebook.run(
        '%mesh product airport-delays --domain travel --owner "the ops\' team" --version 2.1.0 '
        '--purpose "How late it is {or not}, for $5" --tags delays,airports --status proposed '
        "--tenant acme"
    )
    notebook.run("%mesh source flights flights.csv --null NA")
    notebook.run("late = flights.with_columns(who=pl.col('origin'), via=pl.col('origin'))")
    notebook.run("%mesh output daily late --key day,origin --event-time day --interval month")
    notebook.run("%mesh promise daily freshness=2y lag_p95=90min completeness.delay=99%! rows=3")
    notebook.run("%mesh promise daily drift=0.5")
    notebook.run(
        "%%mesh contract daily\ndescription: {purpose: 'When it flew'}\n"
        "properties:\n  delay: {description: 'minutes', logicalTypeOptions: {maximum: 500}}\n"
        "  day: {logicalTypeOptions: {minimum: 2020-01-01}}\n"
    )
    notebook.run("%mesh link daily.origin urn:dmesh:acme:geo:airports:all#code")
    notebook.run("%mesh protect daily.who --with tokenise --except auditor,officer --key people")
    notebook.run("%mesh protect daily.via --with generalise --groups 'EAST=E|F,WEST=J'")
    notebook.run("%mesh protect daily --rows \"origin <> 'Ä, {x}'\" --except auditor")
    notebook.run("%mesh protect daily --roles analyst,auditor --purposes research --stand-in")
    notebook.run("%mesh export bundle")
    cells = round_trip(notebook, tmp_path)
    (said,) = [line for cell in cells for line in cell.split("\n") if "promise" in line]
    assert said.endswith("freshness=2y lag_p95=90min completeness.delay=0.99! rows=3 drift=0.5")


def test_a_private_port_and_an_erasable_one(notebook: Any, tmp_path: Path) -> None:
    notebook.run("import polars as pl")
    notebook.run("%mesh product airport-delays --domain travel")
    notebook.run("%mesh source flights flights.csv")
    notebook.run("late = flights.with_columns(pl.col('origin').alias('who'))")
    notebook.run("%mesh output sums late")
    notebook.run(
        "%mesh protect sums --private who --budget 2.5 --rows-each 3 --bounds delay=-5..99.5 "
        "--values origin=E|J --except officer"
    )
    notebook.run("%mesh output people late --kind log --key day,origin")
    notebook.run("%mesh protect people.who --with encrypt")
    notebook.run("%mesh protect people --erasable who")
    notebook.run("%mesh export bundle")
    cells = round_trip(notebook, tmp_path)
    assert sum("late = " in cell for cell in cells) == 1


def test_steps_in_sql(notebook: Any, tmp_path: Path) -> None:
    notebook.run("import polars as pl\nleast = 4")
    notebook.run("%mesh product airport-delays --domain travel")
    notebook.run("%mesh source flights flights.csv")
    notebook.run(
        "%%mesh sql late\n  -- One row a flight;\n    SELECT *, 'two\n    lines' AS \"a b\"\n"
        "  FROM Flights WHERE delay > 3;"
    )
    notebook.run("mesh.sql('later', f'SELECT * FROM late WHERE delay > {least}')")
    query = "SELECT * FROM t ORDER BY delay, day, origin LIMIT 5"
    notebook.run(f"most = mesh.sql('x', {query!r}, t=later)")
    notebook.run("%%mesh sql out\nSELECT day, origin, delay FROM most")
    notebook.run("%mesh output daily out --key day,origin")
    notebook.run("%mesh export bundle")
    cells = round_trip(notebook, tmp_path)
    assert "%%mesh sql out\nSELECT day, origin, delay FROM most" in cells


def test_values_in_sql(notebook: Any, tmp_path: Path) -> None:
    notebook.run("%mesh product airport-delays --domain travel")
    notebook.run("%mesh source flights flights.csv --separator , --encoding utf-8")
    notebook.run("least = 4")
    query = "SELECT day, origin, delay FROM flights WHERE delay > $least"
    notebook.run(f"%%mesh sql out\n{query}")
    notebook.run("%mesh output daily out --key day,origin")
    notebook.run("%mesh export bundle")
    cells = round_trip(notebook, tmp_path)
    assert f"%%mesh sql out\n{query}" in cells
    assert "%mesh source flights flights.csv --separator , --encoding utf-8" in cells


def test_inputs_of_every_kind(published: Path, shell: Any, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(ROWS)
    shell.run("%mesh connect airport-delays --as delays --from 2013-01-01 --to 2013-01-02")
    shell.run("%mesh connect airport-delays --as others --mode mock --rows 30 --seed 4")
    shell.run("%mesh source more more.csv")
    shell.run("%mesh use more sample --rows 7 --seed 2")
    shell.run("%mesh product busy --domain travel --owner ops")
    shell.run("a = delays.join(others, on='origin').group_by('origin').len()")
    shell.run("out = a.join(more, on='origin', how='left').select('origin', 'len').unique()")
    shell.run("%mesh output busy out --key origin")
    shell.run("%mesh export bundle")
    cells = round_trip(shell, tmp_path)
    assert "%mesh use more sample --rows 7 --seed 2" in "\n".join(cells)


def test_ports_whose_variables_have_the_same_names(notebook: Any, tmp_path: Path) -> None:
    notebook.run("import polars as pl\nimport random")
    notebook.run("%mesh product airport-delays --domain travel")
    notebook.run("%mesh source flights flights.csv")
    notebook.run("random.seed(1)\nrows = []\nname = 'a'")
    notebook.run("rows.append(random.random())")
    notebook.run("out = flights.with_columns(x=pl.lit(rows[0]), n=pl.lit(name))")
    notebook.run("%mesh output one out --key day,origin")
    notebook.run("flights = flights.filter(pl.col('delay') > 9)\nname = 'b'")
    notebook.run("out = flights.with_columns(x=pl.lit(rows[0]), n=pl.lit(name))")
    notebook.run("%mesh output two out --key day,origin")
    notebook.run("len = len(name)\nout = flights.with_columns(n=pl.lit(len))")
    notebook.run("%mesh output three out --key day,origin")
    notebook.run("%mesh export bundle")
    round_trip(notebook, tmp_path)


@pytest.fixture
def simple(notebook: Any, tmp_path: Path) -> Path:
    """The bundle of a product of one port."""
    notebook.run("import polars as pl")
    notebook.run("%mesh product airport-delays --domain travel --owner ops")
    notebook.run("%mesh source flights flights.csv")
    notebook.run("late = flights.filter(pl.col('delay') > 9)\nout = late.sort('day')")
    notebook.run("%mesh output daily out --key day,origin")
    notebook.run("%mesh export bundle")
    return tmp_path / "bundle"


def edit(bundle: Path, old: str, new: str, name: str = "transform.py") -> None:
    text = (bundle / name).read_text()
    assert old in text
    (bundle / name).write_text(text.replace(old, new))


def test_an_edited_module_is_loaded_as_it_is_now_and_exported_in_its_place(
    simple: Path, notebook: Any
) -> None:
    edit(simple, "> 9", "> 12")
    with pytest.raises(ExportRefused, match="was edited since"):
        notebook.run("%mesh export bundle")
    loaded = notebook.run("%mesh load bundle")
    assert loaded.edited
    edited = (simple / "transform.py").read_text()
    run_all(cells_of(loaded.path))
    assert (simple / "transform.py").read_text() == edited
    assert '"daily": 13' in (simple / "receipt.json").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return out", "return out.head(3)", "line 10: the function of 'daily' returns something"),
        ("    out = late", "    if late is None:\n        return late\n    out = late", "line 10"),
        ("flights: pl.LazyFrame)", "flights: pl.LazyFrame, least: int = 3)", "by name"),
        ("    out = late", "    mesh = 1\n    out = late", "binds `mesh`"),
        (
            "One row for each day and origin.",
            "Say something else.",
            "docstring of the port 'daily'",
        ),
        ('"""airport-delays:', '"""Delays:', "docstring of the module"),
        ("def daily", "def weekly", "no function for the output port 'daily'"),
        ("late = ", "late = = ", "line 8"),
    ],
)
def test_what_no_cell_says_is_refused_with_its_place(
    simple: Path, notebook: Any, tmp_path: Path, old: str, new: str, said: str
) -> None:
    edit(simple, old, new)
    with pytest.raises(LoadRefused) as caught:
        notebook.run("%mesh load bundle")
    assert said in str(caught.value)
    assert not list(tmp_path.glob("*.ipynb"))


def test_edited_documents_are_refused_by_name(simple: Path, notebook: Any) -> None:
    edit(simple, "name: ops", "name: ops\n  description: They fly", "product.odps.yaml")
    with pytest.raises(LoadRefused, match="says a `team`"):
        notebook.run("%mesh load bundle")
    edit(simple, "required: true", "required: false", "contracts/daily.odcs.yaml")
    with pytest.raises(LoadRefused, match=r"contracts/daily.odcs.yaml was changed"):
        notebook.run("%mesh load bundle")


def test_a_notebook_that_is_there_is_not_written_over(simple: Path, notebook: Any) -> None:
    first = notebook.run("%mesh load bundle").path
    first.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        notebook.run("%mesh load bundle")
    assert first.read_text() == "mine"
    notebook.run("%mesh load bundle --force")
    assert len(cells_of(first)) == 8


def test_paths_are_as_seen_from_the_notebook_that_is_written(
    simple: Path, notebook: Any, tmp_path: Path
) -> None:
    (tmp_path / "books").mkdir()
    loaded = notebook.run("%mesh load bundle --out books/delays.ipynb")
    cells = cells_of(loaded.path)
    assert "%mesh source flights ../flights.csv" in cells
    assert cells[-1] == "%mesh export ../bundle"
    assert "open books/delays.ipynb" in notebook.shown(loaded)["text/plain"]


def test_a_mock_whose_keys_come_from_beside_the_product_is_refused_by_name(
    shell: Any, tmp_path: Path
) -> None:
    synthetic = Path(__file__).parent.parent / "synthetic"
    shell.run(f"%mesh mock {synthetic}/user-profiles.odcs.yaml --rows 40 --as users")
    shell.run(f"%mesh mock {synthetic}/podcast-plays.odcs.yaml --rows 50 --as plays")
    shell.run("%mesh product minutes --domain podcasts")
    shell.run("import polars as pl\nout = plays.drop_nulls('user_id').group_by('user_id').len()")
    shell.run("%mesh output minutes out --key user_id")
    shell.run("%mesh export bundle")
    with pytest.raises(LoadRefused, match="the input 'plays' was mocked beside another mock"):
        shell.run("%mesh load bundle")


def test_the_flags_of_a_loaded_cell_are_those_of_the_verbs() -> None:
    from mesh_notebook.surfaces.verbs import find
    from mesh_notebook.workspace.calling import FLAGS

    for verb in ("product", "connect", "source", "use", "mock", "output", "protect", "export"):
        for argument in find(verb).arguments:
            usual = f"--{argument.name.replace('_', '-')}"
            assert FLAGS.get((verb, argument.name), usual) == argument.flag or not argument.flag


@pytest.mark.parametrize("name", ["rates", "late-payments", "top-podcasts"])
def test_notebooks_of_everyday_work(name: str, shell: Any, tmp_path: Path) -> None:
    prepare(tmp_path)
    text = (Path(__file__).parent / "exported" / f"{name}.ipy").read_text()
    for cell in text.split("# %%\n")[1:]:
        shell.run(cell)
    bundle = tmp_path / "products" / name
    before = sealed(bundle)
    cells = cells_of(shell.run(f"%mesh load products/{name}").path)
    run_all(cells)
    assert sealed(bundle) == before


def test_the_command_line_writes_a_notebook_too(simple: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from mesh_notebook.surfaces.cli import main; main()"]
    command += ["load", "bundle", "--out", "again.ipynb"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "open again.ipynb in Jupyter" in done.stdout
    assert len(cells_of(tmp_path / "again.ipynb")) == 8


def test_a_loaded_notebook_that_was_exported_is_the_same_on_both_sides(
    simple: Path, notebook: Any
) -> None:
    loaded = notebook.run("%mesh load bundle")
    run_all(cells_of(loaded.path))
    from IPython.core.interactiveshell import InteractiveShell

    found = InteractiveShell.instance().user_ns["mesh"].diff("bundle", loaded.path.name)
    assert found.verdict == "the same"
