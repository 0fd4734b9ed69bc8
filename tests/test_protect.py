"""%mesh protect, why and erase, as a developer and the readers of the product meet them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import mesh_notebook
from mesh_notebook.errors import AccessDenied, KeyMissing, UsageError
from mesh_notebook.mesh.keys import keys_folder
from mesh_notebook.model.policy import Mask, PortPolicy
from mesh_notebook.model.product import Product

PEOPLE = (
    "name,country,minutes\nann@example.org,DE,10\nben@example.org,FR,20\ncleo@example.org,DE,5\n"
)


@pytest.fixture
def notebook(shell, tmp_path: Path):
    """A notebook that makes one product of people, and has not said yet who may see what."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    shell.run("import polars as pl")
    shell.run("%mesh source raw people.csv")
    shell.run("people = raw.collect()")
    shell.run("%mesh product listeners --domain music")
    shell.run("%mesh output people people --key name")
    return shell


def deploy(notebook, version: str = "1.0.0") -> None:
    notebook.run(f"%mesh product listeners --version {version}")
    notebook.run("%mesh export b")
    notebook.run("%mesh deploy b")


def seen(principal: str = "bo", **how) -> pl.DataFrame:
    return mesh_notebook.open(".mesh", principal=principal).connect("listeners", **how).collect()


def test_a_masked_column_is_masked_for_all_readers_from_the_next_deployment_on(notebook):
    deploy(notebook)
    assert "ann@example.org" in seen()["name"]
    set_ = notebook.run("%mesh protect people.name --with tokenise --except privacy-officer")
    assert set_.policy.masks == (Mask("name", "tokenise", ("privacy-officer",)),)
    assert "ann@example.org" in seen()["name"]
    deploy(notebook, "1.1.0")
    tokens = seen()["name"]
    assert tokens.n_unique() == 3
    assert "ann@example.org" not in tokens


def test_the_key_is_made_once_and_lies_where_only_its_owner_reads_it(notebook):
    notebook.run("%mesh protect people.name --with tokenise --except privacy-officer")
    deploy(notebook)
    [path] = keys_folder().glob("*.key")
    assert path.stat().st_mode & 0o777 == 0o600
    secret = path.read_text().strip()
    deploy(notebook, "1.1.0")
    assert path.read_text().strip() == secret
    for written in (*Path("b").rglob("*"), *Path(".mesh").rglob("*")):
        if written.is_file():
            assert secret.encode() not in written.read_bytes()


