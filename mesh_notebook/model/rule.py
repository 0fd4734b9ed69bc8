"""What must hold of a frame: one rule, and the quality rules of a contract as such rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh_notebook.model.document import custom, listed

__all__ = ["Rule", "arguments_of", "enumeration", "quality_of", "rules_of"]


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


def quality_of(element: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the quality rules of a table or a column."""
    return listed(element, "quality")


def _quality_rule(quality: dict[str, Any], column: str | None) -> Rule:
    """Return a quality rule as a rule of the frame."""
    kind = quality.get("metric") or quality.get("type") or _unsaid(quality)
    name = quality.get("id") or quality.get("name") or ""
    label = f"{column}.{name}" if column and name else name
    return Rule(kind, column, quality, quality.get("dimension") or "conformity", label)


def _unsaid(quality: dict[str, Any]) -> str:
    """Return the kind of a rule that names none: `type` may be left out where a query is there."""
    return "sql" if quality.get("query") else "custom" if quality.get("engine") else "text"


def enumeration(element: dict[str, Any]) -> dict[str, Any] | None:
    """Return the quality rule that lists the allowed values of a column."""
    for rule in quality_of(element):
        arguments = rule.get("arguments")
        allowed = arguments.get("validValues") if isinstance(arguments, dict) else None
        if rule.get("metric") == "invalidValues" and _demands_none(rule) and allowed is not None:
            return rule
    return None


def _demands_none(quality: dict[str, Any]) -> bool:
    return quality.get("mustBe") == 0 or quality.get("mustBeLessThan") == 1


def rules_of(element: dict[str, Any], column: str | None) -> Iterator[Rule]:
    """Yield the quality rules of an element, without the one that lists its values."""
    listing = enumeration(element) if column is not None else None
    yield from (_quality_rule(q, column) for q in quality_of(element) if q is not listing)


_LISTS = ("validValues", "missingValues", "properties")


def arguments_of(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a quality rule; what is written in another shape is none of them."""
    told = rule.get("arguments")
    if not isinstance(told, Mapping):
        return {}
    return {k: v for k, v in told.items() if k not in _LISTS or isinstance(v, list)}
