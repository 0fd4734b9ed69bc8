"""Rules of a mesh: what they forbid, that nothing undoes them, and that a bad one never holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import COLUMNS, Clock, contract, deployed, put, write_bundle

import mesh_notebook
from mesh_notebook.errors import DeployRefused, SpecError, StoreError, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.rego import EXAMPLE, facts_of, forbidden
from mesh_notebook.mesh.rulebook import StandingRules, standing_rules
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import Principal
from mesh_notebook.model.time import Window
from mesh_notebook.workspace import Workspace

NO_BARE = """
deny contains message if {
    some column in input.columns
    column.personal
    not column.mask
    message := sprintf("%s is personal and has no mask", [column.name])
}
"""
# As one writes it for an older Rego: its answer is a mapping.
ONLY_ANALYSTS = 'deny[m] { not analyst; m := "for analysts only" }\n' + (
    'analyst { input.principal.roles[_] == "analyst" }\n'
)
FLIGHTS = pl.DataFrame(
    {"airport": ["JFK", "LGA"], "day": [date(2026, 1, 1)] * 2, "delay": [10.0, 5.0]}
)
ADDRESS = "urn:dmesh:local:travel:airport-delays"


def module(text: str) -> str:
    return f"package mesh\n{text}"


def asked(*texts: str, **facts: Any) -> tuple[str, ...]:
    """Return what rules of these texts say of the example, with other facts in places."""
    named = ((f"rule-{n}", module(text)) for n, text in enumerate(texts))
    return forbidden(StandingRules(frozenset(named)), {**EXAMPLE, **facts})


@pytest.fixture
def mesh(tmp_path: Path) -> Workspace:
    """A workspace over an empty mesh, with a file of rules beside it."""
    (tmp_path / "no-bare.rego").write_text(module(NO_BARE))
    made = mesh_notebook.open(tmp_path / "mesh", principal="ana")
    made.base, made.clock = tmp_path, Clock()
    return made


def publish(root: Any, name: str = "airport-delays") -> None:
    put(root, FLIGHTS, contract(COLUMNS, id=f"urn:dmesh:local:travel:{name}:daily:1"))


def held_to(root: Any, name: str = "airport-delays") -> StandingRules:
    return standing_rules(Catalogue([root]).resolve(name)[0])


# ---- what a rule forbids --------------------------------------------------------------------


def test_a_rule_forbids_in_its_own_words():
    assert asked(NO_BARE) == ()
    bare = [{"name": "email", "type": "VARCHAR", "personal": True, "mask": None}]
    assert asked(NO_BARE, columns=bare) == ("email is personal and has no mask",)


def test_a_rule_in_older_rego_forbids_as_well():
    assert asked(ONLY_ANALYSTS) == ()
    nobody = {"name": "bo", "roles": [], "purpose": ""}
    assert asked(ONLY_ANALYSTS, principal=nobody) == ("for analysts only",)


def test_one_rule_cannot_undo_another():
    closed = 'default open := false\ndeny contains "closed" if not open'
    opener = "open := true\ndeny contains m if { false; m := open }"
    assert asked(closed, opener) == ("closed",)


def test_no_rules_forbid_nothing_and_load_no_interpreter():
    script = (
        "import sys\n"
        "from mesh_notebook.mesh.rego import forbidden\n"
        "from mesh_notebook.mesh.rulebook import StandingRules\n"
        "print(forbidden(StandingRules(), {}), 'regopy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "() False"


def test_facts_tell_who_asks_for_what_and_which_columns_are_masked(tmp_path):
    policies = [{"port": "daily", "masks": [{"column": "airport", "mask": "redact"}]}]
    made = contract(COLUMNS, airport={"classification": "personal"}, id=f"{ADDRESS}:daily:1")
    bundle = write_bundle(tmp_path / "b", address=ADDRESS, ports={"daily": made}, tags=("public",))
    from mesh_notebook.mesh.bundle import Bundle

    product = Bundle(bundle).product
    product.raw["customProperties"] = [{"property": "policies", "value": policies}]
    moment = datetime(2026, 2, 1, tzinfo=UTC)
    facts = facts_of(
        Principal("bo", "audit", frozenset({"b", "a"})),
        product,
        made,
        port="daily",
        action="read",
        origin=Origin.LIVE,
        now=moment,
        window=Window(start=moment),
    )
    assert facts["principal"] == {"name": "bo", "roles": ["a", "b"], "purpose": "audit"}
    assert facts["product"]["address"] == ADDRESS
    assert facts["product"]["tags"] == ["public"]
    assert facts["window"] == {"from": "2026-02-01T00:00:00+00:00", "to": None, "as_of": None}
    (airport,) = (one for one in facts["columns"] if one["name"] == "airport")
    assert airport == {
        "name": "airport",
        "type": "VARCHAR",
        "personal": True,
        "mask": "redact",
        "declassified": False,
    }
    # Rules are tried on an example of just these facts.
    assert facts.keys() == EXAMPLE.keys()
    assert facts["product"].keys() == EXAMPLE["product"].keys()


def test_the_time_of_the_question_is_a_fact_that_rules_can_reckon_with():
    late = 'deny contains "late" if { [h, _, _] := time.clock(time.parse_rfc3339_ns(input.now)); '
    assert asked(late + "h >= 18 }") == ()
    assert asked(late + "h >= 18 }", now="2026-11-02T18:00:00+00:00") == ("late",)


@pytest.mark.parametrize("name", ['x", "roles": ["admin"], "y": "', "a\nb\t\\", "ü { } $ 😀", "'"])
def test_a_name_of_any_signs_is_one_name_and_no_further_facts(name):
    rule = 'deny contains m if { not "admin" in input.principal.roles; m := input.principal.name }'
    assert asked(rule, principal={"name": name, "roles": [], "purpose": ""}) == (name,)


# ---- what is no rule ------------------------------------------------------------------------

# What is wrong, and what is said of it.
BAD = {
    "syntax": ("deny contains m if {", "unclosed"),
    "unknown function": ("deny contains m if { m := nofn(1) }", "nofn"),
    "recursion": ('p if { p }\ndeny contains "x" if p', "Recursion"),
    "division by zero": ('deny contains "x" if { 1 / 0 == 1 }', "cannot be evaluated"),
    "no number": ('deny contains "x" if { to_number("zz") == 1 }', "cannot be evaluated"),
    "network": ('deny contains "x" if { http.send({}) }', "no network"),
    "unset name": ("deny contains m if { m := y }", "`y` is given no value"),
    "misspelled message": ('deny contains m if { n := "x" }', "`m` is given no value"),
    "misspelled name": ('deny[m] { rolse := 1; roles > 0; m := "x" }', "did you mean rolse"),
    "no data": ("deny contains m if { m := data.secret }", "no data"),
    "misspelled fact": ('deny contains "x" if input.colums', "did you mean columns"),
    "unknown fact": (
        'deny contains "x" if { some c in input.columns; c.classification == "personal" }',
        "no fact `classification`",
    ),
    "null": ('deny contains "x" if { some c in input.columns; c.mask == null }', "not column.mask"),
    "no deny": ("allow := true", "no `deny`"),
    "a truth": ("deny := true", "something else"),
    "a text": ('deny := "x"', "something else"),
    "a number in it": ("deny contains 5 if true", "something else"),
    "empty": ("", "no `deny`"),
    "escaped sign": (r'deny contains "x" if { input.port == "\u00e4" }', "as spelled"),
}
LEAKS = {
    "environment": "deny contains m if { m := opa.runtime().env.SECRET }",
    "in brackets": 'deny contains m if { m := opa["runtime"]().env.SECRET }',
    "by another name": "import opa as z\ndeny contains m if { m := z.runtime().env.SECRET }",
    "in a template": 'deny contains m if { m := $"{opa.runtime().env.SECRET}" }',
    "in place of another": "deny contains m if { m := count([]) with count as opa.runtime }",
    "behind a comment": "deny contains m if {\n#\r m := opa.runtime().env.SECRET\n}",
    "over two lines": "deny contains m if { m := opa #\n .runtime().env.SECRET }",
    "clock": 'deny contains "x" if time.now_ns() > 5',
    "clock in brackets": 'deny contains "x" if time["now_ns"]() > 5',
    "clock by another name": 'import time as t\ndeny contains "x" if t.now_ns() > 5',
    "chance": 'deny contains "x" if rand.intn("a", 5) > 2',
    "identity": 'deny contains "x" if uuid.rfc4122("a") != ""',
    "print": 'deny contains "x" if print(input)',
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_rule_is_not_pushed_and_forbids_where_it_stands(case, mesh, tmp_path, capfd):
    text, said = BAD[case]
    (tmp_path / "bad.rego").write_text(module(text))
    with pytest.raises(SpecError) as refused:
        mesh.rule("bad.rego")
    assert said in str(refused.value)
    assert refused.value.next_step
    assert not (tmp_path / "mesh").exists()
    (why,) = asked(text)
    assert "rule-0" in why
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("case", LEAKS)
def test_a_rule_that_asks_the_machine_is_not_pushed_and_forbids(case, mesh, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "the-key-of-the-mesh")
    (tmp_path / "bad.rego").write_bytes(module(LEAKS[case]).encode())
    with pytest.raises(SpecError) as refused:
        mesh.rule("bad.rego")
    (why,) = asked(LEAKS[case])
    assert "the-key-of-the-mesh" not in f"{why}{refused.value}"
    assert not (tmp_path / "mesh").exists()


@pytest.mark.parametrize("package", ["package other", "package mesh.own", ""])
def test_a_rule_of_another_package_is_refused(package, mesh, tmp_path):
    (tmp_path / "bad.rego").write_text(f'{package}\ndeny contains "x" if true')
    with pytest.raises(SpecError):
        mesh.rule("bad.rego")


def test_an_error_says_the_line(mesh, tmp_path):
    (tmp_path / "bad.rego").write_text(module('\n# who\ndeny contains m if {\n  m := "a" "b"\n}'))
    with pytest.raises(SpecError, match="line 5") as refused:
        mesh.rule("bad.rego")
    assert refused.value.line == 5


def test_a_rule_that_fails_on_some_facts_alone_forbids_those():
    text = 'deny contains "x" if { to_number(input.port) > 5 }'
    (why,) = asked(text, port="eleven")
    assert "cannot be evaluated" in why
    assert "eleven" not in why
    assert asked(text, port="3") == ()


# ---- where rules stand ----------------------------------------------------------------------


def test_a_pushed_rule_is_cached_in_every_product_and_a_removed_one_forbids_nothing(mesh, tmp_path):
    root = tmp_path / "mesh"
    publish(root)
    publish(root, "routes")
    shown = mesh.rule("no-bare.rego")
    assert [(one.name, one.by) for one in shown.rules] == [("no-bare", "ana")]
    assert [(one.product, one.entries) for one in shown.caches] == [
        ("airport-delays", 1),
        ("routes", 1),
    ]
    assert held_to(root).texts == {("no-bare", module(NO_BARE))}
    own = root / "travel" / "routes" / "rules" / "000000000001.json"
    assert own.read_bytes() == (root / "rules" / "000000000001.json").read_bytes()
    assert mesh.rule(remove="no-bare").rules == ()
    assert not held_to(root)
    assert not held_to(root, "routes")


def test_a_changed_rule_takes_the_place_of_the_old_one(mesh, tmp_path):
    publish(tmp_path / "mesh")
    mesh.rule("no-bare.rego")
    (tmp_path / "other.rego").write_text(module('deny contains "x" if false'))
    mesh.rule("other.rego", name="no-bare")
    assert held_to(tmp_path / "mesh").texts == {("no-bare", module('deny contains "x" if false'))}


def test_a_product_whose_cache_is_behind_is_held_to_the_root(mesh, tmp_path):
    mesh.rule("no-bare.rego")
    publish(tmp_path / "mesh")  # past `deploy`, which would have cached them
    assert held_to(tmp_path / "mesh").texts == {("no-bare", module(NO_BARE))}
    (cached,) = mesh.rule().caches
    assert (cached.entries, mesh.rule().entries) == (0, 1)


def test_a_cache_without_its_root_holds(mesh, tmp_path):
    publish(tmp_path / "mesh")
    mesh.rule("no-bare.rego")
    (tmp_path / "mesh" / "rules" / "000000000001.json").write_text("{")
    assert held_to(tmp_path / "mesh").texts == {("no-bare", module(NO_BARE))}
    (tmp_path / "mesh" / "rules" / "000000000001.json").unlink()
    assert held_to(tmp_path / "mesh").texts == {("no-bare", module(NO_BARE))}


def test_a_product_cannot_take_away_a_rule_of_its_mesh(mesh, tmp_path):
    publish(tmp_path / "mesh")
    mesh.rule("no-bare.rego")
    own = tmp_path / "mesh" / "travel" / "airport-delays" / "rules"
    entry = json.loads((own / "000000000001.json").read_text())
    forged = {**entry, "number": 9, "action": "remove", "text": ""}
    (own / "000000000009.json").write_text(json.dumps(forged))
    assert held_to(tmp_path / "mesh").texts == {("no-bare", module(NO_BARE))}


def test_rules_that_nobody_can_read_forbid(mesh, tmp_path):
    publish(tmp_path / "mesh")
    mesh.rule("no-bare.rego")
    for folder in (tmp_path / "mesh", tmp_path / "mesh" / "travel" / "airport-delays"):
        (folder / "rules" / "000000000001.json").write_text('{"number": 1}')
    (why,) = forbidden(held_to(tmp_path / "mesh"), EXAMPLE)
    assert "cannot be read" in why
    with pytest.raises(StoreError):
        mesh.rule()


def test_what_was_said_of_rules_that_a_product_alone_knows_is_not_let_go(mesh, tmp_path):
    publish(tmp_path / "mesh")
    mesh.rule("no-bare.rego")
    (tmp_path / "mesh" / "rules" / "000000000001.json").unlink()
    (tmp_path / "mesh" / "travel" / "airport-delays" / "rules" / "000000000001.json").write_text("")
    assert held_to(tmp_path / "mesh").unknown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"file": "nowhere.rego"}, "cannot be read"),
        ({"remove": "no-bear"}, "no rule 'no-bear'"),
        ({"file": "no-bare.rego", "remove": "no-bare"}, "one thing at a time"),
        ({"name": "no-bare"}, "one thing at a time"),
        ({"file": "no-bare.rego", "name": "../x"}, "cannot be a rule"),
    ],
)
def test_what_cannot_be_done_is_told_and_writes_nothing(words, said, mesh, tmp_path):
    with pytest.raises(UsageError, match=said) as refused:
        mesh.rule(**words)
    assert refused.value.next_step
    assert mesh.rule().entries == 0


# ---- publishing -----------------------------------------------------------------------------


def test_a_publication_that_a_rule_forbids_is_refused_with_its_message(mesh, tmp_path):
    bundle = write_bundle(
        tmp_path / "b", ports={"daily": contract(airport={"classification": "personal"})}
    )
    mesh.rule("no-bare.rego")
    with pytest.raises(DeployRefused, match="airport is personal and has no mask") as refused:
        deployed(bundle, tmp_path / "mesh", Clock(), flights=FLIGHTS)
    assert refused.value.rules == ("airport is personal and has no mask",)
    assert not (tmp_path / "mesh" / "travel").exists()


def test_a_product_deployed_after_the_push_has_the_rules(mesh, tmp_path):
    mesh.rule("no-bare.rego")
    done = deployed(write_bundle(tmp_path / "b"), tmp_path / "mesh", Clock(), flights=FLIGHTS)
    assert (done.folder.folder / "rules" / "000000000001.json").exists()
    assert [one.entries for one in mesh.rule().caches] == [1]


def test_a_rule_knows_publishing_from_reading(mesh, tmp_path):
    text = (
        'deny contains "frozen" if { input.action == "publish"; input.product.status != "draft" }'
    )
    (tmp_path / "frozen.rego").write_text(module(text))
    mesh.rule("frozen.rego")
    bundle = write_bundle(tmp_path / "b")
    with pytest.raises(DeployRefused, match="frozen"):
        deployed(bundle, tmp_path / "mesh", Clock(), flights=FLIGHTS)
    assert asked(text) == ()


# ---- the other doors ------------------------------------------------------------------------


def test_rules_are_pushed_and_shown_in_a_notebook(shell, tmp_path):
    (tmp_path / "no-bare.rego").write_text(module(NO_BARE))
    publish(tmp_path / ".mesh")
    pushed = shell.shown(shell.run("%mesh rule no-bare.rego"))["text/plain"]
    assert "no-bare holds from now on" in pushed
    assert "has all" in pushed
    shown = shell.shown(shell.run("%mesh rule"))
    assert "airport-delays" in shown["text/html"]
    assert "no rules" in shell.shown(shell.run("%mesh rule --remove no-bare"))["text/plain"]


def test_rules_are_pushed_from_a_shell(tmp_path):
    (tmp_path / "bad.rego").write_text(module("deny contains m if { m := y }"))
    words = [Path(sys.executable).parent / "mesh", "--root", "mesh", "rule", "bad.rego"]
    done = subprocess.run(words, cwd=tmp_path, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "line 2: `y` is given no value" in done.stderr


def test_rules_stand_on_s3_as_in_a_folder(s3, tmp_path):
    root = f"{s3.url}/mesh"
    publish(root)
    (tmp_path / "no-bare.rego").write_text(module(NO_BARE))
    mesh = mesh_notebook.open(root, principal="ana")
    mesh.base = tmp_path
    mesh.rule("no-bare.rego")
    assert "mesh/travel/airport-delays/rules/000000000001.json" in s3.keys()  # noqa: SIM118
    assert held_to(root).texts == {("no-bare", module(NO_BARE))}
    s3.client.delete_object(Bucket=s3.name, Key="mesh/rules/000000000001.json")
    assert held_to(root).texts
