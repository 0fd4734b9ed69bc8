"""Types of PostgreSQL as those of a frame; what a frame has no type for is read as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

__all__ = ["Column", "columns_of", "columns_of_query"]

# By name of the type, the Arrow type that the driver gives it in.
_PLAIN = {
    "bool": "bool",
    "int2": "int16",
    "int4": "int32",
    "int8": "int64",
    "float4": "float32",
    "float8": "float64",
    "text": "string",
    "varchar": "string",
    "bpchar": "string",
    "bytea": "binary",
    "date": "date32",
    "timestamp": "timestamp[us]",
    "timestamptz": "timestamp[us, tz=UTC]",
    "time": "time64[us]",
}
_DIGITS = 38  # a decimal of a frame holds no more
# Of a numeric that declares none, as of other platforms' (`model.types`): a scale as the rows have
# it would make another type of the column with the first row of more.
_SCALE = 9
# Domains are what they are based on.
_COLUMNS = """
    WITH RECURSIVE base(place, name, type, mod) AS (
        SELECT a.attnum, a.attname::text, a.atttypid, a.atttypmod
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL
        SELECT b.place, b.name, t.typbasetype,
               CASE WHEN t.typtypmod <> -1 THEN t.typtypmod ELSE b.mod END
        FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
    )
    SELECT b.name, t.typname::text, b.mod::int4, coalesce(e.typname::text, '')
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
    WHERE t.typtype <> 'd' ORDER BY b.place
"""
_TYPE = """
    WITH RECURSIVE base(type, mod) AS (
        SELECT $1::oid, -1
      UNION ALL
        SELECT t.typbasetype, t.typtypmod
        FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
    )
    SELECT t.typname::text, b.mod::int4, coalesce(e.typname::text, '')
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
    WHERE t.typtype <> 'd'
"""
# What is measured, in the same transaction, of a numeric that declares no scale, and of an array,
# which may have more dimensions than it declares.
_NUMERIC = (
    "coalesce(max(scale(c)), 0)::int4",
    "coalesce(max(length(split_part(ltrim(CAST(c AS text), '-'), '.', 1))), 0)::int4",
    "coalesce(bool_or(CAST(c AS text) IN ('NaN', 'Infinity', '-Infinity')), false)",
)
_ARRAY = ("coalesce(max(array_ndims(c)), 1)::int4", "0::int4", "false")


@dataclass(frozen=True)
class Column:
    """A column, and how it is read.

    Attributes
    ----------
    cast : str
        The type that the server turns it into; empty where it is read as it is.
    arrow : pyarrow.DataType
        What it becomes here.
    """

    name: str
    cast: str
    arrow: pa.DataType

    @property
    def expression(self) -> exp.Expr:
        from sqlglot import exp

        column = exp.column(self.name, quoted=True)
        if self.cast == "json":
            return exp.alias_(
                exp.cast(exp.func("to_jsonb", column), "text"), self.name, quoted=True
            )
        if not self.cast:
            return column
        kind = exp.DataType.build(self.cast, dialect="postgres")
        return exp.alias_(exp.cast(column, kind), self.name, quoted=True)

    def typed(self, array: pa.Array, table: str) -> pa.Array:
        """Return values as this column's type, or raise `SourceError` for one that has none."""
        import pyarrow as pa
        import pyarrow.types as kinds

        try:
            made = array.cast(self.arrow)
        except pa.ArrowInvalid:
            raise SourceError(
                f"{table}: column '{self.name}' holds NaN or Infinity, which is no decimal.",
                next_step="read a view that casts the column to double precision",
                column=self.name,
            ) from None
        if kinds.is_date(self.arrow) or kinds.is_timestamp(self.arrow):
            self._refuse_beyond(made, table)
        return made

    def _refuse_beyond(self, array: pa.Array, table: str) -> None:
        """Raise for infinity, and for years that no calendar here has (before 1, after 9999)."""
        import pyarrow.compute as pc
        import pyarrow.types as kinds

        day = 1 if kinds.is_date(self.arrow) else 86_400_000_000
        ends = pc.min_max(array.cast("int32" if day == 1 else "int64"))
        low, high = ends["min"].as_py(), ends["max"].as_py()
        if low is None or (low >= -719_162 * day and high < 2_932_897 * day):
            return
        raise SourceError(
            f"{table}: column '{self.name}' holds 'infinity', or a year before 1 or after 9999.",
            next_step="read a view that makes it a null",
            column=self.name,
        )


