"""The checks of a bundle's own CI find nothing in it as it was exported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CACHE = Path(__file__).parents[1] / ".mypy_cache" / "bundles"  # what mypy knows of Polars
PEOPLE = "who,größe,day,v\nZoe,1.5,2026-01-01,3\nAnn,2.5,2026-01-02,4\n"
LONG = "the_size_of_a_person_in_metres_as_it_was_measured_and_written_down_on_the_day_of_the_visit"


@pytest.fixture
def bundle(shell: Any, tmp_path: Path) -> Path:
    """A bundle of ports that are written in many ways."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    shell.run("import polars as pl\nimport pandas as pd\nfrom sklearn.datasets import load_iris")
    shell.run("%mesh source people_of_the_whole_company_with_a_name_that_is_long people.csv")
    shell.run("people = people_of_the_whole_company_with_a_name_that_is_long")
    ports = {
        "alone": "alone = pl.LazyFrame({'who': ['Zoe', \"l'an\"], 'v': [1, 2]})",
        "flowers": "flowers = load_iris(as_frame=True).frame.groupby('target').mean()\n"
        "flowers.columns = ['a', 'b', 'c', 'd']\nflowers = flowers.reset_index()",
        "named": f"l = 2\nnamed = people.filter(pl.col('v') > l).rename({{'größe': '{LONG}'}})",
        "again": "again = people.collect()\nagain = again.to_pandas()[['who', 'v']]\n"
        "seen = {}\nfor name in again.who:\n    seen[name] = len(name)\n"
        "seen = list(seen.items())\nagain['n'] = [n for _, n in seen]",
        "classes": "class Rate:\n    def __init__(self, by):\n        self.by, self.made = by, []\n"
        "        self.kept = []\n"
        "    def of(self, frame):\n        return frame.with_columns(pl.col('v') * self.by)\n"
        "classes = Rate(2).of(people)",
    }
    for port, cell in ports.items():
        shell.run(cell)
        if port == "again":
            shell.run("%%mesh sql more\nSELECT who, count(*) AS n FROM again GROUP BY ALL")
        shell.run(f"%mesh output {port} {port} --key {'target' if port == 'flowers' else 'who'}")
    shell.run("%mesh output more more --key who")
    shell.run("%mesh export bundle")
    return tmp_path / "bundle"


def test_ruff_and_mypy_find_nothing_in_a_bundle_as_it_was_exported(bundle: Path) -> None:
    workflow = yaml.safe_load((bundle / ".github/workflows/data-product.yml").read_text())
    steps = {step.get("name"): step.get("run") for step in workflow["jobs"]["check"]["steps"]}
    commands = [*steps["Lint"].splitlines(), *steps["Types"].splitlines()]
    assert commands == ["ruff check .", "ruff format --check .", "mypy"]
    assert {command: found(command, bundle) for command in commands} == dict.fromkeys(commands, "")
    more = "\n\ndef more() -> None:\n    unused = 1\n"
    (bundle / "transform.py").write_text((bundle / "transform.py").read_text() + more)
    assert "F841" in found("ruff check .", bundle)  # what no cell of it does is still a finding


def found(command: str, bundle: Path) -> str:
    program, *words = command.split()
    where = Path(sys.executable).parent / program
    environment = {**os.environ, "MYPY_CACHE_DIR": str(CACHE)}
    run = [str(where), *words]
    done = subprocess.run(run, cwd=bundle, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""
