"""The contract of one output port: Bitol ODCS v3.1, read through, never narrowed.

The document itself is the truth (`Contract.raw`); everything here is a view of it, so what
this version does not know survives a load and a save.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mesh_notebook.errors import SpecError, UnknownName, near
from mesh_notebook.model.document import custom, digest, parse_yaml, to_yaml
from mesh_notebook.model.standards import validate

__all__ = ["Column", "Contract", "Rule", "Slo"]

ODCS_VERSION = "v3.1.0"
_LIMITS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "multipleOf",
)
_DIMENSION = {"required": "completeness", "unique": "uniqueness", "key": "uniqueness"}


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of a frame.

    Attributes
    ----------
    kind : str
        `type`, `required`, `unique`, `key`, `enum`, one of the limits of
        `logicalTypeOptions`, `nullValues`, `duplicateValues`, `invalidValues`,
        `missingValues`, `rowCount` or `sql`.
    column : str or None
        None where the rule is about the whole table.
    value : object
        The limit, the allowed values, the physical type, the key columns, or the
        quality rule's own mapping.
    """

    kind: str
    column: str | None
    value: Any
    dimension: str = "conformity"
    name: str = ""

    @property
    def id(self) -> str:
        """Names the rule within its contract, as `column.kind`."""
        return self.name or f"{self.column or 'table'}.{self.kind}"

    @property
    def promised(self) -> bool:
        """Whether it restates a promise for other checkers; here the promise itself is judged."""
        return isinstance(self.value, dict) and custom(self.value, "promise") is not None


@dataclass(frozen=True)
class Slo:
    """A promise in `slaProperties`: its property, value, unit and the element it is about.

    `gate` says that what breaks it is not published: the contract's custom property `gates`
    lists it, by its id or else by its property.
    """

    property: str
    value: Any
    unit: str = ""
    element: str = ""
    gate: bool = False


@dataclass(frozen=True)
class Column:
    """One column, seen through its ODCS property."""

    raw: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.raw["name"])

    @property
    def logical_type(self) -> str:
        """One of ODCS's nine (`string`, `integer`, `timestamp`, …)."""
        return str(self.raw.get("logicalType") or "string")

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
        """The limits of `logicalTypeOptions`; what v3.0 shuts by `true` is a limit of its own."""
        options = dict(self.raw.get("logicalTypeOptions") or {})
        for limit, shut in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if isinstance(options.get(shut), bool):
                is_shut = options.pop(shut) and limit in options
                if is_shut:
                    options[shut] = options.pop(limit)
        return options

    @property
    def values(self) -> list[Any] | None:
        """The allowed values, or None where any is allowed."""
        enumeration = self._enumeration
        return None if enumeration is None else list(enumeration["arguments"]["validValues"])

    @property
    def _enumeration(self) -> dict[str, Any] | None:
        """The quality rule that lists the allowed values."""
        for rule in _quality(self.raw):
            allowed = (rule.get("arguments") or {}).get("validValues")
            if (
                rule.get("metric") == "invalidValues"
                and _demands_none(rule)
                and allowed is not None
            ):
                return dict(rule)
        return None

    @property
    def link(self) -> str | None:
        """The URN of the column that this one means, `urn:…:<product>:<port>#<column>`."""
        for relationship in self.raw.get("relationships") or []:
            if target := custom(relationship, "targetUrn"):
                return str(target)
        for definition in self.raw.get("authoritativeDefinitions") or []:
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
        for kind in _LIMITS:
            if kind in self.options:
                yield Rule(kind, self.name, self.options[kind])
        if self.values is not None:
            yield Rule("enum", self.name, self.values)
        for quality in _quality(self.raw):
            if quality != self._enumeration:
                yield _quality_rule(quality, self.name)


_PERSONAL = {"personal", "pii", "confidential", "sensitive", "restricted"}


