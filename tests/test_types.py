"""The types of a contract as each platform spells them, and what a port stores them as."""

from __future__ import annotations

import polars as pl
import pytest

from mesh_notebook.errors import ContractError
from mesh_notebook.mesh.dtypes import column_dtype, polars_dtype
from mesh_notebook.model.column import Column
from mesh_notebook.model.types import spelled

INSTANT, NAIVE = "TIMESTAMP_TZ", "TIMESTAMP_NTZ"
SPELLED: dict[str, dict[str, str]] = {
    "snowflake": {
        "NUMBER": "DECIMAL(38,0)",
        "NUMBER(12,2)": "DECIMAL(12,2)",
        "INTEGER": "BIGINT",
        "FLOAT": "DOUBLE",
        "REAL": "DOUBLE",
        "TIMESTAMP_NTZ(9)": NAIVE,
        "TIMESTAMP_LTZ": INSTANT,
        "DATETIME": NAIVE,
        "VARIANT": "VARCHAR",
        "BINARY(8388608)": "BLOB",
        "ARRAY(VARCHAR)": "VARCHAR[]",
        "OBJECT(a VARCHAR, b NUMBER(4,1))": 'STRUCT("a" VARCHAR, "b" DECIMAL(4,1))',
    },
    "bigquery": {
        "INT64": "BIGINT",
        "INTEGER": "BIGINT",
        "FLOAT64": "DOUBLE",
        "FLOAT": "DOUBLE",
        "NUMERIC": "DECIMAL(38,9)",
        "BIGNUMERIC(38, 20)": "DECIMAL(38,20)",
        "STRING(20)": "VARCHAR",
        "BYTES": "BLOB",
        "BOOL": "BOOLEAN",
        "DATETIME": NAIVE,
        "TIMESTAMP": INSTANT,
        "JSON": "VARCHAR",
        "ARRAY<STRUCT<a INT64, b ARRAY<STRING>>>": 'STRUCT("a" BIGINT, "b" VARCHAR[])[]',
    },
    "redshift": {
        "character varying(20)": "VARCHAR",
        "double precision": "DOUBLE",
        "FLOAT": "DOUBLE",
        "decimal": "DECIMAL(18,0)",
        "timestamptz": INSTANT,
        "timestamp without time zone": NAIVE,
        "super": "VARCHAR",
        "bpchar": "VARCHAR",
        "varbyte": "BLOB",
    },
    "databricks": {
        "bigint": "BIGINT",
        "long": "BIGINT",
        "byte": "TINYINT",
        "float": "FLOAT",
        "decimal": "DECIMAL(10,0)",
        "timestamp_ntz": NAIVE,
        "map<string,int>": 'STRUCT("key" VARCHAR, "value" INTEGER)[]',
        "struct<a:int,b:array<string>>": 'STRUCT("a" INTEGER, "b" VARCHAR[])',
        "interval day to second": "VARCHAR",
        "variant": "VARCHAR",
    },
    "athena": {
        "timestamp(6)": INSTANT,
        "timestamp(3) with time zone": INSTANT,
        "decimal(10,2)": "DECIMAL(10,2)",
        "array(row(a varchar, b bigint))": 'STRUCT("a" VARCHAR, "b" BIGINT)[]',
        "array<int>": "INTEGER[]",
        "varbinary": "BLOB",
    },
    "tsql": {
        "nvarchar(max)": "VARCHAR",
        "bit": "BOOLEAN",
        "tinyint": "SMALLINT",
        "float": "DOUBLE",
        "real": "FLOAT",
        "money": "DECIMAL(19,4)",
        "datetime2(7)": NAIVE,
        "datetimeoffset": INSTANT,
        "uniqueidentifier": "VARCHAR",
        "timestamp": "BLOB",
        "image": "BLOB",
    },
    "oracle": {
        "NUMBER(*,2)": "DECIMAL(38,2)",
        "NUMBER(10)": "DECIMAL(10,0)",
        "VARCHAR2(20 CHAR)": "VARCHAR",
        "LONG": "VARCHAR",
        "LONG RAW": "BLOB",
        "BINARY_DOUBLE": "DOUBLE",
        "TIMESTAMP(6) WITH LOCAL TIME ZONE": INSTANT,
        "INTERVAL DAY(2) TO SECOND(6)": "VARCHAR",
        "CLOB": "VARCHAR",
    },
    "mysql": {
        "int(11)": "INTEGER",
        "int unsigned": "BIGINT",
        "bigint unsigned": "DECIMAL(20,0)",
        "mediumtext": "VARCHAR",
        "datetime(6)": NAIVE,
        "year": "SMALLINT",
        "ENUM('a','b')": "VARCHAR",
        "decimal": "DECIMAL(10,0)",
        "longblob": "BLOB",
    },
    "postgres": {
        "int8": "BIGINT",
        "serial": "INTEGER",
        "float": "DOUBLE",
        "numeric(10,2)[]": "DECIMAL(10,2)[]",
        "jsonb": "VARCHAR",
        "uuid": "VARCHAR",
        "bit(8)": "VARCHAR",
        "time without time zone": "VARCHAR",
    },
    "clickhouse": {
        "Nullable(Int64)": "BIGINT",
        "LowCardinality(String)": "VARCHAR",
        "DateTime64(3)": INSTANT,
        "Int8": "TINYINT",
    },
    "": {  # Kafka and Avro, Protobuf, Python: of files no platform is known
        "long": "BIGINT",
        "timestamp-millis": INSTANT,
        "local-timestamp-micros": NAIVE,
        "time-micros": "VARCHAR",
        "bytes": "BLOB",
        "sint64": "BIGINT",
        "fixed64": "DECIMAL(20,0)",
        "google.protobuf.Timestamp": INSTANT,
        "repeated string": "VARCHAR[]",
        "str": "VARCHAR",
        "list[int]": "INTEGER[]",
        "dict[str, float]": 'STRUCT("key" VARCHAR, "value" FLOAT)[]',
        "Optional[str]": "VARCHAR",
        "datetime.timedelta": "VARCHAR",
        "decimal.Decimal": "DECIMAL(38,9)",
        "datetime64[ns]": INSTANT,
        "float(3,2)": "FLOAT",
        "float(53)": "DOUBLE",
    },
}


