"""Text formats: every type goes out as text and comes back through the contract as it was."""

from __future__ import annotations

import json
import math
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from ports import typed_contract

from mesh_notebook.errors import ContractError, SourceError
from mesh_notebook.mesh.dtypes import physical_type, polars_dtype
from mesh_notebook.mesh.modes.text import read_csv, read_ndjson, sink_csv, sink_ndjson
from mesh_notebook.model.contract import Contract

FORMATS = {"csv": (sink_csv, read_csv), "ndjson": (sink_ndjson, read_ndjson)}
# All instants that a snapshot can hold and Python can say, and all decimals of a width.
_DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
_INSTANTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "",
        '"',
        "a,b",
        "a\nb",
        "a\r\nb",
        "\r",
        " ",
        "null",
        "NaN",
        "true",
        "{}",
        "[1]",
        "\ufeff",
        "\x00",
    ]
)
_LEAVES: list[tuple[pl.DataType, st.SearchStrategy[Any]]] = [
    (pl.Boolean(), st.booleans()),
    (pl.Int8(), st.integers(-(2**7), 2**7 - 1)),
    (pl.Int16(), st.integers(-(2**15), 2**15 - 1)),
    (pl.Int32(), st.integers(-(2**31), 2**31 - 1)),
    (pl.Int64(), st.integers(-(2**63), 2**63 - 1)),
    (pl.Float32(), st.floats(width=32)),
    (pl.Float64(), st.floats()),
    (pl.Decimal(38, 10), st.decimals(-(10**27), 10**27, places=10)),
    (pl.Decimal(9, 2), st.decimals(-(10**6), 10**6, places=2)),
    (pl.String(), _TEXT),
    (pl.Binary(), st.binary(max_size=8)),
    (pl.Date(), _DAYS),
    (pl.Datetime("us", "UTC"), _INSTANTS.map(lambda moment: moment.replace(tzinfo=UTC))),
]


def _listed(pair: tuple[pl.DataType, Any]) -> tuple[pl.DataType, Any]:
    dtype, values = pair
    return pl.List(dtype), st.lists(st.none() | values, max_size=3)


@st.composite
def _struct(draw: DrawFn, inner: Any) -> tuple[pl.DataType, Any]:
    fields = draw(st.dictionaries(st.sampled_from(["a", "B c", "é"]), inner, min_size=1))
    dtype = pl.Struct({name: pair[0] for name, pair in fields.items()})
    return dtype, st.fixed_dictionaries({n: st.none() | v for n, (_, v) in fields.items()})


_KINDS = st.recursive(
    st.sampled_from(_LEAVES), lambda inner: inner.map(_listed) | _struct(inner), max_leaves=4
) | st.just((pl.Datetime("us"), _INSTANTS))  # no struct's physical type tells a naive time
_NAMES = _TEXT.filter(lambda name: name != "*" and name[:1] not in ("^", "\ufeff"))


@st.composite
def frames(draw: DrawFn) -> pl.DataFrame:
    """Return any frame that a contract can describe."""
    kinds = draw(st.dictionaries(_NAMES, _KINDS, min_size=1, max_size=4))
    rows = draw(st.integers(0, 4))
    columns = {
        name: pl.Series(name, draw(st.lists(st.none() | v, min_size=rows, max_size=rows)), dtype)
        for name, (dtype, v) in kinds.items()
    }
    return pl.DataFrame(columns)


def contract_for(frame: pl.DataFrame) -> Contract:
    types = {name: physical_type(dtype) for name, dtype in frame.schema.items()}
    return typed_contract(types, key=(), event_time=None)


def bits(value: Any) -> Any:
    """Return a value so that equal means the same: NaN is NaN, and -0.0 is not 0.0."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, list):
        return [bits(part) for part in value]
    return {k: bits(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("format", FORMATS)
@given(frame=frames())
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_any_frame_that_a_contract_describes_comes_back_from_text_as_it_was(format, frame):
    sink, read = FORMATS[format]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows [1]*"
        sink(frame.lazy(), path)
        back = read(path, contract_for(frame))
    assert back.schema == frame.schema
    assert [bits(row) for row in back.to_dicts()] == [bits(row) for row in frame.to_dicts()]


def test_ndjson_is_json_that_any_parser_reads_without_losing_a_digit(tmp_path):
    frame = pl.DataFrame(
        {
            "big": [2**63 - 1],
            "d": [Decimal("0.1234567890")],
            "f": [float("-inf")],
            "at": [datetime(2026, 1, 2, 3, 4, 5, 6, UTC)],
            "b": [b"\xff"],
            "l": [[None, 0.1]],
        },
        schema_overrides={"d": pl.Decimal(38, 10)},
    )
    sink_ndjson(frame.lazy(), tmp_path / "a")
    assert json.loads((tmp_path / "a").read_text()) == {
        "big": 2**63 - 1,
        "d": "0.1234567890",
        "f": "-INF",
        "at": "2026-01-02T03:04:05.000006Z",
        "b": "/w==",
        "l": [None, 0.1],
    }


def test_csv_tells_an_empty_text_from_none(tmp_path):
    sink_csv(pl.LazyFrame({"a": ["", None, "x"]}), tmp_path / "a")
    assert (tmp_path / "a").read_text() == 'a\n""\n\nx\n'


def test_columns_of_a_csv_are_found_by_name(tmp_path):
    (tmp_path / "a.csv").write_text("b,a\nx,1\n")
    made = typed_contract({"a": "BIGINT", "b": "VARCHAR"}, key=(), event_time=None)
    assert read_csv(tmp_path / "a.csv", made).to_dicts() == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize(
    ("physical", "text"),
    [
        ("BIGINT", "1.5"),
        ("TINYINT", "300"),
        ("BOOLEAN", "yes"),
        ("DATE", "1.2.2026"),
        ("TIMESTAMP_TZ", "2026-01-01T00:00:00"),
        ("DOUBLE[]", "[1"),
        ("BLOB", "?"),
    ],
)
def test_a_text_that_is_no_value_of_its_type_is_refused(tmp_path, physical, text):
    (tmp_path / "a.csv").write_text(f'a\n"{text}"\n')
    made = typed_contract({"a": physical}, key=(), event_time=None)
    with pytest.raises(ContractError, match="does not fit the types of visits"):
        read_csv(tmp_path / "a.csv", made)


@pytest.mark.parametrize("header", ["a", "a,b,c", "a,B", ""])
def test_a_csv_with_other_columns_is_refused(tmp_path, header):
    (tmp_path / "a.csv").write_text(f"{header}\n")
    made = typed_contract({"a": "BIGINT", "b": "VARCHAR"}, key=(), event_time=None)
    with pytest.raises(ContractError, match="its columns are not those of the contract"):
        read_csv(tmp_path / "a.csv", made)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path, format):
    made = typed_contract({"a": "BIGINT"}, key=(), event_time=None)
    with pytest.raises(SourceError, match="cannot be read"):
        FORMATS[format][1](tmp_path / "none", made)
    (tmp_path / "bad").write_bytes(b"\xff\xfe\x00")
    with pytest.raises((SourceError, ContractError)):
        FORMATS[format][1](tmp_path / "bad", made)


def test_every_stored_type_is_among_those_that_were_tried():
    tried = {type(dtype) for dtype, _ in _LEAVES}
    assert {type(polars_dtype(physical_type(dtype))) for dtype, _ in _LEAVES} == tried
