"""Contracts and products from anybody: read, or refused in our words; never a crash or a hang."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from contracts import column, contract_of
from fuzzing import contract_reader, contracts, fuzz, product_reader, products

from mesh_notebook.errors import SpecError
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import parse_yaml
from mesh_notebook.model.product import Product

FEW = {"validValues": 3}
PEOPLE = contract_of(column("id", "BIGINT"), column("age", "INTEGER")).raw


def read(document: dict | str) -> Contract:
    text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
    return Contract.loads(text, "people.odcs.yaml")


def with_column(version: str = "v3.1.0", **said: object) -> dict:
    age = {"name": "age", "logicalType": "integer", **said}
    schema = [{"name": "people", "properties": [age]}]
    return {**PEOPLE, "apiVersion": version, "schema": schema}


# ---- mutations -----------------------------------------------------------------------------------


def test_contracts_that_are_almost_right_are_read_or_refused_in_our_words(tmp_path):
    reader = contract_reader(tmp_path)
    for text in contracts():
        reader(text)
    assert fuzz(reader, contracts(), range(7_000_000, 7_000_150)) == []


def test_products_that_are_almost_right_are_planned_or_refused_in_our_words(tmp_path):
    reader = product_reader(tmp_path)
    for text in products(tmp_path):
        reader(text)
    assert fuzz(reader, products(tmp_path), range(7_000_000, 7_000_150)) == []


# ---- documents that mean harm --------------------------------------------------------------------


def bomb() -> str:
    layers = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(["l0: &l0 [ha, ha]", *layers])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb(), "stands for more than 500,000 values"),
        ("a: &a [1, *a]", "an alias that stands for what it lies in"),
        ("a: &a {b: {c: *a}}", "an alias that stands for what it lies in"),
        ("a: " + "[" * 100_000, "nests more than 100 levels deep"),
        ("a: " + "{b: " * 5_000 + "1" + "}" * 5_000, "nests more than 100 levels deep"),
        ("\n".join(" " * n + "a:" for n in range(3_000)), "nests more than 100 levels deep"),
        ("- " * 3_000 + "a", "nests more than 100 levels deep"),
        ("a: !!binary aGVsbG8=", "at a: it holds a bytes"),
        ("a: !!set {b, c}", "at a: it holds a set"),
        ("a: 1\nb: 2\na: 3", "line 3: 'a' is written twice in one mapping, first in line 1"),
        ("a: [{b: 1,\n b: 1}]", "line 2: 'b' is written twice in one mapping, first in line 1"),
        ("? [a, b]\n: c", "this is not valid YAML"),
        ("2026-01-01: a", "has the name"),
        ("a: 2026-13-45", "holds a value that cannot be read"),
        ("a: " + "9" * 5_000, "holds a value that cannot be read"),
        ('a: ["b\\0c"]', "at a/0: it holds a text with a NUL in it"),
        ('"a\\0b": 1', "a text with a NUL in it"),
        ('a: "\\ud800"', "this is not valid YAML"),
        ("!!python/object/apply:os.system [ls]", "this is not valid YAML"),
    ],
)
def test_a_document_that_is_too_much_or_not_plain_is_refused(text, said):
    with pytest.raises(SpecError, match=said):
        parse_yaml(text, "the contract")


def test_a_name_that_another_mapping_has_too_or_that_is_merged_is_read():
    text = "a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: [{x: 3}, {x: 4}]"
    assert parse_yaml(text, "x")["b"] == {"x": 2}


def test_an_alias_that_stands_for_little_is_read():
    text = "rule: &rule {mustBe: 0}\nrules: [*rule, *rule]"
    assert parse_yaml(text, "it")["rules"] == [{"mustBe": 0}, {"mustBe": 0}]


# ---- nesting -------------------------------------------------------------------------------------


def nested(levels: int, **leaf: object) -> dict:
    inner: dict = {"name": "leaf", "logicalType": "string", **leaf}
    for level in range(levels):
        inner = {"name": f"n{level}", "logicalType": "object", "properties": [inner]}
    return {**PEOPLE, "schema": [{"name": "people", "properties": [inner]}]}


def test_columns_nested_24_deep_are_validated():
    # It once took 33 s for 8 levels, and 3.5 times more for each further level: this would not end.
    assert read(nested(24)).columns[0].name == "n23"


def test_a_finding_deep_inside_is_told_alone():
    assert len(read(nested(8, colour="red")).warnings) == 1  # beyond the standard, so it is kept
    with pytest.raises(SpecError) as refused:
        read(nested(8, colour="red")).checked()
    assert len(refused.value.findings) == 1
    assert "colour" in refused.value.findings[0]
    assert str(refused.value).count("/properties/0") == 9


# ---- versions ------------------------------------------------------------------------------------


def kinds(contract: Contract) -> dict[str, object]:
    return {rule.kind: rule.value for rule in contract.rules}


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2"])
def test_a_contract_of_v3_0_is_held_to_v3_0(version):
    quality = [{"type": "library", "rule": "duplicateCount", "mustBe": 0}]
    assert "duplicateValues" in kinds(read(with_column(version, quality=quality)))


def test_what_v3_0_wrote_in_a_contract_of_v3_1_is_read_and_named():
    quality = [{"type": "library", "rule": "duplicateCount", "mustBe": 0}]
    contract = read(with_column("v3.1.0", quality=quality))
    assert "duplicateValues" in kinds(contract)
    assert any("quality" in said for said in contract.warnings)


def test_the_valid_values_of_v3_0_are_the_allowed_ones():
    quality = [{"rule": "validValues", "validValues": [1, 2], "mustBe": 0}]
    assert kinds(read(with_column("v3.0.2", quality=quality)))["enum"] == [1, 2]


def test_a_limit_that_v3_0_shuts_is_exclusive():
    limits = {"minimum": 0, "maximum": 120, "exclusiveMaximum": True, "exclusiveMinimum": False}
    found = kinds(read(with_column("v3.0.2", logicalTypeOptions=limits)))
    assert found == {"minimum": 0, "exclusiveMaximum": 120}


@pytest.mark.parametrize("version", ["v1.0.0", "v4.0.0", 3, None])
def test_a_version_that_is_not_read_is_named_with_those_that_are(version):
    with pytest.raises(SpecError, match=r"→ known versions: v2\.2\.0, .*v3\.0\.0, v3\.0\.1"):
        read({**PEOPLE, "apiVersion": version})


# ---- what we read beyond the standards -----------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"customProperties": [{"property": "mock", "value": "many"}]}, "customProperties/0/value"),
        (
            {
                "quality": [
                    {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": 3}}
                ]
            },
            "quality/0/arguments/validValues",
        ),
    ],
)
def test_a_custom_property_of_another_shape_is_refused_with_its_place(said, where):
    with pytest.raises(SpecError, match=where):
        read(with_column(**said))


def test_an_input_without_its_address_is_refused(tmp_path):
    raw = yaml.safe_load(products(tmp_path)[0])
    raw["inputPorts"][0]["customProperties"][0]["value"] = {"kind": "port"}
    with pytest.raises(SpecError, match=r'inputPorts/0/.*"address" is a required property'):
        Product.loads(yaml.safe_dump(raw), "the product")


def test_nothing_is_bound_of_a_contract_that_is_refused(shell, tmp_path):
    Path("bad.odcs.yaml").write_text(bomb())
    with pytest.raises(SpecError):
        shell.run("%mesh mock bad.odcs.yaml --rows 5")
    assert "bad" not in shell.names
    assert not shell.mesh.inputs