def test_a_product_is_not_deployed_with_another_key_than_before(notebook, monkeypatch, tmp_path):
    notebook.run("%mesh protect people.name --with tokenise --except privacy-officer")
    deploy(notebook)
    monkeypatch.setenv("MESH_KEYS", str(tmp_path / "elsewhere"))
    with pytest.raises(KeyMissing, match="is not here"):
        deploy(notebook, "1.1.0")
    monkeypatch.setenv("MESH_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    with pytest.raises(KeyMissing, match="not the one that snapshot 1 was sealed with"):
        deploy(notebook, "1.1.0")


def test_rows_and_access_are_set_on_the_port_and_the_policy_says_so_in_words(notebook):
    notebook.run("""%mesh protect people --rows "country = 'DE'" --except auditor""")
    notebook.run("%mesh protect people --purposes research --stand-in")
    shown = notebook.run("%mesh protect people")
    assert shown.policy.said() == (
        "may be read for research",
        "has a synthetic stand-in for those who may not read it",
        "only rows where country = 'DE', except to auditor",
    )
    text = notebook.shown(shown)["text/plain"]
    assert "only rows where country = 'DE', except to auditor" in text
    deploy(notebook)
    policies = Path("b/policies/README.md").read_text()
    assert "- `people` only rows where country = 'DE', except to auditor" in policies
    with pytest.raises(AccessDenied, match="may be read for research only"):
        seen()


def test_declaring_the_output_again_keeps_its_policy_and_remove_takes_it_away(notebook):
    notebook.run("%mesh protect people.name --with tokenise")
    notebook.run("%mesh output people people --key name")
    assert notebook.run("%mesh protect people").policy.masks == (Mask("name", "tokenise"),)
    assert notebook.run("%mesh protect people.name --remove").policy == PortPolicy("people")
    notebook.run("%mesh protect people --purposes research")
    assert not notebook.run("%mesh protect people --remove").policy


@pytest.mark.parametrize(
    ("words", "said", "next_step"),
    [
        ("people.nam --with tokenise", "nam", "name"),
        ("persons --purposes x", "no output port", "%mesh output"),
        ("people.name --with tokenize", "invalid choice", "tokenise"),
        ("people.name --except boss", "it is not said", "--with"),
        ("people --with redact", "masks a column", "people.COLUMN"),
        ("people.name --with redact", "equal values must stay equal", "tokenise"),
        ("people.minutes --with redact", "holds none", "null"),
        ("people.minutes --with generalise", "how wide", "--to 10"),
        ("people.minutes --with generalise --to -5", "how wide", "--to 10"),
        ("people.minutes --with generalise --to 0.5", "a whole number wide", "--to 10"),
        ("people.country --with generalise --to 3", "which places", "--groups"),
        ("people.country --with generalise --groups DE", "no list of values", "NAME="),
        ("people.country --with truncate", "how much is kept", "--keep"),
        ("people --rows 'countri = 1'", "is no row filter", "country"),
        ("people --erasable name", "must not stand in the rows", "tokenise"),
        ("people --private name", "has a budget", "--budget"),
        ("people --private who --budget 1", "no column 'who'", "it has"),
        ("people --private name --budget 1 --bounds minutes=9..1", "no bound", "0..1440"),
    ],
)
def test_what_cannot_hold_is_refused_with_the_way_out_and_changes_nothing(
    notebook, words, said, next_step
):
    with pytest.raises(Exception, match=said) as refused:
        notebook.run(f"%mesh protect {words}")
    assert next_step in str(refused.value)
    assert not notebook.run("%mesh protect people").policy


def test_why_says_what_one_sees_and_what_for(notebook):
    notebook.run("%mesh protect people.name --with tokenise --except privacy-officer")
    notebook.run("""%mesh protect people --rows "country = 'DE'" --except auditor""")
    deploy(notebook)
    why = notebook.run("%mesh why listeners")
    text = notebook.shown(why)["text/plain"]
    assert "name: tokenise (but for privacy-officer)" in text
    assert "only those where country = 'DE'" in text
    assert "may read" in text
    assert "text/html" in notebook.shown(why)


def test_one_subject_is_erased_from_every_snapshot_and_the_others_stay(notebook, keys):
    notebook.run("%mesh protect people.name --with tokenise --except privacy-officer")
    notebook.run("%mesh protect people --erasable name")
    deploy(notebook)
    before = seen()
    erased = notebook.run("%mesh erase listeners ann@example.org")
    assert (erased.port, erased.snapshots) == ("people", 1)
    assert seen().equals(before)
    deploy(notebook, "1.1.0")
    assert seen().height == 2
    with pytest.raises(UsageError, match="holds nobody of that name"):
        notebook.run("%mesh erase listeners ann@example.org")
    for written in (*Path(".mesh").rglob("*"), *keys.rglob("*")):
        if written.is_file():
            assert b"ann@example.org" not in written.read_bytes()


def test_who_is_erased_from_one_port_is_erased_from_all_ports_of_the_product(notebook):
    notebook.run("%mesh output plays people --key name")
    for port in ("people", "plays"):
        notebook.run(f"%mesh protect {port}.name --with tokenise --except privacy-officer")
        notebook.run(f"%mesh protect {port} --erasable name")
    deploy(notebook)
    erased = notebook.run("%mesh erase listeners/plays ann@example.org")
    assert erased.also == ("people",)
    assert "their key sealed people, too" in " ".join(notebook.shown(erased)["text/plain"].split())
    mesh_notebook.open(".mesh").grant("cy", "privacy-officer")
    for port in ("people", "plays"):
        assert seen("cy", port=port)["name"].null_count() == 1


def test_nothing_can_be_erased_where_nothing_was_sealed_by_subject(notebook):
    deploy(notebook)
    with pytest.raises(UsageError, match="nothing can be erased"):
        notebook.run("%mesh erase listeners ann@example.org")


def test_what_is_made_of_masked_rows_is_exported_and_deployed_as_it_was_seen(notebook):
    notebook.run("%mesh protect people.name --with tokenise --except privacy-officer")
    deploy(notebook)
    notebook.run("%reload_ext mesh_notebook")
    notebook.run("%mesh connect listeners --as masked")
    notebook.run("tokens = masked.select('name', 'minutes').collect()")
    notebook.run("%mesh product minutes --domain music --version 1.0.0")
    notebook.run("%mesh output minutes tokens --key name")
    notebook.run("%mesh export m")
    notebook.run("%mesh deploy m")
    made = mesh_notebook.open(".mesh").connect("minutes").collect()
    assert made["name"].sort().equals(seen()["name"].sort())


def test_the_policy_in_the_specification_is_plain_and_valid(notebook):
    notebook.run("%mesh protect people.name --with tokenise --except privacy-officer")
    deploy(notebook)
    [told] = Product.loads(Path("b/product.odps.yaml").read_text()).policies
    mask = {"column": "name", "mask": "tokenise", "except": ["privacy-officer"]}
    assert told == {"port": "people", "masks": [mask]}


@pytest.mark.parametrize(
    "words",
    [
        "people.country --with redact",
        """people --rows "country = 'DE'" """,
        "people --private name --budget 1",
    ],
)
def test_the_contract_tells_no_value_of_what_is_hidden(notebook, words):
    contract = "b/contracts/people.odcs.yaml"
    notebook.run("%mesh product listeners --status active")
    notebook.run("%mesh promise people drift.country=0.5")
    notebook.run("%mesh export b")
    assert "'DE'" in Path(contract).read_text()
    notebook.run(f"%mesh protect {words}")
    notebook.run("%mesh export b")
    assert "'DE'" not in Path(contract).read_text()


def test_to_erase_a_subject_of_one_column_leaves_another_of_that_name_alone(notebook):
    """The person and the country that are both called DE are two subjects."""
    notebook.run("%mesh output countries people --key country,name")
    notebook.run("%mesh protect people.name --with tokenise --except privacy-officer")
    notebook.run("%mesh protect people --erasable name")
    for column in ("name", "country"):
        notebook.run(f"%mesh protect countries.{column} --with tokenise --except privacy-officer")
    notebook.run("%mesh protect countries --erasable country")
    deploy(notebook)
    with pytest.raises(UsageError, match="holds nobody of that name"):
        notebook.run("%mesh erase listeners/people DE")
    assert notebook.run("%mesh erase listeners/countries DE").also == ()