@dataclass(frozen=True)
class Contract:
    """The contract of one output port, or of one input.

    A contract of ours holds one schema object: the dataset that the port serves. Of a
    contract with several, the first is taken.
    """

    raw: dict[str, Any] = field(repr=False)
    where: str = "the contract"

    @classmethod
    def loads(cls, text: str, where: str = "the contract") -> Contract:
        """Read and validate an ODCS document; raises `SpecError` with the findings."""
        return cls(parse_yaml(text, where), where).checked()

    def checked(self) -> Contract:
        """Return self if the JSON Schema of ODCS accepts it and it has a dataset with columns."""
        validate(self.raw, self.where)
        if not self.raw.get("schema") or not self.raw["schema"][0].get("properties"):
            raise SpecError(
                f"{self.where} describes no dataset.",
                next_step="give it a schema with at least one property",
                where=self.where,
            )
        if len(self._by_name) < len(self.columns):
            times = Counter(column.name for column in self.columns)
            twice = min(name for name, count in times.items() if count > 1)
            raise SpecError(f"{self.where} has two columns named '{twice}'.", where=self.where)
        return self

    def dumps(self) -> str:
        return to_yaml(self.raw)

    @property
    def digest(self) -> str:
        return digest(self.raw)

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def name(self) -> str:
        return str(self.raw.get("name") or self.table["name"])

    @property
    def version(self) -> str:
        return str(self.raw["version"])

    @property
    def domain(self) -> str:
        return str(self.raw.get("domain") or "")

    @property
    def purpose(self) -> str:
        description = self.raw.get("description")
        return str((description or {}).get("purpose") or "")

    @property
    def owner(self) -> str:
        return _team_name(self.raw)

    @property
    def table(self) -> dict[str, Any]:
        """The schema object of the dataset."""
        first: dict[str, Any] = self.raw["schema"][0]
        return first

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(raw) for raw in self.table.get("properties") or [])

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        # The first of two of one name, which a document that is not checked may have.
        return {column.name: column for column in reversed(self.columns)}

    def column(self, name: str) -> Column:
        if name in self._by_name:
            return self._by_name[name]
        known = [column.name for column in self.columns]
        close = near(name, known)
        meant = f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(known)}"
        raise UnknownName(
            f"{self.name} has no column '{name}'.",
            next_step=meant,
            name=name,
            near=close,
        )

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key's columns, in order; empty where there is none."""
        parts = [c for c in self.columns if c.raw.get("primaryKey")]
        parts.sort(key=lambda c: c.raw.get("primaryKeyPosition") or 0)
        return tuple(c.name for c in parts)

    @property
    def event_time(self) -> str | None:
        """The column that says when it happened: the table's custom property `eventTime`."""
        value = custom(self.table, "eventTime")
        return str(value) if value else None

    @property
    def slos(self) -> tuple[Slo, ...]:
        gates = custom(self.raw, "gates") or []
        return tuple(
            Slo(
                s["property"],
                s["value"],
                str(s.get("unit") or ""),
                str(s.get("element") or ""),
                (s.get("id") or s["property"]) in gates,
            )
            for s in self.raw.get("slaProperties") or []
        )

    def slo(self, name: str) -> Slo | None:
        return next((slo for slo in self.slos if slo.property == name), None)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule the frame must keep: the key's first, then each column's, then the table's."""
        rules = [Rule("key", None, list(self.key), "uniqueness")] if self.key else []
        for column in self.columns:
            rules.extend(column.rules())
        rules.extend(_quality_rule(q, None) for q in _quality(self.table))
        return tuple(rules)

    def edited(self) -> dict[str, Any]:
        """Return a deep copy of the document, for a caller who makes a changed contract."""
        return copy.deepcopy(self.raw)


# What v3.0 calls by `rule`, by the `metric` that v3.1 made of it.
_METRICS = {"duplicateCount": "duplicateValues", "nullCount": "nullValues", "rowCount": "rowCount"}


def _quality(element: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the quality rules of an element, those of v3.0 as v3.1 says them."""
    return [_as_in_v3_1(rule) for rule in element.get("quality") or []]


def _as_in_v3_1(rule: dict[str, Any]) -> dict[str, Any]:
    if "metric" in rule or "rule" not in rule:
        return rule
    if rule["rule"] == "validValues" and isinstance(allowed := rule.get("validValues"), list):
        arguments = {"validValues": allowed}
        return {"mustBe": 0, **rule, "metric": "invalidValues", "arguments": arguments}
    return {**rule, "metric": _METRICS.get(rule["rule"], rule["rule"])}


def _quality_rule(quality: dict[str, Any], column: str | None) -> Rule:
    kind = quality.get("metric") or quality.get("type") or "text"
    name = quality.get("id") or quality.get("name") or ""
    label = f"{column}.{name}" if column and name else name
    return Rule(kind, column, quality, quality.get("dimension") or "conformity", label)


def _demands_none(quality: dict[str, Any]) -> bool:
    return quality.get("mustBe") == 0 or quality.get("mustBeLessThan") == 1


def _team_name(raw: dict[str, Any]) -> str:
    team = raw.get("team")
    if isinstance(team, dict):
        return str(team.get("name") or "")
    members = team or []  # ODCS before 3.1 lists the members straight
    return ", ".join(str(m.get("name") or m.get("username")) for m in members)
