"""Answers as JSON: every verb that reads, under the keys that are documented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from mesh_notebook.deploy.verifying import Verified
from mesh_notebook.errors import UsageError
from mesh_notebook.surfaces import as_json
from mesh_notebook.surfaces.as_json import json_of
from mesh_notebook.surfaces.verbs import VERBS
from mesh_notebook.workspace.rejecting import Rejected

PRODUCT = "analytics/airport-delays"
LINES = {
    "search": "search delays",
    "read": f"read {PRODUCT}",
    "history": f"history {PRODUCT}",
    "status": f"status {PRODUCT}",
    "lineage": f"lineage {PRODUCT}",
    "why": f"why {PRODUCT}",
    "decisions": f"decisions {PRODUCT}",
    "plan": "plan bundle",
    "diff": "diff bundle notebook.ipynb",
    "grant": "grant",
    "rule": "rule",
    "path": "path",
    "contract": "contract daily",
    "check": "check",
    "profile": "profile delays",
}


# The keys that an answer has, by verb; `plan` is pinned where plans are.
KEYS = {
    "search": "words roots products",
    "read": "product port snapshot published version status origin intervals rows columns head",
    "history": "product snapshots",
    "status": "product snapshots hurt majors damaged ports",
    "lineage": "of upstream downstream untold",
    "why": "product port snapshot principal purpose roles own policies says forbidden mock",
    "decisions": "product decisions",
    "diff": "product folder differs sides changes laid_out others",
    "grant": "root grants done",
    "rule": "root rules caches entries done",
    "path": "steps next_step origin",
    "contract": "port rows origin set_by_hand contract",
    "check": "passed origins uncarried untold ports",
    "profile": "rows origin columns",
}


def test_every_verb_that_reads_is_documented_and_tried_here():
    reads = {verb.name for verb in VERBS if verb.reads} - {"rejects", "verify"}
    assert reads == set(LINES)


def test_each_answer_is_json_and_names_what_it_is_about(published, shell, tmp_path: Path):
    (tmp_path / "notebook.ipynb").write_bytes((tmp_path / "bundle/notebook.ipynb").read_bytes())
    for verb, line in LINES.items():
        answer = shell.run(f"%mesh {line} --json")
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer, verb
        if verb in KEYS:
            assert list(answer) == KEYS[verb].split(), verb
            assert all(f"`{key}`" in str(as_json.__doc__) for key in answer), verb
    assert shell.run(f"%mesh read {PRODUCT} --json")["rows"] == 4
    assert shell.run("%mesh check --json")["ports"][0]["rules"][0]["passed"] is True
    with pytest.raises(UsageError, match="--format"):
        shell.run(f"%mesh read {PRODUCT} --format csv --json")


def test_what_was_rejected_and_what_was_verified_is_json_too():
    rejected = Rejected("shop", (), (), pl.DataFrame({"id": [1]}))
    assert json_of(rejected)["rows"] == [{"id": 1}]
    verified = Verified("shop", "polars", ("transform.py was changed",), {"sold": 1}, 3, (), {})
    assert json_of(verified)["passed"] is False


def test_a_shell_has_json_alone_on_its_output_and_errors_beside_it(published):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mesh_notebook", "--root", str(published), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    found = run("history", PRODUCT, "--json")
    assert found.returncode == 0
    assert json.loads(found.stdout)["snapshots"][0]["rows"] == {"daily": 4}
    refused = run("history", "airport-delay", "--json")
    assert refused.returncode == 1
    assert refused.stdout == ""
    said = json.loads(refused.stderr)
    assert said["error"] == "UnknownProduct"
    assert "airport-delays" in said["next_step"]
