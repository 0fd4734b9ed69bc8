"""Documents held to the JSON Schema of the standard, and of the version, that they name.

The schemas of ODCS v3.1 and v3.2 are the published ones. What v3.0 says otherwise is stated here,
in `_as_in_v3_0`. What v2.2 says is known word by word (`model/odcs/v2.py`); here it is v3.1.

`validate` is for what is written: the document follows its standard to the letter. `beyond` is for
what is read: only what cannot be read is an error, and all else that the standard does not have is
named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from mesh_notebook.errors import SpecError
from mesh_notebook.model.findings import all_of, in_words, innermost, path_of
from mesh_notebook.model.odcs import VERSIONS, version_of

__all__ = ["beyond", "readable", "unread", "validate"]

Schema = dict[str, Any]
# What this package reads in a document: beyond the schema of its standard, or in spite of it.
_READ = {"DataContract": "odcs-read.json", "DataProduct": "odps-extensions.json"}
_PRODUCT = "odps-json-schema-v1.0.0.bitol.json"
_PRODUCT_VERSIONS = ("v0.9.0", "v1.0.0")
_SHOWN = 5
_LIMITED = ("exclusiveMinimum", "exclusiveMaximum")
_CLOSED_IN_V3_0 = {"SchemaObject", "SchemaBaseProperty", "SchemaProperty", "SchemaItemProperty"}


def validate(document: dict[str, Any], where: str) -> None:
    """Check a document against the JSON Schema of its `kind` and `apiVersion`.

    Parameters
    ----------
    where : str
        Names the document in errors.

    Raises
    ------
    SpecError
        With the path and the reason of each finding, at most five.
    """
    kind = _kind(document, where)
    schema, plain = _schema_of(document, kind, where), _plain(document)
    findings = innermost(schema.iter_errors(plain))
    _refuse(findings or _unreadable(plain, kind), where)


def beyond(document: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return what a contract has beyond its standard, in words, each kind of finding once.

    Raises
    ------
    SpecError
        It is of a kind or a version that is not read.
    """
    kind = _kind(document, where)
    findings = all_of(_schema_of(document, kind, where), _plain(document))
    said = document.get("apiVersion")
    return in_words(findings, f"ODCS {said}" if isinstance(said, str) else "ODCS")


def readable(document: dict[str, Any], where: str) -> None:
    """Raise `SpecError` where a contract, as v3.1 says it, has what this package cannot read."""
    kind = _kind(document, where)
    _refuse(_unreadable(_plain(document), kind), where)


def _kind(document: dict[str, Any], where: str) -> str:
    kind = document.get("kind")
    if isinstance(kind, str) and kind in _READ:
        return kind
    raise SpecError(
        f"{where} is of kind {kind!r:.60}, which is not known.",
        next_step=f"known kinds: {', '.join(_READ)}",
        where=where,
    )


def _unreadable(plain: Any, kind: str) -> list[Any]:
    # Of a product nothing is unsaid by null: it is ours alone.
    said = _without_nulls(plain) if kind == "DataContract" else plain
    return innermost(_compiled_file(_READ[kind]).iter_errors(said))


def _refuse(findings: list[Any], where: str) -> None:
    if not findings:
        return
    lines = [f"  {path_of(e) or '(top)'}: {e.message[:160]}" for e in findings[:_SHOWN]]
    raise SpecError(
        f"{where} does not follow its standard:\n" + "\n".join(lines),
        next_step="mend the fields named above",
        where=where,
        findings=[e.message for e in findings],
    )


def _schema_of(document: dict[str, Any], kind: str, where: str) -> Any:
    """Return the schema of the version that a document names, or of the newest we write."""
    if kind == "DataContract":
        family = version_of(document)
        if family is None:
            raise unread(document, where)
        return _contract(family)
    if document.get("apiVersion", _PRODUCT_VERSIONS[-1]) not in _PRODUCT_VERSIONS:
        raise unread(document, where, _PRODUCT_VERSIONS)
    return _compiled_file(_PRODUCT)


