"""v3.0 as v3.1 says it: `rule` became `metric`, and limits are shut by a number, not by `true`."""

from __future__ import annotations

from typing import Any

from mesh_notebook.model.odcs.walking import mapped

__all__ = ["from_v3_0"]

# What v3.0 calls by `rule`, by the `metric` that v3.1 made of it.
_METRICS = {
    "duplicateCount": "duplicateValues",
    "unique": "duplicateValues",
    "nullCount": "nullValues",
    "notNull": "nullValues",
    "rowCount": "rowCount",
}
_SHUT = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
# ODCS: the operators that a rule may say what it demands with.
_DEMANDS = "mustBe", "mustNot"


def from_v3_0(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of v3.0 as v3.1 says it."""
    return mapped(document, _element)


def _element(element: dict[str, Any]) -> dict[str, Any]:
    changed = dict(element)
    if isinstance(rules := element.get("quality"), list):
        changed["quality"] = [_rule(one) if isinstance(one, dict) else one for one in rules]
    if isinstance(options := element.get("logicalTypeOptions"), dict):
        changed["logicalTypeOptions"] = _limits(options)
    return changed


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule with its metric in place of `rule`, and the values allowed as an argument."""
    said = rule.get("rule")
    if "metric" in rule or not isinstance(said, str) or rule.get("type") in ("sql", "custom"):
        return rule
    if said == "validValues" and isinstance(allowed := rule.get("validValues"), list):
        kept = {name: value for name, value in rule.items() if name != "validValues"}
        changed = _named(kept, "invalidValues")
        return {"mustBe": 0, **changed, "arguments": {"validValues": allowed}}
    changed = _named(rule, _METRICS.get(said, said))
    # "unique" and "notNull" demand by their names what a count would say as 0.
    demands = any(name.startswith(_DEMANDS) for name in rule)
    return changed if demands or said not in ("unique", "notNull") else {**changed, "mustBe": 0}


def _named(rule: dict[str, Any], metric: str) -> dict[str, Any]:
    return {
        ("metric" if name == "rule" else name): metric if name == "rule" else value
        for name, value in rule.items()
    }


def _limits(options: dict[str, Any]) -> dict[str, Any]:
    """Return limits in which what is shut by `true` is a limit of its own."""
    changed = dict(options)
    for shut, limit in _SHUT.items():
        if not isinstance(options.get(shut), bool):
            continue
        del changed[shut]
        if options[shut] and limit in changed:
            changed = {(shut if n == limit else n): value for n, value in changed.items()}
    return changed
