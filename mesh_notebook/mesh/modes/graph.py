"""The graph: rows as nodes, semantic links as edges, as a JSON-LD 1.1 document.

Every value is written as its XSD text and typed by the context, so that no JSON parser rounds it;
lists and structs are JSON literals. A null is no statement at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.modes.lexical import json_text, lexical
from mesh_notebook.mesh.modes.naming import column_iri, escaped, link_of, port_urn, row_name
from mesh_notebook.mesh.modes.streaming import parts, schema_of

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.reading import Reading

__all__ = ["document", "pieces"]

_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPES = {
    "Boolean": "boolean",
    "Int8": "byte",
    "Int16": "short",
    "Int32": "int",
    "Int64": "long",
    "Float32": "float",
    "Float64": "double",
    "Decimal": "decimal",
    "String": "string",
    "Binary": "base64Binary",
    "Date": "date",
    "Datetime": "dateTime",
}
_TERM = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")  # what can be a term, and never looks like an IRI
_DCT = "http://purl.org/dc/terms/"
_PROV = "http://www.w3.org/ns/prov#"


def document(reading: Reading, limit: int | None = None) -> dict[str, Any]:
    """Return the port's rows, or the first `limit` of them, as one JSON-LD document.

    The node of the port itself says which snapshot it is, when it was published (`prov`), and its
    origin and status (`dcterms:provenance`, `dcterms:type`).
    """
    made: dict[str, Any] = json.loads("".join(pieces(reading, limit)))
    return made


def pieces(reading: Reading, limit: int | None = None) -> Iterator[str]:
    """Return the text of the document, piece by piece, so that it need not fit in memory."""
    frame = reading.frame if limit is None else reading.frame.head(limit)
    head = json.dumps({"@context": _context(reading)}, ensure_ascii=False).removesuffix("}")
    yield f'{head},\n"@graph": [\n{json.dumps(_port_node(reading), ensure_ascii=False)}'
    for part in parts(reading, frame.select(_node(reading))):
        for text in part.to_series():
            yield f",\n{text}"
    yield "\n]}\n"


def _port_node(reading: Reading) -> dict[str, Any]:
    receipt = reading.receipt
    moment = {"@value": receipt.processing_time, "@type": f"{_XSD}dateTime"}
    return {
        "@id": port_urn(reading),
        f"{_PROV}generatedAtTime": moment,
        f"{_DCT}hasVersion": str(receipt.snapshot),
        f"{_DCT}provenance": reading.origin.value,
        f"{_DCT}type": receipt.status,
        f"{_DCT}conformsTo": {"@id": reading.contract.id},
    }


def _context(reading: Reading) -> dict[str, Any]:
    context: dict[str, Any] = {"@version": 1.1}
    urn, schema = port_urn(reading), schema_of(reading)
    for column in reading.contract.columns:
        iri = column_iri(urn, column.name)
        kind = "@id" if link_of(column) else _type(schema[column.name])
        context[_term(urn, column.name)] = {"@id": iri, "@type": kind}
    return context


def _type(dtype: pl.DataType) -> str:
    name = _TYPES.get(type(dtype).__name__)
    return f"{_XSD}{name}" if name else "@json"


def _term(urn: str, column: str) -> str:
    """Return how the document calls a column: by its own name, where JSON-LD takes no offence."""
    return column if _TERM.fullmatch(column) else column_iri(urn, column)


def _node(reading: Reading) -> pl.Expr:
    """Return the expression that makes a row one JSON object."""
    import polars as pl

    urn, schema = port_urn(reading), schema_of(reading)
    parts = [pl.lit("{")]
    # Rows without a key are nodes without a name: as many as there are rows, alike or not.
    if (name := row_name(reading.contract.key, schema, pl.col)) is not None:
        parts += [pl.lit(f'"@id":"{urn}#'), name, pl.lit('",')]
    parts.append(pl.lit(f'"@type":"{urn}"'))
    for column in reading.contract.columns:
        value, dtype = pl.col(column.name), schema[column.name]
        key = json.dumps(_term(urn, column.name))
        said = pl.concat_str(pl.lit(f",{key}:"), _value(value, dtype, link_of(column)))
        parts.append(pl.when(value.is_not_null()).then(said).otherwise(pl.lit("")))
    return pl.concat_str(*parts, pl.lit("}"))


def _value(value: pl.Expr, dtype: pl.DataType, link: str | None) -> pl.Expr:
    import polars as pl

    if link and isinstance(dtype, pl.List):  # one edge for each
        edges = value.list.drop_nulls().list.eval(_edge(pl.element(), dtype.inner, link))  # type: ignore[arg-type]
        return pl.concat_str(pl.lit("["), edges.list.join(","), pl.lit("]"))
    if link:
        return _edge(value, dtype, link)
    if isinstance(dtype, pl.List | pl.Struct):
        return json_text(value, dtype)
    return json_text(lexical(value, dtype), pl.String())


def _edge(value: pl.Expr, dtype: pl.DataType, link: str) -> pl.Expr:
    import polars as pl

    return pl.concat_str(pl.lit(f'"{link}='), escaped(lexical(value, dtype)), pl.lit('"'))