@pytest.mark.parametrize(
    ("dialect", "text", "stored"),
    [(dialect, text, one) for dialect, all_ in SPELLED.items() for text, one in all_.items()],
)
def test_a_type_is_read_as_its_platform_spells_it(dialect, text, stored):
    found = spelled(text, dialect)
    assert found is not None
    assert found.physical == stored
    assert polars_dtype(found.physical) is not None


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("uuid", "uuid"),
        ("JSONB", "json"),
        ("time(6)", "local-time"),
        ("interval day to second", "duration"),
        ("inet", "ipv4"),
        ("text", ""),
    ],
)
def test_a_text_that_is_more_than_any_text_says_what_it_is(text, form):
    found = spelled(text)
    assert found is not None
    assert found.format == form


@pytest.mark.parametrize("text", ["", "9", "objectively", "STRUCT(", "ARRAY", "VECTOR(FLOAT, 256)"])
def test_what_nobody_is_known_to_spell_is_no_type(text):
    assert spelled(text) is None


def column(**said: object) -> Column:
    return Column({"name": "a", **said})


@pytest.mark.parametrize(
    ("said", "dtype"),
    [
        ({"logicalType": "integer", "physicalType": "NUMBER(38,0)"}, pl.Int64()),
        ({"logicalType": "number", "physicalType": "NUMBER(38,0)"}, pl.Decimal(38, 0)),
        ({"logicalType": "string", "physicalType": "varchar[15]"}, pl.String()),
        ({"logicalType": "array", "items": {"logicalType": "integer"}}, pl.List(pl.Int64())),
        (
            {"logicalType": "object", "properties": [{"name": "Lat", "logicalType": "number"}]},
            pl.Struct({"Lat": pl.Float64()}),
        ),
        (
            {
                "logicalType": "array",
                "physicalType": "ARRAY",
                "items": {
                    "logicalType": "object",
                    "properties": [{"name": "q", "logicalType": "integer"}],
                },
            },
            pl.List(pl.Struct({"q": pl.Int64()})),
        ),
        ({"logicalType": "time"}, pl.String()),
        ({"logicalType": "timestamp", "physicalType": "no such type"}, pl.Datetime("us", "UTC")),
    ],
    ids=str,
)
def test_a_column_has_the_type_that_its_physical_type_or_else_its_logical_one_says(said, dtype):
    assert column_dtype(column(**said)) == dtype


@pytest.mark.parametrize(
    "said", [{"physicalType": "no such type"}, {"logicalType": "array"}], ids=str
)
def test_a_column_of_which_no_type_is_known_is_refused_by_name(said):
    with pytest.raises(ContractError, match="column 'a'"):
        column_dtype(column(**said))
