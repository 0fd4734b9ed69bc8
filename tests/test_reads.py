"""A read of a declared file is that input; of another file, the advice is followed once."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from conftest import Shell

from mesh_notebook.errors import MeshError

SALES = "day,shop,zip,amount\n" + "".join(
    f"2024-01-0{day} 10:30:00,{shop},{zip_},{day}.5\n"
    for day, shop, zip_ in [(1, "A", "01234"), (2, "B", "NA"), (3, "A", "99999")]
)
IMPORTS = "import pandas as pd, polars as pl, duckdb\nfrom pathlib import Path"


@pytest.fixture
def notebook(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A notebook in a folder with a file of its own, whose product is named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sales.csv").write_text(SALES)
    pl.read_csv(tmp_path / "data" / "sales.csv").write_parquet(tmp_path / "data" / "sales.parquet")
    shell.run(IMPORTS)
    shell.run("%mesh product reads --domain lab --owner me --purpose reads")
    return shell


def exported(shell: Shell, *names: str) -> str:
    """Export frames as ports of their names, and return the module."""
    for name in names:
        shell.run(f"%mesh output {name} {name}")
    shell.run("%mesh export products/reads")
    return Path("products/reads/transform.py").read_text()


SELECTED = 'sales.select("amount").collect().to_pandas()'
READS = [
    ('pd.read_csv("data/sales.csv", usecols=["shop", "amount"])', '.select("shop", "amount")'),
    ('pd.read_csv(Path("data") / "sales.csv", usecols=["day", "amount"])', "dt.to_string"),
    (
        'pd.read_csv("data/sales.csv", usecols=["amount"], dtype={"amount": "float32"})',
        'astype({"amount": "float32"})',
    ),
    ('pd.read_csv("data/sales.csv", usecols=["amount"], skiprows=None)', ".to_pandas()"),
    ('pl.read_csv("data/sales.csv", columns=["amount"])', ".collect()"),
    ('pl.scan_csv("data/sales.csv").select("amount").head(2)', ".head(2)"),
    ('pl.read_csv("data/sales.csv", columns=["amount"], n_rows=2)', ".head(2)"),
]


def test_a_read_of_a_declared_file_is_that_input(notebook: Shell) -> None:
    notebook.run("%mesh source sales data/sales.csv")
    for at, (read, _) in enumerate(READS):
        notebook.run(f"out{at} = {read}")
    text = exported(notebook, *(f"out{at}" for at, _ in enumerate(READS)))
    assert "read_csv" not in text
    assert "scan_csv" not in text
    for at, (_, made) in enumerate(READS):
        function = text.partition(f"def out{at}(sales: pl.LazyFrame)")[2].partition("\ndef ")[0]
        assert made in function


def test_a_read_under_the_name_of_its_source_is_that_source(notebook: Shell) -> None:
    notebook.run("%mesh source out data/sales.csv")
    notebook.run("%mesh source sales data/sales.csv")
    notebook.run("sales = sales.filter(pl.col('amount') < 9)")  # all rows, here
    notebook.run('late = pl.read_csv("data/sales.csv", columns=["amount"])')
    notebook.run('both = late.join(sales.select("amount").collect(), on="amount", how="full")')
    notebook.run('out = pl.read_csv("data/sales.csv")\nout = out.filter(pl.col("amount") > 2)')
    text = exported(notebook, "out", "both")
    assert "read_csv" not in text
    assert text.index("< 9") < text.index("late = sales_source")


def test_a_read_that_is_another_reading_is_told_with_the_line_to_write(notebook: Shell) -> None:
    notebook.run("%mesh source sales data/sales.csv")
    for read, said in [
        ('pd.read_csv("data/sales.csv")', "--null NA"),
        ('pl.read_csv("data/sales.csv", schema_overrides={"amount": pl.String})', "as String"),
        ('pd.read_csv("data/sales.csv", thousands=",")', "says `thousands`"),
        ('pd.read_csv("data/sales.csv", skipfooter=1, engine="python")', "says `skipfooter`"),
    ]:
        notebook.run(f"frame = {read}\nout = frame[['amount']]")
        with pytest.raises(MeshError, match="by itself") as refused:
            exported(notebook, "out")
        assert said in str(refused.value.next_step)
    follow(notebook, str(refused.value.next_step))
    notebook.run("out = frame[['amount']]")
    assert "read_csv" not in exported(notebook, "out")


def test_the_advice_on_a_file_that_is_no_input_is_followed_once(notebook: Shell) -> None:
    for read, line in [
        ('pl.read_csv("data/sales.csv")', "sales.collect()"),
        ('pl.scan_csv("data/sales.csv")', "sales"),
        ('pl.read_parquet(Path("data") / "sales.parquet")', "sales.collect()"),
        ('pd.read_csv("data/sales.csv", usecols=["amount"])', SELECTED),
    ]:
        notebook.run(f"out = {read}")
        with pytest.raises(MeshError, match="no input") as refused:
            exported(notebook, "out")
        first, second = str(refused.value.next_step).splitlines()
        assert first.startswith("declare it: %mesh source sales data/sales.")
        assert second.endswith(f"write: out = {line}")
    notebook.run(first.removeprefix("declare it: "))  # the line to write alone is enough, too
    assert "sales: pl.LazyFrame" in exported(notebook, "out")
    follow(notebook, f"{first}\n{second}")
    assert "sales: pl.LazyFrame" in exported(notebook, "out")


def follow(notebook: Shell, advice: str) -> None:
    """Type what an advice says: the verbs as they stand, then the line in place of another."""
    for verb in re.findall(r"%mesh source .*", advice):
        notebook.run(verb)
    if found := re.search(r"write: (.*)", advice):
        notebook.run(found[1])


def test_a_read_within_a_function_is_told_with_the_line_in_its_place(notebook: Shell) -> None:
    notebook.run("%mesh source sales data/sales.csv")
    for body, first in [
        ('pd.read_csv("data/sales.csv")', "it is the input `sales` already"),
        ("pd.read_csv(path)", "declare it: %mesh source NAME PATH"),
    ]:
        notebook.run(
            f"def load(path):\n    return {body}\nout = load('data/sales.csv')[['amount']]"
        )
        with pytest.raises(MeshError, match="no input") as refused:
            exported(notebook, "out")
        said, line = str(refused.value.next_step).splitlines()
        assert said == first
        assert line.startswith(f"in place of `{body}`".replace('"', "'"))


# By file: what it holds, how it is declared, and a read that says the same.
TOLD_HOW = {
    "comma.csv": ("who;cost\nZoe;1,5\n", "--separator ';' --decimal ,", "sep=';', decimal=','"),
    "thousands.csv": ("a;b\n1.500,5;x\n", "--decimal ,", "sep=';', decimal=',', thousands='.'"),
    "skipped.csv": ("taken by\nme\nx,y\n1,2\n", "--skip 2", "skiprows=2"),
    "latin.csv": ("who,cost\nZoé,1\n", "--encoding latin1", "encoding='latin1'"),
    "nulls.csv": ("who,cost\nNA,-999\nZoe,2\n", "--null -999,NA", "na_values=[-999]"),
    "rowed.csv": (",cost\n7,1.5\n8,2.5\n", "", "index_col=0"),
}


@pytest.mark.parametrize("file", TOLD_HOW)
def test_a_read_that_says_what_its_source_says_is_that_input(notebook: Shell, file: str) -> None:
    text, options, said = TOLD_HOW[file]
    Path(file).write_text(text, encoding="latin1" if "latin" in file else "utf-8")
    notebook.run(f"%mesh source taken {file} {options}")
    notebook.run(f"out = pd.read_csv('{file}', {said}).reset_index(drop=True)")
    assert "read_csv" not in exported(notebook, "out")


def test_what_a_read_says_besides_is_added_to_what_the_source_says(notebook: Shell) -> None:
    Path("comma.csv").write_text("who;cost\nZoe;1,5\nNo;-9\n")
    notebook.run("%mesh source costs comma.csv --separator ';' --null x")
    for said in ["decimal=','", "na_values=['-9'], decimal=','"]:
        notebook.run(f"out = pd.read_csv('comma.csv', sep=';', {said})\nout['cost'] *= 2")
        with pytest.raises(MeshError, match="by itself") as refused:
            exported(notebook, "out")
        follow(notebook, str(refused.value.next_step))
    assert "--null -9 --separator ';' --decimal ," in str(refused.value.next_step)
    assert "read_csv" not in exported(notebook, "out")


def test_a_declared_file_in_a_query_or_in_open_is_told_by_its_name(notebook: Shell) -> None:
    notebook.run("%mesh source sales data/sales.csv")
    for code, said in [
        ("duckdb.sql(\"SELECT amount FROM 'data/sales.csv'\").pl()", "write FROM sales"),
        ("pl.DataFrame({'n': [len(open('data/sales.csv').read())]})", "use it in place of"),
    ]:
        notebook.run(f"out = {code}")
        with pytest.raises(MeshError) as refused:
            exported(notebook, "out")
        assert f"it is the input `sales` already: {said}" in str(refused.value.next_step)


def test_a_read_of_a_declared_folder_is_that_input(notebook: Shell) -> None:
    Path("parts").mkdir()
    for part in (1, 2):
        pl.DataFrame({"n": [part]}).write_parquet(f"parts/{part}.parquet")
    notebook.run("%mesh source parts parts")
    notebook.run("out = pd.read_parquet('parts')")
    notebook.run("lazy = pl.scan_parquet('parts/')")
    assert "read_parquet" not in exported(notebook, "out", "lazy")
