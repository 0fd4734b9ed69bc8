"""Masks follow the data: what is made of hidden columns carries their policy, or says why not."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml

import mesh_notebook
from mesh_notebook.errors import AccessDenied, DeployRefused, ExportRefused, UsageError
from mesh_notebook.explore.observe import observe
from mesh_notebook.export.sql_steps import sql_helper
from mesh_notebook.mesh.inheritance import (
    Others,
    Upstream,
    replayed,
    said_once,
    smallest_in,
    told_of,
    uncarried_in,
)
from mesh_notebook.mesh.inputs import ReplayInput
from mesh_notebook.mesh.lineage.running import lineage_of
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.declassified import Declassified
from mesh_notebook.model.policy import (
    Access,
    Mask,
    PortPolicy,
    Principal,
    Privacy,
    RowFilter,
)

pytestmark = pytest.mark.attacks

OFFICER = Principal("ana", roles=frozenset({"officer"}))
MASKS = (
    Mask("uid", "tokenise", ("officer",)),
    Mask("email", "truncate", ("officer",), keep=2),
    Mask("salary", "null", ("officer",)),
)
SCHEMAS = {
    "users": pl.Schema(
        {"uid": pl.String, "email": pl.String, "country": pl.String, "salary": pl.Int64}
    ),
    "plays": pl.Schema({"uid": pl.String, "title": pl.String, "minutes": pl.Int64}),
}

TOKEN = "--with tokenise --except officer"
# By name: a body, and the lines that carry over what it owes to `MASKS`.
BODIES = {
    "renamed": ("users.select(who='uid', land='country')", [f"top.who {TOKEN}"]),
    "left out": ("users.select('country')", []),
    "joined": ("plays.join(users, on='uid').select('uid', 'country')", [f"top.uid {TOKEN}"]),
    "the other side of the key": (
        "plays.join(users.select('uid', 'country'), on='uid').select('uid')",
        [f"top.uid {TOKEN}"],
    ),
    "matched and left out": ("plays.join(users, on='uid').select('title', 'country')", []),
    "grouped and left out": ("users.group_by('uid').agg(n=pl.len()).select('n')", []),
    "concatenated": (
        "users.select(tag=pl.col('country') + '/' + pl.col('uid'))",
        [f"top.tag {TOKEN}"],
    ),
    "the same text": (
        "users.select('email')",
        ["top.email --with truncate --keep 2 --except officer"],
    ),
    "another text": ("users.select(x=pl.col('email').str.reverse())", [f"top.x {TOKEN}"]),
    "a sum": (
        "users.group_by('country').agg(pl.col('salary').sum())",
        ["top.salary --with null --except officer"],
    ),
    "chosen by a token's value": (
        "users.filter(pl.col('uid') > 'm').select('country')",
        ["top --roles officer"],
    ),
    "chosen by a number": (
        "users.filter(pl.col('salary') > 3).select('country')",
        ["top --roles officer"],
    ),
    "the first by a number": (
        "users.sort('salary').head(3).select('country')",
        ["top --roles officer"],
    ),
    "chosen before it is matched": (
        "plays.join(users.filter(pl.col('uid') > 'm').select('uid', 'country'), on='uid')"
        ".select('title', 'country')",
        ["top --roles officer"],
    ),
    "in SQL": (
        "_sql('SELECT p.uid AS who, title FROM plays p JOIN users u ON p.uid = u.uid', "
        "plays=plays, users=users).lazy()",
        [f"top.who {TOKEN}"],
    ),
    "matched in SQL": (
        "_sql('SELECT title, country FROM plays JOIN users USING (uid)', "
        "plays=plays, users=users).lazy()",
        [],
    ),
    "all of SQL": (
        "_sql('SELECT * FROM plays JOIN users USING (uid)', plays=plays, users=users).lazy()"
        ".select('uid', 'title')",
        [f"top.uid {TOKEN}"],
    ),
    "chosen in SQL": (
        "_sql('SELECT country FROM users WHERE salary > 3', users=users).lazy()",
        ["top --roles officer"],
    ),
    "looked at": (
        "pl.from_pandas(users.select('uid', 'country').collect().to_pandas()).lazy()",
        ["top --roles officer", f"top.country {TOKEN}", f"top.uid {TOKEN}"],
    ),
}


PORT_OF_MASKS = PortPolicy("users", masks=MASKS)
LOOKED = "pl.from_pandas(users.collect().to_pandas()).lazy()"
KEYED = "pl.from_pandas(users.collect().to_pandas()[['uid']]).lazy()"


def module_of(bodies: dict[str, str]) -> str:
    text = f"import duckdb\nimport polars as pl\n{sql_helper('_sql', pandas=False)}\n"
    return text + "".join(
        f"def f{n}(users, plays):\n    return {b}\n" for n, b in enumerate(bodies.values())
    )


def followed(bodies: dict[str, str]) -> dict:
    """Return by name what the columns of each body are made of, and its contract."""
    text = module_of(bodies)
    names: dict = {}
    exec(compile(text, "made.py", "exec"), names)
    empty = {name: pl.LazyFrame(schema=schema) for name, schema in SCHEMAS.items()}
    made = {b: names[f"f{n}"](**empty).collect() for n, b in enumerate(bodies)}
    columns = {b: (f"f{n}", tuple(made[b].columns)) for n, b in enumerate(bodies)}
    parameters = dict.fromkeys(bodies, tuple(SCHEMAS))
    with tempfile.TemporaryDirectory() as folder:
        told = lineage_of(text, columns, SCHEMAS, parameters, Path(folder))
    contracts = {
        b: observe(f.lazy(), name="top", contract_id="urn:x:1", domain="x") for b, f in made.items()
    }
    return {b: (told[b], contracts[b]) for b in bodies}


@pytest.fixture(scope="module")
def bodies() -> dict:
    return followed({name: body for name, (body, _) in BODIES.items()})


def lines(one: tuple, policy: PortPolicy, upstream: PortPolicy, who: Principal = OFFICER) -> list:
    """Return the lines that carry over what a port owes to a policy of `users`.

    What it owes for rows that are matched is tried, and not here.
    """
    told, contract = one
    given = {"users": Upstream("urn:dmesh:local:x:users:users", Decision(upstream, who))}
    left = uncarried_in(
        {"top": told}, {"top": policy}, {"top": contract}, given, {"top": ["users"]}
    )
    return sorted(
        {one.line.removeprefix("%mesh protect ") for one in left if not one.obligation.matched}
    )


@pytest.mark.parametrize("name", BODIES)
def test_an_output_owes_the_masks_of_what_its_values_are_made_of_or_its_rows_chosen_by(
    bodies, name
):
    upstream = PortPolicy("users", masks=MASKS)
    assert lines(bodies[name], PortPolicy("top"), upstream) == BODIES[name][1]


@pytest.mark.parametrize("name", BODIES)
def test_who_saw_no_more_than_the_masks_owes_nothing(bodies, name):
    upstream = PortPolicy("users", masks=MASKS)
    assert lines(bodies[name], PortPolicy("top"), upstream, Principal("bo")) == []


def test_a_mask_carries_another_only_if_it_shows_no_more_to_no_more_roles(bodies):
    def left(mask: Mask, upstream: Mask, name: str = "the same text") -> list:
        policy = PortPolicy("users", masks=(upstream,))
        return lines(bodies[name], PortPolicy("top", masks=(mask,)), policy)

    cut = Mask("email", "truncate", ("officer",), keep=2)
    assert left(cut, cut) == []
    assert left(Mask("email", "truncate", ("officer",), keep=1), cut) == []
    assert left(Mask("email", "truncate", ("officer",), keep=3), cut)
    assert left(Mask("email", "truncate", ("officer", "clerk"), keep=2), cut)
    assert left(Mask("email", "tokenise", (), key="shared"), cut) == []
    assert left(Mask("email", "redact"), cut) == []
    hidden = Mask("email", "null", ("officer",))
    assert left(Mask("email", "tokenise", ("officer",)), hidden)
    assert left(Mask("x", "truncate", ("officer",), keep=2), cut, "another text")


def test_rows_readers_and_purposes_are_owed_by_whatever_is_made_of_the_port(bodies):
    one = bodies["left out"]
    limited = PortPolicy("users", Access(("officer", "clerk"), ("research",)))
    [line] = lines(one, PortPolicy("top"), limited)
    assert line == "top --roles officer,clerk --purposes research"
    assert lines(one, PortPolicy("top", Access(("clerk",), ("research",))), limited) == []
    assert lines(one, PortPolicy("top", Access(("clerk",), ("research", "ads"))), limited)
    filtered = PortPolicy("users", rows=(RowFilter("country = 'DE'", ("officer",)),))
    assert lines(one, PortPolicy("top"), filtered) == [
        """top --rows "country = 'DE'" --except officer"""
    ]
    assert lines(bodies["renamed"], PortPolicy("top"), filtered) == [
        """top --rows "land = 'DE'" --except officer"""
    ]
    assert (
        lines(bodies["matched and left out"], PortPolicy("top", Access(("officer",))), filtered)
        == []
    )
    assert lines(bodies["grouped and left out"], PortPolicy("top"), filtered) == [
        "top --roles officer"
    ]
    # The stand-in of a port tells how the values of its rows lie.
    assert lines(one, PortPolicy("top", Access(("officer",), stand_in=True)), filtered)


def test_of_a_key_the_mask_that_fits_is_named_where_more_may_be_owed_than_is_true(bodies):
    told, contract = followed({"looked": KEYED})["looked"]
    raw = contract.edited()
    raw["schema"][0]["properties"][0] |= {"primaryKey": True, "primaryKeyPosition": 1}
    one, upstream = (told, Contract(raw)), PortPolicy("users", masks=(MASKS[0], MASKS[2]))
    named = lines(one, PortPolicy("top"), upstream)
    assert f"top.uid {TOKEN}" in named
    carried = PortPolicy("top", masks=(Mask("uid", "tokenise", ("officer",)),))
    assert f"top.uid {TOKEN}" not in lines(one, carried, upstream), "it is not named twice"


def test_noise_is_owed_for_what_only_noise_shows(bodies):
    noisy = Privacy("uid", 2.0, exempt=("officer",))
    upstream, one = PortPolicy("users", privacy=noisy), bodies["renamed"]
    assert lines(one, PortPolicy("top"), upstream) == ["top --roles officer"]
    assert lines(one, PortPolicy("top", Access(("officer",))), upstream) == []
    same = Privacy("who", 2.0, exempt=("officer",))
    assert lines(one, PortPolicy("top", privacy=same), upstream) == []
    for other in (
        replace(same, budget=9.0),
        replace(same, subject="land"),
        replace(same, exempt=("x",)),
    ):
        assert lines(one, PortPolicy("top", privacy=other), upstream)


def test_what_can_be_erased_upstream_can_be_erased_downstream(bodies):
    upstream = PortPolicy("users", masks=MASKS[:1], subject="uid")
    one, carried = bodies["renamed"], (Mask("who", "tokenise", ("officer",)),)
    assert lines(one, PortPolicy("top", masks=carried), upstream) == ["top --erasable who"]
    assert lines(one, PortPolicy("top", masks=carried, subject="who"), upstream) == []


def test_an_aggregate_of_enough_rows_owes_nothing_where_the_policy_says_how_many(tmp_path):
    body = "users.filter(pl.col('country') != 'IT').group_by('country').agg("
    body += "pl.col('salary').sum(), n=pl.len())"
    made = {
        "plain": body,
        "largest": "users.group_by('country').agg(pl.col('salary').max())",
        "by what is hidden": "users.group_by('salary').agg(pl.len())",
        "meets others": "users.join(plays, on='uid').group_by('country')"
        ".agg(pl.col('salary').sum())",
        "only large ones": f"{body}.filter(pl.col('n') > 20)",
    }
    found, text = followed(made), module_of(made)
    rows = {"country": ["DE"] * 30 + ["FR"] * 5 + ["IT"], "salary": list(range(36))}
    users = pl.LazyFrame({"uid": map(str, range(36)), "email": ["x"] * 36, **rows})
    inputs = {
        "users": ReplayInput(users),
        "plays": ReplayInput(pl.LazyFrame(schema=SCHEMAS["plays"])),
    }

    def owes(name: str, least: int) -> bool:
        mask = Mask("salary", "null", ("officer",), aggregates=least)
        given = {"users": Upstream("urn:x", Decision(PortPolicy("users", masks=(mask,)), OFFICER))}
        others = Others(replayed(text), inputs, {}, given, smallest_in(text))
        port = f"f{list(made).index(name)}"
        told, contract = found[name]
        takes = {port: ("users", "plays")}
        return bool(
            uncarried_in(
                {port: told}, {port: PortPolicy(port)}, {port: contract}, given, takes, others
            )
        )

    assert not owes("plain", 5)
    assert owes("plain", 6), "the five of one country"
    assert owes("plain", 0), "the policy says no number"
    assert not owes("only large ones", 6)
    assert owes("largest", 2), "a maximum is somebody's"
    assert owes("by what is hidden", 1)
    assert owes("meets others", 1), "a row may count twice"


def others_of(make, upstream: PortPolicy, rows: pl.DataFrame) -> Others:
    """Return the others of a function that is run here."""
    contract = observe(rows.lazy(), name="users", contract_id="urn:x:1", domain="x")
    given = {"users": Upstream("urn:x", Decision(upstream, OFFICER))}
    inputs = {"users": ReplayInput(rows.lazy())}
    return Others(
        lambda port, took: make(took["users"].data.lazy()).collect(),
        inputs,
        {"users": contract},
        given,
    )


def test_what_others_could_have_made_is_theirs_to_see():
    rows = pl.DataFrame(
        {"uid": ["a", "b", "c"], "country": ["DE", "FR", "DE"], "salary": [3, 2, 1]}
    )
    masks = (Mask("uid", "tokenise", ("officer",)), Mask("salary", "null", ("officer",)))
    upstream = PortPolicy("users", masks=masks, rows=(RowFilter("country = 'DE'", ("officer",)),))
    contract = observe(rows.lazy(), name="top", contract_id="urn:y:1", domain="x")

    def could(make, **policy) -> bool:
        port = PortPolicy("top", **policy)
        return others_of(make, upstream, rows).could_make(port, contract, ["officer"])

    germans = (RowFilter("country = 'DE'", ()),)
    assert could(lambda users: users.filter(pl.col("country") == "DE").select("country"))
    assert could(lambda users: users.select("country"), rows=germans)
    assert not could(lambda users: users.select("country"))
    assert could(lambda users: users, rows=germans, masks=(masks[0], Mask("salary", "null")))
    assert not could(lambda users: users, rows=germans, masks=masks[:1])
    # Which tokens are equal everybody sees; which is the greater, or which values they are, not.
    few = rows.filter(pl.col("country") == "DE")
    alike = others_of(lambda users: users.group_by("uid").len().select("len"), upstream, few)
    assert alike.could_make(PortPolicy("top"), contract, ["officer"])
    for make in (
        lambda users: users.sort("salary").select("country", "uid"),
        lambda users: users.filter(pl.col("uid") > "b").select("country", "uid"),
    ):
        ranked = others_of(make, upstream, few.with_columns(country=pl.Series(["DE", "DE"])))
        assert not ranked.could_make(PortPolicy("top"), contract, ["officer"])


def test_rows_that_are_cut_out_by_a_hidden_time_are_chosen_by_it(bodies):
    upstream = PortPolicy("users", masks=(Mask("salary", "null", ("officer",)),))
    told, contract = bodies["left out"]
    given = {"users": Upstream("urn:x", Decision(upstream, OFFICER), cut="salary")}
    told_of = ({"top": told}, {"top": PortPolicy("top")}, {"top": contract}, given)
    [left] = uncarried_in(*told_of, {"top": ["users"]})
    assert left.obligation.kind == "chosen"


# ---- in a notebook -----------------------------------------------------------------------------

USERS = "uid,country,salary\n" + "".join(
    f"secret-{n},{'DE' if n % 2 else 'FR'},{71_000 + n}\n" for n in range(40)
)
NO_SHOWING = """package mesh
deny contains message if {
    some one in input.declassified
    message := sprintf("%s is declassified", [one.column])
}
"""


def as_principal(shell, name: str) -> None:
    """Go on in the same notebook as somebody else."""
    shell.mesh.principal = name


@pytest.fixture
def notebook(shell, tmp_path: Path):
    """A mesh with `users/users`, whose uid and French rows are hidden but from officers."""
    (tmp_path / "users.csv").write_text(USERS)
    for line in (
        "import polars as pl",
        "%mesh grant ana officer",
        "%mesh product users --domain people",
        "%mesh source raw users.csv",
        "%mesh output users raw --key uid",
        "%mesh protect users.uid --with tokenise --except officer",
        """%mesh protect users --rows "country = 'DE'" --except officer""",
        "%mesh export users",
        "%mesh deploy users",
        "%mesh drop users",
        "%mesh product top --domain people",
    ):
        shell.run(line)
    as_principal(shell, "ana")
    shell.run("users = %mesh connect users")
    return shell


@pytest.mark.parametrize("mask", ["truncate --keep 60", "tokenise --except officer,intern"])
def test_a_mask_that_shows_more_than_the_inputs_carries_nothing(notebook, mask):
    """Others could have made the rest of the output, which says nothing of this column."""
    notebook.run("top = users.select('country', who=pl.col('uid'))")
    notebook.run("%mesh output top top")
    notebook.run("""%mesh protect top --rows "country = 'DE'" --except officer""")
    exempt = "" if "--except" in mask else " --except officer"
    notebook.run(f"%mesh protect top.who --with {mask}{exempt}")
    assert not notebook.run("mesh.check()").passed
    with pytest.raises(ExportRefused, match="hidden upstream"):
        notebook.run("%mesh export bundle")


def test_a_product_of_hidden_rows_and_columns_is_refused_until_it_hides_them_too(notebook):
    notebook.run("top = users.select('uid', 'country')")
    notebook.run("%mesh output top top --key uid")
    checked = notebook.run("mesh.check()")
    assert not checked.passed
    named = [one.line for one in checked.uncarried]
    assert named == [
        """%mesh protect top --rows "country = 'DE'" --except officer""",
        "%mesh protect top.uid --with tokenise --except officer",
    ]
    assert "carries it over" in notebook.shown(checked)["text/plain"]
    with pytest.raises(ExportRefused, match="hidden upstream") as refused:
        notebook.run("%mesh export bundle")
    assert named[0] in refused.value.next_step
    for line in named:
        notebook.run(line)
    assert notebook.run("mesh.check()").passed
    notebook.run("%mesh export bundle")
    notebook.run("%mesh deploy bundle")
    bo = mesh_notebook.open(".mesh", principal="bo").connect("top").collect()
    assert bo["country"].unique().to_list() == ["DE"]
    assert not bo["uid"].str.contains("secret").any()
    # A bundle that was edited by hand is held to the same.
    told = Path("bundle/contracts/inputs/users.odcs.yaml").read_text()
    assert not any(word in told for word in ("validValues", "minimum", "secret", "DE"))
    spec = yaml.safe_load(Path("bundle/product.odps.yaml").read_text())
    spec["customProperties"] = [p for p in spec["customProperties"] if p["property"] != "policies"]
    spec["version"] = "1.1.0"
    Path("bundle/product.odps.yaml").write_text(yaml.safe_dump(spec))
    Path("bundle/receipt.json").unlink()
    with pytest.raises(DeployRefused, match="hidden upstream"):
        notebook.run("%mesh deploy bundle")


CLEAR = "pl.LazyFrame({'uid': ['secret-1', 'secret-3'], 'name': ['Ann', 'Zoe']})"
GERMANS = "users.filter(pl.col('country') == 'DE')"


@pytest.mark.parametrize(
    "made",
    [
        f"{GERMANS}.join({CLEAR}, on='uid').select('country', 'name')",
        f"{GERMANS}.join({CLEAR}, on='uid', how='semi').select('country')",
        f"{GERMANS}.join({CLEAR}, on='uid', how='left').select('country', 'name')",
        f"{CLEAR}.join({GERMANS}, on='uid', how='anti').select('name')",
    ],
    ids=["inner", "semi", "left", "anti"],
)
def test_tokens_that_are_matched_with_values_in_the_clear_are_told_of(notebook, made):
    notebook.run(f"top = {made}")
    notebook.run("%mesh output top top")
    with pytest.raises(ExportRefused, match="hidden upstream"):
        notebook.run("%mesh export bundle")


def test_tokens_that_are_matched_with_each_other_tell_no_more(notebook):
    notebook.run(f"both = {GERMANS}.join(users, on='uid').select('country')")
    notebook.run("%mesh output both both")
    notebook.run("%mesh export bundle")
    assert notebook.run("%mesh deploy bundle")


def test_what_is_shown_on_purpose_says_why_wherever_the_product_is_told_of(notebook):
    notebook.run("top = users.select('uid').sort('uid').head(3)")
    notebook.run("%mesh output top top --key uid")
    for words, said in (
        ("top.uid --declassify", "not said why"),
        ('top.uid --declassify --because "x" --with null', "takes a reason alone"),
    ):
        with pytest.raises(UsageError, match=said):
            notebook.run(f"%mesh protect {words}")
    notebook.run('%mesh protect top.uid --declassify --because "counsel agreed"')
    notebook.run("%mesh protect top --roles officer")
    assert notebook.run("mesh.check()").passed
    notebook.run("%mesh export bundle")
    spec = Path("bundle/product.odps.yaml").read_text()
    assert "counsel agreed" in spec
    assert "urn:dmesh:local:people:users:users#uid" in spec
    assert "counsel agreed" in notebook.shown(notebook.run("%mesh plan bundle"))["text/plain"]
    Path("rule.rego").write_text(NO_SHOWING)
    notebook.run("%mesh rule rule.rego")
    with pytest.raises(DeployRefused, match="uid is declassified"):
        notebook.run("%mesh deploy bundle")
    notebook.run("%mesh rule --remove rule")
    notebook.run("%mesh deploy bundle")
    assert "counsel agreed" in notebook.shown(notebook.run("%mesh describe top"))["text/plain"]
    logged = notebook.run("%mesh decisions top").decisions
    assert any("counsel agreed" in rule for one in logged for rule in one.rules)
    bo = mesh_notebook.open(".mesh", principal="bo")
    with pytest.raises(AccessDenied, match="officer"):
        bo.connect("top")
    # The rows that its roles alone keep are told of by no figure.
    [receipt] = bo.history("top").receipts
    assert receipt.ports["top"].shape == {}


def test_only_who_sees_the_values_can_show_them(notebook):
    as_principal(notebook, "bo")
    notebook.run("users = %mesh connect users")
    notebook.run("top = users.select('uid', 'country')")
    notebook.run("%mesh output top top --key uid")
    assert notebook.run("mesh.check()").passed, "tokens are passed on as tokens"
    with pytest.raises(UsageError, match="nothing to declassify") as refused:
        notebook.run('%mesh protect top.uid --declassify --because "I like it"')
    assert "officer" in refused.value.next_step


def test_a_filter_with_a_role_more_is_narrowed_rather_than_the_port_closed(bodies):
    upstream = PortPolicy("users", rows=(RowFilter("country = 'DE'", ("officer", "auditor")),))
    wider = PortPolicy("top", rows=(RowFilter("country = 'DE'", ("auditor", "officer", "intern")),))
    assert lines(bodies["left out"], wider, upstream) == [
        """top --rows "country = 'DE'" --except auditor,officer"""
    ]


def test_each_column_and_each_rule_is_told_once(bodies):
    told, contract = followed({"looked": LOOKED})["looked"]
    given = Upstream("urn:dmesh:local:x:users:users", Decision(PORT_OF_MASKS, OFFICER))
    left = uncarried_in(
        *({"top": told}, {"top": PortPolicy("top")}, {"top": contract}, {"users": given}),
        {"top": ["users"]},
    )
    assert len(left) > 9
    said = "\n".join(part for pair in said_once(left) for part in pair)
    for mask in MASKS:
        assert said.count(mask.said()) == 2, "of what rows are chosen by, and of what values are"
    for column in SCHEMAS["users"]:
        assert said.count(f"%mesh protect top.{column} --with") == 1
    message, step = told_of(left)
    assert f"{message} {step}".count("top.country") < 4


def test_names_that_are_hidden_values_are_owed_for_and_never_told():
    rows = pl.DataFrame(
        {"uid": ["secret-1", "secret-2"], "country": ["DE", "FR"], "email": ["", ""]}
        | {"salary": [1, 2]}
    )
    text = (
        "import polars as pl\n\n\ndef top(users):\n"
        '    """Not the name secret-1."""\n'
        "    frame = users.collect().with_columns(land=pl.col('country'))\n"
        "    return frame.pivot('uid', index=['land'], values=['salary', 'email']).lazy()\n"
    )
    names: dict = {}
    exec(text, names)
    made = names["top"](rows.lazy()).collect()
    hidden = [column for column in made.columns if "secret" in column]
    assert len(hidden) == 4
    with tempfile.TemporaryDirectory() as folder:
        schemas = {"users": rows.schema}
        columns = {"top": ("top", tuple(made.columns))}
        told = lineage_of(text, columns, schemas, {"top": ("users",)}, Path(folder))
    upstream = PortPolicy("users", masks=MASKS[:1])
    given = {"users": Upstream("urn:dmesh:local:x:users:users", Decision(upstream, OFFICER))}
    held = observe(rows.lazy(), name="users", contract_id="urn:x:1", domain="x")
    contract = observe(made.lazy(), name="top", contract_id="urn:x:1", domain="x")
    inputs = {"users": ReplayInput(rows.lazy())}
    others = Others(
        lambda _, took: names["top"](took["users"].data.lazy()).collect(),
        *(inputs, {"users": held}, given),
        text=text,
    )

    def left(policy: PortPolicy) -> list:
        return list(
            uncarried_in(
                told, {"top": policy}, {"top": contract}, given, {"top": ["users"]}, others
            )
        )

    masked = PortPolicy("top", masks=tuple(Mask(column, "null") for column in made.columns))
    for policy in (PortPolicy("top"), masked, PortPolicy("top", Access(("officer",)))):
        found = left(policy)
        said = "\n".join([*told_of(found), *(one.line for one in found)])
        assert "secret" not in said
        assert (
            "named by values that are hidden upstream: 4 columns, by uid of users/users: uid is"
            in said
        )
        assert "keep such values in rows" in said
    shown = Declassified("", ("urn:dmesh:local:x:users:users#uid",), "counsel agreed", "ana")
    assert "named" not in {
        one.obligation.kind for one in left(PortPolicy("top", declassified=(shown,)))
    }
    # Names of what everybody sees are no values of what is hidden.
    assert others.named("top", ["DE", "FR", "country_DE", "land", "salary"]) == {}
    # A name that code computes, and that has a hidden number in it by accident, is none.
    counted = (
        "import polars as pl\n\n\ndef top(users):\n"
        "    return users.select(pl.len().alias(f'top{100 * 3}'))\n"
    )
    paid = PortPolicy("users", masks=(MASKS[2],))
    rich = rows.with_columns(salary=pl.Series([300, 400])).lazy()
    computed = replace(
        others_of(lambda users: users.select(pl.len().alias("top300")), paid, rows),
        inputs={"users": ReplayInput(rich)},
        text=counted,
    )
    assert computed.named("top", ["top300"]) == {}
    assert computed.named("top", ["top400"]) != {}


def test_what_owes_nothing_on_the_rows_of_the_proof_is_asked_for_again_by_each_deployment(
    notebook, tmp_path
):
    notebook.run("top = users.filter(pl.col('salary') == 71_001).select('country')")
    notebook.run("%mesh output top top")
    assert notebook.run("mesh.check()").passed, "the one row is German, which everybody sees"
    exported = notebook.run("%mesh export bundle")
    assert exported.tried == ("top",)
    assert "each deployment asks" in " ".join(notebook.shown(exported)["text/plain"].split())
    assert "each deployment asks again" in Path("bundle/policies/README.md").read_text()
    notebook.run("%mesh deploy bundle")
    (tmp_path / "users.csv").write_text(USERS.replace("secret-1,DE", "secret-1,FR"))
    notebook.run("%mesh deploy users")
    with pytest.raises(DeployRefused, match="hidden upstream: users/users shows only rows"):
        notebook.run("%mesh deploy bundle")
    assert mesh_notebook.open(".mesh", "bo").connect("top").collect()["country"].to_list() == ["DE"]


def test_a_pivot_by_what_is_hidden_is_refused_and_tells_no_value(notebook):
    notebook.run("top = users.collect().pivot('uid', index='country', values='salary').lazy()")
    notebook.run("%mesh output top top")
    checked = notebook.run("mesh.check()")
    # What the contract's own rules are told of beside it are the columns that the frame has.
    said = ["\n".join(part for pair in said_once(checked.uncarried) for part in pair)]
    for line in dict.fromkeys(one.line for one in checked.uncarried if one.line):
        notebook.run(line)
    with pytest.raises(ExportRefused, match="named by values that are hidden") as refused:
        notebook.run("%mesh export bundle")
    said += [str(refused.value), str(refused.value.facts)]
    assert "40 columns" in said[0]
    assert "secret" not in "".join(said)
    notebook.run('%mesh protect top --declassify --because "counsel agreed"')
    kinds = {one.obligation.kind for one in notebook.run("mesh.check()").uncarried}
    assert "named" not in kinds
