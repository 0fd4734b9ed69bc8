"""Somebody else's bundle: what runs its code, says so; all else runs nothing of it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from bundles import write_bundle

import mesh_notebook
from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.seals import sealed
from mesh_notebook.surfaces import cli
from mesh_notebook.surfaces.panel import as_text
from mesh_notebook.surfaces.panels import Help, panel_of
from mesh_notebook.surfaces.verbs import find

RUN_CODE = ("deploy", "run", "verify")


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle that writes a file as soon as any of its Python is imported or run."""
    monkeypatch.chdir(tmp_path)

    # What the guard of the clean process keeps honest code from would be no proof here.
    path = os.fsencode(tmp_path / "sprung")
    sprung = f"import ctypes\n\nctypes.CDLL(None).mkdir({path!r}, 0o700)\n"
    bundle = write_bundle(
        tmp_path / "theirs",
        inputs=(),
        transform=f"{sprung}\n\ndef daily():\n    return None\n",
    )
    (bundle / "tests").mkdir()
    for name in ("portable.py", "conftest.py", "setup.py", "__init__.py", "tests/test_it.py"):
        (bundle / name).write_text(sprung)
    (bundle / "lineage.json").write_text('{"format": "mesh-notebook lineage 1"}')
    return tmp_path / "sprung"


def test_to_plan_describe_diff_load_and_trace_a_bundle_runs_nothing_of_it(shell, trap):
    mesh = mesh_notebook.open(".mesh")
    assert mesh.plan("theirs").product.endswith("airport-delays")
    looks = [
        lambda: mesh.plan("theirs", engine="duckdb"),
        lambda: mesh.plan("theirs", backfill=("2026-01-01", "2026-02-01")),
        lambda: mesh.describe("theirs"),
        lambda: mesh.rejects("theirs"),
        lambda: mesh.lineage("theirs"),
        lambda: mesh.lineage("theirs", format="openlineage"),
        lambda: shell.run("%mesh diff theirs"),
        lambda: shell.run("%mesh load theirs"),
    ]
    for look in looks:
        with suppress(MeshError):
            look()
        assert not trap.exists()
    with pytest.raises(MeshError):
        mesh.deploy("theirs")
    assert trap.exists(), "else this test tells nothing"


def test_what_is_not_as_it_was_sealed_is_not_run_by_verify(trap):
    receipt = {"files": {"transform.py": "0" * 64}, "inputs": [], "engine": {}}
    Path("theirs/receipt.json").write_text(json.dumps(sealed(receipt)))
    with pytest.raises(MeshError):
        mesh_notebook.open(".mesh").verify("theirs")
    assert not trap.exists()


@pytest.mark.parametrize("name", RUN_CODE)
def test_a_verb_that_runs_the_code_of_a_bundle_says_so_in_its_help(name, monkeypatch, capsys):
    said = as_text(panel_of(Help((find(name),))))
    monkeypatch.setattr("sys.argv", ["mesh", name, "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    for text in (said, capsys.readouterr().out):
        assert "runs the bundle's own code as you" in " ".join(text.split())
