"""Documents held to the JSON Schema of the standard, and of the version, that they name.

The schema of ODCS v3.1 is the published one. What v3.0 says otherwise is stated here, in
`_as_in_v3_0`: it had `rule` for `metric`, limits that are shut by `true`, and it left most objects
open to what it did not name. What v3.1 added is let be in a document of v3.0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from mesh_notebook.errors import SpecError

__all__ = ["validate"]

Schema = dict[str, Any]
_FILES = {
    "DataContract": "odcs-json-schema-v3.1.0.bitol.json",
    "DataProduct": "odps-json-schema-v1.0.0.bitol.json",
}
# What this package reads in a document beyond the schema of its standard, which leaves it open.
_EXTENSIONS = {
    "DataContract": "odcs-extensions.json",
    "DataProduct": "odps-extensions.json",
}
_SHOWN = 5
_LIMITED = ("exclusiveMinimum", "exclusiveMaximum")
_CLOSED_IN_V3_0 = {"SchemaObject", "SchemaBaseProperty", "SchemaProperty", "SchemaItemProperty"}
_PARENTS_TOO = ("unevaluatedProperties", "unevaluatedItems")


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
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in _FILES:
        raise SpecError(
            f"{where} is of kind {kind!r:.60}, which is not known.",
            next_step=f"known kinds: {', '.join(_FILES)}",
            where=where,
        )
    version, plain = _version(document, kind, where), _plain(document)
    findings = _innermost(_validator(kind, version).iter_errors(plain))
    findings = findings or _innermost(_extensions(kind).iter_errors(plain))
    if findings:
        lines = [f"  {_path(e) or '(top)'}: {e.message[:160]}" for e in findings[:_SHOWN]]
        raise SpecError(
            f"{where} does not follow its standard:\n" + "\n".join(lines),
            next_step="mend the fields named above",
            where=where,
            findings=[e.message for e in findings],
        )


def _version(document: dict[str, Any], kind: str, where: str) -> str:
    """Return the version that a document names; the newest known where the schema will object."""
    known = list(_VERSIONS[kind])
    version = document.get("apiVersion", known[-1])
    if isinstance(version, str) and version in known:
        return version
    raise SpecError(
        f"{where} names version {version!r:.60} of its standard, which this package does not read.",
        next_step=f"known versions: {', '.join(known)}",
        where=where,
    )


def _innermost(findings: Iterable[Any]) -> list[Any]:
    """Return the findings that are no mere consequence of others, in the order of their paths.

    Of an object that breaks a rule of its own, no property counts as evaluated; so all that it lies
    in is found to hold what is not allowed.
    """
    found = {(tuple(map(str, e.instance_path)), e.message): e for e in findings}
    paths = {path for path, _ in found}

    def follows(path: tuple[str, ...], finding: Any) -> bool:
        inner = (other for other in paths if len(other) > len(path))
        return finding.schema_path[-1] in _PARENTS_TOO and any(
            other[: len(path)] == path for other in inner
        )

    return [found[one] for one in sorted(found) if not follows(one[0], found[one])]


def _path(finding: Any) -> str:
    return "/".join(map(str, finding.instance_path))


def _plain(document: object) -> Any:
    # YAML reads 2026-01-15 as a date; JSON Schema knows only text.
    return json.loads(json.dumps(document, default=lambda v: v.isoformat()))


# ---- the schemas ---------------------------------------------------------------------------------


@cache
def _validator(kind: str, version: str) -> Any:
    return _compiled(_VERSIONS[kind][version](_read(_FILES[kind])))


@cache
def _extensions(kind: str) -> Any:
    return _compiled(_read(_EXTENSIONS[kind]))


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
    """Return the schema of ODCS v3.1 with what v3.0 allowed, changed in place."""
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


_VERSIONS: dict[str, dict[str, Callable[[Schema], Schema]]] = {
    "DataContract": {
        **dict.fromkeys(("v3.0.0", "v3.0.1", "v3.0.2"), _as_in_v3_0),
        "v3.1.0": _as_published,
    },
    "DataProduct": dict.fromkeys(("v0.9.0", "v1.0.0"), _as_published),
}
