"""How platforms spell their types, by the type in which a port stores the values.

One table for the names that mean the same everywhere, and one for each platform that means
something else by one of them. Names stand without their parameters, in capitals.
"""

from __future__ import annotations

__all__ = ["DECIMALS", "EVERYWHERE", "FORMATS", "GENERIC", "PLATFORMS"]

_INSTANT = "TIMESTAMP_TZ"  # ODCS: a timestamp that says no zone is UTC
_NAIVE = "TIMESTAMP_NTZ"

_NAMES: dict[str, tuple[str, ...]] = {
    "BOOLEAN": ("BOOLEAN", "BOOL", "LOGICAL"),
    "TINYINT": ("TINYINT", "BYTEINT", "INT1"),
    "SMALLINT": ("SMALLINT", "INT2", "SHORT", "SMALLSERIAL", "UTINYINT", "YEAR", "INT16", "UINT8"),
    "INTEGER": (
        *("INTEGER", "INT", "INT4", "INT32", "MEDIUMINT", "SERIAL", "SERIAL4", "USMALLINT"),
        *("SINT32", "SFIXED32", "SIGNED", "UINT16", "PLS_INTEGER", "INTEGERTYPE"),
    ),
    "BIGINT": (
        *("BIGINT", "INT8", "INT64", "LONG", "BIGSERIAL", "SERIAL8", "SINT64", "SFIXED64"),
        *("UINT32", "UINTEGER", "FIXED32", "INT UNSIGNED", "INTEGER UNSIGNED", "LONGTYPE"),
    ),
    "DECIMAL(20,0)": ("UINT64", "UBIGINT", "FIXED64", "BIGINT UNSIGNED"),
    "DECIMAL(38,0)": ("HUGEINT", "INT128", "UHUGEINT"),
    "FLOAT": ("FLOAT", "FLOAT4", "FLOAT32", "REAL", "BINARY_FLOAT", "FLOATTYPE"),
    "DOUBLE": (
        *("DOUBLE", "DOUBLE PRECISION", "FLOAT8", "FLOAT64", "BINARY_DOUBLE", "DOUBLETYPE"),
        "NUMPY.FLOAT64",
    ),
    "DECIMAL(19,4)": ("MONEY",),
    "DECIMAL(10,4)": ("SMALLMONEY",),
    "VARCHAR": (
        *("VARCHAR", "VARCHAR2", "NVARCHAR", "NVARCHAR2", "CHAR", "NCHAR", "CHARACTER", "BPCHAR"),
        *("CHARACTER VARYING", "CHAR VARYING", "NATIONAL CHARACTER VARYING", "TEXT", "NTEXT"),
        *("TINYTEXT", "MEDIUMTEXT", "LONGTEXT", "CLOB", "NCLOB", "STRING", "STR", "CITEXT"),
        *("NAME", "SYSNAME", "ENUM", "SET", "XML", "XMLTYPE", "LONG VARCHAR", "STRINGTYPE"),
        *("LARGE_STRING", "UTF8", "OBJECTID", "ROWID", "UROWID", "INET6"),
    ),
    "BLOB": (
        *("BLOB", "BYTES", "BYTEA", "BINARY", "VARBINARY", "BINARY VARYING", "VARBYTE", "RAW"),
        *("LONG RAW", "IMAGE", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BYTEARRAY", "BINARYTYPE"),
        *("LARGE_BINARY", "ROWVERSION", "FIXED_LEN_BYTE_ARRAY", "BFILE"),
    ),
    "DATE": ("DATE", "DATE32", "DATE64", "DATETYPE", "DATETIME.DATE"),
    _INSTANT: (
        *("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_TZ", "TIMESTAMP_LTZ", "TIMESTAMPLTZ", "DATETIME"),
        *("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE", "DATETIMEOFFSET"),
        *("DATETIME2", "SMALLDATETIME", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
        *("TIMESTAMP_MILLIS", "TIMESTAMP_MICROS", "TIMESTAMP_NANOS", "TIMESTAMP-MILLIS"),
        *("TIMESTAMP-MICROS", "TIMESTAMPTYPE", "DATETIME64", "GOOGLE.PROTOBUF.TIMESTAMP"),
        *("DATETIME.DATETIME", "DATE-TIME", "PANDAS.TIMESTAMP", "INSTANT"),
    ),
    _NAIVE: (
        *("TIMESTAMP_NTZ", "TIMESTAMPNTZ", "TIMESTAMP WITHOUT TIME ZONE", "LOCALDATETIME"),
        *("LOCAL-TIMESTAMP-MILLIS", "LOCAL-TIMESTAMP-MICROS"),
    ),
}
EVERYWHERE = {name: stored for stored, names in _NAMES.items() for name in names}

# Texts that are more than any text: by the format that a value of the type has.
FORMATS: dict[str, tuple[str, ...]] = {
    "uuid": ("UUID", "UNIQUEIDENTIFIER", "UUID.UUID", "GUID"),
    "json": ("JSON", "JSONB", "SUPER", "VARIANT", "HSTORE"),
    "local-time": (
        *("TIME", "TIMETZ", "TIME_TZ", "TIME WITH TIME ZONE", "TIME WITHOUT TIME ZONE"),
        *("TIME-MILLIS", "TIME-MICROS", "TIME_MILLIS", "TIME_MICROS", "DATETIME.TIME"),
        *("TIME32", "TIME64"),
    ),
    "duration": (
        *("INTERVAL", "DURATION", "TIMEDELTA", "GOOGLE.PROTOBUF.DURATION", "DAYTIMEINTERVAL"),
        *("DATETIME.TIMEDELTA", "INTERVAL DAY TO SECOND", "INTERVAL YEAR TO MONTH"),
        *("INTERVAL YEAR", "INTERVAL MONTH", "INTERVAL DAY", "YEARMONTHINTERVAL"),
    ),
    "ipv4": ("INET", "IPV4", "IPADDRESS"),
    "ipv6": ("IPV6",),
}
EVERYWHERE |= {name: "VARCHAR" for names in FORMATS.values() for name in names}

# Names of a type that say nothing of what is in it: the contract's `items` and `properties` do.
GENERIC = {
    *("ARRAY", "LIST", "REPEATED", "SEQUENCE", "TUPLE", "NESTED", "ARRAYTYPE"),
    *("STRUCT", "RECORD", "OBJECT", "ROW", "MAP", "DICT", "MESSAGE", "STRUCTTYPE", "DOCUMENT"),
}

# A decimal without its digits, by platform: precision and scale.
DECIMALS = {
    "snowflake": (38, 0),
    "bigquery": (38, 9),
    "redshift": (18, 0),
    "databricks": (10, 0),
    "hive": (10, 0),
    "mysql": (10, 0),
    "tsql": (18, 0),
    "athena": (38, 0),
    "trino": (38, 0),
    "presto": (38, 0),
    "duckdb": (18, 3),
    "teradata": (5, 0),
}

_WIDE_FLOAT = {"FLOAT": "DOUBLE", "REAL": "DOUBLE"}
# What a platform means by a name otherwise than the others do.
PLATFORMS: dict[str, dict[str, str]] = {
    "snowflake": {**_WIDE_FLOAT, "FLOAT4": "DOUBLE", "BINARY_FLOAT": "DOUBLE"}
    | dict.fromkeys(("INT", "INTEGER", "SMALLINT", "TINYINT", "BYTEINT"), "BIGINT")
    | {"DATETIME": _NAIVE},
    "bigquery": {"FLOAT": "DOUBLE", "DATETIME": _NAIVE}
    | dict.fromkeys(("INT", "INTEGER", "SMALLINT", "TINYINT", "BYTEINT"), "BIGINT"),
    "redshift": {"FLOAT": "DOUBLE"},
    "postgres": {"FLOAT": "DOUBLE", "BIT": "VARCHAR", "VARBIT": "VARCHAR"},
    "oracle": {"FLOAT": "DOUBLE", "LONG": "VARCHAR", "INTEGER": "BIGINT", "INT": "BIGINT"},
    "tsql": {
        "FLOAT": "DOUBLE",
        "BIT": "BOOLEAN",
        "TINYINT": "SMALLINT",  # 0 to 255
        "TIMESTAMP": "BLOB",  # a row version
        "DATETIME": _NAIVE,
        "DATETIME2": _NAIVE,
        "SMALLDATETIME": _NAIVE,
    },
    "mysql": {"BIT": "BOOLEAN", "DATETIME": _NAIVE},
    "databricks": {"BYTE": "TINYINT"},
    "hive": {},
    "clickhouse": {"INT8": "TINYINT", "FLOAT": "FLOAT", "STRING": "VARCHAR"},
    "teradata": {"FLOAT": "DOUBLE", "REAL": "DOUBLE", "BYTE": "BLOB", "NUMBER": "DOUBLE"},
    "athena": {"BYTE": "TINYINT"},
}
EVERYWHERE |= {"BIT": "BOOLEAN", "BYTE": "TINYINT"}
