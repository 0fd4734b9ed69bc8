"""A next step names a path as one can type it."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_notebook.errors import UsageError, as_typed


@given(st.text(st.characters(exclude_characters="\0"), min_size=1))
def test_what_is_typed_is_the_path_again_and_one_word(path):
    (word,) = shlex.split(as_typed(path))
    assert word in (path, f"./{path}")


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("products/a-b_c.csv", "products/a-b_c.csv"),
        ("ü b/ö", '"ü b/ö"'),
        ("-dash.csv", "./-dash.csv"),
        ("a$b", "'a$b'"),
    ],
)
def test_only_what_needs_it_stands_in_quotation_marks(path, typed):
    assert as_typed(path) == typed


def test_a_bundle_in_an_awkward_folder_is_deployed_by_the_line_that_its_export_names(
    shell, tmp_path
):
    (tmp_path / "ü b").mkdir()
    (tmp_path / "flights.csv").write_text("day,delay\n2013-01-01,5\n")
    shell.run("%mesh product airport-delays --domain travel")
    shell.run("%mesh source flights flights.csv")
    shell.run("out = flights.filter(flights.collect()['delay'] > 1)")
    shell.run("%mesh output daily out --key day")
    shown = shell.shown(shell.run('%mesh export "ü b/ö"'))["text/plain"]
    step = shown.splitlines()[-1].removeprefix("→ ")
    assert step == '%mesh deploy "ü b/ö"'
    assert shell.run(step).receipt.snapshot == 1


def test_a_file_that_begins_with_a_dash_is_told_how_it_is_written(shell, tmp_path):
    (tmp_path / "-dash.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError) as refused:
        shell.run("%mesh source x -dash.csv")
    assert refused.value.next_step == "a path that begins with a dash is written ./-dash.csv"
    assert shell.run("%mesh source x ./-dash.csv").collect().height == 1
