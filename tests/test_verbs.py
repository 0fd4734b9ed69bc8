"""One table of verbs feeds the magics, the command line and the help: they cannot drift apart."""

from __future__ import annotations

import inspect
import shlex

import pytest

from mesh_notebook.errors import UsageError
from mesh_notebook.surfaces.magics import parse
from mesh_notebook.surfaces.verbs import VERBS, find
from mesh_notebook.workspace import Workspace

# Two verbs are about showing alone, and live in the surfaces.
METHODS = [verb for verb in VERBS if verb.name not in ("help", "browse")]


@pytest.mark.parametrize("verb", METHODS, ids=lambda v: v.name)
def test_each_verb_is_a_method_that_takes_exactly_its_arguments(verb):
    parameters = list(inspect.signature(getattr(Workspace, verb.name)).parameters)
    named = [a.name for a in verb.arguments] + ([verb.cell] if verb.cell else [])
    left = set(parameters) - {"self"} - set(named)
    # Only Python can pass frames and mappings as they are.
    assert set(named) <= set(parameters)
    assert left <= {"tables", "contract"}


@pytest.mark.parametrize("verb", METHODS, ids=lambda v: v.name)
def test_defaults_are_the_same_in_a_magic_and_in_python(verb):
    parameters = inspect.signature(getattr(Workspace, verb.name)).parameters
    for argument in verb.arguments:
        if not argument.required:
            assert parameters[argument.name].default == argument.default or argument.kind == "rest"


@pytest.mark.parametrize("verb", VERBS, ids=lambda v: v.name)
def test_each_example_is_a_line_that_parses(verb):
    line = verb.example.lstrip("%").removeprefix("mesh").strip()
    found, _ = parse(line, "select 1" if verb.cell else None)
    assert found.name == (verb.name if line else "path")


def test_every_kind_of_answer_has_a_panel_and_is_shown():
    from mesh_notebook.surfaces import registered  # noqa: F401
    from mesh_notebook.surfaces.display import SHOWN
    from mesh_notebook.surfaces.panels import panel_of

    kinds = {(k.__module__, k.__qualname__) for k in panel_of.registry if k is not object}
    assert kinds == set(SHOWN)


def test_an_unknown_verb_names_the_one_that_was_meant():
    with pytest.raises(UsageError, match="did you mean connect"):
        find("conect")


def test_a_missing_argument_says_where_the_help_is():
    with pytest.raises(UsageError, match="%mesh help connect"):
        parse("connect", None)


def test_quoted_words_are_one_word_without_their_quotes():
    _, given = parse('product p --purpose "Who listens, and where"', None)
    assert given["purpose"] == "Who listens, and where"
    assert shlex.split(given["purpose"])[0] == "Who"
