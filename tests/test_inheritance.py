"""Masks follow the data: what an officer makes of hidden columns carries their policy, or says why."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import mesh_notebook
from mesh_notebook.errors import DeployRefused, ExportRefused, UsageError

USERS = "uid,country,salary\n" + "".join(
    f"secret-{n},{'DE' if n % 2 else 'FR'},{1_000 + n}\n" for n in range(40)
)
PLAYS = "uid,title,minutes\n" + "".join(f"secret-{n % 40},title-{n % 7},{n}\n" for n in range(200))


def as_principal(shell, name: str) -> None:
    """Go on in the same notebook as somebody else, with nothing bound."""
    shell.mesh.principal = name
    shell.mesh.handles.clear()
    shell.mesh.readings.clear()


@pytest.fixture
def notebook(shell, tmp_path: Path):
    """A mesh with `users/users`, whose uid and salary are hidden but from officers; an officer's."""
    (tmp_path / "users.csv").write_text(USERS)
    (tmp_path / "plays.csv").write_text(PLAYS)
    for line in (
        "import polars as pl",
        "%mesh grant ana officer",
        "%mesh product users --domain people",
        "%mesh source raw users.csv",
        "%mesh output users raw --key uid",
        "%mesh protect users.uid --with tokenise --except officer",
        "%mesh protect users.salary --with null --except officer",
        "%mesh export users",
        "%mesh deploy users",
        "%mesh drop users",
        "%mesh product top --domain people --version 1.0.0",
        "%mesh source plays plays.csv",
    ):
        shell.run(line)
    as_principal(shell, "ana")
    return shell


def make(notebook, *cells: str, key: str = "") -> None:
    notebook.run("users = %mesh connect users")
    for cell in cells:
        notebook.run(cell)
    notebook.run(f"%mesh output top top {f'--key {key}' if key else ''}")


def lines_of(checked) -> list[str]:
    return list(dict.fromkeys(one.line for one in checked.uncarried if one.line))


def refused(notebook) -> list[str]:
    """Hold the port to its inputs' policies; return the lines that carry them over."""
    checked = notebook.run("checked = mesh.check(); checked")
    assert not checked.passed
    assert checked.uncarried
    with pytest.raises(ExportRefused, match="hidden upstream"):
        notebook.run("%mesh export bundle")
    return lines_of(checked)


def deployed(notebook) -> pl.DataFrame:
    assert notebook.run("mesh.check()").passed
    notebook.run("%mesh export bundle")
    notebook.run("%mesh deploy bundle")
    return mesh_notebook.open(".mesh", principal="bo").connect("top").collect()


PIPELINES = {
    "renamed": ("top = users.select(who='uid', country='country')", "who"),
    "joined": ("top = plays.join(users, on='uid').select('uid', 'title', 'country')", "uid"),
    "by the other side": (
        "top = plays.join(users.select('uid', 'country'), on='uid').select('uid', 'title')",
        "uid",
    ),
    "grouped": ("top = plays.join(users, on='uid').group_by('uid').len()", "uid"),
    "concatenated": ("top = users.select(tag=pl.col('country') + '/' + pl.col('uid'))", "tag"),
    "in SQL": (
        "top = mesh.sql('top', 'SELECT u.uid AS who, p.title FROM plays p JOIN users u '"
        " 'ON p.uid = u.uid')",
        "who",
    ),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_column_made_of_a_masked_one_is_refused_until_the_line_that_is_named_masks_it(
    notebook, name
):
    cell, column = PIPELINES[name]
    make(notebook, cell)
    lines = refused(notebook)
    assert lines == [f"%mesh protect top.{column} --with tokenise --except officer"]
    notebook.run(lines[0])
    assert "secret" not in str(deployed(notebook).to_dicts())
