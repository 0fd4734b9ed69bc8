"""What DuckDB would call the columns of a query, and of which types they would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from sqlglot import exp

__all__ = ["columns_by_duckdb", "types_of"]

# Sums of whole numbers: whoever holds one in 64 bits has it exactly, or an error.
_WIDE = ("HUGEINT", "UHUGEINT", "UBIGINT")


def columns_by_duckdb(query: str, schemas: Mapping[str, pa.Schema]) -> list[tuple[str, str]]:
    """Return the columns of a query over tables of these schemas: name, and Spark's type.

    The type is empty where the other engine's own is as good.
    """
    relation = _tables(schemas).sql(query)
    return [
        (name, _spark_type(str(dtype)))
        for name, dtype in zip(relation.columns, relation.types, strict=True)
    ]


def types_of(schemas: Mapping[str, pa.Schema]) -> dict[str, dict[str, str]]:
    """Return by table and column DuckDB's types, as sqlglot wants them."""
    con = _tables(schemas)
    described = {name: con.table(_quoted(name)) for name in schemas}
    return {
        name: {c: str(t) for c, t in zip(one.columns, one.types, strict=True)}
        for name, one in described.items()
    }


def _tables(schemas: Mapping[str, pa.Schema]) -> duckdb.DuckDBPyConnection:
    from mesh_notebook.mesh.scan import connect_duckdb

    con = connect_duckdb()
    for name, schema in schemas.items():
        con.register(name, schema.empty_table())
    return con


def _quoted(name: str) -> str:
    from sqlglot import exp

    return exp.to_identifier(name, quoted=True).sql("duckdb")


def _spark_type(dtype: str) -> str:
    from sqlglot import exp

    if dtype in _WIDE or dtype == '"NULL"':
        return ""
    made = exp.DataType.build(dtype, dialect="duckdb")
    return zoned(made).sql("spark")


def zoned(dtype: exp.DataType) -> exp.DataType:
    """Return a type whose timestamps say whether they have a zone, wherever they stand in it."""
    from sqlglot import exp

    names = {"TIMESTAMP": "TIMESTAMPNTZ", "TIMESTAMPTZ": "TIMESTAMPLTZ"}
    made = dtype.copy()
    for one in made.find_all(exp.DataType):
        if one.this.value in names:
            one.set("this", exp.DataType.Type[names[one.this.value]])
    return made
