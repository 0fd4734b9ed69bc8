"""Contracts for tests: one by hand, and any number by Hypothesis."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from mesh_notebook.model.contract import Contract

__all__ = ["column", "contract_of", "contracts", "hinted"]


def contract_of(
    *properties: dict[str, Any], product: str = "people", quality: Any = (), **table: Any
) -> Contract:
    """Return a contract with these columns, as read from YAML."""
    return Contract.loads(
        yaml.safe_dump(
            {
                "apiVersion": "v3.1.0",
                "kind": "DataContract",
                "id": f"urn:dmesh:acme:test:{product}:rows:1",
                "version": "1.0.0",
                "status": "draft",
                "schema": [
                    {
                        "name": "rows",
                        "properties": list(properties),
                        **({"quality": list(quality)} if quality else {}),
                        **table,
                    }
                ],
            },
            sort_keys=False,
        )
    )


def column(name: str, physical: str = "VARCHAR", **more: Any) -> dict[str, Any]:
    """Return an ODCS property of a physical type."""
    return {"name": name, "logicalType": _LOGICAL[physical], "physicalType": physical, **more}


def hinted(hints: dict[str, Any]) -> list[dict[str, Any]]:
    """Return custom properties that hold hints for a mock."""
    return [{"property": "mock", "value": hints}]


_LOGICAL = {
    "VARCHAR": "string",
    "VARCHAR(12)": "string",
    "BOOLEAN": "boolean",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "FLOAT": "number",
    "DOUBLE": "number",
    "DECIMAL(9,2)": "number",
    "DATE": "date",
    "TIMESTAMP_TZ": "timestamp",
    "TIMESTAMP_NTZ": "timestamp",
    "VARCHAR[]": "array",
    "BIGINT[]": "array",
}
_NAMES = st.sampled_from(
    [
        "user_id",
        "order_no",
        "email",
        "first_name",
        "name",
        "country",
        "city",
        "age",
        "price",
        "birth_date",
        "rating",
        "started_at",
        "ip_address",
        "url",
        "phone",
        "title",
        "comment",
        "status",
        "year",
        "latitude",
        "share",
        "minutes",
        "x",
    ]
)
_PATTERNS = ("^[A-Z]{2}$", r"^\d{3}-[a-f0-9]{4}$", "^(ab|cd)?[x-z]+$", "[A-Z][a-z]{2,6}", r"^\w+$")
_WHOLE = st.integers(-100, 100)


@st.composite
def _limits(draw: st.DrawFn, physical: str) -> dict[str, Any]:
    """Return `logicalTypeOptions` that some value can keep."""
    if physical in ("DATE", "TIMESTAMP_TZ", "TIMESTAMP_NTZ"):
        clock = "" if physical == "DATE" else "T12:30:00Z"
        low, high = f"2024-02-{draw(st.integers(1, 28)):02}{clock}", f"2025-06-30{clock}"
        return _some_of(draw, ("minimum", "exclusiveMinimum"), low, "maximum", high)
    if physical.startswith("VARCHAR"):
        if draw(st.booleans()):
            return {"pattern": draw(st.sampled_from(_PATTERNS))}
        low = draw(st.integers(0, 6))
        return _some_of(draw, ("minLength",), low, "maxLength", low + draw(st.integers(4, 30)))
    fine = physical in ("FLOAT", "DOUBLE", "DECIMAL(9,2)")
    low = draw(_WHOLE) / 10 if fine and draw(st.booleans()) else draw(_WHOLE)
    high = low + draw(st.integers(20, 27))
    options = _some_of(draw, ("minimum", "exclusiveMinimum"), low, "maximum", high)
    if draw(st.booleans()):
        options["multipleOf"] = draw(st.sampled_from([0.25, 0.5] if fine else [2, 3, 5]))
    return options


def _some_of(draw: st.DrawFn, lows: tuple[str, ...], low: Any, top: str, high: Any) -> Any:
    options = {draw(st.sampled_from(lows)): low} if draw(st.booleans()) else {}
    return {**options, **({top: high} if draw(st.booleans()) else {})}


@st.composite
def _quality(draw: st.DrawFn, physical: str) -> list[dict[str, Any]]:
    """Return quality rules that some values can keep."""
    metric = draw(st.sampled_from(["enum", "nulls", "missing", "none"]))
    if metric == "nulls":
        rule = {"metric": "nullValues", "mustBeLessThan": draw(st.integers(1, 40))}
        return [{**rule, "unit": "percent"}] if draw(st.booleans()) else [rule]
    if metric == "missing" and physical == "VARCHAR":
        return [{"metric": "missingValues", "mustBe": 0, "arguments": {"missingValues": ["", "?"]}}]
    if metric == "enum" and physical in _ENUMS:
        arguments = {"validValues": _ENUMS[physical]}
        return [{"metric": "invalidValues", "mustBe": 0, "arguments": arguments}]
    return []


_ENUMS: dict[str, list[Any]] = {
    "VARCHAR": ["free", "plus", "family", "1"],
    "INTEGER": [1, 2, 3, 5, 8],
    "DOUBLE": [0.5, 1.5, 2.0],
    "DATE": ["2026-01-01", "2026-02-01"],
    "BOOLEAN": [True],
}


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """Return a contract that can be kept, whatever it demands."""
    names = draw(st.lists(_NAMES, min_size=1, max_size=6, unique=True))
    properties = []
    for name in names:
        physical = draw(st.sampled_from(sorted(_LOGICAL)))
        made = column(name, physical)
        if quality := draw(_quality(physical)):
            made["quality"] = quality
        elif physical != "BOOLEAN" and not physical.endswith("[]") and draw(st.booleans()):
            made["logicalTypeOptions"] = draw(_limits(physical))
        if draw(st.booleans()):
            made["required"] = True
        roomy = physical in ("VARCHAR", "BIGINT", "TIMESTAMP_TZ")
        if roomy and draw(st.integers(0, 3)) == 0:
            made["unique"] = True
        properties.append(made)
    keyed = [p for p in properties if not p["physicalType"].endswith("[]")]
    count = draw(st.integers(0, min(2, len(keyed))))
    for position, made in enumerate(keyed[:count], start=1):
        made.update(primaryKey=True, primaryKeyPosition=position, required=True)
    return contract_of(*properties)