def unread(document: dict[str, Any], where: str, known: Sequence[str] = VERSIONS) -> SpecError:
    """Return the error of a document whose version is not read."""
    return SpecError(
        f"{where} names version {document.get('apiVersion')!r:.60} of its standard, "
        "which this package does not read.",
        next_step=f"known versions: {', '.join(known)}",
        where=where,
    )


def _plain(document: object) -> Any:
    # YAML reads 2026-01-15 as a date; JSON Schema knows only text.
    return json.loads(json.dumps(document, default=lambda v: v.isoformat()))


def _without_nulls(value: Any) -> Any:
    """Return plain data without what is null in a mapping; in a list, null is a value."""
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


# ---- the schemas ---------------------------------------------------------------------------------


@cache
def _contract(family: str) -> Any:
    name, changed = _CONTRACTS[family]
    return _compiled(changed(_read(name)))


@cache
def _compiled_file(name: str) -> Any:
    return _compiled(_read(name))


def _compiled(schema: Schema) -> Any:
    # In Rust: what is not evaluated is known after one pass, where a walk in Python takes a time
    # that is exponential in the nesting.
    from jsonschema_rs import Draft201909Validator

    return Draft201909Validator(schema)


def _read(name: str) -> Schema:
    text = (files("mesh_notebook.model") / "schemas" / name).read_text("utf-8")
    schema: Schema = json.loads(text)
    return schema


def _as_published(schema: Schema) -> Schema:
    return schema


def _as_in_v3_0(schema: Schema) -> Schema:
    """Return the schema of ODCS v3.1 with what v3.0 allowed, changed in place.

    It had `rule` for `metric`, limits that are shut by `true`, and it left most objects open to
    what it did not name. What v3.1 added is let be in a document of v3.0.
    """
    parts = schema["$defs"]
    for name in parts.keys() - _CLOSED_IN_V3_0:
        _open(parts[name])
    parts["DataQualityLibrary"] = {"type": "object", "required": ["rule"]}
    parts["DataQualitySql"] = {"type": "object", "required": ["query"]}
    schema["properties"]["team"] = {"type": "array", "items": {"type": "object"}}
    schema["properties"]["description"] = {"type": "object"}
    for options in _with_limits(parts["SchemaBaseProperty"]):
        for name in _LIMITED:
            options[name] = {"anyOf": [{"type": "boolean"}, options[name]]}
    return schema


def _open(schema: Any) -> None:
    """Let the objects of a schema hold what it does not name."""
    if isinstance(schema, dict):
        for word in ("additionalProperties", "unevaluatedProperties"):
            if schema.get(word) is False:
                del schema[word]
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            _open(part)


def _with_limits(schema: Any) -> list[Schema]:
    """Return the `properties` that name exclusive limits, wherever they lie in a schema."""
    if isinstance(schema, list):
        return [found for part in schema for found in _with_limits(part)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if all(name in schema for name in _LIMITED) else []
    return here + [found for part in schema.values() for found in _with_limits(part)]


def _as_meant_in_v3_2(schema: Schema) -> Schema:
    """Return the schema of ODCS v3.2 whose conditions ask for the field that they look at.

    As published, a column that says no `logicalType` is taken for one of every type: it owes a
    `map`, whose key and value are columns that owe one, too.
    """
    for part in _conditions(schema["$defs"]["SchemaBaseProperty"]):
        for looked in part.get("anyOf", [part]):
            looked["required"] = list(looked["properties"])
    return schema


def _conditions(schema: Schema) -> list[Schema]:
    return [part["if"] for part in schema["allOf"] if "if" in part]


_V3_1 = "odcs-json-schema-v3.1.0.bitol.json"
_CONTRACTS: dict[str, tuple[str, Callable[[Schema], Schema]]] = {
    "2.2": (_V3_1, _as_published),
    "3.0": (_V3_1, _as_in_v3_0),
    "3.1": (_V3_1, _as_published),
    "3.2": ("odcs-json-schema-v3.2.0.bitol.json", _as_meant_in_v3_2),
}
