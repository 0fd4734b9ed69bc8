"""Mocks of contracts that know of each other join, in whichever order they are mocked."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from contracts import column, contract_of

from mesh_notebook.errors import UnknownProduct, UsageError
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.relationships import tied

CUSTOMERS = "urn:dmesh:local:crm:customers:customers:1"


def contract(folder: Path, name: str, id: str = "", /, **columns: Any) -> str:
    """Write a contract as others do, without a word of ours."""
    properties = [
        {"name": column, "logicalType": "string", "physicalType": "VARCHAR", **said}
        for column, said in columns.items()
    ]
    raw = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": id or f"{name}-contract",
        "name": name,
        "version": "1.0.0",
        "status": "active",
        "domain": "crm",
        "schema": [{"name": name, "logicalType": "object", "properties": properties}],
    }
    (folder / f"{name}.odcs.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    return f"{name}.odcs.yaml"


KEY = {"primaryKey": True, "required": True, "logicalTypeOptions": {"pattern": "^C[0-9]{4}$"}}


def to(what: str) -> dict[str, Any]:
    return {"required": True, "relationships": [{"to": what}]}


def orphans(shell: Any, one: str = "orders.customer_id", other: str = "customers.id") -> int:
    (mine, column), (theirs, key) = one.split("."), other.split(".")
    values, known = shell.names[mine].collect()[column], shell.names[theirs].collect()[key]
    return int((~values.is_in(known.implode())).sum())


def shown(shell: Any, name: str) -> str:
    return " ".join(shell.shown(shell.mesh.inputs[name].card)["text/plain"].split())


@pytest.mark.parametrize("first", ["orders", "customers"])
@pytest.mark.parametrize(
    ("id", "target"),
    [
        (CUSTOMERS, f"{CUSTOMERS}#id"),
        (CUSTOMERS, "urn:dmesh:local:crm:customers:customers#id"),
        (CUSTOMERS, "customers.id"),
        ("", "customers.id"),
        ("", "customers-contract#/schema/customers/properties/id"),
        ("", "schema/customers/properties/id"),
    ],
    ids=["urn", "urn without major", "name, urn", "name", "id and path", "path"],
)
def test_independent_mocks_join_in_either_order(shell, tmp_path, id, target, first):
    contract(tmp_path, "customers", id, id=KEY)
    contract(tmp_path, "orders", order_id=KEY, customer_id=to(target))
    rows = {"customers": 40, "orders": 300}
    for name in (first, *(other for other in rows if other != first)):
        shell.run(f"%mesh mock {name}.odcs.yaml --rows {rows[name]} --seed 1")
    assert orphans(shell) == 0
    assert shell.names["orders"].collect()["customer_id"].n_unique() > 20
    if first == "orders":
        assert "'orders' was made anew, so that it joins with 'customers'" in shown(
            shell, "customers"
        )


def test_three_mocks_join_in_every_order(shell, tmp_path):
    contract(tmp_path, "customers", id=KEY)
    contract(tmp_path, "orders", order_id=KEY, customer_id=to("customers.id"))
    contract(tmp_path, "lines", order=to("orders.order_id"), who=to("customers.id"))
    made = []
    for order in permutations(("customers", "orders", "lines")):
        for name in order:
            del_name(shell, name)
        for name in order:
            shell.run(f"%mesh mock {name}.odcs.yaml --rows 60 --seed 3")
        assert orphans(shell) == 0
        assert orphans(shell, "lines.order", "orders.order_id") == 0
        assert orphans(shell, "lines.who") == 0
        made.append([shell.names[n].collect() for n in ("customers", "orders", "lines")])
    assert all(a.equals(b) for one in made for a, b in zip(one, made[0], strict=True))


def del_name(shell: Any, name: str) -> None:
    shell.names.pop(name, None)
    shell.mesh.handles.pop(name, None)


def test_a_composite_relationship_of_the_table_is_read_too(shell, tmp_path):
    contract(tmp_path, "customers", id=KEY)
    path = tmp_path / contract(tmp_path, "orders", order_id=KEY, customer_id={"required": True})
    raw = yaml.safe_load(path.read_text())
    raw["schema"][0]["relationships"] = [{"from": "orders.customer_id", "to": "customers.id"}]
    path.write_text(yaml.safe_dump(raw))
    shell.run("%mesh mock customers.odcs.yaml --rows 30")
    shell.run("%mesh mock orders.odcs.yaml --rows 100")
    assert orphans(shell) == 0


@pytest.mark.parametrize(
    ("target", "column", "said"),
    [
        ("people.id", {}, "orders.customer_id means people.id, which is of no contract"),
        ("customers.ident", {}, "customers has no such column: did you mean id?"),
        ("customers.nick", {}, "nick is no key there; say `unique: true` of it"),
        (
            "customers.id",
            {"logicalType": "integer", "physicalType": "BIGINT"},
            "it is BIGINT, and that is VARCHAR; give both one type",
        ),
        (
            "customers.id",
            {"logicalTypeOptions": {"pattern": "^X[0-9]{4}$"}},
            "the two contracts say other limits of them; give both the same",
        ),
    ],
)
def test_what_cannot_join_is_said_with_the_reason(shell, tmp_path, target, column, said):
    contract(tmp_path, "customers", id=KEY, nick={"required": True})
    contract(tmp_path, "orders", order_id=KEY, customer_id={**to(target), **column})
    shell.run("%mesh mock customers.odcs.yaml --rows 50")
    shell.run("%mesh mock orders.odcs.yaml --rows 50")
    assert said in shown(shell, "orders")


def test_two_contracts_of_one_name_are_told_apart_by_a_urn(shell, tmp_path):
    contract(tmp_path, "customers", id=KEY)
    shell.run("%mesh mock customers.odcs.yaml --rows 5 --as one")
    contract(tmp_path, "customers", CUSTOMERS, id=KEY)
    shell.run("%mesh mock customers.odcs.yaml --rows 5 --as two")
    contract(tmp_path, "orders", customer_id=to("customers.id"))
    shell.run("%mesh mock orders.odcs.yaml --rows 5")
    assert "2 contracts have that name" in shown(shell, "orders")


def test_what_was_mocked_in_the_other_order_is_deployed_and_loaded_as_it_was(shell, tmp_path):
    contract(tmp_path, "customers", id=KEY)
    contract(tmp_path, "orders", order_id=KEY, customer_id=to("customers.id"))
    shell.run("%mesh mock orders.odcs.yaml --rows 60 --seed 1")
    shell.run("%mesh mock customers.odcs.yaml --rows 20 --seed 1")
    shell.run("both = orders.join(customers, left_on='customer_id', right_on='id', how='inner')")
    shell.run("%mesh product both --domain crm --owner crm")
    shell.run("%mesh output both both --key order_id")
    shell.run("%mesh export bundle")
    done = shell.run("%mesh deploy bundle")
    assert (done.receipt.ports["both"].rows, done.receipt.origin) == (60, Origin.MOCK)
    assert shell.run("%mesh load bundle --out again.ipynb")


# ---- from mock to live -------------------------------------------------------------------------


def test_a_contract_without_a_urn_is_warned_about_with_the_id_to_write(shell, tmp_path):
    path = tmp_path / contract(tmp_path, "customers", id=KEY)
    shell.run("%mesh mock customers.odcs.yaml --rows 5")
    said = shown(shell, "customers")
    assert "its id 'customers-contract' is of no port" in said
    assert f"write id: {CUSTOMERS}" in said
    with pytest.raises(UsageError) as caught:
        shell.run("%mesh use customers live")
    assert "%mesh use customers live --product PRODUCT" in caught.value.next_step
    assert CUSTOMERS in caught.value.next_step
    path.write_text(path.read_text().replace("customers-contract", CUSTOMERS))
    shell.run("%mesh mock customers.odcs.yaml --rows 5")
    assert "is of no port" not in shown(shell, "customers")


def test_a_product_that_is_named_takes_the_place_of_a_mock(shell, tmp_path):
    from bundles import contract as ours
    from bundles import put

    contract(tmp_path, "customers", id=KEY)
    shell.run("%mesh mock customers.odcs.yaml --rows 5")
    made = ours({"id": "VARCHAR"}, id="urn:dmesh:local:sales:clients:all:1", event_time=None)
    put(tmp_path / ".mesh", pl.DataFrame({"id": ["C0001", "C0002"]}), made)
    shell.run("%mesh use customers live --product clients")
    assert shell.mesh.inputs["customers"].origin is Origin.LIVE
    assert shell.names["customers"].collect()["id"].to_list() == ["C0001", "C0002"]
    with pytest.raises(UnknownProduct):
        shell.run("%mesh use customers live --product cliens")


def test_a_mock_whose_keys_were_those_of_an_input_that_is_live_now_is_told(shell, tmp_path):
    from bundles import contract as ours
    from bundles import put

    contract(tmp_path, "customers", id=KEY)
    contract(tmp_path, "orders", order_id=KEY, customer_id=to("customers.id"))
    contract(tmp_path, "visits", visit_id=KEY)
    for name in ("customers", "orders", "visits"):
        shell.run(f"%mesh mock {name}.odcs.yaml --rows 5")
    made = ours({"id": "VARCHAR"}, id="urn:dmesh:local:sales:clients:all:1", event_time=None)
    put(tmp_path / ".mesh", pl.DataFrame({"id": ["C0001", "C0002"]}), made)
    shell.run("%mesh use customers live --product clients")
    said = shown(shell, "customers")
    assert "'orders' is still a mock" in said
    assert "'visits'" not in said


def test_a_column_may_mean_one_of_a_product_that_is_only_promised(shell, tmp_path):
    shell.run("import polars as pl")
    shell.run("df = pl.DataFrame({'who': ['a', 'b'], 'n': [1, 2]})")
    shell.run("%mesh product heard --domain media")
    shell.run("%mesh output heard df --key who")
    done = shell.run("%mesh link heard.who crm/customers/customers.id")
    assert done.said == {"who": "urn:dmesh:local:crm:customers:customers#id"}
    assert "is promised, and nobody published it yet" in shell.shown(done)["text/plain"]
    done = shell.run("%mesh link heard.who urn:dmesh:local:crm:customers:customers#id")
    assert done.notes
    with pytest.raises(UnknownProduct) as caught:
        shell.run("%mesh link heard.who customers/customers.id")
    assert "DOMAIN/customers/customers.id" in caught.value.next_step
    # A mock is a promise, too; one without a URN says which it could have.
    contract(tmp_path, "customers", id=KEY)
    shell.run("%mesh mock customers.odcs.yaml --rows 5")
    with pytest.raises(UsageError) as caught:
        shell.run("%mesh link heard.who customers.id")
    assert CUSTOMERS in caught.value.next_step
    contract(tmp_path, "customers", CUSTOMERS, id=KEY)
    shell.run("%mesh mock customers.odcs.yaml --rows 5")
    done = shell.run("%mesh link heard.who customers.id")
    assert done.said == {"who": "urn:dmesh:local:crm:customers:customers#id"}
    assert done.notes == ()


def test_mocks_join_still_where_one_of_them_is_shown_with_other_rows(shell, tmp_path):
    contract(tmp_path, "customers", id=KEY)
    contract(tmp_path, "orders", order_id=KEY, customer_id=to("customers.id"))
    shell.run("%mesh mock customers.odcs.yaml --rows 50")
    shell.run("%mesh mock orders.odcs.yaml --rows 200")
    shell.run("%mesh use customers mock --rows 10")
    assert orphans(shell) == 0
    assert shell.names["orders"].collect()["customer_id"].n_unique() <= 10
    assert "→ %mesh use customers live --product PRODUCT" in shown(shell, "customers")


@pytest.mark.parametrize("told", ["authoritativeDefinitions", "relationships"])
def test_a_tie_that_is_written_keeps_to_the_standard(told: str) -> None:
    urn = "urn:dmesh:acme:users:user-profiles:my-profiles#user_id"
    said = {
        "authoritativeDefinitions": [{"type": "ontology", "url": urn}],
        "relationships": [{"to": "profiles.user_id"}],
    }
    contract = contract_of({**column("user_id"), told: said[told]})
    written = tied(contract.raw, {"user_id": (urn, {})})
    made = Contract(written).checked()
    assert made.column("user_id").link == urn
    bare = contract_of(column("user_id"))
    made = Contract(tied(bare.raw, {"user_id": (urn, {})})).checked()
    assert made.column("user_id").link == urn
