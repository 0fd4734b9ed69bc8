"""Contracts that others wrote: read whatever they name, told what is beyond the standard, kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_notebook.errors import ContractError, SpecError, UnknownName
from mesh_notebook.mesh.checks import check
from mesh_notebook.mock.from_contract import mock
from mesh_notebook.model.contract import Contract
from mesh_notebook.surfaces import registered  # noqa: F401  every panel
from mesh_notebook.surfaces.panel import as_text
from mesh_notebook.surfaces.panels import panel_of

KEY = {"name": "id", "logicalType": "string", "primaryKey": True, "required": True}


def document(*columns: dict[str, Any], version: str = "v3.1.0", **said: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": "DataContract",
        "id": "theirs",
        "name": "theirs",
        "version": "1.0.0",
        "status": "active",
        "schema": [{"name": "orders", "logicalType": "object", "properties": [KEY, *columns]}],
        **said,
    }


def read(raw: dict[str, Any]) -> Contract:
    return Contract.loads(yaml.safe_dump(raw, sort_keys=False), "theirs.odcs.yaml")


def kept(contract: Contract, rows: int = 200) -> pl.DataFrame:
    made = mock(contract, rows, 1)
    report = check(made.lazy(), contract)
    assert report.passed, report.failures
    return made


# ---- beyond the standard -------------------------------------------------------------------------


def test_what_the_standard_does_not_know_is_named_with_its_place_and_kept_on_a_save():
    total = {"name": "total", "logicalType": "decimal", "nullable": True, "physicalType": "money"}
    raw = document(total, {"name": "b", "nullable": False}, change_management={"owner": "someone"})
    raw["servers"] = [{"server": "prod", "type": "snowflake", "account": "x", "format": "csv"}]
    contract = read(raw)
    told = "\n".join(contract.warnings)
    assert "`change_management` is no field of ODCS v3.1.0; it is kept, not read (the top)" in told
    assert "`nullable` is no field of ODCS v3.1.0; it is kept" in told
    assert "(schema/0/properties/1 and 1 more)" in told
    assert '`logicalType: "decimal"` is not what ODCS v3.1.0 has there' in told
    assert list(yaml.safe_load(contract.dumps())) == list(raw)
    assert yaml.safe_load(contract.dumps()) == raw
    with pytest.raises(SpecError, match="change_management"):
        contract.checked()
    kept(contract)


_NAMES = st.text("abcdefgh_", min_size=3, max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("xyz", max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(top=st.dictionaries(_NAMES, _VALUES, max_size=3), more=st.dictionaries(_NAMES, _VALUES))
def test_any_unknown_field_survives_a_load_and_a_save_in_its_order(top, more):
    raw = document(
        {"name": "a", "logicalType": "integer", **{f"x_{n}": v for n, v in more.items()}}
    )
    raw |= {f"x_{name}": value for name, value in top.items()}
    contract = read(raw)
    saved = yaml.safe_load(contract.dumps())
    assert saved == raw
    assert list(saved) == list(raw)
    assert read(saved).raw == contract.raw
    for name in (*top, *more):
        assert any(f"`x_{name}`" in said for said in contract.warnings)


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"schema": {"orders": 1}}, "schema"),
        ({"schema": [{"name": "t", "properties": [{"logicalType": "string"}]}]}, '"name"'),
        ({"schema": [{"name": "t", "properties": [{"name": "a", "required": "yes"}]}]}, "required"),
        ({"id": ["a"]}, "id"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(said, where):
    with pytest.raises(SpecError, match=where):
        read(document() | said)


def test_a_contract_in_the_making_is_read_and_a_mock_of_it_is_refused_in_words():
    contract = read(document(schema=[]))
    assert (contract.tables, contract.columns, contract.name) == ((), (), "theirs")
    with pytest.raises(ContractError, match="describes no table yet"):
        mock(contract, 5, 1)


# ---- versions ------------------------------------------------------------------------------------

V2 = """
datasetDomain: seller
quantumName: payments
version: 1.1.0
status: current
uuid: 0a1b
description: {purpose: Sellers' payments}
sourceSystem: bigQuery
productSlackChannel: '#help'
kind: DataContract
apiVersion: v2.2.2
type: tables
datasetName: seller
dataset:
  - table: tbl
    dataGranularity: a payment
    tags: null
    columns:
      - {column: day, isPrimary: true, primaryKeyPosition: 1, logicalType: date, physicalType: date,
         isNullable: false, partitionStatus: true, clusterKeyPosition: -1}
      - {column: amount, isPrimary: false, primaryKeyPosition: -1, logicalType: double,
         physicalType: FLOAT64, isUnique: false,
         quality: [{code: nullCheck, toolName: Elevate, dimension: completeness}]}
stakeholders: [{username: daustin, role: Owner, comment: Keeper}]
slaProperties: [{property: latency, value: 4, unit: d, column: tbl.day}]
"""


def test_a_contract_of_v2_2_is_read_word_by_word_and_written_as_v3_1():
    contract = Contract.loads(V2, "old.odcs.yaml")
    assert contract.warnings == ()
    assert (contract.id, contract.name, contract.domain) == ("0a1b", "seller", "seller")
    assert (contract.key, contract.dialect, contract.owner) == (("day",), "bigquery", "daustin")
    assert [c.logical_type for c in contract.columns] == ["date", "number"]
    assert contract.columns[0].required
    assert contract.slos[0].element == "tbl.day"
    assert contract.checked().raw["apiVersion"] == "v3.1.0"
    properties = {p["property"]: p["value"] for p in contract.raw["customProperties"]}
    assert properties["productSlackChannel"] == "#help"
    assert kept(contract, 50)["amount"].dtype == pl.Float64
    assert [r.rule.id for r in check(mock(contract, 9, 1).lazy(), contract).warnings] == [
        "amount.nullCheck"
    ]


def test_a_contract_of_v3_2_is_written_as_v3_1_and_its_enum_and_map_are_kept():
    status = {"name": "status", "logicalType": "string", "deprecated": True}
    status["enum"] = [{"value": "new", "label": "New"}, {"value": "old"}]
    scores = {"name": "scores", "logicalType": "map", "physicalType": "MAP<STRING, STRUCT>"}
    scores["map"] = {"key": {"logicalType": "string"}, "value": {"logicalType": "integer"}}
    raw = document(status, scores, version="v3.2.0", context="Ask the owner")
    del raw["status"]
    contract = read(raw)
    assert contract.warnings == ()
    assert contract.checked().raw["apiVersion"] == "v3.1.0"
    made = kept(contract)
    assert set(made["status"].drop_nulls()) == {"new", "old"}
    assert made["scores"].dtype == pl.List(pl.Struct({"key": pl.String, "value": pl.Int64}))
    said = {p["property"] for p in contract.columns[1].raw["customProperties"]}
    assert said == {"deprecated", "enum"}


def test_the_schema_of_v3_2_is_the_one_that_the_public_model_of_odcs_has():
    import open_data_contract_standard

    public = Path(open_data_contract_standard.__file__).parent / "schema.json"
    ours = Path("mesh_notebook/model/schemas/odcs-json-schema-v3.2.0.bitol.json")
    root = Path(__file__).resolve().parent.parent
    assert (root / ours).read_bytes() == public.read_bytes()


@pytest.mark.parametrize("version", ["v3.0.2", "v3.1.0", "v3.2.0"])
def test_a_column_without_a_logical_type_owes_nothing_of_any_type(version):
    columns = [{"name": name, "physicalType": "VARCHAR(11)"} for name in ("a", "b", "c")]
    assert read(document(*columns, version=version)).warnings == ()


def test_of_a_map_without_its_parts_one_thing_is_said():
    (said,) = read(document({"name": "m", "logicalType": "map"}, version="v3.2.0")).warnings
    assert said.startswith("`map` is missing, which ODCS v3.2.0 demands")


@pytest.mark.parametrize("version", ["v3.1.0", "3.1.0", "v3.1", "3.1.7"])
def test_a_version_is_read_however_it_is_written(version):
    assert read(document(version=version)).raw["apiVersion"] == "v3.1.0"


# ---- what is within columns ----------------------------------------------------------------------


def test_objects_and_arrays_are_typed_and_mocked_by_the_rules_of_their_parts():
    lat = {"name": "lat", "logicalType": "number"}
    lat["logicalTypeOptions"] = {"minimum": -90, "maximum": 90}
    place = {"name": "place", "logicalType": "object", "properties": [lat]}
    quantity = {"name": "qty", "logicalType": "integer"}
    quantity["logicalTypeOptions"] = {"minimum": 1, "maximum": 9}
    line = {"logicalType": "object", "properties": [{"name": "sku"}, quantity]}
    code = {"logicalType": "string", "logicalTypeOptions": {"pattern": "^[A-Z]{2}$"}}
    made = kept(
        read(
            document(
                place,
                {"name": "lines", "logicalType": "array", "items": line},
                {"name": "codes", "logicalType": "array", "items": code},
            )
        )
    )
    assert made["place"].drop_nulls().struct.field("lat").is_between(-90, 90).all()
    lines = made["lines"].drop_nulls().explode(empty_as_null=False).struct
    assert lines.field("qty").is_between(1, 9).all()
    assert lines.field("sku").null_count() == 0
    codes = made["codes"].drop_nulls().explode(empty_as_null=False)
    assert codes.str.contains("^[A-Z]{2}$").all()


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("date-time", r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"),
        ("date", r"^\d{4}-\d\d-\d\d$"),
        ("time", r"^\d\d:\d\d:\d\dZ$"),
        ("duration", r"^P\dDT\d+H\d+M$"),
        ("url", r"^https://"),
        ("yyyy/MM/dd HH:mm", r"^\d{4}/\d\d/\d\d \d\d:\d\d$"),
    ],
)
def test_texts_have_the_formats_of_json_schema(form, pattern):
    column = {"name": "a", "logicalType": "string", "logicalTypeOptions": {"format": form}}
    assert kept(read(document(column)))["a"].drop_nulls().str.contains(pattern).all()


def test_times_of_day_durations_and_bytes_are_mocked():
    opened = {"name": "opened", "logicalType": "time", "physicalType": "time"}
    opened["logicalTypeOptions"] = {"minimum": "08:00:00", "exclusiveMaximum": "09:00:00"}
    made = kept(
        read(
            document(
                opened,
                {"name": "lasts", "logicalType": "string", "physicalType": "interval"},
                {"name": "image", "physicalType": "varbinary(40)"},
            )
        )
    )
    assert made["opened"].drop_nulls().str.starts_with("08:").all()
    assert made["lasts"].drop_nulls().str.starts_with("P").all()
    assert made["image"].dtype == pl.Binary


# ---- rules in SQL, and several tables ------------------------------------------------------------


def bids(*queries: tuple[str, int]) -> Contract:
    limits = {"minimum": 0, "maximum": 1000}
    low, high = (
        {"name": name, "logicalType": "integer", "required": True, "logicalTypeOptions": limits}
        for name in ("low", "high")
    )
    raw = document(low, high, {"name": "tier", "logicalType": "string"})
    raw["schema"][0]["quality"] = [
        {"type": "sql", "query": query, "mustBe": demanded} for query, demanded in queries
    ]
    return read(raw)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM {object} WHERE low > high",
        "SELECT COUNT(1) FROM orders WHERE tier NOT IN ('free', 'premium') AND tier IS NOT NULL",
        "SELECT count(*) FROM {object} WHERE tier IS NULL OR low = 1000",
    ],
)
def test_a_rule_in_sql_that_tells_of_each_row_is_kept(query):
    contract = bids((query, 0))
    made = kept(contract, 500)
    assert made.head(100).equals(mock(contract, 100, 1))


def card(shell: Any, cell: str, name: str = "") -> str:
    """Return what a cell shows, on one line; or the card of the input that it binds."""
    value = shell.run(cell)
    return " ".join(as_text(panel_of(shell.mesh.inputs[name].card if name else value)).split())


def test_a_mock_says_on_its_card_what_it_does_not_keep(shell):
    contract = bids(("SELECT count(*) FROM {object}", 7), ("SELECT count(*) FROM elsewhere", 0))
    raw = contract.edited() | {"colour": "sea"}
    Path("bids.odcs.yaml").write_text(yaml.safe_dump(raw))
    told = card(shell, "%mesh mock bids.odcs.yaml --rows 200 --seed 1 --as bids", "bids")
    assert "the mock does not keep table.sql: value 200, must be 7" in told
    assert "it reads 'elsewhere', which is not at hand" in told
    assert "`colour` is no field of ODCS v3.1.0" in told
    checked = shell.run("%mesh check")
    assert [r.rule.kind for r in checked.reports[0].failures] == ["sql"]
    assert "elsewhere" in checked.reports[0].warnings[0].note


def test_a_type_that_nobody_is_known_to_spell_is_told_and_its_logical_type_counts(shell):
    odd = {"name": "place", "logicalType": "string", "physicalType": "GEOGRAPHY"}
    Path("odd.odcs.yaml").write_text(yaml.safe_dump(document(odd)))
    told = card(shell, "%mesh mock odd.odcs.yaml --rows 5 --as odd", "odd")
    assert "place.type is not checked: the physical type 'GEOGRAPHY' is not known" in told
    assert shell.names["odd"].collect()["place"].dtype == pl.String


def shop() -> dict[str, Any]:
    def table(name: str, *columns: dict[str, Any]) -> dict[str, Any]:
        own = {"name": f"{name}_id", "logicalType": "string", "primaryKey": True, "required": True}
        return {"name": name, "properties": [own, *columns]}

    def tied(column: str, to: str) -> dict[str, Any]:
        return {"name": column, "required": True, "relationships": [{"to": to}]}

    raw = document()
    raw["schema"] = [
        table("artist"),
        table("album", tied("artist_id", "artist.artist_id")),
        table("track", tied("album", "schema/album/properties/album_id")),
    ]
    return raw


def test_tables_of_one_contract_are_told_and_tied():
    contract = read(shop())
    tied = [(r.table, r.column, r.to_table, r.to_column) for r in contract.references]
    assert tied == [
        ("album", "artist_id", "artist", "artist_id"),
        ("track", "album", "album", "album_id"),
    ]
    with pytest.raises(ContractError, match=r"(?s)3 tables .*--table artist"):
        mock(contract, 5, 1)
    with pytest.raises(UnknownName, match="no table 'albums'"):
        contract.of_table("albums")


def test_tables_mocked_one_by_one_join_without_an_orphan(shell):
    Path("shop.odcs.yaml").write_text(yaml.safe_dump(shop()))
    described = card(shell, "%mesh describe shop.odcs.yaml")
    assert "album.artist_id means artist.artist_id" in described
    assert "%mesh mock shop.odcs.yaml --table NAME" in described
    frames = {}
    for name, rows in (("artist", 20), ("album", 50), ("track", 200)):
        shell.run(f"%mesh mock shop.odcs.yaml --table {name} --rows {rows} --as {name}")
        frames[name] = shell.names[name].collect()
    assert set(frames["album"]["artist_id"]) <= set(frames["artist"]["artist_id"])
    assert set(frames["track"]["album"]) <= set(frames["album"]["album_id"])
    assert shell.run("%mesh check").passed
