"""What is written follows the open standards, and what it does not know survives."""

from __future__ import annotations

from pathlib import Path

import pytest
from open_data_contract_standard.model import OpenDataContractStandard

from mesh_notebook.errors import SpecError
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.product import Product

SYNTHETIC = sorted((Path(__file__).resolve().parent.parent / "synthetic").glob("*.odcs.yaml"))


@pytest.mark.parametrize("path", SYNTHETIC, ids=lambda p: p.name)
def test_the_public_model_of_odcs_reads_our_contracts(path):
    read = OpenDataContractStandard.from_string(path.read_text())
    ours = Contract.loads(path.read_text())
    assert [p.name for p in read.schema_[0].properties] == [c.name for c in ours.columns]


def test_the_public_model_of_odcs_reads_an_inferred_contract(published):
    text = next(published.glob("**/contracts/daily.odcs.yaml")).read_text()
    read = OpenDataContractStandard.from_string(text)
    assert read.schema_[0].properties[0].name == "day"


def test_fields_that_this_version_does_not_know_survive_a_load_and_a_save(published):
    path = next(published.glob("**/product.odps.yaml"))
    text = path.read_text() + "customProperties: [{property: colour, value: {of: [sea, sky]}}]\n"
    assert Product.loads(Product.loads(text).dumps()).raw == Product.loads(text).raw
    assert "sea" in Product.loads(text).dumps()


def test_a_document_that_breaks_its_standard_is_read_but_not_written_and_says_where():
    text = "{apiVersion: v3.1.0, kind: DataContract, id: a, version: 1.0.0, schema: []}"
    contract = Contract.loads(text)
    assert "`status` is missing" in contract.warnings[0]
    with pytest.raises(SpecError, match="status"):
        contract.checked()


@pytest.mark.parametrize("text", ["", "- a", "a: [", "kind: Sandwich"])
def test_what_is_no_specification_is_refused(text):
    with pytest.raises(SpecError):
        Contract.loads(text)


def test_yaml_that_would_run_code_is_refused():
    with pytest.raises(SpecError):
        Contract.loads("!!python/object/apply:os.system ['echo no']")