@dataclass(frozen=True)
class _Found:
    name: str
    type: str
    mod: int
    element: str

    @property
    def digits(self) -> tuple[int, int] | None:
        """Precision and scale of a numeric, where they are declared and a decimal has them."""
        if self.mod < 4:
            return None
        precision, scale = (self.mod - 4) >> 16 & 0xFFFF, (self.mod - 4) & 0x7FF
        return (precision, scale) if scale <= precision <= _DIGITS else None


def columns_of(cursor: Any, oid: int, rows: exp.Expr) -> list[Column]:
    """Return the columns of a table, and how each is read without loss."""
    cursor.execute(_COLUMNS, (oid,))
    return _read_so(cursor, [_Found(*row) for row in cursor.fetchall()], rows)


def columns_of_query(cursor: Any, rows: exp.Expr) -> list[Column]:
    """Return the columns of a query, and how each is read without loss."""
    from sqlglot import exp

    cursor.execute("SET LOCAL TimeZone = 'UTC'")  # in which a day begins
    cursor.execute(exp.select("*").from_(rows.copy()).limit(0).sql("postgres"))
    names = cursor.fetch_record_batch().schema.names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(
            f"the query gives two columns named '{twice[0]}'.",
            next_step=f'give one another name: … AS "{twice[0]}_2"',
            column=twice[0],
        )
    types = ", ".join(
        f"pg_typeof({exp.column(name, table='q', quoted=True).sql('postgres')})::oid::int8"
        for name in names
    )
    # One row of nulls, whatever the query gives: none of its rows is asked for.
    one = f"SELECT {types} FROM (SELECT 1) AS one LEFT JOIN {rows.sql('postgres')} ON false"
    cursor.execute(one)
    found = []
    for name, oid in zip(names, cursor.fetchone() or (), strict=True):
        cursor.execute(_TYPE, (oid,))
        kind, mod, element = cursor.fetchone()
        found.append(_Found(name, kind, mod, element))
    return _read_so(cursor, found, rows)


def _read_so(cursor: Any, found: list[_Found], rows: exp.Expr) -> list[Column]:
    asked = [f for f in found if f.element or (f.type == "numeric" and f.digits is None)]
    measured = _measured(cursor, asked, rows) if asked else {}
    return [_column(f, measured.get(f.name)) for f in found]


def _measured(
    cursor: Any, asked: Sequence[_Found], rows: exp.Expr
) -> dict[str, tuple[int, int, bool]]:
    from sqlglot import exp, parse_one

    def about(text: str, name: str) -> exp.Expr:
        column = exp.column(name, quoted=True)
        return parse_one(text, dialect="postgres").transform(
            lambda node: column if isinstance(node, exp.Column) else node
        )

    wanted = [
        about(text, one.name) for one in asked for text in (_ARRAY if one.element else _NUMERIC)
    ]
    named = [exp.alias_(one, f"m{at}") for at, one in enumerate(wanted)]
    query = exp.select(*named).from_(rows.copy())
    cursor.execute(query.sql("postgres"))
    values = cursor.fetchone()
    return {one.name: tuple(values[3 * i : 3 * i + 3]) for i, one in enumerate(asked)}


def _column(found: _Found, measured: tuple[int, int, bool] | None) -> Column:
    import pyarrow as pa

    if found.element:
        return _array(found, dimensions=measured[0] if measured else 1)
    if found.type == "numeric":
        return _numeric(found, measured)
    if found.type in _PLAIN:
        return Column(found.name, "", _arrow(found.type))
    if found.type == "oid":
        return Column(found.name, "int8", pa.int64())
    return Column(found.name, "text", pa.string())


def _array(found: _Found, dimensions: int) -> Column:
    import pyarrow as pa

    if dimensions > 1:  # the driver would lay them out flat
        return Column(found.name, "json", pa.string())
    if found.element in _PLAIN:
        return Column(found.name, "", pa.list_(_arrow(found.element)))
    return Column(found.name, "text[]", pa.list_(pa.string()))


def _numeric(found: _Found, measured: tuple[int, int, bool] | None) -> Column:
    import pyarrow as pa

    if found.digits:
        return Column(found.name, "text", pa.decimal128(*found.digits))
    scale, whole, unending = measured or (0, 0, False)
    if unending:
        return Column(found.name, "float8", pa.float64())
    if whole + scale <= _DIGITS:
        scale = max(scale, min(_SCALE, _DIGITS - whole))
        return Column(found.name, "text", pa.decimal128(_DIGITS, scale))
    return Column(found.name, "text", pa.string())


def _arrow(name: str) -> pa.DataType:
    import pyarrow as pa

    kind = _PLAIN[name]
    if kind.startswith("timestamp"):
        return pa.timestamp("us", "UTC" if "UTC" in kind else None)
    return pa.type_for_alias(kind)
