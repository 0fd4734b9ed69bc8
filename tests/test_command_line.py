"""`mesh …` as a real process: help, answers, and errors that say the next step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MESH = Path(sys.executable).parent / "mesh"


@pytest.fixture
def run(tmp_path):
    def run(*words: str, code: int = 0) -> str:
        environment = {k: v for k, v in os.environ.items() if k not in ("MESH_ROOTS", "MESH_DEBUG")}
        done = subprocess.run(
            [MESH, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_help_names_the_verbs_that_need_no_notebook(run):
    text = run("--help")
    for verb in ("search", "describe", "read", "history", "deploy"):
        assert verb in text
    assert "%%mesh" not in text


def test_each_verb_has_help(run):
    assert "--as-of" in run("read", "--help")


def test_an_empty_mesh_is_searched_without_an_error(run):
    assert "0 products" in run("search")


def test_an_empty_mesh_says_where_it_was_looked_for(run, tmp_path):
    text = run("--root", str(tmp_path / "nowhere"), "search")
    assert str(tmp_path / "nowhere") in "".join(text.split())


def test_an_unknown_product_is_one_paragraph_and_exit_code_1(run):
    text = run("describe", "podcast-listeners", code=1)
    assert text.startswith("UnknownProduct")
    assert "Traceback" not in text


def test_a_root_that_is_a_file_is_told(run, tmp_path):
    (tmp_path / "file").write_text("")
    text = run("--root", "file", "search", code=1)
    assert "StoreError" in text


def test_a_bundle_that_does_not_exist_is_told(run):
    text = run("deploy", "nowhere", code=1)
    assert "nowhere" in text
    assert "Traceback" not in text


def test_of_several_roots_all_are_read_and_the_first_is_written_to(published, tmp_path):
    first = tmp_path / "first"
    environment = {**os.environ, "MESH_ROOTS": f"{first}{os.pathsep}{published}"}

    def mesh(*words: str) -> str:
        return subprocess.run(
            [MESH, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "airport-delays" in mesh("search")
    assert not first.exists()
    mesh("deploy", "bundle")
    assert (first / "analytics" / "airport-delays" / "publications").is_dir()
    assert "1 product" in mesh("search")


def test_json_is_json_and_nothing_else(published, run):
    described = json.loads(run("--root", str(published), "describe", "airport-delays", "--json"))
    assert described["product"]["name"] == "airport-delays"
    assert described["snapshot"]["snapshot"] == 1


def test_a_read_is_written_whole_to_the_file_that_was_named(published, run, tmp_path):
    import polars as pl

    run("--root", str(published), "read", "airport-delays", "--out", "daily.csv")
    assert pl.read_csv(tmp_path / "daily.csv").height == 4


def test_a_read_is_cut_to_a_half_open_window(published, run):
    words = ("read", "airport-delays", "--from", "2013-01-01", "--to", "2013-01-02")
    lines = run("--root", str(published), *words, "--format", "csv").strip().splitlines()
    assert len(lines) == 3


def test_a_read_before_the_first_snapshot_names_the_first(published, run):
    text = run("--root", str(published), "read", "airport-delays", "--as-of", "2001-01-01", code=1)
    assert "NoSnapshot" in text
    assert "first" in text


def test_events_are_read_on_from_the_cursor_of_the_last_one(published, run, tmp_path):
    words = ("--root", str(published), "read", "airport-delays", "--format", "events")
    events = [json.loads(line) for line in run(*words).splitlines()]
    assert [event["subject"] for event in events] == [
        f"origin={o}&day=2013-01-0{d}" for o in ("EWR", "JFK") for d in (1, 2)
    ]
    rest = run(*words, "--since", events[1]["cursor"])
    assert [json.loads(line) for line in rest.splitlines()] == events[2:]
    written = run(*words, "--out", str(tmp_path / "events.ndjson"))
    assert f"--since {events[-1]['cursor']}" in written


def test_a_graph_is_one_json_document(published, run):
    text = run("--root", str(published), "read", "airport-delays", "--format", "graph")
    assert len(json.loads(text)["@graph"]) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "yaml"), "one of parquet, csv, ndjson, arrow, events, graph"),
        (("--format", "events", "--since", "soon"), "neither a cursor nor a time"),
        (("--since", "2026-01-01"), "--format events"),
        (("--from", "2013-02", "--to", "2013-01"), "before or when it starts"),
        (("--out", "none/a.csv"), "cannot be written"),
    ],
)
def test_a_read_that_cannot_be_is_one_paragraph(published, run, words, said):
    text = run("--root", str(published), "read", "airport-delays", *words, code=1)
    assert said in " ".join(text.split())
    assert "Traceback" not in text


def test_an_option_given_twice_is_refused_in_a_shell_too(run):
    for words in (
        ("read", "plays", "--port", "a", "--port", "b"),
        ("--principal", "ana", "--principal", "bo", "search"),
        ("diff", "bundle", "--", "a", "b"),
    ):
        text = run(*words, code=2)
        assert ("is given twice" if "--" not in words else "word too many") in text
    assert "mesh read --help" in run("read", "a", "b", code=2)
    assert "0 products" in run("--root", "a", "--root", "b", "search")


def test_every_option_of_a_shell_counts_once():
    from typer.testing import CliRunner

    from mesh_notebook.surfaces.cli import app
    from mesh_notebook.surfaces.verbs import VERBS

    shell = CliRunner()
    for verb in (one for one in VERBS if one.shell):
        places = ["x" for one in verb.arguments if one.required and not one.flag]
        for option in (one for one in verb.arguments if one.flag and one.kind != "flag"):
            given = [option.flag, "1", "2"] if option.kind == "pair" else [option.flag, "1"]
            done = shell.invoke(app, [verb.name, *places, *given, *given])
            assert done.exit_code == 2
            assert f"{option.flag} is given twice" in done.output
