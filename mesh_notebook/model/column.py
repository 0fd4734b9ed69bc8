"""One column of a contract, seen through its ODCS property."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesh_notebook.model.document import custom, listed
from mesh_notebook.model.rule import Rule, enumeration, rules_of

__all__ = ["LIMITS", "Column"]

LIMITS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "multipleOf",
)
_DIMENSION = {"required": "completeness", "unique": "uniqueness"}
_PERSONAL = {"personal", "pii", "confidential", "sensitive", "restricted"}


@dataclass(frozen=True)
class Column:
    """One column, seen through its ODCS property.

    Attributes
    ----------
    dialect : str
        The platform in whose words the physical type is written, as sqlglot calls it; empty where
        the contract names none.
    """

    raw: dict[str, Any]
    dialect: str = ""

    @property
    def name(self) -> str:
        return str(self.raw["name"])

    @property
    def logical_type(self) -> str:
        """One of ODCS's ten (`string`, `integer`, `timestamp`, …), or what stands there."""
        return self.said_logical_type or "string"

    @property
    def said_logical_type(self) -> str:
        """The logical type that the contract says; empty where it says none."""
        return str(self.raw.get("logicalType") or "")

    @property
    def physical_type(self) -> str:
        """The stored type, `VARCHAR` or `TIMESTAMP_TZ`; empty where unsaid."""
        return str(self.raw.get("physicalType") or "")

    @property
    def meaning(self) -> str:
        return str(self.raw.get("description") or self.raw.get("businessName") or "")

    @property
    def required(self) -> bool:
        return bool(self.raw.get("required") or self.raw.get("primaryKey"))

    @property
    def unique(self) -> bool:
        return bool(self.raw.get("unique"))

    @property
    def personal(self) -> bool:
        """Whether the column is classed as personal data."""
        return str(self.raw.get("classification") or "").lower() in _PERSONAL

    @property
    def options(self) -> dict[str, Any]:
        """The limits of `logicalTypeOptions`."""
        said = self.raw.get("logicalTypeOptions") or {}
        return {name: value for name, value in said.items() if value is not None}

    @property
    def parts(self) -> tuple[Column, ...]:
        """The properties of an object, each a column within this one."""
        return tuple(Column(raw, self.dialect) for raw in listed(self.raw, "properties"))

    @property
    def items(self) -> Column | None:
        """What an array holds, as a column of this one's name; None where it is not said."""
        items = self.raw.get("items")
        if not isinstance(items, dict) or not items:
            return None
        return Column({**items, "name": self.name}, self.dialect)

    @property
    def values(self) -> list[Any] | None:
        """The allowed values, or None where any is allowed."""
        listing = enumeration(self.raw)
        return None if listing is None else list(listing["arguments"]["validValues"])

    @property
    def link(self) -> str | None:
        """The URN of the column that this one means, `urn:…:<product>:<port>#<column>`."""
        for relationship in listed(self.raw, "relationships"):
            if target := custom(relationship, "targetUrn"):
                return str(target)
            if (to := str(relationship.get("to") or "")).startswith("urn:") and "#" in to:
                return to
        for definition in listed(self.raw, "authoritativeDefinitions"):
            if definition.get("type") == "ontology":
                return str(definition.get("url"))
        return None

    @property
    def hints(self) -> dict[str, Any]:
        """How a mock should make values: the custom property `mock`."""
        return dict(custom(self.raw, "mock") or {})

    def rules(self) -> Iterator[Rule]:
        if self.physical_type:
            yield Rule("type", self.name, self.physical_type)
        for kind in ("required", "unique"):
            if getattr(self, kind):
                yield Rule(kind, self.name, True, _DIMENSION[kind])
        for kind in LIMITS:
            if kind in self.options:
                yield Rule(kind, self.name, self.options[kind])
        if self.values is not None:
            yield Rule("enum", self.name, self.values)
        yield from rules_of(self.raw, self.name)
