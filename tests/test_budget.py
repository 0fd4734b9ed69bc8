"""Budgets at private ports: kept, spent before an answer, and never spent twice or beyond."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from bundles import Clock
from hypothesis import given, settings
from hypothesis import strategies as st
from private_port import (
    ANA,
    POLICY,
    asked,
    budget_at,
    listeners,
    policy_with,
    put_private,
)

from mesh_notebook.errors import (
    AccessDenied,
    StoreError,
)
from mesh_notebook.mesh.budget import Budget
from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.question import Question
from mesh_notebook.model.policy import Principal


def test_a_question_costs_a_tenth_of_the_budget_unless_it_says(private_root):
    first = asked(private_root, Question("count"))
    assert (first.question.epsilon, first.left, first.budget) == (0.2, 1_800_000, 2_000_000)
    assert asked(private_root, Question("count", epsilon=0.7)).left == 1_100_000


def test_an_exceeded_budget_is_refused_with_what_is_left(private_root):
    asked(private_root, Question("count", epsilon=1.7))
    with pytest.raises(AccessDenied) as raised:
        asked(private_root, Question("count", epsilon=0.300001))
    assert "ana has 0.3 of 2 left" in str(raised.value)
    assert "--epsilon 0.3" in str(raised.value)
    assert raised.value.left == 0.3
    assert asked(private_root, Question("count", epsilon=0.3)).left == 0
    with pytest.raises(AccessDenied, match="does not grow back"):
        asked(private_root, Question("count", epsilon=0.000001))


def test_ten_tenths_are_a_whole_and_no_more(private_root):
    for _ in range(10):
        asked(private_root, Question("count", epsilon=0.1))
    assert budget_at(private_root).left() == 1_000_000


def test_each_principal_has_a_budget_however_they_are_called(private_root):
    names = ["ana", "Ana", "ana ", "añá", "../ana", "ana/../bo", "", "x" * 300, "王"]
    for name in names:
        assert asked(private_root, Question("count", epsilon=2.0), Principal(name)).left == 0
    folders = list((private_root / "media/podcasts/budgets/listeners").iterdir())
    assert len({folder.name.lower() for folder in folders}) == len(names)


def test_a_new_snapshot_or_version_has_the_same_budget(private_root):
    asked(private_root, Question("count", epsilon=1.5))
    put_private(private_root, listeners(10), POLICY, version="2.0.0")
    assert asked(private_root, Question("count", epsilon=0.5)).left == 0


def test_a_lowered_budget_counts_what_was_spent_before(private_root):
    asked(private_root, Question("count", epsilon=1.5))
    put_private(private_root, listeners(10), policy_with(budget=1.0), version="1.0.1")
    with pytest.raises(AccessDenied, match="0 of 1 left"):
        asked(private_root, Question("count", epsilon=0.1))


def test_the_budget_says_who_asked_what_and_when_and_nothing_of_the_data(private_root):
    asked(private_root, Question("sum", "minutes", ("country",), 0.5), Principal("ana", "research"))
    (file,) = (private_root / "media/podcasts/budgets/listeners").glob("*/*.json")
    assert json.loads(file.read_text()) == {
        "principal": "ana",
        "purpose": "research",
        "time": "2026-01-01T00:01:00.000000Z",
        "snapshot": 1,
        "what": "sum",
        "of": "minutes",
        "by": ["country"],
        "millionths": 500_000,
        "spent": 500_000,
    }


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: "",
        lambda entry: "[]",
        lambda entry: "{}",
        lambda entry: entry.replace("200000", "-200000"),
        lambda entry: entry.replace("200000", "true"),
        lambda entry: entry.replace("200000", "0.2"),
        lambda entry: entry.replace("ana", "bo"),
        lambda entry: None,  # the entry is gone
    ],
)
def test_a_damaged_entry_answers_nothing_until_it_is_mended(private_root, damage):
    asked(private_root, Question("count", epsilon=0.2))
    asked(private_root, Question("count", epsilon=0.3))
    first, _ = sorted((private_root / "media/podcasts/budgets/listeners").glob("*/*.json"))
    told = damage(first.read_text())
    first.write_text(told) if told is not None else first.unlink()
    with pytest.raises(StoreError, match="damaged") as raised:
        asked(private_root, Question("count", epsilon=0.1))
    assert "backup" in str(raised.value)


SPENDER = """
import sys
from datetime import UTC, datetime
from mesh_notebook.errors import AccessDenied
from mesh_notebook.mesh.budget import Budget
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.question import Question
from mesh_notebook.model.policy import Principal
found, _ = Catalogue([sys.argv[1]]).resolve("podcasts")
budget = Budget(found, "listeners", Principal("ana"), 2_000_000)
question = Question("count", epsilon=0.1)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    try:
        budget.spend(question, lambda: datetime.now(UTC))
    except AccessDenied:
        print("refused", flush=True)
    else:
        print("spent", flush=True)
"""


def test_eight_processes_that_ask_at_once_never_spend_more_than_there_is(private_root):
    askers = [
        subprocess.Popen(
            [sys.executable, "-c", SPENDER, str(private_root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for asker in askers:
        asker.stdout.readline()
    for asker in askers:
        asker.stdin.write("go\n")
        asker.stdin.flush()
    told = "".join(asker.communicate()[0] for asker in askers).split()
    assert [asker.returncode for asker in askers] == [0] * 8
    # 40 ask for a tenth each, of a budget of 2.
    assert (told.count("spent"), told.count("refused")) == (20, 20)
    assert budget_at(private_root).left() == 0


@settings(deadline=None, max_examples=10)
@given(costs=st.lists(st.integers(1, 900_000), max_size=8), total=st.integers(1, 2_000_000))
def test_the_budget_is_what_was_spent_and_what_is_left(tmp_path_factory, costs, total):
    root = tmp_path_factory.mktemp("budget") / "mesh"
    podcasts = PublishedProduct(place_of(root), "media", "podcasts")
    budget = Budget(podcasts, "listeners", ANA, total)
    spent = 0
    for cost in costs:
        question = Question("count", epsilon=cost / 1e6)
        if spent + cost > total:
            with pytest.raises(AccessDenied):
                budget.spend(question, Clock())
        else:
            spent += cost
            assert budget.spend(question, Clock()) == total - spent
        assert budget.left() == total - spent
