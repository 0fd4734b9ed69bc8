"""What the documents show is run: README's cells, its Python, the commands they name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mesh_notebook.surfaces.verbs import VERBS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_five_lines_of_the_readme_work_as_they_stand(shell, tmp_path):
    shutil.copytree(ROOT / "synthetic", tmp_path / "synthetic")
    (cell,) = blocks("ipython")
    lines = cell.strip().splitlines()
    assert len(lines) == 5
    results = [shell.run(line) for line in lines]
    assert results[-1].passed


def test_the_readme_goes_on_to_a_draft_that_says_it_is_mock(shell, tmp_path):
    shutil.copytree(ROOT / "synthetic", tmp_path / "synthetic")
    for line in blocks("ipython")[0].strip().splitlines():
        shell.run(line)
    assert "%mesh export products/audience" in README
    shell.run("%mesh export products/audience")
    deployed = shell.run("%mesh deploy products/audience")
    assert (deployed.receipt.origin, deployed.receipt.status) == ("mock", "draft")


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        exec(block, {})


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_verb_that_a_document_names_exists(document):
    names = {verb.name for verb in VERBS}
    named = set(re.findall(r"%%?mesh ([a-z]+)\b", (ROOT / document).read_text()))
    assert named <= names


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_a_document_names_exists(document):
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?m)(?:`|^)make ([a-z-]+)", (ROOT / document).read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
