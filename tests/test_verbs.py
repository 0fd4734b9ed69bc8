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


# ---- how a line is typed -----------------------------------------------------------------------

OPTIONS = [(verb, one) for verb in VERBS for one in verb.arguments if one.flag]


def typed(verb, option, value: str = "") -> str:
    """Return a line with all that a verb must be given, and an option besides."""
    words = [verb.name]
    for one in verb.arguments:
        if one.required and not one.flag:
            words.append(one.choices[0] if one.choices else "x")
    given = {"whole": "3", "number": "0.5", "flag": "", "pair": "a b"}.get(option.kind, value)
    return " ".join([*words, option.flag, option.choices[0] if option.choices else given]).strip()


def test_an_option_given_twice_is_refused_whichever_it_is():
    for verb, option in OPTIONS:
        body = "x" if verb.cell else None
        once = typed(verb, option, "a")
        parse(once, body)
        again = once[once.index(option.flag) :]
        if option.kind == "flag":  # it says the same twice
            parse(f"{once} {again}", body)
            continue
        for more in (again, again.replace(" ", "=", 1) if option.kind != "pair" else again):
            with pytest.raises(UsageError, match=f"{option.flag} is given twice"):
                parse(f"{once} {more}", body)


def test_a_word_after_an_option_is_named_with_how_it_is_written():
    for line, extra, step in (
        ("output o df --key a b", "'b' is a word too many, after --key a", "--key a,b"),
        ("output o df --key a, b c", "'b c' are words too many", "--key a,b,c"),
        ("output o df --key a --key b", "--key is given twice", "--key a,b"),
        ("product p --purpose Who listens", "'listens' is a word", '--purpose "Who listens"'),
        ("protect o.c --with null x", "'x' is a word", "it takes one value: --with null"),
        ("use plays live --rows 3 4", "'4' is a word", "it takes one value: --rows 3"),
        ("drop o p", "'p' is a word too many for 'drop'", "%mesh drop PORT"),
        ("output o df --kee a", "--kee is no option", "did you mean --key"),
        ("output o df --key", "--key has no value", "--key KEY"),
        ("output o df --key --kind log", "--key has no value", "--key KEY"),
    ):
        with pytest.raises(UsageError) as refused:
            parse(line, None)
        assert extra in refused.value.message, line
        assert step in refused.value.next_step, line


def test_a_word_may_stand_behind_an_option_that_has_its_value():
    assert parse("promise daily --gate lag lag=2h", None)[1]["promises"] == ("lag=2h",)
    assert parse("ask plays mean --by country minutes", None)[1]["of"] == "minutes"
    assert parse("search -- --odd", None)[1]["words"] == ("--odd",)
